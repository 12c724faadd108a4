# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""f-I curves, onset types and hysteresis of simulated neurons, compared with analytic results."""

import numpy as np
import pytest

from amat.analysis.excitability import (
    FALL,
    fi_curves,
    find_hysteresis,
    find_onsets,
    lowest_sustained_current,
    representative_neurons,
    simulate_staircase,
    steady_interval,
)
from amat.neurons import find_neuron, validated_patterns

pytestmark = pytest.mark.slow

RESOLUTION = 0.1
PATTERNS = ("tonic_spiking", "class_1", "class_2", "phasic_spiking", "inhibition_induced_spiking")

#: AMAT neurons whose slow part of the threshold rises at a spike or is absent; beta has no effect on the steady state.
NOT_FALLING = ["tonic_spiking", "spike_frequency_adaptation", "class_1", "phasic_spiking"]
#: AMAT neurons whose slow part falls.
FALLING = ["class_2", "bistability"]


@pytest.fixture(scope="module")
def neurons():
    return representative_neurons(PATTERNS)


@pytest.fixture(scope="module")
def onsets(neurons):
    return find_onsets(neurons)


@pytest.fixture(scope="module")
def by_name(onsets):
    return onsets.set_index(["model", "pattern"])


@pytest.fixture(scope="module")
def curves():
    """AMAT's, from just above the rheobase to where the dead time limits the rate of some."""
    neurons = [find_neuron(pattern, "amat") for pattern in NOT_FALLING + FALLING]
    return fi_curves(neurons, find_onsets(neurons), duration=20000.0, highest=20.0).groupby("pattern")


def _deviations(curve, pattern):
    """Return the number of steps by which the mean interval exceeds the analytic one."""
    cell = validated_patterns()[pattern].parameters
    firing = curve[curve["steady_rate_per_s"] > 0]
    assert len(firing) == (curve["relative_distance"] > 1).sum()
    exact = [steady_interval(cell, current, resolution=RESOLUTION) for current in firing["current"]]
    return (1e3 / firing["steady_rate_per_s"].to_numpy() - exact) / RESOLUTION


@pytest.mark.parametrize("pattern", NOT_FALLING)
def test_intervals_are_the_analytic_ones_on_the_grid(curves, pattern):
    """A spike is up to one step late, and never early."""
    deviations = _deviations(curves.get_group(pattern), pattern)
    assert len(deviations) == 30
    assert deviations.min() > -1e-6
    assert deviations.max() < 1.0


@pytest.mark.parametrize("pattern", FALLING)
def test_intervals_with_accumulating_delays(curves, pattern):
    deviations = _deviations(curves.get_group(pattern), pattern)
    assert len(deviations) == 30
    assert deviations.min() > -1e-6
    assert deviations.max() < 2.0


def test_the_dead_time_limits_the_rate(curves):
    assert curves.get_group("tonic_spiking")["steady_rate_per_s"].max() == pytest.approx(1e3 / 2.1)


def test_amat_begins_to_fire_when_the_potential_reaches_the_resting_threshold(by_name):
    """Firing begins at omega / R = 100 pA from rest, for all parameters of the threshold."""
    for pattern in PATTERNS[:4]:
        row = by_name.loc[("amat", pattern)]
        assert 100.0 < row["sustained_current"] < 100.001


def test_izhikevichs_class_1_begins_at_the_saddle_node(by_name):
    """0.04 V^2 + 4.1 V + 108 - b V + I has a double root at I = 2.25, with b = -0.1."""
    row = by_name.loc[("izhikevich", "class_1")]
    assert 2.25 < row["sustained_current"] < 2.25 * 1.0003
    # The ratio of the square root is 0.1, at rates that a run resolves.
    assert row["fall"] < 0.2


@pytest.mark.parametrize("model", ["amat", "izhikevich"])
@pytest.mark.parametrize(("pattern", "expected"), [("class_1", "class 1"), ("class_2", "class 2")])
def test_neurons_named_after_a_class_have_it(by_name, model, pattern, expected):
    row = by_name.loc[(model, pattern)]
    assert row["onset_type"] == row["sustained_type"] == expected
    assert abs(row["fall"] - FALL) > 0.1


@pytest.mark.parametrize("model", ["amat", "izhikevich"])
def test_phasic_neurons_spike_at_onsets_alone_over_a_range(by_name, model):
    row = by_name.loc[(model, "phasic_spiking")]
    assert row["onset_type"] == "phasic"
    assert 0.2 < row["phasic_band"] < 0.5


def test_inhibition_alone_does_not_keep_amat_firing_but_izhikevichs_neuron(by_name):
    amat, izhikevich = (by_name.loc[(model, "inhibition_induced_spiking")] for model in ("amat", "izhikevich"))
    assert (amat["onset_type"], amat["sustained_type"], amat["phasic_band"]) == ("phasic", "none", 1.0)
    assert amat["first_current"] < 0
    assert np.isnan(amat["sustained_current"])
    assert izhikevich["sustained_type"] == "class 2"
    assert izhikevich["sustained_current"] < izhikevich["rest_current"]


def test_rates_at_rheobase_are_the_analytic_ones(by_name):
    """At its onset, class 2 fires at the interval at which the sum of both parts vanishes."""
    cell = validated_patterns()["class_2"].parameters
    expected = 1e3 / steady_interval(cell, 100.0 * (1 + 1e-4), resolution=RESOLUTION)
    assert by_name.loc[("amat", "class_2"), "near_rate_per_s"] == pytest.approx(expected, rel=0.01)
    assert expected > 20.0


def test_onsets_do_not_depend_on_how_the_search_is_divided(by_name):
    neurons = representative_neurons(["class_2"])
    again = find_onsets(neurons, n_currents=11).set_index(["model", "pattern"])
    for name, row in again.iterrows():
        assert row["sustained_current"] == pytest.approx(by_name.loc[name, "sustained_current"], rel=1e-3)
        assert row["onset_type"] == by_name.loc[name, "onset_type"]


def test_curves_are_reproducible(neurons, onsets):
    first, again = (fi_curves(neurons, onsets, n_currents=12, duration=500.0) for _ in range(2))
    assert first.equals(again)
    assert set(first["current_unit"]) == {"pA", "mV/ms"}
    # AMAT's firing does not last below the onset, and does above.
    amat = first[(first["model"] == "amat") & (first["pattern"] == "tonic_spiking")]
    assert ((amat["steady_rate_per_s"] > 0) == (amat["relative_distance"] > 1)).all()


def test_neurons_named_after_adaptation_adapt():
    neurons = representative_neurons(["spike_frequency_adaptation"])
    table = fi_curves(neurons, find_onsets(neurons), n_currents=12)
    for _, curve in table.groupby("model"):
        strong = curve[curve["relative_distance"] > 2]
        assert len(strong) >= 1
        assert (strong["adaptation_index"] > 0.5).all()


class TestHysteresis:
    amat = find_neuron("bistability", "amat")

    @pytest.mark.parametrize(("pattern", "low"), [("bistability", 60.0), ("class_2", 95.0)])
    def test_amat_starts_and_stops_at_the_analytic_currents(self, pattern, low):
        table, _ = find_hysteresis([find_neuron(pattern, "amat")], [(low, 105.0)], plateau=4000.0)
        row = table.iloc[0]
        stop = lowest_sustained_current(validated_patterns()[pattern].parameters)
        assert row["resolution"] < 0.5
        assert row["start_current"] == pytest.approx(100.0, abs=row["resolution"])
        assert row["stop_current"] == pytest.approx(stop, abs=row["resolution"])
        assert row["hysteresis"] > row["resolution"]

    def test_izhikevichs_bistable_neuron_and_one_that_is_not(self):
        neurons = [find_neuron(pattern, "izhikevich") for pattern in ("bistability", "class_2", "class_1")]
        table, curves = find_hysteresis(neurons, [(0.0, 0.4), (0.0, 0.6), (2.0, 2.5)], plateau=4000.0)
        table = table.set_index("pattern")
        for pattern in ("bistability", "class_2"):
            assert table.loc[pattern, "hysteresis"] > 10 * table.loc[pattern, "resolution"]
        assert abs(table.loc["class_1", "hysteresis"]) <= table.loc["class_1", "resolution"]
        # The equilibrium loses its stability where 0.08 V + 5 = a: with a = 0.1 and b = 0.26 at 0.2594 mV/ms.
        V = (0.1 - 5.0) / 0.08
        hopf = -(0.04 * V**2 + (5.0 - 0.26) * V + 140.0)
        assert table.loc["bistability", "start_current"] == pytest.approx(hopf, abs=0.02)
        assert set(curves["pattern"]) == set(table.index)

    def test_the_way_down_differs_from_the_way_up_between_the_two_currents_alone(self):
        curve = simulate_staircase(self.amat, np.arange(60.0, 111.0, 5.0), plateau=2000.0)
        up, down = (curve[curve["way"] == way].set_index("current")["steady_rate_per_s"] for way in ("up", "down"))
        assert up.index.is_monotonic_increasing
        assert down.index.is_monotonic_decreasing
        assert (up[up.index <= 100] == 0).all()
        assert (down[down.index >= 75] > 0).all()
        # Not at 70 pA: so near below the derived 70.6 pA the neuron takes longer than a plateau to fall silent.
        assert (down[down.index <= 65] == 0).all()
        # On the grid there is more than one periodic train, with mean intervals a few steps apart.
        assert 1e3 / up[105.0] == pytest.approx(1e3 / down[105.0], abs=3 * RESOLUTION)
