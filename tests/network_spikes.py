# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A network whose spikes must not depend on how it is distributed over MPI ranks and threads.

All random numbers are drawn from one seed by NumPy and passed to NEST as explicit values, because NEST's own random
generators and connection rules draw per virtual process. The weights are multiples of a power of two, so that the sum
of the inputs in one step is exact in any order.

``python network_spikes.py FOLDER MODEL ...`` writes one file per model and rank, ``MODEL-RANK.npy``: the time step and
the index of the neuron of each spike that the rank recorded. `read_spikes` merges them.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import amat

NEURONS = 200
INDEGREE = 40
#: pA
WEIGHT_STEP = 0.25
INPUT_WEIGHT = 120 * WEIGHT_STEP


def sample_network(seed, duration):
    """Return the connections (sources, targets, weights in pA, delays in ms) and the input spike times in ms."""
    random = np.random.default_rng(seed)
    sources = np.concatenate([random.choice(NEURONS, INDEGREE, replace=False) for _ in range(NEURONS)])
    targets = np.repeat(np.arange(NEURONS), INDEGREE)
    strengths = WEIGHT_STEP * random.integers(40, 120, len(sources))
    delays = random.integers(10, 50, len(sources)) / 10.0
    trains = [
        np.unique(random.integers(10, round(10 * duration) - 10, random.poisson(0.8 * duration))) / 10.0
        for _ in range(NEURONS)
    ]
    # Four fifths of the neurons are excitatory.
    weights = np.where(sources < 0.8 * NEURONS, strengths, -5 * strengths)
    return sources, targets, weights, delays, trains


def simulate(model, threads, seed, duration):
    """Return the spikes that this rank records: one row per spike, with its time step and its neuron."""
    import nest

    sources, targets, weights, delays, trains = sample_network(seed, duration)
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = 0.1
    nest.local_num_threads = threads
    if model != "amat2_psc_exp":  # NEST's built-in model
        amat.install(model)
    neurons = nest.Create(model, NEURONS, params={"I_e": 100.0})
    inputs = nest.Create("spike_generator", NEURONS, params=[{"spike_times": times} for times in trains])
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(inputs, neurons, "one_to_one", {"weight": INPUT_WEIGHT, "delay": 1.0})
    first = neurons[0].global_id
    nest.Connect(sources + first, targets + first, "one_to_one", {"weight": weights, "delay": delays})
    nest.Connect(neurons, recorder)
    nest.Simulate(duration)
    events = recorder.events
    return np.column_stack([events["times"], np.asarray(events["senders"]) - first]).astype(np.int64)


def read_spikes(folder, model):
    """Return the spikes of all ranks, sorted by time and neuron, and the number of spikes of each rank."""
    parts = [np.load(file) for file in sorted(folder.glob(f"{model}-*.npy"))]
    spikes = np.concatenate(parts)
    return spikes[np.lexsort(spikes.T[::-1])], [len(part) for part in parts]


def main():
    """Simulate the models that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs="+", help="AMAT neurons by their names in NEST")
    parser.add_argument("--ranks", type=int, default=1, help="the expected number of MPI processes")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time", type=float, default=1000.0, help="model time in ms")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for model in chosen.models:
        spikes = simulate(model, chosen.threads, chosen.seed, chosen.time)
        import nest

        if nest.num_processes != chosen.ranks or nest.local_num_threads != chosen.threads:
            sys.exit(f"NEST runs {nest.num_processes} rank(s), not {chosen.ranks}: start it by mpirun or srun.")
        np.save(chosen.folder / f"{model}-{nest.Rank()}.npy", spikes)


if __name__ == "__main__":
    main()
