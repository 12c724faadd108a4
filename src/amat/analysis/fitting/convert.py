# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Conversion of fitted coefficients to AMAT's parameters, with 95 % intervals, and back.

Spikes identify all voltages in units of the noise Delta only. The membrane resistance R, measured or stated, gives the
scale. With c the coefficients of `amat.analysis.fitting.features.coefficient_names` and R in mV/pA,

    Delta = R / c_gain,   alpha_k = c_alpha_k Delta,   beta = c_beta / c_gain,   omega = (level - c_offset) Delta,

and C_m = tau_m / R. The escape rate is 1 per ms at the threshold with level 0. The deterministic neuron has a level of
its own, that of `FittedModel`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from amat.analysis.fitting.features import Kind, TimeConstants, filter_current
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.recording import NeuronRecording, RecordingError, bin_spikes
from amat.analysis.fitting.resampling import percentile_interval
from amat.arrays import Floats
from amat.checks import require_finite, require_positive
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = ["Interval", "Scale", "intervals", "measure_scale", "stated_scale", "to_amat", "to_coefficients"]

#: Time before and after a spike in ms that is left out of the passive fit; the shorter one if spikes are frequent.
_BEFORE, _AFTER = 2.0, (60.0, 30.0, 15.0)
#: Least time away from spikes in ms.
_LEAST = 500.0


@dataclass(frozen=True)
class Scale:
    """Scale of voltages.

    Attributes
    ----------
    resistance : float
        Membrane resistance in MOhm.
    rest : float
        Resting potential E_L in mV.
    source : {"voltage", "stated"}
        Whether they were measured in the recorded membrane potential.
    series_resistance : float
        That of the electrode in MOhm; NaN if unknown.
    explained : float
        Part of the variance of the membrane potential away from spikes that the passive membrane explains; NaN without.
    tau_m : float
        Time constant of the passive membrane in ms, for comparison with the fitted one; NaN without.
    """

    resistance: float
    rest: float
    source: Literal["voltage", "stated"]
    series_resistance: float = float("nan")
    explained: float = float("nan")
    tau_m: float = float("nan")


def stated_scale(resistance: float | None, rest: float | None = None) -> Scale:
    """Return the scale of a stated membrane resistance.

    Parameters
    ----------
    resistance : float or None
        In MOhm.
    rest : float, optional
        Resting potential in mV, which only shifts voltages. Default: -70 mV.

    Raises
    ------
    AmatError
        Without a resistance, or if it is not positive.
    """
    if resistance is None:
        raise AmatError(
            "The scale of voltages is unknown: spikes alone identify ratios to the membrane resistance. Give the "
            "recorded membrane potential, or state the membrane resistance in MOhm."
        )
    require_positive("The membrane resistance", resistance, "MOhm")
    return Scale(float(resistance), require_finite("The resting potential", -70.0 if rest is None else rest), "stated")


def measure_scale(recording: NeuronRecording, window: tuple[float, float] | None = None) -> Scale:
    """Measure resistance and resting potential in the recorded membrane potential away from spikes.

    The passive fit is ``V = E_L + R v + R_e I``, where v is the current filtered by the membrane and R_e the series
    resistance of the electrode, without which the time constant would be far too short.

    Parameters
    ----------
    recording : NeuronRecording
    window : (float, float), optional
        Start and end in ms.

    Returns
    -------
    Scale

    Raises
    ------
    AmatError
        If no membrane potential was recorded, too little of it is away from spikes, or it is not that of a membrane.
    """
    if recording.voltage is None:
        return stated_scale(None)
    dt = recording.dt
    low, high = (round(edge / dt) for edge in window or (0.0, recording.duration))
    for after in _AFTER:
        kept = _away_from_spikes(recording, low, high, after)
        if sum(len(places) for places in kept) * dt >= _LEAST:
            break
    else:
        raise RecordingError(
            f"Less than {_LEAST:g} ms of the membrane potential are {_AFTER[-1]:g} ms or more after a spike, "
            "too little to measure the membrane resistance: state it."
        )
    voltage = np.concatenate([recording.voltage_of(row)[places] for row, places in enumerate(kept) if len(places)])  # type: ignore[index]
    best: tuple[float, float, Floats] | None = None
    for tau_m in np.geomspace(max(2 * dt, 2.0), 80.0, 40):
        membrane = [
            (np.concatenate([[0.0], filter_current(i, dt, tau_m, None)[0][:-1]]), rows, i)
            for i, rows in recording.groups
        ]
        columns = np.ones((3, len(voltage)))
        filled = 0
        for row, places in enumerate(kept):
            potential, _, current = next(entry for entry in membrane if row in entry[1])
            columns[1, filled : filled + len(places)] = potential[places]
            columns[2, filled : filled + len(places)] = current[places]
            filled += len(places)
        coefficients = np.linalg.lstsq(columns @ columns.T, columns @ voltage, rcond=None)[0]
        error = float(np.var(voltage - coefficients @ columns))
        if best is None or error < best[0]:
            best = error, float(tau_m), coefficients
    assert best is not None
    error, tau_m, (rest, resistance, series) = best
    if not resistance > 0:
        raise RecordingError(
            f"The membrane potential falls with the current (resistance {1e3 * resistance:.3g} MOhm): check the signs "
            "and units of both, or state the membrane resistance."
        )
    explained = 1 - error / float(np.var(voltage))
    return Scale(1e3 * float(resistance), float(rest), "voltage", 1e3 * float(series), explained, tau_m)


def _away_from_spikes(recording: NeuronRecording, low: int, high: int, after: float) -> list[np.ndarray]:
    """Return the samples of each recorded membrane potential that are not close to a spike."""
    assert recording.voltage is not None
    kept = []
    for row in range(len(recording.voltage)):
        free = np.zeros(recording.steps, dtype=bool)
        free[low:high] = True
        for spike in bin_spikes(recording.spikes[row], recording.dt) + 1:
            free[max(0, spike - round(_BEFORE / recording.dt) - 1) : spike + round(after / recording.dt)] = False
        kept.append(np.flatnonzero(free))
    return kept


def to_amat(model: FittedModel, scale: Scale, *, level: float | None = None) -> AmatParameters:
    """Return AMAT's parameters of a fitted AMAT or MAT model.

    Parameters
    ----------
    model : FittedModel
    scale : Scale
    level : float, optional
        0 gives the threshold of the escape rate. Default: that of the deterministic neuron, `model.level`.

    Raises
    ------
    AmatError
        If the model is none that AMAT can represent.
    """
    found = _natural(model, scale, model.level if level is None else level)(model.values[np.newaxis])
    values = {name: float(value[0]) for name, value in found.items() if name not in ("Delta", "omega_escape")}
    taus = {name: getattr(model.taus, name) for name in ("tau_m", "tau_1", "tau_2", "tau_v")}
    return AmatParameters(**{**taus, **values, "refr_T": model.refr_T, "E_L": scale.rest})


@dataclass(frozen=True)
class Interval:
    """An estimate with 95 % intervals.

    Attributes
    ----------
    value : float
    hessian : (float, float) or None
        From the full Hessian by the delta method; None for time constants at a bound.
    bootstrap : (float, float) or None
        Expanded percentiles of a bootstrap of blocks of time; NaN if there is only one block.
    """

    value: float
    hessian: tuple[float, float] | None
    bootstrap: tuple[float, float] | None


def intervals(model: FittedModel, scale: Scale) -> dict[str, Interval]:
    """Return AMAT's parameters with 95 % intervals, given the scale.

    Parameters
    ----------
    model : FittedModel
    scale : Scale
        Taken as exact.

    Returns
    -------
    dict
        By NESTML's names, for those that were fitted; ``omega`` is that of the deterministic neuron. In addition
        ``Delta``, the noise in mV, and ``omega_escape``, the threshold of the escape rate of 1 per ms.
    """
    convert = _natural(model, scale, model.level)
    centre, values = model.values, convert(model.values[np.newaxis])
    known = np.isfinite(np.diag(model.covariance))
    spread = np.sqrt(np.where(known, np.diag(model.covariance), 0.0))
    steps = 1e-4 * np.maximum(spread, 1e-12)
    upper, lower = (convert(centre + sign * np.diag(steps)) for sign in (1, -1))
    covariance = np.where(np.outer(known, known), model.covariance, 0.0)
    draws = convert(np.where(np.isfinite(model.bootstrap), model.bootstrap, centre))
    result: dict[str, Interval] = {}
    fixed = () if "tau_m" in model.free else ("tau_m",)
    for name, value in values.items():
        best = float(value[0])
        if name in model.at_bound or (name == "C_m" and "tau_m" in (*model.at_bound, *fixed)):
            result[name] = Interval(best, None, None)
            continue
        slope = (upper[name] - lower[name]) / (2 * steps)
        error = math.sqrt(max(float(slope @ covariance @ slope), 0.0))
        # Time constants, the capacitance and the noise are positive: symmetric in the logarithm.
        # An exponent of 300 is as good as infinite.
        factor = math.exp(min(1.96 * error / best, 300.0)) if name in (*model.free, "C_m", "Delta") else math.nan
        bounds = (best - 1.96 * error, best + 1.96 * error) if math.isnan(factor) else (best / factor, best * factor)
        result[name] = Interval(best, bounds, percentile_interval(draws[name], model.blocks))
    return result


def _natural(model: FittedModel, scale: Scale, level: float) -> Callable[[Floats], dict[str, Floats]]:
    """Return the function from rows of a model's values to columns of AMAT's parameters."""
    if model.kind not in ("amat", "mat"):
        raise AmatError(f"The model {model.kind!r} has no parameters of AMAT: convert an 'amat' or 'mat' model.")
    resistance = 1e-3 * scale.resistance  # mV/pA
    names = model.names

    def convert(rows: Floats) -> dict[str, Floats]:
        column = {name: rows[:, number] for number, name in enumerate(names)}
        noise = resistance / column["gain"]
        taus = {name: np.asarray(np.exp(column[name]), dtype=np.float64) for name in model.free}
        return {
            **taus,
            "C_m": taus.get("tau_m", np.full(len(rows), model.taus.tau_m)) / resistance,
            "omega": (level - column["offset"]) * noise,
            "alpha_1": column["alpha_1"] * noise,
            "alpha_2": column["alpha_2"] * noise,
            **({"beta": column["beta"] / column["gain"]} if "beta" in column else {}),
            "Delta": noise,
            "omega_escape": -column["offset"] * noise,
        }

    return convert


def to_coefficients(parameters: AmatParameters, Delta: float) -> tuple[Kind, Floats, TimeConstants]:
    """Return the coefficients of an escape-rate AMAT with given parameters: the inverse of `to_amat` with level 0.

    Parameters
    ----------
    parameters : AmatParameters
        `omega` is the threshold above rest at which the escape rate is 1 per ms.
    Delta : float
        Noise in mV.

    Returns
    -------
    kind : {"amat"}
    coefficients : ndarray, shape (5,)
    taus : TimeConstants
    """
    require_positive("Delta", Delta, "mV")
    p = parameters
    gain = p.tau_m / p.C_m / Delta
    coefficients = np.array([-p.omega / Delta, gain, p.alpha_1 / Delta, p.alpha_2 / Delta, p.beta * gain])
    return "amat", coefficients, TimeConstants(p.tau_m, p.tau_v, p.tau_1, p.tau_2)
