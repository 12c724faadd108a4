# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Gain, phase and coherence of responses, with intervals over trials."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm, t

from amat.analysis.transfer.runs import WARM_UP
from amat.arrays import Complexes, Floats, Integers
from amat.errors import AmatError

__all__ = [
    "estimate",
    "fourier_coefficients",
]

#: Upper quantile of all intervals, which are at the level of 95 %.
_QUANTILE = 0.975


def fourier_coefficients(
    senders: Integers,
    times: Floats,
    frequencies: Floats,
    n_windows: int,
    *,
    start: float = WARM_UP,
    window: float = 2000.0,
) -> tuple[Complexes, Integers]:
    """Return the amplitude of the rate's modulation in successive windows, ``2 / T sum exp(-2 pi i f t_k)``.

    Parameters
    ----------
    senders, times : ndarray, shape (spikes,)
        Numbers of the neurons, and times in ms.
    frequencies : ndarray, shape (neurons,)
        Frequency of each neuron in Hz; a window has whole cycles of it.
    n_windows : int
    start, window : float
        Begin of the first window, and length of each, ms.

    Returns
    -------
    coefficients : ndarray of complex, shape (neurons, windows)
        In spikes/s; the phase refers to a cosine at time zero.
    counts : ndarray of int, shape (neurons, windows)
    """
    # A spike belongs to the step that it ends.
    number = np.ceil((times - start) / window - 1e-9).astype(np.int64) - 1
    inside = (number >= 0) & (number < n_windows)
    place = senders[inside] * n_windows + number[inside]
    wave = np.exp(-2e-3j * np.pi * frequencies[senders[inside]] * times[inside])
    size = len(frequencies) * n_windows
    real, imaginary = (np.bincount(place, weights=part, minlength=size) for part in (wave.real, wave.imag))
    shape = (len(frequencies), n_windows)
    counts = np.bincount(place, minlength=size).reshape(shape).astype(np.int64)
    return np.asarray(2e3 / window * (real + 1j * imaginary).reshape(shape), dtype=np.complex128), counts


def estimate(
    coefficients: Complexes,
    counts: ArrayLike,
    depths: ArrayLike,
    *,
    window: float = 2000.0,
    n_bootstrap: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """Estimate gain, phase and coherence from trials, with bootstrap intervals.

    The contribution of noise to a squared modulus is subtracted, so that without a response the mean gain and coherence
    are zero. Trials are resampled with replacement. Deviations from the mean are widened by ``sqrt(n / (n - 1))`` and
    the ratio of Student's to the normal quantile, since with few trials a bootstrap is too narrow.

    Parameters
    ----------
    coefficients : ndarray of complex, shape (conditions, trials, windows)
        From `fourier_coefficients`, spikes/s; NaN in trials to omit.
    counts : array_like, shape (conditions, trials, windows)
    depths : array_like, shape (conditions,)
        Relative amplitude of the input's modulation.
    window : float
        ms.
    n_bootstrap : int
        Number of resamples.
    seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row per condition, NaN if less than two trials are left: trials, rate_per_s, real, imag (of the relative
        transfer function H), sem (standard error of each of these two), gain, phase_deg (from -180 to 180), coherence
        (magnitude-squared, between the modulation and the spikes of one neuron in one window), the bounds of their 95 %
        intervals (``_low``, ``_high``; those of the phase are around it, and may leave its range), modulation (of the
        output, relative), dispersion (variance over mean of the trials' spike counts).
    """
    valid = np.asarray(np.isfinite(coefficients).all(axis=-1))
    if valid.shape[1] < 2:
        raise AmatError(f"At least 2 trials in a condition are needed for an interval, got {valid.shape[1]}.")
    enough = valid.sum(axis=1) >= 2
    n = np.where(enough, valid.sum(axis=1), 2)
    values = np.where(valid[..., np.newaxis], coefficients, 0.0)
    z, power = values.mean(axis=-1), (np.abs(values) ** 2).mean(axis=-1)
    spikes = np.where(valid[..., np.newaxis], np.asarray(counts, dtype=np.float64), 0.0)
    numbers = spikes.sum(axis=-1)
    mean_count = numbers.sum(axis=1) / n
    rate = mean_count / (1e-3 * window * spikes.shape[-1])
    scale = np.where(rate > 0, rate, np.nan) * np.asarray(depths, dtype=np.float64)
    mean, mean_power = z.sum(axis=1) / n, power.sum(axis=1) / n
    squared = np.where(valid, np.abs(z - mean[:, np.newaxis]) ** 2, 0.0).sum(axis=1) / (n - 1)
    noise = squared / n  # of the squared modulus of the mean

    weights = np.random.default_rng(seed).multinomial(z.shape[1], np.full(z.shape[1], 1 / z.shape[1]), n_bootstrap)
    sizes = np.maximum(weights @ valid.T, 1)
    widening = np.sqrt(n / (n - 1)) * t.ppf(_QUANTILE, n - 1) / norm.ppf(_QUANTILE)
    means = mean + widening * (weights @ z.T / sizes - mean)
    powers = weights @ power.T / sizes
    # A resampled mean has the noise of the sample and that of the resampling.
    resampled = np.maximum(np.abs(means) ** 2 - noise * (1 + widening**2), 0.0)
    phase = np.angle(mean, deg=True)
    turned = np.angle(means * np.exp(-1j * np.angle(mean)), deg=True)
    table = pd.DataFrame(
        {
            "trials": n,
            "rate_per_s": rate,
            "real": mean.real / scale,
            "imag": mean.imag / scale,
            "sem": np.sqrt(noise / 2) / scale,
            "gain": np.sqrt(np.maximum(np.abs(mean) ** 2 - noise, 0.0)) / scale,
            "phase_deg": phase,
            "coherence": _share(np.maximum(np.abs(mean) ** 2 - noise, 0.0), mean_power),
            "modulation": np.abs(mean) / np.where(rate > 0, rate, np.nan),
            "dispersion": np.where(valid, (numbers - mean_count[:, np.newaxis]) ** 2, 0.0).sum(axis=1)
            / (n - 1)
            / np.where(mean_count > 0, mean_count, np.nan),
        }
    )
    table["gain_low"], table["gain_high"] = _bounds(np.sqrt(resampled) / scale)
    table["phase_low"], table["phase_high"] = (phase + bound for bound in _bounds(turned))
    table["coherence_low"], table["coherence_high"] = _bounds(_share(resampled, powers))
    table["trials"] = valid.sum(axis=1)
    table.loc[~enough, table.columns != "trials"] = np.nan
    return table


def _bounds(sample: Floats) -> tuple[Floats, Floats]:
    low, high = np.quantile(sample, [1 - _QUANTILE, _QUANTILE], axis=0)
    return low, high


def _share(squares: Floats, total: Floats) -> Floats:
    return np.clip(np.divide(squares, total, out=np.zeros_like(squares), where=total > 0), 0.0, 1.0)
