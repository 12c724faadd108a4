# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Results of a fit as plain values for JSON, and as a PyNEST script."""

import dataclasses
import math
from typing import Any

import numpy as np

from amat import toolchain
from amat.analysis.fitting.convert import Interval, intervals
from amat.analysis.fitting.diagnostics import rescale_time, residuals_by_repeat
from amat.analysis.fitting.features import Kind
from amat.analysis.fitting.pipeline import FitResult
from amat.analysis.fitting.scores import Score
from amat.arrays import Floats

__all__ = ["NAMES", "describe", "parameters_by_convention", "script"]

#: Names of the models.
NAMES: dict[Kind, str] = {
    "lif": "LIF (reset)",
    "mat": "MAT (beta = 0)",
    "amat": "AMAT",
    "ceiling": "AMAT with six exponentials",
}

#: The fitted parameters of the escape rate, which AMAT in NEST does not have.
_ESCAPE = ("Delta", "omega_escape")


def describe(result: FitResult) -> dict[str, Any]:
    """Return a result as plain values; numbers that are not finite are None.

    Returns
    -------
    dict
        Keys with units: the recording with its digest, windows, scale, the parameters by convention with intervals,
        each model with its scores, diagnostics of AMAT on held-out data, seeds and warnings.
    """
    recording, amat = result.recording, result.amat
    rescaled = rescale_time(amat, recording, result.test, result.settings.seed)
    residuals = residuals_by_repeat(amat, recording, result.test)
    length = result.test[1] - result.test[0]
    tested = [len(_cut(train, result.test)) for train in recording.spikes]
    found: dict[str, Any] = {
        "recording": {
            "name": recording.name,
            "sha256": recording.digest(),
            "sampling_interval_ms": recording.dt,
            "duration_ms": recording.duration,
            "repeats": recording.repeats,
            "currents": len(recording.groups),
            "spikes": recording.spike_count,
            "rate_per_s": recording.rate,
        },
        "settings": dataclasses.asdict(result.settings),
        "training_ms": result.training,
        "test_ms": result.test,
        "scale": dataclasses.asdict(result.scale),
        "refractory_time_ms": amat.refr_T,
        "delay_ms": amat.delay,
        "parameters": parameters_by_convention(result),
        "escape_rate": {name: dataclasses.asdict(intervals(amat, result.scale)[name]) for name in _ESCAPE},
        "reliability": [
            {"delta_ms": s.delta, "gamma_int": s.gamma_int, "interval": s.gamma_int_interval}
            for s in result.reliability
        ],
        "models": {kind: _describe_model(result, kind) for kind in result.models},
        "test_rate_per_s": 1e3 * float(np.mean(tested)) / length,
        "time_rescaling": {
            "intervals": len(rescaled.intervals),
            "distance": rescaled.distance,
            "band_95": rescaled.band,
        },
        "residuals": {
            "observed": residuals.observed.sum(axis=1).tolist(),
            "expected": residuals.expected.sum(axis=1).tolist(),
        },
        "warnings": result.warnings,
    }
    return {key: _plain(value) for key, value in found.items()}


def _cut(train: Floats, window: tuple[float, float]) -> Floats:
    return train[(train >= window[0]) & (train < window[1])]


def _describe_model(result: FitResult, kind: Kind) -> dict[str, Any]:
    model = result.models[kind]
    bits, interval = result.bits[kind]
    predicted = [len(_cut(train, result.test)) for train in result.predictions[kind]]
    return {
        "name": NAMES[kind],
        "time_constants_ms": {name: getattr(model.taus, name) for name in model.free},
        "coefficients": dict(zip(model.names, model.coefficients.tolist(), strict=False)),
        "log_likelihood": model.log_likelihood,
        "level": model.level,
        "test_rate_per_s": 1e3 * float(np.mean(predicted)) / (result.test[1] - result.test[0]),
        "bits_per_spike": {"value": bits, "interval": interval},
        "gamma": [_describe_score(score) for score in result.scores.get(kind, [])],
        "rivals": [
            {
                "time_constants_ms": {name: getattr(rival.taus, name) for name in model.free},
                "log_likelihood": rival.log_likelihood,
            }
            for rival in model.rivals
        ],
    }


def _describe_score(score: Score) -> dict[str, Any]:
    return {
        "delta_ms": score.delta,
        "gamma": score.gamma,
        "gamma_interval": score.gamma_interval,
        "gamma_ratio": score.ratio,
        "gamma_ratio_interval": score.ratio_interval,
    }


def parameters_by_convention(result: FitResult) -> dict[str, dict[str, dict[str, Any]]]:
    """Return AMAT's parameters in the conventions of NESTML, NEST and Yamauchi et al. (2011), with 95 % intervals.

    Returns
    -------
    dict
        By convention (``nestml``, ``nest``, ``paper``) and name: ``value``, and the intervals ``hessian`` and
        ``bootstrap``, which are None for parameters that were not fitted. They are given the scale.
    """
    parameters = result.parameters
    known = {k: v for k, v in intervals(result.amat, result.scale).items() if k not in _ESCAPE}
    absolute = dict(known)
    absolute["omega"] = _shift(known["omega"], parameters.E_L)
    return {
        name: {
            key: dataclasses.asdict(intervals_of.get(key, Interval(value, None, None))) for key, value in values.items()
        }
        for name, values, intervals_of in (
            ("nestml", parameters.to_nestml(), known),
            ("nest", parameters.to_nest(), absolute),
            ("paper", parameters.to_paper(), known),
        )
    }


def _shift(interval: Interval, by: float) -> Interval:
    hessian, bootstrap = (
        None if bounds is None else (bounds[0] + by, bounds[1] + by)
        for bounds in (interval.hessian, interval.bootstrap)
    )
    return Interval(interval.value + by, hessian, bootstrap)


def _plain(value: Any) -> Any:
    """Return a value of dictionaries, lists, and finite numbers."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


_SCRIPT = '''"""Predict the spikes of a fitted AMAT neuron with NEST, and compare them with those of `amat fit`.

Run it with the Python in which the package amat is installed. The model is compiled the first time.
"""

import sys
from pathlib import Path

import amat
import nest
import numpy as np
from amat.simulation.run import step_current

MODEL = "{model}"
#: By NESTML's names: ms, pF, mV, pA, 1/ms; omega is relative to E_L.
PARAMETERS = {parameters}
#: No earlier spike or potential is remembered at time zero.
INITIAL = {initial}
RESOLUTION = {resolution!r}  # ms
DELAY = {delay!r}  # of the recorded spikes, ms

stored = np.load(Path(__file__).with_name("prediction.npz"))
currents = stored["current_pA"]

nest.ResetKernel()
nest.verbosity = nest.VerbosityLevel.ERROR
nest.resolution = RESOLUTION
amat.install(MODEL)
neurons = nest.Create(MODEL, len(currents), params=PARAMETERS)
recorder = nest.Create("spike_recorder", params={{"time_in_steps": True}})
nest.Connect(neurons, recorder, syn_spec={{"delay": 1.0}})
# A current reaches the neuron after a delay and a step, hence the start before time zero.
lead = round(1.0 / RESOLUTION) + 1
for neuron, current in zip(neurons, currents):
    generator = nest.Create("step_current_generator", params=step_current(current, RESOLUTION, lead * RESOLUTION))
    nest.Connect(generator, neuron, syn_spec={{"delay": 1.0}})
nest.Simulate(lead * RESOLUTION)
neurons.set(INITIAL)
nest.Simulate(len(currents[0]) * RESOLUTION + 2.0)

events = recorder.events
same = True
for number, neuron in enumerate(neurons):
    steps = np.sort(events["times"][events["senders"] == neuron.global_id]) - lead
    steps = steps[(steps > 0) & (steps <= len(currents[0]))]
    predicted = stored[f"steps_{{number + 1}}"]
    same = same and np.array_equal(steps, predicted)
    times = np.round(steps * RESOLUTION + DELAY, 3)
    print(f"Current {{number + 1}}: {{len(times)}} spikes, the first ones at", *times[:10], "ms")
print("Identical to the prediction of the fit:", "yes" if same else "no")
sys.exit(0 if same else 1)
'''


def script(result: FitResult) -> str:
    """Return a PyNEST script that reproduces the prediction, next to the file ``prediction.npz``."""
    from amat.analysis.fitting.nest_prediction import INITIAL

    return _SCRIPT.format(
        model=toolchain.AMAT_OPT,
        parameters=_format(result.parameters.to_nestml()),
        initial=_format({"V_m": result.parameters.E_L, **INITIAL}),
        resolution=result.recording.dt,
        delay=round(result.amat.delay / result.recording.dt) * result.recording.dt,
    )


def _format(values: dict[str, float]) -> str:
    lines = "".join(f'    "{name}": {value!r},\n' for name, value in values.items())
    return f"{{\n{lines}}}"
