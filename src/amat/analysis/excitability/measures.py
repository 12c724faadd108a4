# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measures of the response to a step of current: rates at its onset and at its end, and classes of excitability."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats
from amat.checks import require_duration
from amat.errors import AmatError

__all__ = [
    "FALL",
    "FAR",
    "NEAR",
    "PHASIC_BAND",
    "STEADY_PART",
    "OnsetType",
    "StepResponse",
    "SustainedType",
    "classify_onset",
    "classify_sustained",
    "measure_step",
]


OnsetType = Literal["class 1", "class 2", "phasic"]
SustainedType = Literal["class 1", "class 2", "none"]

#: Distances beyond the least of sustained firing at which rates are compared, relative to that distance from rest.
NEAR, FAR = 1e-4, 1e-2
#: Ratio of the rate at `NEAR` to that at `FAR` below which the rate counts as going to zero.
FALL = 0.65
#: The onset is phasic if spikes at the step's onset alone come over a range larger than this, relative to the same.
PHASIC_BAND = 0.1

#: Part of a step, at its end, in which the steady state is measured.
STEADY_PART = 0.5


@dataclass(frozen=True)
class StepResponse:
    """Measures of the spikes under a step of current.

    Attributes
    ----------
    spikes : int
        Number of spikes.
    onset_rate : float
        Inverse of the first interval, spikes/s; 0 with fewer than two spikes.
    steady_rate : float
        Mean rate at the end of the step, spikes/s; 0 if firing has ended, or is too slow to be seen.
    relative_adaptation : float
        ``1 - steady_rate / onset_rate``: 0 without adaptation, 1 if firing ends, negative if the rate grows. In a
        burster it compares the mean rate with that within the first burst. NaN with fewer than two spikes.
    """

    spikes: int
    onset_rate: float
    steady_rate: float
    relative_adaptation: float


def measure_step(spike_times: ArrayLike, duration: float, part: float = STEADY_PART) -> StepResponse:
    """Measure a response to a step of current that begins at time zero.

    The steady state is measured by the intervals that end in the last part of the step. Where the longest is more than
    twice another, spikes come in bursts: the rate is that from the end of the first long interval to that of the last,
    if there are two. Firing counts as ended if the silence at the end is longer than 1.5 times the longest interval. A
    neuron whose interval is longer than the last part may therefore be taken for silent, and one that does not spike
    twice in a step always is.

    Parameters
    ----------
    spike_times : array_like, shape (spikes,)
        In ms, ascending, from 0 to `duration`.
    duration : float
        Of the step, ms.
    part : float
        Length of the last part relative to the step, above 0 and up to 1.

    Raises
    ------
    AmatError
        If `duration` or `part` is out of its range.
    """
    require_duration(duration)
    if not 0 < part <= 1:
        raise AmatError(f"The last part must be more than 0 and at most 1, got {part:g}.")
    spikes = np.asarray(spike_times, dtype=np.float64)
    if len(spikes) < 2:
        return StepResponse(len(spikes), 0.0, 0.0, math.nan)
    onset_rate = 1e3 / float(spikes[1] - spikes[0])
    steady_rate = _steady_rate(spikes, (1.0 - part) * duration, duration)
    return StepResponse(len(spikes), onset_rate, steady_rate, 1.0 - steady_rate / onset_rate)


def _steady_rate(spikes: Floats, start: float, stop: float) -> float:
    """Return the rate in spikes/s from the intervals that end in an epoch, or 0 if firing ends in it."""
    inside = int(np.searchsorted(spikes, start, side="right"))
    train = spikes[max(0, inside - 1) :]
    intervals = np.diff(train)
    if not len(intervals) or stop - train[-1] > 1.5 * intervals.max():
        return 0.0
    gaps = np.flatnonzero(intervals > 0.5 * intervals.max()) + 1
    if len(gaps) >= 2:
        train = train[gaps[0] : gaps[-1] + 1]
    return 1e3 * (len(train) - 1) / float(train[-1] - train[0])


def classify_sustained(near_rate: float, far_rate: float) -> SustainedType:
    """Classify how sustained firing begins, by `FALL`.

    Parameters
    ----------
    near_rate, far_rate : float
        Steady-state rates at `NEAR` and `FAR` beyond the least current of sustained firing, spikes/s; NaN if there is
        none.

    Raises
    ------
    AmatError
        If there is sustained firing, but none at `FAR`: the rate does not grow with the current.
    """
    if math.isnan(far_rate):
        return "none"
    if not far_rate > 0:
        raise AmatError(
            f"The rate at {FAR:g} beyond the least current of sustained firing must be positive, got {far_rate:g} "
            "spikes/s: firing ends as the current grows. Simulate longer, or choose another neuron."
        )
    return "class 1" if near_rate / far_rate < FALL else "class 2"


def classify_onset(phasic_band: float, sustained: SustainedType) -> OnsetType:
    """Classify how firing begins: with spikes at the step's onset alone, or as sustained firing does.

    Parameters
    ----------
    phasic_band : float
        Range of currents that elicit spikes but no sustained firing, relative to the least of the latter; 1 if there
        is none.
    sustained : {"class 1", "class 2", "none"}
        How sustained firing begins.
    """
    return "phasic" if sustained == "none" or phasic_band > PHASIC_BAND else sustained
