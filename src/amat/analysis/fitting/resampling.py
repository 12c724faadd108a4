# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Bootstrap over blocks of time, with intervals that are wide enough when there are few blocks.

Percentiles of a bootstrap are too close to each other by a factor of sqrt(1 - 1/n) for n blocks, and they are those of
a normal distribution where Student's t holds. Expanded percentiles correct for both.

References
----------
.. [1] Hesterberg TC (2015). What teachers should know about the bootstrap. The American Statistician 69:371-386.
   doi:10.1080/00031305.2015.1089789
"""

import math

import numpy as np
from scipy import special

from amat.arrays import Floats, Integers

__all__ = ["block_length", "draw_blocks", "percentile_interval"]

#: Blocks are this long in ms, or shorter such that there are at least so many.
_LONGEST, _FEWEST = 1000.0, 20


def block_length(window: tuple[float, float]) -> float:
    """Return the length in ms of the blocks in a window: 1 s, or a twentieth of a window that is shorter than 20 s."""
    return min(_LONGEST, (window[1] - window[0]) / _FEWEST)


def draw_blocks(blocks: int, samples: int, seed: int | np.random.Generator) -> Integers:
    """Draw blocks with replacement.

    Parameters
    ----------
    blocks, samples : int
    seed : int or Generator

    Returns
    -------
    ndarray of int, shape (samples, blocks)
        How many times each sample contains each block.
    """
    drawn: Integers = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), samples)
    return drawn


def percentile_interval(values: Floats, blocks: int) -> tuple[float, float]:
    """Return the 95 % interval between expanded percentiles of bootstrap samples.

    Parameters
    ----------
    values : ndarray, shape (samples,)
        Those that are not finite are left out.
    blocks : int
        Number of blocks that the samples were drawn from.

    Returns
    -------
    low, high : float
        NaN if there are fewer than two blocks or no finite value.
    """
    kept = values[np.isfinite(values)]
    if blocks < 2 or not len(kept):
        return math.nan, math.nan
    tail = special.ndtr(math.sqrt(blocks / (blocks - 1)) * special.stdtrit(blocks - 1, 0.025))
    low, high = np.quantile(kept, [tail, 1 - tail])
    return float(low), float(high)
