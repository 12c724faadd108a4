# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Ratios and scaling of measured cells, in pairs of equal seeds, with medians and intervals over seeds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from amat.benchmark.cases import BASE
from amat.benchmark.collect import MACHINE, PAIRS
from amat.benchmark.families import FAMILIES, TUNED
from amat.benchmark.measurements import median_interval, summarise
from amat.errors import AmatError

__all__ = [
    "OUTCOMES",
    "QUANTITIES",
    "compare",
    "compare_all",
    "compare_with",
    "decide_outcome",
    "measure_scaling",
    "outcome_table",
    "peer_table",
    "ratio_text",
    "summarise_cells",
    "summary_page",
    "summary_text",
]

#: The outcomes of a comparison: the interval is below 1, contains 1, or is above 1.
OUTCOMES = {"time": ("faster", "equal", "slower"), "memory": ("smaller", "equal", "larger")}
#: Workloads in the table of outcomes.
_WORKLOADS = {"neurons": "unconnected neurons", "network": "static network", "plastic": "plastic network (STDP)"}

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
        about = tuple(row[key] for key in keys)
        rows.setdefault(about, dict(zip(keys, about, strict=True)))[_SHORT[row["quantity"]]] = ratio_text(row)
    return pd.DataFrame(list(rows.values()), columns=[*keys, *_SHORT.values()])


def outcome_table(
    cells: pd.DataFrame,
    *,
    update: pd.DataFrame | None = None,
    memory: pd.DataFrame | None = None,
    microcircuits: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return where the optimised models take less time and memory than NEST's built-in ones, and where more.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`. Cells whose threads shared cores are left out.
    update, memory : pandas.DataFrame, optional
        ``update.csv`` and ``memory.csv`` of `amat benchmark update`.
    microcircuits : pandas.DataFrame, optional
        ``microcircuit.csv`` of `amat benchmark microcircuit`.

    Returns
    -------
    pandas.DataFrame
        One row per measured case: ``workload``, ``neuron``, ``neurons``, ``cores``, ``rounds`` (or seeds); ``time`` and
        ``memory``, the median ratio with its interval as text; and the outcome of each (`decide_outcome`). The time of
        ``cells`` is the wall-clock time, that of the others the processor time.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    keys = ("workload", "neuron", "neurons", "cores")
    for about, quantity, row in (
        *_ratios_of_cells(cells),
        *_ratios_of_update(update, memory),
        *_ratios_of_microcircuits(microcircuits),
    ):
        entry = found.setdefault(about, dict(zip(keys, about, strict=True)))
        entry.setdefault("rounds", row.get("rounds", row.get("seeds")))
        entry[quantity] = ratio_text(row)
        entry[f"outcome of {quantity}"] = decide_outcome(quantity, row["lower"], row["upper"])
    columns = [*keys, "rounds", *(name for quantity in OUTCOMES for name in (quantity, f"outcome of {quantity}"))]
    return pd.DataFrame(list(found.values()), columns=columns)


#: Simulators of networks, by build.
_SIMULATORS = {"nest": "NEST, built-in neuron", "optimised": "NEST, optimised neuron (ours)"}
_SIMULATORS |= {"brian2": "Brian2", "arbor": "Arbor"}

#: Parts of the names of cases (`amat.benchmark.cases.Case`) in the table of outcomes.
_DETAILS = {"quiet": "no input", "-delay": ", delay (ms) ", "-different": ", different neurons"}
_DETAILS |= {"-time-constants": ", different time constants", "-phases": ", random phases"}

#: The case of a ratio, the quantity, and the ratio with its interval.
_Ratio = tuple[tuple[Any, ...], str, Mapping[Any, Any]]


def _ratios_of_cells(cells: pd.DataFrame) -> Iterator[_Ratio]:
    layout = ["workload", "neurons", "ranks", "threads"]
    for name in TUNED:
        family = FAMILIES[name]
        for quantity, column in (("time", "simulate_s"), ("memory", "taken_B")):
            ratios = compare(cells, column, family.optimised, family.nest)
            ratios = ratios[ratios["shared_cores"] != "yes"].drop_duplicates(layout)
            for row in ratios.sort_values(layout).to_dict("records"):
                workload = _WORKLOADS.get(row["workload"], row["workload"])
                yield (workload, family.label, row["neurons"], row["ranks"] * row["threads"]), quantity, row


def _ratios_of_update(update: pd.DataFrame | None, memory: pd.DataFrame | None) -> Iterator[_Ratio]:
    for quantity, table, column in (("time", update, "cpu_ns"), ("memory", memory, "bytes")):
        for family, part in [] if table is None else table.groupby("family", sort=False):
            summary = summarise(part, column)
            for row in summary[summary["build"] == "optimised"].to_dict("records"):
                details, _, size = row["case"].removeprefix(f"{family}-").partition("-n")
                # The memory of a neuron does not depend on the number of neurons, which is another one.
                neurons = int(size) if size and quantity == "time" else BASE.neurons
                for short, full in _DETAILS.items():
                    details = details.replace(short, full)
                about = (f"update, {details}", FAMILIES[str(family)].label, neurons, 1)
                yield about, quantity, row


def _ratios_of_microcircuits(microcircuits: pd.DataFrame | None) -> Iterator[_Ratio]:
    if microcircuits is None:
        return
    for (_, family), part in microcircuits.groupby(["case", "family"], sort=False):
        first = part.iloc[0]
        workload = f"microcircuit of scale {first['scale']:g}, {first['case'].split('-')[1]}"
        cores = min(int(first["ranks"] * first["threads"]), int(first["usable_cores"]))
        for quantity, column in (("time", "cpu_factor"), ("memory", "peak_GB")):
            summary = summarise(part, column)
            for row in summary[summary["build"] == "optimised"].to_dict("records"):
                yield (workload, FAMILIES[str(family)].label, int(first["neurons"]), cores), quantity, row


def peer_table(networks: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Compare the optimised neuron with NEST's and with other simulators in the same kind of network.

    Parameters
    ----------
    networks : mapping of int to pandas.DataFrame
        ``network.csv`` of `amat benchmark network` by the number of threads.

    Returns
    -------
    pandas.DataFrame
        One row per number of threads and simulator: ``cores``, ``simulator``, ``rate (1/s)``, ``CPU time (s/s)`` per
        second of model time, ``ours / its`` (median ratio of CPU times with its interval, as text), and ``ours is``
        (`decide_outcome`).
    """
    rows = []
    for threads, table in networks.items():
        about = table.groupby("build", sort=False)[["cpu_factor", "rate"]].median()
        for build, middle in about.iterrows():
            of_pair = summarise(table, "cpu_factor", reference=str(build)).set_index("build")
            ratio: Any = of_pair.loc["optimised"]
            rows.append(
                {
                    "cores": threads,
                    "simulator": _SIMULATORS[str(build)],
                    "rate (1/s)": f"{middle['rate']:.2f}",
                    "CPU time (s/s)": f"{middle['cpu_factor']:.3g}",
                    "ours / its": "–" if build == "optimised" else ratio_text(ratio),
                    "ours is": "–" if build == "optimised" else decide_outcome("time", ratio["lower"], ratio["upper"]),
                }
            )
    return pd.DataFrame(rows)


def ratio_text(row: Any) -> str:
    """Return a ratio as text, with its interval in brackets if there is one."""
    between = "" if pd.isna(row["lower"]) else f" ({row['lower']:.2f}–{row['upper']:.2f})"
    return f"{row['ratio']:.2f}{between}"


def decide_outcome(quantity: str, lower: float, upper: float) -> str:
    """Return the one of `OUTCOMES` that the interval of a ratio supports; "undecided" without an interval (NaN)."""
    if math.isnan(lower):
        return "undecided"
    less, equal, more = OUTCOMES[quantity]
    # In two digits, as tables show the interval.
    return less if round(upper, 2) < 1 else more if round(lower, 2) > 1 else equal


def _describe(values: pd.Series, name: str) -> dict[str, float]:
    lower, upper, coverage = median_interval(list(values))
    return {"seeds": len(values), name: float(values.median()), "lower": lower, "upper": upper, "coverage": coverage}


def _groups(table: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    for values, part in table.groupby(list(keys), sort=True):
        yield dict(zip(keys, values, strict=True)), part
