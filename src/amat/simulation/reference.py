# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""An exact solution of the AMAT neuron that shares no code with NEST or NESTML.

The equations (Yamauchi et al. 2011) are linear between spikes, so that a time step is one multiplication by the
exponential of the system's matrix. The exponential is computed from the matrix, not from closed formulae, and is
therefore as accurate for equal time constants as for distant ones. There are two implementations, which are tested
against each other: `integrate_precise` in arithmetic of any precision (mpmath), and the fast `integrate` for many
neurons at once, with an exponential that is computed in extended and rounded to double precision.

The order of events in a step is that of NEST's ``amat2_psc_exp``:

1. the membrane and all threshold components advance under the currents at the start of the step;
2. the synaptic currents decay, and the spikes that arrive at the end of the step are added to them;
3. if the neuron is not refractory and ``V_m >= V_th``, it spikes at the end of the step.

After a spike the next ``steps(refr_T)`` steps cannot end in a spike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

from amat.arrays import Floats
from amat.neurons import AmatParameters

__all__ = ["Trajectory", "integrate", "integrate_precise", "propagators", "refractory_steps", "system_matrix"]


#: The order of the state: membrane potential above E_L, the two states of the voltage-dependent threshold, the
#: two spike-triggered components, the excitatory and inhibitory synaptic currents, and the constant current.
STATE = ("U", "y", "V_th_v", "V_th_alpha_1", "V_th_alpha_2", "I_syn_exc", "I_syn_inh", "I")
_U, _Y, _V, _A1, _A2, _EXC, _INH, _I = range(len(STATE))


@dataclass(frozen=True)
class Trajectory:
    """Traces and spikes of neurons on the grid.

    Attributes
    ----------
    V_m, V_th, V_th_v : ndarray, shape (neurons, steps)
        Membrane potential, threshold and its voltage-dependent part at the end of each step, in mV.
    spike_steps : list of ndarray of int
        For each neuron the steps at whose end it spiked, counted from 1.
    """

    V_m: Floats
    V_th: Floats
    V_th_v: Floats
    spike_steps: list[NDArray[np.int64]]


def system_matrix(parameters: AmatParameters, number: Callable[[float], Any] = float) -> list[list[Any]]:
    """Return the matrix A of ``x' = A x`` with the state in the order of `STATE`, in 1/ms, pA, mV.

    The voltage-dependent threshold of Yamauchi et al. (2011) is represented by two linear states that are driven by
    the derivative of the membrane potential.

    Parameters
    ----------
    parameters : AmatParameters
    number : callable
        The type of number to calculate with.
    """
    p = parameters
    leak, capacitance, beta = 1 / number(p.tau_m), number(p.C_m), number(p.beta)
    names = ("tau_v", "tau_1", "tau_2", "tau_syn_exc", "tau_syn_inh")
    decay = {name: 1 / number(getattr(p, name)) for name in names}
    zero, one = number(0), number(1)
    membrane = [-leak, zero, zero, zero, zero, 1 / capacitance, 1 / capacitance, 1 / capacitance]
    matrix = [[zero] * len(STATE) for _ in STATE]
    matrix[_U] = membrane
    matrix[_Y] = [beta * rate for rate in membrane]
    matrix[_Y][_Y] = -decay["tau_v"]
    matrix[_V][_Y], matrix[_V][_V] = one, -decay["tau_v"]
    matrix[_A1][_A1], matrix[_A2][_A2] = -decay["tau_1"], -decay["tau_2"]
    matrix[_EXC][_EXC], matrix[_INH][_INH] = -decay["tau_syn_exc"], -decay["tau_syn_inh"]
    return matrix


def refractory_steps(refr_T: float, resolution: float) -> int:
    """Return NEST's number of steps of a duration: rounded to 1 us, then up to whole steps.

    Parameters
    ----------
    refr_T, resolution : float
        In ms.
    """
    tic = 1000
    return -(-int(refr_T * tic + 0.5) // round(resolution * tic))


def propagators(parameters: Sequence[AmatParameters], resolution: float) -> Floats:
    """Return the propagators of one step, exp(A h), rounded to double precision.

    They are computed in extended precision (``numpy.longdouble``) by scaling, a Taylor series and squaring.

    Parameters
    ----------
    parameters : sequence of AmatParameters
    resolution : float
        The step h in ms.

    Returns
    -------
    ndarray, shape (neurons, 8, 8)
    """
    matrix = np.array([system_matrix(p, np.longdouble) for p in parameters], dtype=np.longdouble)
    matrix *= np.longdouble(repr(float(resolution)))
    squarings = max(0, int(np.ceil(np.log2(float(np.abs(matrix).sum(axis=2).max())))) + 4)
    matrix /= np.longdouble(2) ** squarings
    term = result = np.broadcast_to(np.eye(len(STATE), dtype=np.longdouble), matrix.shape)
    for n in range(1, 18):
        term = np.einsum("nij,njk->nik", term, matrix) / n
        result = result + term
    for _ in range(squarings):
        result = np.einsum("nij,njk->nik", result, result)
    return result.astype(np.float64)


def integrate(
    parameters: Sequence[AmatParameters],
    current: ArrayLike,
    excitatory: ArrayLike,
    inhibitory: ArrayLike,
    resolution: float,
    *,
    V_m: ArrayLike | None = None,
    step_matrices: Floats | None = None,
) -> Trajectory:
    """Integrate many neurons in double precision.

    Parameters
    ----------
    parameters : sequence of AmatParameters
        One for each neuron.
    current : array_like, shape (neurons, steps)
        The external current during each step besides ``I_e``, in pA.
    excitatory, inhibitory : array_like, shape (neurons, steps)
        The sum of the weights of the spikes that arrive at the end of each step, in pA; inhibitory weights
        are negative.
    resolution : float
        The step h in ms.
    V_m : array_like, shape (neurons,), optional
        Membrane potentials at the start in mV; ``E_L`` if not given.
    step_matrices : ndarray, shape (neurons, 8, 8), optional
        Propagators to use in place of the exact ones, to study the effect of their errors.

    Returns
    -------
    Trajectory
    """
    current = np.asarray(current, dtype=float)
    excitatory, inhibitory = np.asarray(excitatory, dtype=float), np.asarray(inhibitory, dtype=float)
    neurons, steps = current.shape
    matrices = propagators(parameters, resolution) if step_matrices is None else step_matrices

    def column(name: str) -> Floats:
        return np.array([getattr(p, name) for p in parameters], dtype=float)

    E_L, omega, I_e = column("E_L"), column("omega"), column("I_e")
    alpha_1, alpha_2 = column("alpha_1"), column("alpha_2")
    dead_steps = np.array([refractory_steps(p.refr_T, resolution) for p in parameters]) + 1

    state = np.zeros((neurons, len(STATE)))
    if V_m is not None:
        state[:, _U] = np.asarray(V_m, dtype=float) - E_L
    refractory = np.zeros(neurons, dtype=int)
    U, V_th, V_th_v = np.empty((3, steps, neurons))
    spiked = np.zeros((steps, neurons), dtype=bool)
    for k in range(steps):
        state[:, _I] = current[:, k] + I_e
        state = np.matmul(matrices, state[:, :, np.newaxis])[:, :, 0]
        state[:, _EXC] += excitatory[:, k]
        state[:, _INH] += inhibitory[:, k]
        refractory -= refractory > 0
        spikes = (refractory == 0) & (state[:, _U] >= omega + state[:, _V] + state[:, _A1] + state[:, _A2])
        if spikes.any():
            refractory[spikes] = dead_steps[spikes]
            state[spikes, _A1] += alpha_1[spikes]
            state[spikes, _A2] += alpha_2[spikes]
            spiked[k] = spikes
        U[k], V_th_v[k] = state[:, _U], state[:, _V]
        V_th[k] = omega + state[:, _V] + state[:, _A1] + state[:, _A2]
    return Trajectory(
        V_m=(U + E_L).T,
        V_th=(V_th + E_L).T,
        V_th_v=V_th_v.T,
        spike_steps=[np.flatnonzero(spiked[:, i]) + 1 for i in range(neurons)],
    )


def integrate_precise(
    parameters: AmatParameters,
    current: ArrayLike,
    excitatory: ArrayLike,
    inhibitory: ArrayLike,
    resolution: float,
    *,
    V_m: float | None = None,
    digits: int = 50,
) -> Trajectory:
    """Integrate one neuron with `digits` decimal digits.

    Parameters
    ----------
    parameters : AmatParameters
    current, excitatory, inhibitory : array_like, shape (steps,)
        As for `integrate`.
    resolution : float
        The step h in ms, as the decimal number that is written, not its nearest double.
    V_m : float, optional
        Membrane potential at the start in mV; ``E_L`` if not given.
    digits : int
        Decimal digits of the arithmetic.

    Returns
    -------
    Trajectory
        Of one neuron, rounded to double precision at the end.
    """
    p = parameters
    inputs = np.column_stack([np.asarray(x, dtype=float) for x in (current, excitatory, inhibitory)])
    with mpmath.workdps(digits):
        step = mpmath.expm(mpmath.matrix(system_matrix(p, mpmath.mpf)) * mpmath.mpf(repr(float(resolution))))
        rows = [[(j, step[i, j]) for j in range(len(STATE)) if step[i, j] != 0] for i in range(len(STATE))]
        state = [mpmath.mpf(0)] * len(STATE)
        if V_m is not None:
            state[_U] = mpmath.mpf(V_m) - p.E_L
        omega = mpmath.mpf(p.omega)
        dead_steps, refractory = refractory_steps(p.refr_T, resolution) + 1, 0
        trace, spikes = [], []
        for k, (injected, exc, inh) in enumerate(inputs.tolist()):
            state[_I] = mpmath.mpf(p.I_e) + injected
            state = [mpmath.fsum(factor * state[j] for j, factor in row) for row in rows]
            state[_EXC] += exc
            state[_INH] += inh
            refractory = max(0, refractory - 1)
            threshold = omega + state[_V] + state[_A1] + state[_A2]
            if refractory == 0 and state[_U] >= threshold:
                refractory = dead_steps
                state[_A1] += p.alpha_1
                state[_A2] += p.alpha_2
                threshold += mpmath.mpf(p.alpha_1) + p.alpha_2
                spikes.append(k + 1)
            trace.append((float(state[_U] + p.E_L), float(threshold + p.E_L), float(state[_V])))
    traces = np.array(trace, dtype=np.float64).T[:, np.newaxis, :]
    return Trajectory(traces[0], traces[1], traces[2], [np.array(spikes, dtype=np.int64)])
