# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of spike times and membrane potentials due to the time step, relative to the solution in continuous time.

There are two errors. On a grid a spike can only occur at the end of a step, which delays it (rounding error). The
integration between spikes may be inaccurate as well (integration error). `amat.simulation.continuous` solves the
neurons in continuous time, and with only the spikes moved to the grid; the latter separates the two errors.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.arrays import Floats, Integers
from amat.errors import AmatError
from amat.neurons import AmatParameters, IzhikevichPattern
from amat.simulation.continuous import TOLERANCE, Solution, amat_reference, izhikevich_reference
from amat.simulation.run import Recording, simulate
from amat.simulation.stimuli import Stimulus, pulses

__all__ = ["SCHEMES", "TOLERANCE", "Scheme", "convergence", "nest_parameters", "order_of_convergence"]


#: Onset of the currents, and least time between the end of the comparison of traces and the first spike, in ms.
ONSET, MARGIN = 10.0, 1.0


@dataclass(frozen=True)
class Scheme:
    """A model in NEST with an integration scheme.

    Attributes
    ----------
    model : str
        The model's name in NEST.
    name : str
        The scheme's name in tables and figures.
    settings : mapping
        NEST parameters that select the scheme.
    """

    model: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


#: The schemes that are compared; names are unique.
SCHEMES = (
    Scheme("izhikevich", "Izhikevich, Euler (NEST)", {"consistent_integration": True}),
    Scheme("izhikevich_neuron_nestml_euler", "Izhikevich, Euler (NESTML)"),
    Scheme("izhikevich", "Izhikevich, 2003 scheme (NEST)", {"consistent_integration": False}),
    Scheme("izhikevich_neuron_nestml", "Izhikevich, Runge-Kutta 4(5) (NESTML)"),
    Scheme("amat2_psc_exp", "AMAT (NEST)"),
    Scheme("amat2_psc_exp_neuron_nestml", "AMAT (NESTML)"),
)


def order_of_convergence(h: ArrayLike, error: ArrayLike) -> float:
    """Return the order p of ``error ~ h^p``: the least-squares slope of log error against log h.

    Parameters
    ----------
    h : array_like, shape (n,)
        Time steps, at least two different ones.
    error : array_like, shape (n,)
        Errors of either sign; none may be zero.

    Raises
    ------
    AmatError
        If a slope cannot be estimated.
    """
    steps, sizes = np.asarray(h, dtype=float), np.abs(np.asarray(error, dtype=float))
    if steps.shape != sizes.shape or len(np.unique(steps)) < 2:
        raise AmatError(f"{steps.size} time steps and {sizes.size} errors: give one error each for at least two steps.")
    if not ((steps > 0).all() and (sizes > 0).all() and np.isfinite(sizes).all()):
        raise AmatError("An order needs positive time steps and finite errors that are not zero: omit the others.")
    return float(np.polyfit(np.log(steps), np.log(sizes), 1)[0])


def nest_parameters(neuron: IzhikevichPattern) -> dict[str, Any]:
    """Return parameters and initial state of Izhikevich's neuron by their names in NEST.

    Raises
    ------
    AmatError
        If NEST's model does not have the neuron's quadratic equation.
    """
    p = neuron.parameters
    quadratic = p.q_2, p.q_1, p.q_0
    if quadratic != (0.04, 5.0, 140.0):
        raise AmatError(
            f"{neuron.name} has the quadratic {quadratic}, which NEST does not offer: choose another pattern."
        )
    start = {"V_m": neuron.V_0, "U_m": neuron.u_0}
    return {"a": p.a, "b": p.b, "c": p.c, "d": p.d, "V_th": p.V_peak} | start


def _amat_parameters(parameters: AmatParameters, model: str) -> dict[str, Any]:
    values = parameters.to_nest() if model == "amat2_psc_exp" else parameters.to_nestml()
    return values | {"V_m": parameters.E_L}


def convergence(
    resolutions: Sequence[float],
    amat: AmatParameters,
    amat_currents: Sequence[float],
    izhikevich: IzhikevichPattern,
    izhikevich_currents: Sequence[float],
    *,
    duration: float = 200.0,
) -> pd.DataFrame:
    """Compare the schemes on NEST with the solution in continuous time, for each time step and current.

    Parameters
    ----------
    resolutions : sequence of float
        Time steps in ms that divide 1 ms, below the 0.27 ms in which Izhikevich's potential rises from the peak to
        infinity.
    amat, izhikevich : AmatParameters, IzhikevichPattern
        The neurons. Of their own currents only AMAT's `I_e` is used.
    amat_currents, izhikevich_currents : sequence of float
        Currents from `ONSET` on, in pA; each must make the neuron spike.
    duration : float
        A whole number of ms.

    Returns
    -------
    pandas.DataFrame
        Tidy, with columns model, scheme, current_pA, h_ms, measure, spike_index (from 1; missing for measures
        without a spike), value and unit. The measures are

        ================= =====================================================================================
        spike_time_error  spike time minus that in continuous time, ms: the sum of the next two
        rounding_error    the part due to the grid, ms
        integration_error the part due to the integration between spikes, ms: a whole number of steps
        interval_error    error of the interval that ends with the spike, ms
        V_m_error         largest deviation of V_m at grid points from the onset until before the first spike, mV
        V_th_error        the same of AMAT's threshold, mV
        surplus_spikes    number of spikes minus that in continuous time
        ================= =====================================================================================

    Raises
    ------
    AmatError
        If a neuron does not spike or spikes too early, or NEST does not offer Izhikevich's equation.
    """
    of_izhikevich = nest_parameters(izhikevich)
    span = (ONSET, duration)
    tables = [
        _compare(
            _Neuron("izhikevich", partial(izhikevich_reference, izhikevich), lambda _: of_izhikevich, ("V_m",)),
            *(izhikevich_currents, resolutions, span),
        ),
        _compare(
            _Neuron("amat", partial(amat_reference, amat), partial(_amat_parameters, amat), ("V_m", "V_th")),
            *(amat_currents, resolutions, span),
        ),
    ]
    return pd.concat(tables, ignore_index=True).astype({"spike_index": "Int64"})


@dataclass(frozen=True)
class _Neuron:
    """A neuron: the beginning of its models' names, its reference solution, parameters for a model, and traces."""

    family: str
    solve: Callable[..., Solution]
    parameters: Callable[[str], dict[str, Any]]
    recordables: tuple[str, ...]


def _compare(
    neuron: _Neuron, currents: Sequence[float], resolutions: Sequence[float], span: tuple[float, float]
) -> pd.DataFrame:
    """Compare the schemes of one neuron; `span` holds onset and duration."""
    schemes = [scheme for scheme in SCHEMES if scheme.model.startswith(neuron.family)]
    exact = [neuron.solve(current, *span) for current in currents]
    ends = [_end_of_traces(solution, current) for solution, current in zip(exact, currents, strict=True)]
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


def _end_of_traces(solution: Solution, current: float) -> float:
    """Return the time in ms at which the comparison of traces ends: a whole number, and so the same for all steps."""
    if not len(solution.spike_times):
        raise AmatError(f"A neuron does not spike at {current:g} pA: choose a stronger current or a longer run.")
    end = float(math.floor(solution.spike_times[0] - MARGIN))
    if end <= ONSET:
        raise AmatError(
            f"A neuron spikes too early at {current:g} pA, at {solution.spike_times[0]:g} ms: choose a weaker current."
        )
    return end


def _run(
    neuron: _Neuron, currents: Sequence[float], scheme: Scheme, resolution: float, span: tuple[float, float]
) -> Recording:
    """Simulate a scheme on NEST with one neuron for each current."""
    onset, duration = span
    stimuli = [Stimulus(pulses(duration, resolution, [onset], [duration - onset], [value])) for value in currents]
    parameters = neuron.parameters(scheme.model) | dict(scheme.settings)
    record = {scheme.model: neuron.recordables}
    result = simulate({scheme.model: [parameters] * len(currents)}, stimuli, resolution, record=record)
    return result.recordings[scheme.model]


_Measure = tuple[str, int | None, float, str]


def _spike_measures(found: Floats, exact: Solution, on_grid: Solution, resolution: float) -> Iterator[_Measure]:
    """Yield the measures of the spikes that the simulation and both solutions have."""
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


def _trace_measures(recording: Recording, neuron: int, solution: Solution, steps: Integers) -> Iterator[_Measure]:
    """Yield the largest deviation of each trace of a neuron at the ends of some steps."""
    for name, trace in recording.traces.items():
        deviation = np.abs(trace[neuron, steps - 1] - solution.traces[name])
        yield f"{name}_error", None, float(deviation.max()), "mV"
