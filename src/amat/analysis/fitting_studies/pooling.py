# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""One AMAT for several currents: whether it predicts each of them, and whether its resistance is why it does not.

A neuron's input resistance may fall with its depolarisation, so that different mean currents see different neurons. If
that is the reason why one model fails for all currents, a factor for each current, measured in the membrane potential
or fitted to the spikes, must restore the predictions of separate fits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from amat.analysis.fitting.convert import measure_scale
from amat.analysis.fitting.features import Design, TimeConstants
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.likelihood import maximise
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.prediction import bits_per_spike
from amat.analysis.fitting.recording import NeuronRecording
from amat.analysis.fitting.scores import score
from amat.analysis.fitting_studies.recordings import PublishedRecording
from amat.arrays import Floats

__all__ = ["compare_pooling"]

#: Largest distance of coincident spikes in ms.
_DELTA = 2.0
_EVALUATIONS = 60  # of the likelihood, for each parameter that differs between currents


@dataclass(frozen=True)
class _Transform:
    """Factors of the currents, and constant currents in pA that are added to them."""

    factors: Floats
    constants: Floats

    def apply(self, published: Sequence[PublishedRecording]) -> list[NeuronRecording]:
        """Return the recordings with transformed currents, without their membrane potentials."""
        return [
            NeuronRecording(factor * each.recording.current + constant, each.recording.spikes, each.recording.dt)
            for each, factor, constant in zip(published, self.factors, self.constants, strict=True)
        ]


def _pool(recordings: Sequence[NeuronRecording]) -> NeuronRecording:
    """Return one recording with all repeats of several."""
    spikes = [train for each in recordings for train in each.spikes]
    return NeuronRecording(np.vstack([each.current for each in recordings]), spikes, recordings[0].dt)


def compare_pooling(
    published: Sequence[PublishedRecording],
    *,
    samples: int = 1000,
    seed: int = 1,
    progress: Callable[[str], None] = lambda text: None,
) -> pd.DataFrame:
    """Predict held-out spikes of each current by separate models and by models of all currents.

    Parameters
    ----------
    published : sequence of PublishedRecording
        Of one neuron, with the same windows of training and held-out data.
    samples, seed : int
        Of the bootstrap.
    progress : callable
        Called with a description of each fit that begins.

    Returns
    -------
    pandas.DataFrame
        One row per treatment and recording: ``treatment``, ``recording``, ``reading``, ``factor`` and ``constant_pA``
        of the current, ``resistance_MOhm`` measured in the membrane potential, Gamma / Gamma_int at 2 ms and bits per
        spike with intervals.
    """
    window = published[0].training
    refr_T = min(each.recording.shortest_interval - each.recording.dt for each in published)
    refr_T = min(refr_T, 5.0)
    delay = _common_delay(published, refr_T)
    settings: dict[str, Any] = {"refr_T": refr_T, "delay": delay, "samples": 2}
    resistances = np.array([measure_scale(each.recording, window).resistance for each in published])
    count = len(published)
    same = _Transform(np.ones(count), np.zeros(count))

    def fit(recording: NeuronRecording, label: str, starts: Sequence[TimeConstants] = ()) -> FittedModel:
        progress(label)
        return fit_model(recording, "amat", window, starts=starts, **settings)

    pooled = fit(_pool(same.apply(published)), "pooled")
    measured = _Transform(resistances / resistances.mean(), np.zeros(count))
    models: dict[str, tuple[_Transform, list[FittedModel]]] = {
        "separate": (same, [fit(each.recording, f"separate: {each.cell.name}") for each in published]),
        "others": (
            same,
            [fit(_pool(_without(published, k)), f"without {published[k].cell.name}") for k in range(count)],
        ),
        "pooled": (same, [pooled] * count),
        "measured_factors": (measured, [fit(_pool(measured.apply(published)), "factors by resistance")] * count),
    }
    for name, shapes in (("fitted_factors", (1, 0)), ("fitted_constants", (0, 1)), ("fitted_both", (1, 1))):
        progress(name)
        transform = _fit_transform(published, pooled, shapes)
        models[name] = transform, [fit(_pool(transform.apply(published)), name, [pooled.taus])] * count
    return pd.DataFrame(
        [
            {
                "treatment": name,
                **_row(each, transform.apply(published)[k], fitted[k], samples, seed),
                "factor": transform.factors[k],
                "constant_pA": transform.constants[k],
                "resistance_MOhm": resistances[k],
            }
            for name, (transform, fitted) in models.items()
            for k, each in enumerate(published)
        ]
    )


def _without(published: Sequence[PublishedRecording], number: int) -> list[NeuronRecording]:
    """Return all recordings but one."""
    return [each.recording for k, each in enumerate(published) if k != number]


def _common_delay(published: Sequence[PublishedRecording], refr_T: float) -> float:
    """Return the delay in ms of the largest likelihood of separate fits, among whole samples around zero."""
    dt = published[0].recording.dt

    def likelihood(steps: int) -> float:
        return sum(
            fit_model(
                each.recording, "amat", each.training, refr_T=refr_T, delay=steps * dt, grid=4, samples=2
            ).log_likelihood
            for each in published
        )

    return max(range(-2, 2), key=likelihood) * dt


def _fit_transform(published: Sequence[PublishedRecording], pooled: FittedModel, shapes: tuple[int, int]) -> _Transform:
    """Return the factors, constants or both of the largest likelihood of training data, at the pooled time constants.

    The first current is not transformed.
    """
    count = len(published)
    spread = np.array([each.recording.current.std() for each in published])

    def transform(x: Floats) -> _Transform:
        factors, constants = np.ones(count), np.zeros(count)
        if shapes[0]:
            factors[1:] = np.exp(x[: count - 1])
        if shapes[1]:
            constants[1:] = x[-(count - 1) :] * spread[1:]
        return _Transform(factors, constants)

    def loss(x: Floats) -> float:
        recording = _pool(transform(x).apply(published))
        design = Design(recording, "amat", pooled.window, refr_T=pooled.refr_T, delay=pooled.delay)
        return -maximise(design.update(pooled.taus), pooled.dt, None, tolerance=1e-4)[1]

    size = (count - 1) * sum(shapes)
    simplex = np.vstack([np.zeros(size), 0.3 * np.eye(size)])
    options: Any = {"initial_simplex": simplex, "maxfev": _EVALUATIONS * size, "xatol": 0.005, "fatol": 0.1}
    return transform(np.asarray(minimize(loss, np.zeros(size), method="Nelder-Mead", options=options).x))


def _row(
    published: PublishedRecording, transformed: NeuronRecording, model: FittedModel, samples: int, seed: int
) -> dict[str, Any]:
    """Return the scores of a model on the held-out data of one current."""
    window = published.held_out
    groups = transformed.groups
    predictions = [model.predict(current) for current, _ in groups]
    data = [[published.recording.spikes[row] for row in rows] for _, rows in groups]
    found = score(predictions, data, window, _DELTA, samples=samples)
    bits, (low, high) = bits_per_spike(model, transformed, window, samples=samples, seed=seed)
    return {
        "recording": published.cell.name,
        "reading": published.reading,
        "tau_m": model.taus.tau_m,
        "tau_v": model.taus.tau_v,
        "gamma_int_2_ms": found.gamma_int,
        "gamma_2_ms": found.gamma,
        "ratio_2_ms": found.ratio,
        "ratio_low_2_ms": found.ratio_interval[0],
        "ratio_high_2_ms": found.ratio_interval[1],
        "bits_per_spike": bits,
        "bits_low": low,
        "bits_high": high,
    }
