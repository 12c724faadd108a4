# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat simulate``: one neuron with any parameters under any current."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from amat.cli.common import (
    ParameterSettings,
    announce_cost,
    parse_settings,
    prepare_outputs,
    refuse_without,
    report,
    show_progress,
)
from amat.cli.currents import NOISE, RAMP, SINE, STEP, Currents
from amat.errors import AmatError
from amat.files import write_text
from amat.neurons.neuron import ModelName
from amat.neurons.published import SetName

if TYPE_CHECKING:
    from amat.analysis.patterns import Response, Trial

__all__ = ["simulate"]

_DURATION, _RESOLUTION, _SEED = 1000.0, 0.1, 1
_SHOWN_SPIKES = 20

#: Steps of a simulation that takes seconds, and shows its progress.
_LONG = 1_000_000


#: The groups of options.
_NEURON = "Neuron"
_CURRENT = "Current in pA (AMAT) or mV/ms (Izhikevich). Several currents add up."
_SIMULATION = "Simulation and output"


def _option(panel: str, name: str, text: str, **settings: Any) -> Any:
    return typer.Option(name, help=text, rich_help_panel=panel, **settings)


def simulate(
    pattern: Annotated[
        str | None,
        _option(_NEURON, "--pattern", "Firing pattern whose neuron is used and, if no other is given, whose current."),
    ] = None,
    model: Annotated[ModelName, _option(_NEURON, "--model", "Neuron model.")] = "amat",
    parameter_set: Annotated[
        SetName | None, _option(_NEURON, "--parameter-set", "Published parameter set of AMAT. Default: validated.")
    ] = None,
    parameters: Annotated[
        Path | None,
        _option(_NEURON, "--parameters", "YAML or JSON file of parameters, by their names in NESTML.", metavar="FILE"),
    ] = None,
    settings: ParameterSettings = None,
    current: Annotated[
        Path | None,
        _option(_CURRENT, "--current", "CSV file: time in ms, current. Each holds until the next row.", metavar="FILE"),
    ] = None,
    step: Annotated[
        list[str] | None, _option(_CURRENT, "--step", "Constant from START (0 ms) to STOP (end).", metavar=STEP)
    ] = None,
    ramp: Annotated[
        list[str] | None, _option(_CURRENT, "--ramp", "Linear from START (0 ms) to STOP (end).", metavar=RAMP)
    ] = None,
    sine: Annotated[list[str] | None, _option(_CURRENT, "--sine", "Sine with FREQUENCY in Hz.", metavar=SINE)] = None,
    noise: Annotated[
        str | None,
        _option(_CURRENT, "--noise", "Gaussian noise with correlation time TAU (ms), or white noise.", metavar=NOISE),
    ] = None,
    seed: Annotated[
        int | None, _option(_SIMULATION, "--seed", f"Random seed of --noise. Default: {_SEED}.", min=0)
    ] = None,
    duration: Annotated[
        float | None,
        _option(
            _SIMULATION, "--duration", f"Duration of the run in ms. Default: the pattern's, file's, or {_DURATION:g}."
        ),
    ] = None,
    resolution: Annotated[
        float | None,
        _option(_SIMULATION, "--resolution", f"Time step in ms. Default: of Izhikevich's pattern, or {_RESOLUTION:g}."),
    ] = None,
    csv: Annotated[
        Path | None, _option(_SIMULATION, "--csv", "CSV file to write, with one row per step; - is standard output.")
    ] = None,
    spikes: Annotated[Path | None, _option(_SIMULATION, "--spikes", "Spike times: .csv, .npz or .nix (neo).")] = None,
    plot: Annotated[
        Path | None, _option(_SIMULATION, "--plot", "Figure file to write. Its suffix selects the format.")
    ] = None,
) -> None:
    """Simulate a neuron with any parameters under any current, and print its spikes.

    A firing pattern under its own current is also checked against its criterion. If the validated or published
    neuron does not meet it, the exit status is 1, like that of `amat patterns`.
    """
    currents = Currents(current, step or [], ramp or [], sine or [], noise, _SEED if seed is None else seed)
    refuse_without("--noise", seed=None if noise else seed)
    values = _read_parameters(parameters) | parse_settings(settings)
    if not (pattern or currents or values):
        raise AmatError("There is nothing to simulate: give --pattern, or a current such as --step 200:100:600.")
    trial = _make_trial(pattern, model, parameter_set, currents, duration, resolution)
    judged = bool(pattern) and not currents and duration is None
    met = _run(trial, values, judged, (parameters, current), csv, spikes, plot)
    if not (met or values) and parameter_set in (None, "validated"):
        raise AmatError(f"The neuron does not show {pattern} with this time step: choose 0.1 ms or less.")


def _read_parameters(path: Path | None) -> dict[str, Any]:
    from amat.compendium.settings import read_yaml

    schema = {"type": "object", "additionalProperties": {"type": ["number", "string"]}}
    return read_yaml(path, schema, "The parameter file") if path else {}


def _make_trial(
    pattern: str | None,
    model: ModelName,
    parameter_set: SetName | None,
    currents: Currents,
    duration: float | None,
    resolution: float | None,
) -> Trial:
    """Return the trial that the options describe, with the parameters of the pattern or of the model."""
    from amat.analysis.patterns import find_trial
    from amat.analysis.patterns.custom import make_trial
    from amat.simulation.kernel import check_time_step

    if parameter_set and not (pattern and model == "amat"):
        raise AmatError(f"--parameter-set {parameter_set} has no effect: it is for --pattern with --model amat.")
    if resolution is not None and pattern and model == "izhikevich":
        raise AmatError(f"--resolution {resolution:g} has no effect: Izhikevich's patterns keep their own time steps.")
    step = _RESOLUTION if resolution is None else resolution
    check_time_step(step)
    if not pattern:
        length = _first(duration, currents.duration(step), _DURATION)
        _check_cost(length, step)
        return make_trial(model, currents.on_grid(length, step), length, step)
    trial = find_trial(pattern, model, parameter_set or "validated", step)
    step = trial.neuron.resolution
    length = _first(duration, currents.duration(step), trial.duration)
    _check_cost(length, step)
    if not currents:
        return dataclasses.replace(trial, duration=length)
    return dataclasses.replace(trial, current=currents.on_grid(length, step), duration=length)


def _check_cost(duration: float, step: float) -> None:
    """Refuse a simulation that is too long; the cost of a step is that of its current, traces and table."""
    from amat.simulation.stimuli import count_steps

    steps = count_steps(duration, step)
    announce_cost(f"A simulation of {steps:.3g} steps", seconds=7e-6 * steps, memory=250 * steps)


def _first(*values: float | None) -> float:
    """Return the first value that is given."""
    return next(value for value in values if value is not None)


def _run(
    trial: Trial,
    values: dict[str, float],
    judged: bool,
    inputs: Sequence[Path | None],
    csv: Path | None,
    spikes: Path | None,
    plot: Path | None,
) -> bool:
    """Simulate a trial with changed parameters, print and write the response; return whether the pattern is met."""
    from amat.analysis.patterns import run_trials
    from amat.analysis.patterns.custom import set_parameters
    from amat.analysis.patterns.verdicts import table_of_traces
    from amat.analysis.spike_files import check_format, write_spikes
    from amat.simulation.kernel import NEST_MODELS

    changed = set_parameters(trial, values)
    if spikes:
        check_format(spikes)
    prepare_outputs(csv, spikes, figures=[plot], inputs=inputs)
    steps = round(changed.duration / changed.neuron.resolution)
    with show_progress("steps", steps) if steps >= _LONG else nullcontext() as progress:
        (response,) = run_trials([changed], progress=progress)
    if not (np.isfinite(response.V_m).all() and np.isfinite(response.V_th).all()):
        raise AmatError("The neuron's state grew beyond all numbers: choose smaller parameters or currents.")
    met = _print(response, judged)
    if csv:
        write_text(csv, table_of_traces(response).to_csv(index=False, float_format="%.12g"))
    if spikes:
        neuron, parameters = changed.neuron, trial.neuron.parameters.replace(**values)
        described = {"model": NEST_MODELS[neuron.model], "pattern": neuron.pattern, **parameters.to_nestml()}
        write_spikes(spikes, response.spikes.round(6), changed.duration, neuron.resolution, described)
    if plot:
        from amat.analysis.patterns.figures import plot_response
        from amat.compendium import plots

        plots.use_style()
        plots.save(plot_response(response), plot)
    return met


def _print(response: Response, judged: bool) -> bool:
    """Print the spikes and, for a pattern under its own current, the verdict; return whether it is not negative."""
    from amat.analysis.patterns import CRITERIA

    neuron, duration = response.trial.neuron, response.trial.duration
    name = ", ".join(filter(None, (neuron.pattern, neuron.model)))
    count = len(response.spikes)
    report(f"{name}: {count} spike{'s' * (count != 1)} in {duration:g} ms")
    if count:
        times = " ".join(f"{time:g}" for time in response.spikes[:_SHOWN_SPIKES].round(6))
        report(f"at {times}{' ...' if count > _SHOWN_SPIKES else ''} ms")
    if judged:
        criterion = CRITERIA[neuron.pattern]
        verdict = criterion.decide(response)
        report(f"Criterion: {criterion.statement}")
        report(f"{'Met' if verdict.passed else 'Not met'}: {verdict.reason}.")
        return verdict.passed
    return True
