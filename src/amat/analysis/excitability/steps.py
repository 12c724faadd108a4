# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Steps of current: the onset of firing, and f-I curves, of both models."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from amat.analysis.excitability.measures import FAR, NEAR, classify_onset, classify_sustained, measure_step
from amat.arrays import Floats
from amat.checks import require_count, require_duration, require_neurons
from amat.errors import AmatError
from amat.neurons import NEURON_MODELS, ModelName, Neuron, find_neuron
from amat.simulation.kernel import NEST_MODELS, Simulation

__all__ = ["PATTERNS", "fi_curves", "find_onsets", "representative_neurons"]


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

#: Distances from rest: the last that does not suffice, and the first that does.
Bracket = tuple[float, float]

#: Distances that the first run of a search covers, in the units of the neurons' currents.
_SEARCH = {"amat": (1.0, 2000.0), "izhikevich": (0.01, 50.0)}


def representative_neurons(patterns: Sequence[str] = PATTERNS) -> list[Neuron]:
    """Return the neurons of both models that show some patterns: AMAT's first, then Izhikevich's.

    Each has its published or validated parameters, initial state and time step; AMAT's is 0.1 ms.

    Raises
    ------
    AmatError
        If there is no pattern, or an unknown one.
    """
    if not patterns:
        raise AmatError(f"No pattern is named: choose some of {', '.join(PATTERNS)}.")
    return [find_neuron(pattern, model) for model in NEURON_MODELS for pattern in patterns]


def simulate_steps(neurons: Sequence[Neuron], distances: Sequence[Floats], duration: float) -> list[list[Floats]]:
    """Simulate steps of current of all distances of all neurons; those of a model and time step in one run of NEST.

    Returns
    -------
    list of list of ndarray
        Spike times in ms, by neuron and distance.
    """
    groups: dict[tuple[ModelName, float], list[int]] = {}
    for number, neuron in enumerate(neurons):
        groups.setdefault((neuron.model, neuron.resolution), []).append(number)
    found: list[list[Floats]] = [[] for _ in neurons]
    for (model, resolution), numbers in groups.items():
        driven = [
            neurons[n].status | {"I_e": neurons[n].rest_current + neurons[n].direction * float(distance)}
            for n in numbers
            for distance in distances[n]
        ]
        if not driven:
            continue
        trains = iter(Simulation(NEST_MODELS[model], driven, duration, resolution).run())
        for n in numbers:
            found[n] = [next(trains) for _ in distances[n]]
    return found


def find_onsets(
    neurons: Sequence[Neuron], *, n_currents: int = 24, duration: float = 20000.0, precision: float = 1e-6
) -> pd.DataFrame:
    """Find the currents at which first spikes and sustained firing begin, and the type of the onset.

    A coarse run brackets each of the two currents between the last that does not suffice and the first that does;
    further runs refine the brackets. A current beyond one that suffices is assumed to suffice.

    Parameters
    ----------
    neurons : sequence of Neuron
    n_currents : int
        Currents per neuron and run, at least two.
    duration : float
        Of a step, ms: a whole number of steps. See `measure_step` for the rates that it resolves.
    precision : float
        Width of the final brackets, relative to the distance from rest; smaller than `NEAR`.

    Returns
    -------
    pandas.DataFrame
        One row per neuron:

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
        If a value is out of its range, or a neuron does not spike at any current of the search.
    """
    require_neurons(neurons)
    require_count("currents", n_currents)
    require_duration(duration)
    if not 0 < precision < NEAR:
        raise AmatError(f"The precision must be positive and less than {NEAR:g}, got {precision:g}.")
    first, sustained = _find_brackets(neurons, n_currents, duration, precision)
    tests = [x * (1.0 + np.array([] if math.isnan(x) else [NEAR, FAR])) for _, x in sustained]
    rows = []
    for i, trains in enumerate(simulate_steps(neurons, tests, duration)):
        near, far = [measure_step(train, duration).steady_rate for train in trains] or (math.nan, math.nan)
        rows.append(_describe_onset(neurons[i], first[i], sustained[i], near, far))
    return pd.DataFrame(rows)


def _find_brackets(
    neurons: Sequence[Neuron], n_currents: int, duration: float, precision: float
) -> tuple[list[Bracket], list[Bracket]]:
    """Return for each neuron brackets of the distances at which first spikes and sustained firing begin."""
    coarse = [np.geomspace(*_SEARCH[neuron.model], n_currents) for neuron in neurons]
    first: list[Bracket] = []
    sustained: list[Bracket] = []
    for neuron, distances, trains in zip(neurons, coarse, simulate_steps(neurons, coarse, duration), strict=True):
        spiking, firing = _answers(trains, duration)
        if not any(spiking):
            raise AmatError(
                f"{neuron.pattern} of {neuron.model} does not spike up to {distances[-1]:g} {neuron.current_unit} from "
                "rest: choose another neuron."
            )
        first.append(_bracket(distances, spiking))
        sustained.append(_bracket(distances, firing))
    while any(high - low > precision * high for low, high in first + sustained):
        parts = [
            [_between(bracket, n_currents, precision) for bracket in pair]
            for pair in zip(first, sustained, strict=True)
        ]
        answers = simulate_steps(neurons, [np.concatenate(pair) for pair in parts], duration)
        for number, ((inner, outer), trains) in enumerate(zip(parts, answers, strict=True)):
            spiking, firing = _answers(trains, duration)
            first[number] = _bracket(inner, spiking[: len(inner)], first[number])
            sustained[number] = _bracket(outer, firing[len(inner) :], sustained[number])
    return first, sustained


def _describe_onset(neuron: Neuron, first: Bracket, sustained: Bracket, near: float, far: float) -> dict[str, object]:
    """Return a neuron's row in the table of `find_onsets`."""
    rest, sign, rheobase = neuron.rest_current, neuron.direction, sustained[1]
    band = 1.0 if math.isnan(rheobase) else 1.0 - first[1] / rheobase
    kind = classify_sustained(near, far)
    return {
        "model": neuron.model,
        "pattern": neuron.pattern,
        "current_unit": neuron.current_unit,
        "rest_current": rest,
        "direction": sign,
        "first_current": rest + sign * first[1],
        "sustained_current": rest + sign * rheobase,
        "resolution": max(high - low for low, high in (first, sustained) if not math.isnan(high)),
        "near_rate_per_s": near,
        "far_rate_per_s": far,
        "fall": near / far if far else math.nan,
        "phasic_band": band,
        "sustained_type": kind,
        "onset_type": classify_onset(band, kind),
    }


def _answers(trains: Sequence[Floats], duration: float) -> tuple[list[bool], list[bool]]:
    """Return for each train whether there are spikes, and whether firing is sustained."""
    return [len(t) > 0 for t in trains], [measure_step(t, duration).steady_rate > 0 for t in trains]


def _bracket(distances: Floats, suffices: Sequence[bool], around: Bracket = (0.0, math.nan)) -> Bracket:
    """Return the last distance that does not suffice, and the first that does, within the bracket `around`."""
    hits = np.flatnonzero(suffices)
    if not len(hits):
        return (float(distances[-1]) if len(distances) else around[0]), around[1]
    hit = int(hits[0])
    return (float(distances[hit - 1]) if hit else around[0]), float(distances[hit])


def _between(bracket: Bracket, count: int, precision: float) -> Floats:
    """Return distances that divide a bracket that is still too wide."""
    low, high = bracket
    if not high - low > precision * high:
        return np.empty(0)
    return np.linspace(low, high, count + 2)[1:-1]


def fi_curves(
    neurons: Sequence[Neuron],
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
    neurons : sequence of Neuron
    onsets : pandas.DataFrame
        From `find_onsets`, for the same neurons in the same order.
    n_currents : int
        Currents per neuron, at least eight.
    duration : float
        Of a step, ms: a whole number of steps.
    highest, nearest : float
        Largest distance from rest, and the first beyond the onset of firing, relative to the latter's distance
        from rest: ``nearest > 0``, ``highest > 1 + nearest``.

    Returns
    -------
    pandas.DataFrame
        One row per neuron and current: model, pattern, current, current_unit, relative_distance (1 where sustained
        firing begins), spikes, onset_rate_per_s, steady_rate_per_s, adaptation_index (`relative_adaptation` of
        `StepResponse`).

    Raises
    ------
    AmatError
        If a value is out of its range, or `onsets` is for other neurons.
    """
    require_neurons(neurons)
    require_count("currents", n_currents, 8)
    require_duration(duration)
    if not 0 < nearest < highest - 1:
        raise AmatError(
            "Currents must extend from above 1 to a larger multiple of the rheobase, got "
            f"{1 + nearest:g} to {highest:g}."
        )
    names = [(neuron.model, neuron.pattern) for neuron in neurons]
    if names != list(zip(onsets["model"], onsets["pattern"], strict=True)):
        raise AmatError(f"The onsets must be those of the {len(neurons)} neurons, in the same order: use find_onsets.")
    below = n_currents // 4
    relative = np.concatenate(
        [
            np.linspace(0.0, 1.0, below + 2)[1:-1],
            1.0 + np.geomspace(nearest, highest - 1.0, n_currents - below),
        ]
    )
    scales = (onsets["sustained_current"].fillna(onsets["first_current"]) - onsets["rest_current"]).abs().tolist()
    trains = simulate_steps(neurons, [relative * scale for scale in scales], duration)
    rows = []
    for neuron, scale, responses in zip(neurons, scales, trains, strict=True):
        for ratio, train in zip(relative.tolist(), responses, strict=True):
            measures = measure_step(train, duration)
            rows.append(
                {
                    "model": neuron.model,
                    "pattern": neuron.pattern,
                    "current": neuron.rest_current + neuron.direction * ratio * scale,
                    "current_unit": neuron.current_unit,
                    "relative_distance": ratio,
                    "spikes": measures.spikes,
                    "onset_rate_per_s": measures.onset_rate,
                    "steady_rate_per_s": measures.steady_rate,
                    "adaptation_index": measures.relative_adaptation,
                }
            )
    return pd.DataFrame(rows)
