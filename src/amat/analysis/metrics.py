# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measures of spike trains: elephant's where available, and others."""

from collections.abc import Mapping

import numpy as np

from amat.arrays import Floats

__all__ = ["KINDS", "MEASURES", "STEADY_PART", "classify", "interval_cv", "measure_train", "split_bursts"]


#: Intervals between bursts are more than this many times those within.
BURST_GAP = 2.0
#: Largest ratio of intervals of a regular train.
REGULAR = 1.2
#: Smallest ratio by which intervals grow with adaptation.
CHANGED = 1.5
#: Last part of the time that CV and CV2 are of: adaptation to the onset is no irregularity.
STEADY_PART = 0.5

#: Kinds of responses that `classify` distinguishes.
KINDS = (
    "silent",
    "phasic spiking",
    "phasic bursting",
    "tonic spiking",
    "adapting",
    "mixed mode",
    "tonic bursting",
    "irregular",
)

#: Units of the values of `measure_train`; 1 for dimensionless numbers.
MEASURES: Mapping[str, str] = {
    "spikes": "1",
    "rate": "1/s",
    "latency": "ms",
    "cv": "1",
    "cv2": "1",
    "adaptation_index": "1",
    "burst_index": "1",
}


def split_bursts(spikes: Floats) -> list[Floats]:
    """Split a train into bursts, and single spikes as bursts of one.

    With the intervals sorted by length, the largest factor from one to the next separates short from long intervals if
    it is more than `BURST_GAP`; otherwise the train is one part.

    Parameters
    ----------
    spikes : ndarray, shape (spikes,)
        Ascending.

    Returns
    -------
    list of ndarray
    """
    intervals = np.diff(spikes)
    if not len(intervals):
        return [spikes] if len(spikes) else []
    ordered = np.sort(intervals)
    factors = ordered[1:] / ordered[:-1]
    if not len(factors) or factors.max() <= BURST_GAP:
        return [spikes]
    return np.split(spikes, np.flatnonzero(intervals > ordered[factors.argmax()]) + 1)


def classify(spikes: Floats, duration: float) -> str:
    """Classify the response to a current that is on from time zero to the end.

    Parameters
    ----------
    spikes : ndarray, shape (spikes,)
        In ms, ascending.
    duration : float
        In ms.

    Returns
    -------
    str
        One of `KINDS`. Phasic is a train that ends in the first half of the time. One that goes on is bursting if it
        falls into bursts of two or more spikes, the last of which may be cut off; mixed if a burst of three or more is
        followed by single spikes; adapting if no interval is shorter than the one before by more than a hundredth, and
        the last is at least `CHANGED` times the first; tonic if the later half of its intervals are equal to within a
        factor of `REGULAR`; and otherwise irregular.
    """
    if not len(spikes):
        return "silent"
    if spikes[-1] < 0.5 * duration:
        return "phasic spiking" if len(spikes) == 1 else "phasic bursting"
    if len(spikes) < 4:
        return "irregular" if len(spikes) > 1 else "phasic spiking"
    sizes = [len(part) for part in split_bursts(spikes)]
    if len(sizes) > 1:
        if min(sizes[:-1]) >= 2:
            return "tonic bursting"
        if sizes[0] >= 3 and max(sizes[1:]) == 1:
            return "mixed mode"
        if max(sizes) > 2 or sizes[0] == 1:
            return "irregular"
        # The others begin with one short interval, like a train that adapts quickly.
    intervals = np.diff(spikes)
    if (intervals[1:] >= 0.99 * intervals[:-1]).all() and intervals[-1] >= CHANGED * intervals[0]:
        return "adapting"
    later = intervals[len(intervals) // 2 :]
    return "tonic spiking" if later.max() <= REGULAR * later.min() else "irregular"


def measure_train(spikes: Floats, duration: float) -> dict[str, float]:
    """Measure the response to a current that is on from time zero to the end.

    Parameters
    ----------
    spikes : ndarray, shape (spikes,)
        In ms, ascending.
    duration : float
        In ms.

    Returns
    -------
    dict
        By the names of `MEASURES`: the number of spikes; the mean rate; the latency of the first spike; the
        coefficients of variation CV and CV2 of the intervals in the last `STEADY_PART` of the time (elephant's); the
        adaptation index, the mean of the relative differences ``(b - a) / (b + a)`` of successive intervals a and b;
        and the burst index, the part of the spikes that are in bursts of two or more, 0 if the train does not consist
        of bursts. NaN where there are too few spikes.
    """
    from elephant.statistics import cv2

    steady = spikes[spikes >= (1.0 - STEADY_PART) * duration]
    intervals = np.diff(spikes)
    parts = split_bursts(spikes)
    in_bursts = sum(len(part) for part in parts if len(part) >= 2) if len(parts) > 1 else 0
    changes = (intervals[1:] - intervals[:-1]) / (intervals[1:] + intervals[:-1])
    enough = len(intervals) >= 2
    return {
        "spikes": len(spikes),
        "rate": 1e3 * len(spikes) / duration,
        "latency": float(spikes[0]) if len(spikes) else np.nan,
        "cv": interval_cv(steady),
        "cv2": float(cv2(np.diff(steady))) if len(steady) > 2 else np.nan,
        "adaptation_index": float(changes.mean()) if enough else np.nan,
        "burst_index": in_bursts / len(spikes) if len(spikes) else np.nan,
    }


def interval_cv(spikes: Floats) -> float:
    """Return the coefficient of variation of all intervals of a train, NaN if there are less than two.

    Parameters
    ----------
    spikes : ndarray, shape (spikes,)
        In ms, ascending: of stationary firing, without an onset.
    """
    from elephant.statistics import cv

    intervals = np.diff(spikes)
    return float(cv(intervals)) if len(intervals) >= 2 else np.nan
