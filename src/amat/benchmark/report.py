# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Reports on the measured cells of a benchmark, finished or not: tables, figures and a page."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from amat import paths
from amat.benchmark import figures
from amat.benchmark.collect import Problem, list_machines, read_cells, write_cells
from amat.benchmark.comparisons import compare_all, compare_with, measure_scaling, summarise_cells, summary_page
from amat.benchmark.growth import fit_all, fitted_terms
from amat.compendium.plots import use_style
from amat.errors import AmatError
from amat.files import check_outputs, write_text

__all__ = ["FILES", "REFERENCE", "SYNAPSE_TABLES", "Report", "write_report"]

#: The reference of times in figures.
REFERENCE = "amat2_psc_exp"
#: The optional file of `amat.benchmark.synapse_tables`, next to the cells.
SYNAPSE_TABLES = "synapse_tables.csv"

#: The tables and figures of a report.
FILES = (
    *(f"{name}.csv" for name in ("problems", "machines", "summary", "ratios", "medians", "scaling", "growth_terms")),
    *(f"figures/{name}.svg" for name in ("ratios", "real_time", "scaling", "memory", "phases", "growth")),
    *("cells.csv", SYNAPSE_TABLES, "benchmarks.html"),
)

_NOTEBOOK = "benchmarks"
#: The packages that the page needs: the extra ``book``.
_PAGE_NEEDS = ("papermill", "nbconvert", "myst_nb", "ipykernel")
_GLUED = "application/papermill.record/"
_MEDIANS = (
    *("build_s", "simulate_s", "real_time_factor", "rate_per_s", "cv", "neuron_step_ns", "events_per_s"),
    *("taken_B", "neuron_B", "prepared_neuron_B", "synapse_B"),
)


@dataclass(frozen=True)
class Report:
    """The content of a report.

    Attributes
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`.
    problems : list of Problem
    summary : pandas.DataFrame
        From `amat.benchmark.comparisons.summary_page`.
    page : pathlib.Path, optional
        The page; None without one.
    note : str
        The reason why there is no page; empty if there is one.
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
        The folder for ``cells.csv``, ``problems.csv``, further tables, ``figures/*.svg`` and ``benchmarks.html``.
    page : bool
        Whether to write the page.

    Returns
    -------
    Report

    Raises
    ------
    AmatError
        If there are no cells, or the output cannot be written.
    """
    cells, problems = read_cells(source)
    check_outputs(*(output / name for name in FILES))
    fits = fit_all(cells)
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
    }
    for name, table in tables.items():
        write_text(output / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    use_style()
    plots = {
        "ratios": figures.plot_ratios(compare_with(cells, REFERENCE)),
        "real_time": figures.plot_real_time(cells),
        "scaling": figures.plot_scaling(scaling["strong"], scaling["weak"]),
        "memory": figures.plot_memory(cells),
        "phases": figures.plot_phases(cells),
        "growth": figures.plot_fits(fits),
    }
    for name, figure in plots.items():
        figures.save_and_close(figure, output / "figures" / f"{name}.svg")
    synapse_tables = (source if source.is_dir() else source.parent) / SYNAPSE_TABLES
    if synapse_tables.is_file() and synapse_tables.absolute() != (output / SYNAPSE_TABLES).absolute():
        write_text(output / SYNAPSE_TABLES, synapse_tables.read_text(encoding="utf-8"))
    # The last table: if this file exists, all others do. The workflow waits for it.
    write_cells(cells, output / "cells.csv")
    html, note = _write_page(output) if page else (None, "no page was requested")
    return Report(cells, problems, summary, html, note)


def _write_page(output: Path) -> tuple[Path | None, str]:
    """Execute the notebook on the table in the output; return the page, or None and the reason."""
    from amat.compendium.notebooks import execute_notebook

    missing = [name for name in _PAGE_NEEDS if find_spec(name) is None]
    if paths.ROOT is None or missing:
        reason = f"{', '.join(missing)} missing" if missing else "no checkout of the project"
        return None, f"no page ({reason}), but all tables and figures"
    page = output / f"{_NOTEBOOK}.html"
    with tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / f"{_NOTEBOOK}.ipynb"
        cells = str((output / "cells.csv").absolute())
        try:
            execute_notebook(paths.NOTEBOOKS / executed.name, executed, Path(folder) / "results", {"cells": cells}, {})
        except AmatError as error:
            return None, f"no page, because its notebook failed: {error}"
        write_text(page, _to_html(executed))
    return page, ""


def _to_html(executed: Path) -> str:
    """Return an executed notebook as a self-contained page without code."""
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
    # The page loads nothing from the network.
    for name in ("mathjax_url", "require_js_url", "mermaid_js_url", "mermaid_layout_elk_js_url"):
        setattr(exporter, name, "")
    text, _ = exporter.from_notebook_node(notebook)
    return str(text)


def _glued(notebook: Any) -> dict[str, str]:
    """Return glued values as text, by name."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                found[name] = str(output["data"].get(f"{_GLUED}text/plain", "")).strip("'\"")
    return found


def _plain(text: str, glued: Mapping[str, str]) -> str:
    """Return text with glued values filled in and without the syntax of the book."""
    text = re.sub(r"\{glue:text\}`(\w+)`", lambda match: glued[match[1]], text)
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\$(\w)\$", r"*\1*", text)
    return re.sub(r"\{[\w:]+\}`([^`]*)`", r"`\1`", text)
