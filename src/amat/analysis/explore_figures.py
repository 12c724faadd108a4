# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of the parameter space."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from amat.analysis.explore import Axis, column_of
from amat.analysis.metrics import KINDS, MEASURES
from amat.compendium import plots
from amat.neurons.amat import UNITS

__all__ = ["KIND_COLOURS", "plot_map", "plot_sensitivity"]

#: A colour for each kind of response; they differ in lightness as well.
KIND_COLOURS = dict(
    zip(KINDS, ["#f0f0f0", "#c7c7c7", "#8f8f8f", "#56b4e9", "#0072b2", "#e69f00", "#d55e00", "#332288"], strict=True)
)

_LABELS = {
    "alpha_1": r"$\alpha_1$",
    "alpha_2": r"$\alpha_2$",
    "beta": r"$\beta$",
    "omega": r"$\omega$",
    "tau_m": r"$\tau_m$",
    "tau_v": r"$\tau_v$",
    "tau_1": r"$\tau_1$",
    "tau_2": r"$\tau_2$",
    "I_e": r"$I_e$",
    "rate": "rate",
    "cv": "CV of the intervals",
    "latency": "latency",
    "gain": "low-frequency gain",
}


def plot_map(table: pd.DataFrame, horizontal: Axis, vertical: Axis) -> Figure:
    """Draw the kinds of responses over two parameters, next to rate and CV.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `amat.analysis.explore.explore`.
    horizontal, vertical : Axis
        Its axes.
    """
    shape = vertical.points, horizontal.points
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.9), sharey=True)
    kinds = table["kind"].map({kind: number for number, kind in enumerate(KINDS)}).to_numpy().reshape(shape)
    colours = ListedColormap(list(KIND_COLOURS.values()))
    axes[0].pcolormesh(
        horizontal.values,
        vertical.values,
        kinds,
        cmap=colours,
        norm=BoundaryNorm(np.arange(len(KINDS) + 1) - 0.5, len(KINDS)),
        rasterized=True,
    )
    shown = [kind for kind in KINDS if (table["kind"] == kind).any()]
    figure.legend(
        handles=[Patch(facecolor=KIND_COLOURS[kind], edgecolor="0.5", label=kind) for kind in shown],
        loc="outside lower left",
        ncols=4,
        fontsize="small",
    )
    axes[0].set_title("response")
    for axis, measure in zip(axes[1:], ("rate", "cv"), strict=True):
        values = table[column_of(measure)].to_numpy().reshape(shape)
        # A few neurons at the refractory limit would leave a single colour for all others.
        mesh = axis.pcolormesh(
            horizontal.values,
            vertical.values,
            values,
            cmap="viridis",
            vmax=np.nanquantile(values, 0.98) if np.isfinite(values).any() else 1.0,
            rasterized=True,
        )
        unit = MEASURES[measure]
        axis.set_title(_LABELS[measure] + ("" if unit == "1" else f" ({unit.replace('1/s', 'spikes/s')})"))
        figure.colorbar(mesh, ax=axis, extend="max")
    for axis in axes:
        axis.set_xlabel(_named(horizontal.name))
    axes[0].set_ylabel(_named(vertical.name))
    return figure


def plot_sensitivity(table: pd.DataFrame) -> Figure:
    """Draw Sobol's indices of each measure with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `amat.analysis.sensitivity.sensitivity` or `amat.analysis.sensitivity.poisson_sensitivity`.
    """
    measures = table["measure"].unique()
    figure, axes = plt.subplots(1, len(measures), figsize=(2 + 4 * len(measures), 3.8), sharey=True)
    for axis, measure in zip(axes, measures, strict=True):
        part = table[table["measure"] == measure].iloc[::-1]
        y = np.arange(len(part))
        for name, label, offset, colour in (
            ("first", "alone", 0.17, plots.MODEL_COLOURS["amat2_psc_exp"]),
            ("total", "with interactions", -0.17, plots.MODEL_COLOURS["amat2_psc_exp_neuron_opt"]),
        ):
            index, low, high = (part[name + end].to_numpy() for end in ("", "_low", "_high"))
            bars = np.maximum([index - low, high - index], 0.0)
            axis.barh(y + offset, index, 0.32, xerr=bars, color=colour, label=label)
        axis.set_yticks(y, [_LABELS.get(name, name) for name in part["parameter"]])
        axis.set(xlabel="part of the variance", title=_LABELS[measure], xlim=(0, 1))
    axes[-1].legend(fontsize="small")
    return figure


def _named(parameter: str) -> str:
    return f"{_LABELS.get(parameter, parameter)} ({UNITS[parameter]})"
