# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""How AMAT's validated patterns were found, and how far each pattern reaches.

The search begins at Yamauchi's Table 1 [1]_, read with a membrane time constant of 5 ms, at which most rows behave as
they are named. It changes as little as it can:

1. The amplitude of pulses and ramps, or of a constant current where there are none, is scaled by factors from 1/4 to 4.
   The widest range of factors over which the pattern's criterion holds without a gap is its window; the amplitude
   becomes the window's geometric centre. If the window reaches over a factor of at least `WIDE_ENOUGH`, that is all.
2. Otherwise one of beta, alpha_2, alpha_1 and the intervals between pulses is multiplied by one of `FACTORS` as well.
   Of the smallest factor that gives a wide enough window, the quantity with the widest one is taken.

Three rows are altered beforehand. The ramps of classes 1 and 2 are four times as steep, so that the run is shorter;
they end at 1.2 times the current at which the neuron begins to fire. Bistability's constant current is a tenth of the
printed one, which fires the neuron at once, and its second pulse comes later and lasts longer: what keeps the neuron
spiking is the threshold, lowered by each spike, and its memory, tau_2 = 200 ms, has to fade before the train can end.

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
from amat.analysis.patterns.trials import Trial, run, scaled, trials
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.parameters import CurrentSegment, InputCurrent

__all__ = ["FACTORS", "WIDE_ENOUGH", "Window", "find_windows", "search"]


#: Factors on the stimulus's amplitude.
AMPLITUDES = np.geomspace(0.25, 4.0, 279)  # a hundredth apart
#: Factors on a parameter, in the order in which they are tried.
FACTORS = (1.5, 2.0, 2.5, 3.0, 5.0, 10.0)
#: Smallest ratio of a window's ends: the pattern stays if the amplitude is 3 % off.
WIDE_ENOUGH = 1.07
#: What the search may change besides the amplitude.
CHANGEABLE = ("beta", "alpha_2", "alpha_1", "interval")
#: Within which windows are looked for: factors on one quantity.
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
        The smallest and the largest factor of the range that passed; not a number if none did. Where they are the
        ends of what was tried, the range may go on.
    """

    lower: float
    upper: float

    @property
    def ratio(self) -> float:
        """The upper end by the lower, 0 if the window is empty."""
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
        If a pattern is not found; the message names it.
    """
    found = []
    printed = trials("amat", "printed-5")
    for name in CRITERIA:
        progress(name)
        found.append(_search_one(_start(printed[name]), threads))
    return found


def find_windows(
    todo: Sequence[Trial], factors: Floats = REACH, *, threads: int = 1, progress: Progress = lambda name: None
) -> pd.DataFrame:
    """Find how far each quantity of trials may move alone before the pattern is lost.

    Parameters
    ----------
    todo : sequence of Trial
        Each of which shows its pattern.
    factors : ndarray
        On a quantity; ascending, with 1 among them.
    threads : int
        NEST's threads.
    progress : callable
        Called with each pattern's name.

    Returns
    -------
    pandas.DataFrame
        One row a trial and quantity: ``pattern``, ``model``, ``quantity``, ``value`` (in the quantity's unit; not a
        number for amplitude and duration, of which there may be several), ``lower`` and ``upper``, the factors to
        which it may move. Quantities that are zero are left out.
    """
    rows = []
    for trial in todo:
        progress(trial.pattern)
        quantities = _quantities(trial)
        varied = [_scaled(trial, quantity, factor) for quantity in quantities for factor in factors]
        passed = _passes([t for t in varied if t is not None], threads)
        outcomes = iter(passed)
        for number, quantity in enumerate(quantities):
            part = varied[number * len(factors) : (number + 1) * len(factors)]
            good = np.array([t is not None and next(outcomes) for t in part])
            window = _around_one(factors, good)
            rows.append(
                {
                    "pattern": trial.pattern,
                    "model": trial.model,
                    "quantity": quantity,
                    "value": trial.parameters.get(quantity, np.nan),
                    "lower": window.lower,
                    "upper": window.upper,
                }
            )
    return pd.DataFrame(rows)


def _start(trial: Trial) -> Trial:
    """Return the trial at which the search begins."""
    if trial.pattern == "bistability":
        (constant,) = (s for s in trial.current.segments if s not in trial.pulses)
        start, stop = trial.pulses
        constant = dataclasses.replace(constant, value=0.1 * constant.value)
        begin = start.t_start + _TRAIN
        stop = dataclasses.replace(stop, t_start=begin, t_stop=begin + 2 * trial.parameters["tau_2"])
        return dataclasses.replace(trial, current=InputCurrent((constant, start, stop)), duration=1000.0)
    if trial.pattern in ("class_1", "class_2"):
        (ramp,) = trial.current.segments
        steeper = CurrentSegment(ramp.t_start, ramp.t_stop, 0.0, _CLASS_SLOPE)
        return dataclasses.replace(trial, current=InputCurrent((steeper,)), duration=_CLASS_DURATION)
    if len(trial.pulses) == len(trial.current.segments) and trial.pattern != "depolarizing_after_potential":
        # Pulses alone: as long as it takes to see the response end, rounded. An after-potential decays with tau_2.
        end = trial.pulses[-1].t_stop + _AFTERWARDS
        return dataclasses.replace(trial, duration=50.0 * math.ceil(end / 50.0))
    return trial


def _search_one(trial: Trial, threads: int) -> Trial:
    chosen, window = trial, _amplitude_windows([trial], threads)[0]
    for factor in FACTORS:
        if window.ratio >= WIDE_ENOUGH:
            break
        candidates = [scaled(trial, name, factor) for name in _changeable(trial)]
        windows = _amplitude_windows(candidates, threads)
        best = max(range(len(candidates)), key=lambda n: windows[n].ratio)
        chosen, window = candidates[best], windows[best]
    if window.ratio < WIDE_ENOUGH:
        raise AmatError(f"{trial.pattern} was not found: widen the search's factors.")
    # Three digits are as good as all, since the window is wider than that.
    return _rounded(scaled(chosen, "amplitude", window.centre))


def _changeable(trial: Trial) -> list[str]:
    """Return what the search may change of a trial: what is not zero."""
    has = {name: bool(trial.parameters[name]) for name in ("beta", "alpha_2", "alpha_1")}
    return [name for name in CHANGEABLE if has.get(name, len(trial.pulses) > 1)]


def _rounded(trial: Trial) -> Trial:
    """Return a trial with currents of three digits."""

    def short(value: float) -> float:
        return float(f"{value:.3g}")

    segments = tuple(dataclasses.replace(s, value=short(s.value), slope=short(s.slope)) for s in trial.current.segments)
    parameters = {name: short(value) for name, value in trial.parameters.items()}
    return dataclasses.replace(trial, current=InputCurrent(segments), parameters=parameters)


def _amplitude_windows(candidates: Sequence[Trial], threads: int) -> list[Window]:
    todo = [scaled(trial, "amplitude", factor) for trial in candidates for factor in AMPLITUDES]
    passed = np.array(_passes(todo, threads)).reshape(len(candidates), len(AMPLITUDES))
    return [_widest(AMPLITUDES, row) for row in passed]


def _passes(todo: Sequence[Trial], threads: int) -> list[bool]:
    """Tell which trials of one pattern meet its criterion."""
    if not todo:
        return []
    criterion = CRITERIA[todo[0].pattern]
    responses = run(todo, traces=criterion.needs_traces, threads=threads)
    return [criterion.decide(response).passed for response in responses]


def _widest(factors: Floats, passed: NDArray[np.bool_]) -> Window:
    best = Window(np.nan, np.nan)
    for good, group in itertools.groupby(range(len(factors)), key=lambda n: bool(passed[n])):
        numbers = list(group)
        window = Window(float(factors[numbers[0]]), float(factors[numbers[-1]]))
        if good and window.ratio > best.ratio:
            best = window
    return best


def _around_one(factors: Floats, passed: NDArray[np.bool_]) -> Window:
    """Return the window that holds the factor 1."""
    one = int(np.abs(factors - 1.0).argmin())
    if not passed[one]:
        return Window(np.nan, np.nan)
    failed = np.flatnonzero(~passed)
    below, above = failed[failed < one], failed[failed > one]
    first = below[-1] + 1 if len(below) else 0
    last = above[0] - 1 if len(above) else len(factors) - 1
    return Window(float(factors[first]), float(factors[last]))


def _quantities(trial: Trial) -> list[str]:
    """Return what of a trial can be scaled."""
    fixed = {"I_e", "q_2", "q_1", "q_0", "V_ref", "leak", "V_peak", "E_L"}
    fixed |= {"tau_syn_exc", "tau_syn_inh"}  # there is no synaptic input
    if not trial.parameters.get("beta", 1.0):
        fixed.add("tau_v")
    changeable = [name for name, value in trial.parameters.items() if value and name not in fixed]
    stimulus = ["amplitude"]
    if trial.pulses:
        stimulus += ["constant"] if len(trial.pulses) < len(trial.current.segments) else []
        stimulus += ["duration"]
        stimulus += ["interval"] if len(trial.pulses) > 1 else []
    return [*stimulus, *changeable]


def _scaled(trial: Trial, quantity: str, factor: float) -> Trial | None:
    """Return the scaled trial, or None if pulses would overlap or last less than a step."""
    changed = scaled(trial, quantity, factor)
    if quantity in ("duration", "interval"):
        pulses = changed.pulses
        ends = [*(p.t_start for p in pulses[1:]), changed.duration]
        for pulse, end in zip(pulses, ends, strict=True):
            if pulse.t_stop > end or pulse.t_stop - pulse.t_start < changed.resolution:
                return None
    if quantity == "refr_T" and changed.parameters["refr_T"] < changed.resolution:
        return None
    return changed
