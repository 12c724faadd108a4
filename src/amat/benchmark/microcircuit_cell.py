# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Spikes of a microcircuit's populations, and their activity."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from amat.benchmark.activity import Spikes, fingerprints, measure_population
from amat.benchmark.microcircuit import POPULATIONS, WARM_UP

if TYPE_CHECKING:
    from amat.benchmark.cell import Cell

__all__ = ["merge_populations", "read_populations"]


def read_populations(network: Any, resolution: float) -> list[dict[str, list[int]]]:
    """Return the senders and the steps of the spikes of each population, the latter from 1 after the warm-up.

    Parameters
    ----------
    network : microcircuit.Network
        From `amat.benchmark.microcircuit.build_microcircuit`, simulated.
    resolution : float
        Time step in ms.
    """
    lead = round(WARM_UP / resolution)
    found = []
    for recorder in network.spike_recorders:
        events = recorder.events
        steps = np.asarray(events["times"], dtype=np.int64) - lead
        found.append({"senders": np.asarray(events["senders"], dtype=np.int64).tolist(), "steps": steps.tolist()})
    return found


def merge_populations(cell: "Cell", parts: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the activity of a microcircuit.

    Parameters
    ----------
    cell : Cell
    parts : sequence
        Of `read_populations`, one for each process.

    Returns
    -------
    dict
        ``cv``, the mean over populations weighted by neurons; ``populations``: by name, the results of
        `amat.benchmark.activity.measure_population`; ``fingerprints`` of the spikes.
    """
    merged = [
        Spikes(*(np.concatenate([np.asarray(part[n][key], int) for part in parts]) for key in Spikes._fields))
        for n in range(len(POPULATIONS))
    ]
    assert cell.scale is not None
    populations = {
        name: measure_population(spikes, round(cell.scale * full), cell.duration, cell.resolution)
        for (name, full), spikes in zip(POPULATIONS.items(), merged, strict=True)
    }
    irregular = [found for found in populations.values() if found["cv"] is not None]
    neurons = [found["neurons"] for found in irregular]
    return {
        "cv": float(np.average([found["cv"] for found in irregular], weights=neurons)) if irregular else None,
        "populations": populations,
        "fingerprints": fingerprints(merged, cell.duration, cell.resolution),
    }
