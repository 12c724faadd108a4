# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Hysteresis of firing on staircases of current that go up and down."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.excitability.measures import measure_step
from amat.checks import require_ascending, require_count, require_duration, require_neurons
from amat.errors import AmatError
from amat.neurons import Neuron
from amat.simulation.kernel import NEST_MODELS
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, count_steps

__all__ = ["find_hysteresis", "simulate_staircase"]


def simulate_staircase(neuron: Neuron, levels: ArrayLike, *, plateau: float = 1000.0) -> pd.DataFrame:
    """Measure the rate on a staircase of current that goes up and down again.

    Parameters
    ----------
    neuron : Neuron
    levels : array_like, shape (levels,)
        Currents of the way up, ascending, in pA or mV/ms; the way down has the same but the highest.
    plateau : float
        How long each level lasts, ms: a whole number of steps. The rate is that of its last part, see `measure_step`.

    Returns
    -------
    pandas.DataFrame
        One row per level and way: model, pattern, way ("up", "down"), current, current_unit, steady_rate_per_s.

    Raises
    ------
    AmatError
        If there are fewer than two levels, or they do not ascend.
    """
    heights = require_ascending("levels", levels)
    require_duration(plateau)
    course = np.concatenate([heights, heights[-2::-1]])
    current = np.repeat(course, count_steps(plateau, neuron.resolution))
    model = NEST_MODELS[neuron.model]
    parameters = neuron.parameters.to_nestml()
    result = simulate({model: [parameters]}, [Stimulus(current)], neuron.resolution, initial={model: [neuron.initial]})
    spikes = result.recordings[model].spike_times()
    rows = []
    for number, level in enumerate(course.tolist()):
        # A spike belongs to the step that it ends.
        inside = (spikes > number * plateau + 1e-6) & (spikes <= (number + 1) * plateau + 1e-6)
        rows.append(
            {
                "model": neuron.model,
                "pattern": neuron.pattern,
                "way": "up" if number < len(heights) else "down",
                "current": level,
                "current_unit": neuron.current_unit,
                "steady_rate_per_s": measure_step(spikes[inside] - number * plateau, plateau).steady_rate,
            }
        )
    return pd.DataFrame(rows)


def find_hysteresis(
    neurons: Sequence[Neuron],
    ranges: Sequence[tuple[float, float]],
    *,
    n_levels: int = 24,
    plateau: float = 1000.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find where firing starts as the current grows slowly, and where it stops as it falls again.

    A first staircase finds both to within one level; a second has ten times finer levels in these two places.

    Parameters
    ----------
    neurons : sequence of Neuron
    ranges : sequence of (float, float)
        Lowest and highest current of each neuron, in its unit: it is silent at one and fires at the other.
    n_levels : int
        Of the first staircase, at least two.
    plateau : float
        How long each level lasts, ms. A state that takes longer to settle shifts the results.

    Returns
    -------
    table : pandas.DataFrame
        One row per neuron: model, pattern, current_unit, start_current (the lowest level of sustained firing on the way
        up), stop_current (the same on the way down), hysteresis (their difference), resolution (the sum of the heights
        of the two steps to the levels below: what the hysteresis may be wrong by).
    curves : pandas.DataFrame
        The finer staircases, as `simulate_staircase` returns them.

    Raises
    ------
    AmatError
        If a range is empty or reversed, or the neuron does not start and stop within it.
    """
    require_neurons(neurons)
    require_count("levels", n_levels)
    require_duration(plateau)
    if len(ranges) != len(neurons):
        raise AmatError(f"{len(ranges)} ranges of current for {len(neurons)} neurons: give one for each.")
    for neuron, (low, high) in zip(neurons, ranges, strict=True):
        if not low < high:
            raise AmatError(
                f"The range of current of {neuron.pattern} of {neuron.model} must ascend, got {low:g} to {high:g} "
                f"{neuron.current_unit}."
            )
    rows, curves = [], []
    for neuron, (low, high) in zip(neurons, ranges, strict=True):
        levels = np.linspace(low, high, n_levels)
        edges = _edges(simulate_staircase(neuron, levels, plateau=plateau))
        levels = np.unique(np.concatenate([levels, *(np.linspace(*edge, 11)[1:-1] for edge in edges)]))
        curve = simulate_staircase(neuron, levels, plateau=plateau)
        start, stop = _edges(curve)
        rows.append(
            {
                "model": neuron.model,
                "pattern": neuron.pattern,
                "current_unit": neuron.current_unit,
                "start_current": start[1],
                "stop_current": stop[1],
                "hysteresis": start[1] - stop[1],
                "resolution": start[1] - start[0] + stop[1] - stop[0],
            }
        )
        curves.append(curve)
    return pd.DataFrame(rows), pd.concat(curves, ignore_index=True)


def _edges(curve: pd.DataFrame) -> list[tuple[float, float]]:
    """Return the levels between which firing starts on the way up, and stops on the way down."""
    edges = []
    up = curve[curve["way"] == "up"]
    # The highest level is the last of the way up and the first of the way down.
    for way in (up, pd.concat([curve[curve["way"] == "down"], up.tail(1)]).sort_values("current")):
        silent = way["steady_rate_per_s"].to_numpy() == 0
        levels = way["current"].tolist()
        if silent.all() or not silent[0]:
            state = "is silent" if silent.all() else "fires"
            raise AmatError(
                f"{curve['pattern'].iloc[0]} of {curve['model'].iloc[0]} {state} at all levels from {levels[0]:g} to "
                f"{levels[-1]:g} {curve['current_unit'].iloc[0]}: choose a range that begins in silence and ends in "
                "firing."
            )
        first = int(np.flatnonzero(~silent)[0])
        edges.append((levels[first - 1], levels[first]))
    return edges
