# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A network whose spikes must not depend on how it is spread over processes and threads.

Everything random is drawn here from one seed, by numpy, and handed to NEST as explicit numbers: NEST's own generators
and rules of connection draw for each virtual process, so that other numbers of them give other networks. The weights
are multiples of a power of two, so that the sum of what arrives in one step is exact in whatever order it is summed.

``python -m amat.cluster.spikes FILE MODEL ...``, started in as many processes as MPI is told to, writes into FILE how
many spikes of each model there were and their SHA-256, sorted by time and neuron; what each process recorded is merged
through files.
"""

import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amat import toolchain
from amat.cluster.errors import ClusterError
from amat.errors import AmatError
from amat.files import replacing, write_json
from amat.simulation.kernel import reset_kernel

__all__ = ["Network", "digest", "draw_network", "main", "simulate"]

#: Weights are multiples of it, in pA.
GRAIN = 0.25


@dataclass(frozen=True)
class Network:
    """Neurons with recurrent connections and spike trains from outside.

    Attributes
    ----------
    neurons : int
    sources, targets : numpy.ndarray of int
        Of each connection, counted from zero.
    weights : numpy.ndarray
        pA
    delays : numpy.ndarray
        ms
    trains : list of numpy.ndarray
        Times of the input spikes of each neuron, ms.
    input_weight : float
        pA
    current : float
        Constant, to each neuron, pA.
    """

    neurons: int
    sources: NDArray[np.int_]
    targets: NDArray[np.int_]
    weights: NDArray[np.float64]
    delays: NDArray[np.float64]
    trains: list[NDArray[np.float64]]
    input_weight: float
    current: float


def draw_network(seed: int = 1, *, neurons: int = 200, indegree: int = 40, duration: float = 1000.0) -> Network:
    """Draw a network of AMAT neurons, four fifths of them excitatory, which fires all the time.

    Parameters
    ----------
    seed : int
    neurons, indegree : int
        How many, and connections that each receives.
    duration : float
        Of the input, ms.
    """
    random = np.random.default_rng(seed)
    sources = np.concatenate([random.choice(neurons, indegree, replace=False) for _ in range(neurons)])
    targets = np.repeat(np.arange(neurons), indegree)
    excitatory = sources < 0.8 * neurons
    strengths = GRAIN * random.integers(40, 120, len(sources))
    steps = random.integers(10, 50, len(sources))
    trains = [
        np.unique(random.integers(10, round(10 * duration) - 10, random.poisson(0.8 * duration))) / 10.0
        for _ in range(neurons)
    ]
    return Network(
        neurons=neurons,
        sources=sources,
        targets=targets,
        weights=np.where(excitatory, strengths, -5 * strengths),
        delays=steps / 10.0,
        trains=trains,
        input_weight=120 * GRAIN,
        current=100.0,
    )


def simulate(network: Network, model: str, duration: float, threads: int) -> NDArray[np.int_]:
    """Simulate the network, and return what this process recorded: one row of time step and neuron a spike.

    Parameters
    ----------
    network : Network
    model : str
        An AMAT neuron, by its name in NEST.
    duration : float
        ms
    threads : int
        NEST's threads in this process.
    """
    nest = reset_kernel(0.1)
    nest.local_num_threads = threads
    if model in toolchain.MODELS:
        toolchain.install(model)
    neurons = nest.Create(model, network.neurons, params={"I_e": network.current})
    inputs = nest.Create("spike_generator", network.neurons, params=[{"spike_times": t} for t in network.trains])
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(inputs, neurons, "one_to_one", {"weight": network.input_weight, "delay": 1.0})
    first = neurons[0].global_id
    nest.Connect(
        network.sources + first,
        network.targets + first,
        "one_to_one",
        {"weight": network.weights, "delay": network.delays},
    )
    nest.Connect(neurons, recorder)
    nest.Simulate(duration)
    events: dict[str, Any] = recorder.events
    return np.column_stack([events["times"], np.asarray(events["senders"]) - first]).astype(int)


def digest(spikes: NDArray[np.int_]) -> str:
    """Return the SHA-256 of spikes, in whatever order they come."""
    ordered = spikes[np.lexsort(spikes.T[::-1])]
    return hashlib.sha256(np.ascontiguousarray(ordered, dtype="<i8").tobytes()).hexdigest()


def main(words: list[str] | None = None) -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("models", nargs="+", help="AMAT neurons, by their names in NEST")
    parser.add_argument("--ranks", type=int, default=1, help="the processes that are expected")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time", type=float, default=1000.0, help="ms of the model")
    chosen = parser.parse_args(words)
    network = draw_network(chosen.seed, duration=chosen.time)
    folder: Path = chosen.output.with_suffix(".parts")
    for model in chosen.models:
        spikes = simulate(network, model, chosen.time, chosen.threads)
        rank = _check_layout(chosen.ranks, chosen.threads)
        with replacing(folder / f"{model}-{rank}.npy") as temporary:
            np.save(temporary, spikes)
    _synchronise()
    if rank == 0:
        write_json(chosen.output, {model: _merge(folder, model, chosen.ranks) for model in chosen.models})
        folder.rmdir()
    _synchronise()


def _check_layout(ranks: int, threads: int) -> int:
    """Refuse other processes and threads than were asked for; return this one's rank."""
    import nest

    if nest.num_processes != ranks or nest.local_num_threads != threads:
        raise ClusterError(
            f"NEST runs {nest.num_processes} process(es) of {nest.local_num_threads} thread(s), and not "
            f"{ranks} of {threads}: start it by mpirun or srun, with a NEST that has MPI."
        )
    return int(nest.Rank())


def _synchronise() -> None:
    import nest

    nest.SyncProcesses()


def _merge(folder: Path, model: str, ranks: int) -> dict[str, Any]:
    """Put what all processes recorded of a model together."""
    files = [folder / f"{model}-{rank}.npy" for rank in range(ranks)]
    parts = [np.load(file) for file in files]
    for file in files:
        file.unlink()
    together = np.concatenate(parts)
    return {"spikes": len(together), "per_rank": [len(part) for part in parts], "sha256": digest(together)}


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
