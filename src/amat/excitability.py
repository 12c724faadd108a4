"""How firing depends on a constant current: f-I curves, how they begin, adaptation and hysteresis, for both models.

A neuron at rest gets a step of current. The rate is measured at the onset of the response and at its end. How firing
begins as the current grows is Hodgkin's classification [1]_:

========  ===========================================================================================================
class 1   sustained firing begins with a rate that goes to zero
class 2   sustained firing begins with a finite rate
phasic    firing begins with spikes at the step's onset only (class 3); sustained firing takes more, or does not occur
========  ===========================================================================================================

Currents are searched for from the neuron's rest in the direction of its pattern's own stimulus, so that neurons excited
by inhibition are treated like the others. A *distance* is a current minus that at rest, in this direction.

No finite measurement tells a rate that goes to zero from a low one. What is tested is whether the steady-state rate
still falls as the current comes near: `NEAR` beyond the least current of sustained firing it is less than `FALL` times
that at `FAR` beyond (class 1), or not (class 2). With the square root of a saddle-node on an invariant circle [2]_ this
ratio is 0.1, with the logarithm of an AMAT neuron (see `steady_interval`) about one half, and with a jump to a finite
rate about 1. The criterion errs in both directions: a jump to a rate far below that at `FAR` counts as class 1, and so
does an interval near the onset that is too long for the run; an interval that grows without bound, but by little in
each decade of the distance, counts as class 2. The ratio is in the results, so that another line can be drawn.

References
----------
.. [1] Hodgkin AL (1948). J. Physiol. 107:165-181. doi:10.1113/jphysiol.1948.sp004260
.. [2] Rinzel J, Ermentrout GB (1998). Analysis of neural excitability and oscillations. In: Methods in Neuronal
   Modeling, 2nd ed., MIT Press.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from amat import toolchain
from amat.errors import AmatError
from amat.parameters import AmatParameters
from amat.patterns import MODELS, Trial, find_trial
from amat.protocols import Stimulus, steps_of
from amat.reference import refractory_steps
from amat.simulation import DELAY, fresh_kernel, simulate

__all__ = [
    "FALL",
    "FAR",
    "NEAR",
    "PATTERNS",
    "PHASIC_BAND",
    "UNITS",
    "OnsetType",
    "SustainedType",
    "TrainMeasures",
    "classify_onset",
    "classify_sustained",
    "fi_curves",
    "find_onsets",
    "hysteresis",
    "lowest_sustained_current",
    "measure_step",
    "representative_trials",
    "staircase",
    "steady_interval",
]

Floats = NDArray[np.float64]
OnsetType = Literal["class 1", "class 2", "phasic"]
SustainedType = Literal["class 1", "class 2", "none"]

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

#: Distances beyond the least of sustained firing at which rates are compared, relative to that distance from rest.
NEAR, FAR = 1e-4, 1e-2
#: Ratio of the rate at `NEAR` to that at `FAR` below which the rate counts as going to zero.
FALL = 0.65
#: The onset is phasic if spikes at the step's onset alone come over a range larger than this, relative to the same.
PHASIC_BAND = 0.1
#: Part of a step, at its end, in which the steady state is measured.
STEADY_PART = 0.5

#: Distances that the first run of a search covers, in the units of `UNITS`.
_SEARCH = {"amat": (1.0, 2000.0), "izhikevich": (0.01, 50.0)}


@dataclass(frozen=True)
class TrainMeasures:
    """What a train of spikes is described by.

    Attributes
    ----------
    spikes : int
        Their number.
    onset_rate : float
        Inverse of the first interval, spikes/s; 0 with fewer than two spikes.
    steady_rate : float
        Mean rate at the end of the step, spikes/s; 0 if firing has ended, or comes too rarely to be seen.
    adaptation_index : float
        ``1 - steady_rate / onset_rate``: 0 without adaptation, 1 if firing ends, negative if it grows faster; for a
        burster how much lower its mean rate is than that within the first burst. NaN with fewer than two spikes.
    """

    spikes: int
    onset_rate: float
    steady_rate: float
    adaptation_index: float


def measure_step(spike_times: ArrayLike, duration: float, part: float = STEADY_PART) -> TrainMeasures:
    """Measure a response to a step of current that begins at time zero.

    The steady state is measured by the intervals that end in the last part of the step. Where the longest is more than
    twice another, spikes come in bursts: the rate is that from the end of the first long interval to that of the last,
    if there are two. Firing counts as ended if the silence at the end is longer than 1.5 times the longest interval. A
    neuron whose interval is longer than the last part may therefore be taken for silent, and one that does not spike
    twice in a step always is.

    Parameters
    ----------
    spike_times : array_like, shape (spikes,)
        In ms, ascending, from 0 to `duration`.
    duration : float
        Of the step, ms.
    part : float
        Length of the last part relative to the step, above 0 and up to 1.

    Raises
    ------
    AmatError
        If `duration` or `part` is out of its range.
    """
    _require_duration(duration)
    if not 0 < part <= 1:
        raise AmatError(f"The last part is {part:g} of a step: choose more than 0, and 1 at most.")
    spikes = np.asarray(spike_times, dtype=np.float64)
    if len(spikes) < 2:
        return TrainMeasures(len(spikes), 0.0, 0.0, math.nan)
    onset_rate = 1e3 / float(spikes[1] - spikes[0])
    steady_rate = _steady_rate(spikes, (1.0 - part) * duration, duration)
    return TrainMeasures(len(spikes), onset_rate, steady_rate, 1.0 - steady_rate / onset_rate)


def _steady_rate(spikes: Floats, start: float, stop: float) -> float:
    """Return the rate in spikes/s by the intervals that end in an epoch, or 0 if firing ends in it."""
    inside = int(np.searchsorted(spikes, start, side="right"))
    train = spikes[max(0, inside - 1) :]
    intervals = np.diff(train)
    if not len(intervals) or stop - train[-1] > 1.5 * intervals.max():
        return 0.0
    gaps = np.flatnonzero(intervals > 0.5 * intervals.max()) + 1
    if len(gaps) >= 2:
        train = train[gaps[0] : gaps[-1] + 1]
    return 1e3 * (len(train) - 1) / float(train[-1] - train[0])


def classify_sustained(near_rate: float, far_rate: float) -> SustainedType:
    """Tell how sustained firing begins, by the criterion of this module.

    Parameters
    ----------
    near_rate, far_rate : float
        Steady-state rates at `NEAR` and `FAR` beyond the least current of sustained firing, spikes/s; NaN if there is
        none.

    Raises
    ------
    AmatError
        If there is sustained firing, but none at `FAR`: the rate does not grow with the current.
    """
    if math.isnan(far_rate):
        return "none"
    if not far_rate > 0:
        raise AmatError(
            f"A rate of {far_rate:g} spikes/s at {FAR:g} beyond the least current of sustained firing: it does not go "
            "on as the current grows, and its onset has no class. Simulate longer, or choose another neuron."
        )
    return "class 1" if near_rate / far_rate < FALL else "class 2"


def classify_onset(phasic_band: float, sustained: SustainedType) -> OnsetType:
    """Tell how firing begins: with spikes at the step's onset alone, or at once as sustained firing does.

    Parameters
    ----------
    phasic_band : float
        Range of currents that elicit spikes but no sustained firing, relative to the least of the latter; 1 if there
        is none.
    sustained : {"class 1", "class 2", "none"}
        How sustained firing begins.
    """
    return "phasic" if sustained == "none" or phasic_band > PHASIC_BAND else sustained


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
    _require_trials(trials)
    _require_count("currents", n_currents)
    _require_duration(duration)
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
    _require_trials(trials)
    _require_count("currents", n_currents, 8)
    _require_duration(duration)
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


def staircase(trial: Trial, levels: ArrayLike, *, plateau: float = 1000.0) -> pd.DataFrame:
    """Measure the rate on a staircase of current that goes up and down again.

    Parameters
    ----------
    trial : Trial
        The neuron, and its initial state; its stimulus is not used.
    levels : array_like, shape (levels,)
        Currents of the way up, ascending, in pA or mV/ms; the way down has the same but the highest.
    plateau : float
        How long each level lasts, ms: a whole number of steps. The rate is that of its last part, see `measure_step`.

    Returns
    -------
    pandas.DataFrame
        One row a level and way: model, pattern, way ("up", "down"), current, current_unit, steady_rate_per_s.

    Raises
    ------
    AmatError
        If there are fewer than two levels, or they do not ascend.
    """
    heights = np.asarray(levels, dtype=np.float64)
    if heights.ndim != 1 or len(heights) < 2 or not (np.diff(heights) > 0).all():
        raise AmatError(f"Levels of {heights.tolist()}: give two at least, ascending.")
    _require_duration(plateau)
    course = np.concatenate([heights, heights[-2::-1]])
    current = np.repeat(course, steps_of(plateau, trial.resolution))
    model = MODELS[trial.model]
    result = simulate(
        {model: [trial.parameters]}, [Stimulus(current)], trial.resolution, initial={model: [trial.initial]}
    )
    spikes = result.recordings[model].spike_times()
    rows = []
    for number, level in enumerate(course.tolist()):
        # A spike belongs to the step that it ends.
        inside = (spikes > number * plateau + 1e-6) & (spikes <= (number + 1) * plateau + 1e-6)
        rows.append(
            {
                "model": trial.model,
                "pattern": trial.pattern,
                "way": "up" if number < len(heights) else "down",
                "current": level,
                "current_unit": UNITS[trial.model],
                "steady_rate_per_s": measure_step(spikes[inside] - number * plateau, plateau).steady_rate,
            }
        )
    return pd.DataFrame(rows)


def hysteresis(
    trials: Sequence[Trial],
    ranges: Sequence[tuple[float, float]],
    *,
    n_levels: int = 24,
    plateau: float = 1000.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find where firing starts as the current grows slowly, and where it stops as it falls again.

    A first staircase finds both to one level; a second has ten times finer levels in these two places.

    Parameters
    ----------
    trials : sequence of Trial
    ranges : sequence of (float, float)
        Lowest and highest current of each neuron, in its unit: it is silent at one and fires at the other.
    n_levels : int
        Of the first staircase, two at least.
    plateau : float
        How long each level lasts, ms. A state that takes longer to settle shifts the results.

    Returns
    -------
    table : pandas.DataFrame
        One row a neuron: model, pattern, current_unit, start_current (the lowest level of sustained firing on the way
        up), stop_current (the same on the way down), hysteresis (their difference), resolution (the sum of the heights
        of the two steps to the levels below: what `hysteresis` may be wrong by).
    curves : pandas.DataFrame
        The finer staircases, as `staircase` returns them.

    Raises
    ------
    AmatError
        If a range is empty or reversed, or the neuron does not start and stop within it.
    """
    _require_trials(trials)
    _require_count("levels", n_levels)
    _require_duration(plateau)
    if len(ranges) != len(trials):
        raise AmatError(f"{len(ranges)} ranges of current for {len(trials)} neurons: give one for each.")
    for trial, (low, high) in zip(trials, ranges, strict=True):
        if not low < high:
            raise AmatError(
                f"A range of current from {low:g} to {high:g} {UNITS[trial.model]} for {trial.pattern} of "
                f"{trial.model}: it must grow."
            )
    rows, curves = [], []
    for trial, (low, high) in zip(trials, ranges, strict=True):
        levels = np.linspace(low, high, n_levels)
        edges = _edges(staircase(trial, levels, plateau=plateau))
        levels = np.unique(np.concatenate([levels, *(np.linspace(*edge, 11)[1:-1] for edge in edges)]))
        curve = staircase(trial, levels, plateau=plateau)
        start, stop = _edges(curve)
        rows.append(
            {
                "model": trial.model,
                "pattern": trial.pattern,
                "current_unit": UNITS[trial.model],
                "start_current": start[1],
                "stop_current": stop[1],
                "hysteresis": start[1] - stop[1],
                "resolution": start[1] - start[0] + stop[1] - stop[0],
            }
        )
        curves.append(curve)
    return pd.DataFrame(rows), pd.concat(curves, ignore_index=True)


def _edges(curve: pd.DataFrame) -> list[tuple[float, float]]:
    """Return the levels between which firing starts on the way up, and stops on the way down."""
    edges = []
    up = curve[curve["way"] == "up"]
    # The highest level is the last of the way up and the first of the way down.
    for way in (up, pd.concat([curve[curve["way"] == "down"], up.tail(1)]).sort_values("current")):
        silent = way["steady_rate_per_s"].to_numpy() == 0
        levels = way["current"].tolist()
        if silent.all() or not silent[0]:
            state = "is silent" if silent.all() else "fires"
            raise AmatError(
                f"{curve['pattern'].iloc[0]} of {curve['model'].iloc[0]} {state} at all levels from {levels[0]:g} to "
                f"{levels[-1]:g} {curve['current_unit'].iloc[0]}: choose a range that begins in silence and ends in "
                "firing."
            )
        first = int(np.flatnonzero(~silent)[0])
        edges.append((levels[first - 1], levels[first]))
    return edges


def steady_interval(parameters: AmatParameters, current: float, *, resolution: float | None = None) -> float:
    """Return the interval at which an AMAT neuron fires in the end under a constant current.

    The potential is not reset and has reached ``E_L + R I`` then, so that it has no derivative and the threshold does
    not depend on it, whatever `beta` is. With equal intervals T the threshold falls to the potential where

        R I - omega = alpha_1 / (exp(T / tau_1) - 1) + alpha_2 / (exp(T / tau_2) - 1)

    and T is the first such time after the dead time, or the dead time itself if the threshold is below by then. Where
    the right-hand side has a minimum, because the slow part of the threshold falls at a spike, firing goes on below
    the current at which a silent neuron begins to fire.

    Parameters
    ----------
    parameters : AmatParameters
    current : float
        pA, which comes on top of `I_e`.
    resolution : float, optional
        A grid in ms, on which the dead time is `refr_T` in whole steps, plus one. Spikes on the grid come late by up
        to a step. That lengthens the mean interval by less than a step, unless a part of the threshold falls at a
        spike: what is late then makes what follows later, and it may be a few steps.

    Returns
    -------
    float
        In ms; infinite if the neuron does not go on firing.

    Raises
    ------
    AmatError
        If the fast part of the threshold falls at a spike and the slow one rises: such neurons fire in bursts.
    """
    drive = (parameters.I_e + current) * parameters.tau_m / parameters.C_m - parameters.omega
    dead_time = _dead_time(parameters, resolution)
    if _excess(parameters, dead_time) <= drive:
        return dead_time
    lowest, at = _lowest_excess(parameters, dead_time)
    if drive <= lowest:
        return at if drive == lowest and math.isfinite(at) else math.inf
    after = at
    if not math.isfinite(after):
        after = 2.0 * dead_time
        while _excess(parameters, after) > drive:
            after *= 2.0
    return float(brentq(lambda T: _excess(parameters, T) - drive, dead_time, after, xtol=1e-12, rtol=1e-14))


def lowest_sustained_current(parameters: AmatParameters, *, resolution: float | None = None) -> float:
    """Return the current above which an AMAT neuron that fires goes on, in pA on top of `I_e`; see `steady_interval`.

    A silent one begins at ``omega / R - I_e``, or above.

    Raises
    ------
    AmatError
        As `steady_interval` does.
    """
    dead_time = _dead_time(parameters, resolution)
    lowest, _ = _lowest_excess(parameters, dead_time)
    return (parameters.omega + lowest) * parameters.C_m / parameters.tau_m - parameters.I_e


def _dead_time(parameters: AmatParameters, resolution: float | None) -> float:
    if resolution is None:
        return parameters.refr_T
    return (refractory_steps(parameters.refr_T, resolution) + 1) * resolution


def _excess(parameters: AmatParameters, interval: float) -> float:
    """Return the threshold at the end of equal intervals, above `omega`, in mV."""
    parts = ((parameters.alpha_1, parameters.tau_1), (parameters.alpha_2, parameters.tau_2))
    # exp(-x) / (1 - exp(-x)), which cannot overflow.
    return sum(-alpha * math.exp(-interval / tau) / math.expm1(-interval / tau) for alpha, tau in parts)


def _lowest_excess(parameters: AmatParameters, dead_time: float) -> tuple[float, float]:
    """Return the infimum of `_excess` from the dead time on, in mV, and the interval where it is, in ms."""
    (fast, alpha_fast), (slow, alpha_slow) = sorted(
        [(parameters.tau_1, parameters.alpha_1), (parameters.tau_2, parameters.alpha_2)]
    )
    if fast == slow:
        alpha_fast, alpha_slow = alpha_fast + alpha_slow, 0.0
    if alpha_fast < 0 < alpha_slow:
        raise AmatError(
            f"alpha_1 = {parameters.alpha_1:g} mV, alpha_2 = {parameters.alpha_2:g} mV: such a neuron fires in bursts, "
            "and has no steady interval. Choose a fast part that is not negative, or simulate."
        )
    if alpha_slow >= 0 and alpha_fast >= 0:
        return 0.0, math.inf
    # The derivative vanishes where sinh(T / 2 slow) / sinh(T / 2 fast), which falls from fast / slow on, is this.
    ratio = math.sqrt(-alpha_slow * fast / (alpha_fast * slow)) if alpha_fast > 0 else math.inf
    if ratio >= fast / slow:
        return _excess(parameters, dead_time), dead_time

    def slope(T: float) -> float:
        # Of the two sinh the common factor exp(T / 2 fast) is left out, which would overflow.
        rise = math.exp(0.5 * T * (1 / slow - 1 / fast)) - math.exp(-0.5 * T * (1 / slow + 1 / fast))
        return rise + ratio * math.expm1(-T / fast)

    after = dead_time
    if slope(after) <= 0:  # the minimum lies within the dead time
        return _excess(parameters, dead_time), dead_time
    while slope(after) > 0:
        after *= 2.0
    at = float(brentq(slope, dead_time, after, xtol=1e-12, rtol=1e-14))
    return _excess(parameters, at), at


def _require_trials(trials: Sequence[Trial]) -> None:
    if not trials:
        raise AmatError("There is no neuron: give one at least, for example of representative_trials().")


def _require_count(what: str, count: int, least: int = 2) -> None:
    if count < least:
        raise AmatError(f"{count} {what}: choose {least} at least.")


def _require_duration(duration: float) -> None:
    if not 0 < duration < math.inf:
        raise AmatError(f"A duration of {duration:g} ms: choose a positive one.")
