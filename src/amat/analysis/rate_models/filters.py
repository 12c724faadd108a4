# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Low-pass and band-pass filters, fitted to transfer functions and compared."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import least_squares

from amat.arrays import Complexes, Floats
from amat.checks import require_positive
from amat.errors import AmatError

__all__ = [
    "TOLERANCE",
    "FilterFit",
    "FilterKind",
    "compare_filters",
    "fit_filter",
    "group_responses",
    "shape_distances",
]

FilterKind = Literal["low-pass", "band-pass"]
#: Relative to the largest gain; the least standard error in a fit, so that smaller ones are not weighted more.
TOLERANCE = 0.02
#: Delays at which the search starts, and the largest delay allowed, in ms.
_DELAYS, _LONGEST = (0.0, 2.0), 10.0
#: Ranges of the corner frequency in Hz, and of the quality Q.
_CORNERS, _QUALITIES = (0.05, 5000.0), (0.05, 4.0)


@dataclass(frozen=True)
class FilterFit:
    """A fitted filter.

    Attributes
    ----------
    kind : {"low-pass", "band-pass"}
    gain, zero : float
        G and B of the numerator; B is in s, and 0 for the low-pass.
    corner : float
        Corner frequency f_c or f_0 in Hz.
    quality : float
        Q; NaN for the low-pass.
    delay : float
        In ms.
    chi2 : float
        Sum of squared errors over variances.
    aicc, bic : float
        Akaike's information criterion, corrected for the sample size, and the Bayesian one, for errors of known
        variance.
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
    """Return the factors of the numerator's coefficients, shape (frequencies, coefficients)."""
    lag = np.exp(-2e-3j * np.pi * f * delay)
    x = 1j * f / corner
    if kind == "low-pass":
        return np.asarray((lag / (1 + x))[:, np.newaxis])
    common = lag / (1 + x / quality + x**2)
    return np.stack([common, common * 2j * np.pi * f], axis=-1)


@dataclass(frozen=True)
class _Problem:
    """The least-squares problem of a fit, in q = (log corner, delay, and for the band-pass log quality)."""

    kind: FilterKind
    f: Floats
    z: Complexes
    sigma: Floats

    def unpack(self, q: Floats) -> tuple[float, float, float]:
        """Return corner, quality and delay."""
        return float(np.exp(q[0])), float(np.exp(q[2])) if self.kind == "band-pass" else math.nan, float(q[1])

    def project(self, q: Floats) -> tuple[Floats, Floats]:
        """Return the numerator's best coefficients and the residuals."""
        matrix = _basis(self.kind, self.f, *self.unpack(q)) / self.sigma[:, np.newaxis]
        design = np.concatenate([matrix.real, matrix.imag])
        aim = np.concatenate([(self.z / self.sigma).real, (self.z / self.sigma).imag])
        norms = np.linalg.norm(design, axis=0)
        design = design / norms
        # With at most two columns of unit length, the normal equations are accurate and many times faster.
        normal = design.T @ design + 1e-9 * np.eye(len(norms))
        coefficients = np.linalg.solve(normal, design.T @ aim)
        return coefficients / norms, design @ coefficients - aim

    def residuals(self, q: Floats) -> Floats:
        """Return the residuals."""
        return self.project(q)[1]

    def starts(self) -> list[list[float]]:
        """Return the two best points of a grid."""
        grid = [[math.log(corner), delay] for corner in (3.0, 20.0, 100.0, 500.0) for delay in _DELAYS]
        if self.kind == "band-pass":
            grid = [[*begin, math.log(quality)] for begin in grid for quality in (0.3, 1.0)]
        return sorted(grid, key=lambda q: float(np.sum(self.residuals(np.array(q)) ** 2)))[:2]

    def solve(self, starts: list[list[float]]) -> Floats:
        """Return the best q of the descents from some starts."""
        ranges = [[math.log(f) for f in _CORNERS], [0.0, _LONGEST], [math.log(Q) for Q in _QUALITIES]]
        low, high = np.array(ranges[: len(starts[0])]).T
        descents = [
            least_squares(self.residuals, np.clip(q, low + 1e-6, high - 1e-6), bounds=(low, high), max_nfev=40)
            for q in starts
        ]
        return np.asarray(descents[int(np.argmin([descent.cost for descent in descents]))].x)


def fit_filter(
    kind: FilterKind,
    frequencies: ArrayLike,
    response: ArrayLike,
    errors: ArrayLike,
    *,
    start: FilterFit | None = None,
) -> FilterFit:
    """Fit a filter to a transfer function by weighted complex least squares.

    The numerator is linear and solved for (variable projection). `scipy.optimize.least_squares` searches for corner,
    quality and delay.

    Parameters
    ----------
    kind : {"low-pass", "band-pass"}
    frequencies : array_like, shape (frequencies,)
        In Hz.
    response : array_like of complex, shape (frequencies,)
    errors : array_like, shape (frequencies,)
        Standard errors of real and imaginary parts. Errors below `TOLERANCE` of the largest modulus count as that.
    start : FilterFit, optional
        Start of the search; by default the two best points of a grid.

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
        raise AmatError(f"A {kind} filter has {order} parameters and needs more than {len(f)} frequencies.")
    problem = _Problem(kind, f, z, np.hypot(np.asarray(errors, dtype=np.float64), TOLERANCE * np.abs(z).max()))
    if start is None:
        q = problem.solve(problem.starts())
    else:
        given = [math.log(start.corner), start.delay, *([math.log(start.quality)] if kind == "band-pass" else [])]
        q = problem.solve([given])
    coefficients, residuals = problem.project(q)
    corner, quality, delay = problem.unpack(q)
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
    """Fit both filters to each transfer function and compare them.

    Parameters
    ----------
    responses : pandas.DataFrame
        From `amat.analysis.transfer.modulated_responses`, of one depth.
    folds : int
        Number of folds of the cross-validation; each omits every `folds`-th frequency.

    Returns
    -------
    table : pandas.DataFrame
        One row per neuron, input and filter: model, pattern, input, filter, gain, zero, corner_Hz, quality, delay_ms,
        chi2, aicc, bic, explained (fraction of the transfer function's power that the fit explains), cross_validated
        (the same at frequencies omitted from the fit), ceiling (the same of a perfect model, given the noise), peak_Hz
        and peak_ratio (see `FilterFit.peak`).
    fits : dict of (model, pattern, input, filter) to FilterFit

    Raises
    ------
    AmatError
        If there are too few frequencies to omit some.
    """
    rows, fits = [], {}
    for (model, pattern, kind_of_input), part in responses.groupby(["model", "pattern", "input"], sort=False):
        # Without spikes the relative response is undefined.
        part = part[np.isfinite(part["sem"]) & (part["sem"] > 0)]
        f = part["frequency_Hz"].to_numpy(dtype=np.float64)
        z = (part["real"] + 1j * part["imag"]).to_numpy(dtype=np.complex128)
        errors = part["sem"].to_numpy(dtype=np.float64)
        if not 2 <= folds <= len(f) or len(f) - math.ceil(len(f) / folds) < 4:
            raise AmatError(f"{folds} folds of {len(f)} frequencies: choose at least 2 folds and more frequencies.")
        total = float(np.sum(np.abs(z) ** 2))
        for kind in get_args(FilterKind):
            fit = fit_filter(kind, f, z, errors)
            omitted = _cross_validate(fit, f, z, errors, folds)
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
                    "cross_validated": 1 - float(np.sum(np.abs(z - omitted) ** 2)) / total,
                    "ceiling": 1 - float(np.sum(2 * errors**2)) / total,
                    "peak_Hz": frequency,
                    "peak_ratio": ratio,
                }
            )
    return pd.DataFrame(rows), fits


def _cross_validate(fit: FilterFit, f: Floats, z: Complexes, errors: Floats, folds: int) -> Complexes:
    """Return the fits' values at the frequencies omitted from them, starting from the fit to all."""
    omitted = np.empty_like(z)
    for fold in range(folds):
        out = np.arange(len(f)) % folds == fold
        omitted[out] = fit_filter(fit.kind, f[~out], z[~out], errors[~out], start=fit)(f[out])
    return omitted


def group_responses(responses: pd.DataFrame, *, tolerance: float = 0.25) -> pd.DataFrame:
    """Group the neurons of a model by the shapes of their transfer functions (complete linkage).

    The distance of two shapes is the root-mean-square difference of their transfer functions at unit power, without
    the contribution of noise: 0 if they are proportional, about 1.4 if they are unrelated.

    Parameters
    ----------
    responses : pandas.DataFrame
        From `amat.analysis.transfer.modulated_responses`, of one model, input and depth.
    tolerance : float
        Largest distance between members of a group.

    Returns
    -------
    pandas.DataFrame
        One row per neuron: pattern, group (from 1).
    """
    require_positive("tolerance", tolerance)
    patterns, distances = shape_distances(responses)
    upper = distances[np.triu_indices(len(patterns), 1)]
    groups = fcluster(linkage(upper, "complete"), tolerance, "distance") if len(patterns) > 1 else [1]
    return pd.DataFrame({"pattern": patterns, "group": groups})


def shape_distances(responses: pd.DataFrame) -> tuple[list[str], Floats]:
    """Return the distances between the shapes of transfer functions, see `group_responses`.

    Parameters
    ----------
    responses : pandas.DataFrame
        One row per neuron and frequency, the frequencies equal for all: pattern (the neuron's name), real, imag, sem.

    Returns
    -------
    names : list of str
    distances : ndarray, shape (neurons, neurons)
    """
    patterns, shapes, noises = [], [], []
    for pattern, part in responses.groupby("pattern", sort=False):
        z = (part["real"] + 1j * part["imag"]).to_numpy(dtype=np.complex128)
        noise = 2 * part["sem"].to_numpy(dtype=np.float64) ** 2
        power = max(float(np.sum(np.abs(z) ** 2 - noise)), float(np.sum(noise)))
        patterns.append(str(pattern))
        shapes.append(z / math.sqrt(power))
        noises.append(float(np.sum(noise)) / power)
    distances = np.zeros((len(shapes), len(shapes)))
    for i in range(len(shapes)):
        for j in range(i + 1, len(shapes)):
            square = float(np.sum(np.abs(shapes[i] - shapes[j]) ** 2)) - noises[i] - noises[j]
            distances[i, j] = distances[j, i] = math.sqrt(max(0.0, square))
    return patterns, distances
