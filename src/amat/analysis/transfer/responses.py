# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Rates under stationary, sinusoidally modulated and synthetic 1/f input."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.transfer.estimates import estimate, fourier_coefficients
from amat.analysis.transfer.inputs import (
    BALANCE,
    EPSP,
    InputKind,
    ModulatedInput,
    balanced_synapses,
    require_frequencies,
)
from amat.analysis.transfer.runs import WARM_UP, InputRun, require_runs, simulate_inputs
from amat.arrays import Complexes, Floats
from amat.checks import require_count, require_positive
from amat.errors import AmatError
from amat.neurons import Neuron
from amat.simulation.kernel import DELAY
from amat.simulation.stimuli import count_steps

__all__ = [
    "course_responses",
    "modulated_responses",
    "stationary_curves",
]


def stationary_curves(
    neurons: Sequence[Neuron],
    rates: Sequence[ArrayLike],
    *,
    balance: float = BALANCE,
    epsp: float = EPSP,
    held: ArrayLike | None = None,
    n_trials: int = 4,
    duration: float = 4000.0,
    seed: int = 1,
    warm_up: float = WARM_UP,
) -> pd.DataFrame:
    """Measure the rate of neurons under stationary Poisson input.

    Parameters
    ----------
    neurons : sequence of Neuron
    rates : sequence of array_like
        Excitatory input rates of each neuron, spikes/s.
    balance, epsp : float
        See `balanced_synapses`.
    held : array_like, shape (neurons,), optional
        Excitatory rate of each neuron at which there is this balance. Inhibition is then the same at all rates, as when
        the excitatory rate is modulated. Without it all rates are balanced.
    n_trials : int
        Independent repetitions, at least two.
    duration, warm_up : float
        Of the measurement, and before it, ms.
    seed : int
        Of NEST's random numbers.

    Returns
    -------
    pandas.DataFrame
        One row per neuron and input rate: model, pattern, balance, input_rate_per_s, rate_per_s, sem_per_s (standard
        error of the mean over trials), trials, lost (trials whose state became infinite, which are omitted).

    Raises
    ------
    AmatError
        If a value is out of its range; before anything is simulated.
    """
    require_runs(neurons, n_trials, duration, warm_up, seed)
    if len(rates) != len(neurons):
        raise AmatError(f"Each of the {len(neurons)} neurons needs input rates, got those of {len(rates)}.")
    levels = [np.asarray(values, dtype=np.float64) for values in rates]
    for values in levels:
        require_count("input rates", len(values), 1)
        require_positive("Input rates", values, "spikes/s")
    synapses = [balanced_synapses(neuron, balance=balance, epsp=epsp) for neuron in neurons]
    fixed = None if held is None else require_positive("Balanced rates", held, "spikes/s")
    if fixed is not None and fixed.shape != (len(neurons),):
        raise AmatError(f"Each of the {len(neurons)} neurons needs a balanced rate, got {fixed.tolist()} spikes/s.")
    inputs = [
        [ModulatedInput(rate, rate if fixed is None else float(fixed[number])) for rate in values.tolist()]
        for number, values in enumerate(levels)
    ]

    def count(run: InputRun) -> Floats:
        inside = run.times > warm_up
        counts = np.bincount(run.senders[inside], minlength=len(run.alive))
        return np.where(run.alive, 1e3 * counts / duration, np.nan)

    found = simulate_inputs(neurons, synapses, inputs, n_trials, warm_up + duration, seed, count)
    rows = []
    for neuron, values, measured in zip(neurons, levels, found, strict=True):
        for rate, sample in zip(values.tolist(), measured, strict=True):
            kept = sample[np.isfinite(sample)]
            rows.append(
                {
                    "model": neuron.model,
                    "pattern": neuron.pattern,
                    "balance": balance,
                    "input_rate_per_s": rate,
                    "rate_per_s": kept.mean() if len(kept) else np.nan,
                    "sem_per_s": kept.std(ddof=1) / math.sqrt(len(kept)) if len(kept) > 1 else np.nan,
                    "trials": n_trials,
                    "lost": n_trials - len(kept),
                }
            )
    return pd.DataFrame(rows)


def modulated_responses(
    neurons: Sequence[Neuron],
    points: pd.DataFrame,
    frequencies: ArrayLike,
    *,
    kinds: Sequence[InputKind] = ("poisson", "current"),
    depth_factors: Sequence[float] = (1.0,),
    n_trials: int = 10,
    n_windows: int = 2,
    window: float = 2000.0,
    seeds: Sequence[int] = (1,),
    warm_up: float = WARM_UP,
    balance: float = BALANCE,
) -> pd.DataFrame:
    """Measure transfer functions at working points, with sinusoidally modulated Poisson trains or currents.

    Parameters
    ----------
    neurons : sequence of Neuron
    points : pandas.DataFrame
        One row per neuron, in the same order: model, pattern, input_rate_per_s and depth (relative amplitude).
    frequencies : array_like
        In Hz; multiples of the inverse window, with at least four steps per cycle.
    kinds : sequence of {"poisson", "current"}
        The modulated quantities.
    depth_factors : sequence of float
        Factors on the depths of `points`.
    n_trials : int
        Independent neurons for each seed. All have the same modulation of the input, and their own spikes.
    n_windows, window : int, float
        Number and length (ms) of the windows in each trial.
    seeds : sequence of int
        Of NEST's random numbers, one run each.
    warm_up : float
        ms.
    balance : float
        See `balanced_synapses`.

    Returns
    -------
    pandas.DataFrame
        One row per neuron, kind, frequency and factor: model, pattern, input, frequency_Hz, depth, depth_factor, and
        the columns of `estimate`.

    Raises
    ------
    AmatError
        If a value is out of its range; before anything is simulated.
    """
    for seed in seeds:
        require_runs(neurons, n_trials * len(seeds), window * n_windows, warm_up, seed)
    if not len(seeds) or len(set(seeds)) != len(seeds):
        raise AmatError(f"Seeds must be one or more different numbers, got {list(seeds)}.")
    values = require_frequencies(frequencies, neurons, window)
    if not kinds or not depth_factors:
        raise AmatError("Nothing is modulated: give a kind of input (poisson, current) and a factor of the depth.")
    rates, depths = _read_working_points(neurons, points)
    for factor in depth_factors:
        if not 0 < factor * depths.max() <= 1:
            raise AmatError(f"The depth must be above 0 and at most 1, got {factor * depths.max():g}.")
    synapses = [balanced_synapses(neuron, balance=balance) for neuron in neurons]
    conditions = list(itertools.product(kinds, values.tolist(), depth_factors))
    inputs = [
        [ModulatedInput(rate, rate, frequency, depth * factor, kind) for kind, frequency, factor in conditions]
        for rate, depth in zip(rates.tolist(), depths.tolist(), strict=True)
    ]
    duration = warm_up + n_windows * window

    def analyse(run: InputRun) -> Complexes:
        coefficients, counts = fourier_coefficients(
            run.senders, run.times - run.lags[run.senders], run.frequencies, n_windows, start=warm_up, window=window
        )
        coefficients[~run.alive] = np.nan
        return np.stack([coefficients, counts], axis=-1)

    found = [simulate_inputs(neurons, synapses, inputs, n_trials, duration, seed, analyse) for seed in seeds]
    rows = []
    for number, (neuron, depth) in enumerate(zip(neurons, depths.tolist(), strict=True)):
        # Shape (conditions, trials of all seeds, windows, 2).
        both = np.concatenate([of_seed[number] for of_seed in found], axis=1)
        used = np.array([depth * factor for _, _, factor in conditions])
        # A current that is constant within each step has a smaller fundamental.
        held = [np.sinc(1e-3 * f * neuron.resolution) if kind == "current" else 1.0 for kind, f, _ in conditions]
        table = estimate(both[..., 0], both[..., 1].real, used * held, window=window, seed=seeds[0])
        about = pd.DataFrame(conditions, columns=["input", "frequency_Hz", "depth_factor"])
        about.insert(0, "model", neuron.model)
        about.insert(1, "pattern", neuron.pattern)
        about.insert(4, "depth", used)
        rows.append(about.join(table))
    return pd.concat(rows, ignore_index=True)


def course_responses(
    neurons: Sequence[Neuron],
    points: pd.DataFrame,
    modulation: ArrayLike,
    *,
    bin_width: float = 5.0,
    n_trials: int = 40,
    seed: int = 1,
    warm_up: float = WARM_UP,
    balance: float = BALANCE,
) -> pd.DataFrame:
    """Measure the response to one course of the excitatory rate, in the two halves of independent trials.

    Parameters
    ----------
    neurons, warm_up, balance
        As in `modulated_responses`.
    points : pandas.DataFrame
        As in `modulated_responses`, where depth is the factor on `modulation`.
    modulation : array_like, shape (steps,)
        In steps of 1 ms. The rate is ``nu max(0, 1 + depth * modulation)``, and periodic: the warm-up is the end of the
        course.
    bin_width : float
        Of the response, ms: the course has a whole number of bins.
    n_trials : int
        Independent neurons, four at least.
    seed : int
        Of NEST's random numbers.

    Returns
    -------
    pandas.DataFrame
        One row per neuron and bin: model, pattern, time_ms (of the bin's middle, without the delay of connections),
        first_per_s and second_per_s (rates in the two halves of the trials), trials (whose state stayed finite;
        neurons with less than four are omitted).

    Raises
    ------
    AmatError
        If a value is out of its range; before anything is simulated.
    """
    course = np.asarray(modulation, dtype=np.float64)
    duration = float(len(course))
    require_runs(neurons, n_trials, duration, warm_up, seed)
    require_count("trials", n_trials, 4)
    n_bins = count_steps(duration, bin_width)
    rates, depths = _read_working_points(neurons, points)
    synapses = [balanced_synapses(neuron, balance=balance) for neuron in neurons]
    lead = round(warm_up)
    repeated = course[np.arange(-lead, len(course) + math.ceil(DELAY)) % len(course)]
    inputs = [
        [ModulatedInput(rate, rate, course=depth * repeated)]
        for rate, depth in zip(rates.tolist(), depths.tolist(), strict=True)
    ]

    def count(run: InputRun) -> Floats:
        number = np.ceil((run.times - DELAY - warm_up) / bin_width - 1e-9).astype(np.int64) - 1
        inside = (number >= 0) & (number < n_bins)
        size = len(run.alive) * n_bins
        counts = np.bincount(run.senders[inside] * n_bins + number[inside], minlength=size).astype(np.float64)
        counts = counts.reshape(-1, n_bins)
        counts[~run.alive] = np.nan
        return counts

    found = simulate_inputs(neurons, synapses, inputs, n_trials, warm_up + duration + DELAY, seed, count)
    tables = []
    for neuron, counts in zip(neurons, found, strict=True):
        kept = counts[0][np.isfinite(counts[0]).all(axis=1)]
        if len(kept) < 4:
            continue
        first, second = (1e3 / bin_width * kept[half::2].mean(axis=0) for half in (0, 1))
        tables.append(
            pd.DataFrame(
                {
                    "model": neuron.model,
                    "pattern": neuron.pattern,
                    "time_ms": (np.arange(n_bins) + 0.5) * bin_width,
                    "first_per_s": first,
                    "second_per_s": second,
                    "trials": len(kept),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _read_working_points(neurons: Sequence[Neuron], points: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return input rates and depths of the working points of these neurons."""
    names = [(neuron.model, neuron.pattern) for neuron in neurons]
    if names != list(zip(points["model"], points["pattern"], strict=True)):
        raise AmatError(
            f"The working points must be those of the {len(neurons)} neurons, in the same order: select their rows."
        )
    rates, depths = (points[name].to_numpy(dtype=np.float64) for name in ("input_rate_per_s", "depth"))
    for name, values in (("input rate", rates), ("depth", depths)):
        if not (np.isfinite(values) & (values > 0)).all():
            raise AmatError(f"Working points must have a positive {name}, got {values.tolist()}: omit the neuron.")
    return rates, depths
