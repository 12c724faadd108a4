# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Rate models at all working points of a grid: fits, explained variance, and irregularity, over seeds."""

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from amat.analysis.rate_models.curves import RateCurve
from amat.analysis.rate_models.filters import FilterFit, FilterKind, fit_filter
from amat.analysis.rate_models.synthetic import predict
from amat.analysis.transfer import signal_to_noise
from amat.analysis.working_points.grid import measure_grid
from amat.analysis.working_points.plan import BIN_WIDTH, WINDOW, Plan
from amat.analysis.working_points.points import local_curve
from amat.analysis.working_points.shards import Arrays, Shards
from amat.arrays import Complexes, Floats
from amat.neurons import Neuron

__all__ = ["evaluate_grid"]

#: Predictions of the response to noise.
_PREDICTIONS = ("static", *get_args(FilterKind))


def evaluate_grid(neurons: Sequence[Neuron], plan: Plan, shards: Shards) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure a grid of working points, fit the rate models at each, and score them.

    Parameters
    ----------
    neurons, plan, shards
        See `amat.analysis.working_points.grid.measure_grid`.

    Returns
    -------
    grid : pandas.DataFrame
        One row per working point, modulated input, neuron and set of seeds: rate, balance, input ("poisson" for
        modulated excitation, or "inhibition"), depth (factor), model, pattern, left_out (-1 for all seeds, or the
        seed that is left out, for intervals by the jackknife), reached (whether the neuron can fire at the rate),
        rate_per_s, cv, serial_correlation, fano, snr_per_s (median up to 30 Hz), ceiling (part of the transfer
        function's power that is not noise), gain_of_aicc (of the band-pass over the low-pass), peak_ratio, and the
        part of the response to noise that each prediction explains: static, low_pass, band_pass.
    responses : pandas.DataFrame
        One row per working point, input, neuron, frequency and seed: real, imag, sem of the relative transfer function.
    """
    rows: list[dict[str, object]] = []
    responses: list[dict[str, object]] = []
    for rate, balance, point, repetitions in measure_grid(neurons, plan, shards):
        for number, neuron in enumerate(neurons):
            about = {"rate": rate, "balance": balance, "model": neuron.model, "pattern": neuron.pattern}
            for place, (kind, depth) in enumerate(plan.conditions):
                condition = _Condition(plan, point, repetitions, number, place)
                if not condition.known:
                    continue
                here = {**about, "input": kind, "depth": depth, "reached": bool(point["reached"][number])}
                fits: dict[str, FilterFit] = {}
                for left_out in (-1, *range(len(repetitions))):
                    kept = [k for k in range(len(repetitions)) if k != left_out]
                    scores, found = condition.score(kept, fits)
                    fits = fits or found
                    rows.append({**here, "left_out": left_out, **scores})
                responses += [{**here, **row} for row in condition.spectrum()]
    return pd.DataFrame(rows), pd.DataFrame(responses)


class _Condition:
    """One neuron at one working point under one modulated input, in all repetitions."""

    def __init__(self, plan: Plan, point: Arrays, repetitions: Sequence[Arrays], number: int, place: int) -> None:
        self.plan, self.repetitions, self.number, self.place = plan, repetitions, number, place
        kind, factor = plan.conditions[place]
        row = int(kind == "inhibition")
        self.depth = factor * float(point["depths"][row, number])
        self.noise = factor * float(point["noises"][row, number])
        self.slope = float(point["slopes"][row, number])
        distances, rates, errors_of_mean, lost = (
            point[name][row, number] for name in ("distances", "rates", "errors_of_mean", "lost")
        )
        self.curve: RateCurve | None = local_curve(distances, rates, errors_of_mean, lost, plan.local_trials)
        self.known = (
            self.curve is not None and self.slope > 0 and all(one["alive"][number, place] for one in repetitions)
        )

    def _stack(self, name: str, kept: Sequence[int]) -> Floats:
        return np.stack([self.repetitions[k][name][self.number, self.place] for k in kept])

    def pooled(self, kept: Sequence[int]) -> tuple[Complexes, Floats, Floats, float]:
        """Return the relative transfer function, its standard errors, the coherence, and the rate."""
        each = self.plan.n_trials * self.plan.n_windows
        count = each * len(kept)
        z = np.stack([self.repetitions[k]["z"][self.number, self.place] for k in kept]).mean(axis=0)
        power = self._stack("power", kept).mean(axis=0)
        variance = np.maximum(power - np.abs(z) ** 2, 0.0) * count / (count - 1)
        rate = float(self._stack("rates", kept).mean())
        scale = rate * self.depth if rate > 0 else math.nan
        signal = np.maximum(np.abs(z) ** 2 - variance / count, 0.0)
        coherence = np.divide(signal, power, out=np.zeros_like(power), where=power > 0)
        return z / scale, np.sqrt(variance / count / 2) / scale, coherence, rate

    def spectrum(self) -> list[dict[str, object]]:
        """Return the relative transfer function in each repetition, one row per frequency."""
        rows: list[dict[str, object]] = []
        for k in range(len(self.repetitions)):
            h, sem, _, _ = self.pooled([k])
            for f, value, error in zip(self.plan.frequencies, h, sem, strict=True):
                numbers = {"real": float(value.real), "imag": float(value.imag), "sem": float(error)}
                rows.append({"frequency_Hz": f, "seed": k, **{name: float(f"{x:.4g}") for name, x in numbers.items()}})
        return rows

    def score(self, kept: Sequence[int], starts: dict[str, FilterFit]) -> tuple[dict[str, float], dict[str, FilterFit]]:
        """Return measures of some repetitions, and the fits to them."""
        h, sem, coherence, rate = self.pooled(kept)
        total = float(np.sum(np.abs(h) ** 2))
        slow = np.array(self.plan.frequencies) <= 30.0
        irregular = {
            name: float(np.mean([self.repetitions[k][source][self.number] for k in kept]))
            for name, source in (("cv", "cv"), ("serial_correlation", "serial"))
        }
        fits = {
            kind: fit_filter(kind, self.plan.frequencies, h, sem, start=starts.get(kind))
            for kind in get_args(FilterKind)
        }
        return {
            "rate_per_s": rate,
            **irregular,
            "fano": float(np.median(self._stack("fano", kept))),
            "snr_per_s": float(np.median(signal_to_noise(np.minimum(coherence, 1.0), window=WINDOW)[slow])),
            "ceiling": 1.0 - float(np.sum(2 * sem**2)) / total if total > 0 else math.nan,
            "gain_of_aicc": fits["low-pass"].aicc - fits["band-pass"].aicc,
            "peak_ratio": fits["band-pass"].peak()[1],
            **self._explain(kept, fits),
        }, fits

    def _explain(self, kept: Sequence[int], fits: dict[str, FilterFit]) -> dict[str, float]:
        """Return the part of the response to noise that each prediction explains, without noise, over repetitions."""
        assert self.curve is not None
        signal, errors = 0.0, dict.fromkeys(_PREDICTIONS, 0.0)
        unit = 1e3 / BIN_WIDTH / (self.plan.synthetic_trials / 2)
        for k in kept:
            course = self.noise * self.plan.course(k)
            first, second = (unit * self.repetitions[k][half][self.number, self.place] for half in ("first", "second"))
            noise = float(np.var(first - second, ddof=1)) / 4
            signal += float(np.cov(first, second)[0, 1])
            for name in _PREDICTIONS:
                predicted = predict(self.curve, 1.0, course, fits.get(name), slope=self.slope)
                errors[name] += float(np.mean((0.5 * (first + second) - predicted) ** 2)) - noise
        return {
            name.replace("-", "_"): 1.0 - error / signal if signal > 0 else math.nan for name, error in errors.items()
        }
