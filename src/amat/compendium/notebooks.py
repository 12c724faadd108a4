# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Reproducible execution of notebooks with papermill."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from amat import paths
from amat.compendium.provenance import provenance_record
from amat.errors import AmatError
from amat.files import atomic_write, write_json

__all__ = ["execute_notebook"]


def execute_notebook(
    notebook: Path, executed: Path, results: Path, parameters: Mapping[str, Any], modules: Mapping[str, Any]
) -> None:
    """Execute a notebook and write it with its outputs, its provenance and its run time.

    The executed notebook holds no times or identifiers that differ from run to run, so equal inputs give equal files.
    Start and duration go to ``run_time.json`` in the folder of results. Each ``{{ name }}`` in the notebook's text or
    in the description of a figure is replaced by the parameter of that name.

    Parameters
    ----------
    notebook, executed : pathlib.Path
        The notebook to run and the file to write.
    results : pathlib.Path
        The folder for the notebook's tables and figures, passed to it as the parameter ``results``.
    parameters : mapping
        The notebook's parameters.
    modules : mapping
        Keys and hashes of the compiled modules, for the provenance.

    Raises
    ------
    AmatError
        If a cell fails. The message shows the cell's error; no file is written.
    """
    root = paths.require_checkout("The pipeline")
    results.mkdir(parents=True, exist_ok=True)
    started, clock = datetime.now(UTC), time.monotonic()
    with atomic_write(executed) as temporary:
        try:
            papermill.execute_notebook(
                notebook,
                temporary,
                {**parameters, "results": str(results)},
                kernel_name="python3",
                cwd=str(root),
                progress_bar=False,
            )
        except PapermillExecutionError as error:
            raise AmatError(
                f"{notebook.name}, cell {error.exec_count}: {error.ename}: {error.evalue}\n{error}"
            ) from error
        finished = nbformat.read(temporary, as_version=4)  # type: ignore[no-untyped-call]
        _remove_run_details(finished)
        _insert_parameters(finished, parameters)
        nbformat.write(finished, temporary)  # type: ignore[no-untyped-call]
    write_json(
        results / "run_time.json",
        {"started": f"{started:%Y-%m-%dT%H:%M:%SZ}", "seconds": round(time.monotonic() - clock, 1)},
    )
    write_json(
        results / "provenance.json",
        provenance_record(notebook=notebook.name, parameters=dict(parameters), modules=dict(modules)),
    )


def _remove_run_details(notebook: Any) -> None:
    """Remove everything that differs between two runs of a notebook, and hide the injected parameters."""
    notebook.metadata.pop("papermill", None)
    removed = any({"parameters", "remove-input"} <= set(cell.metadata.get("tags", [])) for cell in notebook.cells)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = f"injected-{number}"
            cell.metadata["tags"] = ["injected-parameters", "remove-input" if removed else "hide-input"]
        if "outputs" in cell:
            cell.outputs = _join_streams(cell.outputs)
        for output in cell.get("outputs", []):
            if "text/plain" in output.get("data", {}):
                # Python's default representation contains the object's address in memory.
                output.data["text/plain"] = re.sub(r" at 0x[0-9a-f]+>", ">", output.data["text/plain"])


def _join_streams(outputs: list[Any]) -> list[Any]:
    """Join printed outputs that arrived in parts; the number of parts depends on timing."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _insert_parameters(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Replace ``{{ name }}`` by the parameter's value in text and in descriptions of figures."""
    for cell in notebook.cells:
        image = cell.metadata.get("mystnb", {}).get("image", {})
        for name, value in parameters.items():
            placeholder = f"{{{{ {name} }}}}"
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(placeholder, str(value))
            if "alt" in image:
                image["alt"] = image["alt"].replace(placeholder, str(value))
