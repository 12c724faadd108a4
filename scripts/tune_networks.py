# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/benchmark_networks.yaml and .csv: balanced networks, tuned to the same rate and CV."""

import argparse
import dataclasses
import math
import sys

import pandas as pd
import yaml

from amat import paths
from amat.benchmark.cell import INDEGREE
from amat.benchmark.network import BalancedNetwork
from amat.benchmark.tuning import RATE, scan_weights
from amat.errors import AmatError
from amat.files import replacing, write_text
from amat.neurons import AmatParameters


def untuned(parameters: dict[str, float], weight: float, inhibition: float, external_rate: float) -> BalancedNetwork:
    """Return a network before tuning; `inhibition` is relative to `weight`."""
    return BalancedNetwork(
        parameters, weight, -inhibition * weight, external_rate, INDEGREE, delay=1.5, rate=RATE, cv=math.nan
    )


#: Synaptic currents have 2 ms, excitatory and inhibitory, because slower inhibition synchronises the network. AMAT has
#: weak adaptation, and Izhikevich's neuron is the fast spiking one of 2003: with strong adaptation both fire regularly.
NETWORKS = {
    "amat": untuned(
        AmatParameters(omega=15.0, alpha_1=10.0, alpha_2=1.0, beta=0.0).to_nestml()
        | {"tau_syn_exc": 2.0, "tau_syn_inh": 2.0},
        weight=20.0,
        inhibition=6.0,
        external_rate=6000.0,
    ),
    "izhikevich": untuned({"a": 0.1, "d": 2.0}, weight=0.35, inhibition=5.5, external_rate=6000.0),
    "iaf_psc_exp": untuned({}, weight=25.0, inhibition=6.0, external_rate=5500.0),
}
LARGEST_RATE = 30000.0
FACTORS = (0.5, 0.71, 1.0, 1.41)
HEAD = """\
# Balanced random networks of the benchmark, by the family of their neurons: written by scripts/tune_networks.py
# with amat.benchmark.tuning. Keys: data/README.md.
"""


def main() -> None:
    """Tune all networks and write the files."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    chosen, tables = {}, []
    for family, network in NETWORKS.items():
        tuned, table = scan_weights(family, network, LARGEST_RATE, FACTORS)
        print(table.to_string(index=False), flush=True)
        entry = dataclasses.asdict(tuned)
        numbers = {key: float(f"{value:.4g}") for key, value in entry.items() if isinstance(value, float)}
        chosen[family] = entry | numbers
        tables.append(table)
    write_text(paths.DATA / "benchmark_networks.yaml", HEAD + yaml.safe_dump(chosen, sort_keys=False))
    with replacing(paths.DATA / "benchmark_networks.csv") as temporary:
        pd.concat(tables).to_csv(temporary, index=False, float_format="%.4g")


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
