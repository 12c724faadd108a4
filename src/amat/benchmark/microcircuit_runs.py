# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Benchmark of the microcircuit: models in turn over several seeds, each in a process, and tables of the result."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from amat import toolchain
from amat.benchmark.activity import FINGERPRINT
from amat.benchmark.cell import Cell, refuse_other_settings
from amat.benchmark.families import BUILDS, CONTENDERS, FAMILIES, Contender, builds, choose
from amat.benchmark.measurements import summarise
from amat.benchmark.microcircuit import POPULATIONS, check_fit
from amat.errors import AmatError
from amat.files import write_text

__all__ = ["FILES", "Outcome", "accuracy", "measure_microcircuit", "plan_cells", "read_microcircuits"]

#: The tables in the output folder.
FILES = ("microcircuit.csv", "microcircuit_populations.csv", "microcircuit_summary.csv", "microcircuit_accuracy.csv")
#: The compared quantities by their columns.
QUANTITIES = {"cpu_factor": "CPU time", "real_time_factor": "time", "peak_GB": "memory"}
#: The model whose activity is the reference.
REFERENCE = "iaf_psc_exp"
#: Standard deviations over seeds within which a mean must be.
TOLERANCE = 3.0


class Outcome(NamedTuple):
    """Tables of a microcircuit benchmark: cells, ratios to NEST's built-in model, and activity by population."""

    cells: pd.DataFrame
    summary: pd.DataFrame
    accuracy: pd.DataFrame


def plan_cells(
    family: str,
    codegen: Sequence[str] | None,
    *,
    scale: float,
    background: str,
    threads: int,
    seeds: Sequence[int],
    duration: float,
) -> list[Cell]:
    """Return the cells of a benchmark in order: for each seed all models, beginning with another one each time.

    Parameters
    ----------
    family : {"iaf_psc_exp", "amat"}
    codegen : sequence of str, optional
        Code generators to compare with NEST's built-in model; all by default.
    scale : float
    background : {"dc", "poisson"}
    threads : int
    seeds : sequence of int
    duration : float
        Timed model time in ms.

    Raises
    ------
    AmatError
        If a code generator is unknown, or the network does not fit into NEST or the memory.
    """
    if unknown := sorted(set(codegen or ()) - set(BUILDS[1:])):
        raise AmatError(f"There is no code generator {unknown[0]!r}: choose among {', '.join(BUILDS[1:])}.")
    check_fit(scale, threads)
    contenders = choose(builds(FAMILIES[family]), codegen)
    cells = []
    for number, seed in enumerate(seeds):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            workload: Any = f"microcircuit-{background}"
            cells.append(
                Cell(contender.model, workload, threads=threads, seed=seed, duration=duration, scale=scale),
            )
    return cells


def measure_microcircuit(
    cells: Sequence[Cell], output: Path, progress: Callable[[str, int, int], None] = lambda task, done, total: None
) -> Outcome:
    """Measure cells that are not measured yet, one process at a time, and write tables of all in the folder.

    Parameters
    ----------
    cells : sequence of Cell
        From `plan_cells`.
    output : pathlib.Path
        The folder for ``cells/NAME.json`` and the tables `FILES`. A stopped run resumes.
    progress : callable
        Called with a description, the number of finished cells and of all.

    Returns
    -------
    Outcome

    Raises
    ------
    AmatError
        If a cell fails, or the folder has cells with other settings.
    """
    files = {cell.name: output / "cells" / f"{cell.name}.json" for cell in cells}
    for cell in cells:
        refuse_other_settings(cell, files[cell.name])
    for model in sorted({cell.model for cell in cells if cell.contender.build != "nest"}):
        progress(f"{model}: build", 0, len(cells))
        toolchain.build(model)
    for number, cell in enumerate(cells):
        progress(f"{cell.model}, seed {cell.seed}", number, len(cells))
        if not files[cell.name].is_file():
            _measure(cell, files[cell.name])
    table, populations = read_microcircuits(output / "cells")
    outcome = Outcome(table, summarise_microcircuits(table), accuracy(populations))
    for name, frame in zip(FILES, (outcome.cells, populations, outcome.summary, outcome.accuracy), strict=True):
        write_text(output / name, frame.to_csv(index=False, float_format="%.6g"))
    return outcome


def _measure(cell: Cell, path: Path) -> None:
    """Measure a cell in a process of its own, since NEST keeps memory and modules."""
    given = {name: value for name, value in asdict(cell).items() if name not in ("neurons", "indegree")}
    options = [f"--{name}={value}" for name, value in given.items()]
    command = [sys.executable, "-m", "amat", "benchmark", "cell", *options, f"--output={path}"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode or not path.is_file():
        reason = (finished.stderr.strip() or finished.stdout.strip()).splitlines() or ["no message"]
        raise AmatError(f"{cell.name} failed with exit code {finished.returncode}: {reason[-1]}")


def read_microcircuits(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the microcircuits among the cells in a folder.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    cells : pandas.DataFrame
        One row per cell: ``case``, ``round`` (the seed), the columns of the contender, size, time, memory, energy,
        ``same_until_ms``, the time up to which all spikes equal those of NEST's model with that seed, and origin.
    populations : pandas.DataFrame
        One row per cell and population: ``case``, ``model``, ``seed``, ``population``, ``neurons``, ``rate``, ``cv``,
        ``correlation``.

    Raises
    ------
    AmatError
        If there are none.
    """
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("microcircuit-*.json"))]
    if not found:
        raise AmatError(f"There are no microcircuits in {folder}: measure them with `amat benchmark microcircuit`.")
    prints = {
        (_case(cell), cell["cell"]["seed"], CONTENDERS[cell["cell"]["model"]].family): cell["fingerprints"]
        for cell in found
        if CONTENDERS[cell["cell"]["model"]].build == "nest"
    }
    rows, populations = [], []
    for cell in found:
        contender = CONTENDERS[cell["cell"]["model"]]
        rows.append(_row(cell, contender, prints.get((_case(cell), cell["cell"]["seed"], contender.family))))
        for name in POPULATIONS:
            place = {"case": _case(cell), "model": contender.model, "seed": cell["cell"]["seed"], "population": name}
            populations.append({**place, **cell["populations"][name]})
    return pd.DataFrame(rows), pd.DataFrame(populations)


def _case(found: Mapping[str, Any]) -> str:
    cell = found["cell"]
    return f"{cell['workload']}-x{cell['scale']:g}-r{cell['ranks']}-t{cell['threads']}"


def _row(found: Mapping[str, Any], contender: Contender, reference: Sequence[str] | None) -> dict[str, Any]:
    cell, seconds, machine = found["cell"], found["seconds"], found["machine"]
    return {
        "case": _case(found),
        "round": cell["seed"],
        **{name: getattr(contender, name) for name in ("model", "family", "build", "label")},
        **{name: cell[name] for name in ("scale", "neurons", "ranks", "threads", "duration")},
        "synapses": found["synapses"],
        "build_s": seconds["create"] + seconds["connect"] + seconds["prepare"],
        "real_time_factor": found["real_time_factor"],
        "cpu_factor": 1e3 * found["cpu_seconds"]["simulate"] / cell["duration"],
        "communication_s": found["nest"].get("time_communicate_prepare"),
        "update_s": found["nest"].get("time_update"),
        "delivery_s": found["nest"].get("time_deliver_spike_data"),
        "synapse_B": found["synapse_B"],
        "peak_GB": 1e-9 * found["memory"]["simulate"]["peak"],
        "event_uJ": found["event_uJ"],
        "energy_note": found["energy_note"],
        "spikes": found["spikes"],
        "rate": found["rate"],
        "same_until_ms": _equal_time(found["fingerprints"], reference, cell["duration"]),
        "cpu": machine["cpu"],
        "usable_cores": machine["usable_cores"],
        "nest_version": found["versions"]["nest-simulator"],
        "commit": found["commit"],
    }


def _equal_time(own: Sequence[str], reference: Sequence[str] | None, duration: float) -> float | None:
    """Return the time in ms until which all spikes are equal, in steps of 100 ms; None without a reference."""
    if reference is None:
        return None
    equal = next((n for n, (a, b) in enumerate(zip(own, reference, strict=False)) if a != b), len(own))
    return min(equal * FINGERPRINT, duration)


def summarise_microcircuits(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ratios to NEST's built-in model with the same seed, as `amat.benchmark.measurements.summarise` does.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `read_microcircuits`.
    """
    parts = [
        summarise(part, column).assign(quantity=quantity)
        for column, quantity in QUANTITIES.items()
        for _, part in cells.groupby(["case", "family"], sort=False)
    ]
    return pd.concat(parts, ignore_index=True)


def accuracy(populations: pd.DataFrame) -> pd.DataFrame:
    """Compare the activity of each model with the reference over the same seeds.

    The reference is NEST's ``iaf_psc_exp``, the model of the published microcircuit, where it is measured in the same
    case. Its range is the mean over seeds ± 3 standard deviations.

    Parameters
    ----------
    populations : pandas.DataFrame
        From `read_microcircuits`.

    Returns
    -------
    pandas.DataFrame
        One row per case, model, population and measure: ``mean`` over seeds, ``seeds``, ``lower`` and ``upper`` of the
        reference, ``deviation`` from its mean, and ``within`` (bool), None where a value or a range is undefined.
    """
    rows = []
    for case, part in populations.groupby("case", sort=False):
        for (model, population), own in part.groupby(["model", "population"], sort=False):
            reference = part[(part["model"] == REFERENCE) & (part["population"] == population)]
            for measure in ("rate", "cv", "correlation"):
                values = pd.to_numeric(reference[measure]).dropna()
                mean, spread = values.mean(), TOLERANCE * values.std()
                found = pd.to_numeric(own[measure]).mean()
                deviation = abs(found - mean)
                rows.append(
                    {
                        "case": case,
                        "model": model,
                        "population": population,
                        "measure": measure,
                        "seeds": own["seed"].nunique(),
                        "mean": found,
                        "lower": mean - spread,
                        "upper": mean + spread,
                        "deviation": found - mean,
                        "within": bool(deviation <= spread) if len(values) > 1 and math.isfinite(deviation) else None,
                    }
                )
    return pd.DataFrame(rows)
