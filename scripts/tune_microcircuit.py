# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/microcircuit_amat.yaml and .csv: thresholds of AMAT in a microcircuit with the published rates.

Subtracting the reset from the potential is the same as adding it to the threshold, if both decay with the time constant
of the membrane. A threshold that jumps by 15 mV and decays in 10 ms therefore replaces the reset of the published
neuron, from -50 to -65 mV. The slow component of the threshold and its dependence on the potential make the difference.
They are the same in all populations; the resting threshold of each population is searched for, so that it fires at the
rate of the published neuron at the same scale.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from amat import paths
from amat.benchmark.activity import Spikes, measure_population
from amat.benchmark.families import find_contender
from amat.benchmark.microcircuit import POPULATIONS, build_microcircuit, connect_quietly
from amat.benchmark.microcircuit_runs import REFERENCE, read_microcircuits
from amat.errors import AmatError
from amat.files import write_text

#: AMAT of the search; all builds have the same dynamics.
MODEL = "amat2_psc_exp_neuron_opt"
#: Threshold parameters of all populations: time constants in ms, amplitudes in mV, beta in 1/ms.
SHARED = {"tau_1": 10.0, "tau_2": 200.0, "tau_v": 5.0, "alpha_1": 15.0, "alpha_2": 0.5, "beta": -0.2}
#: The resting threshold in mV with which the search begins, and its change for a rate that is e times too large.
START, GAIN = 16.0, 3.0
#: Relative error of all rates at which the search ends.
PRECISION = 0.1
#: Model time in ms: after a change, and of a measurement.
SETTLE, MEASURE = 200.0, 600.0
RESOLUTION = 0.1
HEAD = """\
# AMAT in the microcircuit, by NESTML's names: written by scripts/tune_microcircuit.py. Keys: data/README.md.
"""


def read_targets(folder: Path, scale: float) -> dict[str, float]:
    """Return the rate of each population of the published neuron in spikes/s, the mean over the seeds in a folder."""
    _, populations = read_microcircuits(folder / "cells")
    wanted = (populations["model"] == REFERENCE) & populations["case"].str.startswith(
        f"microcircuit-poisson-x{scale:g}-"
    )
    if not wanted.any():
        raise AmatError(
            f"{folder} has no {REFERENCE} of scale {scale:g} with Poisson input: measure it with "
            f"`amat benchmark microcircuit --scale {scale:g} --output {folder}`."
        )
    means = populations[wanted].groupby("population")["rate"].mean()
    return {name: float(means[name]) for name in POPULATIONS}


def search(targets: dict[str, float], scale: float, iterations: int, seed: int = 1) -> None:
    """Adapt the thresholds of a network that is built once, until all rates are those wanted; write every step."""
    omega = dict.fromkeys(POPULATIONS, START)
    network = build_microcircuit(
        find_contender(MODEL),
        scale,
        "poisson",
        seed=seed,
        resolution=RESOLUTION,
        adaptation={name: SHARED | {"omega": omega[name]} for name in POPULATIONS},
    )
    connect_quietly(network)
    import nest

    network.spike_recorders.start = 0.0
    rows: list[dict[str, Any]] = []
    for iteration in range(iterations):
        nest.Simulate(SETTLE)
        network.spike_recorders.n_events = 0
        begin = round(nest.biological_time / RESOLUTION)
        nest.Simulate(MEASURE)
        errors = []
        for name, neurons, recorder in zip(POPULATIONS, network.pops, network.spike_recorders, strict=True):
            events = recorder.events
            spikes = Spikes(np.asarray(events["senders"], int), np.asarray(events["times"], int) - begin)
            found = measure_population(spikes, len(neurons), MEASURE, RESOLUTION)
            row = {"iteration": iteration, "population": name, "omega": omega[name], "target": targets[name]}
            rows.append({**row, **{key: found[key] for key in ("rate", "cv", "correlation")}})
            errors.append(math.log(max(found["rate"], 0.01) / targets[name]))
            omega[name] = round(omega[name] + float(np.clip(GAIN * errors[-1], -3, 3)), 3)
            neurons.omega = omega[name]
        write(pd.DataFrame(rows), scale)
        print(pd.DataFrame(rows[-len(POPULATIONS) :]).to_string(index=False), flush=True)
        if max(map(abs, errors)) <= PRECISION:
            break


def write(table: pd.DataFrame, scale: float) -> None:
    """Write all iterations, and the thresholds of the one whose largest error of a rate is the smallest.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per iteration and population: ``iteration``, ``population``, ``omega`` (mV), ``rate`` and ``target``
        (spikes/s), ``cv``, ``correlation``.
    scale : float
    """
    errors = pd.Series(np.abs(np.log(table["rate"].clip(lower=0.01) / table["target"])), table.index)
    best = table[table["iteration"] == errors.groupby(table["iteration"]).max().idxmin()].set_index("population")
    chosen = {"scale": scale, "parameters": SHARED, "omega": best["omega"].to_dict()}
    write_text(paths.DATA / "microcircuit_amat.yaml", HEAD + yaml.safe_dump(chosen, sort_keys=False))
    write_text(paths.DATA / "microcircuit_amat.csv", table.to_csv(index=False, float_format="%.4g"))


def main() -> None:
    """Search for the thresholds and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path, help="output folder of amat benchmark microcircuit")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--iterations", type=int, default=8)
    options = parser.parse_args()
    search(read_targets(options.reference, options.scale), options.scale, options.iterations)


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
