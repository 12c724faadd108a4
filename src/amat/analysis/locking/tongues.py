# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Arnold tongues: the frequencies and amplitudes of a current to which a neuron is locked."""

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.locking.driven import DrivenNeuron, simulate_driven
from amat.analysis.locking.measures import cycle_window, find_locking, vector_strength
from amat.arrays import Floats
from amat.checks import require_ascending, require_count
from amat.simulation.kernel import DELAY

__all__ = [
    "TOLERANCE_STEPS",
    "find_edges",
    "map_tongues",
    "measure_cycles",
    "measure_points",
    "run_duration",
]

#: Width of the band in which spikes of a locked train lie, in steps of the grid; see `find_locking`.
TOLERANCE_STEPS = 5


def measure_cycles(
    spikes: Floats, frequency: float, start: float, stop: float, tolerance: float
) -> dict[str, float | int]:
    """Measure how a train follows a rhythm, over the last whole cycles between two times.

    Returns
    -------
    dict
        ``cycles`` and ``spikes`` in the window; ``rotation``, the rotation number, which is their ratio; ``n``, ``m``
        and ``band`` of `find_locking`, the last in ms; ``strength`` and ``phase`` of `vector_strength`, the phase from
        the sine's start.
    """
    begin, cycles = cycle_window(frequency, start, stop)
    # A spike belongs to the step that it ends.
    inside = spikes[(spikes > begin + 1e-6) & (spikes <= stop + 1e-6)]
    n, m, band = find_locking(inside, frequency, cycles, tolerance)
    strength, phase = vector_strength(inside - DELAY, frequency)
    return {
        "cycles": cycles,
        "spikes": len(inside),
        "rotation": len(inside) / cycles,
        "n": n,
        "m": m,
        "band": band,
        "strength": strength,
        "phase": phase,
    }


def map_tongues(
    neuron: DrivenNeuron,
    frequencies: ArrayLike,
    depths: ArrayLike,
    *,
    cycles: int = 100,
    noise: float = 0.0,
    seed: int = 1,
    carrier: int = 0,
) -> pd.DataFrame:
    """Measure how a neuron follows sinusoidal currents over a grid of frequencies and amplitudes.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like
        Relative to the neuron's rate, ascending.
    depths : array_like
        Amplitudes relative to the constant current's distance from rest, ascending.
    cycles : int
        Duration of the measurement in intrinsic intervals; `DrivenNeuron.warm_up` precedes it.
    noise, seed, carrier
        As in `simulate_driven`.

    Returns
    -------
    pandas.DataFrame
        One row per pair, frequencies changing fastest: ``frequency`` and ``depth``, relative as given, and the values
        of `measure_cycles`.

    Raises
    ------
    AmatError
        If frequencies or depths do not ascend, or a value is out of its range; before anything is simulated.
    """
    across, up = np.meshgrid(require_ascending("frequencies", frequencies), require_ascending("depths", depths))
    return measure_points(neuron, across.ravel(), up.ravel(), cycles=cycles, noise=noise, seed=seed, carrier=carrier)


def measure_points(
    neuron: DrivenNeuron,
    frequency: Floats,
    depth: Floats,
    *,
    cycles: int,
    noise: float,
    seed: int,
    carrier: int = 0,
) -> pd.DataFrame:
    """Simulate copies of a neuron at relative frequencies and amplitudes, shape (copies,), and measure their trains.

    The other parameters, the columns and the errors are those of `map_tongues`.
    """
    duration = run_duration(neuron, cycles)
    hertz = frequency * neuron.rate
    cycle_window(float(hertz.min()), neuron.warm_up, duration)
    trains = simulate_driven(neuron, hertz, depth * neuron.distance, duration, noise=noise, seed=seed, carrier=carrier)
    tolerance = (TOLERANCE_STEPS + 1e-6) * neuron.cell.resolution
    rows = [
        measure_cycles(train, f, neuron.warm_up, duration, tolerance)
        for train, f in zip(trains, hertz.tolist(), strict=True)
    ]
    return pd.DataFrame({"frequency": frequency, "depth": depth}).join(pd.DataFrame(rows))


def find_edges(
    neuron: DrivenNeuron, frequencies: ArrayLike, expected: ArrayLike, span: ArrayLike, m: int, *, points: int = 41
) -> Floats:
    """Find the least amplitudes at which a neuron is locked 1:m, near expected ones.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like, shape (edges,)
        Relative frequencies.
    expected, span : array_like, shape (edges,)
        Amplitudes, and the distance searched on either side, in pA or mV/ms.
    m : int
        Cycles between two spikes.
    points : int
        Number of amplitudes that are simulated for each edge.

    Returns
    -------
    ndarray, shape (edges,)
        The lowest amplitude of those that are locked up to the end of the span; NaN where none or all are.
    """
    relative, around, width = (np.asarray(values, dtype=np.float64) for values in (frequencies, expected, span))
    amplitudes = around[:, np.newaxis] + np.multiply.outer(width, np.linspace(-1.0, 1.0, points))
    frequency, depth = np.repeat(relative, points), amplitudes.ravel() / neuron.distance
    table = measure_points(neuron, frequency, depth, cycles=100, noise=0.0, seed=1)
    locked = ((table["n"] == 1) & (table["m"] == m)).to_numpy().reshape(amplitudes.shape)
    # The number that are not locked, counted from below.
    below = points - np.logical_and.accumulate(locked[:, ::-1], axis=1).sum(axis=1)
    inside = (below > 0) & (below < points)
    return np.where(inside, amplitudes[np.arange(len(relative)), np.minimum(below, points - 1)], np.nan)


def run_duration(neuron: DrivenNeuron, cycles: int) -> float:
    """Return the duration of a run of some intrinsic intervals after the warm-up, in whole ms."""
    require_count("intervals", cycles)
    return float(math.ceil(neuron.warm_up + 1e3 * cycles / neuron.rate))
