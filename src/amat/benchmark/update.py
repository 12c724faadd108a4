# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Time and memory of unconnected neurons: their update and the delivery of their input."""

import gc
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from amat.arrays import Integers
from amat.benchmark.cases import Case
from amat.benchmark.families import FAMILIES, Contender
from amat.benchmark.kernel import RESOLUTION, WARM_UP, allocated_bytes, create, prepare_kernel, run_phases

__all__ = ["create_input", "measure_memory", "measure_update"]

#: Numbers of excitatory and inhibitory sources of the input whose delivery is timed. Each reaches all neurons.
SOURCES = (40, 10)

#: An inhibitory weight relative to the excitatory one.
INHIBITION = -1.2

#: Model time in ms before memory is read, so that memory allocated with the first events is included.
MEMORY_DURATION = 100.0


def measure_update(
    case: Case,
    contender: Contender,
    population: Sequence[Mapping[str, float]],
    *,
    duration: float,
    seed: int,
    threads: int = 1,
) -> dict[str, Any]:
    """Time the simulation of a population without connections between its neurons.

    Input comes from 50 parrot neurons that are connected to all neurons, so that the time is that of updates and of
    the delivery of events, and of little else.

    Parameters
    ----------
    case : Case
    contender : Contender
    population : sequence of mapping
        Parameters by the contender's names: one set for each neuron, or one for all.
    duration : float
        Timed model time in ms.
    seed : int
        Of the input, which is the same for all contenders.
    threads : int

    Returns
    -------
    dict
        ``seconds``; ``ns`` and ``cpu_ns``, nanoseconds of wall-clock and of processor time per neuron and step;
        ``spikes`` of all neurons during the timed simulation; ``rate``, spikes/s of a neuron.
    """
    nest = prepare_kernel(contender, threads=threads)
    parrot_spikes = 0

    def connect(neurons: Any) -> None:
        nonlocal parrot_spikes
        if case.rate:
            steps = create_input(nest, neurons, case, WARM_UP + duration, seed)
            parrot_spikes = int((steps > round(WARM_UP / RESOLUTION)).sum())
        else:
            _set_minimal_delay(nest, case.delay)

    _, found = run_phases(nest, lambda: create(nest, contender.model, case.neurons, population), connect, duration)
    updates = case.neurons * (duration / RESOLUTION)
    spikes = found["spikes"] - parrot_spikes
    return {
        "seconds": found["seconds"]["simulate"],
        "ns": 1e9 * found["seconds"]["simulate"] / updates,
        "cpu_ns": 1e9 * found["cpu_seconds"]["simulate"] / updates,
        "spikes": spikes,
        "rate": 1e3 * spikes / case.neurons / duration,
    }


def measure_memory(
    case: Case, contender: Contender, population: Sequence[Mapping[str, float]], *, seed: int
) -> dict[str, Any]:
    """Measure the memory of neurons after they have been created, connected to their input and simulated.

    Input comes through one excitatory and one inhibitory synapse, so that neurons take nearly all of the memory. All
    builds have the same synapses, and so has the empty neuron, whose memory is the kernel overhead.

    Parameters
    ----------
    case : Case
    contender : Contender
    population : sequence of mapping
        As for `measure_update`.
    seed : int
        Of the input.

    Returns
    -------
    dict
        ``bytes`` per neuron, and ``object_bytes``, the size of the C++ object that NEST reports.
    """
    nest = prepare_kernel(contender)
    _set_minimal_delay(nest, case.delay)
    gc.collect()
    before = allocated_bytes()
    neurons = create(nest, contender.model, case.neurons, population)
    if case.rate:
        create_input(nest, neurons, case, MEMORY_DURATION, seed, sources=(1, 1))
    nest.Simulate(MEMORY_DURATION)
    gc.collect()
    return {
        "bytes": (allocated_bytes() - before) / case.neurons,
        "object_bytes": int(nest.GetDefaults(contender.model, "elementsize")),
    }


def _set_minimal_delay(nest: Any, delay: float) -> None:
    parrots = nest.Create("parrot_neuron", 2)
    nest.Connect(parrots[0], parrots[1], syn_spec={"delay": delay})


def create_input(
    nest: Any,
    neurons: Any,
    case: Case,
    duration: float,
    seed: int,
    *,
    sources: tuple[int, int] = SOURCES,
    weight: float | None = None,
    receptors: Sequence[int] = (0,),
) -> Integers:
    """Send the same random spikes to every neuron, through parrot neurons.

    Parameters
    ----------
    nest : module
    neurons : nest.NodeCollection
    case : Case
        Gives the rate and the delay.
    duration : float
        In ms.
    seed : int
    sources : tuple of int
        Numbers of excitatory and inhibitory parrot neurons.
    weight : float, optional
        The excitatory weight; by default that of the family.
    receptors : sequence of int
        NEST's receptor types, which all receive all spikes. With several, all weights are positive.

    Returns
    -------
    ndarray of int
        The steps in which parrot neurons spike; NEST counts these spikes together with the neurons'.
    """
    number = sum(sources)
    steps = round(duration / RESOLUTION)
    first = round(case.delay / RESOLUTION)  # a parrot neuron repeats a spike one delay after it was sent
    probability = 1e-3 * case.rate / number * RESOLUTION
    fires = np.random.default_rng(seed).random((number, steps - first)) < probability
    generators = nest.Create("spike_generator", number)
    times = [np.round((np.flatnonzero(row) + 1) * RESOLUTION, 6) for row in fires]
    generators.set([{"spike_times": list(train)} for train in times])
    parrots = nest.Create("parrot_neuron", number)
    nest.Connect(generators, parrots, "one_to_one", {"delay": case.delay})
    if weight is None:
        weight = FAMILIES[case.family].weight
    inhibition = INHIBITION if len(receptors) == 1 else -INHIBITION
    for receptor in receptors:
        for sending, factor in ((parrots[: sources[0]], 1.0), (parrots[sources[0] :], inhibition)):
            synapse = {"weight": factor * weight, "delay": case.delay, "receptor_type": receptor}
            nest.Connect(sending, neurons, syn_spec=synapse)
    return np.asarray(np.nonzero(fires)[1] + 1 + first)
