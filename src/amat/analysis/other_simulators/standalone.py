# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The neuron that NESTML generates in Python, simulated step by step and compared with NEST."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amat import toolchain
from amat.analysis import validation
from amat.analysis.other_simulators.targets import Generated, generate
from amat.arrays import Floats
from amat.simulation.run import simulate

__all__ = ["Run", "compare_with_nest", "load_neuron", "run_neuron"]


@dataclass(frozen=True)
class Run:
    """The result of a simulation of one neuron.

    Attributes
    ----------
    spike_steps : ndarray of int
        The steps at whose end the neuron spiked, counted from 1.
    V_m, V_th : ndarray, shape (steps,)
        Membrane potential and threshold at the end of each step, in mV.
    """

    spike_steps: NDArray[np.int64]
    V_m: Floats
    V_th: Floats


def load_neuron(generated: Generated) -> type[Any]:
    """Return the class of a generated neuron.

    Parameters
    ----------
    generated : Generated
        Code for the target PYTHON_STANDALONE.
    """
    package = f"amat_generated_{generated.folder.name.rpartition('-')[2]}"
    if package not in sys.modules:
        module = ModuleType(package)
        module.__path__ = [str(generated.folder)]
        sys.modules[package] = module
    name = toolchain.SHIPPED_MODELS[toolchain.AMAT].source.stem
    found: type[Any] = getattr(importlib.import_module(f"{package}.{name}"), f"Neuron_{name}")
    return found


def run_neuron(
    neuron_class: type[Any],
    parameters: Mapping[str, float],
    current: Floats,
    excitatory: Floats,
    inhibitory: Floats,
    resolution: float,
    V_m: float | None = None,
) -> Run:
    """Simulate a neuron step by step, in NEST's order of operations.

    The simulator that NESTML generates with the neuron is not used: it lacks currents, and spikes are regular there.

    Parameters
    ----------
    neuron_class : type
        The class from `load_neuron`.
    parameters : mapping of str to float
        Parameters with their names in the NESTML model.
    current : ndarray, shape (steps,)
        The current in each step in pA.
    excitatory, inhibitory : ndarray, shape (steps,)
        The sum of the weights of spikes that arrive at the end of each step, in pA; inhibitory weights are negative.
    resolution : float
        The time step in ms.
    V_m : float, optional
        The membrane potential at the start in mV.
    """
    neuron = neuron_class(resolution)
    for name, value in parameters.items():
        getattr(neuron, f"set_{name}")(value)
    neuron.recompute_internal_variables(resolution)
    if V_m is not None:
        neuron.set_V_m(V_m)
    potential, threshold = np.empty(len(current)), np.empty(len(current))
    spikes = []
    resting = neuron.get_E_L() + neuron.get_omega()
    for step in range(len(current)):
        neuron.B_.I_stim = current[step]
        if excitatory[step]:
            neuron.handle(step * resolution, excitatory[step], "exc_spikes")
        if inhibitory[step]:
            neuron.handle(step * resolution, inhibitory[step], "inh_spikes")
        neuron.step(step * resolution, resolution)
        if neuron.pop_emitted_spikes():
            spikes.append(step + 1)
        potential[step] = neuron.get_V_m()
        threshold[step] = resting + neuron.get_V_th_alpha_1() + neuron.get_V_th_alpha_2() + neuron.get_V_th_v()
    return Run(np.array(spikes, dtype=np.int64), potential, threshold)


def compare_with_nest(number: int = 25, seed: int = 1) -> pd.DataFrame:
    """Compare the generated Python code with the checked build and NEST's model over random neurons and stimuli.

    Parameters
    ----------
    number : int
        The number of neurons; the kinds of stimuli alternate.
    seed : int
        The seed of parameters, stimuli and random input.

    Returns
    -------
    pandas.DataFrame
        One row per neuron and model in NEST: ``neuron``, ``protocol``, ``model``, ``spikes`` in Python, ``identical``
        (whether all are in the same steps), and the largest deviations ``V_m`` and ``V_th`` in mV.
    """
    resolution = 0.1  # ms
    neuron_class = load_neuron(generate("PYTHON_STANDALONE"))
    cases = validation.sample_cases(number, resolution, np.random.default_rng([seed, 4]))
    models = {
        toolchain.AMAT: [case.parameters.to_nestml() | {"V_m": case.V_m} for case in cases],
        validation.NEST_MODEL: [case.parameters.to_nest() | {"V_m": case.V_m} for case in cases],
    }
    result = simulate(
        models,
        [case.stimulus for case in cases],
        resolution,
        record={model: ["V_m", "V_th"] for model in models},
        seed=seed,
    )
    rows = []
    for i, case in enumerate(cases):
        inputs = (result.current[i], result.excitatory[i], result.inhibitory[i])
        ours = run_neuron(neuron_class, case.parameters.to_nestml(), *inputs, resolution, case.V_m)
        for model, recording in result.recordings.items():
            rows.append(
                {
                    "neuron": i,
                    "protocol": case.protocol,
                    "model": model,
                    "spikes": len(ours.spike_steps),
                    "identical": np.array_equal(ours.spike_steps, recording.spike_steps[i]),
                    "V_m": float(np.abs(ours.V_m - recording.traces["V_m"][i]).max()),
                    "V_th": float(np.abs(ours.V_th - recording.traces["V_th"][i]).max()),
                }
            )
    return pd.DataFrame(rows)
