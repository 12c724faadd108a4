# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Static nonlinearities: rates under stationary input, working points and depths of modulation."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq, isotonic_regression

from amat.arrays import Floats
from amat.errors import AmatError

__all__ = [
    "LARGEST",
    "SINUSOID",
    "TARGET",
    "RateCurve",
    "add_depths",
    "curve_of",
    "find_working_points",
    "limit_depths",
    "local_rates",
]


#: Firing rate at which neurons are compared, spikes/s.
TARGET = 10.0
#: Half-width of the secant that gives a curve's slope, relative to the input rate.
_NEARBY = 0.15
#: Intended relative modulation of the output by sinusoids, and by synthetic 1/f input (standard deviation).
SINUSOID, SYNTHETIC = 0.4, 0.6
#: Limits of the depths. Synthetic 1/f input reaches about three standard deviations.
_SHALLOWEST, _DEEPEST, _DEEPEST_SYNTHETIC = 0.01, 0.5, 0.35
#: Largest modulation of the output by a sinusoid of any frequency; rates become negative beyond 1.
LARGEST = 0.8


class RateCurve:
    """The firing rate as a non-decreasing function of the stationary input rate.

    Measured rates are averaged at equal input, pooled to the nearest non-decreasing sequence (isotonic regression) and
    interpolated by monotone cubics. Outside the measured range the curve is constant.

    Parameters
    ----------
    input_rates, rates : array_like, shape (points,)
        In spikes/s.
    weights : array_like, shape (points,), optional
        Weights of the measurements.

    Raises
    ------
    AmatError
        If there are fewer than two different input rates.
    """

    def __init__(self, input_rates: ArrayLike, rates: ArrayLike, weights: ArrayLike | None = None) -> None:
        x, place = np.unique(np.asarray(input_rates, dtype=np.float64), return_inverse=True)
        if len(x) < 2:
            raise AmatError(f"A curve needs at least two different input rates, got {len(x)}.")
        w = np.ones(len(place)) if weights is None else np.asarray(weights, dtype=np.float64)
        total = np.bincount(place, weights=w)
        means = np.bincount(place, weights=w * np.asarray(rates, dtype=np.float64)) / total
        self.input_rates: Floats = x
        self.rates: Floats = isotonic_regression(means, weights=total).x
        self._interpolate = PchipInterpolator(x, self.rates)

    def __call__(self, input_rate: ArrayLike) -> Floats:
        """Return the firing rates at input rates, all in spikes/s."""
        inside = np.clip(np.asarray(input_rate, dtype=np.float64), self.input_rates[0], self.input_rates[-1])
        return np.asarray(self._interpolate(inside))

    def inverse(self, rate: float) -> float:
        """Return an input rate that gives a rate between the curve's lowest and largest, all in spikes/s."""
        ends = float(self.input_rates[0]), float(self.input_rates[-1])
        # At the ends, rounding of the interpolated rates can hide the change of sign that the search needs.
        if rate <= float(self(ends[0])):
            return ends[0]
        if rate >= float(self(ends[1])):
            return ends[1]
        return float(brentq(lambda x: float(self(x)) - rate, *ends))

    def slope(self, input_rate: float) -> float:
        """Return the logarithmic slope ``nu F' / F`` by a secant from 15 % below to 15 % above the input rate."""
        low, middle, high = self([input_rate * (1 - _NEARBY), input_rate, input_rate * (1 + _NEARBY)])
        return float((high - low) / (2 * _NEARBY * middle)) if middle > 0 else math.nan


def curve_of(curves: pd.DataFrame, model: str, pattern: str) -> RateCurve:
    """Return the curve of one neuron from a table by `amat.analysis.transfer.stationary_curves`.

    The curve ends below the first input rate at which the potential diverged in half of the trials.

    Raises
    ------
    AmatError
        If the table has fewer than two usable points of the neuron.
    """
    part = curves[(curves["model"] == model) & (curves["pattern"] == pattern)].sort_values("input_rate_per_s")
    unstable = part["input_rate_per_s"][part["lost"] >= 0.5 * part["trials"]].min()
    part = part[~(part["input_rate_per_s"] >= unstable)]
    if len(part) < 2:
        raise AmatError(
            f"The curve of {pattern} of {model} has {len(part)} usable points, 2 are needed: measure lower input rates."
        )
    # The smallest positive variance is added, so that silent trials do not get infinite weight.
    variances = part["sem_per_s"].fillna(0.0) ** 2
    weights = 1.0 / (variances + variances[variances > 0].min() if (variances > 0).any() else variances + 1.0)
    return RateCurve(part["input_rate_per_s"], part["rate_per_s"], weights)


def find_working_points(curves: pd.DataFrame, *, target: float = TARGET) -> pd.DataFrame:
    """Return the input rate at which each neuron fires at the common rate.

    For a neuron that fires faster with hardly any input, the working point is at 1.5 times its lowest rate. For one
    that does not reach the common rate, it is at half of its largest.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `amat.analysis.transfer.stationary_curves`.
    target : float
        The common rate, spikes/s.

    Returns
    -------
    pandas.DataFrame
        One row per neuron: model, pattern, input_rate_per_s, expected_per_s (the firing rate there), reached ("yes",
        "above" or "below").

    Raises
    ------
    AmatError
        If the rate is not positive, or a neuron is silent throughout.
    """
    if not 0 < target < math.inf:
        raise AmatError(f"target must be a positive rate, got {target:g} spikes/s.")
    rows = []
    for model, pattern in curves[["model", "pattern"]].drop_duplicates().itertuples(index=False):
        curve = curve_of(curves, model, pattern)
        lowest, largest = curve.rates[0], curve.rates[-1]
        if not largest > 0:
            raise AmatError(
                f"{pattern} of {model} is silent up to an input of {curve.input_rates[-1]:g} spikes/s: measure higher "
                "input rates."
            )
        rate, reached = target, "yes"
        if lowest > 0.9 * target:
            rate, reached = min(1.5 * lowest, 0.5 * (lowest + largest)), "above"
        elif largest < target:
            rate, reached = 0.5 * largest, "below"
        rows.append(
            {
                "model": model,
                "pattern": pattern,
                "input_rate_per_s": curve.inverse(rate),
                "expected_per_s": rate,
                "reached": reached,
            }
        )
    return pd.DataFrame(rows)


def limit_depths(points: pd.DataFrame, pilot: pd.DataFrame) -> pd.DataFrame:
    """Return working points with depths that modulate the output by at most `LARGEST` at every frequency.

    Parameters
    ----------
    points : pandas.DataFrame
        From `add_depths`.
    pilot : pandas.DataFrame
        From `amat.analysis.transfer.modulated_responses` with a small depth, at frequencies of possible resonances.
    """
    gains = pilot.groupby(["model", "pattern"])["gain"].max()
    found = [gains.get((row.model, row.pattern), np.nan) for row in points.itertuples()]
    limits = LARGEST / np.maximum(np.nan_to_num(np.asarray(found, dtype=np.float64)), 1e-9)
    return points.assign(depth=np.maximum(np.minimum(points["depth"], limits), _SHALLOWEST))


def local_rates(points: pd.DataFrame, count: int) -> list[Floats]:
    """Return input rates around working points that cover the range of synthetic 1/f input, dense near the point.

    Parameters
    ----------
    points : pandas.DataFrame
        From `find_working_points`.
    count : int
        An odd number, at least 5.

    Returns
    -------
    list of ndarray, shape (count,)
        In spikes/s.

    Raises
    ------
    AmatError
        If the number is too small or even.
    """
    if count < 5 or count % 2 == 0:
        raise AmatError(f"count must be an odd number of at least 5, got {count}.")
    distances = np.geomspace(0.04, 3 * _DEEPEST_SYNTHETIC, count // 2)
    # Without the limit the lowest rate would be negative.
    relative = np.concatenate([np.maximum(-distances[::-1], -0.98), [0.0], distances])
    return [rate * (1.0 + relative) for rate in points["input_rate_per_s"].to_numpy(dtype=np.float64)]


def add_depths(points: pd.DataFrame, local: pd.DataFrame) -> pd.DataFrame:
    """Return working points with slopes, and with depths that modulate the output of all neurons alike.

    Parameters
    ----------
    points : pandas.DataFrame
        From `find_working_points`.
    local : pandas.DataFrame
        From `amat.analysis.transfer.stationary_curves` at `local_rates`, with the working points' inhibition.

    Returns
    -------
    pandas.DataFrame
        With the columns slope (logarithmic), depth (of sinusoids) and synthetic_depth (of synthetic 1/f input).
    """
    slopes = np.array(
        [
            curve_of(local, str(row.model), str(row.pattern)).slope(float(row.input_rate_per_s))  # type: ignore[arg-type]
            for row in points.itertuples()
        ]
    )
    rising = np.maximum(slopes, 1e-9)
    return points.assign(
        slope=slopes,
        depth=np.clip(SINUSOID / rising, _SHALLOWEST, _DEEPEST),
        synthetic_depth=np.clip(SYNTHETIC / rising, _SHALLOWEST, _DEEPEST_SYNTHETIC),
    )
