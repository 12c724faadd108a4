# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The largest Lyapunov exponent of Izhikevich's neuron under a sinusoidal current.

It is that of the differential equations, not of the published scheme with its time step, in which a disturbance moves
a spike by whole steps or not at all. Potential, recovery and the linear equations of a disturbance are integrated
together by the classical Runge-Kutta method. In the step of a spike V is the independent variable, so that the step
ends on the peak [1]_. A disturbance (v, w) of V and u also moves the spike, by -v / f_V, where f and g are the vector
fields before and after the reset. The reset therefore leaves the disturbance [2]_

    v' = g_V v / f_V,    w' = w + (g_u - f_u) v / f_V.

References
----------
.. [1] Henon M (1982). Physica D 5:412-414. doi:10.1016/0167-2789(82)90034-3
.. [2] Mueller PC (1995). Chaos Solitons Fractals 5:1671-1681. doi:10.1016/0960-0779(94)00170-U
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats, Integers
from amat.checks import require_positive
from amat.errors import AmatError
from amat.neurons import IzhikevichParameters

__all__ = ["DisturbedNeurons", "izhikevich_exponents"]

#: Steps between two measurements of the disturbance.
_STEPS = 50


@dataclass
class DisturbedNeurons:
    """Copies of Izhikevich's neuron under sinusoidal currents, each with an infinitesimal disturbance.

    Attributes
    ----------
    parameters : IzhikevichParameters
        Its `I_e` is not used.
    current : float
        Constant part of the current, mV/ms.
    frequencies, amplitudes : ndarray, shape (copies,)
        In Hz and mV/ms.
    state : ndarray, shape (4, copies)
        V, u, and the disturbance of both.
    spikes : ndarray of int, shape (copies,)
        Number of spikes so far.
    time : float
        In ms.
    """

    parameters: IzhikevichParameters
    current: float
    frequencies: Floats
    amplitudes: Floats
    state: Floats
    spikes: Floats
    time: float = 0.0

    def slope(self, time: Floats | float, state: Floats, copies: slice | Integers = slice(None)) -> Floats:
        """Return the derivative of the state of some copies with respect to time."""
        p = self.parameters
        V, u, v, w = state
        phase = 2e-3 * math.pi * self.frequencies[copies] * time
        current = self.current + self.amplitudes[copies] * np.sin(phase)
        rise = (p.q_2 * V + p.q_1) * V + p.q_0 - u + current
        recovery = p.a * (p.b * (V - p.V_ref) - p.leak * u)
        return np.stack([rise, recovery, (2 * p.q_2 * V + p.q_1) * v - w, p.a * (p.b * v - p.leak * w)])

    def advance(self, step: float) -> None:
        """Advance all copies by a step in ms, in which each spikes once at most."""
        before = self.state
        after = _runge_kutta(lambda t, x: self.slope(t, x), self.time, before, step)
        late: Integers = np.flatnonzero(~(after[0] <= self.parameters.V_peak))
        if len(late):
            after[:, late] = self._spike(before[:, late], step, late)
            self.spikes[late] += 1
        self.state, self.time = after, self.time + step

    def _spike(self, state: Floats, step: float, copies: Integers) -> Floats:
        """Return the states at the end of a step in which copies spike."""
        p = self.parameters

        def over_potential(_: Floats | float, both: Floats) -> Floats:
            slope = self.slope(both[4], both[:4], copies)
            result: Floats = np.vstack([slope, np.ones_like(both[4])[np.newaxis]]) / slope[0]
            return result

        start = np.vstack([state, np.full((1, state.shape[1]), self.time)])
        both = _runge_kutta(over_potential, 0.0, start, p.V_peak - state[0])
        peak, at = both[:4], both[4]
        reset = np.stack([np.full_like(at, p.c), peak[1] + p.d, peak[2], peak[3]])
        f, g = self.slope(at, peak, copies), self.slope(at, reset, copies)
        shift = peak[2] / f[0]
        reset[2], reset[3] = g[0] * shift, peak[3] + (g[1] - f[1]) * shift
        rest = self.time + step - at
        return _runge_kutta(lambda t, x: self.slope(at + t, x, copies), 0.0, reset, rest)


def _runge_kutta(
    slope: Callable[[Floats | float, Floats], Floats], time: float, state: Floats, step: Floats | float
) -> Floats:
    first = slope(time, state)
    second = slope(time + 0.5 * step, state + 0.5 * step * first)
    third = slope(time + 0.5 * step, state + 0.5 * step * second)
    fourth = slope(time + step, state + step * third)
    result: Floats = state + step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
    return result


def izhikevich_exponents(
    parameters: IzhikevichParameters,
    current: float,
    frequencies: ArrayLike,
    amplitudes: ArrayLike,
    *,
    initial: tuple[float, float],
    warm_up: float,
    duration: float,
    step: float = 0.1,
) -> tuple[Floats, Floats]:
    """Return the largest Lyapunov exponents of Izhikevich's neuron, and its rates.

    Parameters
    ----------
    parameters : IzhikevichParameters
        Its `I_e` is not used.
    current : float
        Constant part of the current, mV/ms.
    frequencies, amplitudes : array_like, shape (points,)
        In Hz and mV/ms.
    initial : tuple of float
        V in mV and u in mV/ms at time zero.
    warm_up, duration : float
        Before the measurement, and of it, ms; rounded up to 50 steps.
    step : float
        Of the Runge-Kutta method, ms.

    Returns
    -------
    exponents, rates : ndarray, shape (points,)
        In 1/s and spikes/s.

    Raises
    ------
    AmatError
        If frequencies and amplitudes differ in number, or a duration or the step is not positive.
    """
    f, A = (np.asarray(values, dtype=np.float64) for values in (frequencies, amplitudes))
    if f.ndim != 1 or f.shape != A.shape:
        raise AmatError(f"Each point needs a frequency and an amplitude, got {f.size} and {A.size}.")
    for name, value in (("The warm-up", warm_up), ("The duration", duration), ("The step", step)):
        require_positive(name, value, "ms")
    state = np.outer([*initial, 1.0, 0.0], np.ones(len(f)))
    neurons = DisturbedNeurons(parameters, current, f, A, state, np.zeros(len(f)))
    growth, before = np.zeros(len(f)), np.zeros(len(f))
    idle = math.ceil(warm_up / (_STEPS * step))
    measured = math.ceil(duration / (_STEPS * step))
    for number in range(idle + measured):
        if number == idle:
            before = neurons.spikes.copy()
        for _ in range(_STEPS):
            neurons.advance(step)
        size = np.hypot(neurons.state[2], neurons.state[3])
        neurons.state[2:] /= size
        if number >= idle:
            growth += np.log(size)
    seconds = 1e-3 * measured * _STEPS * step
    return growth / seconds, (neurons.spikes - before) / seconds
