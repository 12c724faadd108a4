# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of stimulus-frequency locking."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from amat.analysis.locking.driven import CLASSES
from amat.arrays import Floats
from amat.compendium import plots
from amat.neurons import NEURON_MODELS, ModelName
from amat.neurons.published import pattern_label
from amat.simulation.kernel import NEST_MODELS

__all__ = [
    "plot_exponents",
    "plot_firing_amplitudes",
    "plot_index",
    "plot_reliability",
    "plot_staircases",
    "plot_strengths",
    "plot_tongues",
]

#: A neuron's model and class, or the label of a neuron and its class.
Key = tuple[ModelName, str]
LabelKey = tuple[str, str]

#: Tongues that are labelled where there is room.
_NAMED = ((1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (2, 3), (3, 2), (2, 5))
#: Smallest part of a row of the map that has room for a label.
_ROOM = 0.035

_FREQUENCY = "frequency relative to the intrinsic rate"
_DEPTH = "amplitude relative to the\nconstant current from rest"
_COLOURS = {model: plots.MODEL_COLOURS[name] for model, name in NEST_MODELS.items()}
_LABELS = {model: plots.MODEL_LABELS[name] for model, name in NEST_MODELS.items()}
#: Order of increasing noise.
_STYLES = ("-", "--", ":")


def plot_tongues(
    maps: Mapping[LabelKey, pd.DataFrame] | Mapping[Key, pd.DataFrame],
    exact: Mapping[LabelKey, Sequence[tuple[Floats, ...]]] | Mapping[Key, Sequence[tuple[Floats, ...]]],
) -> Figure:
    """Draw where four neurons are locked, by their rotation number, models in rows and classes in columns.

    Parameters
    ----------
    maps : mapping
        For each neuron, by model (or any label) and class, a table of `amat.analysis.locking.map_tongues`; by rows.
    exact : mapping
        For some neurons the outlines of tongues: frequencies, depths, and an array of 1 inside and 0 outside.
    """
    figure, panels = plt.subplots(2, 2, figsize=(10.5, 7.2), sharex=True, sharey=True)
    mesh = None
    for axes, (key, table) in zip(panels.flat, maps.items(), strict=True):
        x, y, values = _grid(table, {"n", "m"})
        n, m = values["n"], values["m"]
        rotation = np.where((n > 0) & (m > 0), n / np.maximum(m, 1.0), np.nan)
        mesh = axes.pcolormesh(x, y, rotation, cmap="viridis", norm=LogNorm(0.25, 4.0), rasterized=True)
        for across, up, inside in exact.get(key, ()):  # type: ignore[arg-type]
            axes.contour(across, up, inside, levels=[0.5], colors="red", linewidths=1.2)
        _name_tongues(axes, x, y, n, m)
        name = _LABELS.get(key[0], key[0])  # type: ignore[call-overload]
        axes.set_title(f"{name}, {pattern_label(key[1])}")
    assert mesh is not None
    bar = figure.colorbar(mesh, ax=panels, extend="both", ticks=[0.25, 1 / 3, 0.5, 1, 2, 3, 4])
    bar.ax.set_yticklabels(["1/4", "1/3", "1/2", "1", "2", "3", "4"])
    bar.ax.minorticks_off()
    bar.set_label("spikes per cycle, where locked")
    figure.supxlabel(_FREQUENCY)
    figure.supylabel(_DEPTH.replace("\n", " "))
    return figure


def plot_strengths(maps: Mapping[Key, Sequence[pd.DataFrame]], titles: Sequence[str]) -> Figure:
    """Draw the vector strength over frequency and amplitude: neurons in columns, noise in rows.

    Parameters
    ----------
    maps : mapping
        For each neuron a table of `amat.analysis.locking.map_tongues` for each noise.
    titles : sequence of str
        Names of the noise.
    """
    figure, panels = plt.subplots(len(titles), len(maps), figsize=(12, 2.3 * len(titles) + 0.8), squeeze=False)
    mesh = None
    for column, (key, tables) in enumerate(maps.items()):
        for row, table in enumerate(tables):
            axes = panels[row, column]
            x, y, values = _grid(table, {"strength"})
            mesh = axes.pcolormesh(x, y, values["strength"], cmap="cividis", vmin=0, vmax=1, rasterized=True)
            axes.label_outer()
        panels[0, column].set_title(f"{_LABELS[key[0]]}, {pattern_label(key[1])}")
    for axes, title in zip(panels[:, 0], titles, strict=True):
        axes.set_ylabel(title)
    assert mesh is not None
    figure.colorbar(mesh, ax=panels, label="vector strength")
    figure.supxlabel(_FREQUENCY)
    figure.supylabel(_DEPTH.replace("\n", " "))
    return figure


def plot_staircases(curves: Mapping[Key, Sequence[pd.DataFrame]], titles: Sequence[str]) -> Figure:
    """Draw rotation number and vector strength against frequency: neurons in columns, one line per noise.

    Parameters
    ----------
    curves : mapping
        For each neuron a table of `amat.analysis.locking.repeat_frequencies` for each noise.
    titles : sequence of str
        Names of the noise.
    """
    figure, panels = plt.subplots(2, len(curves), figsize=(12.5, 5.6), sharex=True, sharey="row")
    for column, (key, tables) in enumerate(curves.items()):
        for number, table in enumerate(tables):
            colour = "black" if number == 0 else _COLOURS[key[0]]
            for axes, name in zip(panels[:, column], ("rotation", "strength"), strict=True):
                axes.plot(
                    table["frequency"], table[name], _STYLES[number], color=colour, linewidth=1.4, label=titles[number]
                )
                axes.fill_between(
                    table["frequency"],
                    table[f"{name}_low"],
                    table[f"{name}_high"],
                    color=colour,
                    alpha=0.25,
                    linewidth=0,
                )
        for ratio in (1 / 3, 1 / 2, 1, 2):
            panels[0, column].axhline(ratio, color="0.85", linewidth=0.8, zorder=0)
        panels[0, column].set_title(f"{_LABELS[key[0]]}, {pattern_label(key[1])}")
        panels[0, column].legend(fontsize="small", loc="upper right")
    panels[0, 0].set(ylabel="spikes per cycle", ylim=(0, 2.6))
    panels[1, 0].set(ylabel="vector strength", ylim=(0, 1.03))
    figure.supxlabel(_FREQUENCY)
    return figure


def plot_index(curves: Mapping[Key, Sequence[pd.DataFrame]], titles: Sequence[str]) -> Figure:
    """Draw the index of n:m locking against frequency, and its null: neurons in columns, one line per noise.

    Parameters
    ----------
    curves : mapping
        For each neuron and noise a table with ``frequency``, the mean ``index`` over realisations with the ends of its
        95 % interval, ``low`` and ``high``, and ``null``, the mean 95th percentile of surrogates.
    titles : sequence of str
        Names of the noise.
    """
    figure, panels = plt.subplots(1, len(curves), figsize=(12.5, 3.4), sharex=True, sharey=True)
    for axes, (key, tables) in zip(panels, curves.items(), strict=True):
        for number, (table, title) in enumerate(zip(tables, titles, strict=True), 1):
            style, f = _STYLES[number], table["frequency"]
            axes.plot(f, table["index"], style, color=_COLOURS[key[0]], linewidth=1.4, label=title)
            axes.fill_between(f, table["low"], table["high"], color=_COLOURS[key[0]], alpha=0.25, linewidth=0)
            axes.plot(f, table["null"], style, color="0.45", linewidth=1.0, label=f"shuffled, {title}")
        axes.set_title(f"{_LABELS[key[0]]}, {pattern_label(key[1])}")
    panels[0].set(ylabel="index of n:m locking", ylim=(0, 1.03))
    lines, labels = panels[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), fontsize="small")
    figure.supxlabel(_FREQUENCY)
    return figure


def plot_exponents(tables: Mapping[Key, pd.DataFrame]) -> Figure:
    """Draw the largest Lyapunov exponent against frequency: neurons in columns.

    Parameters
    ----------
    tables : mapping
        For each neuron a table with ``frequency``, ``exponent`` per intrinsic interval, and whether it is ``locked``.
    """
    figure, panels = plt.subplots(1, len(tables), figsize=(12.5, 3.4), sharex=True)
    for axes, (key, table) in zip(panels, tables.items(), strict=True):
        axes.axhline(0.0, color=plots.REFERENCE_COLOUR, linewidth=0.8)
        axes.plot(table["frequency"], table["exponent"], color=_COLOURS[key[0]], linewidth=0.8)
        for locked, face, label in ((True, _COLOURS[key[0]], "locked"), (False, "white", "not locked")):
            part = table[table["locked"] == locked]
            axes.plot(
                part["frequency"], part["exponent"], "o", color=_COLOURS[key[0]], mfc=face, markersize=3.5, label=label
            )
        axes.set_title(f"{_LABELS[key[0]]}, {pattern_label(key[1])}")
    panels[0].set_ylabel("Lyapunov exponent\n(per intrinsic interval)")
    panels[0].legend(fontsize="small")
    figure.supxlabel(_FREQUENCY)
    return figure


def plot_reliability(tables: Mapping[Key, pd.DataFrame]) -> Figure:
    """Draw reliability against frequency, a panel per class, with 95 % intervals.

    Parameters
    ----------
    tables : mapping
        For each neuron a table with ``frequency``, ``mean``, ``low`` and ``high``.
    """
    figure, panels = plt.subplots(1, len(CLASSES), figsize=(9.5, 3.8), sharey=True)
    for axes, pattern in zip(panels, CLASSES, strict=True):
        for model in NEURON_MODELS:
            table = tables[model, pattern]
            style = "-" if model == "amat" else "--"
            axes.plot(table["frequency"], table["mean"], style, color=_COLOURS[model], label=_LABELS[model])
            axes.fill_between(
                table["frequency"], table["low"], table["high"], color=_COLOURS[model], alpha=0.25, linewidth=0
            )
        axes.axvline(1.0, color=plots.REFERENCE_COLOUR, linewidth=0.8, linestyle=":")
        axes.set(title=pattern_label(pattern), xlabel=_FREQUENCY)
    panels[0].set_ylabel("reliability")
    panels[0].legend()
    return figure


def plot_firing_amplitudes(tables: Mapping[Key, pd.DataFrame], exact: Mapping[Key, pd.DataFrame]) -> Figure:
    """Draw the least amplitude that makes excitable neurons fire, against frequency, a panel per class.

    Parameters
    ----------
    tables : mapping
        For each neuron a table with ``frequency`` and ``depth``; NaN where it does not fire.
    exact : mapping
        For some neurons the exact amplitudes.
    """
    figure, panels = plt.subplots(1, len(CLASSES), figsize=(9.5, 3.8), sharey=True)
    for axes, pattern in zip(panels, CLASSES, strict=True):
        for model, marker in zip(NEURON_MODELS, ("o", "s"), strict=True):
            table = tables[model, pattern]
            axes.plot(
                table["frequency"], table["depth"], marker, color=_COLOURS[model], markersize=3, label=_LABELS[model]
            )
            if (model, pattern) in exact:
                line = exact[model, pattern]
                axes.plot(
                    line["frequency"], line["depth"], color=plots.REFERENCE_COLOUR, linewidth=1, label="AMAT, exact"
                )
        axes.set(title=pattern_label(pattern), xlabel=_FREQUENCY, ylim=(0, 1.02))
    panels[0].set_ylabel(_DEPTH)
    panels[0].legend(loc="upper right", fontsize="small")
    return figure


def _grid(table: pd.DataFrame, names: set[str]) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Return a map's frequencies, its depths, and some columns as arrays with one row per depth."""
    x, y = np.unique(table["frequency"]), np.unique(table["depth"])
    return x, y, {name: table[name].to_numpy(dtype=np.float64).reshape(len(y), len(x)) for name in names}


def _name_tongues(
    axes: Axes,
    x: Floats,
    y: Floats,
    n: Floats,
    m: Floats,
) -> None:
    """Label tongues where they are widest, below the upper edge."""
    for wanted in _NAMED:
        inside = (n == wanted[0]) & (m == wanted[1])
        # Labels must neither leave the map nor hide the edge of a tongue.
        inside[y > y[0] + 0.92 * (y[-1] - y[0])] = False
        inside[:, (x < x[0] + 0.03 * (x[-1] - x[0])) | (x > x[0] + 0.97 * (x[-1] - x[0]))] = False
        width = inside.mean(axis=1)
        row = int(width.argmax())
        if width[row] >= _ROOM:
            text = axes.text(
                float(np.median(x[inside[row]])),
                float(y[row]),
                f"{wanted[0]}:{wanted[1]}",
                ha="center",
                va="center",
                fontsize="small",
                color="white",
            )
            text.set_path_effects([withStroke(linewidth=2.0, foreground="0.15")])
