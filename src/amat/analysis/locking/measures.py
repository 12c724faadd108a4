# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""How spikes follow a rhythm: rotation number, n:m locking, vector strength with Rayleigh's test, and reliability.

A neuron is locked n:m if its spikes repeat themselves after n spikes and m cycles of the stimulus [1]_. Whether they do
is asked of each spike, not of their mean number: see `find_locking`. SciPy has the vector strength, but neither
Rayleigh's test nor, like elephant, the correlation-based reliability of Schreiber et al.; these are here.

References
----------
.. [1] Farokhniaee A, Large EW (2017). Phys. Rev. E 95:062414. doi:10.1103/PhysRevE.95.062414
.. [2] Goldberg JM, Brown PB (1969). J. Neurophysiol. 32:613-636. doi:10.1152/jn.1969.32.4.613
.. [3] Zar JH (1999). Biostatistical Analysis, 4th ed., Prentice Hall: the approximation that the toolbox CircStat uses.
.. [4] Schreiber S, Fellous JM, Whitmer D, Tiesinga P, Sejnowski TJ (2003). Neurocomputing 52-54:925-931.
   doi:10.1016/S0925-2312(02)00838-X
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.ndimage import gaussian_filter1d
from scipy.signal import vectorstrength

from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["cycle_window", "find_locking", "interval", "rayleigh_p", "reliability", "vector_strength"]


#: The longest pattern that is looked for, in cycles of the stimulus, and how often it has to be seen.
MOST_CYCLES = 5
REPEATS = 3


def cycle_window(frequency: float, start: float, stop: float) -> tuple[float, int]:
    """Return the start of the longest window of whole cycles that ends at `stop`, in ms, and their number.

    Parameters
    ----------
    frequency : float
        In Hz.
    start, stop : float
        Where the window may begin, and where it ends, in ms.

    Raises
    ------
    AmatError
        If there is not one whole cycle.
    """
    # A cycle that fits but for rounding counts.
    cycles = math.floor((stop - start) * frequency * 1e-3 + 1e-9)
    if not cycles >= 1:
        raise AmatError(
            f"From {start:g} to {stop:g} ms there is no whole cycle of {frequency:g} Hz: simulate longer, or choose a "
            "higher frequency."
        )
    return stop - 1e3 * cycles / frequency, cycles


def find_locking(
    spikes: ArrayLike, frequency: float, cycles: int, tolerance: float, *, most_cycles: int = MOST_CYCLES
) -> tuple[int, int, float]:
    """Return the pattern n:m that spikes repeat: n spikes in m cycles of the stimulus, with the least m.

    For each m, n is the number of spikes until one comes m periods after the first, and spike ``i + n`` is expected m
    periods after spike ``i``. Where all spikes of each of the n places in the pattern stay within a band of `tolerance`
    around one phase, from the first to the last, the train counts as locked. So small lateness on a grid, which does
    not add up, is allowed, and a drift is not, however slow, if it exceeds the band within the window.

    It errs where the pattern is longer than `most_cycles` (not found); where the state is still approached, as near the
    edges of a tongue (not found); and where a rotation number lies so near to n/m that the drift over the window stays
    within the band, which for a window of length W is a relative distance below ``tolerance / W`` (falsely found).
    2:2 is another pattern than 1:1: two unlike intervals alternate.

    Parameters
    ----------
    spikes : array_like, shape (spikes,)
        Spike times within the window, in ms, ascending.
    frequency : float
        Of the stimulus, Hz.
    cycles : int
        Of the stimulus in the window; patterns that do not fit `REPEATS` times are not looked for.
    tolerance : float
        Width of the band in ms; some steps of the grid that spikes lie on.
    most_cycles : int
        The longest pattern that is looked for, in cycles of the stimulus.

    Returns
    -------
    n, m : int
        0 and 1 without spikes, 0 and 0 if no pattern is found.
    band : float
        The width that was needed, ms; NaN without spikes or a pattern.
    """
    train = np.asarray(spikes, dtype=np.float64)
    if not len(train):
        return 0, 1, math.nan
    period = 1e3 / frequency
    for m in range(1, min(most_cycles, cycles // REPEATS) + 1):
        n = int(np.searchsorted(train, train[0] + m * period - tolerance))
        # As many spikes as whole patterns have, but for those that a cut at either end of the window parts.
        if n < 1 or len(train) <= (REPEATS - 1) * n or abs(len(train) - n * cycles / m) > n + 1:
            continue
        phases = train - m * period * (np.arange(len(train)) // n)
        band = max(float(np.ptp(phases[place::n])) for place in range(n))
        if band <= tolerance:
            return n, m, band
    return 0, 0, math.nan


def vector_strength(spikes: ArrayLike, frequency: float) -> tuple[float, float]:
    """Return the vector strength of spikes at a frequency [2]_ and their mean phase, by SciPy.

    Parameters
    ----------
    spikes : array_like, shape (spikes,)
        In ms.
    frequency : float
        In Hz.

    Returns
    -------
    strength : float
        Between 0 and 1; NaN without spikes.
    phase : float
        In cycles, from 0 to 1; NaN without spikes.
    """
    train = np.asarray(spikes, dtype=np.float64)
    if not len(train):
        return math.nan, math.nan
    strength, phase = vectorstrength(train, 1e3 / frequency)
    return float(strength), float(phase) / (2 * np.pi) % 1.0


def rayleigh_p(strength: ArrayLike, count: ArrayLike) -> Floats:
    """Return the probability of a vector strength this large if phases were independent and uniformly distributed.

    With N spikes and R = N times the strength it is ``exp(sqrt(1 + 4 N + 4 (N^2 - R^2)) - (1 + 2 N))`` [3]_, which
    corrects the ``exp(-N strength^2)`` of large numbers. Spikes of one train are not independent: those of a regular
    train that is not locked spread more evenly than chance has it, so that the test then errs on the safe side; after
    bursts it does not.

    Parameters
    ----------
    strength : array_like
        Of one or more trains.
    count : array_like
        Their numbers of spikes.

    Returns
    -------
    ndarray
        NaN where there are no spikes.
    """
    n = np.asarray(count, dtype=np.float64)
    r = n * np.asarray(strength, dtype=np.float64)
    # Rounding may leave a strength just above 1.
    p = np.exp(np.sqrt(1.0 + 4.0 * n + 4.0 * np.maximum(n**2 - r**2, 0.0)) - (1.0 + 2.0 * n))
    return np.where(n > 0, np.minimum(p, 1.0), np.nan)


def reliability(trains: Sequence[ArrayLike], start: float, stop: float, *, width: float, resolution: float) -> float:
    """Return how alike the spike trains of trials are: the mean correlation of all pairs, filtered with a Gaussian.

    It is the measure of Schreiber et al. [4]_ with each filtered train's mean taken out, so that trains that have
    nothing in common but their rates give 0, and equal ones 1.

    Parameters
    ----------
    trains : sequence of array_like, shape (spikes,)
        Spike times in ms, two trains at least. One that is silent, or as good as constant, has no correlation with
        others, and counts with 0.
    start, stop : float
        Of the window, ms.
    width : float
        Standard deviation of the Gaussian, ms.
    resolution : float
        Width of the bins, ms.

    Raises
    ------
    AmatError
        If there are fewer than two trains, or the window or the filter is empty.
    """
    if len(trains) < 2:
        raise AmatError(f"{len(trains)} train: reliability takes two trials or more.")
    if not (start < stop and width > 0 and resolution > 0):
        raise AmatError(
            f"A window from {start:g} to {stop:g} ms, a filter of {width:g} ms and bins of {resolution:g} ms: "
            "choose a window that begins before it ends, and positive widths."
        )
    # A spike at the end of a step belongs to it, whatever rounding has made of it.
    edges = start + resolution * (np.arange(round((stop - start) / resolution) + 1) + 0.5)
    counts = np.array([np.histogram(np.asarray(train), edges)[0] for train in trains], dtype=np.float64)
    filtered = gaussian_filter1d(counts, width / resolution, axis=1, mode="constant")
    filtered -= filtered.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(filtered, axis=1, keepdims=True)
    # Without any spike there is nothing to normalise.
    units = np.divide(filtered, norms, out=np.zeros_like(filtered), where=norms > 1e-9)
    pairs = len(trains) * (len(trains) - 1)
    return float((np.square(units.sum(axis=0)).sum() - np.square(units).sum()) / pairs)


def interval(values: ArrayLike) -> tuple[float, float, float]:
    """Return the mean of independent realisations and the ends of its 95 % confidence interval, by Student's t.

    Parameters
    ----------
    values : array_like, shape (realisations,)
        Two at least. Those that are NaN are left out.

    Raises
    ------
    AmatError
        If there is only one.
    """
    known = np.asarray(values, dtype=np.float64)
    if len(known) < 2:
        raise AmatError(f"{len(known)} realisation has no interval: take two or more.")
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return (float(known[0]) if len(known) else math.nan), math.nan, math.nan
    mean = float(known.mean())
    half = float(stats.t.ppf(0.975, len(known) - 1) * stats.sem(known))
    return mean, mean - half, mean + half
