# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of run time and memory: the colour says which neuron it is, the marker who made its model."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from amat.benchmark.cell import MODELS
from amat.benchmark.collect import PHASES
from amat.benchmark.comparisons import summarise_cells
from amat.benchmark.families import FAMILIES
from amat.benchmark.growth import Fit
from amat.compendium.plots import MODEL_COLOURS, REFERENCE_COLOUR

__all__ = [
    "draw_extrapolation",
    "draw_fits",
    "draw_memory",
    "draw_phases",
    "draw_ratios",
    "draw_real_time",
    "draw_scaling",
    "label",
]

#: One colour for each family.
FAMILY_COLOURS = {
    "amat": MODEL_COLOURS["amat2_psc_exp_neuron_opt"],
    "izhikevich": MODEL_COLOURS["izhikevich"],
    "iaf_psc_exp": MODEL_COLOURS["iaf_psc_exp_neuron_nestml"],
}
#: Marker, filling and line of who made the model.
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "hand": {"marker": "s", "fillstyle": "none", "linestyle": "--"},
    "stock": {"marker": "^", "fillstyle": "full", "linestyle": ":"},
    "opt": {"marker": "o", "fillstyle": "full", "linestyle": "-"},
}
_FAMILY_NAMES = {"iaf_psc_exp": "integrate-and-fire"}
_WORKLOADS = {"neurons": "neurons alone", "network": "network", "plastic": "plastic network"}
_SHADES = sns.color_palette("viridis", 7).as_hex()


def label(model: str) -> str:
    """Return what a model is called in tables and figures: the neuron, and who made the model."""
    family, contender = MODELS[model]
    return f"{_FAMILY_NAMES.get(family, FAMILIES[family].label)} ({contender.label})"


def draw_ratios(ratios: pd.DataFrame) -> Figure:
    """Draw the ratios of models to one reference, for each workload and size on the fewest cores.

    Parameters
    ----------
    ratios : pandas.DataFrame
        Rows of `amat.benchmark.comparisons.compare` with one reference and one quantity.
    """
    shown = _fewest_cores(ratios)
    shown = shown.assign(case=[_case(row) for row in shown.to_dict("records")])
    cases = list(dict.fromkeys(shown.sort_values(["workload", "neurons", "indegree"])["case"]))
    models = _models(shown)
    figure, axes = plt.subplots(figsize=(8.5, 1.6 + 0.55 * max(len(cases), 1)))
    if _is_empty(axes, shown):
        return figure
    axes.axvline(1.0, color=REFERENCE_COLOUR, linewidth=1.0)
    for number, model in enumerate(models):
        rows = shown[shown["model"] == model].drop_duplicates("case")
        # Side by side, so that markers do not cover each other.
        y = np.array([cases.index(case) for case in rows["case"]]) + 0.7 * ((number + 0.5) / len(models) - 0.5)
        style = {**_style(model), "linestyle": "none"}
        axes.errorbar(rows["ratio"], y, xerr=_spread(rows, "ratio"), elinewidth=1.0, label=label(model), **style)
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    reference = label(str(shown["reference"].iloc[0]))
    axes.set_xlabel(f"time of the simulation, as a ratio to {reference}")
    axes.set_xscale("log")
    _name_decades(axes)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return figure


def draw_real_time(cells: pd.DataFrame) -> Figure:
    """Draw the real-time factor over the number of neurons, on the fewest cores and for the largest indegree.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`.
    """
    table = _fewest_cores(summarise_cells(cells, ["real_time_factor"]))
    table = table[table["indegree"] == table.groupby("workload")["indegree"].transform("max")]
    workloads = [name for name in _WORKLOADS if name in set(table["workload"])]
    figure, panels = plt.subplots(1, max(len(workloads), 1), figsize=(10.5, 4.2), squeeze=False, sharey=True)
    if _is_empty(panels[0, 0], table):
        return figure
    for axes, workload in zip(panels[0], workloads, strict=True):
        for model in _models(table):
            rows = table[(table["model"] == model) & (table["workload"] == workload)].sort_values("neurons")
            axes.plot(rows["neurons"], rows["real_time_factor"], label=label(model), **_style(model))
        axes.axhline(1.0, color=REFERENCE_COLOUR, linewidth=1.0, linestyle="-")
        axes.set(xscale="log", yscale="log", xlabel="neurons", title=_WORKLOADS[workload])
        axes.margins(x=0.15)
        sizes = sorted(set(table.loc[table["workload"] == workload, "neurons"]))
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30, fontsize="small")
        axes.xaxis.set_minor_formatter(NullFormatter())
    panels[0, 0].set_ylabel("real-time factor (s/s)")
    _legend(figure, panels)
    return figure


def draw_scaling(strong: pd.DataFrame, weak: pd.DataFrame) -> Figure:
    """Draw the efficiency of more cores, with equal networks (left) and equal shares for each core (right).

    Parameters
    ----------
    strong, weak : pandas.DataFrame
        Of `amat.benchmark.comparisons.measure_scaling`; each may be empty. Of each series the largest network is shown.
    """
    figure, panels = plt.subplots(1, 2, figsize=(10.5, 4.2), squeeze=False, sharey=True)
    for axes, table, title in zip(panels[0], (strong, weak), ("strong scaling", "weak scaling"), strict=True):
        axes.set(title=title)
        if _is_empty(axes, table):
            continue
        axes.axhline(1.0, color=REFERENCE_COLOUR, linewidth=1.0, linestyle="-")
        there = set(table["workload"])
        workload = next(name for name in ("network", "plastic", "neurons") if name in there)
        axes.set(title=f"{title}, {_WORKLOADS[workload]}")
        shown = table[table["workload"] == workload]
        for number, model in enumerate(_models(shown)):
            rows = shown[shown["model"] == model]
            rows = rows[rows["indegree"] == rows["indegree"].max()]
            size = rows["neurons"] if title.startswith("strong") else rows["neurons"] / rows["cores"]
            rows = rows[size == size.max()].sort_values("efficiency").drop_duplicates("cores", keep="last")
            rows = rows.sort_values("cores")
            # A little apart, so that intervals do not cover each other.
            x = rows["cores"] * 1.012**number
            spread = _spread(rows, "efficiency")
            axes.errorbar(x, rows["efficiency"], yerr=spread, elinewidth=1.0, label=label(model), **_style(model))
        axes.set(xscale="log", xlabel="cores (ranks × threads)")
        axes.set_xticks(sorted(set(shown["cores"])), [f"{cores:g}" for cores in sorted(set(shown["cores"]))])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(bottom=0.0)
    panels[0, 0].set_ylabel("parallel efficiency")
    _legend(figure, panels)
    return figure


def draw_memory(cells: pd.DataFrame) -> Figure:
    """Draw the memory of a neuron, when it is made and when it can run, and that of a synapse.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`. Of each model the largest cells on the fewest cores are shown.
    """
    columns = ["neuron_B", "prepared_neuron_B", "synapse_B"]
    table = _fewest_cores(summarise_cells(cells, columns))
    models = _models(table)
    places = np.arange(len(models))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 1.6 + 0.36 * max(len(models), 1)), sharey=True)

    def largest(workload: str, column: str) -> list[float]:
        rows = table[(table["workload"] == workload) & table[column].notna()]
        rows = rows.sort_values(["neurons", "indegree"]).drop_duplicates("model", keep="last").set_index("model")
        return [float(rows[column].get(model, np.nan)) for model in models]

    # What a neuron has when it is made is the same in all workloads.
    made = [float(table.loc[table["model"] == model, "neuron_B"].median()) for model in models]
    colours = [FAMILY_COLOURS[MODELS[model][0]] for model in models]
    bars = (
        (left, -0.2, made, "when it is made", None),
        (left, 0.2, largest("neurons", "prepared_neuron_B"), "ready to run, alone", "///"),
        (right, -0.2, largest("network", "synapse_B"), "static", None),
        (right, 0.2, largest("plastic", "synapse_B"), "plastic network, all synapses", "///"),
    )
    for axes, shift, sizes, name, hatch in bars:
        axes.barh(
            places + shift, sizes, height=0.38, color=colours, hatch=hatch, edgecolor="white", linewidth=0.5, label=name
        )
    for axes, what in ((left, "neuron"), (right, "synapse")):
        axes.set_xlabel(f"memory (bytes per {what})")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    left.set_yticks(places, [label(model) for model in models])
    left.set_ylim(len(models) - 0.5, -0.5)
    return figure


def draw_phases(cells: pd.DataFrame) -> Figure:
    """Draw the time of each phase, for the largest network that all its models have in common, on the fewest cores.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`.
    """
    table = _fewest_cores(summarise_cells(cells, [f"{phase}_s" for phase in PHASES]))
    workload = next((name for name in ("network", "plastic", "neurons") if name in set(table["workload"])), "")
    table = table[table["workload"] == workload]
    sizes = table.groupby(["neurons", "indegree", "duration_ms"])["model"].nunique().reset_index()
    chosen = sizes.sort_values(["model", "neurons", "indegree"]).tail(1)
    rows = table.merge(chosen.drop(columns="model"), on=["neurons", "indegree", "duration_ms"])
    rows = rows.drop_duplicates("model").set_index("model")
    models = [model for model in MODELS if model in rows.index]
    figure, axes = plt.subplots(figsize=(8.5, 1.6 + 0.36 * max(len(models), 1)))
    if _is_empty(axes, rows):
        return figure
    left = np.zeros(len(models))
    for phase, colour in zip(PHASES, _SHADES[1:], strict=False):
        seconds = rows.loc[models, f"{phase}_s"].to_numpy(dtype=float)
        axes.barh(range(len(models)), seconds, left=left, color=colour, label=phase.replace("_", " "))
        left += seconds
    axes.set_yticks(range(len(models)), [label(model) for model in models])
    axes.invert_yaxis()
    axes.set_xlabel("wall-clock time (s)")
    axes.set_title(f"{_case(rows.iloc[0].to_dict())}, {rows['duration_ms'].iloc[0]:g} ms")
    figure.legend(loc="outside lower center", ncols=5, fontsize="small")
    return figure


def draw_fits(fits: Mapping[str, tuple[Fit, Fit]]) -> Figure:
    """Draw measured against fitted memory and time, and the relative errors below.

    Parameters
    ----------
    fits : mapping of str to (Fit, Fit)
        Of `amat.benchmark.growth.fit_all`.
    """
    figure, panels = plt.subplots(2, 2, figsize=(10, 6.6), height_ratios=[1.4, 1.0], sharex="col")
    for column, (what, factor) in enumerate((("memory (GB)", 1e-9), ("time of the simulation (s)", 1.0))):
        above, below = panels[:, column]
        if _is_empty(above, fits) or _is_empty(below, fits):
            continue
        every = np.concatenate([pair[column].residuals["measured"] for pair in fits.values()]) * factor
        ends = [every.min() / 1.2, every.max() * 1.2]
        above.plot(ends, ends, color=REFERENCE_COLOUR, linewidth=1.0)
        below.axhline(0.0, color=REFERENCE_COLOUR, linewidth=1.0)
        for model, pair in fits.items():
            residuals = pair[column].residuals
            style = {**_style(model), "linestyle": "none", "markersize": 5, "alpha": 0.8}
            measured = residuals["measured"] * factor
            above.plot(measured, residuals["fitted"] * factor, label=label(model), **style)
            below.plot(measured, 100 * residuals["relative_error"], **style)
        above.set(xscale="log", yscale="log", ylabel=f"fitted {what}")
        # Within a decade Matplotlib labels minor ticks, one over the other.
        above.xaxis.set_minor_formatter(NullFormatter())
        above.yaxis.set_minor_formatter(NullFormatter())
        below.set(xlabel=f"measured {what}", ylabel="error of the fit (%)")
    _legend(figure, panels)
    return figure


def draw_extrapolation(table: pd.DataFrame, shares: pd.DataFrame) -> Figure:
    """Draw the largest networks over the number of nodes, and what their memory would be taken by.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `amat.benchmark.growth.extrapolate`, of one model or several.
    shares : pandas.DataFrame
        Bytes by term (columns), for the largest number of nodes; the index has the models.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.6), width_ratios=[1.0, 1.2])
    if _is_empty(left, table) or _is_empty(right, shares):
        return figure
    for number, model in enumerate(_models(table)):
        rows = table[table["model"] == model].sort_values("nodes")
        style = {**_style(model), "markersize": 9 - 2 * number % 7}
        left.plot(rows["nodes"], rows["neurons"], label=label(model), **style)
    left.set(xscale="log", yscale="log", xlabel="nodes (assumed)", ylabel="neurons that fit")
    left.legend(fontsize="x-small")
    percent = 100 * shares.div(shares.sum(axis=1), axis=0)
    start = np.zeros(len(percent))
    for term, colour in zip(percent.columns, _SHADES, strict=False):
        right.barh(range(len(percent)), percent[term], left=start, color=colour, label=term)
        start += percent[term].to_numpy()
    right.set_yticks(range(len(percent)), [label(str(model)) for model in percent.index], fontsize="small")
    right.invert_yaxis()
    right.set_xlabel(f"share of the memory on {table['nodes'].max():,} nodes (%)")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="x-small")
    return figure


def _style(model: str) -> dict[str, Any]:
    family, contender = MODELS[model]
    style = {"color": FAMILY_COLOURS[family], "markersize": 6, **_KINDS[contender.kind]}
    return style | {"marker": "v"} if model.endswith("euler") else style


def _models(table: pd.DataFrame) -> list[str]:
    there = set(table["model"])
    return [model for model in MODELS if model in there]


def _case(row: Mapping[Any, Any]) -> str:
    synapses = f", {row['indegree']:g} synapses each" if row["indegree"] else ""
    return f"{_WORKLOADS[row['workload']]}, {row['neurons']:,}{synapses}"


def _fewest_cores(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the fewest cores of each workload, none of them shared."""
    table = table.assign(cores=table["ranks"] * table["threads"])
    table = table[table["shared_cores"] != "yes"]
    return table[table["cores"] == table.groupby("workload")["cores"].transform("min")]


def _spread(rows: pd.DataFrame, middle: str) -> Any:
    return np.array([rows[middle] - rows["lower"], rows["upper"] - rows[middle]], dtype=float)


def _is_empty(axes: Axes, what: pd.DataFrame | Mapping[str, Any] | Sequence[Any]) -> bool:
    """Say on the axes that there is nothing to show, if so."""
    if len(what):
        return False
    axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", color=REFERENCE_COLOUR)
    axes.set(xticks=[], yticks=[])
    return True


def _name_decades(axes: Axes) -> None:
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure, panels: Any) -> None:
    """Put one legend of all models below the panels."""
    named: dict[str, Any] = {}
    for axes in np.asarray(panels).flat:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(name, handle)
    if named:
        figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=3, fontsize="small")
