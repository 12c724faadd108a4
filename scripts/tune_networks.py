# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/benchmark_networks.yaml and .csv: balanced networks, tuned to the same rate and CV."""

import argparse
import dataclasses
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml

from amat import paths
from amat.analysis.metrics import interval_cv
from amat.benchmark.cell import INDEGREE, RECORDED, Cell, neuron_parameters
from amat.benchmark.families import FAMILIES
from amat.benchmark.kernel import prepare_kernel
from amat.benchmark.network import TUNED_CV, TUNED_RATE, BalancedNetwork
from amat.errors import AmatError
from amat.files import atomic_write, write_text
from amat.neurons import AmatParameters

#: Allowed relative error of the rate.
PRECISION = 0.05
#: Model time in ms: before a rate is measured, of a short trial, and of a long measurement.
SETTLE, TRIAL, MEASURE = 150.0, 250.0, 1000.0
#: Width in ms of the bins of the population's spikes.
BIN = 5.0


def untuned(parameters: dict[str, float], weight: float, inhibition: float, external_rate: float) -> BalancedNetwork:
    """Return a network before tuning; `inhibition` is relative to `weight`."""
    return BalancedNetwork(
        parameters, weight, -inhibition * weight, external_rate, INDEGREE, delay=1.5, rate=TUNED_RATE, cv=math.nan
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
    # The charge of the exponential synapses; only the input is tuned.
    "iaf_psc_delta": untuned({}, weight=0.142, inhibition=6.0, external_rate=8500.0),
}
LARGEST_RATE = 30000.0
FACTORS = (0.5, 0.71, 1.0, 1.41)
HEAD = """\
# Balanced random networks of the benchmark, by the family of their neurons: written by scripts/tune_networks.py.
# Keys: data/README.md.
"""


def tune_input(
    family: str,
    network: BalancedNetwork,
    largest_rate: float,
    *,
    neurons: int = 5000,
    seed: int = 1,
) -> tuple[BalancedNetwork, float]:
    """Find the external input at which a balanced network of NEST's built-in model fires at a given rate.

    The network is built once. Its input is raised until the rate is exceeded, and then bisected; after each change
    the network settles. The rate is assumed to grow with the input.

    Parameters
    ----------
    family : str
        A name of `amat.benchmark.families.FAMILIES`.
    network : BalancedNetwork
        Its ``external_rate`` is the lowest that is tried, and its ``rate`` the wanted one.
    largest_rate : float
        The largest external rate, spikes/s.
    neurons, seed : int

    Returns
    -------
    BalancedNetwork
        With the external rate that was found, and the resulting rate and CV.
    float
        Variance over mean of the number of spikes of 200 neurons in 5 ms: 1 if all fire independently at constant rate.

    Raises
    ------
    AmatError
        If the rate is not reached.
    """
    cell = Cell(FAMILIES[family].nest)
    nest = prepare_kernel(cell.contender, seed=seed)
    population = nest.Create(cell.model, neurons, params=neuron_parameters(cell, network))
    poisson = network.connect(nest, population, network.indegree)
    recorder = nest.Create("spike_recorder")
    nest.Connect(population[:RECORDED], recorder)

    def measure(external: float, duration: float) -> float:
        poisson.rate = external
        nest.Simulate(SETTLE)
        recorder.n_events = 0
        nest.Simulate(duration)
        return 1e3 * float(nest.local_spike_counter) / neurons / duration

    external, found = _find_input((network.external_rate, largest_rate), measure, network.rate)
    if abs(found - network.rate) > PRECISION * network.rate:
        raise AmatError(
            f"The network of {family} with weights of {network.weight:g} does not fire at {network.rate:g} spikes/s "
            f"for an input between {network.external_rate:g} and {largest_rate:g} spikes/s, but at {found:.2f}. "
            "Choose other weights."
        )
    cv, fano = _irregularity(recorder.events)
    return dataclasses.replace(network, external_rate=external, rate=found, cv=cv), fano


def _find_input(
    rates: tuple[float, float], measure: Callable[[float, float], float], target: float
) -> tuple[float, float]:
    """Return the last input that was tried and the rate of the neurons, which is the target if that was reached."""
    low = external = rates[0]
    high = rates[1]
    found, bracketed = float("nan"), False
    for _ in range(40):
        found = measure(external, TRIAL)
        # A short trial is noisy, so that a hit is confirmed by a long one.
        if abs(found - target) <= 2 * PRECISION * target:
            found = measure(external, MEASURE)
            if abs(found - target) <= PRECISION * target:
                break
        if found < target:
            low = external
        else:
            high, bracketed = external, True
        if high - low < 0.1 * PRECISION * high:  # misled by noise, or out of range
            if not bracketed:
                break
            low, high = low * (1 - PRECISION), high * (1 + PRECISION)
        # From below and in small steps, since simulations far above the target take long.
        external = (low * high) ** 0.5 if bracketed else min(1.25 * low, high)
    return external, found


def _irregularity(events: dict[str, Any]) -> tuple[float, float]:
    times, senders = np.asarray(events["times"]), np.asarray(events["senders"])
    trains = [np.sort(times[senders == sender]) for sender in np.unique(senders)]
    cv = float(np.nanmean([interval_cv(train) for train in trains]))
    counts, _ = np.histogram(times, np.arange(times.min(), times.max(), BIN))
    return cv, float(counts.var() / counts.mean())


def scan_weights(
    family: str,
    network: BalancedNetwork,
    largest_rate: float,
    factors: Sequence[float],
    *,
    neurons: int = 5000,
    cv: float = TUNED_CV,
    seed: int = 1,
) -> tuple[BalancedNetwork, pd.DataFrame]:
    """Tune the input for several weights, and choose the weight whose intervals are closest to the wanted CV.

    Parameters
    ----------
    family, network, largest_rate, neurons, seed
        As for `tune_input`.
    factors : sequence of float
        Factors of the network's weights; external rates are divided by them, which keeps the mean input.
    cv : float
        The wanted coefficient of variation.

    Returns
    -------
    BalancedNetwork
        The one whose CV is closest.
    pandas.DataFrame
        One row per weight: ``family``, ``weight``, ``external_rate`` (spikes/s), ``rate`` (spikes/s), ``cv``, ``fano``.
    """
    found = []
    for factor in factors:
        scaled = dataclasses.replace(
            network,
            weight=factor * network.weight,
            inhibition=factor * network.inhibition,
            external_rate=network.external_rate / factor,
        )
        found.append(tune_input(family, scaled, largest_rate / factor, neurons=neurons, seed=seed))
    columns = ("weight", "external_rate", "rate", "cv")
    rows = [
        {"family": family, **{name: getattr(tuned, name) for name in columns}, "fano": fano} for tuned, fano in found
    ]
    return min((tuned for tuned, _ in found), key=lambda tuned: abs(tuned.cv - cv)), pd.DataFrame(rows)


def main() -> None:
    """Tune all networks and write the files."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    chosen, tables = {}, []
    for family, network in NETWORKS.items():
        factors = (1.0,) if family == "iaf_psc_delta" else FACTORS
        tuned, table = scan_weights(family, network, LARGEST_RATE, factors)
        print(table.to_string(index=False), flush=True)
        entry = dataclasses.asdict(tuned)
        numbers = {key: float(f"{value:.4g}") for key, value in entry.items() if isinstance(value, float)}
        chosen[family] = entry | numbers
        tables.append(table)
    write_text(paths.DATA / "benchmark_networks.yaml", HEAD + yaml.safe_dump(chosen, sort_keys=False))
    with atomic_write(paths.DATA / "benchmark_networks.csv") as temporary:
        pd.concat(tables).to_csv(temporary, index=False, float_format="%.4g")


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
