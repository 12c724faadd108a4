# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Ratios and scaling of measured cells: in pairs of equal seeds, with medians and what the seeds allow to say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from amat.benchmark.collect import MACHINE
from amat.errors import AmatError

__all__ = [
    "FEWEST_SEEDS",
    "PAIRS",
    "QUANTITIES",
    "compare",
    "compare_all",
    "compare_with",
    "interval",
    "measure_scaling",
    "summarise_cells",
    "summary_page",
    "summary_text",
    "with_quantities",
]

#: Two cells are a pair if they agree in these, and come from the same machine.
PAIRS = (
    *("workload", "neurons", "indegree", "ranks", "threads", "duration_ms", "resolution_ms", "shared_cores"),
    *MACHINE,
    "seed",
)
#: Below that there is no interval.
FEWEST_SEEDS = 3
#: What an interval should cover, where there are seeds enough.
COVERAGE = 0.95

#: What is compared: columns of the cells and what they are called.
QUANTITIES: Mapping[str, str] = {
    "simulate_s": "time of the simulation",
    "build_s": "time of construction (create, connect, prepare)",
    "taken_B": "memory after the simulation, without that at the start",
}

#: The same in a table's head.
_SHORT = dict(zip(QUANTITIES, ("time", "construction", "memory"), strict=True))

#: Models of the summary, each with those that it is compared to.
_SUMMARY: Sequence[tuple[str, str]] = (
    ("amat2_psc_exp_neuron_opt", "amat2_psc_exp"),
    ("amat2_psc_exp_neuron_nestml", "amat2_psc_exp"),
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


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return an exact interval of the median, which assumes nothing about the distribution: the sign interval.

    Its ends are two of the values: of few, the least and the largest, which then cover less than 95 %.

    Parameters
    ----------
    values : sequence of float

    Returns
    -------
    lower, upper, coverage : float
        NaN where there are fewer than `FEWEST_SEEDS` values. The coverage is the probability that such an interval
        contains the median.
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


def with_quantities(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells with the columns of `QUANTITIES`."""
    return cells.assign(
        build_s=cells["create_s"] + cells["connect_s"] + cells["prepare_s"],
        taken_B=cells["allocated_simulate_B"] - cells["allocated_start_B"],
    )


def compare(cells: pd.DataFrame, quantity: str, model: str, reference: str) -> pd.DataFrame:
    """Divide what a model took by what another one took in the same cell.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`.
    quantity : str
        A key of `QUANTITIES`, or any column of numbers.
    model, reference : str
        Names in NEST.

    Returns
    -------
    pandas.DataFrame
        One row for each cell but for its seed: ``quantity``, ``model``, ``reference``; those of `PAIRS` without
        ``seed``; ``seeds``, the number of pairs; ``ratio``, their median; ``lower``, ``upper`` and ``coverage``
        of `interval`. It is empty where there are no pairs.
    """
    cells = with_quantities(cells)
    keys = list(PAIRS)
    sides = [cells.loc[cells["model"] == name, [*keys, quantity]] for name in (model, reference)]
    paired = sides[0].merge(sides[1], on=keys, suffixes=("", "_reference"), validate="one_to_one")
    paired = paired.assign(ratio=paired[quantity] / paired[f"{quantity}_reference"])
    rows = [
        {"quantity": quantity, "model": model, "reference": reference, **place, **_describe(part["ratio"], "ratio")}
        for place, part in _places(paired, keys[:-1])
    ]
    columns = ["quantity", "model", "reference", *keys[:-1], "seeds", "ratio", "lower", "upper", "coverage"]
    return pd.DataFrame(rows, columns=columns)


def compare_all(cells: pd.DataFrame, pairs: Sequence[tuple[str, str]] = _SUMMARY) -> pd.DataFrame:
    """Return the rows of `compare` for all quantities and pairs of models that are in the table."""
    there = set(cells["model"])
    tables = [
        compare(cells, quantity, model, reference)
        for quantity in QUANTITIES
        for model, reference in pairs
        if {model, reference} <= there
    ]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else compare(cells.iloc[:0], "simulate_s", "", "")


def compare_with(cells: pd.DataFrame, reference: str, quantity: str = "simulate_s") -> pd.DataFrame:
    """Return the rows of `compare` for all models but the reference itself; empty where that was not measured."""
    models = [model for model in dict.fromkeys(cells["model"]) if model != reference]
    tables = [table for model in models if len(table := compare(cells, quantity, model, reference))]
    return pd.concat(tables, ignore_index=True) if tables else compare(cells.iloc[:0], quantity, "", reference)


def summarise_cells(cells: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return medians over seeds.

    Parameters
    ----------
    cells : pandas.DataFrame
    columns : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row for each cell but for its seed: ``model``, ``cores``, those of `PAIRS` without ``seed``,
        ``seeds``, and the medians of `columns`.
    """
    keys = ["model", "cores", *PAIRS[:-1]]
    groups = with_quantities(cells).groupby(keys, sort=True)
    table = groups[list(columns)].median()
    table.insert(0, "seeds", groups["seed"].nunique())
    return table.reset_index()


def measure_scaling(cells: pd.DataFrame, kind: Literal["strong", "weak"]) -> pd.DataFrame:
    """Compare more cores with the fewest that did the same: the same network, or the same share for each core.

    Cells whose threads had to share cores say nothing about that, and are left out. Where ranks may have shared cores,
    which a cell cannot know, the table says ``unknown``.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`.
    kind : {"strong", "weak"}
        Strong: equal neurons. Weak: equal neurons for each core.

    Returns
    -------
    pandas.DataFrame
        One row for each model, workload, size and number of cores: ``kind``, ``model``, ``workload``, ``neurons``,
        ``indegree``, ``ranks``, ``threads``, ``cores``, ``base_cores``, ``shared_cores``, ``seeds``, ``efficiency``
        with ``lower``, ``upper`` and ``coverage`` of `interval`, and ``speed_up``. An efficiency of 1 is ideal.
        Series with one number of cores are left out.
    """
    if kind not in ("strong", "weak"):
        raise AmatError(f"There is no scaling {kind!r}: choose strong or weak.")
    used = cells[cells["shared_cores"] != "yes"]
    used = used.assign(share=used["neurons"] if kind == "strong" else used["neurons"] / used["cores"])
    series = ["model", "workload", "indegree", "share", "duration_ms", "resolution_ms", *MACHINE]
    # On a cluster a process may see its own cores only, and their number differs from layout to layout.
    series.remove("usable_cores")
    rows: list[dict[str, Any]] = []
    for place, part in _places(used, series):
        base_cores = part["cores"].min()
        base = part[part["cores"] == base_cores].groupby("seed")["simulate_s"].min()
        if part["cores"].nunique() == 1:
            continue
        for at, layout in _places(part, ["neurons", "ranks", "threads"]):
            times = layout.groupby("seed")["simulate_s"].min()
            quotient = (base / times).dropna()
            if quotient.empty:
                continue
            cores = at["ranks"] * at["threads"]
            ideal = cores / base_cores if kind == "strong" else 1.0
            described = _describe(quotient / ideal, "efficiency")
            rows.append(
                {
                    "kind": kind,
                    **{name: place[name] for name in ("model", "workload", "indegree")},
                    **at,
                    "cores": cores,
                    "base_cores": int(base_cores),
                    "shared_cores": "unknown" if (layout["shared_cores"] == "unknown").any() else "no",
                    **described,
                    "speed_up": described["efficiency"] * cores / base_cores,
                }
            )
    columns = ["kind", "model", "workload", "indegree", "neurons", "ranks", "threads", "cores", "base_cores"]
    columns += ["shared_cores", "seeds", "efficiency", "lower", "upper", "coverage", "speed_up"]
    return pd.DataFrame(rows, columns=columns)


def summary_page(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the one table that says it all: AMAT and Izhikevich, by who made the model, in the largest cells.

    For each workload the largest network on the fewest cores is taken, in which the pair was measured.

    Parameters
    ----------
    cells : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        As `compare` returns it.
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
    """Return a summary as it is read: ratios with their intervals, one column a quantity.

    Parameters
    ----------
    summary : pandas.DataFrame
        Of `summary_page` or `compare`.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``reference``, ``workload``, ``neurons``, ``seeds``, and text in the columns ``time``,
        ``construction`` and ``memory``: the ratio and, where there are seeds enough, its interval in brackets.
    """
    keys = ["model", "reference", "workload", "neurons", "seeds"]
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in summary.to_dict("records"):
        between = "" if pd.isna(row["lower"]) else f" ({row['lower']:.2f}–{row['upper']:.2f})"
        place = tuple(row[key] for key in keys)
        rows.setdefault(place, dict(zip(keys, place, strict=True)))[_SHORT[row["quantity"]]] = (
            f"{row['ratio']:.2f}{between}"
        )
    return pd.DataFrame(list(rows.values()), columns=[*keys, *_SHORT.values()])


def _describe(values: pd.Series, name: str) -> dict[str, float]:
    lower, upper, coverage = interval(list(values))
    return {"seeds": len(values), name: float(values.median()), "lower": lower, "upper": upper, "coverage": coverage}


def _places(table: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    for values, part in table.groupby(list(keys), sort=True):
        yield dict(zip(keys, values, strict=True)), part
