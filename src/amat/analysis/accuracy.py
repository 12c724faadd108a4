# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of closed-form propagators with nearly equal time constants.

NESTML's code and NEST's built-in ``amat2_psc_exp`` both propagate the AMAT neuron by closed formulae, which divide by
differences of time constants. This module measures the errors against the exact solution.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from amat import toolchain
from amat.analysis.validation import NEST_MODEL
from amat.arrays import Floats
from amat.neurons import AmatParameters
from amat.simulation.kernel import reset_kernel
from amat.simulation.reference import STATE, integrate, propagators
from amat.simulation.run import simulate
from amat.simulation.stimuli import PoissonInput, Stimulus, pulses

__all__ = [
    "CASES",
    "accepts",
    "closed_form_propagators",
    "near_parameters",
    "relative_error",
    "threshold_errors",
]

#: The time constants that are nearly equal.
CASES = ("tau_m, tau_v", "tau_m, tau_syn_exc", "tau_m, tau_v, tau_syn_exc")

#: The generated code's names of the states, in the order of `amat.simulation.reference.STATE`.
_GENERATED_STATE = (
    "V_m",
    "V_th_dv",
    "V_th_v",
    "V_th_alpha_1",
    "V_th_alpha_2",
    "I_kernel_exc__X__exc_spikes",
    "I_kernel_inh__X__inh_spikes",
    "I_drive",
)


def near_parameters(case: str, distance: float) -> AmatParameters:
    """Return a neuron with ``tau_m`` = 10 ms and other time constants at a relative distance from it.

    Parameters
    ----------
    case : str
        One of `CASES`: the time constants that are nearly equal.
    distance : float
        The relative distance, by which ``tau_v`` is above ``tau_m``, and ``tau_syn_exc`` below.
    """
    changes = {"beta": -0.5}
    if "tau_v" in case:
        changes["tau_v"] = 10.0 * (1 + distance)
    if "tau_syn_exc" in case:
        changes["tau_syn_exc"] = 10.0 * (1 - distance)
    return AmatParameters().replace(**changes)


def closed_form_propagators(
    parameters: AmatParameters, resolution: float, number: type[np.floating] = np.float64
) -> Floats:
    """Evaluate the formulae that NESTML generated for one step.

    Parameters
    ----------
    parameters : AmatParameters
    resolution : float
        The step in ms.
    number : type
        The floating-point type to calculate with.

    Returns
    -------
    ndarray, shape (8, 8)
        In the order of `amat.simulation.reference.STATE`, rounded to double precision.
    """
    values = {name: number(value) for name, value in parameters.to_nestml().items()}
    names = {**values, "__h": number(resolution), "unit_psc": number(1), "exp": np.exp}
    matrix = np.zeros((len(STATE), len(STATE)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, formula in toolchain.build(toolchain.AMAT).propagators().items():
            row, column = _indices(name)
            value = eval(formula, {"__builtins__": {}}, names)  # the formulae of our own build
            # NESTML counts inhibitory weights as positive.
            sign = -1 if _GENERATED_STATE[column].startswith("I_kernel_inh") and row != column else 1
            matrix[row, column] = sign * value
    return matrix


def _indices(name: str) -> tuple[int, int]:
    """Return row and column of a propagator by its generated name."""
    for row, target in enumerate(_GENERATED_STATE):
        for column, source in enumerate(_GENERATED_STATE):
            if name == f"__P__{target}__{source}":
                return row, column
    raise ValueError(f"{name} is not a propagator of the AMAT neuron")


def relative_error(parameters: AmatParameters, resolution: float, number: type[np.floating] = np.float64) -> float:
    """Return the largest relative error of the closed-form propagators of one step, or NaN if one is not a number."""
    exact = propagators([parameters], resolution)[0]
    closed = closed_form_propagators(parameters, resolution, number)
    there = exact != 0
    return float(np.max(np.abs(closed[there] - exact[there]) / np.abs(exact[there])))


def threshold_errors(case: str, distances: Sequence[float], seed: int = 1) -> pd.DataFrame:
    """Simulate neurons with nearly equal time constants, and compare their thresholds with the exact ones.

    Parameters
    ----------
    case : str
        One of `CASES`.
    distances : sequence of float
        Relative distances of the time constants.
    seed : int
        The seed of the random input, in a simulation of 1 s in steps of 0.1 ms.

    Returns
    -------
    pandas.DataFrame
        One row per distance and method: ``case``, ``distance``, ``method``, and ``error``, the largest deviation of
        V_th in mV, NaN if the model refuses the parameters. Methods: ``NEST`` (built in), ``double`` (the closed
        formulae in double precision, as NESTML's templates evaluate them), ``generated`` (the checked build).
    """
    resolution, duration = 0.1, 1000.0
    parameters = [near_parameters(case, distance) for distance in distances]
    step = pulses(duration, resolution, [50.0], [duration], [150.0])
    stimuli = [Stimulus(step, PoissonInput(6000.0, 1500.0, 20.0, -20.0))] * len(parameters)
    values = {
        NEST_MODEL: [p.to_nest() for p in parameters],
        toolchain.AMAT: [p.to_nestml() for p in parameters],
    }
    accepted = {model: [accepts(model, v, resolution) for v in values[model]] for model in values}
    run = simulate(
        # A refused neuron keeps its place with default parameters, and is not used.
        {m: [v if a else {} for v, a in zip(values[m], accepted[m], strict=True)] for m in values},
        stimuli,
        resolution,
        record={model: ["V_th"] for model in values},
        seed=seed,
    )
    inputs = (run.current, run.excitatory, run.inhibitory)
    exact = integrate(parameters, *inputs, resolution).V_th
    matrices = np.array([closed_form_propagators(p, resolution) for p in parameters])
    thresholds = {
        "NEST": run.recordings[NEST_MODEL].traces["V_th"],
        "double": integrate(parameters, *inputs, resolution, step_matrices=matrices).V_th,
        "generated": run.recordings[toolchain.AMAT].traces["V_th"],
    }
    errors = {method: np.abs(V_th - exact).max(axis=1) for method, V_th in thresholds.items()}
    errors["NEST"][~np.array(accepted[NEST_MODEL])] = np.nan
    errors["generated"][~np.array(accepted[toolchain.AMAT])] = np.nan
    table = pd.DataFrame({"case": case, "distance": distances, **errors})
    return table.melt(["case", "distance"], var_name="method", value_name="error")


def accepts(model: str, values: Mapping[str, float], resolution: float) -> bool:
    """Reset NEST's kernel, and return whether a model accepts the parameters."""
    nest = reset_kernel(resolution, [model])
    try:
        nest.Create(model, params=dict(values))
    except nest.NESTErrors.BadProperty:
        return False
    return True
