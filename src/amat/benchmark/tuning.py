# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Networks for the benchmark that fire alike: weights and external input at which each has a given rate and CV."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from amat import toolchain
from amat.analysis.metrics import measure_train
from amat.benchmark.cell import RECORDED, Cell, Tuning, connect, neuron_parameters
from amat.benchmark.families import FAMILIES
from amat.errors import AmatError
from amat.simulation.kernel import reset_kernel

__all__ = ["CV", "RATE", "Candidate", "scan_weights", "tune_input"]

#: What all networks are tuned to: spikes/s and neuron, and the mean coefficient of variation of intervals.
RATE, CV = 8.0, 0.6

#: Model time in ms: before a rate is measured, while it is, and while all is measured at the end.
SETTLE, TRIAL, MEASURE = 150.0, 250.0, 1000.0
#: Width in ms of the bins of the population's spikes.
BIN = 5.0


@dataclass(frozen=True)
class Candidate:
    """A network whose external input is to be found.

    Attributes
    ----------
    family : str
        A name of `amat.benchmark.families.FAMILIES`.
    parameters : dict of str to float
        By NESTML's names, where they differ from the family's.
    weight : float
        Of excitatory synapses: pA, or mV for Izhikevich's neuron.
    inhibition : float
        How many times as strong an inhibitory synapse is.
    indegree, neurons : int
    delay : float
        ms
    rates : (float, float)
        Of the external input, spikes/s, between which it is sought, beginning at the lower one.
    """

    family: str
    parameters: dict[str, float]
    weight: float
    inhibition: float
    indegree: int = 1000
    neurons: int = 5000
    delay: float = 1.5
    rates: tuple[float, float] = (1000.0, 100000.0)


def tune_input(
    candidate: Candidate, *, rate: float = RATE, precision: float = 0.05, seed: int = 1
) -> tuple[Tuning, float]:
    """Find the external input at which a balanced network of NEST's hand-written model fires at a given rate.

    The network is built once; its input is raised until the rate is passed, and bisected from then on; after each
    change the network settles. That the rate grows with the input is taken for granted.

    Parameters
    ----------
    candidate : Candidate
    rate : float
        spikes/s and neuron
    precision : float
        Relative error of the rate that is allowed.
    seed : int

    Returns
    -------
    Tuning
        With the rate and the CV that came out.
    float
        Variance over mean of the number of spikes of 200 neurons in 5 ms: 1 if all fire independently at constant rate.

    Raises
    ------
    AmatError
        If the rate is not reached between the two.
    """
    model = FAMILIES[candidate.family].hand
    tuning = Tuning(
        parameters=candidate.parameters,
        weight=candidate.weight,
        inhibition=-candidate.inhibition * candidate.weight,
        external_rate=candidate.rates[0],
        indegree=candidate.indegree,
        delay=candidate.delay,
        rate=rate,
        cv=float("nan"),
    )
    nest = reset_kernel(0.1)
    nest.rng_seed = seed
    if model in toolchain.MODELS:
        toolchain.install(model)
    population = nest.Create(model, candidate.neurons, params=neuron_parameters(Cell(model), tuning))
    poisson = connect(nest, population, tuning, candidate.indegree, plastic=False)
    recorder = nest.Create("spike_recorder")
    nest.Connect(population[:RECORDED], recorder)

    def measure(duration: float) -> float:
        nest.Simulate(SETTLE)
        recorder.n_events = 0
        nest.Simulate(duration)
        return 1e3 * float(nest.local_spike_counter) / candidate.neurons / duration

    external, found = _find_input(candidate.rates, poisson, measure, rate, precision)
    if abs(found - rate) > precision * rate:
        raise AmatError(
            f"The network of {candidate.family} with weights of {candidate.weight:g} does not fire at {rate:g} "
            f"spikes/s for an input between {candidate.rates[0]:g} and {candidate.rates[1]:g} spikes/s; it came to "
            f"{found:.2f}. Choose other weights."
        )
    cv, fano = _irregularity(recorder.events)
    return replace(tuning, external_rate=external, rate=found, cv=cv), fano


def _find_input(
    rates: tuple[float, float], poisson: Any, measure: Callable[[float], float], target: float, precision: float
) -> tuple[float, float]:
    """Return the input, and the rate of the neurons at it: the one that is wanted, or the last one that was tried."""
    low = external = rates[0]
    high = rates[1]
    found, bracketed = float("nan"), False
    for _ in range(40):
        poisson.rate = external
        found = measure(TRIAL)
        # A short trial is too noisy to be believed.
        if abs(found - target) <= 2 * precision * target:
            found = measure(MEASURE)
            if abs(found - target) <= precision * target:
                break
        if found < target:
            low = external
        else:
            high, bracketed = external, True
        if high - low < 0.1 * precision * high:  # noise led it astray, or there is nothing
            if not bracketed:
                break
            low, high = low * (1 - precision), high * (1 + precision)
        # From below, since far above the wanted rate a simulation takes long, and in small steps for the same reason.
        external = (low * high) ** 0.5 if bracketed else min(1.25 * low, high)
    return external, found


def _irregularity(events: dict[str, Any]) -> tuple[float, float]:
    times, senders = np.asarray(events["times"]), np.asarray(events["senders"])
    trains = [np.sort(times[senders == sender]) for sender in np.unique(senders)]
    cv = float(np.nanmean([measure_train(train, MEASURE)["cv"] for train in trains]))
    counts, _ = np.histogram(times, np.arange(times.min(), times.max(), BIN))
    return cv, float(counts.var() / counts.mean())


def scan_weights(
    candidate: Candidate, factors: Sequence[float], *, cv: float = CV, seed: int = 1
) -> tuple[Tuning, pd.DataFrame]:
    """Tune the input for several weights, and choose the weight at which intervals are as irregular as wanted.

    Parameters
    ----------
    candidate : Candidate
    factors : sequence of float
        Of the candidate's weight.
    cv : float
        The coefficient of variation that is wanted.
    seed : int

    Returns
    -------
    Tuning
        The one whose CV comes nearest.
    pandas.DataFrame
        One row a weight: ``family``, ``weight``, ``external_rate`` (spikes/s), ``rate`` (spikes/s), ``cv``, ``fano``.
    """
    found = [tune_input(_scaled(candidate, factor), seed=seed) for factor in factors]
    table = pd.DataFrame(
        {
            "family": candidate.family,
            "weight": [tuning.weight for tuning, _ in found],
            "external_rate": [tuning.external_rate for tuning, _ in found],
            "rate": [tuning.rate for tuning, _ in found],
            "cv": [tuning.cv for tuning, _ in found],
            "fano": [fano for _, fano in found],
        }
    )
    return min((tuning for tuning, _ in found), key=lambda tuning: abs(tuning.cv - cv)), table


def _scaled(candidate: Candidate, factor: float) -> Candidate:
    """Return a candidate with other weights, and the range of the input that then has the same mean."""
    low, high = candidate.rates
    return replace(candidate, weight=factor * candidate.weight, rates=(low / factor, high / factor))
