# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Activity of populations: rates, irregularity, correlation, and fingerprints of spikes."""

import hashlib
import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from amat.arrays import Floats, Integers

__all__ = ["FINGERPRINT", "Spikes", "correlation", "fingerprints", "interval_cvs", "measure_population"]

#: Width in ms of the bins of spike counts whose correlation is measured, and the number of neurons.
BIN, SUBSAMPLE = 2.0, 100
#: Intervals that a neuron must have to count in the mean coefficient of variation.
FEWEST_INTERVALS = 3
#: Model time in ms that a fingerprint covers.
FINGERPRINT = 100.0


class Spikes(NamedTuple):
    """Spikes of a population: the sender and the step of each."""

    senders: Integers
    steps: Integers


def interval_cvs(spikes: Spikes) -> Floats:
    """Return the coefficient of variation of the inter-spike intervals of each neuron with enough of them.

    Parameters
    ----------
    spikes : Spikes

    Returns
    -------
    numpy.ndarray, shape (n,)
        Standard deviation over mean, for neurons with three or more intervals.
    """
    order = np.lexsort((spikes.steps, spikes.senders))
    senders, steps = spikes.senders[order], spikes.steps[order]
    same = senders[1:] == senders[:-1]
    intervals, owner = np.diff(steps)[same].astype(float), senders[1:][same]
    _, neuron, counts = np.unique(owner, return_inverse=True, return_counts=True)
    mean = np.bincount(neuron, intervals) / counts
    square = np.bincount(neuron, (intervals - mean[neuron]) ** 2) / counts
    kept = counts >= FEWEST_INTERVALS
    cvs: Floats = np.sqrt(square[kept]) / mean[kept]
    return cvs


def correlation(spikes: Spikes, duration: float, resolution: float) -> float:
    """Return the mean correlation coefficient of the spike counts of pairs of neurons, in bins of 2 ms.

    Parameters
    ----------
    spikes : Spikes
        With steps from 1.
    duration, resolution : float
        In ms.

    Returns
    -------
    float
        Over all pairs of the first 100 neurons that spike; NaN with fewer than two.
    """
    width = round(BIN / resolution)
    bins = max(round(duration / resolution) // width, 1)
    neurons = np.unique(spikes.senders)[:SUBSAMPLE]
    kept = np.isin(spikes.senders, neurons) & (spikes.steps <= bins * width)
    counts = np.zeros((len(neurons), bins))
    np.add.at(counts, (np.searchsorted(neurons, spikes.senders[kept]), (spikes.steps[kept] - 1) // width), 1)
    counts = counts[counts.std(axis=1) > 0]
    if len(counts) < 2:
        return math.nan
    coefficients = np.corrcoef(counts)
    return float(coefficients[np.triu_indices(len(counts), 1)].mean())


def measure_population(spikes: Spikes, neurons: int, duration: float, resolution: float) -> dict[str, Any]:
    """Return the activity of a population.

    Parameters
    ----------
    spikes : Spikes
        With steps from 1.
    neurons : int
    duration, resolution : float
        In ms.

    Returns
    -------
    dict
        ``neurons``, ``rate`` (spikes/s of a neuron), ``cv`` and ``correlation``, which are None if undefined.
    """
    cvs = interval_cvs(spikes)
    coefficient = correlation(spikes, duration, resolution)
    return {
        "neurons": neurons,
        "rate": 1e3 * len(spikes.steps) / neurons / duration,
        "cv": float(cvs.mean()) if len(cvs) else None,
        "correlation": coefficient if math.isfinite(coefficient) else None,
    }


def fingerprints(populations: Sequence[Spikes], duration: float, resolution: float) -> list[str]:
    """Return a hash of all spikes in each 100 ms, which is equal for equal spikes in any order.

    Parameters
    ----------
    populations : sequence of Spikes
        With steps from 1.
    duration, resolution : float
        In ms.
    """
    senders = np.concatenate([spikes.senders for spikes in populations])
    steps = np.concatenate([spikes.steps for spikes in populations])
    order = np.lexsort((senders, steps))
    senders, steps = senders[order], steps[order]
    width = round(FINGERPRINT / resolution)
    edges = np.arange(0, math.ceil(duration / resolution / width) + 1) * width
    places = np.searchsorted(steps, edges, side="right")
    pairs = np.stack([steps, senders], axis=1).astype("<i8")
    return [hashlib.sha256(pairs[first:last].tobytes()).hexdigest()[:16] for first, last in itertools.pairwise(places)]
