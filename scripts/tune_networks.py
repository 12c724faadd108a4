# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Make data/benchmark_networks.yaml and .csv: the networks of `amat benchmark cell`, tuned to the same rate and CV."""

import argparse
import dataclasses
import sys

import pandas as pd
import yaml

from amat import paths
from amat.benchmark.tuning import Candidate, scan_weights
from amat.errors import AmatError
from amat.files import replacing, write_text
from amat.neurons import AmatParameters

#: Synaptic currents of 2 ms, excitatory and inhibitory: slower inhibition synchronises the network. Of AMAT, weak
#: adaptation, and of Izhikevich's neuron the fast spiking one of 2003: with strong adaptation both fire regularly.
CANDIDATES = (
    Candidate(
        "amat",
        AmatParameters(omega=15.0, alpha_1=10.0, alpha_2=1.0, beta=0.0).to_nestml()
        | {"tau_syn_exc": 2.0, "tau_syn_inh": 2.0},
        weight=20.0,
        inhibition=6.0,
        rates=(6000.0, 30000.0),
    ),
    Candidate("izhikevich", {"a": 0.1, "d": 2.0}, weight=0.35, inhibition=5.5, rates=(6000.0, 30000.0)),
    Candidate("iaf_psc_exp", {}, weight=25.0, inhibition=6.0, rates=(5500.0, 30000.0)),
)
FACTORS = (0.5, 0.71, 1.0, 1.41)
HEAD = """\
# Balanced random networks of the benchmark, by the family of their neurons: made by scripts/tune_networks.py;
# amat.benchmark.tuning says how. Keys: data/README.md.
"""


def main() -> None:
    """Tune and write."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    chosen, tables = {}, []
    for candidate in CANDIDATES:
        tuning, table = scan_weights(candidate, FACTORS)
        print(table.to_string(index=False), flush=True)
        entry = dataclasses.asdict(tuning)
        numbers = {key: float(f"{value:.4g}") for key, value in entry.items() if isinstance(value, float)}
        chosen[candidate.family] = entry | numbers
        tables.append(table)
    write_text(paths.DATA / "benchmark_networks.yaml", HEAD + yaml.safe_dump(chosen, sort_keys=False))
    with replacing(paths.DATA / "benchmark_networks.csv") as temporary:
        pd.concat(tables).to_csv(temporary, index=False, float_format="%.4g")


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
