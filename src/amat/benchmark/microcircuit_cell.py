# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measurement of a microcircuit as a cell of a benchmark: time, memory, energy and activity."""

import platform
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from amat.benchmark.activity import Spikes, fingerprints, measure_population
from amat.benchmark.energy import EnergyMeter
from amat.benchmark.kernel import Clock, read_timers
from amat.benchmark.microcircuit import POPULATIONS, WARM_UP, build_microcircuit, check_fit, connect_quietly

if TYPE_CHECKING:
    from amat.benchmark.cell import Cell

__all__ = ["merge_microcircuit", "simulate_microcircuit"]


def simulate_microcircuit(nest: Any, cell: "Cell", *, read_memory: bool = False) -> dict[str, Any]:
    """Simulate the cell of a microcircuit.

    All spikes after the warm-up are recorded in memory. This adds one event per spike to those at hundreds of synapses.
    The phase ``connect`` includes NEST's preparation, as the package has it.

    Parameters
    ----------
    nest : module
    cell : Cell
    read_memory : bool
        Whether memory is read after each phase.

    Returns
    -------
    dict
        As `amat.benchmark.cell.simulate_cell`, and ``cpu_seconds`` by phase; ``energy``: the host, J during simulate,
        or None, and a note; ``populations``: senders and steps of spikes, the latter from 1 after the warm-up.

    Raises
    ------
    AmatError
        If the network does not fit into NEST or the memory.
    """
    assert cell.scale is not None
    assert cell.background is not None
    check_fit(cell.scale, cell.threads, cell.ranks)
    clock = Clock(read_memory=read_memory)
    with clock.phase("create"):
        network = build_microcircuit(
            cell.contender,
            cell.scale,
            cell.background,
            threads=cell.threads,
            seed=cell.seed,
            resolution=cell.resolution,
        )
    with clock.phase("connect"):
        connect_quietly(network)
    with clock.phase("prepare"):
        nest.Prepare()
    with clock.phase("warm_up"):
        nest.Run(WARM_UP)
    meter = EnergyMeter()
    with clock.phase("simulate"):
        nest.Run(cell.duration)
    joules, note = meter.joules()
    spikes = int(nest.local_spike_counter)  # of the last call of Run
    nest.Cleanup()
    status = nest.GetKernelStatus()
    lead = round(WARM_UP / cell.resolution)
    return {
        "threads": int(nest.local_num_threads),
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu,
        "memory": clock.memory,
        "nest": read_timers(status),
        "spikes": spikes,
        "synapses": int(status["num_connections"]),
        "cvs": [],
        "energy": {"host": platform.node(), "joules": joules, "note": note},
        "populations": [_read_spikes(recorder, lead) for recorder in network.spike_recorders],
    }


def _read_spikes(recorder: Any, lead: int) -> dict[str, list[int]]:
    events = recorder.events
    steps = np.asarray(events["times"], dtype=np.int64) - lead
    senders = np.asarray(events["senders"], dtype=np.int64)
    return {"senders": senders.tolist(), "steps": steps.tolist()}


def merge_microcircuit(cell: "Cell", parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge those measurements of a microcircuit's processes that other cells do not have.

    Parameters
    ----------
    cell : Cell
    parts : sequence of mapping
        Of `simulate_microcircuit`, one for each process.

    Returns
    -------
    dict
        ``cv``, the mean over populations weighted by neurons; ``populations``: by name, the results of
        `amat.benchmark.activity.measure_population`; ``fingerprints`` of the spikes; ``energy_J`` of all hosts and
        ``energy_note``; ``event_uJ``, the energy per synaptic event.
    """
    merged = [
        Spikes(
            *(
                np.concatenate([np.asarray(part["populations"][n][key], int) for part in parts])
                for key in Spikes._fields
            )
        )
        for n in range(len(POPULATIONS))
    ]
    assert cell.scale is not None
    populations = {
        name: measure_population(spikes, round(cell.scale * full), cell.duration, cell.resolution)
        for (name, full), spikes in zip(POPULATIONS.items(), merged, strict=True)
    }
    irregular = [found for found in populations.values() if found["cv"] is not None]
    neurons = [found["neurons"] for found in irregular]
    hosts = {part["energy"]["host"]: part["energy"] for part in parts}
    joules = [energy["joules"] for energy in hosts.values()]
    total = None if None in joules else sum(joules)
    events = sum(part["spikes"] for part in parts) * sum(part["synapses"] for part in parts) / cell.neurons
    return {
        "cv": float(np.average([found["cv"] for found in irregular], weights=neurons)) if irregular else None,
        "populations": populations,
        "fingerprints": fingerprints(merged, cell.duration, cell.resolution),
        "energy_J": total,
        "energy_note": next(iter(hosts.values()))["note"],
        "event_uJ": 1e6 * total / events if total is not None and events else None,
    }
