# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Data of the book's explorer."""

import pytest

from amat.analysis.patterns import load_trials
from amat.release.explorer.content import AMPLITUDES, DURATION, SLIDERS, SOURCES


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
