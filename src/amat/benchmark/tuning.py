# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Tuning of balanced networks: weights and external input at which all fire at the same rate, equally irregularly."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from amat.analysis.metrics import measure_train
from amat.benchmark.cell import RECORDED, Cell, neuron_parameters
from amat.benchmark.families import FAMILIES
from amat.benchmark.kernel import prepare_kernel
from amat.benchmark.network import BalancedNetwork
from amat.errors import AmatError

__all__ = ["CV", "RATE", "scan_weights", "tune_input"]

#: The targets of the tuning: spikes/s of a neuron, and the mean coefficient of variation of intervals.
RATE, CV = 8.0, 0.6

#: Model time in ms: before a rate is measured, of a short trial, and of a long measurement.
SETTLE, TRIAL, MEASURE = 150.0, 250.0, 1000.0
#: Width in ms of the bins of the population's spikes.
BIN = 5.0


def tune_input(
    family: str,
    network: BalancedNetwork,
    largest_rate: float,
    *,
    neurons: int = 5000,
    precision: float = 0.05,
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
    neurons : int
    precision : float
        Allowed relative error of the rate.
    seed : int

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

    external, found = _find_input((network.external_rate, largest_rate), measure, network.rate, precision)
    if abs(found - network.rate) > precision * network.rate:
        raise AmatError(
            f"The network of {family} with weights of {network.weight:g} does not fire at {network.rate:g} spikes/s "
            f"for an input between {network.external_rate:g} and {largest_rate:g} spikes/s, but at {found:.2f}. "
            "Choose other weights."
        )
    cv, fano = _irregularity(recorder.events)
    return replace(network, external_rate=external, rate=found, cv=cv), fano


def _find_input(
    rates: tuple[float, float], measure: Callable[[float, float], float], target: float, precision: float
) -> tuple[float, float]:
    """Return the last input that was tried and the rate of the neurons, which is the target if that was reached."""
    low = external = rates[0]
    high = rates[1]
    found, bracketed = float("nan"), False
    for _ in range(40):
        found = measure(external, TRIAL)
        # A short trial is noisy, so that a hit is confirmed by a long one.
        if abs(found - target) <= 2 * precision * target:
            found = measure(external, MEASURE)
            if abs(found - target) <= precision * target:
                break
        if found < target:
            low = external
        else:
            high, bracketed = external, True
        if high - low < 0.1 * precision * high:  # misled by noise, or out of range
            if not bracketed:
                break
            low, high = low * (1 - precision), high * (1 + precision)
        # From below and in small steps, since simulations far above the target take long.
        external = (low * high) ** 0.5 if bracketed else min(1.25 * low, high)
    return external, found


def _irregularity(events: dict[str, Any]) -> tuple[float, float]:
    times, senders = np.asarray(events["times"]), np.asarray(events["senders"])
    trains = [np.sort(times[senders == sender]) for sender in np.unique(senders)]
    cv = float(np.nanmean([measure_train(train, MEASURE)["cv"] for train in trains]))
    counts, _ = np.histogram(times, np.arange(times.min(), times.max(), BIN))
    return cv, float(counts.var() / counts.mean())


def scan_weights(
    family: str,
    network: BalancedNetwork,
    largest_rate: float,
    factors: Sequence[float],
    *,
    neurons: int = 5000,
    cv: float = CV,
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
        scaled = replace(
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
