# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A balanced network of leaky integrate-and-fire neurons in Arbor [1]_.

``python arbor_network.py REQUEST.json`` simulates the network that a JSON file describes and writes ``measured.json``
next to it. It does not import this package, because Arbor may be installed in a separate environment.

Arbor's cell has delta synapses and discards input during the refractory period, as NEST's ``iaf_psc_delta`` does. It is
updated at the times of events and not in steps, so that spikes and delays are not on a grid.

References
----------
.. [1] Abi Akar N et al. (2019). Arbor - a morphologically-detailed neural network simulation library. PDP 2019,
   274-282. doi:10.1109/EMPDP.2019.8671560
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def make_recipe(request: dict[str, Any]) -> Any:
    """Return the recipe of a network; four fifths of its neurons and synapses are excitatory."""
    import arbor
    from arbor import units

    excitatory = round(0.8 * request["neurons"])
    network, values = request["network"], request["parameters"]

    class BalancedNetwork(arbor.recipe):  # type: ignore[misc]
        """Answers to the questions of Arbor, neuron by neuron."""

        def num_cells(self) -> int:
            """Return the number of neurons."""
            return int(request["neurons"])

        def cell_kind(self, gid: int) -> Any:
            """Return the kind of every neuron."""
            return arbor.cell_kind.lif

        def cell_description(self, gid: int) -> Any:
            """Return a neuron at rest."""
            return arbor.lif_cell(
                "spikes",
                "input",
                tau_m=values["tau_m"] * units.ms,
                V_th=values["V_th"] * units.mV,
                C_m=values["C_m"] * units.pF,
                E_L=values["E_L"] * units.mV,
                E_R=values["V_reset"] * units.mV,
                V_m=values["E_L"] * units.mV,
                t_ref=values["refr_T"] * units.ms,
            )

        def connections_on(self, gid: int) -> list[Any]:
            """Return the recurrent synapses of a neuron, a fixed number with random sources."""
            random = np.random.default_rng((request["seed"], gid))
            degree = round(0.8 * request["indegree"])
            capacitance, delay = values["C_m"], network["delay"] * units.ms
            return [
                arbor.connection((source, "spikes"), "input", weight * capacitance, delay)
                for first, last, number, weight in (
                    (0, excitatory, degree, network["weight"]),
                    (excitatory, request["neurons"], request["indegree"] - degree, network["inhibition"]),
                )
                for source in random.integers(first, last, number).tolist()
            ]

        def event_generators(self, gid: int) -> list[Any]:
            """Return the Poisson input of a neuron."""
            schedule = arbor.poisson_schedule(
                tstart=0 * units.ms,
                freq=1e-3 * network["external_rate"] * units.kHz,
                seed=request["seed"] + 7919 * gid,
            )
            return [arbor.event_generator("input", network["input"] * values["C_m"], schedule)]

    return BalancedNetwork()


def main(request_file: str) -> None:
    """Simulate the network that a JSON file describes."""
    import arbor
    from arbor import units

    request: dict[str, Any] = json.loads(Path(request_file).read_text())
    recipe = make_recipe(request)
    context = arbor.context(threads=request["threads"])
    groups = arbor.partition_hint()
    groups.cpu_group_size = -(-request["neurons"] // request["threads"])
    shares = arbor.partition_load_balance(recipe, context, {arbor.cell_kind.lif: groups})
    simulation = arbor.simulation(recipe, context, shares)
    simulation.record(arbor.spike_recording.all)
    step = request["resolution"] * units.ms
    simulation.run(request["warm_up"] * units.ms, step)
    before = len(simulation.spikes())
    start, cpu = time.perf_counter(), time.process_time()
    simulation.run((request["warm_up"] + request["duration"]) * units.ms, step)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    found = {"seconds": seconds, "cpu_seconds": cpu_seconds, "spikes": len(simulation.spikes()) - before}
    Path(request_file).with_name("measured.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
