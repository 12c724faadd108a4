# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Trials: a neuron under a current for some time, and its response."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.checks import Catalogue
from amat.neurons.currents import CurrentSegment, InputCurrent
from amat.neurons.neuron import ModelName, Neuron
from amat.neurons.published import AmatPattern, IzhikevichPattern, SetName, find_patterns
from amat.simulation.kernel import NEST_MODELS
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, on_grid

__all__ = ["Response", "Trial", "find_trial", "load_trials", "run_trials", "scale_trial"]

#: Steps times neurons that one run of NEST simulates, so that their currents and traces fit into memory.
_SAMPLES_AT_ONCE = 3e7


@dataclass(frozen=True)
class Trial:
    """One neuron under one input current.

    Attributes
    ----------
    neuron : Neuron
    current : InputCurrent or ndarray, shape (steps,)
        In pA; in mV/ms for Izhikevich's neuron. An array has the current during each step.
    duration : float
        In ms.
    """

    neuron: Neuron
    current: InputCurrent | Floats
    duration: float

    @property
    def fraction(self) -> float:
        """The point within a step at which the current is read; see `amat.simulation.stimuli.on_grid`.

        AMAT's is read in the middle of the step. Izhikevich's is read at the start, as in his script, where a pulse
        does not include its first moment.
        """
        return 0.5 if self.neuron.model == "amat" else 0.0

    def current_on_grid(self) -> Floats:
        """Return the current during each step, shape (steps,)."""
        if isinstance(self.current, InputCurrent):
            return on_grid(self.current, self.duration, self.neuron.resolution, self.fraction)
        return self.current

    @property
    def stimulus(self) -> InputCurrent:
        """The current as a function of time."""
        if not isinstance(self.current, InputCurrent):
            raise AmatError("The trial's current is an array, which has no pulses: give an InputCurrent.")
        return self.current

    @property
    def pulses(self) -> list[CurrentSegment]:
        """The pieces of the current that begin and end, in order."""
        return self.stimulus.pulses

    @property
    def onset(self) -> float:
        """The start of the stimulus in ms."""
        return self.stimulus.onset

    @property
    def offset(self) -> float:
        """The end of the stimulus in ms, or that of the trial."""
        return min(self.stimulus.offset, self.duration)


@dataclass(frozen=True)
class Response:
    """The response of a neuron in a trial.

    Attributes
    ----------
    trial : Trial
    spikes : ndarray, shape (spikes,)
        Spike times in ms.
    V_m : ndarray, shape (steps,)
        Membrane potential in mV at the end of each step; empty if traces were not recorded.
    V_th : ndarray, shape (steps,)
        AMAT's threshold in mV; empty for Izhikevich's neuron, which has none.
    """

    trial: Trial
    spikes: Floats
    V_m: Floats
    V_th: Floats

    @property
    def time(self) -> Floats:
        """The ends of the steps in ms, shape (steps,)."""
        return np.arange(1, len(self.V_m) + 1, dtype=np.float64) * self.trial.neuron.resolution

    @property
    def drive(self) -> Floats:
        """The distance from a spike in mV, shape (steps,): AMAT's ``V_m - V_th``, or ``V_m``."""
        return self.V_m - self.V_th if len(self.V_th) else self.V_m


def load_trials(model: ModelName, parameters: SetName = "validated", resolution: float = 0.1) -> Catalogue[Trial]:
    """Return the 20 patterns of a model as trials.

    Parameters
    ----------
    model : {"amat", "izhikevich"}
    parameters : str
        As in `amat.neurons.published.find_patterns`.
    resolution : float
        Time step of AMAT in ms. Izhikevich's published scheme has one for each pattern.

    Returns
    -------
    Catalogue
        By the pattern's name; an unknown one raises `amat.neurons.ParameterError` with the nearest.

    Raises
    ------
    ParameterError
        If there is no such model or set.
    """
    patterns = find_patterns(model, parameters).values()
    return Catalogue("pattern", ((pattern.name, _trial(pattern, resolution)) for pattern in patterns))


def _trial(pattern: AmatPattern | IzhikevichPattern, resolution: float) -> Trial:
    if isinstance(pattern, AmatPattern):
        return Trial(pattern.neuron(resolution), pattern.current, pattern.duration)
    # The script's last step begins at the end of the run.
    steps = round(pattern.duration / pattern.h) + 1
    return Trial(pattern.neuron(), pattern.current, round(steps * pattern.h, 9))


def find_trial(pattern: str, model: ModelName, parameters: SetName = "validated", resolution: float = 0.1) -> Trial:
    """Return one pattern of a model; the arguments and errors are those of `load_trials`."""
    return load_trials(model, parameters, resolution)[pattern]


def run_trials(
    todo: Sequence[Trial], *, traces: bool = True, threads: int = 1, progress: Callable[[int], None] | None = None
) -> list[Response]:
    """Simulate trials on NEST, those of one model, time step and duration in one run.

    Parameters
    ----------
    todo : sequence of Trial
    traces : bool
        Whether to record membrane potentials and thresholds.
    threads : int
        NEST's threads.
    progress : callable, optional
        Called with the number of steps done so far in a run.

    Returns
    -------
    list of Response
        In the order of `todo`.
    """

    def kind(number: int) -> tuple[str, float, float]:
        return todo[number].neuron.model, todo[number].neuron.resolution, todo[number].duration

    responses: dict[int, Response] = {}
    for (_, resolution, duration), group in itertools.groupby(sorted(range(len(todo)), key=kind), key=kind):
        numbers = list(group)
        at_once = max(1, int(_SAMPLES_AT_ONCE * resolution / duration))
        for begin in range(0, len(numbers), at_once):
            part = numbers[begin : begin + at_once]
            responses |= zip(part, _run_alike([todo[n] for n in part], traces, threads, progress), strict=True)
    return [responses[number] for number in range(len(todo))]


def _run_alike(
    todo: Sequence[Trial], traces: bool, threads: int, progress: Callable[[int], None] | None
) -> list[Response]:
    """Simulate trials of one model, time step and duration in one run."""
    first = todo[0].neuron
    name = NEST_MODELS[first.model]
    recorded = ["V_m", "V_th"] if first.model == "amat" else ["V_m"]
    result = simulate(
        {name: [trial.neuron.status for trial in todo]},
        [Stimulus(trial.current_on_grid()) for trial in todo],
        first.resolution,
        initial={name: [trial.neuron.initial for trial in todo]},
        record={name: recorded} if traces else None,
        threads=threads,
        progress=progress,
    ).recordings[name]
    nothing = np.empty(0)
    responses = []
    for i, trial in enumerate(todo):
        traced = {name: trace[i] for name, trace in result.traces.items()}
        V_m, V_th = (traced.get(name, nothing) for name in ("V_m", "V_th"))
        responses.append(Response(trial, result.spike_times(i), V_m, V_th))
    return responses


def scale_trial(trial: Trial, quantity: str, factor: float) -> Trial:
    """Return a trial with one quantity multiplied by a factor.

    Parameters
    ----------
    trial : Trial
    quantity : str
        ``"amplitude"`` of pulses and ramps, or of a constant current where there are none; ``"constant"``, the
        constant current below pulses; ``"duration"`` of pulses and ramps, whose onsets stay;
        ``"interval"`` from the onset of the first pulse to those of the others; or a parameter of the neuron.
    factor : float
        Positive.

    Raises
    ------
    AmatError
        If the trial has no such quantity, or the scaled value is invalid.
    """
    if quantity in ("amplitude", "constant", "duration", "interval"):
        pulses, segments = trial.stimulus.pulses, trial.stimulus.segments
        lasting = [s for s in segments if s not in pulses]
        changed = lasting if quantity == "constant" or not pulses else pulses
        scaled = tuple(_scaled_segment(s, quantity, factor, pulses) if s in changed else s for s in segments)
        return dataclasses.replace(trial, current=dataclasses.replace(trial.stimulus, segments=scaled))
    values = trial.neuron.parameters.to_nestml()
    if quantity not in values:
        raise AmatError(
            f"{quantity} cannot be scaled: choose amplitude, constant, duration, interval, {', '.join(values)}."
        )
    parameters = trial.neuron.parameters.replace(**{quantity: values[quantity] * factor})
    return dataclasses.replace(trial, neuron=dataclasses.replace(trial.neuron, parameters=parameters))


def _scaled_segment(
    segment: CurrentSegment, quantity: str, factor: float, pulses: Sequence[CurrentSegment]
) -> CurrentSegment:
    if quantity == "duration":
        return dataclasses.replace(segment, t_stop=segment.t_start + (segment.t_stop - segment.t_start) * factor)
    if quantity == "interval":
        by = (segment.t_start - pulses[0].t_start) * (factor - 1.0)
        return dataclasses.replace(segment, t_start=segment.t_start + by, t_stop=segment.t_stop + by)
    return dataclasses.replace(segment, value=segment.value * factor, slope=segment.slope * factor)
