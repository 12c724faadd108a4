# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Reports on the cells of a benchmark: tables, figures and a page, of whatever cells there are."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from amat import paths
from amat.benchmark import scaling_figures as figures
from amat.benchmark.collect import Problem, list_machines, read_cells, write_cells
from amat.benchmark.comparisons import compare_all, compare_with, measure_scaling, summarise_cells, summary_page
from amat.benchmark.growth import Fit, extrapolate_all, fit_all
from amat.compendium.plots import save, use_style
from amat.errors import AmatError
from amat.files import check_writable, write_text

__all__ = ["NODES", "REFERENCE", "SYNAPSE_TABLES", "Report", "fitted_terms", "write_report"]

#: What times are compared to in figures.
REFERENCE = "amat2_psc_exp"
#: Numbers of nodes of the extrapolation.
NODES = (1, 10, 100, 1000, 10000)
#: The file beside the cells that `amat.benchmark.synapse_tables` made, if it did.
SYNAPSE_TABLES = "synapse_tables.csv"

_NOTEBOOK = "benchmarks"
#: What the page needs beside this package: the extra ``book``.
_PAGE_NEEDS = ("papermill", "nbconvert", "myst_nb", "ipykernel")
_GLUED = "application/papermill.record/"


@dataclass(frozen=True)
class Report:
    """What was reported.

    Attributes
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`.
    problems : list of Problem
    summary : pandas.DataFrame
        Of `amat.benchmark.comparisons.summary_page`.
    page : pathlib.Path, optional
        The page; None where it could not be made.
    note : str
        Why there is no page; empty if there is one.
    """

    cells: pd.DataFrame
    problems: list[Problem]
    summary: pd.DataFrame
    page: Path | None
    note: str


def write_report(source: Path, output: Path, *, page: bool = True) -> Report:
    """Write tables, figures and the page of a benchmark, finished or not.

    Parameters
    ----------
    source : pathlib.Path
        A folder with cells, or a table of them.
    output : pathlib.Path
        Receives ``cells.csv``, ``problems.csv``, further tables, ``figures/*.svg`` and ``benchmarks.html``.
    page : bool
        Whether the page is wanted.

    Returns
    -------
    Report

    Raises
    ------
    AmatError
        If there are no cells, or the output cannot be written.
    """
    cells, problems = read_cells(source)
    check_writable(output.absolute())
    fits = fit_all(cells)
    extrapolated, shares = extrapolate_all(fit_all(cells, "peak_simulate_B"), NODES)
    scaling = {kind: measure_scaling(cells, kind) for kind in ("strong", "weak")}
    summary = summary_page(cells)
    tables = {
        "problems": pd.DataFrame(problems, columns=list(Problem._fields)),
        "machines": list_machines(cells),
        "summary": summary,
        "ratios": compare_all(cells),
        "medians": summarise_cells(cells, _MEDIANS),
        "scaling": pd.concat([table for table in scaling.values() if len(table)] or [scaling["strong"]]),
        "growth_terms": fitted_terms(fits),
        "growth_residuals": _residuals(fits),
        "extrapolation": extrapolated,
    }
    for name, table in tables.items():
        write_text(output / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    use_style()
    drawn = {
        "ratios": figures.draw_ratios(compare_with(cells, REFERENCE)),
        "real_time": figures.draw_real_time(cells),
        "scaling": figures.draw_scaling(scaling["strong"], scaling["weak"]),
        "memory": figures.draw_memory(cells),
        "phases": figures.draw_phases(cells),
        "growth": figures.draw_fits(fits),
        "extrapolation": figures.draw_extrapolation(extrapolated, shares),
    }
    for name, figure in drawn.items():
        _save(figure, output / "figures" / f"{name}.svg")
    beside = (source if source.is_dir() else source.parent) / SYNAPSE_TABLES
    if beside.is_file() and beside.absolute() != (output / SYNAPSE_TABLES).absolute():
        write_text(output / SYNAPSE_TABLES, beside.read_text(encoding="utf-8"))
    html, note = None, "no page was asked for"
    # At the end: where this file is, everything is.
    write_cells(cells, output / "cells.csv")
    if page:
        html, note = _write_page(output)
    return Report(cells, problems, summary, html, note)


_MEDIANS = (
    *("build_s", "simulate_s", "real_time_factor", "rate_per_s", "cv", "neuron_step_ns", "events_per_s"),
    *("taken_B", "neuron_B", "prepared_neuron_B", "synapse_B"),
)


def fitted_terms(fits: Mapping[str, tuple[Fit, Fit]]) -> pd.DataFrame:
    """Return the terms of growth models in one table.

    Parameters
    ----------
    fits : mapping of str to (Fit, Fit)
        Of `amat.benchmark.growth.fit_all`.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``quantity``, the columns of `amat.benchmark.growth.Fit.terms`, and of the whole fit ``cells``,
        ``r_squared``, ``median_error`` and ``largest_error``.
    """
    parts = [
        fit.terms.assign(
            model=model,
            quantity=fit.quantity,
            cells=len(fit.residuals),
            r_squared=fit.r_squared,
            median_error=fit.median_error,
            largest_error=fit.largest_error,
        )
        for model, pair in fits.items()
        for fit in pair
    ]
    columns = ["model", "quantity", "term", "unit", "formula", "meaning", "value", "lower", "upper", "told"]
    columns += ["cells", "r_squared", "median_error", "largest_error"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _residuals(fits: Mapping[str, tuple[Fit, Fit]]) -> pd.DataFrame:
    parts = [fit.residuals.assign(model=model, quantity=fit.quantity) for model, pair in fits.items() for fit in pair]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["cell", "relative_error"])


def _save(figure: Figure, path: Path) -> None:
    save(figure, path)
    plt.close(figure)


def _write_page(output: Path) -> tuple[Path | None, str]:
    """Execute the notebook on the table in the output, and return the page, or why there is none."""
    from amat.compendium.notebooks import execute_notebook

    missing = [name for name in _PAGE_NEEDS if find_spec(name) is None]
    if paths.ROOT is None or missing:
        why = f"{', '.join(missing)} missing" if missing else "no checkout of the project"
        return None, f"no page, {why}: tables and figures are there"
    page = output / f"{_NOTEBOOK}.html"
    with tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / f"{_NOTEBOOK}.ipynb"
        cells = str((output / "cells.csv").absolute())
        try:
            execute_notebook(paths.NOTEBOOKS / executed.name, executed, Path(folder) / "results", {"cells": cells}, {})
        except AmatError as error:
            return None, f"no page, since its notebook failed: {error}"
        write_text(page, _to_html(executed))
    return page, ""


def _to_html(executed: Path) -> str:
    """Return an executed notebook as a page of its own, without code."""
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    glued = _glued(notebook)
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "remove-cell" in tags:
            continue
        if cell.cell_type == "markdown":
            cell.source = _plain(cell.source, glued)
        elif not cell.outputs:
            continue
        cells.append(cell)
        caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption")
        if caption:
            text = nbformat.v4.new_markdown_cell(_plain(f"*{caption}*", glued))  # type: ignore[no-untyped-call]
            cells.append(text)
    notebook.cells = cells
    exporter = HTMLExporter(exclude_input=True, exclude_output_prompt=True)  # type: ignore[no-untyped-call]
    # The page needs nothing from elsewhere.
    for name in ("mathjax_url", "require_js_url", "mermaid_js_url", "mermaid_layout_elk_js_url"):
        setattr(exporter, name, "")
    text, _ = exporter.from_notebook_node(notebook)
    return str(text)


def _glued(notebook: Any) -> dict[str, str]:
    """Return the text of what was glued, by its name."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                found[name] = str(output["data"].get(f"{_GLUED}text/plain", "")).strip("'\"")
    return found


def _plain(text: str, glued: Mapping[str, str]) -> str:
    """Return text with what was glued, and without what only the book understands."""
    text = re.sub(r"\{glue:text\}`(\w+)`", lambda match: glued[match[1]], text)
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\$(\w)\$", r"*\1*", text)
    return re.sub(r"\{[\w:]+\}`([^`]*)`", r"`\1`", text)
