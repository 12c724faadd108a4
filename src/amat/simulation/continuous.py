# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Solutions of the neurons in continuous time under a current step, as a reference for schemes with time steps.

Izhikevich's neuron is integrated by SciPy to a tight tolerance, and its spikes are located as events. Between spikes
AMAT is a matrix exponential, and its spikes are roots of ``V_m - V_th``. Neither shares code with NEST or NESTML.

Each solution can also move its spikes, and nothing else, to a grid (the argument `resolution`). This is the solution
of a scheme without integration error.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import brentq

from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons import AmatParameters, IzhikevichPattern
from amat.simulation.reference import STATE, refractory_steps, system_matrix

__all__ = ["TOLERANCE", "Solution", "amat_reference", "izhikevich_reference"]

#: Time step of the search for AMAT's threshold crossings, before they are refined, in ms.
SCAN = 0.01

#: Relative and absolute tolerance of the solution of Izhikevich's neuron.
TOLERANCE = 1e-13

_EMPTY: Floats = np.empty(0)
_U, _V, _A1, _A2, _I = (STATE.index(name) for name in ("U", "V_th_v", "V_th_alpha_1", "V_th_alpha_2", "I"))


@dataclass(frozen=True)
class Solution:
    """Spikes and traces of a neuron.

    Attributes
    ----------
    spike_times : ndarray, shape (spikes,)
        In ms.
    traces : dict of str to ndarray
        State variables in mV at the requested times, by their names in NEST. At a spike's time the value is that
        before the spike.
    """

    spike_times: Floats
    traces: dict[str, Floats]


def izhikevich_reference(
    neuron: IzhikevichPattern,
    current: float,
    onset: float,
    duration: float,
    *,
    resolution: float | None = None,
    times: ArrayLike = _EMPTY,
) -> Solution:
    """Solve Izhikevich's neuron under a current step.

    Parameters
    ----------
    neuron : IzhikevichPattern
        Parameters and initial values; the pattern's own current is not used.
    current : float
        Current from the onset on, in mV/ms (pA in NEST); zero before.
    onset, duration : float
        In ms.
    resolution : float, optional
        Spacing of a grid in ms. A spike then takes place at the first grid point at or after the crossing of the
        threshold; the equations are still solved in continuous time. By default a spike takes place at the crossing.
    times : array_like, shape (times,)
        Times of the trace in ms, ascending, until `duration`.

    Returns
    -------
    Solution
        With the trace ``V_m``.

    Raises
    ------
    AmatError
        If the neuron has a non-standard equation of u, or the potential reaches infinity before the next grid point.
    """
    if (neuron.parameters.leak, neuron.parameters.V_ref) != (1.0, 0.0):
        raise AmatError(f"{neuron.name} has a non-standard equation of u: choose a pattern with the standard one.")
    sampled = np.asarray(times, dtype=float)
    V_m = np.full(sampled.shape, np.nan)
    state, spikes = np.array([neuron.V_0, neuron.u_0]), []
    for start, stop, drive in ((0.0, onset, 0.0), (onset, duration, current)):
        while start < stop:
            piece = _flow(neuron, drive, (start, stop), state)
            end, state = float(piece.t[-1]), piece.y[:, -1]
            inside = (start <= sampled) & (sampled <= end) & np.isnan(V_m)
            if inside.any():
                V_m[inside] = piece.sol(sampled[inside])[0]
            if piece.status == 1:
                spike = end if resolution is None else _next_grid_point(end, resolution)
                if spike > end:
                    state = _flow(neuron, drive, (end, spike), state, peak=math.inf).y[:, -1]
                state = np.array([neuron.parameters.c, state[1] + neuron.parameters.d])
                spikes.append(spike)
                end = spike
            start = end
    return Solution(np.array(spikes), {"V_m": V_m})


def _flow(
    neuron: IzhikevichPattern, drive: float, span: tuple[float, float], state: Floats, *, peak: float | None = None
) -> Any:
    """Solve the ODEs over a span, or until V_m rises through a peak (by default the neuron's)."""
    p = neuron.parameters
    q2, q1, q0, a, b = p.q_2, p.q_1, p.q_0, p.a, p.b
    peak = p.V_peak if peak is None else peak

    def rates(_: float, y: Floats) -> tuple[float, float]:
        V, u = y.tolist()
        return (q2 * V + q1) * V + q0 - u + drive, a * (b * V - u)

    def crossing(_: float, y: Floats) -> float:
        return float(y[0]) - peak

    crossing.terminal, crossing.direction = True, 1.0  # type: ignore[attr-defined]
    events = crossing if math.isfinite(peak) else None
    # Near rest, longer steps would make the interpolant less accurate than the tolerance.
    options: dict[str, Any] = {
        "method": "DOP853",
        "rtol": TOLERANCE,
        "atol": TOLERANCE,
        "max_step": 1.0,
        "dense_output": True,
    }
    # Trial steps near the peak may overshoot towards the solution's pole; the solver rejects them.
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(rates, span, state, events=events, **options)
    if solution.status == -1 or not np.isfinite(solution.y[:, -1]).all():
        raise AmatError(
            f"Izhikevich's V_m reaches infinity between {span[0]:.6g} and {span[1]:.6g} ms, before the "
            "next grid point: choose a finer resolution."
        )
    return solution


def _next_grid_point(time: float, resolution: float) -> float:
    """Return the first grid point at or after `time`, except for rounding errors."""
    return math.ceil(time / resolution - 1e-9) * resolution


def amat_reference(
    parameters: AmatParameters,
    current: float,
    onset: float,
    duration: float,
    *,
    resolution: float | None = None,
    times: ArrayLike = _EMPTY,
) -> Solution:
    """Solve the AMAT neuron, initially at rest, under a current step.

    In continuous time the neuron spikes where ``V_m`` reaches ``V_th``, but not within `refr_T` of its last spike.
    Excursions above the threshold that are shorter than `SCAN` may be missed.

    Parameters
    ----------
    parameters : AmatParameters
        Its `I_e` acts at all times.
    current : float
        Current from the onset on, in pA; zero before.
    onset, duration : float
        In ms.
    resolution : float, optional
        Spacing of a grid in ms. The threshold is then tested at the grid points only, as in NEST, and the dead time
        is ``refr_T`` plus one step. By default a spike takes place at the crossing of the threshold.
    times : array_like, shape (times,)
        Times of the traces in ms, ascending, until `duration`.

    Returns
    -------
    Solution
        With the traces ``V_m`` and ``V_th``.
    """
    matrix = np.array(system_matrix(parameters))
    search = _Search(matrix, SCAN if resolution is None else resolution, refine=resolution is None)
    if resolution is None:
        dead_time = parameters.refr_T
    else:
        dead_time = (refractory_steps(parameters.refr_T, resolution) + 1) * resolution
    sampled = np.asarray(times, dtype=float)
    traces = np.full((len(STATE), *sampled.shape), np.nan)
    state, spikes, ready = np.zeros(len(STATE)), [], 0.0
    for start, stop, drive in ((0.0, onset, 0.0), (onset, duration, current)):
        state[_I] = parameters.I_e + drive
        while start < stop:
            wait = search.first_crossing(state, parameters.omega, max(0.0, ready - start), stop - start)
            end = stop if wait is None else start + wait
            inside = (start <= sampled) & (sampled <= end) & np.isnan(traces[_U])
            traces[:, inside] = (_exponentials(matrix, sampled[inside] - start) @ state).T
            state = _exponential(matrix, end - start) @ state
            if wait is not None:
                state[_A1] += parameters.alpha_1
                state[_A2] += parameters.alpha_2
                spikes.append(end)
                ready = end + dead_time
            start = end
    V_th = parameters.omega + traces[_V] + traces[_A1] + traces[_A2]
    return Solution(np.array(spikes), {"V_m": parameters.E_L + traces[_U], "V_th": parameters.E_L + V_th})


def _exponential(matrix: Floats, time: float) -> Floats:
    """Return exp(A t)."""
    return np.asarray(expm(matrix * time), dtype=np.float64)


def _exponentials(matrix: Floats, times: Floats) -> Floats:
    """Return exp(A t) for each time; shape (times, n, n)."""
    return np.array([_exponential(matrix, time) for time in times.tolist()]).reshape(-1, *matrix.shape)


class _Search:
    """Search for the first time at which ``V_m >= V_th``, which tests many steps at once."""

    def __init__(self, matrix: Floats, step: float, *, refine: bool) -> None:
        """Prepare the search in steps of `step` ms; optionally refine the step's end to the crossing."""
        self.matrix, self.step, self.refine = matrix, step, refine
        self.block = max(1, round(1.0 / step))
        self.distance = np.zeros(len(STATE))
        self.distance[[_U, _V, _A1, _A2]] = 1.0, -1.0, -1.0, -1.0
        self.rows = self.distance @ _exponentials(matrix, step * np.arange(self.block, dtype=np.float64))
        self.leap = _exponential(matrix, self.block * step)

    def first_crossing(self, state: Floats, omega: float, earliest: float, latest: float) -> float | None:
        """Return the time from `state` to the first crossing between `earliest` and `latest`, or None."""
        length = (latest - earliest) / self.step
        steps = math.ceil(length) if self.refine else math.floor(length + 1e-9)
        moved = _exponential(self.matrix, earliest) @ state
        for begin in range(0, steps + 1, self.block):
            for hit in np.flatnonzero(self.rows @ moved >= omega)[:1].tolist():
                if begin + hit > steps:
                    return None
                time = earliest + (begin + hit) * self.step
                if self.refine and begin + hit:
                    time = self._crossing(state, omega, time)
                return time if time <= latest + 1e-9 else None
            moved = self.leap @ moved
        return None

    def _crossing(self, state: Floats, omega: float, end: float) -> float:
        """Return the crossing in the step that ends at `end`."""

        def excess(time: float) -> float:
            return float(self.distance @ (_exponential(self.matrix, time) @ state)) - omega

        return float(brentq(excess, end - self.step, end, xtol=1e-14, rtol=4 * np.finfo(float).eps))
