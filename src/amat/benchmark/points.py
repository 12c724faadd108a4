# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Published real-time factors of the microcircuit, next to those measured in this project."""

from pathlib import Path

import pandas as pd

from amat import paths
from amat.benchmark.microcircuit import FAMILIES
from amat.compendium.settings import read_yaml
from amat.files import load_yaml

__all__ = ["measured_points", "read_points"]


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
        The columns of `read_points`, ``cpu_factor`` (processor time of a second of model time), ``seeds``, and
        ``cores``, the smaller one of threads and usable cores.
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
                "machine": f"{cores} core(s) of {first['cpu']}",
                "real_time_factor": part["real_time_factor"].median(),
                "event_uJ": part["event_uJ"].median(),
                "source": "measured in this project",
                "doi": "",
                "cpu_factor": part["cpu_factor"].median(),
                "seeds": part["round"].nunique(),
                "cores": cores,
            }
        )
    return pd.DataFrame(rows)
