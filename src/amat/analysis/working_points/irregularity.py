# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Irregularity of neurons at working points, without modulation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from amat.analysis.transfer import BALANCE
from amat.analysis.transfer.inputs import ModulatedInput, balanced_synapses
from amat.analysis.transfer.runs import InputRun, require_runs, simulate_inputs
from amat.analysis.working_points.responses import trial_statistics
from amat.arrays import Floats
from amat.neurons import Neuron

__all__ = ["measure_irregularity"]


def measure_irregularity(
    neurons: Sequence[Neuron],
    points: pd.DataFrame,
    *,
    balance: float = BALANCE,
    n_trials: int = 6,
    duration: float = 4000.0,
    warm_up: float = 500.0,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure CV and serial correlation of the inter-spike intervals under stationary Poisson input.

    Parameters
    ----------
    neurons : sequence of Neuron
    points : pandas.DataFrame
        Working points with model, pattern and input_rate_per_s; those of other neurons are not used.
    balance : float
        See `amat.analysis.transfer.balanced_synapses`.
    n_trials : int
    duration, warm_up : float
        ms.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per neuron: model, pattern, rate_per_s, cv, serial_correlation; NaN if a trial diverged.

    Raises
    ------
    AmatError
        If a value is out of its range.
    """
    require_runs(neurons, n_trials, duration, warm_up, seed)
    rates = points.set_index(["model", "pattern"])["input_rate_per_s"]
    inputs = [float(rates.loc[neuron.model, neuron.pattern]) for neuron in neurons]

    def measure(run: InputRun) -> Floats:
        alive = run.alive.reshape(-1, n_trials).all(axis=1).repeat(n_trials)
        return np.where(alive[:, np.newaxis], trial_statistics(run, n_trials, warm_up, duration), np.nan)

    found = simulate_inputs(
        neurons,
        [balanced_synapses(neuron, balance=balance) for neuron in neurons],
        [[ModulatedInput(rate, rate)] for rate in inputs],
        n_trials,
        warm_up + duration,
        seed,
        measure,
    )
    names = ("cv", "serial_correlation", "rate_per_s")
    rows = [
        {"model": neuron.model, "pattern": neuron.pattern, **dict(zip(names, values[0, 0].tolist(), strict=True))}
        for neuron, values in zip(neurons, found, strict=True)
    ]
    return pd.DataFrame(rows, columns=["model", "pattern", "rate_per_s", "cv", "serial_correlation"])
