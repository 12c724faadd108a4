# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""An index of n:m locking that is 1 for every train that repeats n spikes in m cycles, and its null distribution.

The phase of the neuron grows by 1 from spike to spike, linearly in between [2]_. It is read at the same phases of the
stimulus, m cycles apart. If n spikes recur every m cycles, it has grown by n, whatever the intervals between them. The
index is the length of the mean vector of this phase divided by n, averaged over the phases of the stimulus. This is
the index of conditional probability of n:m synchronisation [1]_, with single phases of the stimulus in place of bins.

References
----------
.. [1] Tass P, Rosenblum MG, Weule J, Kurths J, Pikovsky A, Volkmann J, Schnitzler A, Freund HJ (1998). Phys. Rev.
   Lett. 81:3291-3294. doi:10.1103/PhysRevLett.81.3291
.. [2] Pikovsky A, Rosenblum M, Kurths J (2001). Synchronization. Cambridge University Press.
   doi:10.1017/CBO9780511755743
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from amat.analysis.locking.measures import MOST_CYCLES
from amat.arrays import Floats
from amat.checks import require_count, require_positive

__all__ = ["locking_index", "null_indices", "strongest_pattern"]

#: Phases of the stimulus in a cycle at which the neuron's phase is read.
_PHASES = 16
#: Least number of times that a phase is read: of fewer, any train has a large index.
_LEAST = 5


def locking_index(spikes: ArrayLike, frequency: float, n: int, m: int) -> float:
    """Return the index of n:m locking of a train.

    Parameters
    ----------
    spikes : array_like, shape (spikes,)
        In ms, ascending.
    frequency : float
        Of the stimulus, Hz.
    n, m : int
        Spikes in a pattern, and its cycles of the stimulus; at least 1.

    Returns
    -------
    float
        From 0 to 1: 1 if the train repeats after n spikes and m cycles. NaN if it lasts for less than five patterns.

    Raises
    ------
    AmatError
        If the frequency is not positive, or n or m is less than 1.
    """
    require_positive("The frequency", frequency, "Hz")
    require_count("spikes in a pattern", n, 1)
    require_count("cycles in a pattern", m, 1)
    train = np.asarray(spikes, dtype=np.float64)
    if len(train) < 2:
        return math.nan
    cycle = 1e3 / frequency
    patterns = math.floor((train[-1] - train[0]) / (m * cycle) + 1e-9)
    if patterns < _LEAST:
        return math.nan
    # The first reading of each phase is in the first pattern, so that all phases have the same number of readings.
    first = train[0] + cycle / _PHASES * np.arange(m * _PHASES)
    times = np.add.outer(m * cycle * np.arange(patterns), first)
    phases = np.interp(times, train, np.arange(len(train), dtype=np.float64))
    return float(np.abs(np.exp(2j * np.pi / n * phases).mean(axis=0)).mean())


def strongest_pattern(spikes: ArrayLike, frequency: float, *, most_cycles: int = MOST_CYCLES) -> tuple[int, int, float]:
    """Return the pattern n:m with the largest index, of those whose n is the nearest to m times the rotation number.

    Parameters
    ----------
    spikes, frequency
        As in `locking_index`.
    most_cycles : int
        Cycles of the longest pattern.

    Returns
    -------
    n, m : int
        In lowest terms; 0 and 0 for trains that are too short.
    index : float
        NaN for those.
    """
    require_count("cycles in a pattern", most_cycles, 1)
    train = np.asarray(spikes, dtype=np.float64)
    best = (0, 0, math.nan)
    if len(train) < 2:
        return best
    rotation = 1e3 / frequency * (len(train) - 1) / (train[-1] - train[0])
    for m in range(1, most_cycles + 1):
        n = max(1, round(m * rotation))
        if math.gcd(n, m) > 1:
            continue
        index = locking_index(train, frequency, n, m)
        # Longer patterns have to be better by more than rounding errors.
        if not math.isnan(index) and not index <= best[2] + 1e-9:
            best = (n, m, index)
    return best


def null_indices(
    spikes: ArrayLike, frequency: float, *, surrogates: int = 40, seed: int = 1, most_cycles: int = MOST_CYCLES
) -> Floats:
    """Return the largest indices of trains with the same intervals in random order.

    They have the train's rate and variation of intervals, but no interval corrects the phase that the ones before it
    left. A train that is locked in noise has a larger index than they have. If all intervals are equal, surrogates
    equal the train, and this null has no power.

    Parameters
    ----------
    spikes, frequency, most_cycles
        As in `strongest_pattern`.
    surrogates : int
        Number of surrogates.
    seed : int
        Of the order.

    Returns
    -------
    ndarray, shape (surrogates,)
        NaN for trains that are too short.
    """
    require_count("surrogates", surrogates, 1)
    train = np.asarray(spikes, dtype=np.float64)
    if len(train) < 2:
        return np.full(surrogates, np.nan)
    random, intervals = np.random.default_rng(seed), np.diff(train)
    found = np.empty(surrogates)
    for number in range(surrogates):
        shuffled = train[0] + np.concatenate([[0.0], np.cumsum(random.permutation(intervals))])
        found[number] = strongest_pattern(shuffled, frequency, most_cycles=most_cycles)[2]
    return found
