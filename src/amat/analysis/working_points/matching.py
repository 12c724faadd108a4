# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Pairs of neurons or working points that agree in one measure, compared in another."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.stats import t

from amat.arrays import Floats, Integers
from amat.checks import require_positive
from amat.errors import AmatError

__all__ = ["cluster_interval", "compare_matched", "jackknife_interval", "match", "match_working_points"]

#: Cost of a pair that is not allowed.
_FORBIDDEN = 1e6


def match(costs: ArrayLike, *, largest: float = math.inf) -> tuple[Integers, Integers]:
    """Return one-to-one pairs: as many as are allowed, with the least sum of costs.

    Parameters
    ----------
    costs : array_like, shape (first, second)
        Costs of pairs, not negative; those that are NaN or above `largest` are not allowed.
    largest : float
        The caliper.

    Returns
    -------
    first, second : ndarray of int, shape (pairs,)
    """
    values = np.asarray(costs, dtype=np.float64)
    allowed = np.isfinite(values) & (values <= largest)
    rows, columns = linear_sum_assignment(np.where(allowed, np.where(allowed, values, 0.0), _FORBIDDEN))
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def compare_matched(
    matching: ArrayLike,
    outcome: ArrayLike,
    *,
    largest: float = math.inf,
    n_resamples: int = 10_000,
    seed: int = 1,
) -> dict[str, float]:
    """Match neurons of two models in one distance, and compare their other distance with that of shuffled pairs.

    If neurons that agree in the first measure also agree in the second, matched pairs have a smaller distance than
    pairs of the same neurons in random order, which are the null hypothesis.

    Parameters
    ----------
    matching, outcome : array_like, shape (first, second)
        Distances by which neurons are matched, and are compared.
    largest : float
        Largest distance of matched neurons.
    n_resamples : int
        Number of random orders, and of bootstrap samples of pairs.
    seed : int

    Returns
    -------
    dict
        ``pairs``; ``matching``, the median distance by which they were matched; ``outcome``, ``low``, ``high``, the
        median distance to compare and its 95 % interval; ``shuffled``, the same of random pairs; ``difference``,
        ``difference_low``, ``difference_high``, of matched less shuffled; ``delta``, Cliff's delta (probability that a
        random pair is further apart than a matched one, less the opposite: 1 if matching decides all, 0 if nothing);
        ``p``, the part of random orders with at most the median of the matched pairs.

    Raises
    ------
    AmatError
        If there are fewer than three pairs.
    """
    other = np.asarray(outcome, dtype=np.float64)
    distances = np.where(np.isfinite(other), np.asarray(matching, dtype=np.float64), np.nan)
    first, second = match(distances, largest=largest)
    if len(first) < 3:
        raise AmatError(f"At least 3 pairs are needed, got {len(first)}: allow a larger distance than {largest:g}.")
    random = np.random.default_rng(seed)
    block = other[np.ix_(first, second)]
    matched, size = np.diag(block), len(first)
    off = block[~np.eye(size, dtype=bool)]
    off = off[np.isfinite(off)]
    orders = np.stack([random.permutation(size) for _ in range(n_resamples)])
    medians = np.nanmedian(block[np.arange(size), orders], axis=1)
    resampled = np.median(matched[random.integers(size, size=(n_resamples, size))], axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    shuffled = float(np.median(medians))
    larger = float(np.mean(off[:, np.newaxis] > matched) - np.mean(off[:, np.newaxis] < matched))
    middle = float(np.median(matched))
    return {
        "pairs": size,
        "matching": float(np.median(distances[first, second])),
        "outcome": middle,
        "low": float(low),
        "high": float(high),
        "shuffled": shuffled,
        "difference": middle - shuffled,
        "difference_low": float(low) - shuffled,
        "difference_high": float(high) - shuffled,
        "delta": larger,
        "p": float((1 + np.sum(medians <= middle + 1e-12)) / (1 + n_resamples)),
    }


def match_working_points(table: pd.DataFrame, *, caliper: float = 0.1, rate_tolerance: float = 0.2) -> pd.DataFrame:
    """Pair working points of the two models at the same nominal rate that agree in CV.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per working point: model ("amat" or "izhikevich"), pattern, rate (nominal), rate_per_s, cv, value.
    caliper : float
        Largest difference of the CVs in a pair.
    rate_tolerance : float
        Largest difference of the logarithms of the measured rates.

    Returns
    -------
    pandas.DataFrame
        One row per pair: rate, amat and izhikevich (patterns), cv_amat, cv_izhikevich, value_amat, value_izhikevich,
        difference (AMAT less Izhikevich).
    """
    require_positive("caliper", caliper)
    require_positive("rate_tolerance", rate_tolerance)
    rows = []
    for rate, part in table.dropna(subset=["cv", "value", "rate_per_s"]).groupby("rate"):
        a, b = (part[part["model"] == model].reset_index(drop=True) for model in ("amat", "izhikevich"))
        if not len(a) or not len(b):
            continue
        costs = np.abs(np.subtract.outer(a["cv"].to_numpy(), b["cv"].to_numpy()))
        apart = np.abs(np.subtract.outer(np.log(a["rate_per_s"].to_numpy()), np.log(b["rate_per_s"].to_numpy())))
        for i, j in zip(*match(np.where(apart <= rate_tolerance, costs, np.nan), largest=caliper), strict=True):
            x, y = a.loc[int(i)], b.loc[int(j)]
            rows.append(
                {
                    "rate": rate,
                    "amat": x["pattern"],
                    "izhikevich": y["pattern"],
                    "cv_amat": x["cv"],
                    "cv_izhikevich": y["cv"],
                    "value_amat": x["value"],
                    "value_izhikevich": y["value"],
                    "difference": x["value"] - y["value"],
                }
            )
    names = ["rate", "amat", "izhikevich", "cv_amat", "cv_izhikevich", "value_amat", "value_izhikevich", "difference"]
    return pd.DataFrame(rows, columns=names)


def cluster_interval(
    table: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    cluster: str,
    *,
    n_resamples: int = 1000,
    seed: int = 1,
) -> tuple[float, float, float]:
    """Return a statistic of a table and its 95 % interval over clusters, by a bootstrap that resamples these.

    Parameters
    ----------
    table : pandas.DataFrame
    statistic : callable
        Function of a table.
    cluster : str
        Column whose values name the clusters, such as the neurons that occur at several working points.
    n_resamples, seed : int

    Returns
    -------
    value, low, high : float
        NaN without rows; the bounds are NaN with fewer than three clusters.
    """
    if not len(table):
        return math.nan, math.nan, math.nan
    parts = [part for _, part in table.groupby(cluster)]
    if len(parts) < 3:
        return float(statistic(table)), math.nan, math.nan
    random = np.random.default_rng(seed)
    sample = [
        statistic(pd.concat([parts[k] for k in random.integers(len(parts), size=len(parts))]))
        for _ in range(n_resamples)
    ]
    low, high = np.nanquantile(sample, [0.025, 0.975])
    return float(statistic(table)), float(low), float(high)


def jackknife_interval(value: float, left_out: Floats) -> tuple[float, float]:
    """Return the 95 % interval of a statistic over seeds from its values with each seed left out.

    Parameters
    ----------
    value : float
        The statistic of all seeds.
    left_out : ndarray, shape (seeds,)
        NaN are omitted.

    Returns
    -------
    low, high : float
        NaN if there are fewer than two values.
    """
    values = left_out[np.isfinite(left_out)]
    n = len(values)
    if n < 2:
        return math.nan, math.nan
    error = math.sqrt((n - 1) / n * float(np.sum((values - values.mean()) ** 2)))
    width = float(t.ppf(0.975, n - 1)) * error
    return value - width, value + width
