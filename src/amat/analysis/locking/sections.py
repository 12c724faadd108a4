# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Sections through the tongues at one amplitude: index of n:m locking with its null, and Lyapunov exponents."""

import dataclasses

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.locking.driven import DrivenNeuron, simulate_driven
from amat.analysis.locking.exponents import izhikevich_exponents
from amat.analysis.locking.measures import cycle_window
from amat.analysis.locking.phase_index import null_indices, strongest_pattern
from amat.analysis.locking.stability import FiringMap, lyapunov_exponent
from amat.analysis.locking.tongues import run_duration
from amat.checks import require_ascending, require_count
from amat.errors import AmatError
from amat.neurons import AmatParameters, IzhikevichParameters

__all__ = ["measure_exponents", "measure_index", "with_beta"]


def with_beta(neuron: DrivenNeuron, beta: float) -> DrivenNeuron:
    """Return an AMAT neuron with another beta (1/ms), under the same current and with the same intrinsic rate.

    Under a constant current the voltage-dependent threshold vanishes, so that beta does not change this rate.

    Raises
    ------
    AmatError
        If the neuron is not an AMAT neuron.
    """
    parameters = neuron.cell.parameters
    if not isinstance(parameters, AmatParameters):
        raise AmatError(f"Only AMAT has a beta, got a neuron of {neuron.cell.model}.")
    return dataclasses.replace(neuron, cell=dataclasses.replace(neuron.cell, parameters=parameters.replace(beta=beta)))


def measure_index(
    neuron: DrivenNeuron,
    frequencies: ArrayLike,
    depth: float,
    *,
    repeats: int,
    cycles: int = 100,
    noise: float = 0.0,
    surrogates: int = 20,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure the index of n:m locking at one amplitude, and that of trains with shuffled intervals.

    Parameters
    ----------
    neuron, frequencies, depth, cycles, noise, seed
        As in `amat.analysis.locking.noise.repeat_frequencies`.
    repeats : int
        Realisations of the noise.
    surrogates : int
        Surrogates of each train.

    Returns
    -------
    pandas.DataFrame
        One row per frequency and realisation: ``frequency``, ``repeat``, ``n`` and ``m`` of the pattern with the
        largest index, ``index``, and ``null``, the 95th percentile of the surrogates' largest indices.
    """
    relative = require_ascending("frequencies", frequencies)
    require_count("realisations", repeats, 1)
    duration = run_duration(neuron, cycles)
    every = np.repeat(relative, repeats)
    hertz = every * neuron.rate
    trains = simulate_driven(
        neuron, hertz, np.full(len(every), depth * neuron.distance), duration, noise=noise, seed=seed
    )
    rows = []
    for number, (train, f) in enumerate(zip(trains, hertz.tolist(), strict=True)):
        begin, _ = cycle_window(f, neuron.warm_up, duration)
        inside = train[train > begin + 1e-6]
        n, m, index = strongest_pattern(inside, f)
        null = null_indices(inside, f, surrogates=surrogates, seed=seed + number)
        rows.append((every[number], number % repeats, n, m, index, np.quantile(null, 0.95)))
    return pd.DataFrame(rows, columns=["frequency", "repeat", "n", "m", "index", "null"])


def measure_exponents(
    neuron: DrivenNeuron, frequencies: ArrayLike, depth: float, *, intervals: int = 60
) -> pd.DataFrame:
    """Measure the largest Lyapunov exponent of a neuron at one amplitude, in continuous time and without noise.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like, shape (frequencies,)
        Relative to the neuron's rate, ascending.
    depth : float
        The amplitude relative to the constant current's distance from rest.
    intervals : int
        Intrinsic intervals over which the growth is averaged; half as many precede them.

    Returns
    -------
    pandas.DataFrame
        One row per frequency: ``frequency`` and ``exponent``, per intrinsic interval.
    """
    relative = require_ascending("frequencies", frequencies)
    require_count("intervals", intervals)
    hertz, amplitude = relative * neuron.rate, depth * neuron.distance
    parameters = neuron.cell.parameters
    if isinstance(parameters, AmatParameters):
        maps = [FiringMap(parameters, neuron.current, f, amplitude) for f in hertz.tolist()]
        found = np.array([lyapunov_exponent(one, spikes=intervals, warm_up=intervals // 2) for one in maps])
    else:
        assert isinstance(parameters, IzhikevichParameters)
        interval = 1e3 / neuron.rate
        found, _ = izhikevich_exponents(
            parameters,
            neuron.current,
            hertz,
            np.full(len(hertz), amplitude),
            initial=(neuron.cell.initial["V_m"], neuron.cell.initial["U_m"]),
            warm_up=interval * intervals / 2,
            duration=interval * intervals,
        )
    return pd.DataFrame({"frequency": relative, "exponent": found / neuron.rate})
