# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Simulations on NEST that the theory is compared with: neurons under Poisson input, and balanced networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amat.analysis.metrics import interval_cv
from amat.analysis.rate_theory.intervals import interval_statistics
from amat.analysis.rate_theory.moments import PoissonInput, ShotNoise
from amat.analysis.rate_theory.networks import NetworkInput
from amat.arrays import Floats
from amat.checks import require_count, require_duration
from amat.neurons import AmatParameters
from amat.simulation.kernel import DELAY, NEST_MODELS, Simulation, reset_kernel

__all__ = ["compare_neurons", "simulate_network"]

#: Time before a measurement, ms: five times the slow time constant of the threshold.
_WARM_UP = 1000.0


def compare_neurons(
    conditions: Sequence[tuple[str, AmatParameters, Sequence[PoissonInput]]],
    *,
    neurons: int = 20,
    duration: float = 4000.0,
    resolution: float = 0.1,
    seed: int = 1,
) -> pd.DataFrame:
    """Simulate neurons under Poisson input, and predict their rate, CV and serial correlation.

    Parameters
    ----------
    conditions : sequence of (str, AmatParameters, sequence of PoissonInput)
        A label, the neuron and its inputs.
    neurons : int
        Independent copies for each condition.
    duration : float
        Of the measurement, ms.
    resolution : float
        ms.
    seed : int
        Of NEST's random numbers.

    Returns
    -------
    pandas.DataFrame
        One row per condition: neuron (the label), mean_mV and sd_mV (of the distance, exact), rate_per_s, sem_per_s
        (standard error over copies), cv, serial_correlation, and the same predicted (``predicted_``). CV and
        correlation are of the intervals of all copies.
    """
    require_count("neurons", neurons)
    require_duration(duration)
    parameters = [cell.to_nestml() for _, cell, _ in conditions for _ in range(neurons)]
    simulation = Simulation(NEST_MODELS["amat"], parameters, _WARM_UP + duration, resolution, seed=seed)
    for number, (_, _, inputs) in enumerate(conditions):
        targets = simulation.neurons[number * neurons : (number + 1) * neurons]
        for train in inputs:
            generator = simulation.nest.Create("poisson_generator", params={"rate": train.rate})
            simulation.nest.Connect(generator, targets, syn_spec={"weight": train.weight, "delay": DELAY})
    trains = [train[train > _WARM_UP] for train in simulation.run()]
    rows = []
    for number, (label, cell, inputs) in enumerate(conditions):
        noise = ShotNoise(cell, inputs)
        predicted = interval_statistics(noise, resolution=resolution)
        row = {"neuron": label, "mean_mV": noise.mean("distance"), "sd_mV": noise.covariance("distance") ** 0.5}
        row |= _measure(trains[number * neurons : (number + 1) * neurons], duration)
        row |= {"predicted_rate_per_s": predicted.rate, "predicted_cv": predicted.cv}
        rows.append(row | {"predicted_serial_correlation": predicted.serial_correlation})
    return pd.DataFrame(rows)


def _measure(trains: Sequence[Floats], duration: float) -> dict[str, float]:
    """Return rate, standard error, CV and serial correlation over copies of a neuron."""
    rates = np.array([1e3 * len(train) / duration for train in trains])
    intervals = [np.diff(train) for train in trains]
    together = np.concatenate(intervals)
    earlier, later = (
        np.concatenate([part[:-1] for part in intervals]),
        np.concatenate([part[1:] for part in intervals]),
    )
    varies = len(earlier) > 2 and earlier.std() > 0 and later.std() > 0
    return {
        "rate_per_s": rates.mean(),
        "sem_per_s": rates.std(ddof=1) / len(rates) ** 0.5,
        "cv": together.std() / together.mean() if len(together) > 1 else np.nan,
        "serial_correlation": np.corrcoef(earlier, later)[0, 1] if varies else np.nan,
    }


def simulate_network(
    model: str,
    parameters: Mapping[str, Any],
    network: NetworkInput,
    *,
    neurons: int = 2500,
    delay: float = 1.5,
    warm_up: float = 500.0,
    duration: float = 1000.0,
    resolution: float = 0.1,
    seed: int = 1,
) -> dict[str, float]:
    """Simulate a balanced random network of fixed indegrees; four fifths of the neurons are excitatory.

    Parameters
    ----------
    model : str
        Name in NEST.
    parameters : mapping
        Of all neurons, by the model's names.
    network : NetworkInput
    neurons : int
    delay, warm_up, duration, resolution : float
        In ms. Potentials begin at random, so that neurons do not start together.
    seed : int
        Of NEST's random numbers.

    Returns
    -------
    dict
        rate_per_s of a neuron, and the mean cv of intervals.
    """
    require_count("neurons", neurons, 10)
    nest = reset_kernel(resolution, [model], seed=seed)
    population = nest.Create(model, neurons, params=dict(parameters))
    rest = float(population[0].E_L)
    population.V_m = np.random.default_rng(seed).uniform(rest, rest + 10.0, neurons).tolist()
    excitatory = round(0.8 * neurons)
    poisson = nest.Create("poisson_generator", params={"rate": network.external_rate})
    nest.Connect(poisson, population, syn_spec={"weight": network.external_weight, "delay": delay})
    for sources, count, weight in (
        (population[:excitatory], network.excitatory_indegree, network.weight),
        (population[excitatory:], network.inhibitory_indegree, network.inhibition),
    ):
        nest.Connect(
            sources, population, {"rule": "fixed_indegree", "indegree": count}, {"weight": weight, "delay": delay}
        )
    recorder = nest.Create("spike_recorder", params={"start": warm_up})
    nest.Connect(population, recorder, syn_spec={"delay": delay})
    nest.Simulate(warm_up + duration)
    times, senders = (np.asarray(recorder.events[name], dtype=np.float64) for name in ("times", "senders"))
    order = np.lexsort((times, senders))
    trains = np.split(times[order], np.flatnonzero(np.diff(senders[order])) + 1)
    cvs = [interval_cv(train) for train in trains if len(train) > 4]
    return {"rate_per_s": 1e3 * len(times) / neurons / duration, "cv": float(np.mean(cvs)) if cvs else np.nan}
