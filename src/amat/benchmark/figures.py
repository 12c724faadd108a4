# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Pictures of the summaries: one colour for each way to make a model."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from amat.benchmark.families import KINDS
from amat.compendium.plots import save, use_style

__all__ = ["KIND_COLOURS", "draw_ablation", "draw_memory", "draw_ratios"]

_PALETTE = sns.color_palette("colorblind").as_hex()

#: A colour, and a marker for those who can't tell colours apart, for each of `amat.benchmark.families.KINDS`.
KIND_COLOURS = {
    "hand": _PALETTE[7],
    "stock": _PALETTE[1],
    "opt": _PALETTE[0],
    "ablation": _PALETTE[9],
    "brian2": _PALETTE[2],
    "kernel": "0.7",
}
_MARKERS = {"hand": "|", "stock": "s", "opt": "o", "brian2": "D", "kernel": "x"}


def draw_ratios(summary: pd.DataFrame, path: Path, *, title: str) -> None:
    """Draw the ratios of each case to the hand-written model, with their ranges and the targets.

    Parameters
    ----------
    summary : pandas.DataFrame
        Of `amat.benchmark.runs.Outcome`, of one quantity.
    path : pathlib.Path
        The ending gives the format.
    title : str
    """
    use_style()
    shown = summary[summary["kind"].isin(["stock", "opt", "brian2", "kernel"])]
    shown = shown.drop_duplicates(["case", "model"])
    cases = list(dict.fromkeys(summary["case"]))
    figure = Figure(figsize=(7.2, 1.2 + 0.32 * len(cases)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1.0, color=KIND_COLOURS["hand"], linewidth=1.0)
    for kind, rows in shown.groupby("kind", sort=False):
        y = [cases.index(case) for case in rows["case"]]
        ratio = rows["ratio"].to_numpy()
        spread = np.abs(np.array([ratio - rows["least"], rows["largest"] - ratio]))
        axes.errorbar(
            ratio,
            y,
            xerr=spread,
            fmt=_MARKERS[str(kind)],
            color=KIND_COLOURS[str(kind)],
            markersize=6,
            elinewidth=1.0,
            label=KINDS[str(kind)],
        )
    judged = shown[(shown["kind"] == "opt") & shown["bound"].notna()]
    y = [cases.index(case) for case in judged["case"]]
    axes.plot(judged["bound"], y, "|", color="black", markersize=13, label="target: no larger")
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlabel("ratio to NEST's hand-written model (median, least and largest)")
    axes.set_title(title)
    _make_logarithmic(axes)
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    save(figure, path)


def draw_memory(summary: pd.DataFrame, path: Path) -> None:
    """Draw the bytes that a neuron takes, and the kernel's share of them.

    Parameters
    ----------
    summary : pandas.DataFrame
        Of `amat.benchmark.runs.benchmark_memory`.
    path : pathlib.Path
        The ending gives the format.
    """
    use_style()
    total = summary[summary["quantity"] == "memory"]
    rows = total[total["kind"] != "kernel"].reset_index(drop=True)
    kernel = total[total["kind"] == "kernel"].set_index("case")["median"]
    figure = Figure(figsize=(7.2, 1.2 + 0.24 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for kind, of_kind in rows.groupby("kind", sort=False):
        axes.barh(of_kind.index, of_kind["median"], color=KIND_COLOURS[str(kind)], label=KINDS[str(kind)])
    if len(kernel):
        share = rows["case"].map(kernel.to_dict())
        axes.barh(rows.index, share, color=KIND_COLOURS["kernel"], label="of that the kernel's share")
    first = rows.drop_duplicates("case").index
    axes.set_yticks(first, rows.loc[first, "case"], verticalalignment="center")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("memory (bytes per neuron)")
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    save(figure, path)


def draw_ablation(summary: pd.DataFrame, path: Path) -> None:
    """Draw what each step from NESTML's templates to ours does, for each case in which it was measured.

    Parameters
    ----------
    summary : pandas.DataFrame
        Of `amat.benchmark.runs.Outcome`, with rows of the kind ``ablation``.
    path : pathlib.Path
        The ending gives the format.
    """
    use_style()
    cases = list(dict.fromkeys(summary.loc[summary["kind"] == "ablation", "case"]))
    shown = summary[summary["case"].isin(cases) & summary["kind"].isin(["stock", "ablation"])]
    labels = list(dict.fromkeys(shown["label"]))
    figure = Figure(figsize=(7.2, 1.4 + 0.32 * len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1.0, color=KIND_COLOURS["hand"], linewidth=1.0)
    for case, colour, marker in zip(cases, _PALETTE, "oDs^v", strict=False):
        rows = shown[shown["case"] == case]
        y = [labels.index(label) for label in rows["label"]]
        axes.plot(rows["ratio"], y, marker=marker, color=colour, linewidth=1.0, label=case)
        axes.hlines(y, rows["least"], rows["largest"], color=colour, linewidth=1.0)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel("time, as a ratio to NEST's hand-written model")
    _make_logarithmic(axes)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    save(figure, path)


def _make_logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
