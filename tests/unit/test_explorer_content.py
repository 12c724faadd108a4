# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Data of the book's explorer."""

import pytest

from amat.analysis.patterns import trials
from amat.release.explorer.content import AMPLITUDES, DURATION, SLIDERS, SOURCES


@pytest.mark.parametrize("model", SOURCES)
def test_every_pattern_is_within_the_ranges_of_the_sliders(model):
    """The parameters, and the current relative to time zero, which is the amplitude of other stimuli."""
    low, high, _ = AMPLITUDES[model]
    for trial in trials(model).values():
        for name, (least, greatest, _) in SLIDERS[model].items():
            assert least <= trial.parameters[name] <= greatest, f"{trial.pattern}: {name}"
        waveform = trial.waveform()
        assert low <= (waveform - trial.current([0.0])[0]).min()
        assert high >= (waveform - trial.current([0.0])[0]).max()


@pytest.mark.parametrize("model", SOURCES)
def test_durations_are_whole_numbers_of_steps(model):
    for trial in trials(model).values():
        for duration in (DURATION[0], DURATION[2]):
            assert (duration / trial.resolution).is_integer(), trial.pattern
