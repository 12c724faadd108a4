# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The time that updating a neuron takes, with the delivery of its input."""

import gc
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amat import toolchain
from amat.benchmark.cases import Case
from amat.benchmark.families import FAMILIES, Contender
from amat.errors import AmatError
from amat.simulation.kernel import reset_kernel

__all__ = ["RESOLUTION", "check_spikes", "create", "create_input", "measure_update", "prepare_kernel", "timed"]

#: The time step in ms.
RESOLUTION = 0.1

#: Simulated before the clock starts, in ms.
WARM_UP = 30.0

#: Sources of the input: each reaches all neurons.
EXCITATORY, INHIBITORY = 40, 10

#: An inhibitory weight by the excitatory one.
INHIBITION = -1.2


def measure_update(
    case: Case,
    contender: Contender,
    population: Sequence[Mapping[str, float]],
    *,
    duration: float,
    seed: int,
    threads: int = 1,
) -> dict[str, Any]:
    """Build a population without connections among its neurons, and time its simulation.

    Input comes from 50 parrot neurons that are connected to all neurons, so that what is timed is the update of the
    neurons and the delivery of events to them, and little else.

    Parameters
    ----------
    case : Case
    contender : Contender
    population : sequence of mapping
        Parameters by the contender's names: one for each neuron, or one for all.
    duration : float
        Timed, in ms of the model.
    seed : int
        Of the input, which is the same for all contenders.
    threads : int

    Returns
    -------
    dict
        ``seconds``; ``ns``, nanoseconds per neuron and step; ``spikes`` of all neurons while the
        clock ran; ``rate``, spikes/s and neuron.
    """
    nest = prepare_kernel(contender, threads=threads)
    neurons = create(nest, contender.model, case.neurons, population)
    parrot_spikes = 0
    if case.rate:
        weight = FAMILIES[case.family].weight
        sources = (EXCITATORY, INHIBITORY)
        steps = create_input(nest, neurons, sources, case.rate, weight, case.delay, WARM_UP + duration, seed)
        parrot_spikes = int((steps > round(WARM_UP / RESOLUTION)).sum())
    else:
        parrots = nest.Create("parrot_neuron", 2)  # their delay is what sets the minimal one
        nest.Connect(parrots[0], parrots[1], syn_spec={"delay": case.delay})
    nest.Simulate(WARM_UP)
    seconds = timed(lambda: nest.Simulate(duration))
    # NEST counts the spikes of the last call of Simulate.
    spikes = int(nest.GetKernelStatus("local_spike_counter")) - parrot_spikes
    return {
        "seconds": seconds,
        "ns": 1e9 * seconds / case.neurons / (duration / RESOLUTION),
        "spikes": spikes,
        "rate": 1e3 * spikes / case.neurons / duration,
    }


def check_spikes(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a round in which the hand-written model is silent, or an AMAT neuron of ours spikes otherwise.

    Parameters
    ----------
    rows : sequence of mapping
        With ``case``, ``model``, ``kind`` and ``spikes``.

    Raises
    ------
    AmatError
        What was measured would not be the same work.
    """
    hand = next(row for row in rows if row["kind"] == "hand")
    if not hand["spikes"]:
        raise AmatError(f"{hand['case']}: {hand['model']} does not spike. Simulate longer.")
    for row in rows:
        of_ours = row["kind"] in ("opt", "ablation") and hand["model"] == FAMILIES["amat"].hand
        if of_ours and row["spikes"] != hand["spikes"]:
            raise AmatError(
                f"{row['case']}: {row['model']} spikes {row['spikes']} times and {hand['model']} {hand['spikes']} "
                f"times, of the same parameters and input. This is a fault of the generated model: "
                f"`amat validate` tells more."
            )


def prepare_kernel(contender: Contender, *, threads: int = 1) -> Any:
    """Return NEST, reset, with the contender's module loaded."""
    nest = reset_kernel(RESOLUTION)
    nest.local_num_threads = threads
    if contender.module:
        toolchain.install(contender.model)
    return nest


def create(nest: Any, model: str, number: int, population: Sequence[Mapping[str, float]]) -> Any:
    """Create neurons with parameters of their own, or with the same for all."""
    if len(population) == 1:
        return nest.Create(model, number, params=dict(population[0]))
    neurons = nest.Create(model, number)
    neurons.set([dict(values) for values in population])
    return neurons


def create_input(
    nest: Any,
    neurons: Any,
    sources: tuple[int, int],
    rate: float,
    weight: float,
    delay: float,
    duration: float,
    seed: int,
) -> NDArray[np.int64]:
    """Let every neuron receive the same random spikes, by parrot neurons.

    Parameters
    ----------
    nest : module
    neurons : nest.NodeCollection
    sources : tuple of int
        Numbers of excitatory and of inhibitory parrot neurons.
    rate : float
        Spikes/s that arrive at a neuron, of all sources together.
    weight : float
        Of an excitatory synapse.
    delay, duration : float
        In ms.
    seed : int

    Returns
    -------
    ndarray of int
        The steps in which parrot neurons spike; NEST counts these spikes with the neurons' own.
    """
    number = sum(sources)
    steps = round(duration / RESOLUTION)
    first = round(delay / RESOLUTION)  # a parrot neuron repeats what was sent a delay earlier
    probability = 1e-3 * rate / number * RESOLUTION
    fires = np.random.default_rng(seed).random((number, steps - first)) < probability
    generators = nest.Create("spike_generator", number)
    times = [np.round((np.flatnonzero(row) + 1) * RESOLUTION, 6) for row in fires]
    generators.set([{"spike_times": list(train)} for train in times])
    parrots = nest.Create("parrot_neuron", number)
    nest.Connect(generators, parrots, "one_to_one", {"delay": delay})
    nest.Connect(parrots[: sources[0]], neurons, syn_spec={"weight": weight, "delay": delay})
    nest.Connect(parrots[sources[0] :], neurons, syn_spec={"weight": INHIBITION * weight, "delay": delay})
    return np.nonzero(fires)[1] + 1 + first


def timed(work: Any) -> float:
    """Return the seconds that a call takes, without Python's garbage collection in it."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()
