# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measures of locking to a rhythm: n:m patterns, vector strength with Rayleigh's test, and reliability.

A neuron is locked n:m if its spikes repeat themselves after n spikes and m cycles of the stimulus [1]_. `find_locking`
tests this for each spike, not for their mean number. SciPy has the vector strength, but not Rayleigh's test; neither
SciPy nor elephant has the correlation-based reliability of Schreiber et al.

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
from amat.checks import require_count
from amat.errors import AmatError

__all__ = ["cycle_window", "find_locking", "interval", "rayleigh_p", "reliability", "vector_strength"]


#: Length of the longest pattern in cycles of the stimulus, and minimal number of its repetitions.
MOST_CYCLES = 5
REPEATS = 3


def cycle_window(frequency: float, start: float, stop: float) -> tuple[float, int]:
    """Return the start of the longest window of whole cycles that ends at `stop`, in ms, and their number.

    Parameters
    ----------
    frequency : float
        In Hz.
    start, stop : float
        The earliest start of the window, and its end, in ms.

    Raises
    ------
    AmatError
        If there is no whole cycle.
    """
    # The tolerance is for rounding errors.
    cycles = math.floor((stop - start) * frequency * 1e-3 + 1e-9)
    if not cycles >= 1:
        raise AmatError(
            f"There is no whole cycle of {frequency:g} Hz from {start:g} to {stop:g} ms: simulate longer, or choose a "
            "higher frequency."
        )
    return stop - 1e3 * cycles / frequency, cycles


def find_locking(
    spikes: ArrayLike, frequency: float, cycles: int, tolerance: float, *, most_cycles: int = MOST_CYCLES
) -> tuple[int, int, float]:
    """Return the pattern n:m that spikes repeat: n spikes in m cycles of the stimulus, with the least m.

    For each m, n is the number of spikes in the m periods after the first spike, and spike ``i + n`` is expected m
    periods after spike ``i``. The train counts as locked if all spikes of each of the n places in the pattern stay
    within a band of `tolerance` around one phase. This allows for the small delays of spikes on a grid, which do not
    accumulate, but not for a drift that exceeds the band within the window.

    Patterns longer than `most_cycles` are not found, nor are those that the neuron is still approaching, as near the
    edges of a tongue. A pattern is found falsely if the rotation number is so near to n/m that the drift stays within
    the band: for a window of length W, at a relative distance below ``tolerance / W``. The pattern 2:2 differs from
    1:1 in that two unlike intervals alternate.

    Parameters
    ----------
    spikes : array_like, shape (spikes,)
        Spike times within the window, in ms, ascending.
    frequency : float
        Of the stimulus, Hz.
    cycles : int
        Cycles of the stimulus in the window, which must hold a pattern `REPEATS` times.
    tolerance : float
        Width of the band in ms: some steps of the grid.
    most_cycles : int
        Length of the longest pattern, in cycles of the stimulus.

    Returns
    -------
    n, m : int
        0 and 1 without spikes, 0 and 0 if no pattern is found.
    band : float
        The width of the pattern, ms; NaN without spikes or a pattern.
    """
    train = np.asarray(spikes, dtype=np.float64)
    if not len(train):
        return 0, 1, math.nan
    period = 1e3 / frequency
    for m in range(1, min(most_cycles, cycles // REPEATS) + 1):
        n = int(np.searchsorted(train, train[0] + m * period - tolerance))
        # The number of spikes in whole patterns, except for those cut off at either end of the window.
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
    """Return the p-value of vector strengths by Rayleigh's test: the phases are independent and uniform.

    With N spikes and R = N times the strength it is ``exp(sqrt(1 + 4 N + 4 (N^2 - R^2)) - (1 + 2 N))`` [3]_, which
    corrects the ``exp(-N strength^2)`` of large numbers. Spikes of one train are not independent. Those of a regular
    train that is not locked are spread more evenly than by chance, so that the test is conservative; with bursts it is
    not.

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
    """Return the reliability of spike trains: the mean correlation of all pairs, filtered with a Gaussian.

    It is the measure of Schreiber et al. [4]_ without the mean of each filtered train, so that trains that share only
    their rates give 0, and equal ones 1.

    Parameters
    ----------
    trains : sequence of array_like, shape (spikes,)
        Spike times in ms, at least two trains. A silent or nearly constant train has no correlation with others, and
        counts as 0.
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
    require_count("trains", len(trains))
    if not (start < stop and width > 0 and resolution > 0):
        raise AmatError(
            "The window must begin before it ends, and filter and bins must have positive widths, got "
            f"{start:g} to {stop:g} ms, {width:g} ms and {resolution:g} ms."
        )
    # A spike at the end of a step belongs to it; half a bin more allows for rounding errors.
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
        At least two. NaN are left out.

    Raises
    ------
    AmatError
        If there is only one.
    """
    known = np.asarray(values, dtype=np.float64)
    require_count("realisations", len(known))
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return (float(known[0]) if len(known) else math.nan), math.nan, math.nan
    mean = float(known.mean())
    half = float(stats.t.ppf(0.975, len(known) - 1) * stats.sem(known))
    return mean, mean - half, mean + half
