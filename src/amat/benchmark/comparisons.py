# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Ratios and scaling of measured cells, in pairs of equal seeds, with medians and intervals over seeds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from amat.benchmark.collect import MACHINE, PAIRS
from amat.errors import AmatError

__all__ = [
    "FEWEST_SEEDS",
    "OUTCOMES",
    "QUANTITIES",
    "compare",
    "compare_all",
    "compare_with",
    "decide_outcome",
    "list_outcomes",
    "measure_scaling",
    "median_interval",
    "outcomes_of",
    "summarise_cells",
    "summary_page",
    "summary_text",
]

#: With fewer seeds there is no interval.
FEWEST_SEEDS = 3
#: The probability with which an interval should cover the median, if there are enough seeds.
COVERAGE = 0.95

#: Outcomes of a comparison of times.
OUTCOMES = ("faster", "equal within timing noise", "slower")
#: Workloads in sentences.
_WORKLOADS = {"neurons": "unconnected populations", "network": "static networks", "plastic": "plastic networks"}

#: The compared quantities, columns of the cells, with their names.
QUANTITIES: Mapping[str, str] = {
    "simulate_s": "time of the simulation",
    "build_s": "time of construction (create, connect, prepare)",
    "taken_B": "memory after the simulation, without that at the start",
}

#: Short names for the head of a table.
_SHORT = dict(zip(QUANTITIES, ("time", "construction", "memory"), strict=True))

#: Pairs of a model and its reference in the summary.
_SUMMARY: Sequence[tuple[str, str]] = (
    ("amat2_psc_exp_neuron_opt", "amat2_psc_exp"),
    ("amat2_psc_exp_neuron_nestml", "amat2_psc_exp"),
    ("amat2_psc_exp_neuron_nestml_unmodified", "amat2_psc_exp"),
    ("amat2_psc_exp_neuron_opt", "amat2_psc_exp_neuron_nestml"),
    ("izhikevich_neuron_opt", "izhikevich"),
    ("izhikevich_neuron_nestml", "izhikevich"),
    ("izhikevich_neuron_nestml_euler", "izhikevich"),
    ("amat2_psc_exp", "izhikevich"),
    ("amat2_psc_exp_neuron_nestml", "izhikevich_neuron_nestml"),
    ("amat2_psc_exp_neuron_opt", "izhikevich_neuron_opt"),
    ("amat2_psc_exp_neuron_opt", "izhikevich"),
    ("amat2_psc_exp_neuron_opt", "iaf_psc_exp"),
)


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the sign interval of the median, which is exact for every distribution.

    Its ends are two of the values: with few values the least and the largest, which then cover less than 95 %.

    Parameters
    ----------
    values : sequence of float

    Returns
    -------
    lower, upper, coverage : float
        NaN with fewer than `FEWEST_SEEDS` values. The coverage is the probability that such an interval contains the
        median.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n < FEWEST_SEEDS:
        return (float("nan"),) * 3

    def coverage(dropped: int) -> float:
        return float(1.0 - 2.0 * stats.binom.cdf(dropped, n, 0.5))

    dropped = 0
    while coverage(dropped + 1) >= COVERAGE:
        dropped += 1
    return float(ordered[dropped]), float(ordered[n - 1 - dropped]), coverage(dropped)


def _with_quantities(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells with the columns of `QUANTITIES`."""
    return cells.assign(
        build_s=cells["create_s"] + cells["connect_s"] + cells["prepare_s"],
        taken_B=cells["allocated_simulate_B"] - cells["allocated_start_B"],
    )


def compare(cells: pd.DataFrame, quantity: str, model: str, reference: str) -> pd.DataFrame:
    """Divide a quantity of a model by that of a reference in the same cell.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`.
    quantity : str
        A key of `QUANTITIES`, or any numeric column.
    model, reference : str
        Names in NEST.

    Returns
    -------
    pandas.DataFrame
        One row per cell, over all seeds: ``quantity``, ``model``, ``reference``; the columns by which cells are
        paired, without ``seed``; ``seeds``, the number of pairs; ``ratio``, their median; ``lower``, ``upper`` and
        ``coverage`` of `median_interval`. Empty if there are no pairs.
    """
    cells = _with_quantities(cells)
    keys = list(PAIRS)
    sides = [cells.loc[cells["model"] == name, [*keys, quantity]] for name in (model, reference)]
    paired = sides[0].merge(sides[1], on=keys, suffixes=("", "_reference"), validate="one_to_one")
    paired = paired.assign(ratio=paired[quantity] / paired[f"{quantity}_reference"])
    rows = [
        {"quantity": quantity, "model": model, "reference": reference, **group, **_describe(part["ratio"], "ratio")}
        for group, part in _groups(paired, keys[:-1])
    ]
    columns = ["quantity", "model", "reference", *keys[:-1], "seeds", "ratio", "lower", "upper", "coverage"]
    return pd.DataFrame(rows, columns=columns)


def compare_all(
    cells: pd.DataFrame,
    pairs: Sequence[tuple[str, str]] = _SUMMARY,
    quantities: Sequence[str] = tuple(QUANTITIES),
) -> pd.DataFrame:
    """Return the rows of `compare` for several quantities and pairs of models; unmeasured models have no rows."""
    tables = [compare(cells, quantity, *pair) for quantity in quantities for pair in pairs]
    found = [table for table in tables if len(table)]
    return pd.concat(found, ignore_index=True) if found else compare(cells.iloc[:0], quantities[0], "", "")


def compare_with(cells: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the rows of `compare` for the time of all models other than the reference."""
    models = [model for model in dict.fromkeys(cells["model"]) if model != reference]
    return compare_all(cells, [(model, reference) for model in models], ["simulate_s"])


def summarise_cells(cells: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return medians over seeds.

    Parameters
    ----------
    cells : pandas.DataFrame
    columns : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row per cell, over all seeds: ``seeds``, ``model``, ``cores``, the columns by which cells are paired
        without ``seed``, and the medians of `columns`.
    """
    keys = ["model", "cores", *PAIRS[:-1]]
    groups = _with_quantities(cells).groupby(keys, sort=True)
    table = groups[list(columns)].median()
    table.insert(0, "seeds", groups["seed"].nunique())
    return table.reset_index()


def measure_scaling(cells: pd.DataFrame, kind: Literal["strong", "weak"]) -> pd.DataFrame:
    """Compare more cores with the fewest cores that simulated the same network, or the same share for each core.

    Cells whose threads shared cores are left out. Where ranks may have shared cores, which a cell cannot know, the
    table has ``unknown``.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`.
    kind : {"strong", "weak"}
        Strong: equal neurons. Weak: equal neurons for each core.

    Returns
    -------
    pandas.DataFrame
        One row per model, workload, size and number of cores: ``kind``, ``model``, ``workload``, ``neurons``,
        ``indegree``, ``ranks``, ``threads``, ``cores``, ``base_cores``, ``shared_cores``, ``seeds``, ``efficiency``
        with ``lower``, ``upper`` and ``coverage`` of `median_interval`, and ``speed_up``. An efficiency of 1 is ideal.
        Series with a single number of cores are left out.
    """
    if kind not in ("strong", "weak"):
        raise AmatError(f"There is no scaling {kind!r}: choose strong or weak.")
    used = cells[cells["shared_cores"] != "yes"]
    used = used.assign(share=used["neurons"] if kind == "strong" else used["neurons"] / used["cores"])
    series = ["model", "workload", "indegree", "share", "duration_ms", "resolution_ms", *MACHINE]
    # On a cluster a process may see only its own cores, and their number differs from layout to layout.
    series.remove("usable_cores")
    rows = [row for about, part in _groups(used, series) for row in _efficiencies(kind, about, part)]
    columns = ["kind", "model", "workload", "indegree", "neurons", "ranks", "threads", "cores", "base_cores"]
    columns += ["shared_cores", "seeds", "efficiency", "lower", "upper", "coverage", "speed_up"]
    return pd.DataFrame(rows, columns=columns)


def _efficiencies(kind: str, about: Mapping[str, Any], part: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of one series of cells with different numbers of cores."""
    if part["cores"].nunique() == 1:
        return
    base_cores = part["cores"].min()
    base = part[part["cores"] == base_cores].groupby("seed")["simulate_s"].min()
    for size, layout in _groups(part, ["neurons", "ranks", "threads"]):
        quotient = (base / layout.groupby("seed")["simulate_s"].min()).dropna()
        if quotient.empty:
            continue
        cores = size["ranks"] * size["threads"]
        described = _describe(quotient / (cores / base_cores if kind == "strong" else 1.0), "efficiency")
        yield {
            "kind": kind,
            **{name: about[name] for name in ("model", "workload", "indegree")},
            **size,
            "cores": cores,
            "base_cores": int(base_cores),
            "shared_cores": "unknown" if (layout["shared_cores"] == "unknown").any() else "no",
            **described,
            "speed_up": described["efficiency"] * cores / base_cores,
        }


def summary_page(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ratios of the main pairs of models, for each workload in the largest network on the fewest cores.

    Parameters
    ----------
    cells : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        With the columns of `compare`.
    """
    ratios = compare_all(cells)
    ratios = ratios[ratios["shared_cores"] != "yes"]
    ratios = ratios.assign(cores=ratios["ranks"] * ratios["threads"])
    order = ratios.sort_values(
        ["cores", "neurons", "indegree", "duration_ms"], ascending=[True, False, False, False], kind="stable"
    )
    chosen = order.drop_duplicates(["quantity", "model", "reference", "workload"])
    return chosen.sort_index().drop(columns="cores").reset_index(drop=True)


def summary_text(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a summary as text: ratios with their intervals, one column per quantity.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `summary_page` or `compare`.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``reference``, ``workload``, ``neurons``, ``seeds``, and text in the columns ``time``,
        ``construction`` and ``memory``: the ratio and, with enough seeds, its interval in brackets.
    """
    keys = ["model", "reference", "workload", "neurons", "seeds"]
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in summary.to_dict("records"):
        between = "" if pd.isna(row["lower"]) else f" ({row['lower']:.2f}–{row['upper']:.2f})"
        about = tuple(row[key] for key in keys)
        rows.setdefault(about, dict(zip(keys, about, strict=True)))[_SHORT[row["quantity"]]] = (
            f"{row['ratio']:.2f}{between}"
        )
    return pd.DataFrame(list(rows.values()), columns=[*keys, *_SHORT.values()])


def outcomes_of(cells: pd.DataFrame, model: str, reference: str) -> pd.DataFrame:
    """Return time and memory of a model relative to another one, for each workload, size and number of cores.

    Parameters
    ----------
    cells : pandas.DataFrame
    model, reference : str
        Names in NEST.

    Returns
    -------
    pandas.DataFrame
        ``workload``, ``neurons``, ``cores``, the ratios ``time`` and ``memory`` as text, with an interval of the time
        where there are enough seeds, and ``outcome``, one of `OUTCOMES`: a difference counts if the interval, or
        without one the ratio, excludes 1. Cells whose threads shared cores are left out.
    """
    time, memory = (compare(cells, quantity, model, reference) for quantity in ("simulate_s", "taken_B"))
    keys = ["workload", "neurons", "ranks", "threads"]
    ratios = memory.drop_duplicates(keys).set_index(keys)["ratio"]
    rows = []
    for row in time[time["shared_cores"] != "yes"].drop_duplicates(keys).to_dict("records"):
        between = "" if pd.isna(row["lower"]) else f" ({row['lower']:.2f}–{row['upper']:.2f})"
        rows.append(
            {
                "workload": row["workload"],
                "neurons": row["neurons"],
                "cores": row["ranks"] * row["threads"],
                "time": f"{row['ratio']:.2f}{between}",
                "memory": f"{ratios[tuple(row[key] for key in keys)]:.2f}",
                "outcome": decide_outcome(row["ratio"], row["lower"], row["upper"]),
            }
        )
    return pd.DataFrame(rows, columns=["workload", "neurons", "cores", "time", "memory", "outcome"])


def decide_outcome(ratio: float, lower: float = math.nan, upper: float = math.nan) -> str:
    """Return the one of `OUTCOMES` that a ratio of times and its interval (NaN: none) support."""
    smallest, largest = (ratio, ratio) if math.isnan(lower) else (lower, upper)
    return OUTCOMES[0] if largest < 1 else OUTCOMES[2] if smallest > 1 else OUTCOMES[1]


def list_outcomes(outcomes: pd.DataFrame, outcome: str) -> str:
    """Return the measurements with an outcome as a phrase with their ratios, "no measured case" if there are none.

    Parameters
    ----------
    outcomes : pandas.DataFrame
        From `outcomes_of`.
    outcome : str
        One of `OUTCOMES`.
    """
    phrases = []
    for (workload,), part in outcomes[outcomes["outcome"] == outcome].groupby(["workload"], sort=False):
        sizes = []
        for (neurons,), size in part.groupby(["neurons"]):
            cores = zip(size["cores"], size["time"], strict=True)
            ratios = [f"on {n} cores {text.split()[0]}" if n > 1 else text.split()[0] for n, text in cores]
            sizes.append(f"{neurons:,} neurons ({', '.join(ratios)})")
        phrases.append(f"{_WORKLOADS.get(str(workload), str(workload))} of {', '.join(sizes)}")
    return "; ".join(phrases) or "no measured case"


def _describe(values: pd.Series, name: str) -> dict[str, float]:
    lower, upper, coverage = median_interval(list(values))
    return {"seeds": len(values), name: float(values.median()), "lower": lower, "upper": upper, "coverage": coverage}


def _groups(table: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    for values, part in table.groupby(list(keys), sort=True):
        yield dict(zip(keys, values, strict=True)), part
