# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Runs of the benchmark of NESTML's library: a stopped one resumes, and one of some neurons updates the table."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amat.benchmark.library import NEURONS, Neuron, Progress, build_library
from amat.benchmark.library_table import MEASURED, measure_neuron
from amat.compendium.provenance import commit, cpu_model, versions
from amat.errors import AmatError
from amat.files import write_json, write_text

__all__ = ["COLUMNS", "discard_rows", "find_neurons", "measure_library", "update_table"]

#: The columns of the table: the measured ones, and the origin of each row.
COLUMNS = (*MEASURED, "nest_version", "nestml_version", "commit", "cpu")


def find_neurons(names: Sequence[str]) -> tuple[Neuron, ...]:
    """Return neurons of the library by their names, in the order of `amat.benchmark.library.NEURONS`.

    Raises
    ------
    AmatError
        If the library has no neuron of a name.
    """
    known = {neuron.name: neuron for neuron in NEURONS}
    if unknown := sorted({*names} - known.keys()):
        raise AmatError(f"NESTML's library has no neuron {', '.join(unknown)}: choose among {', '.join(known)}.")
    return tuple(neuron for neuron in NEURONS if neuron.name in names)


def measure_library(
    neurons: Sequence[Neuron] = NEURONS, *, folder: Path, rounds: int = 5, progress: Progress
) -> pd.DataFrame:
    """Build neurons, and measure those that `folder` has no rows of.

    The rows of a neuron are written to ``NAME.json`` as soon as it is measured. They count as measured in a later run
    with the same commit, versions, processor, number of rounds and compiled modules, and are replaced otherwise.

    Parameters
    ----------
    neurons : sequence of Neuron
    folder : pathlib.Path
        For the rows until the table is complete; `discard_rows` removes them.
    rounds : int
        Of the measurement of time.
    progress : callable
        Called with a line of text before each step.

    Returns
    -------
    pandas.DataFrame
        One row for each neuron and build, with the columns `COLUMNS`.
    """
    found = versions()
    origin = {
        "nest_version": found["nest-simulator"],
        "nestml_version": found["nestml"],
        "commit": commit(),
        "cpu": cpu_model(),
    }
    library = build_library(neurons, progress=progress)
    # Two states of a checkout with uncommitted changes have the same commit, but not the same modules.
    settings = {**origin, "rounds": rounds, "modules": sorted(module.key for module in library.modules)}
    rows = []
    for neuron in neurons:
        path = _file(folder, neuron)
        measured = _read_rows(path, settings)
        if measured is None:
            measured = measure_neuron(library, neuron, rounds=rounds, progress=progress)
            write_json(path, {"settings": settings, "rows": measured})
        else:
            progress(f"{neuron.name} is measured already")
        rows += measured
    return pd.DataFrame(rows, columns=list(MEASURED)).assign(**origin)


def discard_rows(neurons: Sequence[Neuron], folder: Path) -> None:
    """Remove the files of `measure_library`, so that the next run measures these neurons again."""
    for neuron in neurons:
        _file(folder, neuron).unlink(missing_ok=True)


def update_table(measured: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Write measurements to a table, where they replace the rows of their neurons.

    The rows of other neurons of the library are kept to the digit.

    Parameters
    ----------
    measured : pandas.DataFrame
        From `measure_library`.
    path : pathlib.Path
        The table, in CSV; it is created if it is missing.

    Returns
    -------
    pandas.DataFrame
        The complete table, ordered like `amat.benchmark.library.NEURONS`.

    Raises
    ------
    AmatError
        If the table has other columns than `COLUMNS`.
    """
    new = _read_texts(io.StringIO(measured[list(COLUMNS)].to_csv(index=False, float_format="%.4g")))
    if path.is_file():
        old = _read_texts(path)
        if (columns := list(old.columns)) != list(COLUMNS):
            raise AmatError(
                f"The columns of {path} must be {', '.join(COLUMNS)}, got {', '.join(columns)}: "
                "remove the file and measure all neurons."
            )
        new = pd.concat([old[~old["neuron"].isin(new["neuron"])], new])
    place = {neuron.name: number for number, neuron in enumerate(NEURONS)}
    new = new[new["neuron"].isin(place.keys())]
    new = new.sort_values("neuron", key=lambda names: names.map(place), kind="stable")
    write_text(path, new.to_csv(index=False))
    return pd.read_csv(path)


def _read_texts(source: Path | io.StringIO) -> pd.DataFrame:
    return pd.read_csv(source, dtype=str, keep_default_na=False)


def _file(folder: Path, neuron: Neuron) -> Path:
    return folder / f"{neuron.name}.json"


def _read_rows(path: Path, settings: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a neuron if they were measured with these settings, otherwise None."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows: list[dict[str, Any]] = found["rows"]
        return rows if found["settings"] == settings else None
    except (OSError, ValueError, KeyError, TypeError):  # not measured yet, or a damaged file
        return None
