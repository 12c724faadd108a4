# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Trials: a neuron with its parameters, the current that is injected, and what it answers."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from amat import toolchain
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.parameters import (
    AmatParameters,
    Catalogue,
    CurrentSegment,
    InputCurrent,
    IzhikevichPattern,
    izhikevich_patterns,
    validated_patterns,
    yamauchi_patterns,
)
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, steps_of

__all__ = ["MODELS", "ModelName", "Response", "SetName", "Trial", "find_trial", "run", "trials"]


ModelName = Literal["amat", "izhikevich"]
#: Of AMAT's parameters: validated, or as printed with a membrane time constant of 10 or 5 ms.
SetName = Literal["validated", "printed-10", "printed-5"]

#: The models, by their names in NEST.
MODELS: Mapping[ModelName, str] = {"amat": toolchain.AMAT_OPT, "izhikevich": toolchain.IZHIKEVICH_2004}

#: Time step of AMAT in ms, where none is given; Izhikevich's is that of each pattern.
RESOLUTION = 0.1

#: Steps times neurons that one run of NEST simulates, so that their currents and traces fit into memory.
_SAMPLES_AT_ONCE = 3e7

#: How long AMAT is simulated in ms with a stimulus as it is printed: what goes on, goes on to the end.
PRINTED_DURATION = 500.0
#: With the ramps that are printed for classes 1 and 2, which have no end: up to 1.2 times the threshold current.
PRINTED_RAMP_DURATION = 48000.0


@dataclass(frozen=True)
class Trial:
    """One neuron, and one stimulus.

    Attributes
    ----------
    pattern : str
        The pattern that it is to show.
    model : {"amat", "izhikevich"}
    parameters : dict of str to float
        By their names in NEST, for `MODELS`' model.
    initial : dict of str to float
        State variables at time zero that differ from the model's own initial values.
    current : InputCurrent
        In pA; in mV/ms for Izhikevich's neuron.
    duration, resolution : float
        In ms.
    """

    pattern: str
    model: ModelName
    parameters: dict[str, float]
    initial: dict[str, float]
    current: InputCurrent
    duration: float
    resolution: float

    def waveform(self) -> Floats:
        """Return the current during each step, shape (steps,).

        AMAT's is the value in the middle of the step, so that a pulse lasts as long as it says. Izhikevich's is that
        at the start, as in his script, where a pulse does not include its first moment.
        """
        steps = steps_of(self.duration, self.resolution)
        # Rounded, so that a segment that ends on the grid does so whatever floating point makes of it.
        return self.current([round((step + self.sampled) * self.resolution, 9) for step in range(steps)])

    @property
    def sampled(self) -> float:
        """Where in a step the current is read, as a fraction of the step."""
        return 0.5 if self.model == "amat" else 0.0

    @property
    def pulses(self) -> list[CurrentSegment]:
        """The pieces of the current that begin and end, in order."""
        finite = [s for s in self.current.segments if math.isfinite(s.t_start) and math.isfinite(s.t_stop)]
        return sorted(finite, key=lambda segment: segment.t_start)

    @property
    def onset(self) -> float:
        """When the stimulus begins, in ms: the end of the first piece that was there before, or the first start."""
        return min(s.t_start if math.isfinite(s.t_start) else s.t_stop for s in self.current.segments)

    @property
    def offset(self) -> float:
        """When it ends, in ms: with its last piece, with the start of one that stays on, or with the trial."""
        before = [s for s in self.current.segments if not math.isfinite(s.t_start)]
        if before:  # the stimulus is what lies between two open pieces
            return min((s.t_start for s in self.current.segments if math.isfinite(s.t_start)), default=self.duration)
        return min(max(s.t_stop for s in self.current.segments), self.duration)


@dataclass(frozen=True)
class Response:
    """What a neuron did in a trial.

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
        return np.arange(1, len(self.V_m) + 1, dtype=np.float64) * self.trial.resolution

    @property
    def drive(self) -> Floats:
        """How near the neuron is to a spike, in mV, shape (steps,): AMAT's distance from threshold, or ``V_m``."""
        return self.V_m - self.V_th if len(self.V_th) else self.V_m


def trials(model: ModelName, parameters: SetName = "validated", resolution: float = RESOLUTION) -> Catalogue[Trial]:
    """Return the 20 patterns of a model as trials.

    Parameters
    ----------
    model : {"amat", "izhikevich"}
    parameters : {"validated", "printed-10", "printed-5"}
        Of AMAT: those that were found to show the pattern, or Yamauchi's Table 1 as printed with a membrane time
        constant of 10 or 5 ms, its inter-pulse intervals taken from the end of a pulse to the next onset.
    resolution : float
        Time step of AMAT in ms. Izhikevich's published scheme has one for each pattern.

    Returns
    -------
    Catalogue
        By the pattern's name; an unknown one raises `amat.neurons.parameters.ParameterError` with the nearest.

    Raises
    ------
    AmatError
        If there is no such model or set.
    """
    if model not in MODELS:
        raise AmatError(f"There is no model {model!r}: choose one of {', '.join(MODELS)}.")
    if model == "izhikevich":
        return Catalogue("pattern", ((p.name, _izhikevich_trial(p)) for p in izhikevich_patterns().values()))
    if parameters not in get_args(SetName):
        raise AmatError(f"There is no parameter set {parameters!r}: choose one of {', '.join(get_args(SetName))}.")
    if parameters == "validated":
        entries = [
            _amat_trial(p.name, p.parameters, p.current, p.duration, resolution) for p in validated_patterns().values()
        ]
    else:
        entries = [
            _amat_trial(
                p.name,
                p.parameters,
                p.stimulus.current(intervals_from="end"),
                PRINTED_RAMP_DURATION if math.inf in p.stimulus.ramp_durations else PRINTED_DURATION,
                resolution,
            )
            for p in yamauchi_patterns(tau_m=float(parameters.removeprefix("printed-"))).values()
        ]
    return Catalogue("pattern", ((trial.pattern, trial) for trial in entries))


def find_trial(
    pattern: str, model: ModelName, parameters: SetName = "validated", resolution: float = RESOLUTION
) -> Trial:
    """Return one pattern of a model; the arguments and errors are those of `trials`."""
    return trials(model, parameters, resolution)[pattern]


def run(todo: Sequence[Trial], *, traces: bool = True, threads: int = 1) -> list[Response]:
    """Simulate trials on NEST, those of one model, time step and duration in one run.

    Parameters
    ----------
    todo : sequence of Trial
    traces : bool
        Whether to record membrane potentials and thresholds.
    threads : int
        NEST's threads.

    Returns
    -------
    list of Response
        In the order of `todo`.
    """

    def kind(number: int) -> tuple[str, float, float]:
        return todo[number].model, todo[number].resolution, todo[number].duration

    responses: dict[int, Response] = {}
    for (model, resolution, duration), group in itertools.groupby(sorted(range(len(todo)), key=kind), key=kind):
        numbers = list(group)
        at_once = max(1, int(_SAMPLES_AT_ONCE * resolution / duration))
        if len(numbers) > at_once:
            for part in (numbers[i : i + at_once] for i in range(0, len(numbers), at_once)):
                run_part = run([todo[n] for n in part], traces=traces, threads=threads)
                responses |= dict(zip(part, run_part, strict=True))
            continue
        name = MODELS[model]  # type: ignore[index]
        recorded = ["V_m", "V_th"] if model == "amat" else ["V_m"]
        result = simulate(
            {name: [todo[n].parameters for n in numbers]},
            [Stimulus(todo[n].waveform()) for n in numbers],
            resolution,
            initial={name: [todo[n].initial for n in numbers]},
            record={name: recorded} if traces else None,
            threads=threads,
        ).recordings[name]
        nothing = np.empty(0)
        for i, number in enumerate(numbers):
            traced = {name: trace[i] for name, trace in result.traces.items()}
            responses[number] = Response(
                todo[number], result.spike_times(i), traced.get("V_m", nothing), traced.get("V_th", nothing)
            )
    return [responses[number] for number in range(len(todo))]


def _amat_trial(
    name: str, parameters: AmatParameters, current: InputCurrent, duration: float, resolution: float
) -> Trial:
    parameters.validate(resolution)
    return Trial(name, "amat", parameters.to_nestml(), {}, current, duration, resolution)


def _izhikevich_trial(pattern: IzhikevichPattern) -> Trial:
    q_2, q_1, q_0 = pattern.quadratic
    parameters = {"a": pattern.a, "b": pattern.b, "c": pattern.c, "d": pattern.d, "V_peak": pattern.V_peak}
    parameters |= {"q_2": q_2, "q_1": q_1, "q_0": q_0}
    if pattern.recovery == "accommodation":
        parameters |= {"leak": 0.0, "V_ref": -65.0}
    # The script's last step begins at the end of the run.
    steps = round(pattern.duration / pattern.h) + 1
    return Trial(
        pattern=pattern.name,
        model="izhikevich",
        parameters=parameters,
        initial={"V_m": pattern.V_0, "U_m": pattern.u_0},
        current=pattern.current,
        duration=round(steps * pattern.h, 9),
        resolution=pattern.h,
    )


def scaled(trial: Trial, quantity: str, factor: float) -> Trial:
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
        If the trial has no such quantity.
    """
    if quantity in ("amplitude", "constant", "duration", "interval"):
        lasting = [s for s in trial.current.segments if s not in trial.pulses]
        changed = lasting if quantity == "constant" or not trial.pulses else trial.pulses
        segments = tuple(
            _scaled_segment(s, quantity, factor, trial.pulses) if s in changed else s for s in trial.current.segments
        )
        return dataclasses.replace(trial, current=dataclasses.replace(trial.current, segments=segments))
    if quantity not in trial.parameters:
        raise AmatError(
            f"{quantity} cannot be scaled: choose amplitude, constant, duration, interval, "
            f"{', '.join(trial.parameters)}."
        )
    return dataclasses.replace(trial, parameters=trial.parameters | {quantity: trial.parameters[quantity] * factor})


def _scaled_segment(
    segment: CurrentSegment, quantity: str, factor: float, pulses: Sequence[CurrentSegment]
) -> CurrentSegment:
    if quantity == "duration":
        return dataclasses.replace(segment, t_stop=segment.t_start + (segment.t_stop - segment.t_start) * factor)
    if quantity == "interval":
        by = (segment.t_start - pulses[0].t_start) * (factor - 1.0)
        return dataclasses.replace(segment, t_start=segment.t_start + by, t_stop=segment.t_stop + by)
    return dataclasses.replace(segment, value=segment.value * factor, slope=segment.slope * factor)
