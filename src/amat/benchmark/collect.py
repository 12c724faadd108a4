# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""One table of the measured cells of a benchmark, and a list of the files that cannot be used."""

import io
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import jsonschema
import pandas as pd

from amat.benchmark.cell import Cell, Workload, share_memory
from amat.benchmark.families import CONTENDERS
from amat.benchmark.kernel import PHASES
from amat.errors import AmatError
from amat.files import read_text, write_text

__all__ = [
    "COLUMNS",
    "MACHINE",
    "PAIRS",
    "Problem",
    "cell_row",
    "list_machines",
    "read_cells",
    "write_cells",
]

#: The kinds of memory and their meaning.
MEMORY = {
    "resident": "resident memory",
    "peak": "largest resident memory until then",
    "allocated": "bytes allocated by the C library and not freed",
}
#: Columns that are equal for cells of the same machine.
MACHINE = ("cpu", "usable_cores", "nest_version")

#: Columns that two cells of a pair have in common.
PAIRS = (
    *("workload", "neurons", "indegree", "ranks", "threads", "duration_ms", "resolution_ms", "shared_cores"),
    *MACHINE,
    "seed",
)

#: The columns of the table and their meaning. The suffix of a name is the unit.
COLUMNS: Mapping[str, str] = {
    "cell": "name of the cell",
    "model": "name of the model in NEST",
    "family": "family of the model",
    "build": "nest (built in), nestml (NESTML's unmodified generator), nestml-checked or optimised",
    "workload": "neurons, network, plastic, microcircuit-dc or microcircuit-poisson",
    "neurons": "neurons of the cell",
    "indegree": "recurrent synapses of a neuron; 0 for neurons alone",
    "ranks": "processes",
    "threads": "threads of a process",
    "cores": "ranks times threads",
    "shared_cores": "whether threads shared cores: no, yes, or unknown, since ranks may have been on several nodes",
    "seed": "of connections and input",
    "duration_ms": "timed model time",
    "resolution_ms": "time step",
    **{f"{phase}_s": f"wall-clock time of the phase {phase}, of the slowest process" for phase in PHASES},
    "real_time_factor": "wall-clock time of simulate per second of model time",
    "spikes": "of all neurons while the clock ran",
    "rate_per_s": "spikes of a neuron per second of model time",
    "cv": "mean coefficient of variation of the inter-spike intervals of recorded neurons; empty without intervals",
    "synapses": "connections, including those of devices",
    **{
        f"{kind}_{phase}_B": f"{meaning}, after the phase {phase}, of all processes"
        for phase in ("start", *PHASES)
        for kind, meaning in MEMORY.items()
    },
    "neuron_B": "allocated during create, for each neuron",
    "prepared_neuron_B": "allocated from the start to the end of prepare, for each neuron; unconnected neurons only",
    "synapse_B": "allocated during connect, for each connection; networks only",
    "neuron_step_ns": "core time of simulate for each neuron and step, including everything else in the workload",
    "events_per_s": "recurrent synaptic events per second of wall-clock time; networks only",
    "module_sha256": "hash of the compiled model; empty for NEST's built-in models",
    "amat_version": "version of this package",
    "nest_version": "version of NEST",
    "commit": "of this project, with +changes if files differed",
    "system": "of the machine",
    "architecture": "of the machine",
    "cpu": "the processor's name",
    "usable_cores": "cores that a process may use",
}

#: Columns that may be empty in a row.
_OPTIONAL = {"cv", "prepared_neuron_B", "synapse_B", "events_per_s", "module_sha256", "commit"}

#: Endings of the names of columns with numbers.
_NUMBERS = ("_s", "_B", "_ns", "_ms")

_COUNT = {"type": "integer", "minimum": 1}
_AMOUNT = {"type": "number", "minimum": 0, "maximum": sys.float_info.max}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0, "maximum": sys.float_info.max}
_TEXT = {"type": "string", "minLength": 1}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


#: The required content of a cell's file; further content is ignored.
_SCHEMA = _object(
    cell=_object(
        model={"enum": list(CONTENDERS)},
        workload={"enum": list(get_args(Workload))},
        neurons=_COUNT,
        indegree=_COUNT,
        threads=_COUNT,
        ranks=_COUNT,
        seed=_COUNT,
        duration=_POSITIVE,
        resolution=_POSITIVE,
    ),
    threads=_COUNT,
    seconds=_object(**dict.fromkeys(PHASES, _POSITIVE)),
    real_time_factor=_POSITIVE,
    spikes={"type": "integer", "minimum": 0},
    rate=_AMOUNT,
    memory=_object(**{phase: _object(**dict.fromkeys(MEMORY, _COUNT)) for phase in ("start", *PHASES)}),
    synapses={"type": "integer", "minimum": 0},
    versions=_object(**{"amat": _TEXT, "nest-simulator": _TEXT}),
    machine=_object(system=_TEXT, architecture=_TEXT, cpu=_TEXT, usable_cores=_COUNT),
)
_VALIDATOR = jsonschema.Draft202012Validator(_SCHEMA)

#: The values of a row of the table; other columns hold texts.
_VALUES = {
    **{name: {"type": "number", "maximum": sys.float_info.max} for name in COLUMNS if name.endswith(_NUMBERS)},
    **{f"{phase}_s": _POSITIVE for phase in PHASES},
    **dict.fromkeys(("duration_ms", "resolution_ms", "real_time_factor"), _POSITIVE),
    **dict.fromkeys(("neurons", "ranks", "threads", "cores", "seed", "usable_cores"), _COUNT),
    **dict.fromkeys(("indegree", "spikes", "synapses", "cv", "events_per_s"), _AMOUNT),
    "model": {"enum": list(CONTENDERS)},
    "workload": {"enum": list(get_args(Workload))},
}
_ROW = jsonschema.Draft202012Validator({"properties": _VALUES})


class Problem(NamedTuple):
    """A file that was skipped, and why."""

    file: str
    reason: str


def read_cells(source: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """Read measured cells, of any machine and version.

    Parameters
    ----------
    source : pathlib.Path
        A folder with ``cells/*.json`` or ``*.json``, or a table written by `write_cells`.

    Returns
    -------
    cells : pandas.DataFrame
        One row per cell, with the columns `COLUMNS`, ordered by the cell's name.
    problems : list of Problem
        The skipped files: damaged, incomplete, inconsistent, or the same cell as another file.

    Raises
    ------
    AmatError
        If there are no cells, or a table lacks columns.
    """
    if source.is_file():
        return _read_table(source), []
    folder = source / "cells" if (source / "cells").is_dir() else source
    files = sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))
    if not files:
        raise AmatError(
            f"There are no cells in {source}: name the output folder of `amat benchmark run`, with cells/*.json, or a "
            "cells.csv."
        )
    rows: dict[str, dict[str, Any]] = {}
    origin: dict[str, str] = {}
    problems = []
    for path in files:
        try:
            row = cell_row(_parse(path))
        except ValueError as error:
            problems.append(Problem(path.name, str(error)))
            continue
        if row["cell"] in rows:
            problems.append(Problem(path.name, f"the same cell as in {origin[row['cell']]}"))
            continue
        rows[row["cell"]], origin[row["cell"]] = row, path.name
    if not rows:
        listed = "\n".join(f"  {problem.file}: {problem.reason}" for problem in problems)
        raise AmatError(
            f"None of the {len(files)} cells in {source} can be used:\n{listed}\n"
            "Repeat the measurement with `amat benchmark run`."
        )
    return _tidy(pd.DataFrame([rows[name] for name in sorted(rows)], columns=list(COLUMNS))), problems


def cell_row(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a cell.

    Parameters
    ----------
    found : mapping
        The content of a file that `amat.benchmark.cell.measure_cell` wrote.

    Returns
    -------
    dict
        By `COLUMNS`.

    Raises
    ------
    ValueError
        If something is missing or inconsistent.
    """
    wrong = jsonschema.exceptions.best_match(_VALIDATOR.iter_errors(found))
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path)
        raise ValueError(f"{f'{where}: ' if where else ''}{wrong.message}")
    settings = {name: found["cell"][name] for name in _SCHEMA["properties"]["cell"]["properties"]}
    try:
        plan = Cell(**settings, scale=found["cell"].get("scale"))
    except AmatError as error:
        raise ValueError(str(error)) from error
    _check(plan, found)
    return _row(plan, found)


def _row(plan: Cell, found: Mapping[str, Any]) -> dict[str, Any]:
    memory, seconds, machine = found["memory"], found["seconds"], found["machine"]
    alone = plan.workload == "neurons"
    indegree = 0 if alone else plan.indegree
    cores = plan.ranks * plan.threads
    steps = plan.duration / plan.resolution
    return {
        "cell": plan.name,
        "model": plan.model,
        "family": plan.contender.family,
        "build": plan.contender.build,
        "workload": plan.workload,
        "neurons": plan.neurons,
        "indegree": indegree,
        "ranks": plan.ranks,
        "threads": plan.threads,
        "cores": cores,
        "shared_cores": _shared(plan, machine["usable_cores"]),
        "seed": plan.seed,
        "duration_ms": float(plan.duration),
        "resolution_ms": float(plan.resolution),
        **{f"{phase}_s": float(seconds[phase]) for phase in PHASES},
        "real_time_factor": float(found["real_time_factor"]),
        "spikes": found["spikes"],
        "rate_per_s": float(found["rate"]),
        "cv": found.get("cv"),
        "synapses": found["synapses"],
        **{f"{kind}_{phase}_B": memory[phase][kind] for phase in ("start", *PHASES) for kind in MEMORY},
        **share_memory(plan, memory, found["synapses"]),
        "neuron_step_ns": 1e9 * seconds["simulate"] * cores / (plan.neurons * steps),
        # The indegree is also the mean number of targets.
        "events_per_s": None if alone else found["spikes"] * indegree / seconds["simulate"],
        "module_sha256": found.get("module"),
        "amat_version": found["versions"]["amat"],
        "nest_version": found["versions"]["nest-simulator"],
        "commit": found.get("commit"),
        **{name: machine[name] for name in ("system", "architecture", "cpu", "usable_cores")},
    }


def write_cells(cells: pd.DataFrame, path: Path) -> None:
    """Write the table of cells atomically; `read_cells` reads it."""
    write_text(path, cells.to_csv(index=False, float_format="%.12g"))


def list_machines(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the machines and versions that cells come from, with the number of cells of each.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `read_cells`.

    Returns
    -------
    pandas.DataFrame
        ``cpu``, ``usable_cores``, ``system``, ``architecture``, ``nest_version``, ``amat_version``, ``commit``,
        ``cells``.
    """
    columns = ["cpu", "usable_cores", "system", "architecture", "nest_version", "amat_version", "commit"]
    return cells.groupby(columns, sort=True).size().rename("cells").reset_index()


def _parse(path: Path) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a number")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON, at line {error.lineno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise ValueError("not JSON: not UTF-8 text") from error
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error


def _check(plan: Cell, found: Mapping[str, Any]) -> None:
    """Refuse a cell whose numbers contradict each other, as those of an edited file do."""
    if found["threads"] != plan.threads:
        raise ValueError(f"{found['threads']} threads ran, but {plan.threads} were requested")
    agree = {
        "real_time_factor": (found["real_time_factor"], 1e3 * found["seconds"]["simulate"] / plan.duration),
        "rate": (found["rate"], 1e3 * found["spikes"] / plan.neurons / plan.duration),
    }
    for name, (stated, computed) in agree.items():
        if not math.isclose(stated, computed, rel_tol=1e-6, abs_tol=1e-12):
            raise ValueError(f"{name} is {stated:.6g}, but {computed:.6g} follows from the rest of the file")
    if plan.workload != "neurons" and found["synapses"] < plan.neurons * plan.indegree:
        raise ValueError(f"{found['synapses']} synapses are fewer than {plan.neurons} neurons × {plan.indegree}")
    for phase in ("start", *PHASES):
        memory = found["memory"][phase]
        if memory["peak"] < memory["resident"]:
            raise ValueError(f"memory.{phase}: the peak of {memory['peak']} bytes is less than the resident memory")
    allocated = [found["memory"][phase]["allocated"] for phase in ("start", "create")]
    if allocated[1] <= allocated[0]:
        raise ValueError("memory.create: no more is allocated than at the start")


def _shared(plan: Cell, usable: int) -> str:
    """Return whether threads shared cores; a process does not know whether others are on the same node."""
    if plan.threads > usable:
        return "yes"
    return "no" if plan.ranks * plan.threads <= usable else "unknown"


def _read_table(path: Path) -> pd.DataFrame:
    text = read_text(path, "The table of cells")
    semicolons = ";" in text.partition("\n")[0]  # as a spreadsheet writes them, with decimal commas
    form: dict[str, Any] = {"sep": ";", "decimal": ","} if semicolons else {}
    try:
        table = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""], **form)
    except ValueError as error:
        raise AmatError(f"{path} is not a table of cells: {error}. `amat benchmark report` writes one.") from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise AmatError(
            f"{path} lacks the columns {', '.join(missing)}: write it from the folder of cells with "
            "`amat benchmark report`."
        )
    if table.empty:
        raise AmatError(f"{path} has no rows: measure cells with `amat benchmark run`.")
    empty = [name for name in COLUMNS if name not in _OPTIONAL and table[name].isna().any()]
    if empty:
        raise AmatError(f"{path} has empty values in {', '.join(empty)}: write it with `amat benchmark report`.")
    for name in _VALUES.keys() - {"model", "workload"}:
        if not pd.api.types.is_numeric_dtype(column := table[name]):  # a single text makes all numbers texts
            table[name] = pd.to_numeric(column, errors="coerce").astype(object).fillna(column)
    for row in table[list(COLUMNS)].to_dict("records"):
        wrong = jsonschema.exceptions.best_match(_ROW.iter_errors({k: v for k, v in row.items() if not pd.isna(v)}))
        if wrong:
            where = f"{row['cell']}, {wrong.absolute_path[0]}"
            raise AmatError(f"{path} is wrong at {where}: {wrong.message}. Write it with `amat benchmark report`.")
    if (twice := table.duplicated([*PAIRS, "model"])).any():
        raise AmatError(f"{path} has the cell {table.loc[twice, 'cell'].iloc[0]} twice: keep one of the rows.")
    return _tidy(table[list(COLUMNS)])


def _tidy(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the same types whether it comes from cells or from a table."""
    numbers = [name for name in COLUMNS if name.endswith(_NUMBERS)]
    cells = cells.astype(dict.fromkeys([*numbers, "cv", "real_time_factor"], float))
    texts = dict.fromkeys(("module_sha256", "commit", "cpu", "amat_version", "nest_version"), object)
    cells = cells.astype(texts)
    for name in texts:
        cells[name] = cells[name].where(cells[name].notna(), "").map(str)
    return cells.reset_index(drop=True)
