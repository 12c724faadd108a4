# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measures of made-up trains, the search on made-up neurons, and the analytic f-I curve, without NEST."""

import math

import numpy as np
import pandas as pd
import pytest

from amat.analysis import excitability
from amat.analysis.excitability import (
    FALL,
    PATTERNS,
    classify_onset,
    classify_sustained,
    fi_curves,
    find_hysteresis,
    find_onsets,
    lowest_sustained_current,
    measure_step,
    representative_neurons,
    simulate_staircase,
    steady_interval,
)
from amat.errors import AmatError
from amat.neurons import AmatParameters, find_neuron, validated_patterns

DURATION = 1000.0
CLASS_2 = validated_patterns()["class_2"].parameters
BISTABLE = validated_patterns()["bistability"].parameters


@pytest.fixture
def no_simulation(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a simulation began")

    monkeypatch.setattr(excitability.steps, "Simulation", refuse)
    monkeypatch.setattr(excitability.staircases, "simulate", refuse)


class TestMeasures:
    def test_regular_train(self):
        found = measure_step(np.arange(7.0, DURATION, 12.5), DURATION)
        assert found.spikes == 80
        assert found.onset_rate == found.steady_rate == 80.0
        assert found.relative_adaptation == 0.0

    def test_rate_does_not_depend_on_the_start_of_the_last_part(self):
        for first in np.linspace(0.5, 30.0, 60):
            assert measure_step(np.arange(first, DURATION, 30.0), DURATION).steady_rate == pytest.approx(1e3 / 30)

    def test_adaptation_and_acceleration(self):
        slow, fast = np.arange(400.0, DURATION, 40.0), np.arange(400.0, DURATION, 10.0)
        assert measure_step([10.0, 20.0, *slow], DURATION).relative_adaptation == pytest.approx(0.75)
        assert measure_step([10.0, 50.0, *fast], DURATION).relative_adaptation == pytest.approx(-3.0)

    @pytest.mark.parametrize("train", [[], [3.0]])
    def test_fewer_than_two_spikes_have_no_rate(self, train):
        found = measure_step(train, DURATION)
        assert (found.spikes, found.onset_rate, found.steady_rate) == (len(train), 0.0, 0.0)
        assert math.isnan(found.relative_adaptation)

    def test_firing_that_ends_has_an_onset_only(self):
        for end in (50.0, 600.0, 960.0):  # before and within the last part
            found = measure_step(np.arange(10.0, end, 20.0), DURATION)
            assert found.onset_rate == pytest.approx(50.0)
            assert found.steady_rate == 0.0
            assert found.relative_adaptation == 1.0

    def test_a_short_silence_at_the_end_is_no_end(self):
        """The silence at the end is as long as 1.4 intervals."""
        assert measure_step(np.arange(10.0, DURATION - 28.0 + 1e-6, 20.0), DURATION).steady_rate == pytest.approx(50.0)

    @pytest.mark.parametrize("shift", np.linspace(0.0, 99.0, 34))
    def test_bursts_are_counted_by_whole_periods(self, shift):
        """Three spikes every 100 ms, wherever the last part begins."""
        bursts = np.add.outer(np.arange(0.0, DURATION, 100.0) + shift + 1.0, [0.0, 3.0, 6.0]).ravel()
        bursts = bursts[bursts <= DURATION]
        assert measure_step(bursts, DURATION).steady_rate == pytest.approx(30.0)

    def test_only_the_last_part_counts(self):
        train = np.concatenate([np.arange(15.0, 706.0, 15.0), np.arange(720.0, DURATION, 20.0)])
        assert measure_step(train, DURATION, 0.25).steady_rate == pytest.approx(50.0)
        assert 55.0 < measure_step(train, DURATION, 1.0).steady_rate < 66.0

    @pytest.mark.parametrize(("duration", "part"), [(0.0, 0.5), (-1.0, 0.5), (math.nan, 0.5), (10.0, 0.0), (10.0, 1.1)])
    def test_bad_arguments(self, duration, part):
        with pytest.raises(AmatError, match="got"):
            measure_step([1.0, 2.0], duration, part)


class TestClasses:
    def test_rate_decides_between_classes(self):
        assert classify_sustained(0.99 * FALL, 1.0) == "class 1"
        assert classify_sustained(1.01 * FALL, 1.0) == "class 2"
        assert classify_sustained(0.0, 1.0) == "class 1"
        assert classify_sustained(math.nan, math.nan) == "none"

    def test_phasic_comes_first(self):
        assert classify_onset(0.09, "class 2") == "class 2"
        assert classify_onset(0.11, "class 2") == "phasic"
        assert classify_onset(0.0, "none") == "phasic"

    def test_firing_that_ends_has_no_class(self):
        with pytest.raises(AmatError, match="0 spikes/s"):
            classify_sustained(5.0, 0.0)


#: First and sustained threshold, and the rate beyond the latter, of made-up neurons.
MADE_UP = {
    "class_1": (100.0, 100.0, lambda x: 200.0 * math.sqrt(x)),
    "class_2": (99.0, 100.0, lambda x: 20.0 + 200.0 * x),
    "phasic_spiking": (80.0, 100.0, lambda x: 20.0 + 200.0 * x),
    "inhibition_induced_spiking": (30.0, math.inf, None),
}


def _made_up_trains(neurons, distances, duration):
    def train(pattern, distance):
        first, sustained, rate = MADE_UP[pattern]
        if distance < sustained:
            return np.array([5.0]) if distance >= first else np.empty(0)
        interval = 1e3 / max(rate(distance / sustained - 1.0), 1e-9)
        return np.arange(5.0, min(duration, 1e5), interval)

    return [
        [train(neuron.pattern, float(d)) for d in values] for neuron, values in zip(neurons, distances, strict=True)
    ]


@pytest.fixture
def made_up(monkeypatch):
    monkeypatch.setattr(excitability.steps, "simulate_steps", _made_up_trains)
    return [find_neuron(pattern, "amat") for pattern in MADE_UP]


class TestSearch:
    def test_onsets_of_made_up_neurons(self, made_up):
        table = find_onsets(made_up, precision=1e-6).set_index("pattern")
        assert table["sustained_type"].to_dict() == {
            "class_1": "class 1",
            "class_2": "class 2",
            "phasic_spiking": "class 2",
            "inhibition_induced_spiking": "none",
        }
        assert table["onset_type"].tolist() == ["class 1", "class 2", "phasic", "phasic"]
        np.testing.assert_allclose(table["first_current"], [100.0, 99.0, 80.0, -30.0], rtol=1e-6)
        np.testing.assert_allclose(table["sustained_current"][:3], 100.0, rtol=5e-6)
        assert math.isnan(table["sustained_current"].iloc[3])
        np.testing.assert_allclose(table["phasic_band"], [0.0, 0.01, 0.2, 1.0], atol=1e-5)
        assert table.loc["class_1", "fall"] == pytest.approx(0.1, rel=0.05)
        assert table.loc["class_2", "fall"] == pytest.approx(20.02 / 22.0, rel=1e-3)
        assert (table["resolution"] <= 1e-4).all()

    def test_currents_are_found_from_above(self, made_up):
        """The reported current elicits spikes, and a slightly weaker one does not."""
        table = find_onsets(made_up)
        for i, (first, _, _) in enumerate(MADE_UP.values()):
            found = abs(table["first_current"][i])
            assert first <= found <= first + table["resolution"][i]

    def test_a_neuron_that_never_spikes_is_refused(self, monkeypatch, made_up):
        monkeypatch.setitem(MADE_UP, "class_1", (math.inf, math.inf, None))
        with pytest.raises(AmatError, match=r"class_1 of amat does not spike up to 2000 pA"):
            find_onsets(made_up)

    def test_curves_resolve_the_onset(self, made_up):
        onsets = find_onsets(made_up)
        table = fi_curves(made_up, onsets, n_currents=40, highest=3.0)
        assert len(table) == 40 * len(made_up)
        for pattern, curve in table.groupby("pattern"):
            assert curve["relative_distance"].is_monotonic_increasing
            assert (curve["relative_distance"] < 1).sum() == 10, pattern
            assert curve["relative_distance"].max() == pytest.approx(3.0)
        class_2 = table[(table["pattern"] == "class_2") & (table["relative_distance"] > 1)]
        expected = 20.0 + 200.0 * (class_2["current"] / 100.0 - 1.0)
        np.testing.assert_allclose(class_2["steady_rate_per_s"], expected, rtol=0.01)
        inhibited = table[table["pattern"] == "inhibition_induced_spiking"]
        assert (inhibited["current"] < 0).all()
        assert (inhibited["steady_rate_per_s"] == 0).all()

    def test_curves_of_other_neurons_are_refused(self, made_up):
        onsets = find_onsets(made_up)
        with pytest.raises(AmatError, match="onsets"):
            fi_curves(made_up[::-1], onsets)

    def test_representative_neurons(self):
        neurons = representative_neurons()
        assert len(neurons) == 2 * len(PATTERNS)
        assert {neuron.model for neuron in neurons} == {"amat", "izhikevich"}


class TestHysteresis:
    def test_of_a_made_up_neuron(self, monkeypatch):
        """The neuron starts at 100 and stops below 70."""

        def up_and_down(neuron, levels, *, plateau):
            course = [("up", x, x >= 100.0) for x in levels] + [("down", x, x >= 70.0) for x in levels[-2::-1]]
            table = pd.DataFrame(course, columns=["way", "current", "fires"])
            table["steady_rate_per_s"] = 30.0 * table.pop("fires")
            return table.assign(model=neuron.model, pattern=neuron.pattern, current_unit="pA")

        monkeypatch.setattr(excitability.staircases, "simulate_staircase", up_and_down)
        table, curves = find_hysteresis([find_neuron("bistability", "amat")], [(50.0, 120.0)], n_levels=15)
        row = table.iloc[0]
        assert row["resolution"] == pytest.approx(1.0)  # two levels of a tenth of 5
        assert 100.0 <= row["start_current"] < 100.5
        assert 70.0 <= row["stop_current"] < 70.5
        assert row["hysteresis"] == pytest.approx(30.0, abs=row["resolution"])
        assert set(curves["way"]) == {"up", "down"}
        for low, high, state in ((10.0, 60.0, "is silent"), (105.0, 120.0, "fires")):
            with pytest.raises(AmatError, match=f"bistability of amat {state} at all levels from {low:g} to {high:g}"):
                find_hysteresis([find_neuron("bistability", "amat")], [(low, high)])


@pytest.mark.usefixtures("no_simulation")
class TestBadInput:
    neuron = find_neuron("bistability", "amat")

    def test_unknown_pattern(self):
        with pytest.raises(AmatError, match=r"'clas_1'.*class_1"):
            representative_neurons(["clas_1"])

    def test_no_pattern_and_no_neuron(self):
        with pytest.raises(AmatError, match=r"No pattern.*tonic_spiking"):
            representative_neurons([])
        with pytest.raises(AmatError, match="No neuron"):
            find_onsets([])
        with pytest.raises(AmatError, match="No neuron"):
            find_hysteresis([], [])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_currents": 1}, "number of currents must be at least 2, got 1"),
            ({"duration": 0.0}, "duration.*got 0 ms"),
            ({"precision": 1e-3}, r"precision.*got 0\.001"),
            ({"precision": 0.0}, "precision.*got 0"),
        ],
    )
    def test_search(self, arguments, message):
        with pytest.raises(AmatError, match=message):
            find_onsets([self.neuron], **arguments)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"highest": 0.5}, r"to 0\.5"),
            ({"highest": 1.0}, "to 1"),
            ({"nearest": 0.0}, "got 1 to 3"),
            ({"n_currents": 7}, "number of currents must be at least 8, got 7"),
            ({"duration": -5.0}, "duration.*got -5 ms"),
        ],
    )
    def test_curves(self, arguments, message):
        with pytest.raises(AmatError, match=message):
            fi_curves([self.neuron], pd.DataFrame(), **arguments)

    @pytest.mark.parametrize("levels", [[], [5.0], [2.0, 1.0], [1.0, 1.0], [1.0, math.nan]])
    def test_staircase(self, levels):
        with pytest.raises(AmatError, match="levels must be two or more in ascending order"):
            simulate_staircase(self.neuron, levels)

    @pytest.mark.parametrize("bad", [(120.0, 50.0), (50.0, 50.0)])
    def test_hysteresis(self, bad):
        with pytest.raises(AmatError, match=f"bistability of amat.*got {bad[0]:g} to {bad[1]:g} pA"):
            find_hysteresis([self.neuron], [bad])
        with pytest.raises(AmatError, match="2 ranges of current for 1 neurons"):
            find_hysteresis([self.neuron], [(50.0, 120.0)] * 2)
        with pytest.raises(AmatError, match="number of levels must be at least 2, got 1"):
            find_hysteresis([self.neuron], [(50.0, 120.0)], n_levels=1)


class TestAnalyticCurve:
    fast = AmatParameters(tau_m=5.0, C_m=100.0)  # alpha_2 = 0, omega = 5 mV, R = 50 MOhm

    @pytest.mark.parametrize("current", [100.001, 101.0, 150.0, 400.0])
    def test_closed_form_with_one_time_constant(self, current):
        drive = 0.05 * current - 5.0
        assert steady_interval(self.fast, current) == pytest.approx(10.0 * math.log1p(10.0 / drive), rel=1e-9)

    @pytest.mark.parametrize("cell", [CLASS_2, BISTABLE, validated_patterns()["class_1"].parameters])
    @pytest.mark.parametrize("current", [100.1, 120.0, 300.0])
    def test_threshold_reaches_the_potential_at_the_interval_and_not_before(self, cell, current):
        """The reference is the sum over a history of a thousand spikes."""
        interval = steady_interval(cell, current)
        ages = np.arange(1000.0)[:, np.newaxis] * interval + np.linspace(cell.refr_T, interval, 500)
        threshold = cell.alpha_1 * np.exp(-ages / cell.tau_1) + cell.alpha_2 * np.exp(-ages / cell.tau_2)
        distance = threshold.sum(axis=0) + cell.omega - current * cell.tau_m / cell.C_m
        assert interval > cell.refr_T
        assert abs(distance[-1]) < 1e-9
        assert (distance[:-1] > 0).all()

    def test_limits(self):
        assert steady_interval(self.fast, 99.999) == math.inf
        assert steady_interval(self.fast, 100.0) == math.inf
        assert steady_interval(self.fast, 1e5) == 2.0
        assert steady_interval(self.fast, 1e5, resolution=0.1) == pytest.approx(2.1)
        assert steady_interval(self.fast, 1e5, resolution=0.3) == pytest.approx(2.4)
        assert steady_interval(self.fast.replace(alpha_1=0.0), 100.1) == 2.0
        assert lowest_sustained_current(self.fast) == 100.0

    def test_constant_current_adds_and_beta_does_not_matter(self):
        assert steady_interval(self.fast.replace(I_e=30.0), 90.0) == steady_interval(self.fast, 120.0)
        assert steady_interval(self.fast.replace(beta=-2.0), 120.0) == steady_interval(self.fast, 120.0)
        assert lowest_sustained_current(self.fast.replace(I_e=30.0)) == 70.0

    def test_order_of_the_time_constants_does_not_matter(self):
        swapped = CLASS_2.replace(
            tau_1=CLASS_2.tau_2, tau_2=CLASS_2.tau_1, alpha_1=CLASS_2.alpha_2, alpha_2=CLASS_2.alpha_1
        )
        assert steady_interval(swapped, 99.0) == pytest.approx(steady_interval(CLASS_2, 99.0), rel=1e-12)
        assert lowest_sustained_current(swapped) == pytest.approx(lowest_sustained_current(CLASS_2), rel=1e-12)

    def test_equal_time_constants_count_as_one(self):
        equal = self.fast.replace(tau_2=10.0, alpha_1=4.0, alpha_2=6.0)
        assert steady_interval(equal, 130.0) == pytest.approx(steady_interval(self.fast, 130.0), rel=1e-12)

    @pytest.mark.parametrize("cell", [CLASS_2, BISTABLE])
    def test_firing_continues_below_the_rheobase_if_the_slow_part_falls(self, cell):
        T = np.linspace(cell.refr_T, 500.0, 200001)
        excess = cell.alpha_1 / np.expm1(T / cell.tau_1) + cell.alpha_2 / np.expm1(T / cell.tau_2)
        lowest = lowest_sustained_current(cell)
        assert lowest == pytest.approx((cell.omega + excess.min()) * cell.C_m / cell.tau_m, abs=1e-4)
        assert lowest < 99.0
        assert steady_interval(cell, lowest - 1e-6) == math.inf
        assert steady_interval(cell, lowest + 1e-6) == pytest.approx(T[excess.argmin()], abs=0.1)

    def test_runaway(self):
        """If the slow part falls by more than the fast one rises, neurons end up at the dead time or fall silent."""
        cell = self.fast.replace(alpha_1=5.0, alpha_2=-1.0)
        lowest = lowest_sustained_current(cell)
        assert lowest < 0
        assert steady_interval(cell, lowest + 1e-6) == cell.refr_T
        assert steady_interval(cell, lowest - 1e-6) == math.inf

    def test_rate_grows_with_the_current(self):
        intervals = [steady_interval(BISTABLE, current) for current in np.linspace(71.0, 2000.0, 300)]
        assert (np.diff(intervals) <= 0).all()
        assert intervals[0] > 10 * intervals[-1]

    def test_bursting_neurons_are_refused(self):
        with pytest.raises(AmatError, match=r"alpha_1 = -0.5 mV and alpha_2 = 0.35 mV.*bursts"):
            steady_interval(validated_patterns()["tonic_bursting"].parameters, 150.0)
