# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Criteria for the 20 firing patterns.

The patterns are those of Izhikevich [1]_ (section III). The statements put his descriptions into this project's
numbers. Both models have the same criteria.

References
----------
.. [1] Izhikevich EM (2004). IEEE Trans. Neural Netw. 15:1063-1070. doi:10.1109/TNN.2004.832719
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from amat.analysis.metrics import BURST_GAP, CHANGED, REGULAR, split_bursts
from amat.analysis.patterns.trials import Response
from amat.arrays import Floats
from amat.neurons.checks import Catalogue

__all__ = ["CRITERIA", "Criterion", "Verdict"]

#: Smallest deflection that counts, mV.
DEFLECTION = 0.1


@dataclass(frozen=True)
class Verdict:
    """The decision whether a response shows the pattern, with its reason."""

    passed: bool
    reason: str


@dataclass(frozen=True)
class Criterion:
    """The condition that a response must meet.

    Attributes
    ----------
    statement : str
        The condition in words.
    decide : callable
        Takes a `Response`, and returns a `Verdict`.
    needs_traces : bool
        Whether the decision needs more than the spikes.
    """

    statement: str
    decide: Callable[[Response], Verdict]
    needs_traces: bool = False


def _during(response: Response, start: float, stop: float) -> Floats:
    """Return the spikes of an epoch; a spike belongs to the step that it ends."""
    spikes = response.spikes
    return spikes[(spikes > start + 1e-6) & (spikes <= stop + 1e-6)]


class _Failed(Exception):
    """A condition is not met."""


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise _Failed(reason)


def _criterion(statement: str, check: Callable[[Response], str], *, needs_traces: bool = False) -> Criterion:
    """Return a criterion from a check that returns its finding, or raises `_Failed`."""

    def decide(response: Response) -> Verdict:
        try:
            return Verdict(True, check(response))
        except _Failed as failed:
            return Verdict(False, str(failed))

    return Criterion(statement, decide, needs_traces)


def _count(number: int, what: str = "spike") -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _silent(response: Response, start: float, stop: float, when: str) -> None:
    number = len(_during(response, start, stop))
    _require(number == 0, f"{_count(number)} {when}")


def _tonic(response: Response) -> Floats:
    """Return the spikes from onset to offset of a train that lasts."""
    _silent(response, 0.0, response.trial.onset, "before the onset")
    spikes = _during(response, response.trial.onset, response.trial.offset)
    _require(len(spikes) >= 4, f"{_count(len(spikes))} only")
    longest = np.diff(spikes).max()
    _require(response.trial.offset - spikes[-1] <= 1.5 * longest, f"silent from {spikes[-1]:.1f} ms on")
    return spikes


def _tonic_spiking(response: Response) -> str:
    spikes = _tonic(response)
    intervals = np.diff(spikes)[(len(spikes) - 1) // 2 :]
    ratio = intervals.max() / intervals.min()
    _require(ratio <= REGULAR, f"intervals vary by a factor of {ratio:.2f}")
    return f"{_count(len(spikes))}, in the end an interval of {intervals.mean():.1f} ms"


def _adaptation(response: Response) -> str:
    intervals = np.diff(_tonic(response))
    ratio = intervals[-1] / intervals[0]
    step = response.trial.neuron.resolution
    _require(bool((np.diff(intervals) >= -1.01 * step).all()), "intervals do not grow")
    _require(ratio >= CHANGED, f"the last interval is {ratio:.2f} of the first")
    return f"intervals grow from {intervals[0]:.1f} to {intervals[-1]:.1f} ms"


def _bursts(spikes: Floats, wanted: int) -> list[Floats]:
    """Return the bursts of a train; require `wanted` of them, and no single spikes."""
    bursts = split_bursts(spikes)
    _require(len(bursts) >= wanted, f"{_count(len(bursts), 'burst')} or single spikes: {len(spikes)} in all")
    shortest = min(len(burst) for burst in bursts)
    _require(shortest >= 2, "single spikes among the bursts")
    return bursts


def _tonic_bursting(response: Response) -> str:
    spikes = _tonic(response)
    # The end may cut off the last burst.
    bursts = _bursts(spikes, 4)[:-1]
    sizes = [len(burst) for burst in bursts]
    return f"{_count(len(sizes) + 1, 'burst')} of {min(sizes)} to {max(sizes)} spikes"


def _phasic(response: Response) -> Floats:
    """Return the spikes of a response that begins at the onset of a lasting stimulus and ends early."""
    trial = response.trial
    _silent(response, 0.0, trial.onset, "before the onset")
    spikes = _during(response, trial.onset, trial.duration)
    _require(len(spikes) > 0, "no spike")
    _require(spikes[-1] < 0.5 * (trial.onset + trial.offset), f"still a spike at {spikes[-1]:.1f} ms")
    return spikes


def _phasic_spiking(response: Response) -> str:
    spikes = _phasic(response)
    _require(len(spikes) == 1, f"{_count(len(spikes))} at the onset")
    return f"one spike, {spikes[0] - response.trial.onset:.1f} ms after the onset"


def _phasic_bursting(response: Response) -> str:
    spikes = _phasic(response)
    _require(len(split_bursts(spikes)) == 1, "more than one burst")
    _require(len(spikes) >= 2, "a single spike")
    return f"one burst of {_count(len(spikes))}"


def _mixed_mode(response: Response) -> str:
    spikes = _tonic(response)
    first, *later = split_bursts(spikes)
    _require(len(first) >= 2, "no burst at the onset")
    _require(len(later) >= 3, f"{len(later)} spikes or bursts after the first burst")
    _require(all(len(part) == 1 for part in later[:-1]), "bursts go on")
    return f"a burst of {_count(len(first))}, then {_count(len(later), 'single spike')}"


def _class_1(response: Response) -> str:
    first, *_, last = np.diff(_tonic(response)).tolist()
    _require(first >= 2 * last, f"intervals from {first:.1f} to {last:.1f} ms: the rate does not start low")
    return f"the rate grows from {1e3 / first:.1f} to {1e3 / last:.1f} spikes/s"


def _class_2(response: Response) -> str:
    first, *_, last = np.diff(_tonic(response)).tolist()
    _require(first < 2 * last, f"intervals from {first:.1f} to {last:.1f} ms: the rate does not start high")
    return f"the rate starts at {1e3 / first:.1f} and ends at {1e3 / last:.1f} spikes/s"


def _latency(response: Response) -> str:
    (pulse,) = response.trial.pulses
    _require(len(response.spikes) == 1, _count(len(response.spikes)))
    width = pulse.t_stop - pulse.t_start
    delay = response.spikes[0] - pulse.t_stop
    _require(delay >= 2 * width, f"the spike comes {delay:.1f} ms after a pulse of {width:g} ms")
    return f"one spike, {delay:.1f} ms after the end of a pulse of {width:g} ms"


def _oscillation(response: Response) -> str:
    spikes, trial = response.spikes, response.trial
    _require(len(spikes) == 1, _count(len(spikes)))
    after = response.drive[response.time > max(spikes[0], trial.offset) + 1.0]
    _require(len(after) > 0, "the run ends with the stimulus")
    deviation = after - after[-1]
    trough = int(deviation.argmin())
    _require(deviation[trough] <= -DEFLECTION, "no undershoot after the spike")
    later = deviation[trough:].max()
    _require(later >= DEFLECTION, "no overshoot after the undershoot")
    return f"one spike, then {deviation[trough]:.2f} mV and {later:+.2f} mV around the final value"


def _doublets(response: Response) -> tuple[bool, bool, float, float]:
    """Return whether each of two pairs of pulses elicits a spike, and their intervals in ms, onset to onset."""
    first, second, third, fourth = response.trial.pulses
    _silent(response, 0.0, second.t_start, "before the second pulse")
    middle = 0.5 * (second.t_stop + third.t_start)
    _silent(response, middle, fourth.t_start, "between the pairs")
    fires = [len(_during(response, pulse.t_start, end)) for pulse, end in ((second, middle), (fourth, np.inf))]
    return fires[0] > 0, fires[1] > 0, second.t_start - first.t_start, fourth.t_start - third.t_start


def _integrator(response: Response) -> str:
    first, second, early, late = _doublets(response)
    shorter, longer = (first, second) if early < late else (second, first)
    _require(shorter, f"no spike to pulses {min(early, late):g} ms apart")
    _require(not longer, f"a spike to pulses {max(early, late):g} ms apart")
    return f"a spike to pulses {min(early, late):g} ms apart, none at {max(early, late):g} ms"


def _resonator(response: Response) -> str:
    trial = response.trial
    first, second, early, late = _doublets(response)
    _require(first or second, "no spike")
    _require(not (first and second), "both pairs of pulses fire")
    fires, fails = (early, late) if first else (late, early)
    begin, end = trial.pulses[0:2] if first else trial.pulses[2:4]
    rest = response.drive[response.time <= trial.onset][-1]
    between = response.drive[(response.time > begin.t_stop) & (response.time <= end.t_start)] - rest
    _require(between.min() <= -DEFLECTION, "no undershoot between the pulses that fire")
    _require(between[-1] > between.min() + DEFLECTION, "the second pulse does not come on the rise")
    return f"a spike to pulses {fires:g} ms apart, on the rise after {between.min():.2f} mV; none at {fails:g} ms"


def _rebound_spiking(response: Response) -> str:
    spikes, offset = response.spikes, response.trial.offset
    _silent(response, 0.0, offset, "before the inhibition ends")
    _require(len(spikes) == 1, _count(len(spikes)))
    return f"one spike, {spikes[0] - offset:.1f} ms after the inhibition"


def _rebound_bursting(response: Response) -> str:
    spikes = response.spikes
    _silent(response, 0.0, response.trial.offset, "before the inhibition ends")
    _require(len(spikes) >= 2, _count(len(spikes)))
    _require(len(split_bursts(spikes)) == 1, "more than one burst")
    return f"one burst of {_count(len(spikes))}"


def _threshold_variability(response: Response) -> str:
    *_, after = response.trial.pulses
    _silent(response, 0.0, after.t_start, "before the pulse that follows the inhibition")
    spikes = _during(response, after.t_start, response.trial.duration)
    _require(len(spikes) == 1, f"{_count(len(spikes))} to the pulse that follows the inhibition")
    return "the pulse fires only after an inhibition"


def _bistability(response: Response) -> str:
    on, off = response.trial.pulses
    _silent(response, 0.0, on.t_start, "before the first pulse")
    spikes = _during(response, on.t_start, off.t_start)
    _require(len(spikes) >= 3, f"{_count(len(spikes))} between the pulses")
    longest = np.diff(spikes).max()
    _require(off.t_start - spikes[-1] <= 1.5 * longest, "silent before the second pulse")
    # An interval that has begun may end.
    _silent(response, off.t_stop + longest, response.trial.duration, "after the second pulse")
    return f"{_count(len(spikes))} between the pulses, none later"


def _after_potential(response: Response) -> str:
    trial, spikes = response.trial, response.spikes
    _require(len(spikes) == 1, _count(len(spikes)))
    rest = response.drive[response.time <= trial.onset][-1]
    after = response.drive[response.time > max(spikes[0], trial.offset)]
    _require(len(after) > 0, "the run ends with the stimulus")
    height = after.max() - rest
    _require(height >= DEFLECTION, "nearest to a spike at rest")
    _require(after[-1] - rest < 0.5 * height, "does not decay")
    return f"one spike, then up to {height:.2f} mV closer to the next spike than at rest"


def _accommodation(response: Response) -> str:
    _, fast = response.trial.pulses
    _silent(response, 0.0, fast.t_start, "on the slow ramp")
    spikes = _during(response, fast.t_start, response.trial.duration)
    _require(len(spikes) > 0, "no spike on the fast ramp")
    return f"{_count(len(spikes))} on the fast ramp, none on the slow one"


def _induced(response: Response) -> Floats:
    trial = response.trial
    _silent(response, 0.0, trial.onset, "before the inhibition")
    spikes = _during(response, trial.onset, trial.offset)
    _require(len(spikes) >= 2, f"{_count(len(spikes))} during the inhibition")
    # A spike may follow its end.
    _silent(response, trial.offset + np.diff(spikes).max(), trial.duration, "after the inhibition")
    return spikes


def _induced_spiking(response: Response) -> str:
    spikes = _induced(response)
    _require(len(split_bursts(spikes)[0]) in (1, len(spikes)), "spikes in bursts")
    return f"{_count(len(spikes))} during the inhibition"


def _induced_bursting(response: Response) -> str:
    spikes = _induced(response)
    bursts = _bursts(spikes, 1)
    _require(len(spikes) >= 3, f"{_count(len(spikes))} during the inhibition")
    return f"{_count(len(bursts), 'burst')} during the inhibition: {_count(len(spikes))}"


#: By pattern, in Izhikevich's order.
CRITERIA: Mapping[str, Criterion] = Catalogue(
    "pattern",
    {
        "tonic_spiking": _criterion(
            "The neuron fires as long as the current is on, at least four spikes, and stops at most one and a half "
            f"intervals before its end. The later half of the intervals are equal to within a factor of {REGULAR:g}.",
            _tonic_spiking,
        ),
        "phasic_spiking": _criterion(
            "The neuron fires one spike at the onset of a current that stays on, and no other.", _phasic_spiking
        ),
        "tonic_bursting": _criterion(
            "As long as the current is on, the neuron fires at least four bursts of two or more spikes. Its intervals "
            f"are short or long, with a factor of more than {BURST_GAP:g} between the two kinds.",
            _tonic_bursting,
        ),
        "phasic_bursting": _criterion(
            "The neuron fires one burst of two or more spikes at the onset of a lasting current, and no other spike.",
            _phasic_bursting,
        ),
        "mixed_mode": _criterion(
            "The neuron fires a burst first, then three or more single spikes until the current ends.", _mixed_mode
        ),
        "spike_frequency_adaptation": _criterion(
            "The neuron fires as long as the current is on. No interval is shorter than the one before, and the last "
            f"is at least {CHANGED:g} times the first.",
            _adaptation,
        ),
        "class_1": _criterion(
            "On a ramp, the neuron begins at a low rate: the first interval is at least twice the last.", _class_1
        ),
        "class_2": _criterion(
            "On a ramp, the neuron begins near its last rate: the first interval is less than twice the last.", _class_2
        ),
        "spike_latency": _criterion(
            "The neuron fires one spike, at least twice the width of a short pulse after the pulse.", _latency
        ),
        "subthreshold_oscillations": _criterion(
            "The neuron fires one spike. Then the potential (Izhikevich) or the distance from threshold (AMAT) falls "
            f"below its final value and then exceeds it, both by at least {DEFLECTION:g} mV.",
            _oscillation,
            needs_traces=True,
        ),
        "resonator": _criterion(
            "Of two pairs of equal pulses only one evokes a spike, at its second pulse. Before it, the potential "
            "(Izhikevich) or the distance from threshold (AMAT) has fallen below its value at rest and risen again, by "
            f"at least {DEFLECTION:g} mV: after a shorter interval the pulse would evoke no spike.",
            _resonator,
            needs_traces=True,
        ),
        "integrator": _criterion(
            "Of two pairs of equal pulses only the one with the shorter interval evokes a spike, at its second pulse.",
            _integrator,
        ),
        "rebound_spiking": _criterion("The neuron fires one spike, after an inhibiting pulse.", _rebound_spiking),
        "rebound_bursting": _criterion(
            "The neuron fires one burst of two or more spikes, after an inhibiting pulse.", _rebound_bursting
        ),
        "threshold_variability": _criterion(
            "An exciting pulse evokes no spike alone, and one spike after an inhibiting pulse.",
            _threshold_variability,
        ),
        "bistability": _criterion(
            "The neuron is silent or fires under the same current: one pulse starts a train of three or more spikes "
            "that lasts until another pulse ends it.",
            _bistability,
        ),
        "depolarizing_after_potential": _criterion(
            "The neuron fires one spike. Then the potential (Izhikevich) or the distance from threshold (AMAT) exceeds "
            f"its value at rest by at least {DEFLECTION:g} mV, and returns.",
            _after_potential,
            needs_traces=True,
        ),
        "accommodation": _criterion(
            "The neuron fires no spike on a slow ramp, and at least one on a fast one.", _accommodation
        ),
        "inhibition_induced_spiking": _criterion(
            "The neuron is silent without inhibition, and fires two or more single spikes during it.", _induced_spiking
        ),
        "inhibition_induced_bursting": _criterion(
            "The neuron is silent without inhibition. During inhibition it fires one or more bursts, of two or more "
            "spikes each and three in all.",
            _induced_bursting,
        ),
    }.items(),
)
