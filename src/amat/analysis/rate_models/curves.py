# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The static nonlinearity: rates under stationary input, working points on them, and depths of modulation."""

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


#: Rate at which neurons are compared, spikes/s.
TARGET = 10.0
#: Half-width, relative to the input rate, over which the slope of a stationary curve is measured.
_NEARBY = 0.15
#: Relative modulation of the output that the depths aim at: of sinusoids, and of natural input (standard deviation).
SINUSOID, NATURAL = 0.4, 0.6
#: Limits of the depths. A natural course goes to about three standard deviations.
_SHALLOWEST, _DEEPEST, _DEEPEST_NATURAL = 0.01, 0.5, 0.35
#: Modulation of the output that sinusoids of no frequency are to exceed; rates become negative beyond 1.
LARGEST = 0.8


class RateCurve:
    """The rate as a monotone function of the stationary input rate.

    Measured rates are pooled to the nearest sequence that does not fall (isotonic regression), and interpolated with
    monotone cubics; of rates at equal input the mean is taken. Outside of the measured range the curve is constant.

    Parameters
    ----------
    input_rates, rates : array_like, shape (points,)
        In spikes/s.
    weights : array_like, shape (points,), optional
        Of the measurements.

    Raises
    ------
    AmatError
        If there are fewer than two different input rates.
    """

    def __init__(self, input_rates: ArrayLike, rates: ArrayLike, weights: ArrayLike | None = None) -> None:
        x, place = np.unique(np.asarray(input_rates, dtype=np.float64), return_inverse=True)
        if len(x) < 2:
            raise AmatError(f"A curve of {len(x)} different input rates: two at least are needed.")
        w = np.ones(len(place)) if weights is None else np.asarray(weights, dtype=np.float64)
        total = np.bincount(place, weights=w)
        means = np.bincount(place, weights=w * np.asarray(rates, dtype=np.float64)) / total
        self.input_rates: Floats = x
        self.rates: Floats = isotonic_regression(means, weights=total).x
        self._interpolate = PchipInterpolator(x, self.rates)

    def __call__(self, input_rate: ArrayLike) -> Floats:
        """Return the rates for input rates, spikes/s."""
        inside = np.clip(np.asarray(input_rate, dtype=np.float64), self.input_rates[0], self.input_rates[-1])
        return np.asarray(self._interpolate(inside))

    def inverse(self, rate: float) -> float:
        """Return an input rate at which the curve has a rate between its lowest and its largest, spikes/s."""
        ends = float(self.input_rates[0]), float(self.input_rates[-1])
        return float(brentq(lambda x: float(self(x)) - rate, *ends))

    def slope(self, input_rate: float) -> float:
        """Return the logarithmic slope ``nu F' / F``, as a secant from 15 % below to 15 % above."""
        low, middle, high = self([input_rate * (1 - _NEARBY), input_rate, input_rate * (1 + _NEARBY)])
        return float((high - low) / (2 * _NEARBY * middle)) if middle > 0 else math.nan


def curve_of(curves: pd.DataFrame, model: str, pattern: str) -> RateCurve:
    """Return the curve of one neuron from the table of `amat.analysis.transfer.stationary_curves`.

    Of the table only input rates below the first at which half of the trials left for infinity are used.

    Raises
    ------
    AmatError
        If the table does not have the neuron, or too little of it.
    """
    part = curves[(curves["model"] == model) & (curves["pattern"] == pattern)].sort_values("input_rate_per_s")
    unstable = part["input_rate_per_s"][part["lost"] >= 0.5 * part["trials"]].min()
    part = part[~(part["input_rate_per_s"] >= unstable)]
    if len(part) < 2:
        raise AmatError(f"{len(part)} usable points in the curve of {pattern} of {model}: measure lower input rates.")
    # One Poisson event's worth of variance is added, so that a silent trial is not taken for certainty.
    variances = part["sem_per_s"].fillna(0.0) ** 2
    weights = 1.0 / (variances + variances[variances > 0].min() if (variances > 0).any() else variances + 1.0)
    return RateCurve(part["input_rate_per_s"], part["rate_per_s"], weights)


def find_working_points(curves: pd.DataFrame, *, target: float = TARGET) -> pd.DataFrame:
    """Return for each neuron the input rate at which it fires at the common rate.

    A neuron that fires faster than that with hardly any input is taken at 1.5 times its lowest rate, and one that does
    not reach it at half its largest.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `amat.analysis.transfer.stationary_curves`.
    target : float
        The common rate, spikes/s.

    Returns
    -------
    pandas.DataFrame
        One row a neuron: model, pattern, input_rate_per_s, expected_per_s (the rate there), reached ("yes", "above" or
        "below").

    Raises
    ------
    AmatError
        If the rate is not positive, or a neuron is silent throughout.
    """
    if not 0 < target < math.inf:
        raise AmatError(f"A rate of {target:g} spikes/s as working point: choose a positive one.")
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


def limit_depths(points: pd.DataFrame, pilot: pd.DataFrame, *, largest: float = LARGEST) -> pd.DataFrame:
    """Return working points with depths that modulate the output by no more than a given part at any frequency.

    Parameters
    ----------
    points : pandas.DataFrame
        From `add_depths`.
    pilot : pandas.DataFrame
        From `amat.analysis.transfer.modulated_responses` with a small depth, at frequencies where a resonance may be.
    largest : float
        Modulation of the output, relative to its mean.

    Raises
    ------
    AmatError
        If the modulation is not between 0 and 1.
    """
    if not 0 < largest < 1:
        raise AmatError(f"A modulation of the output by {largest:g}: choose more than 0 and less than 1.")
    gains = pilot.groupby(["model", "pattern"])["gain"].max()
    found = [gains.get((row.model, row.pattern), np.nan) for row in points.itertuples()]
    limits = largest / np.maximum(np.nan_to_num(np.asarray(found, dtype=np.float64)), 1e-9)
    return points.assign(depth=np.maximum(np.minimum(points["depth"], limits), _SHALLOWEST))


def local_rates(points: pd.DataFrame, count: int) -> list[Floats]:
    """Return input rates around working points, over the range of natural input and close to the point itself.

    Parameters
    ----------
    points : pandas.DataFrame
        From `find_working_points`.
    count : int
        An odd number, five at least.

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
        raise AmatError(f"{count} input rates around a working point: choose an odd number, 5 at least.")
    distances = np.geomspace(0.04, 3 * _DEEPEST_NATURAL, count // 2)
    # The furthest below would be negative.
    relative = np.concatenate([np.maximum(-distances[::-1], -0.98), [0.0], distances])
    return [rate * (1.0 + relative) for rate in points["input_rate_per_s"].to_numpy(dtype=np.float64)]


def add_depths(points: pd.DataFrame, local: pd.DataFrame) -> pd.DataFrame:
    """Return working points with slopes, and with depths that are to change the output by the same in every neuron.

    Parameters
    ----------
    points : pandas.DataFrame
        From `find_working_points`.
    local : pandas.DataFrame
        From `amat.analysis.transfer.stationary_curves` at `local_rates`, with inhibition held as at the working points.

    Returns
    -------
    pandas.DataFrame
        With the columns slope (logarithmic), depth (of sinusoids) and natural_depth (of natural input).
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
        natural_depth=np.clip(NATURAL / rising, _SHALLOWEST, _DEEPEST_NATURAL),
    )
