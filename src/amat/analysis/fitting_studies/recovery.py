# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Recovery of known parameters from synthetic recordings: bias, error, and coverage of the intervals."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amat.analysis.fitting.convert import intervals, stated_scale
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.synthetic import EXAMPLE, SyntheticNeuron, sample_recording
from amat.checks import require_count
from amat.errors import AmatError

__all__ = ["PARAMETERS", "recover", "spikes_needed", "summarise"]

#: The parameters that are compared; ``omega`` is the threshold of the escape rate.
PARAMETERS = ("tau_m", "tau_v", "omega", "alpha_1", "alpha_2", "beta", "Delta")
_METHODS = ("hessian", "bootstrap")


def recover(
    durations: Sequence[float],
    draws: int,
    *,
    neuron: SyntheticNeuron = EXAMPLE,
    dt: float = 0.5,
    grid: int = 8,
    samples: int = 500,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Fit AMAT with free tau_m and tau_v to synthetic recordings with one repeat each.

    Current and spikes differ between draws. Resistance, refractory time, delay, tau_1 and tau_2 are known.

    Parameters
    ----------
    durations : sequence of float
        Of the recordings in ms.
    draws : int
        Recordings of each duration.
    neuron : SyntheticNeuron
    dt : float
        Time step in ms.
    grid, samples : int
        Points of the search and bootstrap samples, as in `fit_model`.
    seed : int
    progress : callable
        Called with the number of fits done, and in total.

    Returns
    -------
    pandas.DataFrame
        One row per duration, draw and parameter: ``duration_ms``, ``draw``, ``spikes``, ``parameter``, ``true``,
        ``estimate``, and ``hessian_low`` to ``bootstrap_high``, the 95 % intervals; empty for a time constant at a
        bound. Units are NESTML's.
    """
    require_count("draws", draws, 1)
    seeds = np.random.SeedSequence(seed).generate_state(len(durations) * draws)
    rows = []
    for number, (draw, duration) in enumerate((draw, d) for draw in range(draws) for d in durations):
        found = _recover_once(neuron, duration, dt, grid, samples, int(seeds[number]))
        rows += [{"duration_ms": duration, "draw": draw, **row} for row in found]
        progress(number + 1, len(seeds))
    return pd.DataFrame(rows)


def _recover_once(
    neuron: SyntheticNeuron, duration: float, dt: float, grid: int, samples: int, seed: int
) -> list[dict[str, Any]]:
    """Return true values, estimates and intervals of one synthetic recording."""
    p = neuron.parameters
    recording = sample_recording(neuron, duration=duration, dt=dt, repeats=1, seed=seed)
    model = fit_model(recording, refr_T=p.refr_T, delay=0.0, grid=grid, samples=samples, seed=seed)
    found = intervals(model, stated_scale(1e3 * p.tau_m / p.C_m, p.E_L))
    rows = []
    for name in PARAMETERS:
        estimate = found["omega_escape" if name == "omega" else name]
        row: dict[str, Any] = {"spikes": recording.spike_count, "parameter": name}
        row |= {"true": neuron.Delta if name == "Delta" else getattr(p, name), "estimate": estimate.value}
        for method in _METHODS:
            low, high = getattr(estimate, method) or (np.nan, np.nan)
            row |= {f"{method}_low": low, f"{method}_high": high}
        rows.append(row)
    return rows


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return bias, error and coverage for each duration and parameter.

    Parameters
    ----------
    table : pandas.DataFrame
        As `recover` returns it.

    Returns
    -------
    pandas.DataFrame
        With ``duration_ms``, ``parameter``, ``draws``, ``spikes`` (mean), ``bias`` (of the median), ``error`` (root
        mean square), both relative to the true value, and ``hessian_coverage`` and ``bootstrap_coverage``. An estimate
        without interval counts as not covered.
    """
    rows = []
    for (duration, name), part in table.groupby(["duration_ms", "parameter"], sort=False):
        relative = (part["estimate"] / part["true"] - 1).to_numpy()
        row = {"duration_ms": duration, "parameter": name, "draws": len(part), "spikes": part["spikes"].mean()}
        row |= {"bias": float(np.median(relative)), "error": float(np.sqrt(np.mean(relative**2)))}
        for method in _METHODS:
            inside = (part[f"{method}_low"] <= part["true"]) & (part["true"] <= part[f"{method}_high"])
            row[f"{method}_coverage"] = float(inside.mean())
        rows.append(row)
    return pd.DataFrame(rows).sort_values(["duration_ms", "parameter"], kind="stable").reset_index(drop=True)


def spikes_needed(summary: pd.DataFrame, error: float = 0.1) -> pd.Series:
    """Return the number of spikes at which the error of each parameter is as given, if it falls as one over the root.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `summarise` returns it. The longest recordings are used.
    error : float
        Root mean square, relative.

    Returns
    -------
    pandas.Series
        By parameter.

    Raises
    ------
    AmatError
        If the error is not positive.
    """
    if not error > 0:
        raise AmatError(f"The error must be positive, got {error:g}: choose for example 0.1.")
    longest = summary[summary["duration_ms"] == summary["duration_ms"].max()].set_index("parameter")
    needed: pd.Series = (longest["spikes"] * (longest["error"] / error) ** 2).rename("spikes")
    return needed
