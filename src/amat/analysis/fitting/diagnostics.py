# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Tests of a fitted escape rate: time rescaling, and residuals by repeat.

References
----------
.. [1] Brown EN et al. (2002). Neural Comput. 14:325-346. doi:10.1162/08997660252741149
.. [2] Haslinger R, Pipa G, Brown E (2010). Neural Comput. 22:2477-2506. doi:10.1162/NECO_a_00015
"""

from dataclasses import dataclass

import numpy as np

from amat.analysis.fitting.features import Design
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.recording import NeuronRecording
from amat.arrays import Floats

__all__ = ["Rescaling", "Residuals", "rescale_time", "residuals_by_repeat"]

#: Critical value of the Kolmogorov-Smirnov distance times the square root of the number, at 5 %.
_CRITICAL = 1.358


@dataclass(frozen=True)
class Rescaling:
    """Inter-spike intervals in rescaled time, which are uniformly distributed if the model is true.

    Attributes
    ----------
    intervals : ndarray, shape (intervals,)
        Values from 0 to 1, ascending.
    distance : float
        Kolmogorov-Smirnov distance from the uniform distribution.
    band : float
        The distance that 5 % of true models exceed.
    """

    intervals: Floats
    distance: float
    band: float


def rescale_time(
    model: FittedModel, recording: NeuronRecording, window: tuple[float, float], seed: int = 1
) -> Rescaling:
    """Return the intervals between spikes in rescaled time, of all repeats [1]_.

    The part of a step before its spike is drawn at random, which removes the bias of discrete time [2]_.

    Parameters
    ----------
    model : FittedModel
    recording : NeuronRecording
    window : (float, float)
        Start and end in ms.
    seed : int

    Returns
    -------
    Rescaling
    """
    design = Design(recording, model.kind, window, refr_T=model.refr_T, delay=model.delay)
    design.update(model.taus)
    random, found = np.random.default_rng(seed), []
    for trial in design.trials:
        if len(trial.spiking) < 2:
            continue
        expected = model.dt * np.exp(np.minimum(model.coefficients @ trial.values, 300.0))
        count = len(trial.silent)
        before = np.concatenate([[0.0], np.cumsum(expected[:count])])[np.searchsorted(trial.silent, trial.spiking)]
        # Within the step of a spike: an exponential variable that is known to be below the step's hazard.
        last = -np.log1p(np.expm1(-expected[count:]) * random.random(len(trial.spiking)))
        found.append(-np.expm1(-(np.diff(before) + last[1:])))
    intervals = np.sort(np.concatenate(found)) if found else np.empty(0)
    size = max(len(intervals), 1)
    ranks = np.arange(len(intervals) + 1) / size
    gaps = np.concatenate([np.abs(intervals - ranks[:-1]), np.abs(intervals - ranks[1:])])
    return Rescaling(intervals, float(gaps.max(initial=0.0)), _CRITICAL / np.sqrt(size))


@dataclass(frozen=True)
class Residuals:
    """Observed and expected spikes by repeat and block of time.

    Attributes
    ----------
    edges : ndarray, shape (blocks + 1,)
        In ms.
    observed, expected : ndarray, shape (repeats, blocks)
    """

    edges: Floats
    observed: Floats
    expected: Floats

    @property
    def standardised(self) -> Floats:
        """Cumulated differences over the root of all expected spikes, shape (repeats, blocks)."""
        total = np.sqrt(np.maximum(self.expected.sum(axis=1, keepdims=True), 1e-12))
        return np.asarray(np.cumsum(self.observed - self.expected, axis=1) / total)


def residuals_by_repeat(
    model: FittedModel, recording: NeuronRecording, window: tuple[float, float], block: float = 1000.0
) -> Residuals:
    """Return observed and expected spikes; a repeat that drifts departs from the others.

    Parameters
    ----------
    model : FittedModel
    recording : NeuronRecording
    window : (float, float)
        Start and end in ms.
    block : float
        Length of the blocks in ms.

    Returns
    -------
    Residuals
    """
    design = Design(recording, model.kind, window, refr_T=model.refr_T, delay=model.delay, block=block)
    design.update(model.taus)
    observed, expected = np.zeros((2, len(design.trials), design.blocks))
    for row, trial in enumerate(design.trials):
        for piece in trial.pieces(design.edges):
            observed[row, piece.block] = piece.spiking.shape[1]
            for part in (piece.silent, piece.spiking):
                hazard = model.dt * np.exp(np.minimum(model.coefficients @ part, 300.0))
                expected[row, piece.block] -= np.expm1(-hazard).sum()
    return Residuals(np.asarray(design.edges * model.dt, dtype=np.float64), observed, expected)
