# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Texts that go with the bundle: pull request and notes, in which every number comes from a run or a measured table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from amat import paths, toolchain
from amat.analysis import accuracy, validation
from amat.benchmark.collect import read_cells
from amat.benchmark.comparisons import summary_page, summary_text
from amat.neurons import AmatParameters

__all__ = ["benchmark_numbers", "near_time_constants", "render", "validation_numbers"]

#: Relative distances of time constants in the note for NEST.
DISTANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


def render(template: Path, values: Mapping[str, Any]) -> str:
    """Fill in a template; a value that is missing is an error."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    return environment.from_string(template.read_text(encoding="utf-8")).render(values)


def validation_numbers(sets: int, seed: int) -> dict[str, Any]:
    """Compare the model with NEST's and with the exact solution, and return what a text says of it.

    Parameters
    ----------
    sets, seed : int
        As for `amat.analysis.validation.validate`.
    """
    table = validation.validate(sets, seed, threads=1)
    return {
        "sets": sets,
        "seed": seed,
        "spikes": int(table["spikes"].sum()),
        "differ": int((~table["identical"]).sum()),
        "resolutions": ", ".join(f"{h:g}" for h in sorted(table["resolution"].unique())),
        "worst": f"{table[['V_m', 'V_th', 'V_th_v']].to_numpy().max():.1e}",
        "worst_exact": f"{table[['V_m_exact', 'V_th_exact', 'V_th_v_exact']].to_numpy().max():.1e}",
    }


def near_time_constants(seed: int = 1) -> dict[str, Any]:
    """Measure NEST's ``amat2_psc_exp`` where time constants come near each other, and what it refuses.

    Returns
    -------
    dict
        ``errors``: for each of `amat.analysis.accuracy.CASES` pairs of a distance and the largest error of the
        threshold, or that it is refused; ``refused``: what NEST answers to equal time constants, by case;
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
    """Return the error with which NEST's model refuses parameters, or that it takes them."""
    from amat.simulation.kernel import reset_kernel

    nest = reset_kernel(0.1)
    try:
        nest.Create(validation.NEST_MODEL, params=parameters.to_nest())
    except nest.NESTErrors.BadProperty as error:
        return " ".join(str(error).split())
    return "accepted"


def benchmark_numbers(cells: Path = paths.DATA / "benchmarks" / "local" / "cells.csv") -> dict[str, Any]:
    """Return the measured ratios of the generated models to NEST's own, as the benchmark's chapter has them.

    Parameters
    ----------
    cells : pathlib.Path
        A table of measured cells.
    """
    measured, _ = read_cells(cells)
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
