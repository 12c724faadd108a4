# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT's firing map under a sinusoidal current, its derivative, Floquet multipliers and Lyapunov exponents.

After the transient the distance of potential and threshold from rest, u(t), does not depend on spikes
(`amat.analysis.locking.theory`). A spike at t leaves the components a_i of the threshold; the next spike is at the
first t' after the dead time at which

    u(t') >= sum_i a_i exp(-(t' - t) / tau_i),

and leaves ``a_i' = a_i exp(-(t' - t) / tau_i) + alpha_i``. This is the firing map of (t, a_1, a_2), in continuous time.
Its derivative follows from the condition at t'. With ``e_i = exp(-(t' - t) / tau_i)`` and ``p = sum_i a_i e_i / tau_i``

    dt' = (p dt + sum_i e_i da_i) / (u'(t') + p),    da_i' = e_i da_i - a_i e_i / tau_i (dt' - dt),

or ``dt' = dt`` if the threshold is below u when the dead time ends. The product of the derivatives over the n spikes
of a train locked n:m has the Floquet multipliers as its eigenvalues. The exponential growth of a disturbance along any
train is the largest Lyapunov exponent. It is negative for a locked train, of any length of pattern, zero for a
quasi-periodic one, and positive for a chaotic one.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from amat.analysis.locking.theory import filter_gain
from amat.arrays import Complexes, Floats
from amat.checks import require_count, require_positive
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = ["FiringMap", "floquet_multipliers", "lyapunov_exponent"]

#: Samples in a cycle, in which the first crossing of the threshold is bracketed.
_SAMPLES = 100
#: Cycles without a spike after which the neuron counts as silent.
_SILENT = 200
#: Deviation of a repeated pattern from periodicity that is left, in cycles.
_CLOSED = 1e-7


@dataclass(frozen=True)
class FiringMap:
    """The map from one spike of AMAT to the next under a sinusoidal current.

    Attributes
    ----------
    parameters : AmatParameters
        Its `I_e` is not used.
    current, amplitude : float
        Constant part and amplitude of the current, pA.
    frequency : float
        In Hz.
    """

    parameters: AmatParameters
    current: float
    frequency: float
    amplitude: float

    def __post_init__(self) -> None:
        """Check the frequency."""
        require_positive("The frequency", self.frequency, "Hz")

    @cached_property
    def _drive(self) -> tuple[float, float, float]:
        """The mean and the amplitude of u, mV, and its angular frequency, 1/ms."""
        p = self.parameters
        R = p.tau_m / p.C_m
        height = R * self.amplitude * float(filter_gain(p, self.frequency))
        return R * self.current - p.omega, height, 2e-3 * math.pi * self.frequency

    @cached_property
    def _tau(self) -> Floats:
        return np.array([self.parameters.tau_1, self.parameters.tau_2])

    def _gap(self, times: Floats | float, start: float, threshold: Floats) -> Floats:
        """Return u less the threshold that a spike at `start` has left."""
        mean, height, rate = self._drive
        decay = np.exp(-np.divide.outer(np.asarray(times) - start, self._tau))
        return mean + height * np.sin(rate * np.asarray(times)) - decay @ threshold

    def _exact_gap(self, t: float, start: float, first: float, second: float) -> float:
        """Return `_gap` at one time: ten times as fast as with arrays."""
        mean, height, rate = self._drive
        p, wait = self.parameters, start - t
        threshold = first * math.exp(wait / p.tau_1) + second * math.exp(wait / p.tau_2)
        return mean + height * math.sin(rate * t) - threshold

    def next_spike(self, time: float, threshold: Floats) -> tuple[float, Floats]:
        """Return the next spike and the components of the threshold that it leaves.

        Parameters
        ----------
        time : float
            Of a spike, ms. The phase of u is 0 at time 0.
        threshold : ndarray, shape (2,)
            The components after that spike, mV.

        Raises
        ------
        AmatError
            If the neuron does not spike for 200 cycles.
        """
        p, cycle = self.parameters, 1e3 / self.frequency
        begin = time + p.refr_T
        if self._gap(begin, time, threshold) >= 0:
            return begin, self._after(begin - time, threshold)
        step = min(cycle, 5 * p.tau_1) / _SAMPLES
        for _ in range(_SILENT * math.ceil(cycle / (step * _SAMPLES))):
            samples: Floats = begin + step * np.arange(_SAMPLES + 1, dtype=np.float64)
            above = np.flatnonzero(self._gap(samples, time, threshold) >= 0)
            if len(above):
                low, high = float(samples[above[0] - 1]), float(samples[above[0]])
                found = float(brentq(self._exact_gap, low, high, args=(time, *threshold.tolist()), xtol=1e-12))
                return found, self._after(found - time, threshold)
            begin = float(samples[-1])
        raise AmatError(f"The neuron is silent at {self.frequency:g} Hz and {self.amplitude:g} pA: raise the current.")

    def _after(self, interval: float, threshold: Floats) -> Floats:
        jumps = np.array([self.parameters.alpha_1, self.parameters.alpha_2])
        after: Floats = threshold * np.exp(-interval / self._tau) + jumps
        return after

    def derivative(self, time: float, threshold: Floats, following: float) -> Floats:
        """Return the derivative of the map at a spike, shape (3, 3), for the order (time, a_1, a_2)."""
        _, height, rate = self._drive
        decay = np.exp(-(following - time) / self._tau)
        left = threshold * decay / self._tau
        fall = float(left.sum())
        if following - time <= self.parameters.refr_T * (1 + 1e-12):
            delay = np.array([1.0, 0.0, 0.0])
        else:
            delay = np.array([fall, *decay]) / (height * rate * math.cos(rate * following) + fall)
        states = np.hstack([left[:, np.newaxis], np.diag(decay)]) - np.outer(left, delay)
        return np.vstack([delay, states])

    def follow(self, spikes: int, time: float = 0.0) -> tuple[Floats, Floats]:
        """Return times, shape (spikes,), and thresholds, shape (spikes, 2), of a train that begins at `time`."""
        require_count("spikes", spikes)
        threshold = np.array([self.parameters.alpha_1, self.parameters.alpha_2])
        times, thresholds = np.empty(spikes), np.empty((spikes, 2))
        for number in range(spikes):
            times[number], thresholds[number] = time, threshold
            time, threshold = self.next_spike(time, threshold)
        return times, thresholds


def floquet_multipliers(firing: FiringMap, n: int, m: int, *, warm_up: int = 400) -> Complexes:
    """Return the Floquet multipliers of the train locked n:m to which a neuron converges.

    Parameters
    ----------
    firing : FiringMap
    n, m : int
        Spikes and cycles of the pattern.
    warm_up : int
        Spikes that are iterated before the pattern.

    Returns
    -------
    ndarray of complex, shape (3,)
        By decreasing modulus. One is zero, since each spike is on the threshold.

    Raises
    ------
    AmatError
        If the neuron is not locked n:m after the warm-up.
    """
    require_count("spikes in a pattern", n, 1)
    require_count("cycles in a pattern", m, 1)
    times, thresholds = firing.follow(warm_up + n + 1)
    times, thresholds = times[warm_up:], thresholds[warm_up:]
    cycles = float(times[-1] - times[0]) * 1e-3 * firing.frequency
    if not abs(cycles - m) < _CLOSED * m:
        raise AmatError(
            f"The train is not locked {n}:{m} after {warm_up} spikes: {n} intervals take {cycles:.9g} cycles. Choose "
            "the pattern that the neuron has, or a longer warm-up."
        )
    product = np.eye(3)
    for time, threshold, following in zip(times[:-1], thresholds[:-1], times[1:], strict=True):
        product = firing.derivative(float(time), threshold, float(following)) @ product
    values = np.linalg.eigvals(product).astype(np.complex128)
    return values[np.argsort(-np.abs(values))]


def lyapunov_exponent(firing: FiringMap, *, spikes: int = 400, warm_up: int = 200) -> float:
    """Return the largest Lyapunov exponent of a neuron's train.

    Parameters
    ----------
    firing : FiringMap
    spikes, warm_up : int
        Spikes over which the growth of a disturbance is averaged, and those before them.

    Returns
    -------
    float
        In 1/s; minus infinity if the disturbance vanishes.
    """
    times, thresholds = firing.follow(warm_up + spikes + 1)
    disturbance, growth = np.array([1.0, 0.0, 0.0]), 0.0
    for number in range(warm_up, warm_up + spikes):
        arguments = float(times[number]), thresholds[number], float(times[number + 1])
        disturbance = firing.derivative(*arguments) @ disturbance
        size = float(np.linalg.norm(disturbance))
        if size == 0.0:
            return -math.inf
        growth += math.log(size)
        disturbance /= size
    return 1e3 * growth / float(times[warm_up + spikes] - times[warm_up])
