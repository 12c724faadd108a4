# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Search over the time constants: a grid, local searches from its best cells, and a joint Newton refinement.

The likelihood, maximised over the coefficients, is not unimodal in the time constants. The search therefore begins with
a grid, and reports rival optima.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from amat.analysis.fitting.features import Design, TimeConstants
from amat.analysis.fitting.likelihood import PERFECT, evaluate, maximise, newton_step
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["RIVAL", "Joint", "Optimum", "Profile", "bounds", "climb", "differentiate", "find_optima", "refine", "scan"]

#: Optima whose log-likelihoods differ by less are reported as rivals.
RIVAL = 10.0

#: Ranges of the grid in ms, and the largest time constants.
_GRID = {"tau_m": (2.0, 80.0), "tau_v": (1.0, 80.0), "tau_1": (2.0, 40.0), "tau_2": (50.0, 600.0)}
_LARGEST = {"tau_m": 500.0, "tau_v": 500.0, "tau_1": 2000.0, "tau_2": 5000.0}
#: Steps of numerical derivatives, in logarithms of time constants.
_STEP = 1e-3

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Optimum:
    """A maximum of the likelihood.

    Attributes
    ----------
    taus : TimeConstants
    coefficients : ndarray, shape (coefficients,)
        Empty where only the time constants are known.
    log_likelihood : float
    """

    taus: TimeConstants
    coefficients: Floats
    log_likelihood: float

    @classmethod
    def at(cls, taus: TimeConstants) -> "Optimum":
        """Return time constants from which to search."""
        return cls(taus, np.empty(0), -np.inf)


@dataclass(frozen=True)
class Profile:
    """The likelihood on a grid of time constants, maximised over the coefficients.

    Attributes
    ----------
    names : tuple of str
        The time constants that are varied.
    axes : tuple of ndarray, shape (points,)
        Their values in ms.
    values : ndarray, shape (points, ...)
        Log-likelihoods.
    """

    names: tuple[str, ...]
    axes: tuple[Floats, ...]
    values: Floats
    starts: list[Optimum] = field(repr=False, default_factory=list)


def bounds(name: str, dt: float) -> tuple[float, float]:
    """Return the smallest and largest value of a time constant in ms at a time step.

    Below, a component follows the current or decays within a step, and its coefficient diverges.
    """
    return max(2 * dt, 1.0) if name == "tau_v" else 2 * dt, _LARGEST[name]


def scan(design: Design, names: Sequence[str], taus: TimeConstants, points: int, progress: Progress) -> Profile:
    """Return the likelihood on a grid of two time constants at most; the others have their given values."""
    varied = tuple(names[:2])
    axes = tuple(
        np.geomspace(max(_GRID[name][0], bounds(name, design.dt)[0]), _GRID[name][1], points) for name in varied
    )
    values = np.full([len(axis) for axis in axes], -np.inf)
    starts: list[Optimum] = []
    warm: Floats | None = None
    for done, place in enumerate(np.ndindex(values.shape)):
        cell = taus.replace(**{name: float(axis[k]) for name, axis, k in zip(varied, axes, place, strict=True)})
        # Neighbours are good starts; at the start of a line the last cell is far away.
        warm, values[place] = _profile(design, cell, warm if place and place[-1] else None)
        starts.append(Optimum(cell, warm, float(values[place])))
        progress(done + 1, values.size)
    return Profile(varied, axes, values, starts)


def _profile(design: Design, taus: TimeConstants, warm: Floats | None) -> tuple[Floats, float]:
    pieces = design.update(taus)
    try:
        return maximise(pieces, design.dt, warm, stride=design.stride, tolerance=1e-4)
    except AmatError:
        if warm is None:
            raise
        return maximise(pieces, design.dt, None, stride=design.stride, tolerance=1e-4)


def find_optima(design: Design, names: Sequence[str], profile: Profile, starts: int = 3) -> list[Optimum]:
    """Return local optima in descending order, by Nelder-Mead searches from the best cells of a grid.

    Only cells that are local maxima of the grid are starts, and of these the best ones.
    """
    chosen = [profile.starts[k] for k in _local_maxima(profile.values)[:starts]]
    found: list[Optimum] = []
    for start in chosen:
        if start.log_likelihood < chosen[0].log_likelihood - 30 * RIVAL:
            break  # too far below to become a rival
        found.append(climb(design, names, start))
    return _distinct(sorted(found, key=lambda optimum: -optimum.log_likelihood), names)


def _local_maxima(values: Floats) -> list[int]:
    """Return the flat indices of cells that are not lower than their neighbours, the highest first."""
    padded = np.pad(values, 1, constant_values=-np.inf)
    is_maximum = np.ones(values.shape, dtype=bool)
    for shift in np.ndindex(*(3,) * values.ndim):
        is_maximum &= values >= padded[tuple(slice(s, s + n) for s, n in zip(shift, values.shape, strict=True))]
    places = np.flatnonzero(is_maximum)
    return [int(place) for place in places[np.argsort(-values.ravel()[places])]]


def climb(design: Design, names: Sequence[str], start: Optimum, evaluations: int = 60) -> Optimum:
    """Return a better optimum by a Nelder-Mead search over the logarithms of time constants."""
    limits = np.log([bounds(name, design.dt) for name in names])
    best = start

    def loss(x: Floats) -> float:
        nonlocal best
        inside = np.clip(x, limits[:, 0], limits[:, 1])
        taus = start.taus.replace(**dict(zip(names, np.exp(inside).tolist(), strict=True)))
        coefficients, value = _profile(design, taus, best.coefficients)
        if value > best.log_likelihood:
            best = Optimum(taus, coefficients, value)
        return -value + 100.0 * float(np.abs(x - inside).sum())

    origin = np.log([getattr(start.taus, name) for name in names])
    simplex = np.vstack([origin, origin + 0.25 * np.eye(len(names))])
    options: Any = {"initial_simplex": simplex, "maxfev": evaluations, "xatol": 0.01, "fatol": 0.05}
    minimize(loss, origin, method="Nelder-Mead", options=options)
    return best


def _distinct(optima: list[Optimum], names: Sequence[str]) -> list[Optimum]:
    """Return optima without those whose time constants are within 10 % of a better one's."""
    kept: list[Optimum] = []
    for optimum in optima:
        distances = [
            max(abs(np.log(getattr(optimum.taus, name) / getattr(other.taus, name))) for name in names)
            for other in kept
        ]
        if all(distance > 0.1 for distance in distances):
            kept.append(optimum)
    return kept


@dataclass(frozen=True)
class Joint:
    """Derivatives with respect to coefficients and logarithms of free time constants, by block of time.

    Attributes
    ----------
    value : float
    gradient : ndarray, shape (blocks, parameters)
    information : ndarray, shape (blocks, parameters, parameters)
        The negative Hessian.
    """

    value: float
    gradient: Floats
    information: Floats


def differentiate(design: Design, names: Sequence[str], optimum: Optimum) -> Joint:
    """Return the derivatives: exact by the coefficients, central differences by the logarithms of time constants."""
    b, size, count = optimum.coefficients, len(optimum.coefficients), len(names)

    def at(shift: Floats) -> tuple[Floats, Floats]:
        changes = {name: getattr(optimum.taus, name) * np.exp(s) for name, s in zip(names, shift, strict=True)}
        pieces = design.update(optimum.taus.replace(**changes))
        found = evaluate(pieces, b, design.dt, stride=design.stride, order=1)
        return found.value, found.gradient

    units = _STEP * np.eye(count)
    around = [(at(unit), at(-unit)) for unit in units]
    base = evaluate(design.update(optimum.taus), b, design.dt, stride=design.stride)
    gradient = np.zeros((design.blocks, size + count))
    information = np.zeros((design.blocks, size + count, size + count))
    gradient[:, :size], information[:, :size, :size] = base.gradient, base.information
    for i, ((upper, upper_slope), (lower, lower_slope)) in enumerate(around):
        gradient[:, size + i] = (upper - lower) / (2 * _STEP)
        mixed = -(upper_slope - lower_slope) / (2 * _STEP)
        information[:, :size, size + i] = information[:, size + i, :size] = mixed
        information[:, size + i, size + i] = -(upper - 2 * base.value + lower) / _STEP**2
        for j in range(i):
            both = at(units[i] + units[j])[0] - at(units[i] - units[j])[0]
            both = both - at(units[j] - units[i])[0] + at(-units[i] - units[j])[0]
            information[:, size + i, size + j] = information[:, size + j, size + i] = -both / (4 * _STEP**2)
    return Joint(float(base.value.sum()), gradient, information)


def refine(design: Design, names: Sequence[str], start: Optimum, iterations: int = 12) -> tuple[Optimum, Joint]:
    """Return the optimum near a start, by Newton's method over coefficients and time constants, with derivatives.

    Time constants that reach a bound stay there.

    Raises
    ------
    AmatError
        If all spikes are predicted with certainty, so that coefficients diverge.
    """
    limits = {name: bounds(name, design.dt) for name in names}
    pieces = design.update(start.taus)
    coefficients, value = maximise(pieces, design.dt, start.coefficients, stride=design.stride)
    if value > 10 * PERFECT:
        raise AmatError(
            f"The spikes of {design.recording.name} are predicted with certainty by the model {design.kind!r}, so that "
            "the noise cannot be estimated: use a longer recording, or repeats."
        )
    optimum = Optimum(start.taus, coefficients, value)
    for _ in range(iterations):
        joint = differentiate(design, names, optimum)
        gradient, information = joint.gradient.sum(axis=0), joint.information.sum(axis=0)
        size = len(optimum.coefficients)
        free = [
            k
            for k, name in enumerate(names)
            if limits[name][0] * 1.001 < getattr(optimum.taus, name) < limits[name][1] / 1.001
        ]
        kept = [*range(size), *(size + k for k in free)]
        step = _ascent(gradient[kept], information[np.ix_(kept, kept)])
        if gradient[kept] @ step < 1e-4:
            break
        moved = np.zeros(len(names))
        moved[free] = np.clip(step[size:], -0.5, 0.5)
        better = _move(design, names, optimum, moved)
        if better is None:
            break
        optimum = better
    return optimum, differentiate(design, names, optimum)


def _ascent(gradient: Floats, information: Floats) -> Floats:
    """Return the Newton step, or where the likelihood is not concave one along the curvatures' absolute values."""
    values, vectors = np.linalg.eigh(information / np.sqrt(np.outer(d := np.abs(np.diag(information)) + 1e-100, d)))
    if values[0] > 1e-10:
        return newton_step(gradient, information)
    scaled = gradient / np.sqrt(d)
    step: Floats = (vectors @ ((vectors.T @ scaled) / np.maximum(np.abs(values), 1e-6))) / np.sqrt(d)
    return step


def _move(design: Design, names: Sequence[str], optimum: Optimum, moved: Floats) -> Optimum | None:
    """Return the best coefficients after a step of the time constants that raises the likelihood, else None."""
    for length in (1.0, 0.5, 0.25, 0.1):
        changes = {}
        for name, step in zip(names, length * moved, strict=True):
            low, high = bounds(name, design.dt)
            changes[name] = float(np.clip(getattr(optimum.taus, name) * np.exp(step), low, high))
        taus = optimum.taus.replace(**changes)
        pieces = design.update(taus)
        coefficients, value = maximise(pieces, design.dt, optimum.coefficients, stride=design.stride)
        if value > optimum.log_likelihood:
            return Optimum(taus, coefficients, value)
    return None
