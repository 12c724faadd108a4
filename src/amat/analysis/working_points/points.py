# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons at a common firing rate: input, curves around it, and depths of modulation."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from amat.analysis.rate_models import find_working_points
from amat.analysis.rate_models.curves import LARGEST, SINUSOID, SYNTHETIC, RateCurve, curve_of
from amat.analysis.transfer import EPSP, stationary_curves
from amat.analysis.transfer.inputs import ModulatedInput, balanced_synapses
from amat.analysis.transfer.runs import InputRun, simulate_inputs
from amat.analysis.working_points.plan import Plan
from amat.analysis.working_points.responses import measure_sinusoids
from amat.analysis.working_points.shards import Arrays
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons import Neuron

__all__ = ["local_curve", "measure_point", "secant_slope"]

#: Input rates of the first curve with the default PSPs, spikes/s.
_RANGE = (20.0, 3e5)
#: Distances of input rates from the working point, relative; the range that synthetic 1/f input needs.
_LOCAL = (0.004, 1.05)
#: Limits of the depth of sinusoids, and of the standard deviation of noise.
_SHALLOWEST, _DEEPEST, _DEEPEST_SYNTHETIC = 0.001, 0.5, 0.3
#: Frequencies of a pilot that looks for resonances, Hz.
_PILOT = (5.0, 10.0, 20.0, 50.0)


def secant_slope(curve: RateCurve, input_rate: float, *, change: float = 0.25) -> float:
    """Return the logarithmic slope of a curve between the inputs at which the rate is lower and higher by a quarter.

    The width adapts to the curve, which is steep where inhibition nearly cancels excitation.
    """
    middle = float(curve(input_rate))
    if not middle > 0:
        return math.nan
    low, high = (float(np.clip((1 + sign * change) * middle, curve.rates[0], curve.rates[-1])) for sign in (-1.0, 1.0))
    width = curve.inverse(high) - curve.inverse(low)
    return (high - low) / middle / (width / input_rate) if width > 0 else math.nan


def measure_point(neurons: Sequence[Neuron], plan: Plan, balance: float, rate: float, seed: int) -> Arrays:
    """Find where neurons fire at a rate, and measure there their curves and depths of modulation.

    Returns
    -------
    dict
        ``input_rate`` (spikes/s, NaN where a neuron cannot be used), ``reached`` (whether it fires at the rate);
        ``distances``, shape (2, neurons, points), relative changes of the excitatory drive by excitation and by
        inhibition; ``rates``, ``errors_of_mean``, ``lost``, of the same shape, of the output; ``slopes``, shape
        (2, neurons); ``depths``, ``noises``, shape (2, neurons), amplitude of sinusoids and standard deviation of noise
        at factor 1.
    """
    common = np.geomspace(*_RANGE, 12) * (EPSP / plan.epsp)
    background = {"balance": balance, "epsp": plan.epsp, "warm_up": plan.warm_up}
    coarse = stationary_curves(neurons, [common] * len(neurons), n_trials=2, duration=2000.0, seed=seed, **background)
    found = _points(neurons, coarse, rate)
    usable = [n for n, point in enumerate(found["input_rate_per_s"]) if np.isfinite(point)]
    near = [found["input_rate_per_s"][n] * np.array([0.5, 0.7, 0.85, 1.0, 1.18, 1.4, 2.0]) for n in usable]
    chosen = [neurons[n] for n in usable]
    fine = stationary_curves(
        chosen, near, n_trials=plan.local_trials, duration=plan.local_duration, seed=seed + 1, **background
    )
    found = _points(neurons, pd.concat([coarse, fine]), rate)
    inputs = found["input_rate_per_s"].to_numpy(dtype=np.float64)
    distances, rates, errors_of_mean, lost = _measure_local(neurons, plan, balance, inputs, seed + 2)
    slopes = np.full((2, len(neurons)), np.nan)
    for kind, n in itertools.product(range(2), range(len(neurons))):
        if np.isfinite(inputs[n]):
            curve = local_curve(
                distances[kind, n], rates[kind, n], errors_of_mean[kind, n], lost[kind, n], plan.local_trials
            )
            slopes[kind, n] = math.nan if curve is None else secant_slope(curve, 1.0)
    slopes[:, ~np.isfinite(inputs)] = np.nan
    widest = np.array([[1.0], [balance]])
    with np.errstate(invalid="ignore", divide="ignore"):
        depths = np.clip(SINUSOID / slopes, _SHALLOWEST, _DEEPEST * widest)
        noises = np.clip(SYNTHETIC / slopes, _SHALLOWEST, _DEEPEST_SYNTHETIC * widest)
    depths[~(slopes > 0)] = noises[~(slopes > 0)] = np.nan
    limits = LARGEST / np.maximum(_largest_gain(neurons, plan, balance, inputs, depths[0], seed + 3), 1e-9)
    return {
        "input_rate": inputs,
        "reached": found["reached"].to_numpy() == "yes",
        "distances": distances,
        "rates": rates,
        "errors_of_mean": errors_of_mean,
        "lost": lost,
        "slopes": slopes,
        "depths": np.maximum(np.minimum(depths, limits), _SHALLOWEST),
        "noises": noises,
    }


def local_curve(
    distances: Floats, rates: Floats, errors_of_mean: Floats, lost: Floats, trials: int
) -> RateCurve | None:
    """Return the rate against the relative drive, 1 at the working point, or None if too little was measured."""
    table = pd.DataFrame(
        {
            "input_rate_per_s": 1.0 + distances,
            "rate_per_s": rates,
            "sem_per_s": errors_of_mean,
            "trials": trials,
            "lost": lost,
        }
    ).assign(model="", pattern="")
    try:
        return curve_of(table[np.isfinite(table["rate_per_s"]) | (table["lost"] > 0)], "", "")
    except AmatError:
        return None


def _points(neurons: Sequence[Neuron], curves: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Return working points, with NaN where a neuron is silent or its state diverges at nearly all inputs."""
    rows = []
    for neuron in neurons:
        own = curves[(curves["model"] == neuron.model) & (curves["pattern"] == neuron.pattern)]
        try:
            rows.append(find_working_points(own, target=rate).iloc[0].to_dict())
        except AmatError:
            rows.append({"input_rate_per_s": math.nan, "reached": "no"})
    return pd.DataFrame(rows)


def _measure_local(
    neurons: Sequence[Neuron], plan: Plan, balance: float, inputs: Floats, seed: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Measure rates at stationary inputs around the working points, changed by excitation and by inhibition."""
    side = np.geomspace(*_LOCAL, plan.n_local)
    shape = (2, len(neurons), 2 * plan.n_local + 1)
    distances, rates, errors_of_mean, lost = (np.full(shape, np.nan) for _ in range(4))
    usable = [n for n in range(len(neurons)) if np.isfinite(inputs[n])]

    def count(run: InputRun) -> Floats:
        counts = np.bincount(run.senders[run.times > plan.warm_up], minlength=len(run.alive))
        return np.where(run.alive, 1e3 * counts / plan.local_duration, np.nan)

    for kind, most in enumerate((0.98, balance)):
        offsets = np.concatenate([-np.minimum(side, 0.98)[::-1], [0.0], np.minimum(side, most if kind else math.inf)])
        distances[kind] = offsets
        conditions = [
            [
                ModulatedInput(inputs[n], inputs[n] * (1 - x / balance))
                if kind
                else ModulatedInput(inputs[n] * (1 + x), inputs[n])
                for x in offsets.tolist()
            ]
            for n in usable
        ]
        synapses = [balanced_synapses(neurons[n], balance=balance, epsp=plan.epsp) for n in usable]
        duration = plan.warm_up + plan.local_duration
        found = simulate_inputs(
            [neurons[n] for n in usable], synapses, conditions, plan.local_trials, duration, seed + 4 * kind, count
        )
        for n, sample in zip(usable, found, strict=True):
            alive = np.isfinite(sample).sum(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                rates[kind, n] = np.nansum(sample, axis=1) / alive
                spread = np.nansum((sample - rates[kind, n][:, np.newaxis]) ** 2, axis=1)
                errors_of_mean[kind, n] = np.sqrt(spread / np.where(alive > 1, alive - 1, np.nan) / alive)
            lost[kind, n] = plan.local_trials - alive
    return distances, rates, errors_of_mean, lost


def _largest_gain(
    neurons: Sequence[Neuron], plan: Plan, balance: float, inputs: Floats, depths: Floats, seed: int
) -> Floats:
    """Return the largest gain of a pilot with half the depth; NaN where there is none."""
    half = dataclasses.replace(plan, depths=(0.5,), frequencies=_PILOT, n_trials=4, n_windows=2)
    z, power, counts, _ = measure_sinusoids(
        neurons, half, [("poisson", 0.5)], balance, inputs, np.stack([depths] * 2), seed
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = (power - np.abs(z) ** 2) / (half.n_trials * half.n_windows - 1)
        gain = np.sqrt(np.maximum(np.abs(z) ** 2 - noise, 0.0)) / counts / (0.5 * depths[:, np.newaxis, np.newaxis])
    return np.asarray(np.nan_to_num(gain).max(axis=(1, 2)), dtype=np.float64)
