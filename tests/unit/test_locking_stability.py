# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Index of n:m locking on made-up trains; Floquet multipliers and Lyapunov exponents against finite differences."""

import math

import numpy as np
import pytest

from amat.analysis.excitability import steady_interval
from amat.analysis.locking import DrivenNeuron, simulate_driven
from amat.analysis.locking import theory as locking_theory
from amat.analysis.locking.exponents import DisturbedNeurons, izhikevich_exponents
from amat.analysis.locking.measures import vector_strength
from amat.analysis.locking.phase_index import locking_index, null_indices, strongest_pattern
from amat.analysis.locking.sections import measure_exponents, with_beta
from amat.analysis.locking.stability import FiringMap, floquet_multipliers, lyapunov_exponent
from amat.errors import AmatError
from amat.neurons import find_neuron, validated_patterns

FREQUENCY = 20.0
PERIOD = 50.0
CLASS_1, CLASS_2 = (validated_patterns()[name].parameters for name in ("class_1", "class_2"))
CURRENT = 300.0  # pA, three times that of the onset: the intrinsic rate of class 1 is 18.9 spikes/s


def pattern(phases, m, patterns=200, jitter=0.0):
    """Return a train that repeats spikes at some phases, in cycles, every m cycles, moved at random by `jitter`."""
    train = np.add.outer(m * np.arange(patterns), phases).ravel() * PERIOD
    return np.sort(train + np.random.default_rng(3).normal(0.0, jitter, len(train)))


#: Phases of the spikes of patterns, with even and uneven intervals, and m.
PATTERNS = {
    (1, 1): ([0.3], 1),
    (2, 1): ([0.1, 0.35], 1),
    (3, 2): ([0.0, 0.9, 1.2], 2),
    (1, 3): ([0.7], 3),
    (2, 3): ([0.1, 1.4], 3),
}


class TestIndex:
    @pytest.mark.parametrize(("n", "m"), PATTERNS)
    def test_it_is_one_for_every_locked_train_and_the_pattern_is_found(self, n, m):
        train = pattern(*PATTERNS[n, m])
        assert locking_index(train, FREQUENCY, n, m) == pytest.approx(1.0, abs=1e-12)
        assert strongest_pattern(train, FREQUENCY)[:2] == (n, m)

    def test_vector_strength_is_less_on_a_locked_train(self):
        """With two spikes a quarter of a cycle apart it is cos(pi / 4), and 0 if they are half a cycle apart."""
        assert vector_strength(pattern([0.1, 0.35], 1), FREQUENCY)[0] == pytest.approx(math.sqrt(0.5))
        even = pattern([0.1, 0.6], 1)
        assert vector_strength(even, FREQUENCY)[0] < 1e-9
        assert locking_index(even, FREQUENCY, 2, 1) == pytest.approx(1.0)

    def test_another_pattern_has_a_small_index(self):
        """One spike a cycle is half of the pattern 2:1: its phase alternates. Two are a multiple of 1:1."""
        assert locking_index(pattern([0.3], 1), FREQUENCY, 2, 1) < 0.01
        assert locking_index(pattern([0.1, 0.4], 1), FREQUENCY, 1, 1) == pytest.approx(1.0)
        assert locking_index(pattern([0.7], 3), FREQUENCY, 1, 2) < 0.05

    def test_trains_without_relation_to_the_stimulus(self):
        golden = np.arange(0.0, 400.0, (math.sqrt(5.0) - 1.0) / 2.0) * PERIOD
        assert strongest_pattern(golden, FREQUENCY)[2] < 0.15
        poisson = np.cumsum(np.random.default_rng(1).exponential(PERIOD, 3000))
        assert strongest_pattern(poisson, FREQUENCY)[2] < 0.1

    @pytest.mark.parametrize(("n", "m"), PATTERNS)
    def test_surrogates_of_a_train_that_is_locked_in_noise_are_near_zero(self, n, m):
        """Jitter of 4 % of the pattern leaves the index near 1; shuffled intervals are a random walk."""
        phases, m = PATTERNS[n, m]
        train = pattern(phases, m, patterns=1500, jitter=0.04 * m * PERIOD)
        null = null_indices(train, FREQUENCY, surrogates=10)
        assert strongest_pattern(train, FREQUENCY)[2] > 0.93
        assert null.mean() < 0.2
        assert null.max() < 0.4

    def test_equal_intervals_have_no_null(self):
        assert null_indices(pattern([0.3], 1), FREQUENCY, surrogates=3) == pytest.approx(1.0)

    def test_short_trains_and_refusals(self):
        assert np.isnan(locking_index([], FREQUENCY, 1, 1))
        assert np.isnan(locking_index(pattern([0.3], 1, patterns=5), FREQUENCY, 1, 1))
        assert strongest_pattern([1.0], FREQUENCY)[:2] == (0, 0)
        assert np.isnan(null_indices([1.0], FREQUENCY, surrogates=2)).all()
        with pytest.raises(AmatError, match="got 0 Hz"):
            locking_index([1.0, 2.0], 0.0, 1, 1)
        with pytest.raises(AmatError, match="got 0"):
            locking_index([1.0, 2.0], FREQUENCY, 0, 1)


def moved(firing, start, spikes):
    """Return the state (time, a_1, a_2) some spikes after another one."""
    time, threshold = float(start[0]), np.array(start[1:])
    for _ in range(spikes):
        time, threshold = firing.next_spike(time, threshold)
    return np.array([time, *threshold])


def differences(firing, start, spikes, size=1e-6):
    """Return central differences of the simulated map over some spikes, shape (3, 3)."""
    steps = size * np.eye(3)
    return np.stack(
        [(moved(firing, start + s, spikes) - moved(firing, start - s, spikes)) / (2 * size) for s in steps], axis=1
    )


class TestFloquet:
    @pytest.mark.parametrize("beta", [-0.5, 0.0, 0.5])
    @pytest.mark.parametrize(
        ("ratio", "amplitude", "n", "m"), [(1.1, 90.0, 1, 1), (2.2, 150.0, 1, 2), (0.5, 120.0, 2, 1)]
    )
    def test_multipliers_are_those_of_the_simulated_map(self, beta, ratio, amplitude, n, m):
        firing = FiringMap(CLASS_1.replace(beta=beta), CURRENT, ratio * 18.9, amplitude)
        times, thresholds = firing.follow(400)
        cycles = (times[-1] - times[-1 - n]) * 1e-3 * firing.frequency
        if abs(cycles - m) > 1e-6:
            with pytest.raises(AmatError, match=f"not locked {n}:{m}"):
                floquet_multipliers(firing, n, m)
            return
        found = floquet_multipliers(firing, n, m)
        start = np.array([times[-1], *thresholds[-1]])
        expected = np.linalg.eigvals(differences(firing, start, n))
        assert np.abs(found).tolist() == pytest.approx(sorted(np.abs(expected), reverse=True), abs=1e-6)
        assert abs(found[0]) < 1.0
        assert abs(found[2]) < 1e-9  # a spike is on the threshold
        exponent = 1e3 * math.log(abs(found[0])) / (times[-1] - times[-1 - n])
        assert lyapunov_exponent(firing, spikes=800, warm_up=400) == pytest.approx(exponent, rel=0.02)

    def test_most_of_those_points_are_locked(self):
        locked = [
            locking_theory.is_locked(CLASS_1.replace(beta=beta), CURRENT, 1.1 * 18.9, 90.0)[0] for beta in (0.0, 0.5)
        ]
        assert locked == [True, True]

    @pytest.mark.parametrize("beta", [-0.5, 0.5])
    def test_the_multiplier_is_one_at_the_edge_of_the_tongue(self, beta):
        """Class 2 slightly above the saddle-node: 1 - multiplier grows as the square root of the distance from it."""
        cell = CLASS_2.replace(beta=beta)
        frequency = 1.1e3 / steady_interval(cell, 150.0)
        edge = float(locking_theory.edge_amplitude(cell, 150.0, frequency))
        gaps = []
        for distance in (1e-4, 4e-4):
            firing = FiringMap(cell, 150.0, frequency, edge * (1 + distance))
            gaps.append(1.0 - abs(floquet_multipliers(firing, 1, 1, warm_up=2000)[0]))
        assert 0.0 < gaps[0] < gaps[1] < 0.2
        assert gaps[1] / gaps[0] == pytest.approx(2.0, rel=0.1)

    def test_the_derivative_holds_for_bursts_at_the_dead_time(self):
        firing = FiringMap(validated_patterns()["tonic_bursting"].parameters, 167.0, 30.0, 60.0)
        times, thresholds = firing.follow(60)
        waits = np.diff(times)
        assert (waits < 2.0 + 1e-9).any()
        assert (waits > 2.1).any()
        for number in range(20, 50):
            start = np.array([times[number], *thresholds[number]])
            found = firing.derivative(times[number], thresholds[number], times[number + 1])
            np.testing.assert_allclose(found, differences(firing, start, 1, 1e-7), atol=1e-4)

    def test_without_a_rhythm_a_shift_in_time_is_neutral(self):
        assert lyapunov_exponent(FiringMap(CLASS_1, CURRENT, 20.0, 0.0)) == pytest.approx(0.0, abs=1e-9)

    def test_silence_is_refused(self):
        with pytest.raises(AmatError, match="silent at 20 Hz and 5 pA"):
            FiringMap(CLASS_1, 50.0, 20.0, 5.0).follow(3)
        with pytest.raises(AmatError, match="got -1 Hz"):
            FiringMap(CLASS_1, 50.0, -1.0, 5.0)


class TestIzhikevich:
    cell = find_neuron("class_2", "izhikevich")

    def disturbed(self, duration, disturbance=(0.0, 0.0)):
        V, u = self.cell.initial["V_m"], self.cell.initial["U_m"]
        state = np.array([[V + disturbance[0]], [u + disturbance[1]], [1.0], [0.0]])
        neurons = DisturbedNeurons(self.cell.parameters, 0.7, np.array([44.0]), np.array([0.36]), state, np.zeros(1))
        for _ in range(round(duration / 0.05)):
            neurons.advance(0.05)
        return neurons

    @pytest.mark.parametrize("duration", [8.0, 60.0])
    def test_the_disturbance_is_that_of_two_simulations(self, duration):
        """After none and after some spikes, whose times the disturbance moves."""
        found, size = self.disturbed(duration), 1e-6
        above, below = (self.disturbed(duration, (sign * size, 0.0)) for sign in (1, -1))
        assert above.spikes == below.spikes == found.spikes
        assert (found.spikes[0] == 0) == (duration == 8.0)
        expected = (above.state[:2] - below.state[:2]) / (2 * size)
        np.testing.assert_allclose(found.state[2:], expected, rtol=2e-3)

    def test_exponents_of_a_plateau_and_without_a_rhythm(self):
        """Locked trains contract; a neuron that fires by itself keeps a shift in time."""
        options = {"initial": (self.cell.initial["V_m"], self.cell.initial["U_m"]), "warm_up": 200.0}
        exponents, rates = izhikevich_exponents(
            self.cell.parameters, 0.7, [44.0, 44.0], [0.36, 0.0], duration=400.0, **options
        )
        assert rates[0] == pytest.approx(44.0, abs=2.5)
        assert exponents[0] < -20.0
        assert abs(exponents[1]) < 5.0  # 1/s over 0.4 s, in which the speed of the state itself varies
        with pytest.raises(AmatError, match="got 2 and 1"):
            izhikevich_exponents(self.cell.parameters, 0.7, [1.0, 2.0], [0.1], duration=400.0, **options)
        with pytest.raises(AmatError, match="got 0 ms"):
            izhikevich_exponents(self.cell.parameters, 0.7, [1.0], [0.1], duration=0.0, **options)


def test_sections_and_refusals():
    neuron = DrivenNeuron(find_neuron("class_1", "amat"), onset=100.0, level=3.0, rate=18.9)
    other = with_beta(neuron, -0.5)
    assert (other.cell.parameters.beta, other.current, other.rate) == (-0.5, neuron.current, neuron.rate)
    table = measure_exponents(other, [1.1, 1.2], 0.3, intervals=40)
    assert table["exponent"].tolist() == pytest.approx(
        [
            lyapunov_exponent(FiringMap(other.cell.parameters, 300.0, f * 18.9, 90.0), spikes=40, warm_up=20) / 18.9
            for f in (1.1, 1.2)
        ]
    )
    with pytest.raises(AmatError, match="Only AMAT has a beta, got a neuron of izhikevich"):
        with_beta(DrivenNeuron(find_neuron("class_1", "izhikevich"), 1.0, 3.0, 20.0), 0.5)
    with pytest.raises(AmatError, match=r"two or more cycles .* got 1"):
        simulate_driven(neuron, [20.0], [1.0], 100.0, carrier=1)
