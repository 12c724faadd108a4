# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""How the time step limits what a simulation gets right: spike times and membrane potentials against the truth.

The truth is a neuron in continuous time under a current that is constant from its onset on: Izhikevich's is
integrated by SciPy to a tight tolerance and its spikes are located as events; AMAT's is a matrix exponential
between spikes, which are roots of ``V_m - V_th``. None of it shares code with NEST or NESTML.

Two errors are told apart. On a grid a spike can only occur at the end of a step: it is *rounded* up. And what is
integrated between spikes may be wrong: the *integration* error. The same references with their spikes, but
nothing else, moved to the grid (the argument `resolution`) are what a scheme without integration error gives.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import brentq

from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons import AmatParameters, IzhikevichPattern
from amat.simulation.reference import STATE, refractory_steps, system_matrix
from amat.simulation.run import Recording, simulate
from amat.simulation.stimuli import Stimulus, pulses

__all__ = [
    "SCHEMES",
    "TOLERANCE",
    "Scheme",
    "Solution",
    "amat_reference",
    "convergence",
    "izhikevich_reference",
    "order_of_convergence",
]


#: Grid on which AMAT's crossings in continuous time are looked for before they are refined, in ms.
SCAN = 0.01

#: Relative and absolute tolerance of Izhikevich's reference.
TOLERANCE = 1e-13

_EMPTY: Floats = np.empty(0)
_U, _V, _A1, _A2, _I = (STATE.index(name) for name in ("U", "V_th_v", "V_th_alpha_1", "V_th_alpha_2", "I"))


@dataclass(frozen=True)
class Solution:
    """What a neuron does.

    Attributes
    ----------
    spike_times : ndarray, shape (spikes,)
        In ms.
    traces : dict of str to ndarray
        The state at the times that were asked for, by NEST's name, in mV; up to and including a spike's time
        it is the state before the spike.
    """

    spike_times: Floats
    traces: dict[str, Floats]


@dataclass(frozen=True)
class Scheme:
    """A model in NEST and how it is integrated.

    Attributes
    ----------
    model : str
        The model's name in NEST.
    name : str
        The scheme's name in tables and figures.
    settings : mapping
        Parameters in NEST that choose the scheme.
    """

    model: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


#: What is compared; each name occurs once.
SCHEMES = (
    Scheme("izhikevich", "Izhikevich, Euler (NEST)", {"consistent_integration": True}),
    Scheme("izhikevich_neuron_nestml_euler", "Izhikevich, Euler (NESTML)"),
    Scheme("izhikevich", "Izhikevich, 2003 scheme (NEST)", {"consistent_integration": False}),
    Scheme("izhikevich_neuron_nestml", "Izhikevich, Runge-Kutta 4(5) (NESTML)"),
    Scheme("amat2_psc_exp", "AMAT (NEST)"),
    Scheme("amat2_psc_exp_neuron_nestml", "AMAT (NESTML)"),
)


def izhikevich_reference(
    neuron: IzhikevichPattern,
    current: float,
    onset: float,
    duration: float,
    *,
    resolution: float | None = None,
    times: ArrayLike = _EMPTY,
    method: Literal["DOP853", "Radau"] = "DOP853",
    tolerance: float = TOLERANCE,
) -> Solution:
    """Solve Izhikevich's neuron under a current that is zero before its onset and constant after it.

    Parameters
    ----------
    neuron : IzhikevichPattern
        Its parameters and initial values; its own current is not used.
    current : float
        In mV/ms (pA in NEST).
    onset, duration : float
        In ms.
    resolution : float, optional
        A grid in ms. A spike then takes effect, and is reported, at the grid's first point at which the
        threshold has been crossed; ODEs are still solved in continuous time. Without it spikes are where the
        threshold is crossed.
    times : array_like, shape (times,)
        When to return the membrane potential, in ms, ascending, until `duration`.
    method : {"DOP853", "Radau"}
        SciPy's solver.
    tolerance : float
        Relative and absolute.

    Returns
    -------
    Solution
        With the trace ``V_m``.

    Raises
    ------
    AmatError
        If the neuron has not the standard equation of u, or the potential reaches infinity before the grid's
        next point.
    """
    if (neuron.parameters.leak, neuron.parameters.V_ref) != (1.0, 0.0):
        raise AmatError(f"{neuron.name} has its own equation of u: choose a pattern with the standard one.")
    # Near rest the solver would take steps over which its interpolant is worse than the tolerance.
    options = {"method": method, "rtol": tolerance, "atol": tolerance, "max_step": 1.0}
    sampled = np.asarray(times, dtype=float)
    V_m = np.full(sampled.shape, np.nan)
    state, spikes = np.array([neuron.V_0, neuron.u_0]), []
    for start, stop, drive in ((0.0, onset, 0.0), (onset, duration, current)):
        while start < stop:
            piece = _flow(neuron, drive, (start, stop), state, options=options, dense_output=True)
            end, state = float(piece.t[-1]), piece.y[:, -1]
            inside = (start <= sampled) & (sampled <= end) & np.isnan(V_m)
            if inside.any():
                V_m[inside] = piece.sol(sampled[inside])[0]
            if piece.status == 1:
                spike = end if resolution is None else _next_grid_point(end, resolution)
                if spike > end:
                    state = _flow(neuron, drive, (end, spike), state, options=options, stop_at=math.inf).y[:, -1]
                state = np.array([neuron.parameters.c, state[1] + neuron.parameters.d])
                spikes.append(spike)
                end = spike
            start = end
    return Solution(np.array(spikes), {"V_m": V_m})


def _flow(
    neuron: IzhikevichPattern,
    drive: float,
    span: tuple[float, float],
    state: Floats,
    *,
    options: Mapping[str, Any],
    stop_at: float | None = None,
    dense_output: bool = False,
) -> Any:
    """Solve the ODEs over a span, at most until V_m rises through `stop_at` (default: the peak)."""
    p = neuron.parameters
    q2, q1, q0, a, b = p.q_2, p.q_1, p.q_0, p.a, p.b
    peak = p.V_peak if stop_at is None else stop_at

    def rates(_: float, y: Floats) -> tuple[float, float]:
        V, u = y.tolist()
        return (q2 * V + q1) * V + q0 - u + drive, a * (b * V - u)

    def crossing(_: float, y: Floats) -> float:
        return float(y[0]) - peak

    crossing.terminal, crossing.direction = True, 1.0  # type: ignore[attr-defined]
    events = crossing if math.isfinite(peak) else None
    # Trial steps near the peak may overshoot towards the solution's pole; the solver rejects them.
    with np.errstate(over="ignore", invalid="ignore"):
        solution = solve_ivp(rates, span, state, events=events, dense_output=dense_output, **options)
    if solution.status == -1 or not np.isfinite(solution.y[:, -1]).all():
        raise AmatError(
            f"Izhikevich's V_m reaches infinity between {span[0]:.6g} and {span[1]:.6g} ms, before the "
            "grid's next point: choose a finer resolution."
        )
    return solution


def _next_grid_point(time: float, resolution: float) -> float:
    """Return the grid's first point at or after `time`; one that rounding alone has passed counts as reached."""
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
    """Solve the AMAT neuron, initially at rest, under a current that is constant from its onset on.

    In continuous time it spikes where ``V_m`` reaches ``V_th``, and not within `refr_T` of its last spike. An
    excursion above the threshold shorter than `SCAN` may be missed.

    Parameters
    ----------
    parameters : AmatParameters
        Its `I_e` acts at all times.
    current : float
        In pA.
    onset, duration : float
        In ms.
    resolution : float, optional
        A grid in ms, at whose points alone the threshold is tested, as NEST does it: the dead time then is
        ``refr_T`` plus one step. Without it spikes are where the threshold is crossed.
    times : array_like, shape (times,)
        When to return the traces, in ms, ascending, until `duration`.

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
    """Looks for the first time at which ``V_m >= V_th``, a block of steps at once."""

    def __init__(self, matrix: Floats, step: float, *, refine: bool) -> None:
        """Prepare the search in steps of `step` ms, refined to the crossing itself or not."""
        self.matrix, self.step, self.refine = matrix, step, refine
        self.block = max(1, round(1.0 / step))
        self.distance = np.zeros(len(STATE))
        self.distance[[_U, _V, _A1, _A2]] = 1.0, -1.0, -1.0, -1.0
        self.rows = self.distance @ _exponentials(matrix, step * np.arange(self.block, dtype=np.float64))
        self.leap = _exponential(matrix, self.block * step)

    def first_crossing(self, state: Floats, omega: float, earliest: float, latest: float) -> float | None:
        """Return the time from `state` to the first crossing from `earliest` until `latest`, if there is one."""
        whole = (latest - earliest) / self.step
        steps = math.ceil(whole) if self.refine else math.floor(whole + 1e-9)
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

    def _crossing(self, state: Floats, omega: float, after: float) -> float:
        """Return the crossing in the step that ends at `after`."""

        def excess(time: float) -> float:
            return float(self.distance @ (_exponential(self.matrix, time) @ state)) - omega

        before = after - self.step
        return float(brentq(excess, before, after, xtol=1e-14, rtol=4 * np.finfo(float).eps))


def order_of_convergence(h: ArrayLike, error: ArrayLike) -> float:
    """Return the slope of log error against log h by least squares: the order p of ``error ~ h^p``.

    Parameters
    ----------
    h : array_like, shape (n,)
        Time steps, two different ones at least.
    error : array_like, shape (n,)
        Errors, by their size; none may be zero.

    Raises
    ------
    AmatError
        If a slope cannot be estimated.
    """
    steps, sizes = np.asarray(h, dtype=float), np.abs(np.asarray(error, dtype=float))
    if steps.shape != sizes.shape or len(np.unique(steps)) < 2:
        raise AmatError(f"{steps.size} time steps, {sizes.size} errors: give one error each, two steps at least.")
    if not ((steps > 0).all() and (sizes > 0).all() and np.isfinite(sizes).all()):
        raise AmatError("An order needs positive time steps and errors that are not zero: leave the others out.")
    return float(np.polyfit(np.log(steps), np.log(sizes), 1)[0])


class _Neuron(Protocol):
    """A neuron, as the comparison needs it."""

    recordables: tuple[str, ...]

    def solve(
        self,
        current: float,
        onset: float,
        duration: float,
        *,
        resolution: float | None = None,
        times: ArrayLike = _EMPTY,
    ) -> Solution:
        """Return its reference solution."""
        ...

    def parameters(self, model: str) -> dict[str, float]:
        """Return its parameters and initial state by the names of a model in NEST."""
        ...


class _Izhikevich:
    recordables: tuple[str, ...] = ("V_m",)

    def __init__(self, pattern: IzhikevichPattern) -> None:
        p = pattern.parameters
        if (p.q_2, p.q_1, p.q_0) != (0.04, 5.0, 140.0):
            raise AmatError(f"{pattern.name} has its own quadratic, which NEST has not: choose another pattern.")
        self.pattern = pattern

    def solve(self, current: float, onset: float, duration: float, **options: Any) -> Solution:
        return izhikevich_reference(self.pattern, current, onset, duration, **options)

    def parameters(self, model: str) -> dict[str, float]:
        p = self.pattern.parameters
        start = {"V_m": self.pattern.V_0, "U_m": self.pattern.u_0}
        return {"a": p.a, "b": p.b, "c": p.c, "d": p.d, "V_th": p.V_peak} | start


class _Amat:
    recordables: tuple[str, ...] = ("V_m", "V_th")

    def __init__(self, parameters: AmatParameters) -> None:
        self.values = parameters

    def solve(self, current: float, onset: float, duration: float, **options: Any) -> Solution:
        return amat_reference(self.values, current, onset, duration, **options)

    def parameters(self, model: str) -> dict[str, float]:
        values = self.values.to_nest() if model == "amat2_psc_exp" else self.values.to_nestml()
        return values | {"V_m": self.values.E_L}


def convergence(
    resolutions: Sequence[float],
    amat: AmatParameters,
    amat_currents: Sequence[float],
    izhikevich: IzhikevichPattern,
    izhikevich_currents: Sequence[float],
    *,
    onset: float = 10.0,
    duration: float = 200.0,
    margin: float = 1.0,
    schemes: Sequence[Scheme] = SCHEMES,
) -> pd.DataFrame:
    """Compare schemes on NEST with the solution in continuous time, for each time step and current.

    Parameters
    ----------
    resolutions : sequence of float
        Time steps in ms; they divide 1 ms. Izhikevich's neuron needs steps shorter than the time in which its
        potential rises from the peak to infinity, which is about 0.27 ms.
    amat, izhikevich : AmatParameters, IzhikevichPattern
        The neurons; their own currents are not used, save AMAT's `I_e`.
    amat_currents, izhikevich_currents : sequence of float
        Currents from the onset on, in pA; each makes the neuron spike.
    onset, duration : float
        In ms, whole numbers.
    margin : float
        How long before the first spike the comparison of traces ends, at least, in ms; the end is at a whole
        number of ms, so that it is the same for all time steps.
    schemes : sequence of Scheme
        What to compare.

    Returns
    -------
    pandas.DataFrame
        Tidy, with columns model, scheme, current_pA, h_ms, measure, spike_index (from 1; missing where a
        measure is not of a spike), value and unit. The measures are

        ================= =====================================================================================
        spike_time_error  spike time minus that in continuous time, ms: the sum of the next two
        rounding_error    its part due to the grid alone, ms
        integration_error its part due to what is integrated between spikes, ms: a whole number of steps
        interval_error    error of the interval that the spike ends, ms
        V_m_error         largest deviation of V_m at the grid's points from the onset to before the first
                          spike, mV
        V_th_error        the same of AMAT's threshold, mV
        surplus_spikes    number of spikes minus that in continuous time
        ================= =====================================================================================

    Raises
    ------
    AmatError
        If a neuron does not spike or spikes at once, or Izhikevich's is not the one that NEST has.
    """
    neurons: list[tuple[_Neuron, Sequence[float], list[Scheme]]] = [
        (_Izhikevich(izhikevich), izhikevich_currents, [s for s in schemes if s.model.startswith("izhikevich")]),
        (_Amat(amat), amat_currents, [s for s in schemes if not s.model.startswith("izhikevich")]),
    ]
    tables = [
        _compare(neuron, currents, chosen, resolutions, (onset, duration), margin)
        for neuron, currents, chosen in neurons
        if chosen
    ]
    return pd.concat(tables, ignore_index=True).astype({"spike_index": "Int64"})


def _compare(
    neuron: _Neuron,
    currents: Sequence[float],
    schemes: Sequence[Scheme],
    resolutions: Sequence[float],
    span: tuple[float, float],
    margin: float,
) -> pd.DataFrame:
    """Compare the schemes of one neuron."""
    exact = [neuron.solve(current, *span) for current in currents]
    ends = [
        _end_of_traces(solution, current, span[0], margin) for solution, current in zip(exact, currents, strict=True)
    ]
    rows: list[tuple[object, ...]] = []
    for h in resolutions:
        recordings = [_run(neuron, currents, scheme, h, span) for scheme in schemes]
        for i, current in enumerate(currents):
            on_grid = neuron.solve(current, *span, resolution=h)
            steps = np.arange(round(span[0] / h), round(ends[i] / h) + 1)
            before = neuron.solve(current, span[0], ends[i], times=steps * h)
            for scheme, recording in zip(schemes, recordings, strict=True):
                measures = [
                    *_spike_measures(recording.spike_times(i), exact[i], on_grid, h),
                    *_trace_measures(recording, i, before, steps),
                ]
                rows += [(scheme.model, scheme.name, current, h, *measure) for measure in measures]
    columns = ["model", "scheme", "current_pA", "h_ms", "measure", "spike_index", "value", "unit"]
    return pd.DataFrame(rows, columns=columns)


def _end_of_traces(solution: Solution, current: float, onset: float, margin: float) -> float:
    """Return the whole number of ms at which the comparison of traces ends."""
    if not len(solution.spike_times):
        raise AmatError(f"A neuron does not spike at {current:g} pA: choose a stronger current or a longer run.")
    end = float(math.floor(solution.spike_times[0] - margin))
    if end <= onset:
        raise AmatError(f"A neuron spikes too early at {current:g} pA: choose a weaker current or margin.")
    return end


def _run(
    neuron: _Neuron, currents: Sequence[float], scheme: Scheme, resolution: float, span: tuple[float, float]
) -> Recording:
    """Simulate a scheme on NEST, one neuron for each current."""
    onset, duration = span
    stimuli = [Stimulus(pulses(duration, resolution, [onset], [duration - onset], [value])) for value in currents]
    parameters = neuron.parameters(scheme.model) | dict(scheme.settings)
    record = {scheme.model: neuron.recordables}
    result = simulate({scheme.model: [parameters] * len(currents)}, stimuli, resolution, record=record)
    return result.recordings[scheme.model]


_Measure = tuple[str, int | None, float, str]


def _spike_measures(found: Floats, exact: Solution, on_grid: Solution, resolution: float) -> Iterator[_Measure]:
    """Yield the measures of the spikes that all three have."""
    count = min(len(found), len(exact.spike_times), len(on_grid.spike_times))
    error = found[:count] - exact.spike_times[:count]
    displacement = np.rint((found[:count] - on_grid.spike_times[:count]) / resolution) * resolution
    for i in range(count):
        yield "spike_time_error", i + 1, error[i], "ms"
        yield "rounding_error", i + 1, error[i] - displacement[i], "ms"
        yield "integration_error", i + 1, displacement[i], "ms"
        if i:
            yield "interval_error", i + 1, error[i] - error[i - 1], "ms"
    yield "surplus_spikes", None, float(len(found) - len(exact.spike_times)), "1"


def _trace_measures(
    recording: Recording, neuron: int, solution: Solution, steps: NDArray[np.int64]
) -> Iterator[_Measure]:
    """Yield the largest deviations of a neuron's traces at the ends of some steps."""
    for name, trace in recording.traces.items():
        deviation = np.abs(trace[neuron, steps - 1] - solution.traces[name])
        yield f"{name}_error", None, float(deviation.max()), "mV"
