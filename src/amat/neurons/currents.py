# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Input currents as functions of time.

`amat.simulation.stimuli.on_grid` gives their values at the steps of a simulation.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats

__all__ = ["CurrentSegment", "InputCurrent"]


@dataclass(frozen=True)
class CurrentSegment:
    """A piece of an input current: ``value + slope (t - t_start)`` for ``t_start < t < t_stop``, else 0.

    Attributes
    ----------
    t_start, t_stop : float
        Start and end, ms; infinite where the piece is open.
    value : float
        Current at `t_start` (pA; mV/ms in Izhikevich's model).
    slope : float
        Change per ms.
    """

    t_start: float
    t_stop: float
    value: float
    slope: float = 0.0


@dataclass(frozen=True)
class InputCurrent:
    """A piecewise linear input current: a baseline plus segments, which add where they overlap.

    Attributes
    ----------
    segments : tuple of CurrentSegment
        The pieces.
    baseline : float
        Current at all times (pA; mV/ms in Izhikevich's model).
    """

    segments: tuple[CurrentSegment, ...]
    baseline: float = 0.0

    def __call__(self, t: ArrayLike) -> Floats:
        """Return the current at the times `t` (ms), in an array of the same shape."""
        times = np.asarray(t, dtype=np.float64)
        current = np.full(times.shape, self.baseline, dtype=np.float64)
        for segment in self.segments:
            inside = (segment.t_start < times) & (times < segment.t_stop)
            current[inside] += segment.value
            if segment.slope:
                current[inside] += segment.slope * (times[inside] - segment.t_start)
        return current

    @property
    def pulses(self) -> list[CurrentSegment]:
        """The pieces that both begin and end, in order of their start."""
        finite = [s for s in self.segments if math.isfinite(s.t_start) and math.isfinite(s.t_stop)]
        return sorted(finite, key=lambda segment: segment.t_start)

    @property
    def holding(self) -> float:
        """The constant current on which the pulses are superimposed, or the one before the stimulus without pulses.

        It is read just before the first pulse, or before `onset`: a constant current may begin later than time zero.
        """
        pulses = self.pulses
        return float(self(math.nextafter(pulses[0].t_start if pulses else self.onset, -math.inf)))

    @property
    def direction(self) -> int:
        """The sign of the first change of the current: -1 if it falls, else 1.

        It is read in the middle of the first piece, which may be shorter than any fixed time.
        """
        start = self.onset
        later = (t for s in self.segments for t in (s.t_start, s.t_stop) if start < t < math.inf)
        middle = 0.5 * (start + min(later, default=start + 2.0))
        return -1 if self(middle) < self(math.nextafter(start, -math.inf)) else 1

    @property
    def onset(self) -> float:
        """The start of the stimulus, in ms: the end of a piece open to the past, or the first start."""
        return min(s.t_start if math.isfinite(s.t_start) else s.t_stop for s in self.segments)

    @property
    def offset(self) -> float:
        """The end of the stimulus, in ms: infinite if the current stays on."""
        if any(not math.isfinite(s.t_start) for s in self.segments):  # the stimulus is the gap between two open pieces
            return min((s.t_start for s in self.segments if math.isfinite(s.t_start)), default=math.inf)
        return max(s.t_stop for s in self.segments)
