# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Synthetic 1/f input, and predictions of the response by rate models."""

import math
from collections.abc import Mapping
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.signal import coherence

from amat.analysis.rate_models.curves import RateCurve, curve_of
from amat.analysis.rate_models.filters import FilterFit, FilterKind
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["explained", "linear_coherence", "predict", "predict_responses", "synthetic_modulation"]


#: Time step of the input, bin width of the responses, and length of a segment of the coherence, in ms.
_STEP, _BIN_WIDTH, _SEGMENT = 1.0, 5.0, 640.0
#: Highest frequency of the noise in the input, in Hz.
_HIGHEST = 50.0


def synthetic_modulation(duration: float, *, seed: int = 1) -> Floats:
    """Return a non-stationary time course of noise and steps.

    Half of the variance is noise up to 50 Hz whose power falls as 1/f. The other half is a level that changes to a new
    random value after intervals of 200 to 1000 ms.

    Parameters
    ----------
    duration : float
        Duration of the course, which is periodic, in ms.
    seed : int

    Returns
    -------
    ndarray, shape (steps,)
        In steps of 1 ms, with mean 0, variance 1 and values from -3 to 3.

    Raises
    ------
    AmatError
        If the course is shorter than 2 s.
    """
    if not duration >= 2000.0:
        raise AmatError(f"duration must be at least 2000 ms, got {duration:g} ms.")
    random = np.random.default_rng(seed)
    count = round(duration / _STEP)
    f = np.fft.rfftfreq(count, 1e-3 * _STEP)
    spectrum = np.zeros(len(f), dtype=np.complex128)
    inside = (f > 0) & (f <= _HIGHEST)
    spectrum[inside] = (random.normal(size=inside.sum()) + 1j * random.normal(size=inside.sum())) / np.sqrt(f[inside])
    noise = np.fft.irfft(spectrum, count)
    lengths = random.uniform(200.0, 1000.0, math.ceil(duration / 200.0))
    ends = np.cumsum(lengths) / _STEP
    levels = random.uniform(-1.0, 1.0, len(lengths))[np.searchsorted(ends, np.arange(count))]
    parts = [(part - part.mean()) / part.std() for part in (noise, levels)]
    course = parts[0] + parts[1]
    return np.asarray(np.clip((course - course.mean()) / course.std(), -3.0, 3.0))


def predict(
    curve: RateCurve,
    input_rate: float,
    modulation: ArrayLike,
    fit: FilterFit | None = None,
    *,
    slope: float = math.nan,
) -> Floats:
    """Return an LN model's prediction of the firing rate for a periodic input.

    Parameters
    ----------
    curve : RateCurve
        The static nonlinearity.
    input_rate : float
        Mean input rate in spikes/s.
    modulation : array_like, shape (steps,)
        Modulation of the input relative to the mean, in steps of 1 ms.
    fit : FilterFit, optional
        Fit of the relative transfer function; by default there is no filter, and the curve follows the input at once.
    slope : float
        Logarithmic slope of the curve at the mean, by which the filter is divided.

    Returns
    -------
    ndarray, shape (bins,)
        In bins of 5 ms, in spikes/s.

    Raises
    ------
    AmatError
        If there is a filter and the slope is not positive.
    """
    course = np.asarray(modulation, dtype=np.float64)
    if fit is not None:
        if not slope > 0:
            raise AmatError(
                f"slope must be positive for a filter, got {slope:g}: choose a working point where the curve rises."
            )
        f = np.fft.rfftfreq(len(course), 1e-3 * _STEP)
        course = np.fft.irfft(np.fft.rfft(course) * fit(f) / slope, len(course))
    rates = curve(input_rate * (1.0 + course))
    return np.asarray(rates.reshape(-1, round(_BIN_WIDTH / _STEP)).mean(axis=1))


def explained(first: ArrayLike, second: ArrayLike, prediction: ArrayLike) -> dict[str, float]:
    """Return the fraction of a response that a prediction explains, corrected for noise.

    Parameters
    ----------
    first, second : array_like, shape (bins,)
        The response in two halves of the trials. Their covariance is the variance of the signal.
    prediction : array_like, shape (bins,)

    Returns
    -------
    dict
        ``correlation`` of prediction and mean response; ``ceiling``, the correlation of a perfect prediction;
        ``explained``, the fraction of the signal's variance that the prediction explains: 1 if it is perfect, 0 for a
        constant at the mean rate, negative if it is worse. All are NaN without a signal or a finite prediction.
    """
    a, b, p = (np.asarray(values, dtype=np.float64) for values in (first, second, prediction))
    mean = 0.5 * (a + b)
    signal = float(np.cov(a, b)[0, 1])
    noise = float(np.var(a - b, ddof=1)) / 4
    if not signal > 0 or not np.isfinite(p).all():
        return {"correlation": math.nan, "ceiling": math.nan, "explained": math.nan}
    error = float(np.mean((mean - p) ** 2)) - noise
    flat = p.std() == 0 or mean.std() == 0
    return {
        "correlation": 0.0 if flat else float(np.corrcoef(mean, p)[0, 1]),
        "ceiling": math.sqrt(signal / (signal + noise)),
        "explained": 1.0 - error / signal,
    }


def linear_coherence(first: ArrayLike, second: ArrayLike, course: ArrayLike) -> pd.DataFrame:
    """Return the fraction of a response that a linear filter of its input can explain, by frequency.

    The coherence of input and response (by Welch's method with segments of 640 ms) is below 1 because the response is
    noisy and because it is not a linear function of the input. The coherence of two halves of the trials measures the
    noise; the ratio is the linear fraction of the reproducible response.

    Parameters
    ----------
    first, second : array_like, shape (bins,)
        The response in two halves of the trials, in bins of 5 ms.
    course : array_like, shape (bins,)
        The input in the same bins.

    Returns
    -------
    pandas.DataFrame
        ``frequency_Hz``; ``coherence`` of input and mean response; ``reproducible``, the fraction of the mean
        response's power that the trials share; and ``linear``, the ratio of the two, at most 1.

    Raises
    ------
    AmatError
        If there are fewer than four segments, which would bias the coherence towards 1.
    """
    a, b, x = (np.asarray(values, dtype=np.float64) for values in (first, second, course))
    bins = round(_SEGMENT / _BIN_WIDTH)
    if 2 * len(x) // bins - 1 < 4:
        raise AmatError(
            f"{len(x) * _BIN_WIDTH:g} ms hold fewer than four segments of {_SEGMENT:g} ms: choose a longer input."
        )
    f, with_input = coherence(x, 0.5 * (a + b), fs=1e3 / _BIN_WIDTH, nperseg=bins)
    _, of_halves = coherence(a, b, fs=1e3 / _BIN_WIDTH, nperseg=bins)
    # In a half, the ratio of signal to noise is q / (1 - q); the mean of both has half the noise.
    q = np.sqrt(of_halves)
    reproducible = 2.0 * q / (1.0 + q)
    table = pd.DataFrame({"frequency_Hz": f, "coherence": with_input, "reproducible": reproducible})
    table["linear"] = np.minimum(1.0, table["coherence"] / table["reproducible"])
    return table[table["frequency_Hz"] > 0].reset_index(drop=True)


def predict_responses(
    responses: pd.DataFrame,
    points: pd.DataFrame,
    curves: pd.DataFrame,
    fits: Mapping[tuple[str, str, str, FilterKind], FilterFit],
    course: ArrayLike,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict responses to a course of the input by the static curve and by both LN models, and score the predictions.

    Parameters
    ----------
    responses : pandas.DataFrame
        From `amat.analysis.transfer.course_responses`.
    points, curves : pandas.DataFrame
        From `add_depths`, and the local curves passed to it.
    fits : mapping
        From `compare_filters`; only fits of Poisson input are used.
    course : array_like, shape (steps,)
        Relative modulation in steps of 1 ms, such as that of `synthetic_modulation`; its factor is synthetic_depth.

    Returns
    -------
    scores : pandas.DataFrame
        One row per neuron and prediction: model, pattern, prediction ("static", "low-pass" or "band-pass"),
        correlation, ceiling, explained (see `explained`). NaN if the measured curve does not rise at the working point,
        where no LN model exists.
    predictions : pandas.DataFrame
        One row per neuron and bin: model, pattern, time_ms, response_per_s, and the rate by each prediction.
    """
    rows, tables = [], []
    for point in points.itertuples():
        model, pattern = str(point.model), str(point.pattern)
        part = responses[(responses["model"] == model) & (responses["pattern"] == pattern)]
        if not len(part):
            continue
        curve = curve_of(curves, model, pattern)
        modulation = np.asarray(course) * float(point.synthetic_depth)  # type: ignore[arg-type]
        table = part[["model", "pattern", "time_ms"]].assign(
            response_per_s=0.5 * (part["first_per_s"] + part["second_per_s"])
        )
        for name in ("static", *get_args(FilterKind)):
            fit = None if name == "static" else fits[(model, pattern, "poisson", name)]
            slope = float(point.slope)  # type: ignore[arg-type]
            rate = float(point.input_rate_per_s)  # type: ignore[arg-type]
            known = fit is None or slope > 0
            table[name] = predict(curve, rate, modulation, fit, slope=slope) if known else np.nan
            scores = explained(part["first_per_s"], part["second_per_s"], table[name])
            rows.append({"model": model, "pattern": pattern, "prediction": name, **scores})
        tables.append(table)
    return pd.DataFrame(rows), pd.concat(tables, ignore_index=True)
