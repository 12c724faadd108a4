# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Published real-time factors of the microcircuit, next to those measured in this project."""

import math
from pathlib import Path

import pandas as pd

from amat import paths
from amat.benchmark.microcircuit import FAMILIES, POPULATIONS
from amat.compendium.settings import read_yaml
from amat.files import load_yaml

__all__ = ["activity_table", "measured_points", "points_table", "read_activity", "read_points", "read_results"]

#: Shipped tables of `amat benchmark microcircuit`.
SHIPPED = paths.DATA / "benchmarks" / "microcircuit"


def read_points(path: Path = paths.DATA / "microcircuit_points.yaml") -> pd.DataFrame:
    """Read the points that others measured, and check them against their schema.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    pandas.DataFrame
        One row per point: ``simulator``, ``model``, ``input``, ``scale``, ``machine``, ``real_time_factor``,
        ``event_uJ`` (µJ), ``source`` and ``doi``.

    Raises
    ------
    AmatError
        If the file does not fit ``config/microcircuit_points.schema.yaml``.
    """
    schema = load_yaml(paths.CONFIG / "microcircuit_points.schema.yaml", "The schema")
    points = read_yaml(path, schema, "The file of points")["points"]
    return pd.DataFrame(
        [
            {
                "simulator": point["simulator"],
                "model": point.get("model", FAMILIES[0]),
                "input": point["input"],
                "scale": float(point["scale"]),
                "machine": f"{point['hardware']['nodes']} x ({point['hardware']['node']})",
                "real_time_factor": float(point["real_time_factor"]),
                "event_uJ": point.get("event_uJ"),
                "source": f"{point['authors']} ({point['year']})",
                "doi": point["doi"],
            }
            for point in points
        ]
    )


def measured_points(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the medians over seeds of the cells of `amat.benchmark.microcircuit_runs.read_microcircuits`.

    Parameters
    ----------
    cells : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        The columns of `read_points`, with ``real_time_factor`` NaN where other programs took a part of the cores;
        ``cpu_factor`` (processor time of a second of model time), ``seeds``, and ``cores``, the smaller one of threads
        and usable cores.
    """
    rows = []
    for (case, model), part in cells.groupby(["case", "model"], sort=False):
        first = part.iloc[0]
        cores = min(int(first["ranks"] * first["threads"]), int(first["usable_cores"]))
        rows.append(
            {
                "simulator": f"NEST {first['nest_version']}",
                "model": model,
                "input": {"dc": "DC", "poisson": "Poisson"}[str(case).split("-")[1]],
                "scale": first["scale"],
                "machine": f"{cores} core{'s' if cores > 1 else ''} of {first['cpu']}",
                # Where threads had to wait for their cores, the wall-clock time is not that of the simulation.
                "real_time_factor": part["real_time_factor"].median() if _undisturbed(part, cores) else math.nan,
                "event_uJ": part["event_uJ"].median(),
                "source": "measured in this project",
                "doi": "",
                "cpu_factor": part["cpu_factor"].median(),
                "seeds": part["round"].nunique(),
                "cores": cores,
            }
        )
    return pd.DataFrame(rows)


def read_results(folder: Path = SHIPPED) -> dict[str, pd.DataFrame]:
    """Return the tables ``microcircuit``, ``populations``, ``summary`` and ``accuracy`` of a benchmark's folder."""
    names = {"microcircuit": "microcircuit"} | {
        name: f"microcircuit_{name}" for name in ("populations", "summary", "accuracy")
    }
    return {name: pd.read_csv(folder / f"{file}.csv") for name, file in names.items()}


def read_activity(path: Path = paths.DATA / "microcircuit_amat_activity.csv") -> pd.DataFrame:
    """Return the shipped activity of AMAT, in the form of `amat.benchmark.microcircuit_runs.accuracy`."""
    return pd.read_csv(path)


def _undisturbed(part: pd.DataFrame, cores: int) -> bool:
    """Return whether the processes had at least nine tenths of their cores."""
    return bool((part["cpu_factor"] >= 0.9 * cores * part["real_time_factor"]).all())


def points_table(results: dict[str, pd.DataFrame], published: pd.DataFrame) -> pd.DataFrame:
    """Return measured and published real-time factors as one table of text.

    Parameters
    ----------
    results : dict of str to pandas.DataFrame
        From `read_results`.
    published : pandas.DataFrame
        From `read_points`.

    Returns
    -------
    pandas.DataFrame
        One row per model and case measured here, then one per published point.
    """
    cells, summary = results["microcircuit"], results["summary"]
    measured = measured_points(cells)
    ratios = summary[summary["quantity"] == "CPU time"].set_index(["case", "model"])["ratio"]
    # In the order of `measured_points`.
    order = dict.fromkeys(zip(cells["case"], cells["model"], strict=True))
    measured["ratio"] = [f"{ratios[key]:.2f}" for key in order]
    measured["CPU time (s/s)"] = [f"{value:.2f}" for value in measured["cpu_factor"]]
    measured["seeds"] = measured["seeds"].astype(str)
    both = pd.concat([measured, published], ignore_index=True)
    return pd.DataFrame(
        {
            "simulator": both["simulator"],
            "neuron": both["model"],
            "input": both["input"],
            "scale": [f"{value:g}" for value in both["scale"]],
            "machine": both["machine"],
            "seeds": both["seeds"].fillna("–"),
            "real-time factor": ["shared" if pd.isna(value) else f"{value:.3g}" for value in both["real_time_factor"]],
            "CPU time (s/s)": both["CPU time (s/s)"].fillna("–"),
            "ratio to NEST's": both["ratio"].fillna("–"),
            "µJ/event": ["–" if pd.isna(value) else f"{value:.3g}" for value in both["event_uJ"]],
            "source": both["source"],
        }
    )


def activity_table(accuracy: pd.DataFrame, case: str) -> pd.DataFrame:
    """Return the activity of AMAT next to the range of the published neuron, by population, as text.

    Parameters
    ----------
    accuracy : pandas.DataFrame
        Rows of AMAT, from `read_activity`.
    case : str
        The case to show.

    Returns
    -------
    pandas.DataFrame
        One row per population; for rate, CV and correlation the published neuron's range, and the mean of AMAT, marked
        if it is outside.
    """
    rows = accuracy[accuracy["case"] == case]
    columns: dict[str, list[str]] = {"population": list(POPULATIONS)}
    for measure, name, digits in (("rate", "rate (1/s)", 2), ("cv", "CV", 2), ("correlation", "correlation", 4)):
        of_measure = rows[rows["measure"] == measure].set_index("population").reindex(list(POPULATIONS))
        columns[f"{name}, published"] = [
            "–" if pd.isna(row["lower"]) else f"{row['lower']:.{digits}f} to {row['upper']:.{digits}f}"
            for row in of_measure.to_dict("records")
        ]
        columns[f"{name}, AMAT"] = [
            "–"
            if pd.isna(row["mean"])
            else f"{row['mean']:.{digits}f}{' (outside)' if str(row['within']) == 'False' else ''}"
            for row in of_measure.to_dict("records")
        ]
    return pd.DataFrame(columns)
