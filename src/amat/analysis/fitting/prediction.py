# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Calibration of the deterministic neuron, and the likelihood of held-out spikes."""

import numpy as np

from amat.analysis.fitting.features import Design
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.free_run import drive_of, free_run
from amat.analysis.fitting.likelihood import evaluate
from amat.analysis.fitting.recording import NeuronRecording
from amat.analysis.fitting.resampling import block_length, draw_blocks, percentile_interval
from amat.analysis.fitting.scores import LARGEST_CHANCE, count_coincidences, gamma_from_counts
from amat.arrays import Floats, Integers
from amat.simulation.reference import refractory_steps

__all__ = ["bits_per_spike", "calibrate", "gain_by_block"]

#: Shifts of the threshold, in units of the noise Delta, among which the deterministic neuron's is chosen.
_LEVELS = np.arange(-6.0, 1.01, 0.125)


def calibrate(model: FittedModel, recording: NeuronRecording, window: tuple[float, float], delta: float = 2.0) -> float:
    """Return the level at which the deterministic neuron's Gamma is highest on training data.

    Parameters
    ----------
    model : FittedModel
    recording : NeuronRecording
    window : (float, float)
        Start and end of the training data in ms.
    delta : float
        Largest distance of coincident spikes in ms; less if chance would explain coincidences.
    """
    length = window[1] - window[0]
    inside = [train[(train >= window[0]) & (train < window[1])] for train in recording.spikes]
    fastest = max(len(train) for train in inside) / length
    delta = max(min(delta, LARGEST_CHANCE / 4 / fastest), recording.dt)
    gammas = np.zeros(len(_LEVELS))
    for current, rows in recording.groups:
        drive = drive_of(model.kind, model.coefficients, model.taus, current, model.dt)
        dead = refractory_steps(model.refr_T, model.dt)
        for number, level in enumerate(_LEVELS):
            steps = free_run(model.kind, model.coefficients, model.taus, drive, model.dt, dead, float(level))
            times = np.asarray((steps + 1 + round(model.delay / model.dt)) * model.dt, dtype=np.float64)
            times = times[(times >= window[0]) & (times < window[1])]
            for row in rows:
                hits = float(count_coincidences(inside[row], times, delta).sum())
                gammas[number] += float(gamma_from_counts(hits, len(inside[row]), len(times), length, delta))
    return float(_LEVELS[int(np.argmax(gammas))])


def gain_by_block(
    model: FittedModel, recording: NeuronRecording, window: tuple[float, float]
) -> tuple[Floats, Integers]:
    """Return the gain of log-likelihood over a constant rate, and the spikes, by block of time.

    The constant rate is that of the window, at steps in which the neuron could spike.

    Parameters
    ----------
    model : FittedModel
    recording : NeuronRecording
    window : (float, float)
        Start and end of the data in ms, for example those that were held out.

    Returns
    -------
    gain : ndarray, shape (blocks,)
        In bits.
    spikes : ndarray of int, shape (blocks,)
    """
    design = Design(recording, model.kind, window, refr_T=model.refr_T, delay=model.delay, block=block_length(window))
    pieces = design.update(model.taus)
    values = evaluate(pieces, model.coefficients, model.dt, order=0).value
    spikes, silent = np.zeros((2, design.blocks), dtype=np.int64)
    for piece in pieces:
        spikes[piece.block] += piece.spiking.shape[1]
        silent[piece.block] += piece.silent.shape[1]
    expected = max(spikes.sum(), 1) / (spikes.sum() + silent.sum())  # per step
    base = np.log(-np.expm1(-expected)) * spikes - expected * silent
    return (values - base) / np.log(2), spikes


def bits_per_spike(
    model: FittedModel,
    recording: NeuronRecording,
    window: tuple[float, float],
    *,
    samples: int = 1000,
    seed: int = 1,
) -> tuple[float, tuple[float, float]]:
    """Return the gain of log-likelihood over a constant rate in bits per spike, with a 95 % block-bootstrap interval.

    Parameters
    ----------
    model, recording, window
        As in `gain_by_block`.
    samples : int
        Bootstrap samples.
    seed : int

    Returns
    -------
    bits : float
        NaN without spikes.
    interval : (float, float)
    """
    gain, spikes = gain_by_block(model, recording, window)
    if not spikes.sum():
        return float("nan"), (float("nan"), float("nan"))
    count = len(gain)
    weights = draw_blocks(count, samples, seed)
    drawn = weights @ spikes
    ratios = (weights @ gain)[drawn > 0] / drawn[drawn > 0]
    return float(gain.sum() / spikes.sum()), percentile_interval(ratios, count)
