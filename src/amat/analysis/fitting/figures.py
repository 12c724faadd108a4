# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figures of a fit: spikes, potentials, likelihood, and tests of the model."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from scipy.ndimage import gaussian_filter1d

from amat import toolchain
from amat.analysis.fitting.diagnostics import rescale_time, residuals_by_repeat
from amat.analysis.fitting.features import Kind, filter_current
from amat.analysis.fitting.pipeline import FitResult
from amat.analysis.fitting.report import NAMES
from amat.analysis.fitting.scores import LARGEST_CHANCE, score
from amat.analysis.fitting.search import RIVAL
from amat.arrays import Floats
from amat.compendium.plots import MODEL_COLOURS, REFERENCE_COLOUR, THRESHOLD_COLOUR

__all__ = ["FIGURES"]

_AMAT = MODEL_COLOURS[toolchain.AMAT_OPT]
_COLOURS: dict[Kind, str] = {
    "lif": MODEL_COLOURS["iaf_psc_exp_neuron_nestml"],
    "mat": MODEL_COLOURS["mat2_psc_exp"],
    "amat": _AMAT,
    "ceiling": MODEL_COLOURS["mat2_psc_exp_neuron_nestml"],
}
#: Duration of the raster, and of potentials, in ms; standard deviation of the PSTH's kernel in ms.
_RASTER, _TRACE, _KERNEL = 2000.0, 1000.0, 10.0
#: Runs of the escape rate for its PSTH.
_RUNS = 50


def _busiest(result: FitResult, duration: float) -> tuple[int, tuple[float, float]]:
    """Return the current and the part of the test data with the median number of spikes per part."""
    low, high = result.test
    edges = np.arange(low, high - duration + 1e-9, duration)
    starts = edges if len(edges) else np.array([low])
    counts = [
        (sum(int(((t >= start) & (t < start + duration)).sum()) for t in trains), number, float(start))
        for number, trains in enumerate(result.trains())
        for start in starts
    ]
    _, number, start = sorted(counts)[(len(counts) + 1) // 2 if len(counts) > 2 else -1]
    return number, (start, min(start + duration, high))


def plot_raster(result: FitResult) -> Figure:
    """Draw recorded and predicted spikes, and their rates over time."""
    number, (low, high) = _busiest(result, _RASTER)
    recorded, predicted = result.trains()[number], result.predictions["amat"][number]
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(8.5, 4.8), sharex=True, height_ratios=(1.2, 1))
    rows = [*recorded, predicted]
    shown = [train[(train >= low) & (train < high)] for train in rows]
    colours = ["0.2"] * len(recorded) + [_AMAT]
    upper.eventplot(shown, colors=colours, lineoffsets=range(len(rows), 0, -1), linelengths=0.8)
    upper.set_yticks(range(len(rows), 0, -1), [f"repeat {n + 1}" for n in range(len(recorded))] + ["AMAT"])
    upper.tick_params(axis="y", labelsize="x-small" if len(rows) > 8 else "small", length=0)
    random = np.random.default_rng(result.settings.seed)
    current = result.recording.groups[number][0]
    sampled = [result.amat.sample(current, random) for _ in range(_RUNS)]
    centres, rate = _rate(recorded, low, high)
    lower.plot(centres, rate, color="0.2", label=f"recorded, {len(recorded)} repeats")
    lower.plot(centres, _rate(sampled, low, high)[1], color=_AMAT, label=f"AMAT with escape noise, {_RUNS} runs")
    lower.set(xlabel="time (ms)", ylabel="rate (1/s)", xlim=(low, high), ylim=(0, None))
    figure.legend(*lower.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    upper.set_title("Held-out spikes and their prediction")
    return figure


def _rate(trains: list[Floats], low: float, high: float) -> tuple[Floats, Floats]:
    """Return times in ms and rates in 1/s, smoothed by a Gaussian."""
    edges = np.arange(low - 5 * _KERNEL, high + 5 * _KERNEL + 0.5, 1.0)
    counts = np.histogram(np.concatenate(trains), edges)[0] / len(trains)
    return edges[:-1] + 0.5, 1e3 * gaussian_filter1d(counts.astype(float), _KERNEL)


def plot_potentials(result: FitResult) -> Figure:
    """Draw membrane potential and threshold of the fitted neuron over a second, with the recorded ones."""
    number, (low, high) = _busiest(result, _TRACE)
    p, dt = result.parameters, result.recording.dt
    current, rows = result.recording.groups[number]
    membrane, drive = filter_current(current, dt, p.tau_m, p.tau_v)
    assert drive is not None
    resistance = p.tau_m / p.C_m
    time = (np.arange(len(current)) + 1) * dt
    spikes = result.predictions["amat"][number] - round(result.amat.delay / dt) * dt
    kept = (time >= low) & (time < high)
    threshold = p.E_L + p.omega + p.beta * resistance * drive
    for tau, alpha in ((p.tau_1, p.alpha_1), (p.tau_2, p.alpha_2)):
        past = spikes[(spikes > low - 10 * tau) & (spikes < high)]
        since = time[kept] - past[:, np.newaxis]
        threshold[kept] += alpha * np.where(since >= -1e-9, np.exp(-np.maximum(since, 0) / tau), 0.0).sum(axis=0)
    figure, axes = plt.subplots(figsize=(8.5, 4))
    voltage = result.recording.voltage_of(rows[0])
    if voltage is not None:
        axes.plot(time[kept] - dt, voltage[kept], color="0.75", lw=0.8, label="recorded membrane potential")
    axes.plot(time[kept], p.E_L + resistance * membrane[kept], color=_AMAT, label="membrane potential")
    axes.plot(time[kept], threshold[kept], color=THRESHOLD_COLOUR, lw=1.2, label="threshold")
    bottom, top = np.percentile(np.concatenate([p.E_L + resistance * membrane[kept], threshold[kept]]), [0, 100])
    room = top - bottom
    for height, train, colour, label in (
        (1.12, result.predictions["amat"][number], _AMAT, "predicted spikes"),
        (1.22, result.recording.spikes[rows[0]], "0.2", "recorded spikes"),
    ):
        inside = train[(train >= low) & (train < high)]
        axes.plot(inside, np.full(len(inside), bottom + height * room), "|", color=colour, ms=9, mew=1.5, label=label)
    axes.set(
        xlabel="time (ms)", ylabel="potential (mV)", xlim=(low, high), ylim=(bottom - 0.05 * room, bottom + 1.3 * room)
    )
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    return figure


def plot_profile(result: FitResult) -> Figure:
    """Draw the likelihood over the time constants, with the optimum and its rivals."""
    amat = result.amat
    figure, axes = plt.subplots(figsize=(6.4, 4.4))
    profile = amat.profile
    if profile is None:
        axes.text(0.5, 0.5, "All time constants were given.", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return figure
    lower = profile.values - profile.values.max()
    if len(profile.names) == 1:
        axes.plot(profile.axes[0], lower, "o-", color=_AMAT)
        axes.axvline(getattr(amat.taus, profile.names[0]), color=THRESHOLD_COLOUR, label="optimum")
        axes.set(xscale="log", xlabel=f"{profile.names[0]} (ms)", ylabel="log-likelihood relative to the grid's best")
        axes.legend()
        return figure
    x, y = profile.axes
    # Differences of orders of magnitude are shown by their root.
    mesh = axes.pcolormesh(x, y, np.sqrt(-lower).T, cmap="viridis_r", shading="nearest", rasterized=True)
    bar = figure.colorbar(mesh, label="log-likelihood relative to the grid's best")
    ticks = bar.get_ticks()
    ticks = ticks[(ticks >= 0) & (ticks <= np.sqrt(-lower).max())]
    bar.set_ticks(ticks, labels=[f"{-tick * tick:.0f}" if tick else "0" for tick in ticks])
    marked = [(amat.taus, "*", "optimum"), *((rival.taus, "o", f"rival within {RIVAL:g}") for rival in amat.rivals)]
    for taus, mark, label in marked:
        position = [getattr(taus, name) for name in profile.names]
        axes.plot(*position, mark, color=THRESHOLD_COLOUR, ms=12, mec="white", label=label, clip_on=False, ls="none")
    axes.set(xscale="log", yscale="log", xlabel=f"{profile.names[0]} (ms)", ylabel=f"{profile.names[1]} (ms)")
    for axis, values in ((axes.xaxis, x), (axes.yaxis, y)):
        shown = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500) if values[0] <= tick <= values[-1]]
        axis.set_ticks(shown, labels=map(str, shown))
        axis.set_minor_locator(NullLocator())
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return figure


def plot_rescaling(result: FitResult) -> Figure:
    """Draw the distribution of intervals in rescaled time, with the Kolmogorov-Smirnov band."""
    found = rescale_time(result.amat, result.recording, result.test, result.settings.seed)
    figure, axes = plt.subplots(figsize=(4.8, 4.6))
    axes.fill_between(
        [0, 1], [-found.band, 1 - found.band], [found.band, 1 + found.band], color="0.88", label="95 % band"
    )
    axes.plot([0, 1], [0, 1], color=REFERENCE_COLOUR, lw=1, ls="--")
    ranks = (np.arange(len(found.intervals)) + 0.5) / max(len(found.intervals), 1)
    axes.plot(found.intervals, ranks, color=_AMAT, label=f"AMAT, distance {found.distance:.3f}")
    axes.set(xlabel="rescaled interval", ylabel="cumulative probability", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="lower right", fontsize="small")
    axes.set_title(f"Time rescaling, {len(found.intervals)} held-out intervals")
    return figure


def plot_gamma(result: FitResult) -> Figure:
    """Draw the coincidence factors of all models over the window."""
    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    length = result.test[1] - result.test[0]
    trains = result.trains()
    fastest = max(int(((t >= result.test[0]) & (t < result.test[1])).sum()) for group in trains for t in group) / length
    largest = min(10.0, LARGEST_CHANCE / (2 * fastest))
    windows = np.linspace(max(result.recording.dt, largest / 20), largest * 0.999, 20)
    curves = {
        kind: [score(guess, trains, result.test, float(delta), samples=1) for delta in windows]
        for kind, guess in result.predictions.items()
    }
    if not np.isnan(curves["amat"][0].gamma_int):
        axes.plot(windows, [s.gamma_int for s in curves["amat"]], color="0.2", ls="--", label="between repeats")
    for kind, found in curves.items() if result.scores else ():
        axes.plot(windows, [s.gamma for s in found], color=_COLOURS[kind], label=NAMES[kind])
    axes.set(
        xlabel="largest distance of coincident spikes (ms)", ylabel="coincidence factor $\\Gamma$", ylim=(None, 1.0)
    )
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    return figure


def plot_residuals(result: FitResult) -> Figure:
    """Draw the cumulated residuals of each repeat."""
    window = (result.training[0], result.test[1])
    found = residuals_by_repeat(result.amat, result.recording, window)
    figure, axes = plt.subplots(figsize=(7.2, 4))
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(found.observed)))
    for number, row in enumerate(found.standardised):
        axes.plot(found.edges / 1e3, np.concatenate([[0.0], row]), color=colours[number], label=f"repeat {number + 1}")
    axes.axhline(0, color=REFERENCE_COLOUR, lw=1, ls="--")
    axes.axvline(result.test[0] / 1e3, color=REFERENCE_COLOUR, lw=1, ls=":")
    axes.annotate(
        "held out",
        (result.test[0] / 1e3, 1),
        (4, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize="small",
    )
    axes.set(xlabel="time (s)", ylabel="cumulated residual /\nroot of expected spikes")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    return figure


#: The figures by the names of their files.
FIGURES: Mapping[str, Callable[[FitResult], Figure]] = {
    "raster": plot_raster,
    "potentials": plot_potentials,
    "profile": plot_profile,
    "rescaling": plot_rescaling,
    "gamma": plot_gamma,
    "residuals": plot_residuals,
}
