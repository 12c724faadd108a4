# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The linear filter: low-pass and band-pass, fitted to transfer functions and compared."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import least_squares

from amat.arrays import Floats
from amat.errors import AmatError

__all__ = [
    "TOLERANCE",
    "FilterFit",
    "FilterKind",
    "compare_filters",
    "fit_filter",
    "group_responses",
]

Complexes = NDArray[np.complex128]

FilterKind = Literal["low-pass", "band-pass"]
#: A filter that is right to this part of the largest gain is right: smaller errors than that are not weighted more.
TOLERANCE = 0.02
#: Delays that are tried, ms, and the largest that is allowed.
_DELAYS, _LONGEST = (0.0, 2.0), 10.0
#: Range of corner frequencies, Hz, and of the quality Q.
_CORNERS, _QUALITIES = (0.05, 5000.0), (0.05, 4.0)


@dataclass(frozen=True)
class FilterFit:
    """A filter that was fitted.

    Attributes
    ----------
    kind : {"low-pass", "band-pass"}
    gain, zero : float
        G, and B of the numerator in s (0 for the low-pass).
    corner : float
        f_c or f_0, Hz.
    quality : float
        Q (NaN for the low-pass).
    delay : float
        ms.
    chi2 : float
        Sum of squared errors over variances.
    aicc, bic : float
        Akaike's criterion, corrected for the sample's size, and the Bayesian one, for errors of known variance.
    """

    kind: FilterKind
    gain: float
    zero: float
    corner: float
    quality: float
    delay: float
    chi2: float
    aicc: float
    bic: float

    def __call__(self, frequencies: ArrayLike) -> Complexes:
        """Return the transfer function at frequencies in Hz."""
        f = np.asarray(frequencies, dtype=np.float64)
        basis = _basis(self.kind, f, self.corner, self.quality, self.delay)
        return np.asarray(basis @ np.array([self.gain, self.zero][: basis.shape[-1]]))

    def peak(self) -> tuple[float, float]:
        """Return the frequency of the largest gain from 0.5 to 500 Hz, in Hz, and its ratio to that at 0.5 Hz."""
        f = np.geomspace(0.5, 500.0, 601)
        gain = np.abs(self(f))
        return float(f[gain.argmax()]), float(gain.max() / gain[0]) if gain[0] > 0 else math.inf


def _basis(kind: FilterKind, f: Floats, corner: float, quality: float, delay: float) -> Complexes:
    """Return what the numerator's coefficients multiply, shape (frequencies, coefficients)."""
    lag = np.exp(-2e-3j * np.pi * f * delay)
    x = 1j * f / corner
    if kind == "low-pass":
        return np.asarray((lag / (1 + x))[:, np.newaxis])
    common = lag / (1 + x / quality + x**2)
    return np.stack([common, common * 2j * np.pi * f], axis=-1)


def fit_filter(
    kind: FilterKind,
    frequencies: ArrayLike,
    response: ArrayLike,
    errors: ArrayLike,
    *,
    start: FilterFit | None = None,
) -> FilterFit:
    """Fit a filter to a transfer function, by weighted complex least squares.

    The numerator is linear and solved for (variable projection); corner, quality and delay are searched for by
    `scipy.optimize.least_squares` from several starts.

    Parameters
    ----------
    kind : {"low-pass", "band-pass"}
    frequencies : array_like, shape (frequencies,)
        In Hz.
    response : array_like of complex, shape (frequencies,)
    errors : array_like, shape (frequencies,)
        Standard errors of real and imaginary parts. They are taken to be `TOLERANCE` of the largest modulus at least.
    start : FilterFit, optional
        Where to start; without it, from a grid.

    Returns
    -------
    FilterFit

    Raises
    ------
    AmatError
        If there are fewer points than parameters, or the kind is unknown.
    """
    if kind not in get_args(FilterKind):
        raise AmatError(f"There is no filter {kind!r}: choose one of {', '.join(get_args(FilterKind))}.")
    f, z = np.asarray(frequencies, dtype=np.float64), np.asarray(response, dtype=np.complex128)
    order = 3 if kind == "low-pass" else 5
    count = 2 * len(f)
    if count < order + 2:
        raise AmatError(f"{len(f)} frequencies for the {order} parameters of a {kind}: give more.")
    sigma = np.hypot(np.asarray(errors, dtype=np.float64), TOLERANCE * np.abs(z).max())

    def unpack(q: Floats) -> tuple[float, float, float]:
        return float(np.exp(q[0])), float(np.exp(q[2])) if kind == "band-pass" else math.nan, float(q[1])

    def project(q: Floats) -> tuple[Floats, Floats]:
        matrix = _basis(kind, f, *unpack(q)) / sigma[:, np.newaxis]
        design = np.concatenate([matrix.real, matrix.imag])
        aim = np.concatenate([(z / sigma).real, (z / sigma).imag])
        norms = np.linalg.norm(design, axis=0)
        design = design / norms
        # Two columns at most, of unit length: the normal equations will do, and are many times faster.
        normal = design.T @ design + 1e-9 * np.eye(len(norms))
        coefficients = np.linalg.solve(normal, design.T @ aim)
        return coefficients / norms, design @ coefficients - aim

    def residuals_at(q: Floats) -> Floats:
        return project(q)[1]

    lower, upper = ([math.log(_CORNERS[end]), (0.0, _LONGEST)[end]] for end in (0, 1))
    starts = [[math.log(corner), delay] for corner in (3.0, 20.0, 100.0, 500.0) for delay in _DELAYS]
    if kind == "band-pass":
        lower, upper = [*lower, math.log(_QUALITIES[0])], [*upper, math.log(_QUALITIES[1])]
        starts = [[*begin, math.log(quality)] for begin in starts for quality in (0.3, 1.0)]
    if start is not None:
        starts = [[math.log(start.corner), start.delay, *([math.log(start.quality)] if kind == "band-pass" else [])]]
    else:
        # Descend from the best of the grid only.
        starts = sorted(starts, key=lambda q: float(np.sum(residuals_at(np.array(q)) ** 2)))[:2]
    low, high = np.array(lower), np.array(upper)
    descents = [
        least_squares(residuals_at, np.clip(q, low + 1e-6, high - 1e-6), bounds=(low, high), max_nfev=40)
        for q in starts
    ]
    best = descents[int(np.argmin([descent.cost for descent in descents]))]
    coefficients, residuals = project(best.x)
    corner, quality, delay = unpack(best.x)
    chi2 = float(np.sum(residuals**2))
    return FilterFit(
        kind,
        float(coefficients[0]),
        float(coefficients[1]) if kind == "band-pass" else 0.0,
        corner,
        quality,
        delay,
        chi2,
        chi2 + 2 * order + 2 * order * (order + 1) / (count - order - 1) if count > order + 1 else math.inf,
        chi2 + order * math.log(count),
    )


def compare_filters(
    responses: pd.DataFrame, *, folds: int = 5
) -> tuple[pd.DataFrame, dict[tuple[str, str, str, FilterKind], FilterFit]]:
    """Fit both filters to every transfer function, and compare them.

    Parameters
    ----------
    responses : pandas.DataFrame
        From `amat.analysis.transfer.modulated_responses`, of one depth.
    folds : int
        Of the cross-validation: each fold leaves out every so-manieth frequency.

    Returns
    -------
    table : pandas.DataFrame
        One row a neuron, input and filter: model, pattern, input, filter, gain, zero, corner_Hz, quality, delay_ms,
        chi2, aicc, bic, explained (power of the transfer function that the fit explains), cross_validated (the same at
        frequencies that were left out of the fit), ceiling (what a perfect model would explain, given the noise),
        peak_Hz and peak_ratio (see `FilterFit.peak`).
    fits : dict of (model, pattern, input, filter) to FilterFit

    Raises
    ------
    AmatError
        If there are too few frequencies to leave some out.
    """
    rows, fits = [], {}
    for (model, pattern, kind_of_input), part in responses.groupby(["model", "pattern", "input"], sort=False):
        # Without a spike there is no relative response.
        part = part[np.isfinite(part["sem"]) & (part["sem"] > 0)]
        f = part["frequency_Hz"].to_numpy(dtype=np.float64)
        z = (part["real"] + 1j * part["imag"]).to_numpy(dtype=np.complex128)
        errors = part["sem"].to_numpy(dtype=np.float64)
        if not 2 <= folds <= len(f) or len(f) - math.ceil(len(f) / folds) < 4:
            raise AmatError(f"{folds} folds of {len(f)} frequencies: choose 2 folds or more, and more frequencies.")
        total = float(np.sum(np.abs(z) ** 2))
        for kind in get_args(FilterKind):
            fit = fit_filter(kind, f, z, errors)
            left_out = np.empty_like(z)
            for fold in range(folds):
                out = np.arange(len(f)) % folds == fold
                left_out[out] = fit_filter(kind, f[~out], z[~out], errors[~out], start=fit)(f[out])
            frequency, ratio = fit.peak()
            fits[(str(model), str(pattern), str(kind_of_input), kind)] = fit
            rows.append(
                {
                    "model": model,
                    "pattern": pattern,
                    "input": kind_of_input,
                    "filter": kind,
                    "gain": fit.gain,
                    "zero": fit.zero,
                    "corner_Hz": fit.corner,
                    "quality": fit.quality,
                    "delay_ms": fit.delay,
                    "chi2": fit.chi2,
                    "aicc": fit.aicc,
                    "bic": fit.bic,
                    "explained": 1 - float(np.sum(np.abs(z - fit(f)) ** 2)) / total,
                    "cross_validated": 1 - float(np.sum(np.abs(z - left_out) ** 2)) / total,
                    "ceiling": 1 - float(np.sum(2 * errors**2)) / total,
                    "peak_Hz": frequency,
                    "peak_ratio": ratio,
                }
            )
    return pd.DataFrame(rows), fits


def group_responses(responses: pd.DataFrame, *, tolerance: float = 0.25) -> pd.DataFrame:
    """Group the neurons of a model whose transfer functions have the same shape (complete linkage).

    The distance of two shapes is the root-mean-square difference of their transfer functions, each of unit power, less
    what the noise of both contributes: 0 if they are proportional, about 1.4 if they have nothing in common.

    Parameters
    ----------
    responses : pandas.DataFrame
        From `amat.analysis.transfer.modulated_responses`, of one model, input and depth.
    tolerance : float
        Largest distance of any two in a group.

    Returns
    -------
    pandas.DataFrame
        One row a neuron: pattern, group (from 1).
    """
    if not tolerance > 0:
        raise AmatError(f"A tolerance of {tolerance:g}: choose a positive one.")
    patterns, shapes, noises = [], [], []
    for pattern, part in responses.groupby("pattern", sort=False):
        z = (part["real"] + 1j * part["imag"]).to_numpy(dtype=np.complex128)
        noise = 2 * part["sem"].to_numpy(dtype=np.float64) ** 2
        power = max(float(np.sum(np.abs(z) ** 2 - noise)), float(np.sum(noise)))
        patterns.append(pattern)
        shapes.append(z / math.sqrt(power))
        noises.append(float(np.sum(noise)) / power)
    distances = [
        math.sqrt(max(0.0, float(np.sum(np.abs(shapes[i] - shapes[j]) ** 2)) - noises[i] - noises[j]))
        for i in range(len(shapes))
        for j in range(i + 1, len(shapes))
    ]
    groups = fcluster(linkage(distances, "complete"), tolerance, "distance") if len(shapes) > 1 else [1]
    return pd.DataFrame({"pattern": patterns, "group": groups})
