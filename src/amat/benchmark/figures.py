# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of run time and memory: the marker shows the build of a model, the colour its family or its build."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from amat.benchmark.comparisons import summarise_cells
from amat.benchmark.families import CONTENDERS, FAMILIES
from amat.benchmark.growth import Fit
from amat.benchmark.kernel import PHASES
from amat.compendium.plots import MODEL_COLOURS, REFERENCE_COLOUR, save

__all__ = [
    "label",
    "plot_fits",
    "plot_memory",
    "plot_neuron_memory",
    "plot_phases",
    "plot_ratios",
    "plot_real_time",
    "plot_round_ratios",
    "plot_scaling",
    "save_and_close",
]

_PALETTE = sns.color_palette("colorblind").as_hex()
#: One colour for each family.
_FAMILY_COLOURS = {
    "amat": MODEL_COLOURS["amat2_psc_exp_neuron_opt"],
    "izhikevich": MODEL_COLOURS["izhikevich"],
    "iaf_psc_exp": MODEL_COLOURS["iaf_psc_exp_neuron_nestml"],
    "iaf_psc_delta": _PALETTE[8],
}
#: Colour, marker and line of each build.
_BUILDS = {
    "nest": (_PALETTE[7], "s", "--"),
    "nestml": (_PALETTE[4], "P", "-."),
    "nestml-checked": (_PALETTE[1], "^", ":"),
    "optimised": (_PALETTE[0], "o", "-"),
    "brian2": (_PALETTE[2], "D", "-"),
    "arbor": (_PALETTE[3], "*", "-"),
    "empty": ("0.7", "x", "-"),
}
_BUILD_LABELS = {"brian2": "Brian2", "arbor": "Arbor", "empty": "empty neuron"}
_FAMILY_LABELS = {"iaf_psc_exp": "integrate-and-fire"}
_WORKLOADS = {
    "neurons": "unconnected neurons",
    "network": "network",
    "plastic": "plastic network",
    "microcircuit-dc": "microcircuit, DC",
    "microcircuit-poisson": "microcircuit, Poisson",
}
_SHADES = sns.color_palette("viridis", 7).as_hex()


def label(model: str) -> str:
    """Return the name of a model in tables and figures: the neuron and its build."""
    contender = CONTENDERS[model]
    return f"{_FAMILY_LABELS.get(contender.family, FAMILIES[contender.family].label)} ({contender.label})"


def save_and_close(figure: Figure, path: Path) -> None:
    """Write a figure and free it; the suffix gives the format."""
    save(figure, path)
    plt.close(figure)


def plot_round_ratios(summary: pd.DataFrame, title: str) -> Figure:
    """Plot the ratios of each case to NEST's built-in model, with their ranges and the targets.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `amat.benchmark.runs.Outcome`, of one quantity.
    title : str
    """
    shown = summary[summary["build"].isin(list(_BUILDS)[1:])].drop_duplicates(["case", "model"])
    cases = list(dict.fromkeys(summary["case"]))
    figure, axes = plt.subplots(figsize=(7.2, 1.2 + 0.32 * len(cases)))
    for build, rows in shown.groupby("build", sort=False):
        build = str(build)
        colour, marker, _ = _BUILDS[build]
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": _BUILD_LABELS.get(build, build)}
        spread = _spread(rows, "ratio", "least", "largest")
        axes.errorbar(rows["ratio"], _places(cases, rows), xerr=spread, elinewidth=1.0, **style)
    judged = shown[(shown["build"] == "optimised") & shown["bound"].notna()]
    axes.plot(judged["bound"], _places(cases, judged), "|", color="black", markersize=13, label="target: no larger")
    _finish_ratios(axes, cases, "ratio to NEST's built-in model (median, least and largest)")
    axes.set_title(title)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    return figure


def plot_neuron_memory(summary: pd.DataFrame) -> Figure:
    """Plot the bytes that a neuron takes, and the kernel overhead.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `amat.benchmark.runs.benchmark_memory`.
    """
    total = summary[summary["quantity"] == "memory"]
    rows = total[total["build"] != "empty"].reset_index(drop=True)
    overhead = total[total["build"] == "empty"].set_index("case")["median"]
    figure, axes = plt.subplots(figsize=(7.2, 1.2 + 0.24 * len(rows)))
    for build, part in rows.groupby("build", sort=False):
        axes.barh(part.index, part["median"], color=_BUILDS[str(build)][0], label=build)
    if len(overhead):
        share = rows["case"].map(overhead.to_dict())
        axes.barh(rows.index, share, color=_BUILDS["empty"][0], label="kernel overhead")
    first = rows.drop_duplicates("case").index
    axes.set_yticks(first, rows.loc[first, "case"], verticalalignment="center")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("memory (bytes per neuron)")
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    return figure


def plot_ratios(ratios: pd.DataFrame) -> Figure:
    """Plot the ratios of models to one reference, for each workload and size on the fewest cores.

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
    for number, model in enumerate(models):
        rows = shown[shown["model"] == model].drop_duplicates("case")
        # With an offset, so that markers do not overlap.
        y = _places(cases, rows) + 0.7 * ((number + 0.5) / len(models) - 0.5)
        style = {**_style(model), "linestyle": "none"}
        axes.errorbar(rows["ratio"], y, xerr=_spread(rows, "ratio"), elinewidth=1.0, label=label(model), **style)
    reference = label(str(shown["reference"].iloc[0]))
    _finish_ratios(axes, cases, f"time of the simulation, as a ratio to {reference}")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return figure


def plot_real_time(cells: pd.DataFrame) -> Figure:
    """Plot the real-time factor over the number of neurons, on the fewest cores and for the largest indegree.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`.
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


def plot_scaling(strong: pd.DataFrame, weak: pd.DataFrame) -> Figure:
    """Plot the efficiency of more cores, with equal networks (left) and equal shares for each core (right).

    Parameters
    ----------
    strong, weak : pandas.DataFrame
        From `amat.benchmark.comparisons.measure_scaling`; each may be empty. The largest networks are shown.
    """
    figure, panels = plt.subplots(1, 2, figsize=(10.5, 4.2), squeeze=False, sharey=True)
    for axes, table, title in zip(panels[0], (strong, weak), ("strong scaling", "weak scaling"), strict=True):
        axes.set(title=title)
        if _is_empty(axes, table):
            continue
        axes.axhline(1.0, color=REFERENCE_COLOUR, linewidth=1.0, linestyle="-")
        workload = next(name for name in ("network", "plastic", "neurons") if name in set(table["workload"]))
        axes.set(title=f"{title}, {_WORKLOADS[workload]}")
        shown = table[table["workload"] == workload]
        for number, model in enumerate(_models(shown)):
            rows = shown[shown["model"] == model]
            rows = rows[rows["indegree"] == rows["indegree"].max()]
            size = rows["neurons"] if title.startswith("strong") else rows["neurons"] / rows["cores"]
            rows = rows[size == size.max()].sort_values("efficiency").drop_duplicates("cores", keep="last")
            rows = rows.sort_values("cores")
            # With an offset, so that intervals do not overlap.
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


def plot_memory(cells: pd.DataFrame) -> Figure:
    """Plot the memory of a neuron, after creation and after preparation, and that of a synapse.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`. The largest cells of each model on the fewest cores are shown.
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

    # The memory of a new neuron is the same in all workloads.
    created = [float(table.loc[table["model"] == model, "neuron_B"].median()) for model in models]
    colours = [_FAMILY_COLOURS[CONTENDERS[model].family] for model in models]
    bars = (
        (left, -0.2, created, "created", None),
        (left, 0.2, largest("neurons", "prepared_neuron_B"), "prepared, without connections", "///"),
        (right, -0.2, largest("network", "synapse_B"), "static", None),
        (right, 0.2, largest("plastic", "synapse_B"), "plastic network, all synapses", "///"),
    )
    for axes, shift, sizes, name, hatch in bars:
        style = {"color": colours, "hatch": hatch, "edgecolor": "white", "linewidth": 0.5}
        axes.barh(places + shift, sizes, height=0.38, label=name, **style)
    for axes, unit in ((left, "neuron"), (right, "synapse")):
        axes.set(xlabel=f"memory (bytes per {unit})")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    left.set_yticks(places, [label(model) for model in models])
    left.set_ylim(len(models) - 0.5, -0.5)
    return figure


def plot_phases(cells: pd.DataFrame) -> Figure:
    """Plot the time of each phase, for the largest network that most models have in common, on the fewest cores.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`.
    """
    table = _fewest_cores(summarise_cells(cells, [f"{phase}_s" for phase in PHASES]))
    workload = next((name for name in ("network", "plastic", "neurons") if name in set(table["workload"])), "")
    table = table[table["workload"] == workload]
    sizes = table.groupby(["neurons", "indegree", "duration_ms"])["model"].nunique().reset_index()
    chosen = sizes.sort_values(["model", "neurons", "indegree"]).tail(1)
    rows = table.merge(chosen.drop(columns="model"), on=["neurons", "indegree", "duration_ms"])
    rows = rows.drop_duplicates("model").set_index("model")
    models = [model for model in CONTENDERS if model in rows.index]
    figure, axes = plt.subplots(figsize=(8.5, 1.6 + 0.36 * max(len(models), 1)))
    if _is_empty(axes, rows):
        return figure
    left = np.zeros(len(models))
    for phase, colour in zip(PHASES, _SHADES[1:], strict=False):
        seconds = rows.loc[models, f"{phase}_s"].to_numpy(dtype=float)
        axes.barh(range(len(models)), seconds, left=left, color=colour, label=phase.replace("_", " "))
        left += seconds
    axes.set_yticks(range(len(models)), [label(model) for model in models])
    axes.set_ylim(len(models) - 0.5, -0.5)
    title = f"{_case(rows.iloc[0].to_dict())}, {rows['duration_ms'].iloc[0]:g} ms"
    axes.set(xlabel="wall-clock time (s)", title=title)
    figure.legend(loc="outside lower center", ncols=5, fontsize="small")
    return figure


def plot_fits(fits: Mapping[str, tuple[Fit, Fit]]) -> Figure:
    """Plot fitted against measured memory and time, and the relative errors below.

    Parameters
    ----------
    fits : mapping of str to (Fit, Fit)
        From `amat.benchmark.growth.fit_all`.
    """
    figure, panels = plt.subplots(2, 2, figsize=(10, 6.6), height_ratios=[1.4, 1.0], sharex="col")
    for column, (quantity, factor) in enumerate((("memory (GB)", 1e-9), ("time of the simulation (s)", 1.0))):
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
        above.set(xscale="log", yscale="log", ylabel=f"fitted {quantity}")
        for axis in (above.xaxis, above.yaxis):
            axis.set_minor_formatter(NullFormatter())  # within a decade, labels of minor ticks overlap
        below.set(xlabel=f"measured {quantity}", ylabel="error of the fit (%)")
    _legend(figure, panels)
    return figure


def _style(model: str) -> dict[str, Any]:
    contender = CONTENDERS[model]
    _, marker, line = _BUILDS[contender.build]
    return {
        "color": _FAMILY_COLOURS[contender.family],
        "markersize": 6,
        "marker": "v" if model.endswith("euler") else marker,
        "fillstyle": "none" if contender.build == "nest" else "full",
        "linestyle": line,
    }


def _models(table: pd.DataFrame) -> list[str]:
    return [model for model in CONTENDERS if model in set(table["model"])]


def _case(row: Mapping[Any, Any]) -> str:
    if row["workload"] == "neurons":
        return f"{row['neurons']:,} unconnected neurons"
    return f"{_WORKLOADS[row['workload']]} of {row['neurons']:,} neurons, {row['indegree']:g} synapses each"


def _fewest_cores(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the fewest cores of each workload, without shared cores."""
    table = table.assign(cores=table["ranks"] * table["threads"])
    table = table[table["shared_cores"] != "yes"]
    return table[table["cores"] == table.groupby("workload")["cores"].transform("min")]


def _spread(rows: pd.DataFrame, middle: str, lower: str = "lower", upper: str = "upper") -> Any:
    return np.array([rows[middle] - rows[lower], rows[upper] - rows[middle]], dtype=float)


def _places(names: Sequence[str], rows: pd.DataFrame) -> Any:
    return np.array([names.index(name) for name in rows["case"]], dtype=float)


def _finish_ratios(axes: Axes, names: Sequence[str], xlabel: str) -> None:
    """Name the rows of a figure of ratios, from the top, and make its axis logarithmic with a line at 1."""
    axes.axvline(1.0, color=REFERENCE_COLOUR, linewidth=1.0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(xlabel=xlabel, xscale="log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _is_empty(axes: Axes, data: pd.DataFrame | Mapping[str, Any]) -> bool:
    """Return whether there is nothing to show, and write that on the axes."""
    if len(data):
        return False
    axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", color=REFERENCE_COLOUR)
    axes.set(xticks=[], yticks=[])
    return True


def _legend(figure: Figure, panels: Any) -> None:
    """Add one legend of all models below the panels."""
    named: dict[str, Any] = {}
    for axes in np.asarray(panels).flat:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(name, handle)
    if named:
        figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=3, fontsize="small")
