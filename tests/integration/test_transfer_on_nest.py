# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Transfer functions of simulated neurons, compared with known ones: relays, linear responses, slow limits."""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import pytest

from amat.analysis import transfer
from amat.analysis.rate_models import add_depths, find_working_points, local_rates, synthetic_modulation
from amat.analysis.rate_models.curves import curve_of
from amat.analysis.transfer import (
    Synapses,
    course_responses,
    fourier_coefficients,
    frequency_grid,
    modulated_responses,
    stationary_curves,
    subthreshold_responses,
)
from amat.analysis.transfer.inputs import ModulatedInput
from amat.analysis.transfer.runs import simulate_inputs
from amat.analysis.working_points import Plan
from amat.analysis.working_points.points import measure_point
from amat.analysis.working_points.responses import measure_responses
from amat.neurons import IzhikevichParameters, find_neuron, validated_patterns

pytestmark = pytest.mark.slow


def _relay(pattern):
    """Return a neuron with a pattern's time step that spikes once for each spike that it receives.

    An EPSP of 300 mV carries it beyond its peak at once, and the reset brings it back to its equilibrium.
    """
    neuron, quiet = find_neuron(pattern, "izhikevich"), IzhikevichParameters(a=0.0, b=0.2, c=-70.0, d=0.0)
    initial = {"V_m": -70.0, "U_m": -14.0}
    return dataclasses.replace(neuron, parameters=quiet, initial=initial, rest_current=0.0, holding_current=0.0)


@pytest.fixture
def relayed(monkeypatch):
    """Make the spikes of all inputs strong, without inhibition."""
    strong = partial(transfer.balanced_synapses, epsp=300.0)
    monkeypatch.setattr(transfer.responses, "balanced_synapses", lambda neuron, **_: strong(neuron, balance=0.0))


def _points(neuron, rate, depth):
    return pd.DataFrame(
        {"model": [neuron.model], "pattern": [neuron.pattern], "input_rate_per_s": [rate], "depth": [depth]}
    )


@pytest.mark.parametrize("pattern", ["depolarizing_after_potential", "tonic_spiking", "accommodation"])
def test_a_relay_has_gain_one_and_phase_zero(relayed, pattern):
    """The output is the Poisson process of the input at all frequencies, with steps of 0.1, 0.25 and 0.5 ms."""
    neuron = _relay(pattern)
    found = modulated_responses(
        [neuron], _points(neuron, 40.0, 0.8), [0.5, 20.0, 500.0], kinds=["poisson"], n_trials=40, warm_up=100.0
    )
    # Two spikes in one step are relayed as one.
    lost = 1e-3 * 40.0 * neuron.resolution / 2
    np.testing.assert_allclose(found["rate_per_s"], 40.0 * (1 - lost), rtol=0.04)
    error = np.hypot(found["real"] - 1, found["imag"]) / found["sem"]
    assert (error < 4.0).all()
    assert (found["sem"] < 0.04).all()
    # A Poisson process has as much variance as mean, and a coherence that follows from rate and depth.
    power = (0.8 * 40.0) ** 2
    np.testing.assert_allclose(found["coherence"], power / (power + 4 * 40.0 / 2.0), rtol=0.05)
    np.testing.assert_allclose(found["dispersion"], 1.0, atol=0.8)


def test_a_relay_reports_its_input_rate(relayed):
    neuron = _relay("tonic_spiking")
    found = stationary_curves([neuron], [[5.0, 50.0, 200.0]], n_trials=10, duration=5000.0)
    expected = 1e3 * (1 - np.exp(-1e-3 * found["input_rate_per_s"] * 0.25)) / 0.25
    assert (np.abs(found["rate_per_s"] - expected) < 4 * np.sqrt(expected / 50.0)).all()


def test_a_relay_follows_synthetic_input(relayed):
    neuron = _relay("tonic_spiking")
    course = synthetic_modulation(4000.0, seed=2)
    found = course_responses([neuron], _points(neuron, 100.0, 0.4), course, n_trials=100, warm_up=200.0)
    rate = 100.0 * np.maximum(0.0, 1 + 0.4 * course).reshape(-1, 5).mean(axis=1)
    mean = 0.5 * (found["first_per_s"] + found["second_per_s"]).to_numpy()
    assert len(found) == 800
    assert mean.mean() == pytest.approx(rate.mean(), rel=0.03)
    # Poisson noise of 100 trials in bins of 5 ms; a course that is one bin off would leave more.
    noise = np.mean(rate) / (100 * 5e-3)
    assert np.mean((mean - rate) ** 2) == pytest.approx(noise, rel=0.25)
    assert np.mean((mean - np.roll(rate, 1)) ** 2) > 1.25 * noise


@pytest.mark.parametrize("as_course", [False, True])
def test_inhibition_falls_where_the_modulation_is_positive(as_course):
    """A relay of the inhibitory train: a depth of 0.4 of the excitatory drive is 0.8 of half as much inhibition."""
    neuron, trials, rate = _relay("tonic_spiking"), 40, 40.0
    synapses = Synapses(weight_exc=0.0, weight_inh=300.0, inhibition=0.5, mean_exc=0.0, balance=0.5)
    course = 0.4 * np.cos(2e-3 * np.pi * 5.0 * (np.arange(4202) - 200 + 0.5)) if as_course else None
    condition = ModulatedInput(2 * rate, 2 * rate, 5.0, 0.4, "inhibition", course)

    def analyse(run):
        found, counts = fourier_coefficients(
            run.senders, run.times - run.lags[run.senders], run.frequencies, 2, start=200.0
        )
        return np.stack([found, counts], axis=-1)

    z, counts = np.moveaxis(
        simulate_inputs([neuron], [synapses], [[condition]], trials, 4201.0, 1, analyse)[0][0], -1, 0
    )
    assert counts.real.mean() / 2.0 == pytest.approx(rate, rel=0.04)
    # The standard error of each component of the relative modulation is (2 / (n T r))^1/2.
    error = np.sqrt(2 / (2 * trials * 2.0 * rate))
    assert abs(z.mean() / (counts.real.mean() / 2.0) + 0.8) < 4 * np.sqrt(2) * error


def test_subthreshold_response_is_the_exact_one():
    by_beta = {pattern.parameters.beta: pattern.neuron() for pattern in validated_patterns().values()}
    found = subthreshold_responses(list(by_beta.values()), frequency_grid(0.5, 500.0, 9))
    assert len(by_beta) > 5
    slow = found["frequency_Hz"] <= 80.0
    gain = found["gain"] / found["exact_gain"] - 1
    turn = (found["phase_deg"] - found["exact_phase_deg"] + 180) % 360 - 180
    assert gain[slow].abs().max() < 3e-4
    assert turn[slow].abs().max() < 0.05
    # Above, the staircase of current is no longer a sinusoid.
    assert gain.abs().max() < 0.01
    assert turn.abs().max() < 0.5


@pytest.fixture(scope="module")
def neuron():
    return find_neuron("integrator", "amat")


@pytest.fixture(scope="module")
def curve(neuron):
    rates = np.concatenate([np.geomspace(500.0, 8000.0, 7), [1600.0, 1900.0, 2200.0, 2600.0]])
    return stationary_curves([neuron], [rates], n_trials=12, duration=5000.0, warm_up=300.0)


def test_slow_modulation_follows_the_stationary_curve(neuron, curve):
    """Gain at 0.5 Hz is the logarithmic slope of the curve, with trains and with currents, and the phase is zero."""
    points = find_working_points(curve)
    local = stationary_curves(
        [neuron],
        local_rates(points, 9),
        held=points["input_rate_per_s"],
        n_trials=12,
        duration=8000.0,
        warm_up=300.0,
    )
    points = add_depths(points, local)
    found = modulated_responses([neuron], points, [0.5], n_trials=24, n_windows=2, warm_up=300.0).set_index("input")
    # A current has the mean effect of the trains, without their fluctuations, and slightly less gain.
    for kind, tolerance in (("poisson", 0.15), ("current", 0.3)):
        assert found.loc[kind, "gain"] == pytest.approx(points["slope"][0], rel=tolerance)
        assert abs(found.loc[kind, "phase_deg"]) < 10.0
    assert found.loc["poisson", "rate_per_s"] == pytest.approx(10.0, rel=0.15)


def test_inhibition_lowers_the_rate(neuron, curve):
    rates = [[2000.0]]
    by_balance = [
        stationary_curves([neuron], rates, balance=balance, warm_up=300.0)["rate_per_s"][0] for balance in (0.0, 0.5)
    ]
    assert by_balance[0] > by_balance[1] > float(curve_of(curve, "amat", "integrator")(2000.0))


def test_results_depend_on_the_seed(neuron):
    runs = [
        stationary_curves([neuron], [[3000.0]], duration=1000.0, warm_up=100.0, seed=seed)["rate_per_s"][0]
        for seed in (4, 4, 5)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_escaped_neurons_are_counted():
    """Izhikevich's inhibition-induced neurons have an unstable equilibrium, which strong input makes them leave."""
    neuron = find_neuron("inhibition_induced_bursting", "izhikevich")
    found = stationary_curves([neuron], [[300.0, 80000.0]], duration=2000.0, warm_up=300.0)
    assert found["lost"].tolist() == [0, 4]
    assert np.isnan(found["rate_per_s"][1])


def test_larger_psps_need_less_drive_and_make_firing_irregular():
    """Larger steps of the potential fluctuate more, so that the mean drive at the same rate is smaller."""
    neuron, drives, cvs = find_neuron("tonic_spiking", "izhikevich"), [], []
    for epsp in (0.5, 8.0):
        lengths = {"frequencies": (10.0,), "synthetic_duration": 2000.0}
        plan = Plan((10.0,), (0.8,), (1.0,), inhibition=False, epsp=epsp, **lengths)
        point = measure_point([neuron], plan, 0.8, 10.0, 1)
        found = measure_responses([neuron], plan, 0.8, point, 0, 10)
        assert found["stationary"][0] == pytest.approx(10.0, rel=0.3)
        drives.append(epsp * point["input_rate"][0])
        cvs.append(found["cv"][0])
    assert drives[1] < drives[0]
    assert cvs[1] > 1.3 * cvs[0]
