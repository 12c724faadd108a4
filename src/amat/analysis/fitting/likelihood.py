# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Likelihood of spikes under an escape rate, and its maximum for fixed time constants.

The escape rate at a step is ``exp(eta)`` per ms, with eta linear in the coefficients, and a step of length h has a
spike with probability ``1 - exp(-h exp(eta))``: the complementary log-log link of a generalised linear model. The
log-likelihood is concave in the coefficients, so that Newton's method with backtracking finds its only maximum.

References
----------
.. [1] Paninski L (2004). Network 15:243-262. doi:10.1088/0954-898X_15_4_002
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amat.analysis.fitting.features import Piece
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["PERFECT", "Derivatives", "evaluate", "maximise", "newton_step"]

#: Largest exponent. There is no lower bound: clipping there breaks the convergence.
_LARGEST = 300.0
#: Log-likelihood from which on all spikes are predicted with certainty: the noise vanishes, and coefficients diverge.
PERFECT = -0.01
#: Steps that are treated at once, so that temporary arrays stay in the processor's cache.
_CHUNK = 16384


@dataclass(frozen=True)
class Derivatives:
    """Log-likelihood and its derivatives with respect to the coefficients, by block of time.

    Attributes
    ----------
    value : ndarray, shape (blocks,)
    gradient : ndarray, shape (blocks, coefficients)
    information : ndarray, shape (blocks, coefficients, coefficients)
        The negative Hessian; zero if it was not asked for.
    """

    value: Floats
    gradient: Floats
    information: Floats

    @property
    def total(self) -> tuple[float, Floats, Floats]:
        """Sums over blocks."""
        return float(self.value.sum()), self.gradient.sum(axis=0), self.information.sum(axis=0)


def evaluate(
    pieces: Sequence[Piece],
    coefficients: Floats,
    dt: float,
    *,
    stride: int = 1,
    order: int = 2,
) -> Derivatives:
    """Return the log-likelihood and its derivatives.

    Parameters
    ----------
    pieces : sequence of Piece
        As `Design.update` returns them.
    coefficients : ndarray, shape (coefficients,)
    dt : float
        Time step in ms.
    stride : int
        Number of steps that each step without a spike represents.
    order : {0, 1, 2}
        Highest derivative.

    Returns
    -------
    Derivatives
    """
    size, blocks = len(coefficients), 1 + max(piece.block for piece in pieces)
    value, gradient, information = np.zeros(blocks), np.zeros((blocks, size)), np.zeros((blocks, size, size))
    for piece in pieces:
        for start in range(0, piece.silent.shape[1], _CHUNK):
            part = piece.silent[:, start : start + _CHUNK]
            expected = np.exp(np.minimum(coefficients @ part, _LARGEST))
            expected *= stride * dt
            value[piece.block] -= expected.sum()
            if order > 0:
                gradient[piece.block] -= part @ expected
            if order > 1:
                information[piece.block] += (part * expected) @ part.T
        if piece.spiking.size:
            eta = np.minimum(coefficients @ piece.spiking, _LARGEST)
            log_probability, slope, curvature = _spike_terms(eta, dt)
            value[piece.block] += log_probability.sum()
            gradient[piece.block] += piece.spiking @ slope
            information[piece.block] += (piece.spiking * curvature) @ piece.spiking.T
    return Derivatives(value, gradient, information)


def _spike_terms(eta: Floats, dt: float) -> tuple[Floats, Floats, Floats]:
    """Return log(1 - exp(-m)) with m = dt exp(eta), its derivative by eta, and minus the second derivative."""
    expected = dt * np.exp(eta)
    small = expected < 1e-8
    safe = np.where(small, 1.0, np.minimum(expected, 700.0))
    silent = -np.expm1(-safe)  # the probability of a spike
    log_probability = np.where(small, eta + np.log(dt) - expected / 2, np.log(silent))
    slope = np.where(small, 1.0 - expected / 2, safe / np.expm1(safe))
    curvature = np.where(small, expected / 2, -slope * (1.0 - safe / silent))
    return log_probability, slope, curvature


def maximise(
    pieces: Sequence[Piece],
    dt: float,
    start: Floats | None = None,
    *,
    stride: int = 1,
    tolerance: float = 1e-9,
    iterations: int = 100,
) -> tuple[Floats, float]:
    """Return the coefficients of the largest likelihood, by Newton's method with backtracking.

    Parameters
    ----------
    pieces : sequence of Piece
    dt : float
        Time step in ms.
    start : ndarray, shape (coefficients,), optional
        Where to begin. Default: a constant rate.
    stride : int
        Number of steps that each step without a spike represents.
    tolerance : float
        Newton decrement (twice the expected gain of log-likelihood) at which the search ends.
    iterations : int

    Returns
    -------
    coefficients : ndarray, shape (coefficients,)
    log_likelihood : float

    Raises
    ------
    AmatError
        If there is no maximum within the iterations.
    """
    b = _constant_rate(pieces, dt, stride) if start is None or not len(start) else np.array(start, dtype=np.float64)
    value, gradient, information = evaluate(pieces, b, dt, stride=stride).total
    for _ in range(iterations):
        if value > PERFECT:
            return b, value
        step = newton_step(gradient, information)
        decrement = float(gradient @ step)
        if decrement < tolerance:
            return b, value
        length = 1.0
        while length > 1e-10:
            found = evaluate(pieces, b + length * step, dt, stride=stride).total
            if found[0] >= value + 1e-4 * length * decrement or (decrement < 1e-6 and found[0] >= value - 1e-9):
                break
            length /= 2
        else:
            if decrement < 1e-5:  # within rounding of the maximum
                return b, value
            break
        b = b + length * step
        value, gradient, information = found
    raise AmatError(
        f"The likelihood has no maximum within {iterations} Newton steps: the spikes depend on the current either not "
        "at all, or without any noise. Check that both are of the same recording, and that there are repeats."
    )


def newton_step(gradient: Floats, information: Floats) -> Floats:
    """Return the Newton step, with coefficients scaled to unit information and a negligible ridge."""
    diagonal = np.diag(information)
    scale = 1 / np.sqrt(np.maximum(diagonal, max(1e-20 * float(diagonal.max()), 1e-100)))
    scaled = information * np.outer(scale, scale) + 1e-12 * np.eye(len(scale))
    step: Floats = scale * np.linalg.solve(scaled, scale * gradient)
    return step


def _constant_rate(pieces: Sequence[Piece], dt: float, stride: int) -> Floats:
    """Return the coefficients of a constant rate."""
    spikes = sum(piece.spiking.shape[1] for piece in pieces)
    steps = sum(stride * piece.silent.shape[1] for piece in pieces) + spikes
    b = np.zeros(len(pieces[0].silent))
    b[0] = np.log(max(spikes, 1) / (steps * dt))
    return b
