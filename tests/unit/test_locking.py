# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measures of locking on made-up trains and on oscillators with known tongues, and AMAT's exact tongues."""

import math
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

from amat.analysis import locking
from amat.analysis.excitability import steady_interval
from amat.analysis.locking import DrivenNeuron, map_tongues, measure_cycles, simulate_driven
from amat.analysis.locking import noise as locking_noise
from amat.analysis.locking import theory as locking_theory
from amat.analysis.locking.measures import (
    cycle_window,
    find_locking,
    interval,
    rayleigh_p,
    reliability,
    vector_strength,
)
from amat.analysis.locking.noise import calibrate_noise, measure_reliability, measure_sensitivity, repeat_frequencies
from amat.errors import AmatError
from amat.neurons import AmatParameters, find_neuron, validated_patterns
from amat.simulation.stimuli import ProtocolError, sine

FREQUENCY = 20.0
PERIOD = 50.0
CYCLES = 100
TOLERANCE = 0.5
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

CLASS_1, CLASS_2 = (validated_patterns()[name].parameters for name in ("class_1", "class_2"))
#: One exponential threshold, and one with a voltage-dependent part.
SINGLE = validated_patterns()["tonic_spiking"].parameters


@pytest.fixture
def neuron():
    return DrivenNeuron(find_neuron("class_1", "amat"), onset=100.0, level=3.0, rate=18.9)


@pytest.fixture
def no_simulation(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a simulation began")

    monkeypatch.setattr(locking.driven, "Simulation", refuse)
    monkeypatch.setattr(locking.driven, "find_onsets", refuse)


def pattern(phases: list[float], m: int) -> np.ndarray:
    """Return a train that repeats spikes at some phases, in cycles, every m cycles of the window."""
    starts = np.arange(0, CYCLES, m)
    train = (np.add.outer(starts, phases) * PERIOD).ravel()
    return train[train < CYCLES * PERIOD]


def locked(train, **options) -> tuple[int, int]:
    return find_locking(train, FREQUENCY, CYCLES, TOLERANCE, **options)[:2]


class TestLocking:
    @pytest.mark.parametrize(
        ("phases", "m"),
        [
            ([0.3], 1),
            ([0.1, 0.5], 1),
            ([0.2], 2),
            ([0.2], 5),
            ([0.1, 1.6], 2),  # 2:2, two unlike intervals
            ([0.1, 1.7], 3),
            ([0.1, 0.8, 1.4], 2),
            ([0.0, 0.05, 0.1, 0.9], 3),
        ],
    )
    def test_patterns_are_found_with_the_least_m(self, phases, m):
        assert locked(pattern(phases, m)) == (len(phases), m)

    @pytest.mark.parametrize("n", range(1, 6))
    @pytest.mark.parametrize("m", range(1, 6))
    def test_even_trains_are_found_as_the_reduced_ratio(self, n, m):
        common = math.gcd(n, m)
        train = np.arange(0.3, CYCLES, m / n) * PERIOD
        assert locked(train) == (n // common, m // common)

    @pytest.mark.parametrize("offset", np.linspace(0.0, 5.0, 23))
    def test_the_position_of_the_window_does_not_matter(self, offset):
        train = (pattern([0.0, 0.05, 0.1, 0.9, 2.2], 5) + offset * PERIOD) % (CYCLES * PERIOD)
        assert locked(np.sort(train)) == (5, 5)

    def test_golden_rotation_is_not_locked(self):
        for start in np.linspace(0.0, 1.0, 11):
            assert locked((start + np.arange(0, CYCLES * GOLDEN - 1) / GOLDEN) * PERIOD) == (0, 0)

    @pytest.mark.parametrize("rotation", [1.0005, 0.9995, 0.5002])
    def test_a_drift_across_the_band_is_not_locked(self, rotation):
        """Over 100 cycles these drift by 1 to 2.5 ms."""
        assert locked(np.arange(CYCLES * rotation) / rotation * PERIOD) == (0, 0)

    def test_a_drift_within_the_band_counts_as_locking(self):
        assert locked(np.arange(CYCLES) * PERIOD * (1 + 0.9 * TOLERANCE / (CYCLES * PERIOD))) == (1, 1)

    def test_delays_on_a_grid_are_allowed_and_noise_is_not(self):
        train = pattern([0.3, 1.7], 3)
        late = np.ceil(train / 0.3 - 1e-9) * 0.3
        assert locked(late) == (2, 3)
        jittered = train + np.random.default_rng(1).normal(0.0, 2.0, len(train))
        assert locked(jittered) == (0, 0)

    def test_the_band_is_returned(self):
        train = pattern([0.5], 1)
        train[40] += 0.4
        assert find_locking(train, FREQUENCY, CYCLES, TOLERANCE)[2] == pytest.approx(0.4)
        train[40] += 0.2
        assert locked(train) == (0, 0)

    def test_silence_and_trains_without_pattern(self):
        assert locked([]) == (0, 1)
        assert locked([100.0]) == (0, 0)
        stops = pattern([0.5], 1)
        assert locked(stops[: CYCLES // 2]) == (0, 0)
        assert locked(np.delete(stops, 30)) == (0, 0)
        assert locked(np.sort(np.append(stops, 777.7))) == (0, 0)

    def test_longer_patterns_and_short_windows(self):
        six = pattern([0.2], 6)
        assert locked(six) == (0, 0)
        assert locked(six, most_cycles=6) == (1, 6)
        # Three repetitions are needed.
        assert find_locking(pattern([0.2], 5)[:2], FREQUENCY, 10, TOLERANCE)[:2] == (0, 0)

    @pytest.mark.parametrize("coupling", [0.3, 0.9])
    def test_tongue_of_the_circle_map_is_the_exact_one(self, coupling):
        """``x -> x + w + k / (2 pi) sin(2 pi x)`` is locked 1:1 if and only if ``abs(w - 1) <= k / (2 pi)``."""
        edge = coupling / (2 * np.pi)
        for drift in np.linspace(-1.5, 1.5, 31) * edge:
            x = np.empty(2000)
            x[0] = 0.1
            for i in range(1, len(x)):
                x[i] = x[i - 1] + 1 + drift + edge * np.sin(2 * np.pi * x[i - 1])
            kept = x[1000:]
            cycles = int(kept[-1] - kept[0])
            found = find_locking(kept[kept < kept[0] + cycles] * PERIOD, FREQUENCY, cycles, TOLERANCE)[:2]
            if abs(drift) < 0.95 * edge:
                assert found == (1, 1)
            elif abs(drift) > 1.05 * edge:
                assert found != (1, 1)

    @pytest.mark.parametrize("m", [1, 2, 3])
    def test_tongues_of_an_integrator_with_a_rhythmic_threshold(self, m):
        """Spikes come 1 + K sin(2 pi f t) after the last one: locking is 1:m if and only if |m / f - 1| <= K."""
        K = 0.04
        for ratio in np.linspace(1 - 1.6 * K, 1 + 1.6 * K, 11):
            f = m / ratio
            t = [0.0]
            for _ in range(800):
                # Newton's method from a guess; the threshold is slow enough for it.
                x = t[-1] + ratio
                for _ in range(6):
                    x -= (x - t[-1] - 1 - K * np.sin(2 * np.pi * f * x)) / (
                        1 - K * 2 * np.pi * f * np.cos(2 * np.pi * f * x)
                    )
                t.append(x)
            phases = np.array(t[500:]) * f * PERIOD
            cycles = int((phases[-1] - phases[0]) / PERIOD)
            kept = phases[phases < phases[0] + cycles * PERIOD]
            found = find_locking(kept, FREQUENCY, cycles, TOLERANCE)[:2]
            if abs(ratio - 1) < 0.95 * K:
                assert found == (1, m)
            elif abs(ratio - 1) > 1.05 * K:
                assert found != (1, m)

    def test_strength_without_locking(self):
        """A perfect integrator of a rhythm fires at similar phases, but never locks."""
        t = np.linspace(0.0, CYCLES, 400001)
        integral = GOLDEN * t - 0.08 * np.cos(2 * np.pi * t)
        train = np.interp(np.arange(0.0, integral[-1]), integral, t)[1:] * PERIOD
        assert locked(train) == (0, 0)
        strength, _ = vector_strength(train, FREQUENCY)
        assert strength > 0.3
        assert rayleigh_p(strength, len(train)) < 0.01


class TestVectorStrength:
    def test_known_trains(self):
        strength, phase = vector_strength(pattern([0.25], 1), FREQUENCY)
        assert strength == pytest.approx(1.0)
        assert phase == pytest.approx(0.25)
        assert vector_strength(pattern([0.0, 0.5], 1), FREQUENCY)[0] == pytest.approx(0.0, abs=1e-9)
        assert vector_strength(pattern([0.0, 0.25], 1), FREQUENCY)[0] == pytest.approx(math.sqrt(0.5))
        assert np.isnan(vector_strength([], FREQUENCY)).all()

    @pytest.mark.parametrize("count", [5, 20, 200])
    def test_p_is_uniform_for_even_phases(self, count):
        phases = np.random.default_rng(7).random((4000, count))
        p = rayleigh_p(np.abs(np.exp(2j * np.pi * phases).mean(axis=1)), count)
        assert stats.kstest(p, "uniform").pvalue > 1e-3
        assert 0.04 < (p < 0.05).mean() < 0.06

    def test_p_of_many_spikes_is_the_exponential_and_of_none_unknown(self):
        assert rayleigh_p(0.1, 1000) == pytest.approx(math.exp(-10.0), rel=0.06)
        assert rayleigh_p(1.0, 5) < 0.01
        assert np.isnan(rayleigh_p(np.nan, 0))
        assert rayleigh_p(0.0, 3) == pytest.approx(1.0)

    def test_phases_of_von_mises_are_found(self):
        phases = stats.vonmises.rvs(2.0, size=300, random_state=3)
        strength = abs(np.exp(1j * phases).mean())
        assert rayleigh_p(strength, 300) < 1e-20


class TestReliability:
    options: ClassVar = {"width": 2.0, "resolution": 0.2}

    def test_equal_and_unrelated_trains(self):
        train = np.array([100.0, 180.0, 333.0, 610.0])
        assert reliability([train] * 3, 0.0, 1000.0, **self.options) == pytest.approx(1.0)
        random = np.random.default_rng(5)
        trains = [np.sort(random.random(200)) * 10000.0 for _ in range(20)]
        assert reliability(trains, 0.0, 10000.0, **self.options) == pytest.approx(0.0, abs=0.03)

    def test_jitter_of_two_spikes_is_the_analytic_correlation(self):
        """Two Gaussians of width s, d apart: exp(-d^2 / 4 s^2), apart from the means."""
        for shift in (0.8, 2.0, 4.0):
            found = reliability([[5000.0], [5000.0 + shift]], 0.0, 10000.0, **self.options)
            assert found == pytest.approx(math.exp(-(shift**2) / 16.0), abs=2e-3)

    def test_silent_trials_count_as_zero(self):
        train = [100.0, 700.0]
        assert reliability([train, train, []], 0.0, 1000.0, **self.options) == pytest.approx(1 / 3)

    @pytest.mark.parametrize(
        ("trains", "stop", "width"), [([[1.0]], 10.0, 1.0), ([[1.0]] * 2, 0.0, 1.0), ([[1.0]] * 2, 10.0, 0.0)]
    )
    def test_refusals(self, trains, stop, width):
        with pytest.raises(AmatError, match="got"):
            reliability(trains, 0.0, stop, width=width, resolution=0.1)


class TestWindowsAndIntervals:
    def test_window_holds_whole_cycles_at_the_end(self):
        start, cycles = cycle_window(FREQUENCY, 120.0, 1000.0)
        assert (start, cycles) == (150.0, 17)
        assert cycle_window(FREQUENCY, 0.0, 1000.0) == (0.0, 20)
        with pytest.raises(AmatError, match="no whole cycle of 20 Hz"):
            cycle_window(FREQUENCY, 0.0, 49.0)

    def test_measures_of_a_train(self):
        train = pattern([0.5], 2) + 1.0  # the sine begins 1 ms late
        found = measure_cycles(train, FREQUENCY, 500.0, CYCLES * PERIOD, TOLERANCE)
        assert (found["n"], found["m"]) == (1, 2)
        assert found["rotation"] == found["spikes"] / found["cycles"] == 0.5
        assert found["strength"] == pytest.approx(1.0)
        assert found["phase"] == pytest.approx(0.5)

    def test_interval_is_that_of_student(self):
        values = np.random.default_rng(2).normal(3.0, 1.0, 9)
        mean, low, high = interval(values)
        expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
        assert (low, high) == pytest.approx((expected.low, expected.high))
        assert mean == pytest.approx(values.mean())
        assert interval([*values, np.nan]) == pytest.approx((mean, low, high))
        assert np.isnan(interval([1.0, np.nan])[1])
        with pytest.raises(AmatError, match="got 1"):
            interval([1.0])


class TestExactTongues:
    def test_edge_vanishes_at_the_intrinsic_rate_and_its_multiples(self):
        for cell in (CLASS_1, CLASS_2, SINGLE):
            rate = 1e3 / steady_interval(cell, 250.0)
            for m in (1, 2, 3):
                assert locking_theory.edge_amplitude(cell, 250.0, m * rate, m) == pytest.approx(0.0, abs=1e-6)
            assert locking_theory.edge_amplitude(cell, 250.0, 1.1 * rate) > 1.0

    def test_gain_is_that_of_the_linear_system(self):
        """The distance of potential and threshold, integrated by the reference, for a neuron that does not spike."""
        from amat.simulation.reference import integrate

        cell = AmatParameters(tau_m=7.0, C_m=140.0, beta=0.4, tau_v=4.0, omega=500.0)
        frequency, resolution = 40.0, 0.05
        current = 100.0 * sine(1000.0, resolution, 0.0, 0.0, 1.0, frequency)[np.newaxis]
        run = integrate([cell], current, np.zeros_like(current), np.zeros_like(current), resolution)
        distance = (run.V_m - run.V_th_v)[0, -round(500.0 / resolution) :] - cell.E_L
        expected = 100.0 * cell.tau_m / cell.C_m * locking_theory.filter_gain(cell, frequency)
        assert np.ptp(distance) / 2 == pytest.approx(float(expected), rel=1e-3)
        assert locking_theory.filter_gain(cell, 0.0) == pytest.approx(1.0)

    def test_without_amplitude_only_the_intrinsic_rate_is_locked(self):
        rate = 1e3 / steady_interval(CLASS_1, 300.0)
        assert not locking_theory.is_locked(CLASS_1, 300.0, [0.9 * rate, 1.1 * rate], 0.0).any()

    @pytest.mark.parametrize("cell", [CLASS_1, CLASS_2, SINGLE])
    def test_tongues_agree_with_trains_iterated_spike_by_spike(self, cell):
        """The trains are in continuous time, by root finding, at sparse points of the map with both kinds of edges."""
        current = 300.0
        rate = 1e3 / steady_interval(cell, current)
        f, A = (part.ravel() for part in np.meshgrid(np.linspace(0.82, 1.52, 8) * rate, [15.0, 60.0, 150.0]))
        predicted = locking_theory.is_locked(cell, current, f, A)
        assert 3 <= predicted.sum() <= len(f) - 3
        edge = locking_theory.edge_amplitude(cell, current, f)
        for i in np.flatnonzero(np.abs(A / edge - 1) > 0.02):
            assert _iterated_is_locked(cell, current, f[i], A[i]) == predicted[i], (f[i] / rate, A[i])

    def test_the_grid_moves_edges_in_proportion_to_the_step(self):
        fine, coarse = (locking_theory.grid_shift(CLASS_2, 60.0, h) for h in (0.01, 0.1))
        assert coarse / fine == pytest.approx(10.0, rel=0.02)

    def test_refusals(self):
        with pytest.raises(AmatError, match="got -1 Hz"):
            locking_theory.edge_amplitude(CLASS_1, 300.0, [-1.0])
        with pytest.raises(AmatError, match="got 0"):
            locking_theory.is_locked(CLASS_1, 300.0, 10.0, 1.0, 0)
        with pytest.raises(AmatError, match="less than 100 pA"):
            locking_theory.firing_amplitude(CLASS_1, 120.0, 10.0)

    def test_dead_time_bounds_the_tongues(self):
        assert locking_theory.edge_amplitude(CLASS_1, 300.0, 600.0) == np.inf


def _iterated_is_locked(cell, current, frequency, amplitude):
    """Return whether a neuron that is followed from spike to spike without a grid is locked in the end."""
    R, gain = cell.tau_m / cell.C_m, float(locking_theory.filter_gain(cell, frequency))
    step, period = 0.05, 1e3 / frequency
    offsets = np.arange(cell.refr_T, 4 * period, step)
    a_1 = a_2 = 0.0
    spikes = [0.0]
    for _ in range(300):
        t = spikes[-1] + offsets
        distance = R * current - cell.omega + R * amplitude * gain * np.sin(2e-3 * np.pi * frequency * t)
        above = distance - a_1 * np.exp(-offsets / cell.tau_1) - a_2 * np.exp(-offsets / cell.tau_2)
        hit = int(np.argmax(above >= 0))
        assert above[hit] >= 0
        wait = offsets[hit]
        if hit:
            wait -= step * above[hit] / (above[hit] - above[hit - 1])
        a_1 = a_1 * np.exp(-wait / cell.tau_1) + cell.alpha_1
        a_2 = a_2 * np.exp(-wait / cell.tau_2) + cell.alpha_2
        spikes.append(spikes[-1] + wait)
    return bool(np.abs(np.diff(spikes[-100:]) - period).max() < 1e-3 * period)


@pytest.mark.usefixtures("no_simulation")
class TestRefusals:
    @pytest.mark.parametrize("frequency", [0.0, -3.0, 5000.0, math.nan])
    def test_frequencies_that_the_grid_does_not_carry(self, neuron, frequency):
        with pytest.raises(ProtocolError, match=f"5000 Hz .*got {frequency:g} Hz"):
            simulate_driven(neuron, [10.0, frequency], [1.0, 1.0], 100.0)

    def test_a_map_beyond_the_grids_limit(self, neuron):
        with pytest.raises(AmatError, match="5000 Hz"):
            map_tongues(neuron, [1.0, 300.0], [0.1, 0.2])

    @pytest.mark.parametrize("values", [[], [1.0], [2.0, 1.0], [1.0, 1.0], [1.0, math.nan]])
    def test_empty_and_reversed_ranges(self, neuron, values):
        with pytest.raises(AmatError, match="frequencies"):
            map_tongues(neuron, values, [0.1, 0.2])
        with pytest.raises(AmatError, match="depths"):
            map_tongues(neuron, [1.0, 2.0], values)

    @pytest.mark.parametrize(
        ("amplitudes", "noise", "message"),
        [
            ([1.0], 0.0, "got 2 and 1"),
            ([1.0, -2.0], 0.0, "got -2"),
            ([1.0, math.inf], 0.0, "got 1"),
            ([1.0, 1.0], -1.0, "got -1"),
        ],
    )
    def test_amplitudes_and_noise(self, neuron, amplitudes, noise, message):
        with pytest.raises(AmatError, match=message):
            simulate_driven(neuron, [10.0, 20.0], amplitudes, 100.0, noise=noise)

    def test_other_arguments(self, neuron):
        with pytest.raises(AmatError, match="got 1"):
            map_tongues(neuron, [1.0, 2.0], [0.1, 0.2], cycles=1)
        with pytest.raises(AmatError, match="no whole cycle"):
            map_tongues(neuron, [0.01, 2.0], [0.1, 0.2], cycles=10)
        with pytest.raises(AmatError, match="got 1"):
            repeat_frequencies(neuron, [1.0, 2.0], 0.3, repeats=1, noise=5.0)
        with pytest.raises(AmatError, match="got 5"):
            repeat_frequencies(neuron, [1.0, 2.0], 0.3, repeats=5)
        with pytest.raises(AmatError, match="without noise all trials are equal"):
            measure_reliability(neuron, [1.0, 2.0], 0.3, noise=0.0)
        with pytest.raises(AmatError, match="number of groups must be at least 2, got 1"):
            measure_reliability(neuron, [1.0, 2.0], 0.3, noise=5.0, trials=4, groups=1)
        with pytest.raises(AmatError, match=r"got 0\.9"):
            calibrate_noise(neuron, [0.9])
        with pytest.raises(AmatError, match="got 0"):
            measure_sensitivity(neuron, [1.0, 2.0], 0.3, change=0.0)
        with pytest.raises(AmatError, match="got 0"):
            neuron.at(0.0)


def test_neurons_axes(neuron):
    assert neuron.current == neuron.distance == 300.0
    assert neuron.warm_up == 15 * 200.0  # AMAT's slow threshold
    izhikevich = DrivenNeuron(find_neuron("class_2", "izhikevich"), onset=0.3, level=1.5, rate=40.0)
    assert izhikevich.distance == pytest.approx(1.2)
    assert izhikevich.current == pytest.approx(0.7)
    assert izhikevich.warm_up == 250.0  # ten intervals, longer than 15 times 1 / a
    assert neuron.at(0.9).current == pytest.approx(90.0)
    assert neuron.at(0.9).rate == neuron.rate


def test_noise_is_not_extrapolated(neuron, monkeypatch):
    """Alternating intervals of 40 and 60 ms have a variation of 0.2 at any noise."""
    train = neuron.warm_up + np.cumsum(np.tile([40.0, 60.0], 51))
    monkeypatch.setattr(locking_noise, "simulate_driven", lambda *_, **__: [train[1:]])
    with pytest.raises(AmatError, match=r"variation of 0\.2 .* 0\.1"):
        calibrate_noise(neuron, [0.1])
    with pytest.raises(AmatError, match=r"variation of 0\.3"):
        calibrate_noise(neuron, [0.3])


def test_realisations_are_summarised_by_frequency(neuron, monkeypatch):
    import pandas as pd

    def made_up(_, frequency, depth, **__):
        rotation = np.tile([1.0, 2.0, 3.0], len(frequency) // 3)
        return pd.DataFrame({"frequency": frequency, "depth": depth, "rotation": rotation, "strength": 0.5})

    monkeypatch.setattr(locking_noise, "measure_points", made_up)
    table = repeat_frequencies(neuron, [0.5, 1.0], 0.3, repeats=3, noise=1.0)
    assert table["frequency"].tolist() == [0.5, 1.0]
    assert (table["rotation"] == 2.0).all()
    assert table["rotation_high"].to_numpy() == pytest.approx(2.0 + stats.t.ppf(0.975, 2) / math.sqrt(3))
    assert (table["strength_low"] == 0.5).all()
