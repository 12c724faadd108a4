# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of firing patterns."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amat.analysis.patterns.trials import Response
from amat.compendium import plots
from amat.neurons.published import pattern_label
from amat.simulation.kernel import NEST_MODELS

__all__ = ["plot_current", "plot_pairs", "plot_potential", "plot_response", "plot_thumbnail"]

#: Trials longer than this, in ms, are shown from shortly before the first spike: ramps reach the threshold late.
_MOST_SHOWN = 2500.0


def plot_response(response: Response) -> Figure:
    """Draw a response: membrane potential with spikes, threshold, and the current below.

    Parameters
    ----------
    response : Response
        With traces.
    """
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(7.2, 4.0), sharex=True, gridspec_kw={"height_ratios": [3, 1], "hspace": 0.08}
    )
    plot_potential(upper, response)
    plot_current(lower, response)
    amat = response.trial.neuron.model == "amat"
    upper.set(
        ylabel="potential (mV)",
        title=": ".join(filter(None, ("AMAT" if amat else "Izhikevich", pattern_label(response.trial.neuron.pattern)))),
    )
    lower.set(xlabel="time (ms)", ylabel="current\n(pA)" if amat else "current\n(mV/ms)")
    if amat:
        upper.legend(loc="upper right", fontsize="small")
    return figure


def plot_pairs(left: Sequence[Response], right: Sequence[Response]) -> Figure:
    """Draw the patterns of two models side by side, one pair of panels per pattern.

    Parameters
    ----------
    left, right : sequence of Response
        With traces, in the same order of patterns.
    """
    rows, columns = -(-len(left) // 2), 2
    figure = plt.figure(figsize=(12.0, 1.75 * rows))
    outer = figure.add_gridspec(rows, columns, wspace=0.06)
    for number, pair in enumerate(zip(left, right, strict=True)):
        cell = outer[divmod(number, columns)].subgridspec(2, 2, height_ratios=[4, 1], hspace=0.0, wspace=0.04)
        for side, response in enumerate(pair):
            upper, lower = (figure.add_subplot(cell[row, side]) for row in range(2))
            plot_potential(upper, response, linewidth=0.8)
            plot_current(lower, response)
            for axes in (upper, lower):
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            lower.sharex(upper)
            _plot_scale(lower, response)
            if side == 0:
                upper.set_title(pattern_label(response.trial.neuron.pattern), loc="left", fontsize="small", pad=3)
    return figure


def plot_thumbnail(response: Response) -> Figure:
    """Draw a response without axes, in the size of a panel of the gallery.

    Parameters
    ----------
    response : Response
        With traces.
    """
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(3.2, 1.8), gridspec_kw={"height_ratios": [4, 1]})
    plot_potential(upper, response)
    plot_current(lower, response)
    for axes in (upper, lower):
        axes.set_axis_off()
    return figure


def plot_potential(axes: Axes, response: Response, linewidth: float = 1.2) -> None:
    """Draw the membrane potential, AMAT's threshold, and spikes as strokes above."""
    shown = response.time >= _start(response)
    time, colour = response.time[shown], plots.MODEL_COLOURS[NEST_MODELS[response.trial.neuron.model]]
    potential = np.minimum(response.V_m[shown], 30.0)
    axes.plot(
        time, potential, color=colour, linewidth=linewidth, label="membrane potential", rasterized=len(time) > 20000
    )
    traces = [potential]
    if len(response.V_th):
        axes.plot(time, response.V_th[shown], color=plots.THRESHOLD_COLOUR, linewidth=linewidth, label="threshold")
        traces.append(response.V_th[shown])
    low, high = min(t.min() for t in traces), max(t.max() for t in traces)
    height = 0.12 * (high - low)
    spikes = response.spikes[response.spikes >= _start(response)]
    axes.vlines(spikes, high + 0.5 * height, high + 1.5 * height, color=colour, linewidth=linewidth)


def plot_current(axes: Axes, response: Response) -> None:
    """Draw the injected current."""
    shown = response.time >= _start(response)
    axes.plot(response.time[shown], response.trial.current_on_grid()[shown], color="0.3", linewidth=1.0)
    axes.margins(y=0.2)


def _start(response: Response) -> float:
    trial = response.trial
    if trial.duration <= _MOST_SHOWN or not len(response.spikes):
        return 0.0
    return max(0.0, float(response.spikes[0]) - 0.1 * (trial.duration - float(response.spikes[0])))


def _plot_scale(axes: Axes, response: Response) -> None:
    """Draw a scale bar of a round number of ms."""
    length = response.trial.duration - _start(response)
    rounds = [n * 10.0**k for k in range(-1, 5) for n in (1, 2, 5)]
    bar = max(n for n in rounds if n <= 0.25 * length)
    end = response.trial.duration
    below = axes.get_xaxis_transform()
    axes.plot([end - bar, end], [-0.12, -0.12], transform=below, color="black", linewidth=1.5, clip_on=False)
    text = f"{bar:g} ms" if bar < 1000 else f"{bar / 1000:g} s"
    axes.text(
        end - bar / 2, -0.22, text, transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize="x-small"
    )
