# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Cells of a benchmark: one model in one workload, on one or many processes, with the time and memory of each phase.

``neurons``
    Neurons under a constant current, without input or connections: nothing but updates.
``network``
    A balanced random network with static synapses (`amat.benchmark.network`).
``plastic``
    The same network with spike-timing dependent plasticity of the excitatory synapses.
``microcircuit-dc``, ``microcircuit-poisson``
    The cortical microcircuit with a constant or a Poisson background input (`amat.benchmark.microcircuit`). Its size
    is set by its scale.

`measure_cell` writes one file per cell, so that a cluster's scheduler can run each cell separately, with or without
MPI. A cell fails, and leaves no file, if its firing rate is far from the tuned one, or if it ran with
other ranks or threads than requested: it would not have measured the requested work.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from amat import toolchain
from amat.analysis.metrics import interval_cv
from amat.benchmark import microcircuit
from amat.benchmark.families import FAMILIES, Contender, find_contender, sample_population
from amat.benchmark.kernel import RESOLUTION, WARM_UP, prepare_kernel, run_phases
from amat.benchmark.microcircuit_cell import merge_populations, read_populations
from amat.benchmark.network import BalancedNetwork, read_networks
from amat.compendium.provenance import provenance_record
from amat.errors import AmatError
from amat.files import write_json
from amat.simulation.stimuli import count_steps

__all__ = [
    "LONGEST",
    "Cell",
    "Workload",
    "measure_cell",
    "neuron_parameters",
    "refuse_other_settings",
    "share_memory",
    "simulate_cell",
]

Workload = Literal["neurons", "network", "plastic", "microcircuit-dc", "microcircuit-poisson"]

#: The workloads that are a microcircuit, with their background input.
_BACKGROUNDS: Mapping[Workload, microcircuit.Background] = {
    "microcircuit-dc": "dc",
    "microcircuit-poisson": "poisson",
}
#: Neurons whose intervals are measured; few, so that recording takes next to no time.
RECORDED = 200
#: The indegree for which networks are tuned.
INDEGREE = 1000
#: The longest timed model time in ms, which takes days, and NEST's unit of time in ms.
LONGEST, TIC = 1e7, 0.001
#: The largest factor by which a rate may differ from the tuned one.
ALLOWED_RATE = 2.0
#: Spikes/s of unconnected neurons under the constant current of their family.
RATE_ALONE = (5.0, 50.0)


@dataclass(frozen=True)
class Cell:
    """A model, a workload and the resources to run it with.

    Attributes
    ----------
    model : str
        Name in NEST, one of `amat.benchmark.families.CONTENDERS`.
    workload : {"neurons", "network", "plastic", "microcircuit-dc", "microcircuit-poisson"}
    neurons : int
        Four fifths of them excitatory. Follows from the scale of a microcircuit.
    indegree : int
        Recurrent synapses of each neuron of a network. Weights are scaled inversely to it, which keeps the mean
        recurrent input. Not for unconnected neurons. Follows from the scale of a microcircuit, as a mean.
    threads, ranks : int
        NEST's threads in each process, and the expected number of processes.
    seed : int
        Of connections and input.
    duration : float
        Timed model time in ms.
    resolution : float
        Time step in ms.
    scale : float, optional
        Of a microcircuit, relative to its full size; only for that.
    """

    model: str
    workload: Workload = "network"
    neurons: int = 10000
    indegree: int = INDEGREE
    threads: int = 1
    ranks: int = 1
    seed: int = 1
    duration: float = 1000.0
    resolution: float = RESOLUTION
    scale: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, before anything is built."""
        find_contender(self.model)
        if self.background is not None:
            microcircuit.check_model(self.contender)
            microcircuit.check_scale(self.scale)
            object.__setattr__(self, "neurons", microcircuit.count_neurons(float(self.scale or 0)))
            object.__setattr__(self, "indegree", microcircuit.mean_indegree(float(self.scale or 0)))
        elif self.scale is not None:
            raise AmatError(f"scale {self.scale:g} has no effect on the workload {self.workload!r}: leave it out.")
        if self.workload not in get_args(Workload):
            raise AmatError(f"There is no workload {self.workload!r}: choose one of {', '.join(get_args(Workload))}.")
        for name, least in (("neurons", 10), ("indegree", 5), ("threads", 1), ("ranks", 1), ("seed", 1)):
            if getattr(self, name) < least:
                raise AmatError(f"{name} must be {least} or more, got {getattr(self, name)}.")
        if self.workload == "neurons" and self.indegree != INDEGREE:
            raise AmatError(f"indegree {self.indegree} has no effect on unconnected neurons: leave it out.")
        if not 0 < self.duration <= LONGEST:
            raise AmatError(f"duration must be positive and at most {LONGEST:g} ms, got {self.duration:g} ms.")
        if not (
            TIC <= self.resolution <= 0.5 and all(_is_whole(n) for n in (0.5 / self.resolution, self.resolution / TIC))
        ):
            raise AmatError(
                f"resolution must divide 0.5 ms and be a multiple of {TIC} ms, such as 0.1, 0.05 or 0.01 ms; got "
                f"{self.resolution:g} ms."
            )
        count_steps(self.duration, self.resolution)

    @property
    def name(self) -> str:
        """The name in files."""
        size = f"n{self.neurons}-k{self.indegree if self.workload != 'neurons' else 0}"
        if self.scale is not None:
            size = f"x{self.scale:g}"
        return f"{self.workload}-{self.model}-{size}-r{self.ranks}-t{self.threads}-s{self.seed}"

    @property
    def contender(self) -> Contender:
        """The model with its family and build."""
        return find_contender(self.model)

    @property
    def background(self) -> microcircuit.Background | None:
        """The background input of a microcircuit; None for other workloads."""
        return _BACKGROUNDS.get(self.workload)

    @property
    def network(self) -> BalancedNetwork:
        """The tuned network of the model's family."""
        return read_networks()[self.contender.family]


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6


def refuse_other_settings(cell: Cell, path: Path) -> None:
    """Refuse a file with the result of a cell with other settings, which would be replaced or count as this cell's.

    Raises
    ------
    AmatError
        If the file has another cell.
    """
    if not path.is_file():  # not measured yet, or a device, which may not be read
        return
    try:
        found = json.loads(path.read_text())["cell"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # damaged, which the report mentions
    if others := [name for name, value in asdict(cell).items() if found.get(name, value) != value]:
        shown = ", ".join(f"{name} {found[name]} instead of {getattr(cell, name)}" for name in others)
        raise AmatError(f"{path} was measured with {shown}: name another output, or remove this one.")


def measure_cell(cell: Cell, output: Path) -> dict[str, Any]:
    """Measure a cell and write the result.

    With MPI all processes call this. Each writes a part next to the output, and the first one merges the parts.

    Parameters
    ----------
    cell : Cell
    output : pathlib.Path
        The JSON file.

    Returns
    -------
    dict
        The content of the file: ``cell``; ``seconds`` of each phase, of the slowest process; ``cpu_seconds``, of all;
        ``nest``, NEST's timers;
        ``real_time_factor``; ``spikes``, ``rate`` (spikes/s of a neuron) and ``cv``; ``memory``, bytes of all
        processes after each phase (``resident``, ``peak`` and ``allocated``); ``synapses``; the result of
        `share_memory`; ``energy_J`` of all hosts and ``energy_note``; ``event_uJ``, the energy per synaptic event; for
        a microcircuit the result of `amat.benchmark.microcircuit_cell.merge_populations`; the hash of the module, and
        a provenance record.

    Raises
    ------
    AmatError
        If the output has another cell, the number of ranks or threads is not the requested one, or the rate is far
        from the tuned one.
    """
    refuse_other_settings(cell, output)
    record = provenance_record()
    nest = prepare_kernel(cell.contender, resolution=cell.resolution, threads=cell.threads, seed=cell.seed)
    if nest.num_processes != cell.ranks:
        raise AmatError(
            f"{nest.num_processes} process(es) run instead of the requested {cell.ranks}: start the cell with "
            f"`srun -n {cell.ranks}` or `mpirun -n {cell.ranks}`, and use a NEST that was built with MPI."
        )
    part = simulate_cell(nest, cell, read_memory=True)
    merged = _merge(nest, cell, part, output)
    _check(cell, merged)
    if nest.Rank() == 0:
        module = None if cell.contender.build == "nest" else toolchain.build(cell.model).sha256
        # NEST keeps a table for each synapse model that it was built with.
        build = {"synapse_models": len(nest.synapse_models), "mpi": bool(nest.build_info["have_mpi"])}
        write_json(output, {**record, **merged, "module": module, "nest_build": build})
    return merged


def simulate_cell(nest: Any, cell: Cell, *, read_memory: bool = False) -> dict[str, Any]:
    """Simulate a cell on a prepared kernel.

    All spikes of a microcircuit after the warm-up are recorded in memory. This adds one event per spike to those at
    hundreds of synapses. Its phase ``connect`` includes NEST's preparation, as the package has it.

    Parameters
    ----------
    nest : module
        Of `amat.benchmark.kernel.prepare_kernel`.
    cell : Cell
    read_memory : bool
        Whether memory is read after each phase.

    Returns
    -------
    dict
        The result of `amat.benchmark.kernel.run_phases`; ``cvs``, the coefficients of variation of recorded neurons;
        for a microcircuit ``populations``, all spikes of `amat.benchmark.microcircuit_cell.read_populations`.

    Raises
    ------
    AmatError
        If a microcircuit does not fit into NEST or the memory.
    """
    if cell.background is not None:
        assert cell.scale is not None
        microcircuit.check_fit(cell.scale, cell.threads, cell.ranks)
        build = partial(microcircuit.build_microcircuit, cell.contender, cell.scale, cell.background)
        create_network = partial(build, threads=cell.threads, seed=cell.seed, resolution=cell.resolution)
        network, found = run_phases(
            nest,
            create_network,
            microcircuit.connect_quietly,
            cell.duration,
            warm_up=microcircuit.WARM_UP,
            read_memory=read_memory,
        )
        return {**found, "cvs": [], "populations": read_populations(network, cell.resolution)}

    def create() -> tuple[Any, Any]:
        neurons = nest.Create(cell.model, cell.neurons, params=neuron_parameters(cell))
        return neurons, nest.Create("spike_recorder", params={"start": WARM_UP})

    def connect(created: tuple[Any, Any]) -> None:
        neurons, recorder = created
        if cell.workload != "neurons":
            cell.network.connect(nest, neurons, cell.indegree, plastic=cell.workload == "plastic")
        nest.Connect(neurons[: min(RECORDED, cell.neurons)], recorder)

    (_, recorder), found = run_phases(nest, create, connect, cell.duration, read_memory=read_memory)
    return {**found, "cvs": _intervals(recorder, cell)}


def neuron_parameters(cell: Cell, network: BalancedNetwork | None = None) -> dict[str, float]:
    """Return the parameters of a cell's neurons, which are all equal, by the names of its model.

    Parameters
    ----------
    cell : Cell
    network : BalancedNetwork, optional
        Instead of the tuned one.
    """
    family = FAMILIES[cell.contender.family]
    (values,) = sample_population(family, 1, parameters="equal", random_phases=False, driven=False, seed=cell.seed)
    if cell.workload != "neurons":
        values |= {"I_e": 0.0, **(network or cell.network).parameters}
    return cell.contender.translate(values)


def _intervals(recorder: Any, cell: Cell) -> list[float]:
    events = recorder.events
    times, senders = np.asarray(events["times"]), np.asarray(events["senders"])
    trains = (np.sort(times[senders == sender]) for sender in np.unique(senders))
    return [value for train in trains if math.isfinite(value := interval_cv(train))]


def _merge(nest: Any, cell: Cell, part: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Merge the parts of all processes; every process returns the same."""
    if cell.ranks == 1:
        parts = [dict(part)]
    else:
        folder = output.with_suffix(".parts")
        write_json(folder / f"{nest.Rank()}.json", part)
        nest.SyncProcesses()
        parts = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(cell.ranks)]
        nest.SyncProcesses()
        (folder / f"{nest.Rank()}.json").unlink()
        nest.SyncProcesses()
        if nest.Rank() == 0:
            folder.rmdir()
    spikes = sum(p["spikes"] for p in parts)
    cvs = [value for p in parts for value in p["cvs"]]
    seconds = {name: max(p["seconds"][name] for p in parts) for name in parts[0]["seconds"]}
    memory = {
        phase: {kind: sum(p["memory"][phase][kind] for p in parts) for kind in parts[0]["memory"][phase]}
        for phase in parts[0]["memory"]
    }
    synapses = sum(p["synapses"] for p in parts)
    hosts = {p["energy"]["host"]: p["energy"] for p in parts}
    joules = [energy["joules"] for energy in hosts.values()]
    total = None if None in joules else sum(joules)
    events = 0.0 if cell.workload == "neurons" else spikes * synapses / cell.neurons
    return {
        "cell": asdict(cell),
        "threads": parts[0]["threads"],
        "seconds": seconds,
        "cpu_seconds": {name: sum(p["cpu_seconds"][name] for p in parts) for name in seconds},
        "nest": {name: max(p["nest"][name] for p in parts) for name in parts[0]["nest"]},
        "real_time_factor": 1e3 * seconds["simulate"] / cell.duration,
        "spikes": spikes,
        "rate": 1e3 * spikes / cell.neurons / cell.duration,
        "cv": float(np.mean(cvs)) if cvs else None,
        "memory": memory,
        "synapses": synapses,
        **share_memory(cell, memory, synapses),
        "energy_J": total,
        "energy_note": parts[0]["energy"]["note"],
        "event_uJ": 1e6 * total / events if total is not None and events else None,
        **(merge_populations(cell, [p["populations"] for p in parts]) if cell.background else {}),
    }


def share_memory(cell: Cell, memory: Mapping[str, Mapping[str, int]], synapses: int) -> dict[str, float | None]:
    """Return the allocated memory of a neuron and of a synapse.

    Parameters
    ----------
    cell : Cell
    memory : mapping
        Bytes by phase and kind, as in the cell's file.
    synapses : int

    Returns
    -------
    dict
        ``neuron_B``, allocated during create for each neuron; ``prepared_neuron_B``, from the start to the end of
        prepare, for unconnected neurons; ``synapse_B``, during connect for each connection of a network. None where it
        does not apply.
    """
    alone = cell.workload == "neurons"

    def taken(first: str, last: str) -> int:
        return memory[last]["allocated"] - memory[first]["allocated"]

    return {
        "neuron_B": taken("start", "create") / cell.neurons,
        "prepared_neuron_B": taken("start", "prepare") / cell.neurons if alone else None,
        "synapse_B": None if alone else taken("create", "connect") / synapses,
    }


def _check(cell: Cell, found: Mapping[str, Any]) -> None:
    """Refuse a measurement of other work than requested."""
    if found["threads"] != cell.threads:
        raise AmatError(f"NEST ran {found['threads']} thread(s) instead of {cell.threads}: set --threads to that.")
    low, high = RATE_ALONE
    if cell.scale is not None:
        low, high = microcircuit.rate_range(cell.scale)
    elif cell.workload != "neurons":
        low, high = cell.network.rate / ALLOWED_RATE, cell.network.rate * ALLOWED_RATE
    if not low <= found["rate"] <= high and cell.contender.build != "empty":
        raise AmatError(
            f"{cell.model} fires at {found['rate']:.2f} spikes/s in the workload {cell.workload!r} instead of "
            f"{low:.3g} to {high:.3g} spikes/s. Simulate longer, or more neurons."
        )
