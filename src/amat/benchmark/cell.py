# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""One cell of a benchmark's matrix: one model in one workload, in one process or in many, and one file of what it took.

Unlike the measurements by alternation (`amat.benchmark.runs`), a cell is a process of its own, so that a cluster's
scheduler can start it, with MPI or without. Workloads:

``neurons``
    Neurons under a constant current, with no input and no connections: update and nothing else.
``network``
    A balanced random network of fixed indegree, as Brunel's [1]_, with static synapses.
``plastic``
    The same with spike-timing dependent plasticity of the excitatory synapses.

Networks are those of ``benchmark_networks.yaml``, which `amat.benchmark.tuning` made: all fire at the same rate, and
irregularly. A cell whose rate is not near that, or that ran with other ranks or threads than asked for, has
not measured what was meant: it fails, and leaves no file.

References
----------
.. [1] Brunel N (2000). J. Comput. Neurosci. 8:183-208. doi:10.1023/A:1008925309027
"""

import contextlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import yaml

from amat import paths, toolchain
from amat.analysis.metrics import measure_train
from amat.benchmark.families import FAMILIES, Contender, draw, twins
from amat.benchmark.memory import allocated_bytes
from amat.benchmark.network import connect_balanced
from amat.compendium.provenance import provenance_record
from amat.errors import AmatError
from amat.files import write_json
from amat.simulation.kernel import reset_kernel

__all__ = [
    "MODELS",
    "Cell",
    "Tuning",
    "Workload",
    "connect",
    "measure_cell",
    "neuron_parameters",
    "read_tuning",
    "share_memory",
]

Workload = Literal["neurons", "network", "plastic"]

#: Families whose networks are tuned.
TUNED = ("amat", "izhikevich", "iaf_psc_exp")

#: What can be measured, by its name in NEST: the family and who made it.
MODELS: Mapping[str, tuple[str, Contender]] = {
    contender.model: (name, contender) for name in TUNED for contender in twins(FAMILIES[name])
}

#: Simulated before the clock starts, in ms.
WARM_UP = 200.0
#: Neurons of the population whose intervals are measured; few, so that recording takes next to no time.
RECORDED = 200
#: For which networks are tuned.
INDEGREE = 1000
#: A rate may be so many times the tuned one, or so many times lower.
ALLOWED_RATE = 2.0
#: Spikes/s of neurons under the constant current of their family.
RATE_ALONE = (5.0, 50.0)


@dataclass(frozen=True)
class Tuning:
    """The network of a family of neurons.

    Attributes
    ----------
    parameters : dict of str to float
        Of the neurons, by NESTML's names, where they differ from the family's.
    weight, inhibition : float
        Excitatory and inhibitory weight: pA, or mV for Izhikevich's neuron.
    external_rate : float
        Spikes/s of each neuron's own Poisson input, which has the excitatory weight, at `indegree` synapses.
    indegree : int
        For which all this was tuned, four fifths of the synapses excitatory.
    delay : float
        ms
    rate, cv : float
        What came out: spikes/s and neuron, and the mean coefficient of variation of intervals.
    """

    parameters: dict[str, float]
    weight: float
    inhibition: float
    external_rate: float
    indegree: int
    delay: float
    rate: float
    cv: float


def read_tuning() -> dict[str, Tuning]:
    """Return the tuned networks by the family's name, from ``benchmark_networks.yaml``."""
    entries = yaml.safe_load((paths.DATA / "benchmark_networks.yaml").read_text())
    return {name: Tuning(**values) for name, values in entries.items()}


@dataclass(frozen=True)
class Cell:
    """What is measured.

    Attributes
    ----------
    model : str
        Its name in NEST, one of `MODELS`.
    workload : {"neurons", "network", "plastic"}
    neurons : int
        Four fifths of them excitatory.
    indegree : int
        Synapses that each neuron of a network receives. Where it differs from the tuned one, weights are scaled
        inversely, so that the mean of the recurrent input stays; neurons alone have none.
    threads, ranks : int
        NEST's threads in each process, and the processes that are expected.
    seed : int
        Of connections and input.
    duration : float
        What is timed, ms of the model.
    resolution : float
        Time step, ms.
    """

    model: str
    workload: Workload = "network"
    neurons: int = 10000
    indegree: int = INDEGREE
    threads: int = 1
    ranks: int = 1
    seed: int = 1
    duration: float = 1000.0
    resolution: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, before anything is built."""
        if self.model not in MODELS:
            raise AmatError(f"{self.model} is not among the models that are measured: choose of {', '.join(MODELS)}.")
        if self.workload not in get_args(Workload):
            raise AmatError(f"There is no workload {self.workload!r}: choose one of {', '.join(get_args(Workload))}.")
        for name, least in (("neurons", 10), ("indegree", 5), ("threads", 1), ("ranks", 1), ("seed", 1)):
            if getattr(self, name) < least:
                raise AmatError(f"{name} is {getattr(self, name)}: choose {least} or more.")
        if not 0 < self.duration < math.inf:
            raise AmatError(f"A duration of {self.duration:g} ms: choose a positive one.")

    @property
    def name(self) -> str:
        """The name in files."""
        size = f"n{self.neurons}-k{self.indegree if self.workload != 'neurons' else 0}"
        return f"{self.workload}-{self.model}-{size}-r{self.ranks}-t{self.threads}-s{self.seed}"

    @property
    def family(self) -> str:
        """The family of the model."""
        return MODELS[self.model][0]


def measure_cell(cell: Cell, output: Path) -> dict[str, Any]:
    """Measure a cell, and write what it took.

    With MPI all processes call this; each leaves a part beside the output, and the first puts them together.

    Parameters
    ----------
    cell : Cell
    output : pathlib.Path
        The JSON file.

    Returns
    -------
    dict
        What is in the file: ``cell``; ``seconds`` of each phase, of the slowest process; ``nest``, the timers of NEST
        itself; ``real_time_factor``; ``spikes``, ``rate`` (spikes/s and neuron) and ``cv``; ``memory``, bytes of all
        processes after each phase: ``resident``, ``peak`` and ``allocated``; ``synapses``; what `share_memory` returns;
        the module's hash, and a provenance record.

    Raises
    ------
    AmatError
        If there are other ranks or threads than asked for, or the network fires otherwise than it should.
    """
    nest = reset_kernel(cell.resolution)
    if nest.num_processes != cell.ranks:
        raise AmatError(
            f"{nest.num_processes} process(es) run, and not the {cell.ranks} that were asked for: start the cell by "
            f"`srun -n {cell.ranks}` or `mpirun -n {cell.ranks}`, with a NEST that was built with MPI."
        )
    nest.local_num_threads = cell.threads
    nest.rng_seed = cell.seed
    if cell.model in toolchain.MODELS:
        toolchain.install(cell.model)
    part = _measure(nest, cell)
    part["threads"] = int(nest.local_num_threads)
    merged = _merge(nest, cell, part, output)
    _check(cell, merged)
    if nest.Rank() == 0:
        module = toolchain.build(cell.model).sha256 if cell.model in toolchain.MODELS else None
        # NEST keeps a table for each synapse model that it was built with.
        build = {"synapse_models": len(nest.synapse_models), "mpi": bool(nest.build_info["have_mpi"])}
        write_json(output, provenance_record(**merged, module=module, nest_build=build))
    return merged


class _Clock:
    """Seconds and memory of each phase of this process."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.memory: dict[str, dict[str, int]] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        self.memory[name] = _memory()


def _memory() -> dict[str, int]:
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    status = {words[0].rstrip(":"): words[1] for words in lines if len(words) > 1}
    return {
        "resident": 1024 * int(status["VmRSS"]),
        "peak": 1024 * int(status["VmHWM"]),
        "allocated": allocated_bytes(),
    }


def _measure(nest: Any, cell: Cell) -> dict[str, Any]:
    clock = _Clock()
    clock.memory["start"] = _memory()
    with clock.phase("create"):
        neurons = nest.Create(cell.model, cell.neurons, params=neuron_parameters(cell))
        recorder = nest.Create("spike_recorder", params={"start": WARM_UP})
    with clock.phase("connect"):
        if cell.workload != "neurons":
            connect(nest, neurons, read_tuning()[cell.family], cell.indegree, plastic=cell.workload == "plastic")
        nest.Connect(neurons[: min(RECORDED, cell.neurons)], recorder)
    with clock.phase("prepare"):
        nest.Prepare()
    with clock.phase("warm_up"):
        nest.Run(WARM_UP)
    with clock.phase("simulate"):
        nest.Run(cell.duration)
    spikes = int(nest.local_spike_counter)  # of the last call of Run
    nest.Cleanup()
    status = nest.GetKernelStatus()
    return {
        "seconds": clock.seconds,
        "memory": clock.memory,
        "nest": _timers(status),
        "spikes": spikes,
        "synapses": int(status["num_connections"]),
        "cvs": _intervals(recorder, cell),
    }


def _timers(status: Mapping[str, Any]) -> dict[str, float]:
    """Return NEST's own timers in seconds: of threads, the slowest; more of them where NEST was built for that."""
    timers = {name: np.atleast_1d(value) for name, value in status.items() if name.startswith("time_")}
    return {name: float(max(values)) for name, values in timers.items() if values.size and values.dtype.kind == "f"}


def neuron_parameters(cell: Cell, tuning: Tuning | None = None) -> dict[str, float]:
    """Return the parameters of a cell's neurons, which are all equal, by the names of its model.

    Parameters
    ----------
    cell : Cell
    tuning : Tuning, optional
        In place of the one in the file.
    """
    family, contender = FAMILIES[cell.family], MODELS[cell.model][1]
    alone = cell.workload == "neurons"
    (values,) = draw(family, 1, parameters="equal", random_phases=False, driven=False, seed=cell.seed)
    if not alone:
        values |= {"I_e": 0.0, **(tuning or read_tuning()[cell.family]).parameters}
    return family.to_nest(values) if contender.kind == "hand" else values


def connect(nest: Any, neurons: Any, tuning: Tuning, indegree: int, *, plastic: bool) -> Any:
    """Connect a tuned network, and return the generator of its external input.

    Parameters
    ----------
    nest : module
    neurons : nest.NodeCollection
        The first four fifths are excitatory.
    tuning : Tuning
    indegree : int
        Recurrent weights are scaled inversely to it.
    plastic : bool
        Whether excitatory synapses have spike-timing dependent plasticity.
    """
    scale = tuning.indegree / indegree
    return connect_balanced(
        nest,
        neurons,
        indegree=indegree,
        weight=scale * tuning.weight,
        inhibition=scale * tuning.inhibition,
        delay=tuning.delay,
        external_rate=tuning.external_rate,
        external_weight=tuning.weight,
        plastic=plastic,
    )


def _intervals(recorder: Any, cell: Cell) -> list[float]:
    events = recorder.events
    times, senders = np.asarray(events["times"]), np.asarray(events["senders"])
    trains = (np.sort(times[senders == sender]) for sender in np.unique(senders))
    return [value for train in trains if math.isfinite(value := measure_train(train, cell.duration)["cv"])]


def _merge(nest: Any, cell: Cell, part: Mapping[str, Any], output: Path) -> dict[str, Any]:
    """Put the parts of all processes together; every process returns the same."""
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
    return {
        "cell": asdict(cell),
        "threads": parts[0]["threads"],
        "seconds": seconds,
        "nest": {name: max(p["nest"][name] for p in parts) for name in parts[0]["nest"]},
        "real_time_factor": 1e3 * seconds["simulate"] / cell.duration,
        "spikes": spikes,
        "rate": 1e3 * spikes / cell.neurons / cell.duration,
        "cv": float(np.mean(cvs)) if cvs else None,
        "memory": memory,
        "synapses": synapses,
        **share_memory(cell, memory, synapses),
    }


def share_memory(cell: Cell, memory: Mapping[str, Mapping[str, int]], synapses: int) -> dict[str, float | None]:
    """Return what a neuron and a synapse take, as the allocator counts it.

    Parameters
    ----------
    cell : Cell
    memory : mapping
        Bytes by phase and kind, as in the cell's file.
    synapses : int

    Returns
    -------
    dict
        ``neuron_B``, allocated in create for each neuron; ``prepared_neuron_B``, from the start to the end of prepare,
        of neurons alone; ``synapse_B``, in connect for each connection, of networks. None where it does not apply.
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
    """Refuse a measurement of something else than was meant."""
    if found["threads"] != cell.threads:
        raise AmatError(f"NEST ran {found['threads']} thread(s) and not {cell.threads}: set its threads by --threads.")
    low, high = RATE_ALONE
    if cell.workload != "neurons":
        tuned = read_tuning()[cell.family].rate
        low, high = tuned / ALLOWED_RATE, tuned * ALLOWED_RATE
    if not low <= found["rate"] <= high:
        raise AmatError(
            f"{cell.model} fires at {found['rate']:.2f} spikes/s in the workload {cell.workload!r}, and should at "
            f"{low:.3g} to {high:.3g}: what was measured is not what was meant. Simulate longer, or more neurons."
        )
