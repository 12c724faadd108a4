# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Linear response of AMAT's rate to a modulation of its input, in a quasi-static approximation.

The mean and the variance of the distance from threshold follow the input's rate through exact linear filters
(`moments.ShotNoise`). The rate is assumed to follow them without delay, with its static gains. It follows the mean
slope, too: by Rice's formula, upward crossings of a constant threshold are ``p(theta) E[max(slope, 0)]``. Their
relative derivative by the mean slope is ``sqrt(pi / 2)`` over the slope's standard deviation. The slow part of the
threshold opposes both: it is the rate, filtered with `tau_2`, as in Benda and Herz's theory of adaptation [1]_.

References
----------
.. [1] Benda J, Herz AVM (2003). Neural Comput. 15:2523-2564. doi:10.1162/089976603322385063
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amat.analysis.rate_theory.intervals import interval_statistics
from amat.analysis.rate_theory.moments import ShotNoise
from amat.arrays import Complexes
from amat.errors import AmatError

__all__ = ["StaticGains", "relative_gain", "static_gains"]

#: Steps of the numerical derivatives: of the mean in standard deviations, and of the variance, relative.
_STEP = 0.05


@dataclass(frozen=True)
class StaticGains:
    """Derivatives of the stationary rate, with all adaptation.

    Attributes
    ----------
    rate : float
        In spikes/s.
    mean : float
        By the mean distance, spikes/s per mV.
    variance : float
        By the variance of the distance, spikes/s per mV^2.
    """

    rate: float
    mean: float
    variance: float


def static_gains(noise: ShotNoise, *, resolution: float | None = None) -> StaticGains:
    """Return the rate and its derivatives, from `intervals.interval_statistics` by central differences."""
    variance = noise.covariance("distance")
    step = _STEP * variance**0.5
    by_mean = [interval_statistics(noise, resolution=resolution, shift=sign * step).rate for sign in (1, -1)]
    by_variance = [interval_statistics(noise, resolution=resolution, scale=1 + sign * _STEP).rate for sign in (1, -1)]
    return StaticGains(
        interval_statistics(noise, resolution=resolution).rate,
        (by_mean[0] - by_mean[1]) / (2 * step),
        (by_variance[0] - by_variance[1]) / (2 * _STEP * variance),
    )


def relative_gain(
    noise: ShotNoise,
    frequencies: ArrayLike,
    *,
    modulated: Sequence[int] = (0,),
    resolution: float | None = None,
    gains: StaticGains | None = None,
) -> Complexes:
    """Return the relative modulation of the firing rate per relative modulation of the input's rate.

    Parameters
    ----------
    noise : ShotNoise
    frequencies : array_like, shape (frequencies,)
        In Hz.
    modulated : sequence of int
        The inputs of `noise` that are modulated, all with the same relative depth.
    resolution : float, optional
        As in `intervals.interval_statistics`.
    gains : StaticGains, optional
        If they are known already.

    Returns
    -------
    ndarray of complex, shape (frequencies,)

    Raises
    ------
    AmatError
        If the rate is zero, or an input does not exist.
    """
    unknown = [number for number in modulated if not 0 <= number < len(noise.inputs)]
    if unknown:
        raise AmatError(f"Input {unknown[0]} does not exist: choose from 0 to {len(noise.inputs) - 1}.")
    found = static_gains(noise, resolution=resolution) if gains is None else gains
    if not found.rate > 0:
        raise AmatError("A neuron without spikes has no relative gain: raise the rate of its input.")
    f = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
    rates = np.array([noise.inputs[number].rate for number in modulated])
    places = list(modulated)
    mean = rates @ noise.mean_filter(f, "distance")[places]
    variance = rates @ noise.variance_filter(f, "distance")[places]
    p = noise.parameters
    # Mean shift of the slow threshold in mV per spike/s. The static gain contains it: gain = open / (1 + feedback).
    slow = 1e-3 * p.alpha_2 * p.tau_2
    feedback = slow * found.mean / (1.0 - slow * found.mean)
    s = 2e-3j * np.pi * f * p.tau_2
    adaptation = (1.0 + feedback) * (1.0 + s) / (1.0 + s + feedback)
    static = (found.mean * mean + found.variance * variance) / found.rate
    slope = rates @ noise.mean_filter(f, "slope")[places]
    crossings = math.sqrt(0.5 * math.pi / noise.covariance("slope")) * slope
    return np.asarray(adaptation * static + crossings, dtype=np.complex128)
