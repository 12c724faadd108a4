# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The search for AMAT's validated patterns, and the range of each quantity over which a pattern holds.

The search begins at Yamauchi's Table 1 [1]_ with a membrane time constant of 5 ms, at which most rows show the pattern
they are named after. It changes as little as it can:

1. The amplitude of pulses and ramps, or of a constant current where there are none, is scaled by factors from 1/4 to 4.
   The widest range of factors over which the pattern's criterion holds without a gap is its window; the amplitude
   becomes the window's geometric centre. The search ends if the window covers a factor of at least `WIDE_ENOUGH`.
2. Otherwise one of beta, alpha_2, alpha_1 and the intervals between pulses is multiplied by one of `FACTORS` as well.
   At the smallest factor that gives a wide enough window, the quantity with the widest window is taken.

Three rows are altered beforehand. The ramps of classes 1 and 2 are four times as steep, so that the run is shorter;
they end at 1.2 times the current at which the neuron begins to fire. Bistability's constant current is a tenth of the
printed one, which fires the neuron at once, and its second pulse comes later and lasts longer: each spike lowers the
threshold, which keeps the neuron spiking, and this effect has to decay with tau_2 = 200 ms before the train can end.

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amat.analysis.patterns.criteria import CRITERIA
from amat.analysis.patterns.trials import Trial, load_trials, run_trials, scale_trial
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.currents import CurrentSegment, InputCurrent

__all__ = [
    "FACTORS",
    "WIDE_ENOUGH",
    "Window",
    "find_windows",
    "search",
    "search_pattern",
    "widest_window",
    "window_around_one",
]


#: Factors on the stimulus's amplitude.
AMPLITUDES = np.geomspace(0.25, 4.0, 279)  # a hundredth apart
#: Factors on a parameter, in the order in which they are tried.
FACTORS = (1.5, 2.0, 2.5, 3.0, 5.0, 10.0)
#: Smallest ratio of a window's ends: the pattern stays if the amplitude is 3 % off.
WIDE_ENOUGH = 1.07
#: Quantities that the search may change besides the amplitude.
CHANGEABLE = ("beta", "alpha_2", "alpha_1", "interval")
#: Factors on one quantity, within which its window is searched.
REACH = np.geomspace(0.25, 4.0, 113)

_AFTERWARDS = 100.0  # ms
_TRAIN = 150.0  # ms between bistability's pulses
_CLASS_SLOPE = 0.01  # pA/ms
_CLASS_DURATION = 12000.0  # ms: 1.2 times the current of 100 pA at which the neuron begins to fire

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Window:
    """A range of factors over which a criterion holds without a gap.

    Attributes
    ----------
    lower, upper : float
        The smallest and the largest factor of the range that passed; NaN if none did. A range that ends at the
        last of the tested factors may extend further.
    """

    lower: float
    upper: float

    @property
    def ratio(self) -> float:
        """The upper end divided by the lower, 0 if the window is empty."""
        return 0.0 if np.isnan(self.lower) else self.upper / self.lower

    @property
    def centre(self) -> float:
        """The geometric mean of the ends."""
        return float(np.sqrt(self.lower * self.upper))


def search(*, threads: int = 2, progress: Progress = lambda name: None) -> list[Trial]:
    """Search all 20 patterns of AMAT.

    Parameters
    ----------
    threads : int
        NEST's threads.
    progress : callable
        Called with each pattern's name as its search begins.

    Returns
    -------
    list of Trial
        In the order of `CRITERIA`.

    Raises
    ------
    AmatError
        If a pattern is not found.
    """
    found = []
    printed = load_trials("amat", "printed-5")
    for name in CRITERIA:
        progress(name)
        found.append(search_pattern(printed[name], threads=threads))
    return found


def find_windows(todo: Sequence[Trial], factors: Floats = REACH) -> pd.DataFrame:
    """Find how far each quantity of a trial can change alone before the pattern is lost.

    Parameters
    ----------
    todo : sequence of Trial
        Trials that show their patterns.
    factors : ndarray
        Factors on a quantity; ascending, including 1.

    Returns
    -------
    pandas.DataFrame
        One row per trial and quantity: ``pattern``, ``model``, ``quantity``, ``value`` (in the quantity's unit; NaN for
        amplitude and duration, of which there may be several), ``lower`` and ``upper``, the limits of the factor.
        Quantities that are zero are left out.
    """
    rows = []
    for trial in todo:
        quantities, parameters = _quantities(trial), trial.neuron.parameters.to_nestml()
        varied = [_scaled(trial, quantity, factor) for quantity in quantities for factor in factors]
        passed = _passes([t for t in varied if t is not None], threads=1)
        outcomes = iter(passed)
        for number, quantity in enumerate(quantities):
            part = varied[number * len(factors) : (number + 1) * len(factors)]
            good = np.array([t is not None and next(outcomes) for t in part])
            window = window_around_one(factors, good)
            rows.append(
                {
                    "pattern": trial.neuron.pattern,
                    "model": trial.neuron.model,
                    "quantity": quantity,
                    "value": parameters.get(quantity, np.nan),
                    "lower": window.lower,
                    "upper": window.upper,
                }
            )
    return pd.DataFrame(rows)


def _start(trial: Trial) -> Trial:
    """Return the trial at which the search begins."""
    if trial.neuron.pattern == "bistability":
        (constant,) = (s for s in trial.stimulus.segments if s not in trial.pulses)
        start, stop = trial.pulses
        constant = dataclasses.replace(constant, value=0.1 * constant.value)
        begin = start.t_start + _TRAIN
        stop = dataclasses.replace(stop, t_start=begin, t_stop=begin + 2 * trial.neuron.parameters.to_nestml()["tau_2"])
        return dataclasses.replace(trial, current=InputCurrent((constant, start, stop)), duration=1000.0)
    if trial.neuron.pattern in ("class_1", "class_2"):
        (ramp,) = trial.stimulus.segments
        steeper = CurrentSegment(ramp.t_start, ramp.t_stop, 0.0, _CLASS_SLOPE)
        return dataclasses.replace(trial, current=InputCurrent((steeper,)), duration=_CLASS_DURATION)
    if len(trial.pulses) == len(trial.stimulus.segments) and trial.neuron.pattern != "depolarizing_after_potential":
        # Pulses alone: as long as it takes to see the response end, rounded. An after-potential decays with tau_2.
        end = trial.pulses[-1].t_stop + _AFTERWARDS
        return dataclasses.replace(trial, duration=50.0 * math.ceil(end / 50.0))
    return trial


def search_pattern(printed: Trial, *, threads: int = 1) -> Trial:
    """Search one pattern of AMAT, beginning at the printed trial; see `search`."""
    trial = _start(printed)
    chosen, window = trial, _amplitude_windows([trial], threads)[0]
    for factor in FACTORS:
        if window.ratio >= WIDE_ENOUGH:
            break
        candidates = [scale_trial(trial, name, factor) for name in _changeable(trial)]
        windows = _amplitude_windows(candidates, threads)
        best = max(range(len(candidates)), key=lambda n: windows[n].ratio)
        chosen, window = candidates[best], windows[best]
    if window.ratio < WIDE_ENOUGH:
        raise AmatError(f"{trial.neuron.pattern} was not found: extend FACTORS.")
    # Three digits suffice, since the window is wider.
    return _rounded(scale_trial(chosen, "amplitude", window.centre))


def _changeable(trial: Trial) -> list[str]:
    """Return the quantities of a trial that the search may change: those that are not zero."""
    parameters = trial.neuron.parameters.to_nestml()
    return [name for name in CHANGEABLE if parameters.get(name, len(trial.pulses) > 1)]


def _rounded(trial: Trial) -> Trial:
    """Return a trial with currents and parameters of three digits."""

    def short(value: float) -> float:
        return float(f"{value:.3g}")

    segments = tuple(
        dataclasses.replace(s, value=short(s.value), slope=short(s.slope)) for s in trial.stimulus.segments
    )
    parameters = trial.neuron.parameters
    parameters = parameters.replace(**{name: short(value) for name, value in parameters.to_nestml().items()})
    neuron = dataclasses.replace(trial.neuron, parameters=parameters)
    return dataclasses.replace(trial, neuron=neuron, current=InputCurrent(segments))


def _amplitude_windows(candidates: Sequence[Trial], threads: int) -> list[Window]:
    todo = [scale_trial(trial, "amplitude", factor) for trial in candidates for factor in AMPLITUDES]
    passed = np.array(_passes(todo, threads)).reshape(len(candidates), len(AMPLITUDES))
    return [widest_window(AMPLITUDES, row) for row in passed]


def _passes(todo: Sequence[Trial], threads: int) -> list[bool]:
    """Return which trials of one pattern meet its criterion."""
    if not todo:
        return []
    criterion = CRITERIA[todo[0].neuron.pattern]
    responses = run_trials(todo, traces=criterion.needs_traces, threads=threads)
    return [criterion.decide(response).passed for response in responses]


def widest_window(factors: Floats, passed: NDArray[np.bool_]) -> Window:
    """Return the widest window of factors that passed."""
    best = Window(np.nan, np.nan)
    for good, group in itertools.groupby(range(len(factors)), key=lambda n: bool(passed[n])):
        numbers = list(group)
        window = Window(float(factors[numbers[0]]), float(factors[numbers[-1]]))
        if good and window.ratio > best.ratio:
            best = window
    return best


def window_around_one(factors: Floats, passed: NDArray[np.bool_]) -> Window:
    """Return the window around the factor 1."""
    one = int(np.abs(factors - 1.0).argmin())
    if not passed[one]:
        return Window(np.nan, np.nan)
    failed = np.flatnonzero(~passed)
    below, above = failed[failed < one], failed[failed > one]
    first = below[-1] + 1 if len(below) else 0
    last = above[0] - 1 if len(above) else len(factors) - 1
    return Window(float(factors[first]), float(factors[last]))


def _quantities(trial: Trial) -> list[str]:
    """Return the quantities of a trial that can be scaled."""
    parameters = trial.neuron.parameters.to_nestml()
    fixed = {"I_e", "q_2", "q_1", "q_0", "V_ref", "leak", "V_peak", "E_L"}
    fixed |= {"tau_syn_exc", "tau_syn_inh"}  # there is no synaptic input
    if not parameters.get("beta", 1.0):
        fixed.add("tau_v")
    changeable = [name for name, value in parameters.items() if value and name not in fixed]
    stimulus = ["amplitude"]
    if trial.pulses:
        stimulus += ["constant"] if len(trial.pulses) < len(trial.stimulus.segments) else []
        stimulus += ["duration"]
        stimulus += ["interval"] if len(trial.pulses) > 1 else []
    return [*stimulus, *changeable]


def _scaled(trial: Trial, quantity: str, factor: float) -> Trial | None:
    """Return the scaled trial, or None if pulses would overlap or last less than a step."""
    changed = scale_trial(trial, quantity, factor)
    if quantity in ("duration", "interval"):
        pulses = changed.pulses
        ends = [*(p.t_start for p in pulses[1:]), changed.duration]
        for pulse, end in zip(pulses, ends, strict=True):
            if pulse.t_stop > end or pulse.t_stop - pulse.t_start < changed.neuron.resolution:
                return None
    if quantity == "refr_T" and changed.neuron.parameters.to_nestml()["refr_T"] < changed.neuron.resolution:
        return None
    return changed
