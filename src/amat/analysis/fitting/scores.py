# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The coincidence factor Gamma of predicted and recorded spikes, and the reliability of the neuron itself.

    Gamma = (N_coinc - 2 f delta N_data) / ((N_data + N_model) / 2) / (1 - 2 f delta)

N_coinc counts recorded spikes with a predicted one within delta, and f is the rate of the prediction. Gamma is 1 for
identical trains and 0 for a Poisson process of the same rate. The mean over pairs of repeats of one current, Gamma_int,
measures the intrinsic reliability of the neuron, the limit of any deterministic prediction.

References
----------
.. [1] Kistler WM, Gerstner W, van Hemmen JL (1997). Neural Comput. 9:1015-1045. doi:10.1162/neco.1997.9.5.1015
.. [2] Jolivet R et al. (2008). J. Neurosci. Methods 169:417-424. doi:10.1016/j.jneumeth.2007.11.006
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amat.analysis.fitting.resampling import block_length, draw_blocks, percentile_interval
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = [
    "LARGEST_CHANCE",
    "LEAST_RELIABLE",
    "Score",
    "check_window",
    "coincidence_factor",
    "count_coincidences",
    "gamma_from_counts",
    "score",
]

#: Largest 2 f delta: beyond, chance explains most coincidences and Gamma diverges.
LARGEST_CHANCE = 0.8
#: Smallest Gamma_int at which a model can be judged.
LEAST_RELIABLE = 0.2


def count_coincidences(data: Floats, model: Floats, delta: float) -> Floats:
    """Return for each recorded spike whether there is a predicted one within delta, shape (spikes,).

    Parameters
    ----------
    data, model : ndarray, shape (spikes,)
        Ascending, in ms.
    delta : float
        In ms.
    """
    if not len(data) or not len(model):
        return np.zeros(len(data))
    place = np.searchsorted(model, data)
    before = np.abs(data - model[np.maximum(place - 1, 0)])
    after = np.abs(data - model[np.minimum(place, len(model) - 1)])
    return (np.minimum(before, after) <= delta + 1e-9).astype(np.float64)


def gamma_from_counts(hits: ArrayLike, data: ArrayLike, model: ArrayLike, duration: float, delta: float) -> Floats:
    """Return Gamma from counts, which may be arrays; 0 where chance explains coincidences."""
    hits, data, model = (np.asarray(counts, dtype=np.float64) for counts in (hits, data, model))
    chance = 2 * delta * model / duration
    total = np.maximum(0.5 * (data + model), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = (hits - chance * data) / total / (1 - chance)
    found: Floats = np.where((data + model > 0) & (chance <= LARGEST_CHANCE), gamma, 0.0)
    return found


def coincidence_factor(data: Floats, model: Floats, duration: float, delta: float) -> float:
    """Return the coincidence factor of two spike trains.

    Parameters
    ----------
    data, model : ndarray, shape (spikes,)
        Recorded and predicted spike times in ms, ascending.
    duration : float
        Duration of both in ms.
    delta : float
        Largest distance of coincident spikes in ms.

    Returns
    -------
    float
        0 if there are no spikes.

    Raises
    ------
    AmatError
        If 2 f delta is more than `LARGEST_CHANCE`.
    """
    check_window(max(len(data), len(model)) / duration, delta)
    hits = count_coincidences(data, model, delta).sum()
    return float(gamma_from_counts(hits, len(data), len(model), duration, delta))


def check_window(rate: float, delta: float) -> None:
    """Raise `AmatError` if 2 f delta is too large for a rate in 1/ms."""
    if 2 * rate * delta > LARGEST_CHANCE:
        raise AmatError(
            f"At {1e3 * rate:.3g} spikes/s a window of {delta:g} ms gives 2 f delta = {2 * rate * delta:.2g}, more "
            f"than {LARGEST_CHANCE:g}: chance explains the coincidences. Choose a window below "
            f"{LARGEST_CHANCE / (2 * rate):.2g} ms, and check the sampling interval."
        )


@dataclass(frozen=True)
class Score:
    """Prediction of recorded spikes at one window.

    Attributes
    ----------
    delta : float
        Largest distance of coincident spikes in ms.
    gamma : float
        Mean over repeats.
    gamma_int : float
        Mean over ordered pairs of different repeats of one current; NaN without two repeats.
    ratio : float
        gamma / gamma_int; NaN without repeats, or if gamma_int is below `LEAST_RELIABLE`.
    gamma_interval, gamma_int_interval, ratio_interval : (float, float)
        95 % intervals from a bootstrap of blocks of time; NaN if there is only one block.
    """

    delta: float
    gamma: float
    gamma_int: float
    ratio: float
    gamma_interval: tuple[float, float]
    gamma_int_interval: tuple[float, float]
    ratio_interval: tuple[float, float]

    @property
    def reliable(self) -> bool:
        """Whether the neuron is reliable enough for a model to be judged."""
        return self.gamma_int >= LEAST_RELIABLE


def score(
    predictions: Sequence[Floats],
    data: Sequence[Sequence[Floats]],
    window: tuple[float, float],
    delta: float,
    *,
    samples: int = 1000,
    seed: int = 1,
) -> Score:
    """Score predicted spikes of one or more currents against repeats of each.

    Parameters
    ----------
    predictions : sequence of ndarray, shape (spikes,)
        For each current the predicted spike times in ms.
    data : sequence of sequence of ndarray
        For each current the spike times of its repeats in ms.
    window : (float, float)
        Start and end of the time that is scored, in ms.
    delta : float
        Largest distance of coincident spikes in ms.
    samples : int
        Bootstrap samples of blocks of time, each with all its repeats.
    seed : int

    Returns
    -------
    Score

    Raises
    ------
    AmatError
        If 2 f delta is more than `LARGEST_CHANCE` for the recorded spikes.
    """
    count = max(1, round((window[1] - window[0]) / block_length(window)))
    edges = np.linspace(window[0], window[1], count + 1)
    inside = [[train[(train >= window[0]) & (train < window[1])] for train in group] for group in data]
    predicted = [train[(train >= window[0]) & (train < window[1])] for train in predictions]
    rates = [len(train) / (window[1] - window[0]) for group in inside for train in group]
    check_window(max(rates), delta)

    def counts(pairs: list[tuple[Floats, Floats]]) -> Floats:
        rows = []
        for recorded, model in pairs:
            hits = np.histogram(recorded, edges, weights=count_coincidences(recorded, model, delta))[0]
            rows.append([hits, np.histogram(recorded, edges)[0], np.histogram(model, edges)[0]])
        return np.array(rows, dtype=np.float64)

    model = counts([(train, guess) for guess, group in zip(predicted, inside, strict=True) for train in group])
    pairs = [(a, b) for group in inside for i, a in enumerate(group) for j, b in enumerate(group) if i != j]
    intrinsic = counts(pairs) if pairs else None
    weights = np.vstack([np.ones(count), draw_blocks(count, samples, seed)])

    def mean(table: Floats | None) -> Floats:
        if table is None:
            return np.full(len(weights), np.nan)
        sums = np.einsum("pkb,wb->kwp", table, weights)
        found: Floats = gamma_from_counts(sums[0], sums[1], sums[2], window[1] - window[0], delta).mean(axis=1)
        return found

    gamma, gamma_int = mean(model), mean(intrinsic)
    ratio = np.where(gamma_int >= LEAST_RELIABLE, gamma / np.where(gamma_int > 0, gamma_int, 1.0), np.nan)
    if not gamma_int[0] >= LEAST_RELIABLE:
        ratio[:] = np.nan
    return Score(
        delta,
        gamma=float(gamma[0]),
        gamma_int=float(gamma_int[0]),
        ratio=float(ratio[0]),
        gamma_interval=percentile_interval(gamma[1:], count),
        gamma_int_interval=percentile_interval(gamma_int[1:], count),
        ratio_interval=percentile_interval(ratio[1:], count),
    )
