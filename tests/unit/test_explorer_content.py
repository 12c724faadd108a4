# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Data of the book's explorer."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from amat.analysis.patterns import find_trial, load_trials
from amat.neurons import AmatParameters
from amat.release.explorer.content import AMPLITUDES, DURATION, SLIDERS, SOURCES
from amat.release.explorer.links import explorer_link
from amat.simulation.reference import integrate


@pytest.mark.parametrize("model", SOURCES)
def test_every_pattern_is_within_the_ranges_of_the_sliders(model):
    """The parameters, and the current relative to time zero, which is the amplitude of other stimuli."""
    low, high, _ = AMPLITUDES[model]
    for trial in load_trials(model).values():
        parameters = trial.neuron.parameters.to_nestml()
        for name, (least, greatest, _) in SLIDERS[model].items():
            assert least <= parameters[name] <= greatest, f"{trial.neuron.pattern}: {name}"
        current = trial.current_on_grid()
        assert low <= (current - trial.neuron.rest_current).min()
        assert high >= (current - trial.neuron.rest_current).max()


@pytest.mark.parametrize("model", SOURCES)
def test_durations_are_whole_numbers_of_steps(model):
    for trial in load_trials(model).values():
        for duration in (DURATION[0], DURATION[2]):
            assert (duration / trial.neuron.resolution).is_integer(), trial.neuron.pattern


def state_of(link: str) -> dict[str, str]:
    """Return the state that a link to the explorer encodes."""
    parts = urlsplit(link)
    assert parts.path == "explorer.html"
    return {name: value for name, (value,) in parse_qs(parts.fragment).items()}


def test_a_link_opens_a_neuron_with_the_same_spikes():
    """The page's neuron under its step, and the linked neuron under the same current in pA, by exact integration."""
    neuron = AmatParameters(
        tau_m=14.0, C_m=160.0, alpha_1=9.5, alpha_2=7.2, beta=0.1, tau_v=0.6, omega=11.0, refr_T=1.0
    )
    link, clipped = explorer_link(neuron, 260.0)
    state = state_of(link)
    assert clipped == []
    assert (state["pattern"], state["stimulus"], state["duration"]) == ("tonic_spiking", "step", "1000")
    values = {name.removeprefix("amat."): float(value) for name, value in state.items() if name.startswith("amat.")}
    amplitude = values.pop("amplitude")
    assert set(values) == {*SLIDERS["amat"], "C_m", "refr_T"}
    page = find_trial("tonic_spiking", "amat").neuron.parameters.replace(**values)
    step = np.ones((1, 5000))
    zeros = 0 * step
    shown, expected = (
        integrate([p], current * step, zeros, zeros, 0.2).spike_steps[0]
        for p, current in ((page, amplitude), (neuron, 260.0))
    )
    assert len(expected) > 5
    np.testing.assert_array_equal(shown, expected)


def test_a_link_names_what_the_explorer_refuses():
    link, clipped = explorer_link(AmatParameters(alpha_1=190.0, tau_v=0.05), 1e5)
    state = state_of(link)
    assert len(clipped) == 3
    assert "alpha_1 = 190 is outside the explorer's range from -150 to 150" in clipped
    assert (state["amat.alpha_1"], state["amat.tau_v"], state["amat.amplitude"]) == ("150", "0.1", "1500")
