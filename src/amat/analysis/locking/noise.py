# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Locking in noise: rotation number, vector strength and reliability over many realisations, with intervals.

Every copy of a neuron has its own noise, so that realisations are independent; all come from one seed.
`measure_sensitivity` measures the effect of a tiny disturbance without noise.

References
----------
.. [1] Brette R, Guigon E (2003). Neural Comput. 15:279-308. doi:10.1162/089976603762552924
.. [2] Schreiber S, Fellous JM, Whitmer D, Tiesinga P, Sejnowski TJ (2003). Neurocomputing 52-54:925-931.
   doi:10.1016/S0925-2312(02)00838-X
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.locking.driven import DrivenNeuron, simulate_driven
from amat.analysis.locking.measures import cycle_window, interval, reliability
from amat.analysis.locking.tongues import measure_points, run_duration
from amat.checks import require_ascending, require_count, require_positive
from amat.errors import AmatError

__all__ = ["calibrate_noise", "measure_reliability", "measure_sensitivity", "repeat_frequencies"]


def repeat_frequencies(
    neuron: DrivenNeuron,
    frequencies: ArrayLike,
    depth: float,
    *,
    repeats: int,
    cycles: int = 100,
    noise: float = 0.0,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure how a neuron follows one amplitude at several frequencies, in independent realisations of the noise.

    Parameters
    ----------
    neuron, frequencies, cycles, noise, seed
        As in `map_tongues`.
    depth : float
        The amplitude relative to the constant current's distance from rest.
    repeats : int
        Realisations: at least two with noise, one without.

    Returns
    -------
    pandas.DataFrame
        One row per frequency: ``frequency``, and for each of ``rotation`` and ``strength`` the mean and the ends of its
        95 % interval (``_low``, ``_high``; without noise all three are equal).
    """
    relative = require_ascending("frequencies", frequencies)
    if (repeats < 2) if noise else (repeats != 1):
        raise AmatError(f"The realisations must be two or more with noise, and one without, got {repeats}.")
    everything = np.repeat(relative, repeats)
    table = measure_points(neuron, everything, np.full(len(everything), depth), cycles=cycles, noise=noise, seed=seed)
    rows = []
    for frequency, part in table.groupby("frequency"):
        row = {"frequency": frequency}
        for name in ("rotation", "strength"):
            values = part[name].to_numpy()
            bounds = interval(values) if noise else (float(values[0]),) * 3
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), bounds, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def measure_reliability(
    neuron: DrivenNeuron,
    frequencies: ArrayLike,
    depth: float,
    *,
    noise: float,
    trials: int = 10,
    groups: int = 5,
    width: float = 0.05,
    cycles: int = 60,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure the reliability of a neuron under one rhythm, over trials with different noise, at several frequencies.

    Parameters
    ----------
    neuron, frequencies, depth, cycles, seed
        As in `repeat_frequencies`.
    noise : float
        As in `simulate_driven`; positive.
    trials, groups : int
        Trials that are compared with each other, and independent groups of them; at least two of each.
    width : float
        Of the filter, relative to the intrinsic interval; see `amat.analysis.locking.measures.reliability`.

    Returns
    -------
    pandas.DataFrame
        One row per frequency and group: ``frequency``, ``group``, ``reliability``, and ``rotation``, the mean rotation
        number.
    """
    relative = require_ascending("frequencies", frequencies)
    if not noise > 0:
        raise AmatError(f"The noise must be positive, got {noise:g}: without noise all trials are equal.")
    require_count("trials", trials)
    require_count("groups", groups)
    require_positive("The filter's width", width, "intervals")
    everything = np.repeat(relative, trials * groups)
    duration = run_duration(neuron, cycles)
    hertz = everything * neuron.rate
    trains = simulate_driven(
        neuron, hertz, np.full(len(hertz), depth * neuron.distance), duration, noise=noise, seed=seed
    )
    rows = []
    for number, frequency in enumerate(relative.tolist()):
        start, n_cycles = cycle_window(frequency * neuron.rate, neuron.warm_up, duration)
        for group in range(groups):
            first = (number * groups + group) * trials
            part = trains[first : first + trials]
            rows.append(
                {
                    "frequency": frequency,
                    "group": group,
                    "reliability": reliability(
                        part,
                        start,
                        duration,
                        width=width * 1e3 / neuron.rate,
                        resolution=2 * neuron.cell.resolution,
                    ),
                    "rotation": float(np.mean([np.count_nonzero(train > start) for train in part])) / n_cycles,
                }
            )
    return pd.DataFrame(rows)


def measure_sensitivity(
    neuron: DrivenNeuron, frequencies: ArrayLike, depth: float, *, change: float = 1e-9, cycles: int = 100
) -> pd.DataFrame:
    """Measure whether trains without noise differ if their amplitudes differ by a tiny amount.

    Parameters
    ----------
    neuron, frequencies, depth, cycles
        As in `repeat_frequencies`.
    change : float
        Relative difference of the two amplitudes.

    Returns
    -------
    pandas.DataFrame
        One row per frequency: ``frequency``, and ``differs``, 1 if any spike does, by at least a step, and 0 if not.
    """
    relative = require_ascending("frequencies", frequencies)
    require_positive("The change", change)
    amplitudes = np.tile(depth * neuron.distance * np.array([1.0, 1.0 + change]), len(relative))
    trains = simulate_driven(neuron, np.repeat(relative, 2) * neuron.rate, amplitudes, run_duration(neuron, cycles))
    differs = [int(not np.array_equal(one, two)) for one, two in zip(trains[::2], trains[1::2], strict=True)]
    return pd.DataFrame({"frequency": relative, "differs": differs})


def calibrate_noise(
    neuron: DrivenNeuron, variations: Sequence[float], *, levels: int = 24, intervals: int = 400, seed: int = 1
) -> list[float]:
    """Find the noise that gives the intrinsic intervals the required coefficients of variation.

    The coefficient is measured at levels of noise that grow geometrically. Its inverse is interpolated linearly in
    logarithms.

    Parameters
    ----------
    neuron : DrivenNeuron
        A neuron that fires without the rhythm.
    variations : sequence of float
        Coefficients of variation, between 0.02 and 0.5.
    levels : int
        Of noise, from 0.003 to 3 times the constant current's distance from rest.
    intervals : int
        Approximate number of intrinsic intervals that are measured at each level, in ten copies.
    seed : int

    Returns
    -------
    list of float
        Standard deviations in pA or mV/ms, for `simulate_driven`.

    Raises
    ------
    AmatError
        If a coefficient is out of its range, or the neuron's intervals vary more already with the least noise, or less
        with the most.
    """
    for variation in variations:
        if not 0.02 <= variation <= 0.5:
            raise AmatError(f"A coefficient of variation must be from 0.02 to 0.5, got {variation:g}.")
    copies = 10
    duration = run_duration(neuron, max(2, intervals // copies))
    tested = np.geomspace(0.003, 3.0, levels) * neuron.distance
    measured = []
    for std in tested.tolist():
        trains = simulate_driven(neuron, [neuron.rate] * copies, [0.0] * copies, duration, noise=std, seed=seed)
        gaps = [np.diff(train[train > neuron.warm_up]) for train in trains]
        pooled = np.concatenate(gaps)
        measured.append(pooled.std() / pooled.mean() if len(pooled) else 0.0)
    found = np.array(measured)
    results = []
    for variation in variations:
        above = np.flatnonzero(found >= variation)
        if not len(above):
            raise AmatError(
                f"{neuron.cell.pattern} of {neuron.cell.model} does not reach a coefficient of variation of "
                f"{variation:g}: choose a smaller one."
            )
        if found[0] > variation:
            raise AmatError(
                f"{neuron.cell.pattern} of {neuron.cell.model} has a coefficient of variation of {found[0]:.3g} "
                f"with the least noise already: choose a larger one than {variation:g}."
            )
        pair = slice(max(0, above[0] - 1), above[0] + 1)
        results.append(float(np.exp(np.interp(np.log(variation), np.log(found[pair]), np.log(tested[pair])))))
    return results
