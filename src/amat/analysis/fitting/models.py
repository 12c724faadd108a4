# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fit of one model to a recording: time constants, coefficients, their covariance and a bootstrap."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from amat.analysis.fitting.estimates import COARSE, check_refractory_time, estimate_delay, estimate_refractory_time
from amat.analysis.fitting.features import Design, Kind, TimeConstants
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.prediction import calibrate
from amat.analysis.fitting.recording import NeuronRecording
from amat.analysis.fitting.resampling import block_length, draw_blocks
from amat.analysis.fitting.search import RIVAL, Joint, Optimum, find_optima, refine, scan
from amat.arrays import Floats

__all__ = ["fit_model"]


def fit_model(
    recording: NeuronRecording,
    kind: Kind = "amat",
    window: tuple[float, float] | None = None,
    *,
    refr_T: float | None = None,
    delay: float | None = None,
    taus: TimeConstants | None = None,
    free: Sequence[str] = ("tau_m", "tau_v"),
    grid: int = 8,
    starts: Sequence[TimeConstants] = (),
    samples: int = 1000,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FittedModel:
    """Fit a model to a recording by maximum likelihood, and calibrate its deterministic version.

    Parameters
    ----------
    recording : NeuronRecording
    kind : {"lif", "mat", "amat", "ceiling"}
        Leaky integrate-and-fire with reset; adaptive threshold without (MAT) and with (AMAT) dependence on the
        membrane potential; AMAT with four more time constants of the threshold.
    window : (float, float), optional
        Start and end of the training data in ms. Default: all.
    refr_T : float, optional
        Absolute refractory time in ms. Default: `estimate_refractory_time`.
    delay : float, optional
        Delay of the recorded spikes in ms. Default: `estimate_delay`.
    taus : TimeConstants, optional
        Values of the time constants that are not free.
    free : sequence of str
        Time constants to fit; those that the model lacks are left out. Empty: none.
    grid : int
        Points per time constant of the first search.
    starts : sequence of TimeConstants
        Optima of a nested model, from which to search in place of the grid.
    samples : int
        Bootstrap samples.
    seed : int
        Of the bootstrap.
    progress : callable
        Called with the number of grid cells done, and in total.

    Returns
    -------
    FittedModel

    Raises
    ------
    RecordingError
        If an interval is shorter than the refractory time.
    """
    window = (0.0, recording.duration) if window is None else window
    refr_T = estimate_refractory_time(recording) if refr_T is None else refr_T
    check_refractory_time(recording, refr_T)
    delay = estimate_delay(recording, window, refr_T) if delay is None else delay
    taus = taus or TimeConstants()
    known = {"lif": ("tau_m",), "mat": ("tau_m", "tau_1", "tau_2")}.get(kind, ("tau_m", "tau_v", "tau_1", "tau_2"))
    names = tuple(name for name in known if name in free)
    stride = max(1, round(COARSE / recording.dt))
    coarse = Design(recording, kind, window, refr_T=refr_T, delay=delay, stride=stride)
    profile = None
    if not names or starts:
        optima = [Optimum.at(start) for start in starts] or [Optimum.at(taus)]
    else:
        profile = scan(coarse, names, taus, grid, progress)
        optima = find_optima(coarse, names, profile)
    fine = Design(recording, kind, window, refr_T=refr_T, delay=delay, block=block_length(window))
    found = sorted((refine(fine, names, optimum) for optimum in optima), key=lambda pair: -pair[0].log_likelihood)
    best, joint = found[0]
    model = FittedModel(
        kind=kind,
        coefficients=best.coefficients,
        taus=best.taus,
        free=names,
        covariance=np.zeros((0, 0)),
        bootstrap=np.zeros((0, 0)),
        blocks=fine.blocks,
        log_likelihood=best.log_likelihood,
        level=0.0,
        dt=recording.dt,
        window=window,
        spikes=fine.spikes,
        rivals=_rivals([optimum for optimum, _ in found], names),
        profile=profile,
        refr_T=refr_T,
        delay=delay,
    )
    covariance, bootstrap = _uncertainty(model, joint, samples, seed)
    model = dataclasses.replace(model, covariance=covariance, bootstrap=bootstrap)
    return dataclasses.replace(model, level=calibrate(model, recording, window))


def _rivals(optima: Sequence[Optimum], names: Sequence[str]) -> list[Optimum]:
    """Return the optima other than the best one whose likelihood is not far below."""
    best = optima[0]
    kept: list[Optimum] = []
    for optimum in optima[1:]:
        known = [best, *kept]
        near = (
            all(abs(np.log(getattr(optimum.taus, n) / getattr(other.taus, n))) < 0.05 for n in names) for other in known
        )
        if best.log_likelihood - optimum.log_likelihood < RIVAL and not any(near):
            kept.append(optimum)
    return kept


def _uncertainty(model: FittedModel, joint: Joint, samples: int, seed: int) -> tuple[Floats, Floats]:
    """Return the covariance from the Hessian, and bootstrap samples of the parameters.

    A sample draws blocks of time with replacement, with all their repeats, and takes one step of Fisher scoring.
    """
    size = len(model.values)
    kept = [k for k, name in enumerate(model.names) if name not in model.at_bound]
    covariance, draws = np.full((size, size), np.nan), np.tile(model.values, (samples, 1))
    inner = np.ix_(kept, kept)
    covariance[inner] = np.linalg.pinv(joint.information.sum(axis=0)[inner], hermitian=True)
    weights = draw_blocks(len(joint.gradient), samples, seed) - 1.0
    draws[:, kept] += weights @ joint.gradient[:, kept] @ covariance[inner]
    draws[:, [k for k in range(size) if k not in kept]] = np.nan
    return covariance, draws
