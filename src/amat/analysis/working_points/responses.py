# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Responses to modulated trains at one working point, and the irregularity without modulation."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from amat.analysis.transfer import InputKind, fourier_coefficients
from amat.analysis.transfer.inputs import ModulatedInput, balanced_synapses
from amat.analysis.transfer.runs import InputRun, simulate_inputs
from amat.analysis.working_points.plan import BIN_WIDTH, WINDOW, Plan
from amat.analysis.working_points.shards import Arrays
from amat.arrays import Complexes, Floats
from amat.neurons import Neuron
from amat.simulation.kernel import DELAY

__all__ = ["interval_statistics", "measure_responses", "measure_sinusoids", "trial_statistics"]


def interval_statistics(trains: Sequence[Floats]) -> tuple[float, float]:
    """Return the CV of inter-spike intervals and the correlation of successive ones, pooled over trains.

    Parameters
    ----------
    trains : sequence of ndarray
        Sorted spike times of independent trials of one neuron, any unit.

    Returns
    -------
    cv : float
        Standard deviation over mean of all intervals; NaN with fewer than ten.
    serial_correlation : float
        Pearson's correlation of an interval and the next in the same train; NaN likewise, and for a clock.
    """
    intervals = [np.diff(train) for train in trains]
    pooled = np.concatenate([*intervals, np.empty(0)])
    if len(pooled) < 10:
        return math.nan, math.nan
    first = np.concatenate([part[:-1] for part in intervals])
    second = np.concatenate([part[1:] for part in intervals])
    cv = float(pooled.std() / pooled.mean())
    # The rounding of times makes the intervals of a clock differ slightly.
    if len(first) < 10 or cv < 1e-9:
        return cv, math.nan
    deviations = first - pooled.mean(), second - pooled.mean()
    spread = math.sqrt(float(np.mean(deviations[0] ** 2)) * float(np.mean(deviations[1] ** 2)))
    return cv, float(np.mean(deviations[0] * deviations[1])) / spread if spread > 0 else math.nan


def trial_statistics(run: InputRun, n_trials: int, start: float, duration: float) -> Floats:
    """Return CV, serial correlation and rate (spikes/s) of the trials of each condition, equal in all its rows.

    Parameters
    ----------
    run : InputRun
    n_trials : int
        Successive rows that are trials of one condition.
    start, duration : float
        Of the measurement, ms.

    Returns
    -------
    ndarray, shape (rows, 3)
        See `interval_statistics`.
    """
    found = np.full((len(run.alive), 3), np.nan)
    edges = np.searchsorted(run.senders, np.arange(len(run.alive) + 1))
    for first in range(0, len(run.alive), n_trials):
        trains = [run.times[edges[k] : edges[k + 1]] for k in range(first, first + n_trials)]
        trains = [train[train > start] for train in trains]
        rate = 1e3 * sum(len(train) for train in trains) / (n_trials * duration)
        found[first : first + n_trials] = [*interval_statistics(trains), rate]
    return found


def measure_sinusoids(
    neurons: Sequence[Neuron],
    plan: Plan,
    conditions: Sequence[tuple[InputKind, float]],
    balance: float,
    inputs: Floats,
    depths: Floats,
    seed: int,
) -> tuple[Complexes, Floats, Floats, Floats]:
    """Measure responses to sinusoids; see `measure_responses` for the arguments and the four arrays."""
    usable = [n for n in range(len(neurons)) if np.isfinite(inputs[n]) and np.isfinite(depths[:, n]).all()]
    pairs = list(itertools.product(conditions, plan.frequencies))
    modulated = [
        [
            ModulatedInput(inputs[n], inputs[n], f, float(depths[int(kind == "inhibition"), n]) * factor, kind)
            for (kind, factor), f in pairs
        ]
        for n in usable
    ]

    def analyse(run: InputRun) -> Complexes:
        z, counts = fourier_coefficients(
            run.senders,
            run.times - run.lags[run.senders],
            run.frequencies,
            plan.n_windows,
            start=plan.warm_up,
            window=WINDOW,
        )
        z[~run.alive] = np.nan
        return np.stack([z, counts], axis=-1)

    synapses = [balanced_synapses(neurons[n], balance=balance, epsp=plan.epsp) for n in usable]
    duration = plan.warm_up + plan.n_windows * WINDOW + DELAY
    found = simulate_inputs([neurons[n] for n in usable], synapses, modulated, plan.n_trials, duration, seed, analyse)
    shape = (len(neurons), len(conditions), len(plan.frequencies))
    z = np.full(shape, np.nan, dtype=np.complex128)
    power, rates, fano = (np.full(shape, np.nan) for _ in range(3))
    for n, both in zip(usable, found, strict=True):
        # Windows of 1 s count as independent: the slowest time constant is 0.2 s.
        flat = both.reshape(*shape[1:], -1, 2)
        z[n], power[n] = flat[..., 0].mean(axis=-1), (np.abs(flat[..., 0]) ** 2).mean(axis=-1)
        counts = flat[..., 1].real
        rates[n] = counts.mean(axis=-1) / (1e-3 * WINDOW)
        with np.errstate(invalid="ignore", divide="ignore"):
            fano[n] = counts.var(axis=-1, ddof=1) / counts.mean(axis=-1)
    return z, power, rates, fano


def measure_responses(
    neurons: Sequence[Neuron], plan: Plan, balance: float, point: Arrays, repetition: int, seed: int
) -> Arrays:
    """Measure responses to sinusoids and noise, and the irregularity without modulation, in one repetition.

    Parameters
    ----------
    neurons, plan, balance
        See `measure_point`.
    point : dict
        From `measure_point`.
    repetition : int
        Number of the repetition, from 0, which selects the noise.
    seed : int
        Of NEST's random numbers; the next one is used, too.

    Returns
    -------
    dict
        ``z``, ``power``, ``rates``, ``fano``, shape (neurons, conditions, frequencies): mean and mean square of Fourier
        coefficients (spikes/s), rate, and Fano factor of counts in 1 s. ``first``, ``second``, shape (neurons,
        conditions, bins): spike counts in the halves of the trials, with noise. ``alive``, shape (neurons,
        conditions): whether all states stayed finite. ``cv``, ``serial``, ``stationary``, shape (neurons,): see
        `interval_statistics`, and the rate, with stationary input.
    """
    inputs, conditions = point["input_rate"], plan.conditions
    z, power, rates, fano = measure_sinusoids(neurons, plan, conditions, balance, inputs, point["depths"], seed)
    course = plan.course(repetition)
    lead, n_bins = round(plan.warm_up), round(len(course) / BIN_WIDTH)
    repeated = course[np.arange(-lead, len(course) + math.ceil(DELAY)) % len(course)]
    usable = [n for n in range(len(neurons)) if np.isfinite(z[n]).any()]
    modulated = []
    for n in usable:
        noises = [float(point["noises"][int(kind == "inhibition"), n]) * factor for kind, factor in conditions]
        courses = zip(conditions, noises, strict=True)
        inputs_of_one = [ModulatedInput(inputs[n], inputs[n], kind=c[0], course=x * repeated) for c, x in courses]
        modulated.append([*inputs_of_one, ModulatedInput(inputs[n], inputs[n])])
    found = simulate_inputs(
        [neurons[n] for n in usable],
        [balanced_synapses(neurons[n], balance=balance, epsp=plan.epsp) for n in usable],
        modulated,
        plan.synthetic_trials,
        lead + len(course) + DELAY,
        seed + 1,
        lambda run: _count(run, lead, n_bins, plan.synthetic_trials),
    )
    size = (len(neurons), len(conditions))
    first, second = (np.zeros((*size, n_bins), dtype=np.uint16) for _ in range(2))
    alive, statistics = np.zeros(size, dtype=bool), np.full((3, len(neurons)), np.nan)
    for n, both in zip(usable, found, strict=True):
        counts = both[:-1, :, :n_bins]
        alive[n] = np.isfinite(counts).all(axis=(1, 2)) & np.isfinite(z[n]).all(axis=1)
        for half, target in ((0, first), (1, second)):
            target[n] = np.nan_to_num(counts[:, half::2].sum(axis=1))
        statistics[:, n] = both[-1, 0, n_bins:]
    cv, serial, stationary = statistics
    measured: Arrays = {"z": z, "power": power, "rates": rates, "fano": fano, "first": first, "second": second}
    return {**measured, "alive": alive, "cv": cv, "serial": serial, "stationary": stationary}


def _count(run: InputRun, lead: int, n_bins: int, n_trials: int) -> Floats:
    """Return spike counts in bins, followed by CV, serial correlation and rate of all trials of a condition."""
    number = np.ceil((run.times - DELAY - lead) / BIN_WIDTH - 1e-9).astype(np.int64) - 1
    inside = (number >= 0) & (number < n_bins)
    size = len(run.alive) * n_bins
    counts = np.bincount(run.senders[inside] * n_bins + number[inside], minlength=size).reshape(-1, n_bins)
    statistics = trial_statistics(run, n_trials, lead, BIN_WIDTH * n_bins + DELAY)
    return np.concatenate([np.where(run.alive[:, np.newaxis], counts, np.nan), statistics], axis=1)
