# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Input and estimation of transfer functions on made-up trains, without NEST."""

import math

import numpy as np
import pandas as pd
import pytest

from amat.analysis import transfer
from amat.analysis.transfer import (
    balanced_synapses,
    course_responses,
    distance_gain,
    estimate,
    fourier_coefficients,
    frequency_grid,
    modulated_responses,
    require_frequencies,
    stationary_curves,
    subthreshold_responses,
)
from amat.errors import AmatError
from amat.neurons import find_neuron

AMAT = find_neuron("tonic_spiking", "amat")
IZHIKEVICH = find_neuron("tonic_spiking", "izhikevich")
WINDOW = 2000.0


@pytest.fixture
def no_simulation(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a simulation began")

    monkeypatch.setattr(transfer.runs, "Simulation", refuse)


def _points(neurons, rate=1000.0, depth=0.2):
    return pd.DataFrame(
        {
            "model": [neuron.model for neuron in neurons],
            "pattern": [neuron.pattern for neuron in neurons],
            "input_rate_per_s": rate,
            "depth": depth,
        }
    )


class TestSynapses:
    @pytest.mark.parametrize(("weight", "tau"), [("weight_exc", "tau_syn_exc"), ("weight_inh", "tau_syn_inh")])
    def test_peak_of_a_postsynaptic_potential(self, weight, tau):
        """The reference is Euler's method with steps of 1 us."""
        cell, synapses = AMAT.parameters, balanced_synapses(AMAT, epsp=0.3)
        current, potential, peak = getattr(synapses, weight), 0.0, 0.0
        for _ in range(20000):
            potential += 1e-3 * (-potential / cell.tau_m + current / cell.C_m)
            current -= 1e-3 * current / getattr(cell, tau)
            peak = max(peak, abs(potential))
        assert peak == pytest.approx(0.3, rel=1e-3)
        assert math.copysign(1.0, getattr(synapses, weight)) == (1.0 if weight == "weight_exc" else -1.0)

    @pytest.mark.parametrize("neuron", [AMAT, IZHIKEVICH])
    @pytest.mark.parametrize("balance", [0.0, 0.5, 0.9])
    def test_balance_is_that_of_the_mean_drives(self, neuron, balance):
        synapses = balanced_synapses(neuron, balance=balance)
        times = (1.0, 3.0) if neuron.model == "amat" else (1.0, 1.0)
        inhibition = -synapses.weight_inh * times[1] * synapses.inhibition
        assert inhibition == pytest.approx(balance * synapses.weight_exc * times[0])
        assert synapses.mean_exc == pytest.approx(1e-3 * synapses.weight_exc * times[0])

    @pytest.mark.parametrize("arguments", [{"balance": 1.0}, {"balance": -0.1}, {"epsp": 0.0}, {"epsp": math.nan}])
    def test_bad_arguments(self, arguments):
        with pytest.raises(AmatError, match="got"):
            balanced_synapses(AMAT, **arguments)


class TestFrequencies:
    def test_grid_has_whole_cycles(self):
        grid = frequency_grid(0.5, 500.0, 30)
        assert grid[0] == 0.5
        assert grid[-1] == 500.0
        assert (np.diff(grid) > 0).all()
        np.testing.assert_array_equal(grid * 2, np.rint(grid * 2))
        high = grid[grid > 20]
        np.testing.assert_allclose(np.diff(np.log(high)), math.log(1000) / 29, rtol=0.1)

    @pytest.mark.parametrize("bad", [(5.0, 5.0), (10.0, 1.0), (0.0, 5.0), (-1.0, 5.0), (1.0, math.inf)])
    def test_empty_or_reversed_range(self, bad):
        with pytest.raises(AmatError, match=f"got {bad[0]:g} and {bad[1]:g} Hz"):
            frequency_grid(*bad, 10)

    def test_other_bad_grids(self):
        with pytest.raises(AmatError, match="got 1"):
            frequency_grid(1.0, 5.0, 1)
        with pytest.raises(AmatError, match=r"at least 0\.5 Hz.*got 0\.2 Hz"):
            frequency_grid(0.2, 5.0, 10)

    def test_limit_of_the_time_step(self):
        neurons = [AMAT, find_neuron("accommodation", "izhikevich")]
        assert require_frequencies([500.0], neurons, WINDOW) == [500.0]
        with pytest.raises(
            AmatError, match=r"501 Hz is above 500 Hz.*accommodation of izhikevich.*0\.5 ms: choose lower"
        ):
            require_frequencies([1.0, 501.0], neurons, WINDOW)
        with pytest.raises(AmatError, match=r"multiples of 0\.5 Hz.*got 0\.7 Hz"):
            require_frequencies([0.7], neurons, WINDOW)
        with pytest.raises(AmatError, match="No frequency"):
            require_frequencies([], neurons, WINDOW)


def _modulated_trains(random, rate, gain, phase, frequency, count, windows):
    """Return Poisson trains with a rate that follows a cosine, by thinning."""
    duration = WINDOW * windows
    number = random.poisson(2e-3 * rate * duration, count)
    senders, times = np.repeat(np.arange(count), number), random.uniform(0.0, duration, number.sum())
    kept = random.uniform(0, 2, len(times)) < 1 + gain * np.cos(2e-3 * np.pi * frequency * times + phase)
    return senders[kept], times[kept]


class TestEstimates:
    def test_regular_train_locked_to_the_input(self):
        """One spike per cycle, a quarter of a cycle late: relative modulation 2, phase -90 degrees."""
        times = np.arange(200) * 10.0 + 2.5
        coefficients, counts = fourier_coefficients(np.zeros(200, int), times, np.array([100.0]), 1, start=0.0)
        assert counts.tolist() == [[200]]
        assert abs(coefficients[0, 0]) == pytest.approx(200.0)
        assert np.angle(coefficients[0, 0], deg=True) == pytest.approx(-90.0)

    def test_regular_train_that_is_not_locked(self):
        coefficients, _ = fourier_coefficients(
            np.zeros(200, int), np.arange(1, 201) * 10.0, np.array([37.0]), 1, start=0.0
        )
        assert abs(coefficients[0, 0]) < 1e-9

    def test_a_spike_at_the_edge_belongs_to_the_window_that_it_ends(self):
        times = np.array([10.0, 2010.0, 2010.1, 4010.0, 4010.1])
        _, counts = fourier_coefficients(np.zeros(5, int), times, np.array([1.0]), 2, start=10.0)
        assert counts.tolist() == [[1, 2]]

    def test_gain_phase_and_coverage_of_the_intervals(self):
        """About 95 % of the intervals of 200 experiments contain the known response."""
        random = np.random.default_rng(1)
        rate, gain, phase, frequency, trials = 20.0, 1.5, -1.0, 8.0, 6
        senders, times = _modulated_trains(random, rate, 0.3 * gain, phase, frequency, 200 * trials, 2)
        z, counts = fourier_coefficients(senders, times, np.full(200 * trials, frequency), 2, start=0.0)
        shape = (200, trials, 2)
        found = estimate(z.reshape(shape), counts.reshape(shape), np.full(200, 0.3))
        assert found["rate_per_s"].mean() == pytest.approx(rate, rel=0.02)
        assert found["real"].mean() == pytest.approx(gain * math.cos(phase), abs=0.03)
        assert found["imag"].mean() == pytest.approx(gain * math.sin(phase), abs=0.03)
        assert (found["gain"] ** 2).mean() == pytest.approx(gain**2, rel=0.03)
        # Each component of one trial's coefficient has the variance of two windows of a Poisson train.
        expected = math.sqrt(2 * rate / 4.0 / trials) / (0.3 * rate)
        assert found["sem"].mean() == pytest.approx(expected, rel=0.06)
        # In one window: power of the response over that of response and noise.
        power = (0.3 * gain * rate) ** 2
        assert found["coherence"].mean() == pytest.approx(power / (power + 4 * rate / 2.0), rel=0.05)
        for name, value in (("gain", gain), ("phase", math.degrees(phase))):
            covered = (found[f"{name}_low"] <= value) & (value <= found[f"{name}_high"])
            assert 0.90 <= covered.mean() <= 0.99, name
        assert found["dispersion"].mean() == pytest.approx(1.0, rel=0.1)

    def test_no_response_has_no_gain_and_no_coherence(self):
        random = np.random.default_rng(2)
        senders, times = _modulated_trains(random, 20.0, 0.0, 0.0, 8.0, 600, 1)
        z, counts = fourier_coefficients(senders, times, np.full(600, 8.0), 1, start=0.0)
        found = estimate(z.reshape(100, 6, 1), counts.reshape(100, 6, 1), np.full(100, 0.3))
        assert (found["gain_low"] == 0).mean() > 0.9
        assert (found["coherence_low"] == 0).mean() > 0.9
        assert found["gain"].median() < 0.5 * found["sem"].mean() * math.sqrt(12)

    def test_lost_trials_are_omitted(self):
        z = np.full((2, 4, 1), 3.0 + 0.0j)
        z[:, :, 0] += [0.1, -0.1, 0.1, -0.1]
        counts = np.full((2, 4, 1), 20)
        z[0, 0] = np.nan
        z[1, :3] = np.nan
        found = estimate(z, counts, [0.3, 0.3])
        assert found["trials"].tolist() == [3, 1]
        assert found["rate_per_s"][0] == 10.0
        assert found["real"][0] == pytest.approx((3.0 - 0.1 / 3) / 3.0)
        assert found.drop(columns="trials").iloc[1].isna().all()

    def test_silence_has_a_rate_and_no_gain(self):
        found = estimate(np.zeros((1, 3, 1), complex), np.zeros((1, 3, 1)), [0.3])
        assert found["rate_per_s"][0] == 0.0
        assert found["gain"].isna().all()

    def test_one_trial_is_refused(self):
        with pytest.raises(AmatError, match="got 1"):
            estimate(np.ones((1, 1, 1), complex), np.ones((1, 1, 1)), [0.3])


def test_distance_gain_at_its_limits():
    cell = AMAT.parameters.replace(beta=0.7)
    slow, fast = distance_gain(cell, [1e-6, 1e6])
    assert slow == pytest.approx(cell.tau_m / cell.C_m)
    assert abs(fast) < 1e-4 * abs(slow)


@pytest.mark.usefixtures("no_simulation")
class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_trials": 1}, "number of trials must be at least 2, got 1"),
            ({"duration": 0.0}, "duration.*got 0, "),
            ({"duration": math.nan}, "duration.*got nan, "),
            ({"seed": 0}, "seed.*got 0"),
            ({"balance": 1.5}, r"balance.*got 1\.5"),
        ],
    )
    def test_stationary(self, arguments, message):
        with pytest.raises(AmatError, match=message):
            stationary_curves([AMAT], [[100.0]], **arguments)

    @pytest.mark.parametrize("rates", [[0.0], [-5.0], [math.inf]])
    def test_stationary_rates(self, rates):
        with pytest.raises(AmatError, match="must be positive"):
            stationary_curves([AMAT], [rates])

    def test_stationary_neurons(self):
        with pytest.raises(AmatError, match="number of input rates must be at least 1, got 0"):
            stationary_curves([AMAT], [[]])
        with pytest.raises(AmatError, match=r"2 neurons.*got those of 1"):
            stationary_curves([AMAT, IZHIKEVICH], [[100.0]])
        with pytest.raises(AmatError, match="No neuron"):
            stationary_curves([], [])
        with pytest.raises(AmatError, match="neurons needs a balanced rate"):
            stationary_curves([AMAT], [[100.0]], held=[100.0, 200.0])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"seeds": ()}, "Seeds"),
            ({"seeds": (3, 3)}, r"Seeds.*\[3, 3\]"),
            ({"kinds": ()}, "Nothing is modulated"),
            ({"depth_factors": (6.0,)}, r"depth.*got 1\.2"),
            ({"n_trials": 1}, "number of trials must be at least 2, got 1"),
        ],
    )
    def test_modulated(self, arguments, message):
        with pytest.raises(AmatError, match=message):
            modulated_responses([AMAT], _points([AMAT]), [10.0], **arguments)

    def test_frequency_above_the_limit(self):
        with pytest.raises(AmatError, match="3000 Hz is above 2500 Hz"):
            modulated_responses([AMAT], _points([AMAT]), [3000.0])

    def test_working_points(self):
        with pytest.raises(AmatError, match="working points"):
            modulated_responses([AMAT], _points([IZHIKEVICH]), [10.0])
        with pytest.raises(AmatError, match="positive input rate"):
            modulated_responses([AMAT], _points([AMAT], rate=math.nan), [10.0])

    def test_course(self):
        with pytest.raises(AmatError, match="got 3"):
            course_responses([AMAT], _points([AMAT]), np.zeros(1000), n_trials=3)

    def test_subthreshold(self):
        with pytest.raises(AmatError, match="give AMAT neurons"):
            subthreshold_responses([IZHIKEVICH], [10.0])
        with pytest.raises(AmatError, match="give AMAT neurons"):
            subthreshold_responses([], [10.0])
