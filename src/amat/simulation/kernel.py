# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NEST's kernel, neurons in it, and their spikes."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amat import toolchain
from amat.arrays import Floats, Integers
from amat.errors import AmatError
from amat.neurons.neuron import ModelName
from amat.simulation.stimuli import ProtocolError, count_steps

__all__ = [
    "DELAY",
    "NEST_MODELS",
    "Simulation",
    "available_memory",
    "check_time_step",
    "create_neurons",
    "read_spikes",
    "record_spikes",
    "reset_kernel",
]

#: Delay of every connection in ms; a whole number of steps for all time steps that divide 1 ms.
DELAY = 1.0

#: NEST's unit of time in ms.
_TIC = 0.001

#: The neuron models by their names in NEST.
NEST_MODELS: Mapping[ModelName, str] = {"amat": toolchain.AMAT_OPT, "izhikevich": toolchain.IZHIKEVICH_2004}


def available_memory() -> float:
    """Return the memory in bytes that is available, or infinity where Linux does not state it."""
    try:
        text = Path("/proc/meminfo").read_text()
        return 1024 * float(text.split("MemAvailable:")[1].split()[0])
    except (OSError, IndexError):
        return math.inf


def check_time_step(resolution: float) -> None:
    """Raise `ProtocolError` unless a time step in ms is positive, divides `DELAY` and is one that NEST represents."""
    count_steps(resolution, resolution)  # refuses numbers that are not positive and finite
    if resolution >= _TIC and abs(round(DELAY / resolution) * resolution - DELAY) > 1e-9:
        raise ProtocolError(f"The time step must divide the delay of {DELAY} ms, got {resolution} ms.")
    if resolution < _TIC or abs(round(resolution / _TIC) * _TIC - resolution) > 1e-9:
        raise ProtocolError(f"The time step must be a multiple of {_TIC} ms, NEST's unit of time, got {resolution} ms.")


def reset_kernel(resolution: float, models: Iterable[str] = (), *, seed: int | None = None, threads: int = 1) -> Any:
    """Return NEST with its kernel reset and quiet.

    Parameters
    ----------
    resolution : float
        Time step in ms.
    models : iterable of str
        Names in NEST of the models that are needed; those of this project are installed.
    seed : int, optional
        Of NEST's random numbers.
    threads : int

    Raises
    ------
    ToolchainError
        If NEST is missing or not of the supported release, or a model cannot be installed.
    """
    toolchain.check_nest()
    os.environ.setdefault("PYNEST_QUIET", "1")
    import nest

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = resolution
    nest.local_num_threads = threads
    if seed is not None:
        nest.rng_seed = seed
    for model in models:
        if model in toolchain.SHIPPED_MODELS:
            toolchain.install(model)
    return nest


def create_neurons(nest: Any, model: str, parameters: Sequence[Mapping[str, Any]]) -> Any:
    """Create neurons of a model, each with its parameters and initial state.

    Raises
    ------
    AmatError
        If NEST refuses a value, with NEST's message.
    """
    nodes = nest.Create(model, len(parameters))
    try:
        nodes.set([dict(values) for values in parameters])
    except nest.NESTError as error:
        raise AmatError(f"NEST refuses these values: {error}") from error
    return nodes


def record_spikes(nest: Any, nodes: Any) -> Any:
    """Return a recorder that is connected to all neurons of a population."""
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(nodes, recorder, syn_spec={"delay": DELAY})
    return recorder


def read_spikes(recorder: Any, nodes: Any, steps: int, lead: int = 0) -> list[Integers]:
    """Return the steps at whose end each neuron spiked, counted from 1 after the first `lead` steps."""
    events = recorder.events
    # Without events NEST returns arrays of another type.
    times = np.asarray(events["times"], dtype=np.int64) - lead
    neuron = np.asarray(events["senders"], dtype=np.int64) - nodes[0].global_id
    kept = (times > 0) & (times <= steps)
    order = np.lexsort((times[kept], neuron[kept]))
    counts = np.bincount(neuron[kept], minlength=len(nodes))
    return np.split(times[kept][order], np.cumsum(counts)[:-1])


class Simulation:
    """Neurons of one model in a reset kernel, to which devices can be connected before they are run.

    Parameters
    ----------
    model : str
        Name in NEST.
    parameters : sequence of mapping
        Parameters and initial state of each neuron.
    duration, resolution : float
        In ms.
    seed, threads : int
        As in `reset_kernel`.

    Attributes
    ----------
    nest : module
    neurons : nest.NodeCollection

    Raises
    ------
    ProtocolError
        If the duration is not a whole number of steps.
    """

    def __init__(
        self,
        model: str,
        parameters: Sequence[Mapping[str, Any]],
        duration: float,
        resolution: float,
        *,
        seed: int | None = None,
        threads: int = 1,
    ) -> None:
        self.steps, self.resolution = count_steps(duration, resolution), resolution
        self.nest = reset_kernel(resolution, [model], seed=seed, threads=threads)
        self.neurons = create_neurons(self.nest, model, parameters)

    def run(self, overrun: float = 2 * DELAY) -> list[Floats]:
        """Simulate, and return the spike times of each neuron in ms.

        Spikes reach the recorder with the delay. Without an `overrun`, the time in ms that is simulated beyond the
        duration, those of the last `DELAY` are missing.
        """
        recorder = record_spikes(self.nest, self.neurons)
        self.nest.Simulate(self.steps * self.resolution + overrun)
        return [
            spikes.astype(np.float64) * self.resolution for spikes in read_spikes(recorder, self.neurons, self.steps)
        ]
