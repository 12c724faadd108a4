# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Exact conditions for AMAT to be locked 1:m: one spike every m cycles of a sinusoidal current.

The potential is not reset, so that spikes do not change it. After the transient it follows the current as a sinusoid,
by a linear filter, and so does the voltage-dependent part of the threshold. The distance u of both from `omega` is

    u(t) = R I_0 - omega + R A g(f) sin(2 pi f t),    g = abs((1 - beta s / (s + 1 / tau_v)^2) / (1 + s tau_m))

with s = 2 pi i f [1]_. At equal intervals P = m / f the threshold's jumps have decayed to

    E(P) = alpha_1 / (exp(P / tau_1) - 1) + alpha_2 / (exp(P / tau_2) - 1)

at the next spike, which occurs where ``u = E(P)``. So there is a train locked 1:m if and only if

    A >= abs(E(m / f) - (R I_0 - omega)) / (R g(f)),

provided that no earlier spike interferes, m / f is longer than the dead time, and the train is stable. At the edge u is
at its maximum or minimum, and the two solutions meet in a saddle-node; only the one on the rising phase can be stable.
Time is continuous here. `grid_shift` bounds how far a grid of time may move an edge.

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amat.arrays import Floats
from amat.checks import require_count, require_positive
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = ["edge_amplitude", "filter_gain", "firing_amplitude", "grid_shift", "is_locked"]


#: Number of times between two spikes at which an earlier spike is sought.
_SAMPLES = 1000


def filter_gain(parameters: AmatParameters, frequency: ArrayLike) -> Floats:
    """Return the amplitude of the distance u for a unit of current, relative to that of a constant current.

    Parameters
    ----------
    parameters : AmatParameters
    frequency : array_like
        In Hz.
    """
    s = 2e-3j * np.pi * np.asarray(frequency, dtype=np.float64)  # 1/ms
    voltage = 1.0 - parameters.beta * s / (s + 1.0 / parameters.tau_v) ** 2
    return np.abs(voltage / (1.0 + s * parameters.tau_m))


def edge_amplitude(parameters: AmatParameters, current: float, frequency: ArrayLike, m: int = 1) -> Floats:
    """Return the least amplitude at which AMAT can be locked 1:m.

    Parameters
    ----------
    parameters : AmatParameters
        Its `I_e` is not used.
    current : float
        The constant part of the current, pA.
    frequency : array_like, shape (frequencies,)
        In Hz, positive.
    m : int
        Cycles between two spikes.

    Returns
    -------
    ndarray, shape (frequencies,)
        In pA; infinite where m cycles are no longer than the refractory time.

    Raises
    ------
    AmatError
        If a frequency or `m` is not positive.
    """
    f = np.asarray(frequency, dtype=np.float64)
    _require(f, m)
    period = 1e3 * m / f
    R = parameters.tau_m / parameters.C_m
    needed = np.abs(_excess(parameters, period) - (R * current - parameters.omega))
    return np.where(period > parameters.refr_T, needed / (R * filter_gain(parameters, f)), np.inf)


def grid_shift(parameters: AmatParameters, frequency: ArrayLike, resolution: float, m: int = 1) -> Floats:
    """Return how far a grid of time may move the edge of `edge_amplitude`.

    Spikes on a grid are up to one step late, so that intervals differ by up to a step from m cycles, and the threshold
    by its fall in that time. A part of the threshold that changes little in an interval accumulates the delays of many
    spikes, but each with little weight.

    Parameters
    ----------
    parameters : AmatParameters
    frequency : array_like, shape (frequencies,)
        In Hz, positive.
    resolution : float
        In ms.
    m : int
        Cycles between two spikes.

    Returns
    -------
    ndarray, shape (frequencies,)
        In pA.
    """
    f = np.asarray(frequency, dtype=np.float64)
    _require(f, m)
    step = _excess(parameters, 1e3 * m / f - resolution) - _excess(parameters, 1e3 * m / f)
    return np.abs(step) * parameters.C_m / parameters.tau_m / filter_gain(parameters, f)


def firing_amplitude(parameters: AmatParameters, current: float, frequency: ArrayLike) -> Floats:
    """Return the least amplitude at which a silent AMAT neuron spikes, after the transient.

    Parameters
    ----------
    parameters : AmatParameters
        Its `I_e` is not used.
    current : float
        The constant part of the current, pA; below the one at which the neuron fires by itself.
    frequency : array_like, shape (frequencies,)
        In Hz, positive.

    Returns
    -------
    ndarray, shape (frequencies,)
        In pA.

    Raises
    ------
    AmatError
        If a frequency is not positive, or the neuron fires by itself.
    """
    f = np.asarray(frequency, dtype=np.float64)
    _require(f, 1)
    needed = parameters.omega * parameters.C_m / parameters.tau_m - current
    if needed <= 0:
        raise AmatError(
            f"The constant current must be less than {needed + current:g} pA, at which the neuron fires by itself, "
            f"got {current:g} pA."
        )
    return needed / filter_gain(parameters, f)


def is_locked(
    parameters: AmatParameters, current: float, frequency: ArrayLike, amplitude: ArrayLike, m: int = 1
) -> NDArray[np.bool_]:
    """Return where a train locked 1:m exists, is stable, and is not interrupted by an earlier spike.

    Stability is that of the spike times and the two states of the threshold, to first order. Other trains may be stable
    at the same point; the initial state then decides between them.

    Parameters
    ----------
    parameters : AmatParameters
        Its `I_e` is not used.
    current : float
        The constant part of the current, pA.
    frequency, amplitude : array_like, shape (points,)
        In Hz and pA.
    m : int
        Cycles between two spikes.

    Returns
    -------
    ndarray of bool, shape (points,)

    Raises
    ------
    AmatError
        As `edge_amplitude` does.
    """
    f, A = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in np.broadcast_arrays(frequency, amplitude))
    exists = edge_amplitude(parameters, current, f, m) <= A
    found = np.zeros(len(f), dtype=bool)
    for i in np.flatnonzero(exists):
        found[i] = _is_stable_and_first(parameters, current, float(f[i]), float(A[i]), m)
    return found


def _is_stable_and_first(p: AmatParameters, current: float, f: float, A: float, m: int) -> bool:
    period, R = 1e3 * m / f, p.tau_m / p.C_m
    alpha, tau = np.array([p.alpha_1, p.alpha_2]), np.array([p.tau_1, p.tau_2])
    decay = np.exp(-period / tau)
    left = decay / (1.0 - decay)  # of unit jumps, just before a spike
    height, rate = R * A * float(filter_gain(p, f)), 2e-3 * np.pi * f
    mean = R * current - p.omega
    phase = np.arcsin(np.clip((float(alpha @ left) - mean) / height, -1.0, 1.0)) if height else 0.0
    slope = height * rate * np.cos(phase)  # of u at the spike, mV/ms
    fall = float(alpha @ (left / tau))  # of the threshold
    if slope + fall <= 0:  # the threshold would be met from above
        return False
    t = np.linspace(p.refr_T, period, _SAMPLES, endpoint=False)
    distance = mean + height * np.sin(phase + rate * t)
    threshold = (alpha / (1.0 - decay)) @ np.exp(-np.divide.outer(t, tau).T)
    if (distance >= threshold).any():
        return False
    # After a delay of one spike, each state of the threshold at the next spike is larger by left / tau times the
    # difference of the two delays. The rows are the next delay and the next changes of the two states.
    late = np.concatenate([[fall], alpha * decay]) / (slope + fall)
    pull = (left / tau)[:, np.newaxis]
    states = np.hstack([pull, np.diag(decay)]) - pull * late
    return bool(np.abs(np.linalg.eigvals(np.vstack([late, states]))).max() < 1.0)


def _excess(parameters: AmatParameters, period: Floats) -> Floats:
    """Return the threshold at the end of equal intervals, above `omega`, in mV."""
    parts = ((parameters.alpha_1, parameters.tau_1), (parameters.alpha_2, parameters.tau_2))
    # exp(-x) / (1 - exp(-x)), which cannot overflow.
    return sum((-alpha * np.exp(-period / tau) / np.expm1(-period / tau) for alpha, tau in parts), np.zeros(()))


def _require(frequency: Floats, m: int) -> None:
    require_positive("Frequencies", frequency, "Hz")
    require_count("cycles per spike", m, 1)
