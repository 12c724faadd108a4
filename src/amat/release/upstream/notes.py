# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The pull request and the notes of the bundle. Every number in them comes from a run or a table of measurements."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from amat import paths, toolchain
from amat.analysis import accuracy, validation
from amat.benchmark.collect import read_cells
from amat.benchmark.comparisons import summary_page, summary_text
from amat.benchmark.library_table import compare_with_nestml
from amat.neurons import AmatParameters
from amat.simulation.kernel import reset_kernel

__all__ = ["measure_numbers", "render"]

#: Relative distances of time constants in the note for NEST.
DISTANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)

_EXACT = ["V_m_exact", "V_th_exact", "V_th_v_exact"]


def render(template: Path, values: Mapping[str, Any]) -> str:
    """Fill in a template; a missing value is an error."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    return environment.from_string(template.read_text(encoding="utf-8")).render(values)


def measure_numbers(sets: int, seed: int) -> dict[str, Any]:
    """Return the measured numbers of all texts, and the versions with which they were measured."""
    return {
        "validation": validation_numbers(sets, seed),
        "near": near_time_constants(seed),
        "benchmark": benchmark_numbers(),
        "library": library_numbers(),
        "versions": {name: version(name) for name in ("nestml", "odetoolbox", "nest-simulator")},
    }


def validation_numbers(sets: int, seed: int) -> dict[str, Any]:
    """Compare two builds of the model with NEST's and with the exact solution, and return the numbers for a text.

    Parameters
    ----------
    sets, seed : int
        See `amat.analysis.validation.validate`.
    """
    table = validation.validate(sets, seed, threads=1)
    unmodified = validation.validate(sets, seed, threads=1, model=toolchain.AMAT_UNMODIFIED)
    return {
        "sets": sets,
        "seed": seed,
        "spikes": int(table["spikes"].sum()),
        "differ": int((~table["identical"]).sum()),
        "resolutions": ", ".join(f"{h:g}" for h in sorted(table["resolution"].unique())),
        "worst": f"{table[['V_m', 'V_th', 'V_th_v']].to_numpy().max():.1e}",
        "unmodified_differ": int((~unmodified["identical"]).sum()),
        "unmodified_worst_exact": f"{unmodified[_EXACT].to_numpy().max():.1e}",
        "worst_exact": f"{table[_EXACT].to_numpy().max():.1e}",
    }


def near_time_constants(seed: int = 1) -> dict[str, Any]:
    """Measure the errors of NEST's ``amat2_psc_exp`` with nearly equal time constants.

    Returns
    -------
    dict
        ``cases``, of `amat.analysis.accuracy.CASES`; ``table``, rows of a distance and the largest error of the
        threshold for each case, or "refused"; ``refused``, NEST's error for equal time constants, by case; the
        ``largest`` error in mV.
    """
    rows = pd.concat([accuracy.threshold_errors(case, DISTANCES, seed=seed) for case in accuracy.CASES])
    rows = rows[rows["method"] == "NEST"]
    errors = rows.pivot(index="distance", columns="case", values="error").sort_index(ascending=False)
    table = [
        (f"{distance:.0e}", *("refused" if np.isnan(error) else f"{error:.1e}" for error in errors.loc[distance]))
        for distance in errors.index
    ]
    refused = {case: _answer(accuracy.near_parameters(case, 0.0)) for case in accuracy.CASES}
    return {"cases": list(errors.columns), "table": table, "refused": refused, "largest": f"{rows['error'].max():.1g}"}


def _answer(parameters: AmatParameters) -> str:
    """Return the error with which NEST's model refuses parameters, or "accepted"."""
    nest = reset_kernel(0.1)
    try:
        nest.Create(validation.NEST_MODEL, params=parameters.to_nest())
    except nest.NESTErrors.BadProperty as error:
        return " ".join(str(error).split())
    return "accepted"


def benchmark_numbers() -> dict[str, Any]:
    """Return the measured ratios of the generated models to NEST's, as in the benchmark's chapter."""
    measured, _ = read_cells(paths.DATA / "benchmarks" / "local" / "cells.csv")
    summary = summary_text(summary_page(measured))
    names = {"amat2_psc_exp", toolchain.AMAT, toolchain.AMAT_OPT, "izhikevich"}
    names |= {name for name in summary["model"] if name.startswith("izhikevich_neuron")}
    rows = summary[summary["model"].isin(names) & summary["reference"].isin({"amat2_psc_exp", "izhikevich"})]
    same = rows["model"].str[:4] == rows["reference"].str[:4]
    first = measured.iloc[0]
    return {
        "rows": rows[same].to_dict("records"),
        "machine": f"{first['cpu']}, {first['usable_cores']} cores",
        "seeds": int(measured["seed"].nunique()),
    }


def library_numbers() -> dict[str, Any]:
    """Return the measured ratios of the optimised neurons of NESTML's library to those of its unmodified generator.

    Returns
    -------
    dict
        ``rows``, one for each neuron: its name, the ratios of time and memory, and the largest errors of both in mV;
        the ``median``, ``least`` and ``most`` of the ratios of time, without neurons whose unmodified code has an error
        above 10 mV; the ``cpu``.
    """
    table = pd.read_csv(paths.DATA / "library_neurons.csv")
    compared = compare_with_nestml(table)
    time = compared.loc[compared["comparable"], "time"]
    forms = {"time": "{:.2f}", "memory": "{:.2f}", "error": "{:.0e}", "nestml_error": "{:.0e}"}
    rows = pd.DataFrame(
        {name: compared[name].map(form.format, na_action="ignore").fillna("–") for name, form in forms.items()}
    )
    numbers = {"median": time.median(), "least": time.min(), "most": time.max()}
    return {
        "rows": rows.rename_axis("name").reset_index().to_dict("records"),
        "cpu": " or ".join(table["cpu"].unique()),
        **{key: f"{value:.2f}" for key, value in numbers.items()},
    }
