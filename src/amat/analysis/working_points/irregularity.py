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
from amat.analysis.working_points.responses import interval_statistics
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
        found = np.full((len(run.alive), 3), np.nan)
        edges = np.searchsorted(run.senders, np.arange(len(run.alive) + 1))
        for first in range(0, len(run.alive), n_trials):
            if run.alive[first : first + n_trials].all():
                trains = [run.times[edges[k] : edges[k + 1]] for k in range(first, first + n_trials)]
                trains = [train[train > warm_up] for train in trains]
                rate = 1e3 * sum(len(train) for train in trains) / (n_trials * duration)
                found[first] = rate, *interval_statistics(trains)
        return found

    found = simulate_inputs(
        neurons,
        [balanced_synapses(neuron, balance=balance) for neuron in neurons],
        [[ModulatedInput(rate, rate)] for rate in inputs],
        n_trials,
        warm_up + duration,
        seed,
        measure,
    )
    names = ("rate_per_s", "cv", "serial_correlation")
    rows = [
        {"model": neuron.model, "pattern": neuron.pattern, **dict(zip(names, values[0, 0].tolist(), strict=True))}
        for neuron, values in zip(neurons, found, strict=True)
    ]
    return pd.DataFrame(rows)
