# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The memory that a neuron takes, as the C library's allocator counts it."""

import ctypes
import gc
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from amat.benchmark.cases import INPUT_RATE, Case
from amat.benchmark.families import FAMILIES, Contender
from amat.benchmark.update import create, create_input, prepare_kernel
from amat.errors import AmatError

__all__ = ["allocated_bytes", "measure_memory", "memory_cases"]

#: Simulated before the memory is read, in ms: all that is allocated with the first events is there.
DURATION = 100.0


def memory_cases(families: Collection[str]) -> list[Case]:
    """Return what is measured of some families: without input and with it, and AMAT with different parameters.

    There are so many neurons that what NEST allocates once for all of them does not count.
    """
    cases = [Case(family, rate) for family in FAMILIES if family in families for rate in (0.0, INPUT_RATE)]
    if "amat" in families:
        cases += [Case("amat", parameters="different"), Case("amat", parameters="time constants")]
    return [replace(case, neurons=4000) for case in cases]


class _Mallinfo2(ctypes.Structure):
    """What glibc's ``mallinfo2`` returns."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def allocated_bytes() -> int:
    """Return the bytes that this process has allocated and not freed, in blocks of the heap and mapped ones.

    Raises
    ------
    AmatError
        If the C library is not glibc 2.33 or later.
    """
    try:
        mallinfo2 = ctypes.CDLL("libc.so.6").mallinfo2
    except (OSError, AttributeError) as error:
        raise AmatError(
            "Memory is read with mallinfo2 of glibc 2.33 or later, which this system lacks: "
            "measure times only, with --no-memory."
        ) from error
    mallinfo2.restype = _Mallinfo2
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)


def measure_memory(
    case: Case, contender: Contender, population: Sequence[Mapping[str, float]], *, seed: int
) -> dict[str, Any]:
    """Measure what neurons take after they have been created, connected and simulated.

    Input comes through one excitatory and one inhibitory synapse, so that what is measured are the neurons; twins
    have the same synapses, and the empty neuron, whose memory is the kernel's share, too.

    Parameters
    ----------
    case : Case
    contender : Contender
    population : sequence of mapping
        Parameters by the contender's names: one for each neuron, or one for all.
    seed : int
        Of the input.

    Returns
    -------
    dict
        ``bytes`` per neuron, and ``object_bytes``, the size of the C++ object as NEST states it.
    """
    nest = prepare_kernel(contender)
    parrots = nest.Create("parrot_neuron", 2)
    nest.Connect(parrots[0], parrots[1], syn_spec={"delay": case.delay})
    gc.collect()
    before = allocated_bytes()
    neurons = create(nest, contender.model, case.neurons, population)
    if case.rate:
        weight = FAMILIES[case.family].weight
        create_input(nest, neurons, (1, 1), case.rate, weight, case.delay, DURATION, seed)
    nest.Simulate(DURATION)
    gc.collect()
    taken = allocated_bytes() - before
    return {
        "bytes": taken / case.neurons,
        "object_bytes": int(nest.GetDefaults(contender.model, "elementsize")),
    }
