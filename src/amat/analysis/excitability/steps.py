# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons of both models under steps of current: where firing begins, and the f-I curves."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from amat import toolchain
from amat.analysis.excitability.checks import require_count, require_duration, require_trials
from amat.analysis.excitability.measures import FAR, NEAR, classify_onset, classify_sustained, measure_step
from amat.analysis.patterns import MODELS, Trial, find_trial
from amat.arrays import Floats
from amat.errors import AmatError
from amat.simulation.run import DELAY, fresh_kernel
from amat.simulation.stimuli import steps_of

__all__ = ["PATTERNS", "UNITS", "fi_curves", "find_onsets", "representative_trials"]


#: Patterns whose neurons represent what both models can do under a constant current.
PATTERNS = (
    "tonic_spiking",
    "spike_frequency_adaptation",
    "class_1",
    "class_2",
    "tonic_bursting",
    "mixed_mode",
    "phasic_spiking",
    "inhibition_induced_spiking",
)

#: Units of currents.
UNITS: Mapping[str, str] = {"amat": "pA", "izhikevich": "mV/ms"}

#: Distances that the first run of a search covers, in the units of `UNITS`.
_SEARCH = {"amat": (1.0, 2000.0), "izhikevich": (0.01, 50.0)}


def representative_trials(patterns: Sequence[str] = PATTERNS) -> list[Trial]:
    """Return the neurons of both models that show some patterns: AMAT's first, then Izhikevich's.

    Each has its published or validated parameters, initial state and time step; AMAT's is 0.1 ms.

    Raises
    ------
    AmatError
        If there is no pattern, or an unknown one.
    """
    if not patterns:
        raise AmatError(f"No pattern is named: choose some of {', '.join(PATTERNS)}.")
    return [find_trial(pattern, model) for model in MODELS for pattern in patterns]


def _rest_current(trial: Trial) -> float:
    """Return the current at which the trial's initial state is that of rest."""
    return float(trial.current(0.0))


def _direction(trial: Trial) -> float:
    """Return the sign of the pattern's own stimulus."""
    soon = trial.onset + 1.0
    return -1.0 if float(trial.current(soon)) < _rest_current(trial) else 1.0


def _trains(trials: Sequence[Trial], distances: Sequence[Floats], duration: float) -> list[list[Floats]]:
    """Simulate steps of current of all distances of all neurons; those of a model and time step in one run of NEST.

    Returns
    -------
    list of list of ndarray
        Spike times in ms, by trial and distance.
    """
    groups: dict[tuple[str, float], list[int]] = {}
    for number, trial in enumerate(trials):
        groups.setdefault((MODELS[trial.model], trial.resolution), []).append(number)
    found: list[list[Floats]] = [[] for _ in trials]
    for (model, resolution), numbers in groups.items():
        neurons = [
            trials[n].parameters
            | trials[n].initial
            | {"I_e": _rest_current(trials[n]) + _direction(trials[n]) * float(distance)}
            for n in numbers
            for distance in distances[n]
        ]
        if not neurons:
            continue
        trains = iter(_constant_currents(model, neurons, resolution, duration))
        for n in numbers:
            found[n] = [next(trains) for _ in distances[n]]
    return found


def _constant_currents(
    model: str, neurons: Sequence[Mapping[str, float]], resolution: float, duration: float
) -> list[Floats]:
    """Return the spike times in ms of neurons that are driven by their own `I_e` alone."""
    steps = steps_of(duration, resolution)
    nest = fresh_kernel(resolution)
    toolchain.install(model)
    nodes = nest.Create(model, len(neurons))
    nodes.set([dict(neuron) for neuron in neurons])
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(nodes, recorder, syn_spec={"delay": DELAY})
    # Spikes are delivered with the delay, hence the time beyond the end.
    nest.Simulate(steps * resolution + 2 * DELAY)
    events = recorder.events
    times = np.asarray(events["times"], dtype=np.int64)
    senders = np.asarray(events["senders"], dtype=np.int64) - nodes[0].global_id
    kept = times <= steps
    order = np.lexsort((times[kept], senders[kept]))
    counts = np.bincount(senders[kept], minlength=len(nodes))
    return np.split(times[kept][order] * resolution, np.cumsum(counts)[:-1])


def find_onsets(
    trials: Sequence[Trial], *, n_currents: int = 24, duration: float = 20000.0, precision: float = 1e-6
) -> pd.DataFrame:
    """Find the currents at which neurons begin to spike and to go on spiking, and the type of the onset.

    A coarse run brackets each of the two currents between the last that does not suffice and the first that does;
    further runs refine the brackets. That more current suffices as well is taken for granted.

    Parameters
    ----------
    trials : sequence of Trial
        The neurons, with their initial states; their stimuli only tell the current at rest and the direction.
    n_currents : int
        Currents a neuron and run, two at least.
    duration : float
        Of a step, ms: a whole number of steps. See `measure_step` for the rates that it can tell.
    precision : float
        Width of the final brackets, relative to the distance from rest; smaller than `NEAR`.

    Returns
    -------
    pandas.DataFrame
        One row a neuron:

        ==================== ==================================================================================
        model, pattern
        current_unit         of all currents: pA, or mV/ms for Izhikevich's neuron
        rest_current
        direction            1, or -1 if less current excites
        first_current        rheobase: least change of current from rest that elicits a spike
        sustained_current    the same for sustained firing; NaN if there is none
        resolution           width of the wider bracket, in `current_unit`
        near_rate_per_s      steady-state rate at `NEAR` beyond `sustained_current`
        far_rate_per_s       and at `FAR`
        fall                 ratio of the two
        phasic_band          range between the two currents, relative to the second's distance from rest; 1 without it
        sustained_type       "class 1", "class 2" or "none", see `classify_sustained`
        onset_type           "class 1", "class 2" or "phasic", see `classify_onset`
        ==================== ==================================================================================

    Raises
    ------
    AmatError
        If the input is out of its range, or a neuron does not spike at any current of the search.
    """
    require_trials(trials)
    require_count("currents", n_currents)
    require_duration(duration)
    if not 0 < precision < NEAR:
        raise AmatError(f"A precision of {precision:g}: choose more than 0, and less than {NEAR:g}.")
    coarse = [np.geomspace(*_SEARCH[trial.model], n_currents) for trial in trials]
    first: list[tuple[float, float]] = []
    sustained: list[tuple[float, float]] = []
    for trial, distances, trains in zip(trials, coarse, _trains(trials, coarse, duration), strict=True):
        spiking, firing = _answers(trains, duration)
        if not any(spiking):
            raise AmatError(
                f"{trial.pattern} of {trial.model} does not spike up to {distances[-1]:g} {UNITS[trial.model]} from "
                "rest: choose another neuron."
            )
        first.append(_bracket(distances, spiking))
        sustained.append(_bracket(distances, firing))
    while any(high - low > precision * high for low, high in first + sustained):
        parts = [
            [_between(bracket, n_currents, precision) for bracket in pair]
            for pair in zip(first, sustained, strict=True)
        ]
        answers = _trains(trials, [np.concatenate(pair) for pair in parts], duration)
        for number, ((inner, outer), trains) in enumerate(zip(parts, answers, strict=True)):
            spiking, firing = _answers(trains, duration)
            first[number] = _bracket(inner, spiking[: len(inner)], first[number])
            sustained[number] = _bracket(outer, firing[len(inner) :], sustained[number])
    rheobase = [high for _, high in sustained]
    nothing = np.empty(0)
    tests = [nothing if math.isnan(x) else x * (1.0 + np.array([NEAR, FAR])) for x in rheobase]
    rows = []
    for i, trains in enumerate(_trains(trials, tests, duration)):
        near, far = [measure_step(train, duration).steady_rate for train in trains] or (math.nan, math.nan)
        rest, sign = _rest_current(trials[i]), _direction(trials[i])
        band = 1.0 if math.isnan(rheobase[i]) else 1.0 - first[i][1] / rheobase[i]
        kind = classify_sustained(near, far)
        widths = [high - low for low, high in (first[i], sustained[i]) if not math.isnan(high)]
        rows.append(
            {
                "model": trials[i].model,
                "pattern": trials[i].pattern,
                "current_unit": UNITS[trials[i].model],
                "rest_current": rest,
                "direction": int(sign),
                "first_current": rest + sign * first[i][1],
                "sustained_current": rest + sign * rheobase[i],
                "resolution": max(widths),
                "near_rate_per_s": near,
                "far_rate_per_s": far,
                "fall": near / far if far else math.nan,
                "phasic_band": band,
                "sustained_type": kind,
                "onset_type": classify_onset(band, kind),
            }
        )
    return pd.DataFrame(rows)


def _answers(trains: Sequence[Floats], duration: float) -> tuple[list[bool], list[bool]]:
    """Return for each train whether there are spikes, and whether they go on."""
    return [len(t) > 0 for t in trains], [measure_step(t, duration).steady_rate > 0 for t in trains]


def _bracket(
    distances: Floats, suffices: Sequence[bool], around: tuple[float, float] = (0.0, math.nan)
) -> tuple[float, float]:
    """Return the last distance that does not suffice, and the first that does, within the bracket `around`."""
    hits = np.flatnonzero(suffices)
    if not len(hits):
        return (float(distances[-1]) if len(distances) else around[0]), around[1]
    hit = int(hits[0])
    return (float(distances[hit - 1]) if hit else around[0]), float(distances[hit])


def _between(bracket: tuple[float, float], count: int, precision: float) -> Floats:
    """Return distances that divide a bracket that is still too wide."""
    low, high = bracket
    if not high - low > precision * high:
        return np.empty(0)
    return np.linspace(low, high, count + 2)[1:-1]


def fi_curves(
    trials: Sequence[Trial],
    onsets: pd.DataFrame,
    *,
    n_currents: int = 40,
    duration: float = 2000.0,
    highest: float = 3.0,
    nearest: float = NEAR,
) -> pd.DataFrame:
    """Measure f-I curves over ranges that resolve where firing begins.

    The currents are spread around the one where sustained firing begins, or the rheobase if there is none: a quarter
    evenly between rest and it, the others beyond it, with geometrically growing distances from it.

    Parameters
    ----------
    trials : sequence of Trial
    onsets : pandas.DataFrame
        From `find_onsets`, for the same neurons in the same order.
    n_currents : int
        A neuron, eight at least.
    duration : float
        Of a step, ms: a whole number of steps.
    highest, nearest : float
        Largest distance from rest, and the first beyond the onset of firing, relative to the latter's distance
        from rest: ``nearest > 0``, ``highest > 1 + nearest``.

    Returns
    -------
    pandas.DataFrame
        One row a neuron and current: model, pattern, current, current_unit, relative_distance (1 where sustained
        firing begins), spikes, onset_rate_per_s, steady_rate_per_s, adaptation_index; see `TrainMeasures`.

    Raises
    ------
    AmatError
        If the input is out of its range, or `onsets` is that of other neurons.
    """
    require_trials(trials)
    require_count("currents", n_currents, 8)
    require_duration(duration)
    if not 0 < nearest < highest - 1:
        raise AmatError(
            f"Currents from {1 + nearest:g} to {highest:g} times the rheobase: choose a first one above 1, and a last "
            "one above the first."
        )
    names = [(trial.model, trial.pattern) for trial in trials]
    if names != list(zip(onsets["model"], onsets["pattern"], strict=True)):
        raise AmatError(f"The onsets are not those of the {len(trials)} neurons: find those of the same, in order.")
    below = n_currents // 4
    relative = np.concatenate(
        [
            np.linspace(0.0, 1.0, below + 2)[1:-1],
            1.0 + np.geomspace(nearest, highest - 1.0, n_currents - below),
        ]
    )
    scales = (onsets["sustained_current"].fillna(onsets["first_current"]) - onsets["rest_current"]).abs().tolist()
    trains = _trains(trials, [relative * scale for scale in scales], duration)
    rows = []
    for trial, scale, responses in zip(trials, scales, trains, strict=True):
        for ratio, train in zip(relative.tolist(), responses, strict=True):
            measures = measure_step(train, duration)
            rows.append(
                {
                    "model": trial.model,
                    "pattern": trial.pattern,
                    "current": _rest_current(trial) + _direction(trial) * ratio * scale,
                    "current_unit": UNITS[trial.model],
                    "relative_distance": ratio,
                    "spikes": measures.spikes,
                    "onset_rate_per_s": measures.onset_rate,
                    "steady_rate_per_s": measures.steady_rate,
                    "adaptation_index": measures.adaptation_index,
                }
            )
    return pd.DataFrame(rows)
