# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the book's explorer is filled with."""

import pytest

from amat.analysis.patterns import trials
from amat.release.explorer.content import AMPLITUDES, DURATION, MODELS, SLIDERS


@pytest.mark.parametrize("model", MODELS)
def test_every_pattern_lies_within_the_sliders(model):
    """Parameters, and the current's distance from that at time zero: other shapes begin with that amplitude."""
    low, high, _ = AMPLITUDES[model]
    for trial in trials(model).values():
        for name, (least, greatest, _) in SLIDERS[model].items():
            assert least <= trial.parameters[name] <= greatest, f"{trial.pattern}: {name}"
        waveform = trial.waveform()
        assert low <= (waveform - trial.current([0.0])[0]).min()
        assert high >= (waveform - trial.current([0.0])[0]).max()


@pytest.mark.parametrize("model", MODELS)
def test_lengths_of_runs_are_whole_numbers_of_steps(model):
    for trial in trials(model).values():
        for duration in (DURATION[0], DURATION[2]):
            assert (duration / trial.resolution).is_integer(), trial.pattern
