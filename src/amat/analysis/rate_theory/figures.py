# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of the theory of AMAT's rate."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from amat.compendium import plots

__all__ = ["plot_comparison", "plot_gains"]


def plot_comparison(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw predicted against simulated rates and CVs, and the error of the rate.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `simulations.compare_neurons`.
    labels : mapping of str to str
        Labels of its neurons, in the order of the legend.
    """
    figure, (rates, cvs, errors) = plt.subplots(1, 3, figsize=(12, 4.6))
    colours = sns.color_palette("colorblind", 10).as_hex()
    for number, (name, label) in enumerate(labels.items()):
        part = table[table["neuron"] == name]
        style = {"color": colours[number % len(colours)], "marker": "os^Dv<>PX*"[number % 10], "ls": "", "ms": 5}
        rates.plot(part["rate_per_s"], part["predicted_rate_per_s"], **style, label=label)
        cvs.plot(part["cv"], part["predicted_cv"], **style)
        error = 100 * (part["predicted_rate_per_s"] / part["rate_per_s"] - 1)
        errors.errorbar(
            part["rate_per_s"], error, 196 * part["sem_per_s"] / part["rate_per_s"], **style, elinewidth=0.8
        )
    for axis, names in ((rates, ("rate_per_s", "predicted_rate_per_s")), (cvs, ("cv", "predicted_cv"))):
        ends = table[list(names)].min(axis=None), table[list(names)].max(axis=None)
        axis.plot(ends, ends, color=plots.REFERENCE_COLOUR, lw=0.8, zorder=0)
    rates.set(xscale="log", yscale="log", xlabel="simulated rate (spikes/s)", ylabel="predicted rate (spikes/s)")
    cvs.set(xlabel="simulated CV", ylabel="predicted CV")
    errors.axhline(0.0, color=plots.REFERENCE_COLOUR, lw=0.8, zorder=0)
    errors.set(xscale="log", xlabel="simulated rate (spikes/s)", ylabel="error of the predicted rate (%)")
    figure.legend(loc="outside lower center", ncols=4, fontsize="small")
    return figure


def plot_gains(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw predicted and simulated gains and phases against frequency.

    Parameters
    ----------
    table : pandas.DataFrame
        neuron, frequency_Hz, gain, gain_low, gain_high, phase_deg, predicted_gain and predicted_phase_deg.
    labels : mapping of str to str
        Labels of its neurons.
    """
    figure, axes = plt.subplots(2, len(labels), figsize=(2 + 4 * len(labels), 5.4), sharex=True, squeeze=False)
    colour = plots.MODEL_COLOURS["amat2_psc_exp_neuron_opt"]
    for column, (name, label) in zip(axes.T, labels.items(), strict=True):
        part = table[table["neuron"] == name]
        gain, low, high = (part[end].to_numpy() for end in ("gain", "gain_low", "gain_high"))
        bars = np.maximum([gain - low, high - gain], 0.0)
        column[0].errorbar(part["frequency_Hz"], gain, bars, color=colour, marker="o", ls="", label="simulated")
        column[0].plot(part["frequency_Hz"], part["predicted_gain"], color=plots.REFERENCE_COLOUR, label="predicted")
        column[1].plot(part["frequency_Hz"], part["phase_deg"], color=colour, marker="o", ls="")
        column[1].plot(part["frequency_Hz"], part["predicted_phase_deg"], color=plots.REFERENCE_COLOUR)
        column[0].set(title=label, xscale="log", ylim=(0, None))
        column[1].set(xlabel="frequency (Hz)")
    axes[0, 0].set_ylabel("relative gain")
    axes[1, 0].set_ylabel("phase (degrees)")
    axes[0, -1].legend()
    return figure
