# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Prediction of held-out spikes by models that are fitted to the same training data.

Four models are fitted by maximum likelihood: leaky integrate-and-fire with reset, MAT, AMAT, and AMAT with six time
constants of the threshold. AMAT and Izhikevich's neuron are also fitted by direct maximisation of the coincidence
factor Gamma, with equal budgets. A model is judged only on recordings whose Gamma_int, of the held-out data at 2 ms,
is at least `amat.analysis.fitting.scores.LEAST_RELIABLE`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from amat.analysis.fitting.estimates import estimate_delay, estimate_refractory_time
from amat.analysis.fitting.features import KINDS
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.prediction import bits_per_spike, gain_by_block
from amat.analysis.fitting.resampling import draw_blocks, percentile_interval
from amat.analysis.fitting.scores import LARGEST_CHANCE, Score, score
from amat.analysis.fitting_studies.direct import DirectFit, DirectModel, fit_directly
from amat.analysis.fitting_studies.recordings import PublishedRecording
from amat.arrays import Floats, Integers
from amat.simulation.reference import refractory_steps

__all__ = ["DELTAS", "Gain", "compare_models", "is_reliable", "paired_gain"]

#: Windows of coincidence in ms.
DELTAS = (2.0, 4.0)
_DIRECT: tuple[DirectModel, ...] = ("amat", "izhikevich")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Gain:
    """A difference in bits per spike with its 95 % interval from a bootstrap of blocks of time.

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float


def is_reliable(published: PublishedRecording) -> bool:
    """Return whether Gamma_int of the held-out data at 2 ms is large enough to judge a model."""
    return _score([np.zeros(0)], published, DELTAS[0], samples=1).reliable


def paired_gain(ours: Floats, theirs: Floats, spikes: Integers, *, samples: int = 1000, seed: int = 1) -> Gain:
    """Return a model's gain over another in bits per spike, on the same blocks of time.

    Parameters
    ----------
    ours, theirs : ndarray, shape (blocks,)
        Gains over a constant rate in bits, as `gain_by_block` returns them.
    spikes : ndarray of int, shape (blocks,)
    samples, seed : int
        Of the bootstrap.
    """
    count = len(spikes)
    weights = draw_blocks(count, samples, seed)
    drawn = weights @ spikes
    ratios = (weights @ (ours - theirs))[drawn > 0] / drawn[drawn > 0]
    return Gain(float((ours - theirs).sum() / spikes.sum()), *percentile_interval(ratios, count))


def _score(predictions: Sequence[Floats], published: PublishedRecording, delta: float, samples: int) -> Score:
    """Score one prediction for each different current."""
    groups = published.recording.groups
    data = [[published.recording.spikes[row] for row in rows] for _, rows in groups]
    window = published.held_out
    predictions = list(predictions) * (len(groups) if len(predictions) == 1 else 1)
    return score(predictions, data, window, delta, samples=samples)


def _allowed(published: PublishedRecording) -> list[float]:
    """Return the windows of `DELTAS` in which chance does not explain the recorded coincidences."""
    start, end = published.held_out
    rate = max(((train >= start) & (train < end)).sum() for train in published.recording.spikes) / (end - start)
    return [delta for delta in DELTAS if 2 * rate * delta <= LARGEST_CHANCE]


def _gamma_columns(predictions: Sequence[Floats], published: PublishedRecording, samples: int) -> dict[str, float]:
    """Return the scores of a prediction at each window; empty where it is not allowed."""
    columns: dict[str, float] = {}
    for delta in DELTAS:
        if delta not in _allowed(published):
            continue
        found = _score(predictions, published, delta, samples)
        ending = f"{delta:g}_ms"
        columns |= {f"gamma_int_{ending}": found.gamma_int, f"gamma_{ending}": found.gamma}
        columns |= {f"ratio_{ending}": found.ratio}
        columns |= dict(zip((f"ratio_low_{ending}", f"ratio_high_{ending}"), found.ratio_interval, strict=True))
    return columns


def compare_models(
    published: PublishedRecording,
    *,
    samples: int = 1000,
    population: int = 96,
    generations: int = 100,
    seed: int = 1,
    progress: Progress = lambda text: None,
) -> pd.DataFrame:
    """Fit all models to a recording's training data and score them on the held-out data.

    Parameters
    ----------
    published : PublishedRecording
    samples : int
        Bootstrap samples.
    population, generations : int
        The budget of the direct searches.
    seed : int
        Of the bootstrap and of the direct searches.
    progress : callable
        Called with a description of each fit that begins.

    Returns
    -------
    pandas.DataFrame
        One row per model: ``recording``, ``reading``, ``reliable``, ``model``, ``method``, time constants in ms, rate
        of the prediction in spikes/s, scores at each window of `DELTAS`, bits per spike, and their gain over MAT. One
        row without a model for a recording that is not reliable.
    """
    recording = published.recording
    common: dict[str, Any] = {"recording": published.cell.name, "reading": published.reading}
    common["reliable"] = is_reliable(published)
    if not common["reliable"]:
        columns = _gamma_columns([np.zeros(0)], published, samples=1)
        return pd.DataFrame([common | {name: value for name, value in columns.items() if "gamma_int" in name}])
    refr_T = estimate_refractory_time(recording)
    delay = estimate_delay(recording, published.training, refr_T)
    common |= {"refr_T": refr_T, "delay": delay}
    fits: dict[str, FittedModel] = {}
    for kind in KINDS:
        progress(f"{published.cell.name}, {published.reading}: {kind}")
        fits[kind] = fit_model(recording, kind, published.training, refr_T=refr_T, delay=delay, samples=2, seed=seed)
    rows = [common | row for row in _likelihood_rows(fits, published, samples, seed)]
    for model in _DIRECT:
        progress(f"{published.cell.name}, {published.reading}: {model}, direct")
        found = _search(model, published, refr_T, delay, (population, generations, seed))
        rows.append(common | _direct_row(found, published, samples))
    return pd.DataFrame(rows)


def _search(
    model: DirectModel, published: PublishedRecording, refr_T: float, delay: float, budget: tuple[int, int, int]
) -> DirectFit:
    """Fit a model directly to the training data, with the refractory time and the delay of the other models."""
    recording = published.recording
    population, generations, seed = budget
    return fit_directly(
        model,
        recording.current_of(0),
        recording.spikes,
        published.training,
        dt=recording.dt,
        dead_steps=refractory_steps(refr_T, recording.dt),
        delay=delay,
        population=population,
        generations=generations,
        seed=seed,
    )


def _rate(times: Floats, window: tuple[float, float]) -> float:
    """Return the rate within a window in spikes/s."""
    return float(1e3 * ((times >= window[0]) & (times < window[1])).sum() / (window[1] - window[0]))


def _likelihood_rows(
    fits: Mapping[str, FittedModel], published: PublishedRecording, samples: int, seed: int
) -> list[dict[str, Any]]:
    """Return the rows of models that were fitted by maximum likelihood."""
    recording, window = published.recording, published.held_out
    drawn = {"samples": samples, "seed": seed}
    gains = {kind: gain_by_block(model, recording, window) for kind, model in fits.items()}
    rows = []
    for kind, model in fits.items():
        predictions = [model.predict(current) for current, _ in recording.groups]
        bits, (low, high) = bits_per_spike(model, recording, window, **drawn)
        row: dict[str, Any] = {"model": kind, "method": "likelihood", "spikes": model.spikes}
        row |= {"tau_m": model.taus.tau_m, "tau_v": model.taus.tau_v if "tau_v" in model.free else np.nan}
        row |= {"rate_per_s": _rate(predictions[0], window), **_gamma_columns(predictions, published, samples)}
        row |= {"bits_per_spike": bits, "bits_low": low, "bits_high": high}
        if kind != "mat":
            gain = paired_gain(gains[kind][0], gains["mat"][0], gains[kind][1], **drawn)
            row |= {"bits_over_mat": gain.value, "bits_over_mat_low": gain.low, "bits_over_mat_high": gain.high}
        rows.append(row)
    return rows


def _direct_row(direct: DirectFit, published: PublishedRecording, samples: int) -> dict[str, Any]:
    """Return the row of a model that was fitted directly."""
    row: dict[str, Any] = {"model": direct.model, "method": "direct", "evaluations": direct.evaluations}
    row |= {name: direct.parameters[name] for name in ("tau_m", "tau_v") if name in direct.parameters}
    row |= {"rate_per_s": _rate(direct.spike_times, published.held_out), "training_gamma": direct.gamma}
    return row | _gamma_columns([direct.spike_times], published, samples)
