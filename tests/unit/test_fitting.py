# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fits to recordings: likelihood, its derivatives, free runs, scores and conversions, each against another computation.

The references are loops over steps that are written here, finite differences, the exact integration of
`amat.simulation.reference`, and recordings whose parameters are known.
"""

import dataclasses
import math

import numpy as np
import pytest
from scipy import special

from amat.analysis.fitting.convert import intervals, measure_scale, stated_scale, to_amat, to_coefficients
from amat.analysis.fitting.diagnostics import rescale_time, residuals_by_repeat
from amat.analysis.fitting.estimates import estimate_delay, estimate_refractory_time
from amat.analysis.fitting.features import KINDS, Design, TimeConstants, coefficient_names, history_taus
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.free_run import drive_of, escape_levels, free_run
from amat.analysis.fitting.likelihood import evaluate, maximise
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.pipeline import FitSettings, fit_recording
from amat.analysis.fitting.prediction import bits_per_spike, gain_by_block
from amat.analysis.fitting.recording import NeuronRecording, bin_spikes
from amat.analysis.fitting.report import describe, parameters_by_convention
from amat.analysis.fitting.resampling import block_length, draw_blocks, percentile_interval
from amat.analysis.fitting.scores import coincidence_factor, score
from amat.analysis.fitting.search import Optimum, differentiate, find_optima, scan
from amat.analysis.fitting.synthetic import EXAMPLE, sample_recording, sample_spikes
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.reference import integrate

TAUS = TimeConstants(tau_m=8.0, tau_v=4.0, tau_1=10.0, tau_2=120.0)
DT, REFR_T = 0.5, 2.0


@pytest.fixture(scope="module")
def recording() -> NeuronRecording:
    """Two repeats of 4 s."""
    return sample_recording(EXAMPLE, duration=4000.0, dt=DT, repeats=2, seed=3)


@pytest.fixture(scope="module")
def long_recording() -> NeuronRecording:
    """Four repeats of 12 s."""
    return sample_recording(EXAMPLE, duration=12_000.0, dt=DT, repeats=4, seed=5)


@pytest.fixture(scope="module")
def fitted(long_recording) -> FittedModel:
    return fit_model(long_recording, "amat", (300.0, 12_000.0), refr_T=REFR_T, delay=0.0, grid=5)


def coefficients_of(kind: str) -> np.ndarray:
    values = {"offset": -9.0, "gain": 0.05, "reset": -2.0, "beta": 0.01, "alpha_1": 6.0, "alpha_2": 0.8}
    return np.array([values.get(name, 0.5) for name in coefficient_names(kind)])


def rates_by_steps(kind: str, current, spikes: set[int], taus: TimeConstants, b) -> np.ndarray:
    """Return the logarithm of the rate after each step, by a loop with the recorded spikes given."""
    unit = AmatParameters(tau_m=taus.tau_m, C_m=taus.tau_m, tau_v=taus.tau_v, beta=1.0, omega=1e9, E_L=0.0)
    trace = integrate([unit], current[np.newaxis], np.zeros((1, len(current))), np.zeros((1, len(current))), DT)
    membrane, drive = trace.V_m[0], trace.V_th_v[0]
    history = np.zeros(len(history_taus(kind, taus)))
    decays = np.exp(-DT / np.array(history_taus(kind, taus)))
    eta, last = np.empty(len(current)), None
    for k in range(len(current)):
        if kind == "lif":
            # A membrane that is reset to zero at the last spike, and a decaying offset.
            memory = 0.0 if last is None else math.exp(-(k - last) * DT / taus.tau_m)
            reset = membrane[k] - (0.0 if last is None else memory * membrane[last])
            eta[k] = b[0] + b[1] * reset + b[2] * memory
        else:
            history *= decays
            eta[k] = b[0] + b[1] * membrane[k] - b[2 : 2 + len(history)] @ history
            if kind != "mat":
                eta[k] -= b[-1] * drive[k]
        if k in spikes:
            history += 1.0
            last = k
    return eta


@pytest.mark.parametrize("kind", KINDS)
def test_the_likelihood_is_the_product_of_the_probabilities_of_all_steps(recording, kind):
    b, window, dead = coefficients_of(kind), (500.0, 3000.0), round(REFR_T / DT)
    expected = 0.0
    for times in recording.spikes:
        steps = {round(time / DT) - 1 for time in times}
        eta = rates_by_steps(kind, recording.groups[0][0], steps, TAUS, b)
        for k in range(round(window[0] / DT), round(window[1] / DT)):
            if steps & set(range(k - dead, k)):
                continue
            silent = math.exp(-DT * math.exp(eta[k]))
            expected += math.log(1 - silent if k in steps else silent)
    design = Design(recording, kind, window, refr_T=REFR_T)
    found = evaluate(design.update(TAUS), b, DT).total[0]
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_and_hessian_are_those_of_finite_differences(recording, kind):
    pieces = Design(recording, kind, (500.0, 3000.0), refr_T=REFR_T).update(TAUS)
    b = coefficients_of(kind)
    _, gradient, information = evaluate(pieces, b, DT).total
    for i, name in enumerate(coefficient_names(kind)):
        step = np.zeros(len(b))
        step[i] = 1e-5 * max(abs(b[i]), 1e-2)
        upper, lower = (evaluate(pieces, b + sign * step, DT).total for sign in (1, -1))
        assert gradient[i] == pytest.approx((upper[0] - lower[0]) / (2 * step[i]), rel=1e-5, abs=1e-4), name
        slopes = -(upper[1] - lower[1]) / (2 * step[i])
        np.testing.assert_allclose(information[i], slopes, rtol=1e-5, atol=1e-5 * np.abs(information).max())


def test_the_likelihood_has_one_maximum_for_fixed_time_constants(recording):
    pieces = Design(recording, "amat", (500.0, 4000.0), refr_T=REFR_T).update(TAUS)
    best, value = maximise(pieces, DT)
    random = np.random.default_rng(1)
    for _ in range(8):
        start = best * random.uniform(0.3, 1.5, len(best))
        found, reached = maximise(pieces, DT, start)
        assert reached == pytest.approx(value, abs=1e-6)
        np.testing.assert_allclose(found, best, rtol=1e-4)
    assert np.linalg.eigvalsh(evaluate(pieces, best, DT).total[2]).min() > 0


def test_rates_far_from_zero_keep_the_likelihood_finite(recording):
    pieces = Design(recording, "mat", (500.0, 3000.0), refr_T=REFR_T).update(TAUS)
    for offset in (-800.0, -200.0, 40.0):
        b = coefficients_of("mat")
        b[0] = offset
        assert all(np.isfinite(part).all() for part in evaluate(pieces, b, DT).total)


def test_joint_derivatives_are_those_of_the_likelihood(recording):
    """The Hessian over coefficients and time constants: second differences with a larger step, to 1 %."""
    design, names = Design(recording, "amat", (500.0, 4000.0), refr_T=REFR_T, block=700.0), ("tau_m", "tau_v")
    b = maximise(design.update(TAUS), DT)[0]
    joint = differentiate(design, names, Optimum(TAUS, b, 0.0))
    assert joint.gradient.shape == (5, 7)

    def value(x):
        taus = TAUS.replace(tau_m=TAUS.tau_m * math.exp(x[5]), tau_v=TAUS.tau_v * math.exp(x[6]))
        return evaluate(design.update(taus), b + x[:5], DT).total[0]

    steps = np.append(1e-3 * np.abs(b), [0.01, 0.01])
    information = joint.information.sum(axis=0)
    scale = np.sqrt(np.abs(np.diag(information)))
    for i in range(7):
        for j in (5, 6):
            shift_i, shift_j = np.eye(7)[i] * steps[i], np.eye(7)[j] * steps[j]
            corners = [value(s * shift_i + t * shift_j) * s * t for s in (1, -1) for t in (1, -1)]
            difference = -sum(corners) / (4 * steps[i] * steps[j])
            assert information[i, j] == pytest.approx(difference, abs=0.01 * scale[i] * scale[j])


def test_thinned_steps_give_nearly_the_same_optimum(recording):
    """It is within two units of the largest log-likelihood, which is what two standard errors cost."""
    window = (500.0, 4000.0)
    full = Design(recording, "amat", window, refr_T=REFR_T)
    pieces = full.update(TAUS)
    largest = maximise(pieces, DT)[1]
    thin = Design(recording, "amat", window, refr_T=REFR_T, stride=2)
    assert thin.steps == pytest.approx(full.steps, abs=2 * 2)
    found = maximise(thin.update(TAUS), DT, stride=2)[0]
    assert largest - 2 < evaluate(pieces, found, DT).total[0] <= largest


def test_the_grid_finds_the_time_constants(long_recording):
    design = Design(long_recording, "amat", (300.0, 12_000.0), refr_T=REFR_T, stride=2)
    profile = scan(design, ("tau_m", "tau_v"), TimeConstants(), 6, lambda done, total: None)
    assert profile.values.shape == (6, 6)
    best = find_optima(design, ("tau_m", "tau_v"), profile)[0]
    assert best.log_likelihood >= profile.values.max()
    assert best.taus.tau_m == pytest.approx(EXAMPLE.parameters.tau_m, rel=0.2)
    assert best.taus.tau_v == pytest.approx(EXAMPLE.parameters.tau_v, rel=0.2)


def test_a_free_run_is_the_exact_neuron():
    """Spikes of the fit's free run and of the exact integration, over random parameters."""
    random, spikes = np.random.default_rng(4), 0
    for _ in range(8):
        p = AmatParameters(
            tau_m=random.uniform(3, 30),
            C_m=random.uniform(50, 300),
            refr_T=random.uniform(DT, 5),
            alpha_1=random.uniform(-2, 30),
            alpha_2=random.uniform(-0.1, 4),
            beta=random.uniform(-0.3, 0.3),
            tau_v=random.uniform(2, 20),
            omega=random.uniform(2, 12),
        )
        # A mean potential of twice the threshold, whatever the resistance.
        current = p.omega * p.C_m / p.tau_m * (2 + 2 * random.standard_normal(4000))
        zeros = np.zeros((1, len(current)))
        exact = integrate([p], current[np.newaxis], zeros, zeros, DT).spike_steps[0]
        kind, b, taus = to_coefficients(p, 0.7)
        dead = -(-round(1e3 * p.refr_T) // round(1e3 * DT))
        found = free_run(kind, b, taus, drive_of(kind, b, taus, current, DT), DT, dead)
        np.testing.assert_array_equal(found + 1, exact)
        spikes += len(exact)
    assert spikes > 300


def test_a_free_run_of_the_model_with_reset_is_a_loop_over_its_steps():
    random = np.random.default_rng(6)
    current, b, taus = 150 + 200 * random.standard_normal(3000), np.array([-7.0, 0.06, 1.5]), TimeConstants(tau_m=9.0)
    drive = drive_of("lif", b, taus, current, DT)
    spikes: list[int] = []
    while True:  # each round adds the next spike
        eta = rates_by_steps("lif", current, set(spikes), taus, b)
        first = spikes[-1] + 5 if spikes else 0
        above = np.flatnonzero(eta[first:] >= -1.0)
        if not len(above) or len(spikes) == 30:
            break
        spikes.append(first + int(above[0]))
    found = free_run("lif", b, taus, drive, DT, 4, -1.0)
    assert len(spikes) == 30
    np.testing.assert_array_equal(found[:30], spikes)


def test_escape_noise_has_the_probability_of_the_likelihood():
    """The part of steps with a spike for a constant rate, 1 - exp(-dt rate), to four standard errors."""
    levels = escape_levels(200_000, DT, np.random.default_rng(2))
    for rate in (0.05, 1.0):
        probability = 1 - math.exp(-DT * rate)
        found = np.mean(math.log(rate) >= levels)
        assert found == pytest.approx(probability, abs=4 * math.sqrt(probability / len(levels)))


def gamma_by_loops(data, model, duration, delta):
    """Return Gamma as Kistler et al. (1997) write it."""
    hits = sum(any(abs(a - b) <= delta + 1e-9 for b in model) for a in data)
    rate = len(model) / duration
    by_chance = 2 * rate * delta * len(data)
    return (hits - by_chance) / (0.5 * (len(data) + len(model))) / (1 - 2 * rate * delta)


def test_gamma_of_a_worked_example():
    """Three of four spikes coincide with one of five, in 1000 ms within 2 ms: (3 - 0.08) / 4.5 / 0.98."""
    data, model = np.array([100.0, 200.0, 300.0, 400.0]), np.array([101.0, 202.0, 297.9, 399.0, 700.0])
    assert coincidence_factor(data, model, 1000.0, 2.0) == pytest.approx((3 - 0.08) / 4.5 / 0.98, rel=1e-12)


def test_gamma_is_that_of_loops_over_random_trains():
    random = np.random.default_rng(8)
    for _ in range(30):
        data, model = (np.sort(random.uniform(0, 2000, random.integers(1, 60))) for _ in range(2))
        delta = random.uniform(0.5, 6)
        expected = gamma_by_loops(data, model, 2000.0, delta)
        assert coincidence_factor(data, model, 2000.0, delta) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_gamma_is_one_for_equal_trains_and_zero_for_chance():
    random = np.random.default_rng(9)
    train = np.sort(random.uniform(0, 100_000, 1500))
    assert coincidence_factor(train, train, 100_000.0, 2.0) == pytest.approx(1.0)
    other = np.sort(random.uniform(0, 100_000, 1500))
    assert coincidence_factor(train, other, 100_000.0, 2.0) == pytest.approx(0.0, abs=0.03)
    assert coincidence_factor(np.empty(0), np.empty(0), 1000.0, 2.0) == 0.0


def test_a_window_at_which_chance_explains_coincidences_is_refused():
    train = np.arange(1.0, 1000.0, 4.0)  # 250 spikes/s: 2 f delta = 1 at 2 ms
    with pytest.raises(AmatError, match=r"2 f delta = 1, more than 0\.8.*Choose a window below 1\.6 ms"):
        coincidence_factor(train, train, 1000.0, 2.0)


def test_scores_are_means_over_repeats_and_pairs():
    random = np.random.default_rng(10)
    trains = [np.sort(random.uniform(0, 9000, 60)) for _ in range(3)]
    trains = [np.sort(np.concatenate([t, np.arange(50.0, 9000.0, 100.0)])) for t in trains]
    model = np.arange(51.0, 9000.0, 100.0)
    found = score([model], [trains], (0.0, 9000.0), 2.0, samples=300)
    assert found.gamma == pytest.approx(np.mean([gamma_by_loops(t, model, 9000.0, 2.0) for t in trains]))
    pairs = [gamma_by_loops(a, b, 9000.0, 2.0) for a in trains for b in trains if a is not b]
    assert found.gamma_int == pytest.approx(np.mean(pairs))
    assert found.ratio == pytest.approx(found.gamma / found.gamma_int)
    for value, (low, high) in (
        (found.gamma, found.gamma_interval),
        (found.gamma_int, found.gamma_int_interval),
        (found.ratio, found.ratio_interval),
    ):
        assert low < value < high
        assert high - low < 0.2


def test_an_unreliable_neuron_is_not_scored():
    random = np.random.default_rng(11)
    trains = [np.sort(random.uniform(0, 9000, 100)) for _ in range(3)]
    found = score([trains[0]], [trains], (0.0, 9000.0), 2.0, samples=50)
    assert not found.reliable
    assert math.isnan(found.ratio)
    alone = score([trains[0]], [trains[:1]], (0.0, 9000.0), 2.0, samples=50)
    assert alone.gamma == pytest.approx(1.0)
    assert math.isnan(alone.gamma_int)
    assert math.isnan(alone.ratio)


def test_coefficients_and_parameters_are_inverse(fitted):
    """A model with the coefficients of known parameters gives these back, at a stated resistance."""
    p = EXAMPLE.parameters
    _, b, taus = to_coefficients(p, EXAMPLE.Delta)
    model = dataclasses.replace(fitted, coefficients=b, taus=taus, refr_T=p.refr_T, level=0.0)
    scale = stated_scale(1e3 * p.tau_m / p.C_m, p.E_L)
    found = to_amat(model, scale)
    for name, value in p.to_nestml().items():
        assert found.to_nestml()[name] == pytest.approx(value, rel=1e-12), name
    twice = to_amat(model, stated_scale(2e3 * p.tau_m / p.C_m, p.E_L))
    assert twice.omega == pytest.approx(2 * p.omega)
    assert (twice.beta, twice.tau_v) == (pytest.approx(p.beta), p.tau_v)
    shifted = to_amat(dataclasses.replace(model, level=-2.0), scale)
    assert shifted.omega == pytest.approx(p.omega - 2 * EXAMPLE.Delta)


def test_the_fit_recovers_the_parameters_within_its_intervals(fitted, long_recording):
    """At least six of eight 95 % intervals contain the truth, of both kinds; errors are below a tenth."""
    p = EXAMPLE.parameters
    scale = stated_scale(1e3 * p.tau_m / p.C_m, p.E_L)
    truth = {**p.to_nestml(), "Delta": EXAMPLE.Delta, "omega_escape": p.omega}
    found = intervals(fitted, scale)
    del found["omega"]
    assert len(found) == 8
    for kind in ("hessian", "bootstrap"):
        inside = [getattr(entry, kind)[0] <= truth[name] <= getattr(entry, kind)[1] for name, entry in found.items()]
        assert sum(inside) >= 6, kind  # five or less have a probability of 0.006
    for name, entry in found.items():
        assert entry.value == pytest.approx(truth[name], rel=0.1), name
        assert entry.hessian[0] < entry.value < entry.hessian[1]


def test_the_scale_is_measured_in_the_membrane_potential(long_recording):
    p = EXAMPLE.parameters
    scale = measure_scale(long_recording)
    assert scale.source == "voltage"
    assert scale.resistance == pytest.approx(1e3 * p.tau_m / p.C_m, rel=0.03)
    assert scale.rest == pytest.approx(p.E_L, abs=0.2)
    assert scale.series_resistance == pytest.approx(10.0, rel=0.1)
    assert scale.tau_m == pytest.approx(p.tau_m, rel=0.1)  # the grid's spacing


def test_without_a_scale_nothing_is_guessed(long_recording):
    bare = NeuronRecording(long_recording.current, long_recording.spikes, DT)
    with pytest.raises(AmatError, match="state the membrane resistance in MOhm"):
        measure_scale(bare)
    with pytest.raises(AmatError, match="state the membrane resistance in MOhm"):
        fit_recording(bare)
    with pytest.raises(AmatError, match="membrane resistance must be positive, got -5 MOhm"):
        stated_scale(-5.0)


@pytest.mark.parametrize("delay", [-1.0, 0.0, 2.5])
def test_the_delay_is_estimated(long_recording, delay):
    shifted = [times[(times + delay > 0) & (times + delay <= 12_000.0)] + delay for times in long_recording.spikes]
    moved = NeuronRecording(long_recording.current, shifted, DT)
    assert estimate_delay(moved, (300.0, 12_000.0), REFR_T) == pytest.approx(delay, abs=DT)


def test_the_refractory_time_is_below_the_shortest_interval(recording):
    assert estimate_refractory_time(recording) == 2.0
    fast = NeuronRecording(recording.current, [np.arange(10.0, 500.0, 1.5)] * 2, DT)
    assert estimate_refractory_time(fast) == 1.0
    with pytest.raises(AmatError, match=r"an interval of 1\.5 ms .* shorter than the refractory time of 2 ms"):
        fit_model(fast, "mat", refr_T=2.0, delay=0.0)
    with pytest.raises(AmatError, match=r"at least the sampling interval of 0\.5 ms, got 0\.1 ms"):
        fit_model(fast, "mat", refr_T=0.1, delay=0.0)


def test_rescaled_intervals_of_the_true_model_are_uniform(fitted, long_recording):
    """The distance of the true model is in the band; that of one with a third of the rate is not."""
    _, b, taus = to_coefficients(EXAMPLE.parameters, EXAMPLE.Delta)
    true = dataclasses.replace(fitted, coefficients=b, taus=taus)
    window = (300.0, 12_000.0)
    found = rescale_time(true, long_recording, window)
    assert len(found.intervals) == sum(((t > 300) & (t <= 12_000)).sum() - 1 for t in long_recording.spikes)
    assert found.distance < found.band
    wrong = dataclasses.replace(true, coefficients=b - np.array([math.log(3), 0, 0, 0, 0]))
    assert rescale_time(wrong, long_recording, window).distance > found.band


def test_residuals_find_the_repeat_that_drifts(fitted, long_recording):
    """A repeat with a third of its spikes removed stands out; others are within four standard deviations."""
    spikes = list(long_recording.spikes)
    spikes[2] = np.delete(spikes[2], np.s_[::3])
    drifting = NeuronRecording(long_recording.current, spikes, DT)
    found = residuals_by_repeat(fitted, drifting, (300.0, 12_000.0))
    last = found.standardised[:, -1]
    assert last[2] < -4
    assert (np.abs(np.delete(last, 2)) < 4).all()


def test_bits_per_spike_are_gains_over_a_constant_rate(fitted, long_recording):
    window = (300.0, 9000.0)
    bits, (low, high) = bits_per_spike(fitted, long_recording, window)
    gain, spikes = gain_by_block(fitted, long_recording, window)
    assert bits == pytest.approx(gain.sum() / spikes.sum())
    assert low < bits < high
    assert bits > 2
    flat = dataclasses.replace(fitted, coefficients=np.array([-4.0, 0, 0, 0, 0]))
    assert bits_per_spike(flat, long_recording, window)[0] <= 0


def test_intervals_from_few_blocks_have_their_coverage():
    # Means of 20 blocks from a skewed distribution: plain percentiles cover about 0.91.
    random = np.random.default_rng(5)
    covered = []
    for _ in range(1000):
        blocks = random.gamma(4.0, 1.0, 20)
        low, high = percentile_interval(draw_blocks(20, 500, random) @ blocks / 20, 20)
        covered.append(low <= 4.0 <= high)
    assert 0.93 < np.mean(covered) < 0.965


def test_expanded_percentiles_of_a_normal_distribution_are_students():
    values = special.ndtri((np.arange(100_000) + 0.5) / 100_000)
    for blocks in (6, 20, 10_000):
        half = math.sqrt(blocks / (blocks - 1)) * special.stdtrit(blocks - 1, 0.975)
        assert percentile_interval(values, blocks) == pytest.approx((-half, half), rel=1e-3)
    assert percentile_interval(values, 10_000) == pytest.approx((-1.96, 1.96), rel=1e-3)
    assert np.isnan(percentile_interval(values, 1)).all()
    assert np.isnan(percentile_interval(np.full(5, np.nan), 20)).all()
    assert block_length((1000.0, 5000.0)) == 200.0
    assert block_length((0.0, 60_000.0)) == 1000.0


def test_models_are_compared_and_described(long_recording):
    result = fit_recording(long_recording, settings=FitSettings(grid=4, samples=100, delay=0.0))
    scores = {kind: found[0].ratio for kind, found in result.scores.items()}
    assert list(result.models) == list(KINDS)
    assert scores["amat"] > scores["lif"]
    assert result.models["ceiling"].log_likelihood >= result.amat.log_likelihood >= result.models["mat"].log_likelihood
    assert (result.training[1], result.test[1]) == (pytest.approx(8000.0), 12_000.0)
    described = describe(result)
    assert described["recording"]["sha256"] == long_recording.digest()
    assert [entry["delta_ms"] for entry in described["models"]["amat"]["gamma"]] == [2.0, 4.0]
    forms = parameters_by_convention(result)
    p = result.parameters
    assert {name: entry["value"] for name, entry in forms["nestml"].items()} == p.to_nestml()
    assert {name: entry["value"] for name, entry in forms["nest"].items()} == pytest.approx(p.to_nest())
    assert {name: entry["value"] for name, entry in forms["paper"].items()} == pytest.approx(p.to_paper())
    above, absolute = forms["nestml"]["omega"]["hessian"], forms["nest"]["omega"]["hessian"]
    assert absolute == pytest.approx([bound + p.E_L for bound in above])
    assert forms["nest"]["E_L"]["hessian"] is None


def test_several_currents_are_fitted_together():
    random = np.random.default_rng(3)
    parts = [sample_recording(EXAMPLE, duration=5000.0, dt=DT, repeats=1, seed=seed) for seed in (1, 2)]
    currents = [part.groups[0][0] for part in parts]
    spikes = [train for current in currents for train in sample_spikes(EXAMPLE, current, DT, 2, random)]
    both = NeuronRecording(np.repeat(currents, 2, axis=0), spikes, DT)
    assert [rows for _, rows in both.groups] == [[0, 1], [2, 3]]
    model = fit_model(both, "amat", refr_T=REFR_T, delay=0.0, free=(), taus=TimeConstants(15.0, 6.0))
    _, true, _ = to_coefficients(EXAMPLE.parameters, EXAMPLE.Delta)
    np.testing.assert_allclose(model.coefficients, true, rtol=0.2)


def test_noisy_records_of_one_current_are_averaged(recording):
    noise = np.random.default_rng(1).standard_normal((2, recording.steps))
    noisy = NeuronRecording(recording.groups[0][0] + 5 * noise, recording.spikes, DT)
    ((mean, rows),) = noisy.groups
    assert rows == [0, 1]
    np.testing.assert_allclose(mean, recording.groups[0][0] + 5 * noise.mean(axis=0))


def test_a_spike_is_in_the_step_at_whose_end_it_occurs():
    np.testing.assert_array_equal(bin_spikes(np.array([0.1, 0.2, 0.25, 0.30000000000000004]), 0.1), [0, 1, 2, 2])
    np.testing.assert_array_equal(bin_spikes(np.array([5.0]), 0.1, delay=1.0), [39])
