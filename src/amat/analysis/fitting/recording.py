# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A recorded neuron: the injected current, the spikes and, if known, the membrane potential."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats, Integers
from amat.errors import AmatError

__all__ = ["FEWEST_SPIKES", "SPIKES_NEEDED", "NeuronRecording", "RecordingError", "bin_spikes"]

#: Spikes below which no fit is tried: there would be hardly more data than parameters.
FEWEST_SPIKES = 30
#: Spikes for errors of about 10 % in a study with synthetic data; with fewer, a warning is given.
SPIKES_NEEDED = 90

#: Plausible ranges: time step (ms), largest absolute current (pA), membrane potential (mV), duration (ms).
_DT, _CURRENT, _VOLTAGE, _SHORTEST = (1e-3, 2.0), (1e-2, 1e5), (-200.0, 200.0), 1000.0
#: Standard deviation of differences between records of one current, relative to the current's.
_SAME = 0.1


class RecordingError(AmatError, ValueError):
    """A recording that cannot be fitted."""


def bin_spikes(times: Floats, dt: float, delay: float = 0.0) -> Integers:
    """Return the steps at whose end spikes occur: a spike at t is in step i if i dt < t <= (i+1) dt, as in NEST.

    Parameters
    ----------
    times : ndarray, shape (spikes,)
        In ms.
    dt : float
        Time step in ms.
    delay : float
        Time in ms by which spikes are recorded later than the model's; rounded to steps.

    Returns
    -------
    ndarray of int, shape (spikes,)
        Steps, counted from 0; negative ones are before the recording.
    """
    steps = np.maximum(np.ceil(np.asarray(times) / dt - 1e-6).astype(np.int64) - 1, 0)
    return steps - round(delay / dt)


@dataclass(frozen=True)
class NeuronRecording:
    """The recording of one neuron, checked.

    Attributes
    ----------
    current : ndarray, shape (steps,) or (repeats, steps)
        Injected current in pA, constant during each step; one row for all repeats, or one row per repeat. Rows that
        differ by less than a tenth (standard deviations) are noisy records of one current, and replaced by their mean.
    spikes : sequence of ndarray, shape (spikes,)
        Spike times of each repeat in ms, ascending, after the start of the current.
    dt : float
        Sampling interval in ms.
    voltage : ndarray, shape (steps,) or (repeats, steps), optional
        Membrane potential in mV at the start of each step.
    name : str

    Raises
    ------
    RecordingError
        If there are no or too few spikes, values that are not finite, spikes outside the recording or not in order,
        two spikes within two steps, arrays of different lengths, a constant current, or implausible values.
    """

    current: Floats
    spikes: Sequence[Floats]
    dt: float
    voltage: Floats | None = None
    name: str = "recording"
    #: For each different current, its row and the numbers of its repeats.
    groups: list[tuple[Floats, list[int]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Convert to arrays of float64 and check."""
        if not _DT[0] <= self.dt <= _DT[1]:
            raise RecordingError(
                f"The sampling interval must be between {_DT[0]:g} and {_DT[1]:g} ms, got {self.dt:g} ms: "
                "give it in ms, for example 0.1 for 10 kHz."
            )
        spikes = [np.asarray(times, dtype=np.float64).ravel() for times in self.spikes]
        current = _rows("current", "pA", self.current, len(spikes))
        voltage = None if self.voltage is None else _rows("membrane potential", "mV", self.voltage, len(spikes))
        object.__setattr__(self, "current", current)
        object.__setattr__(self, "spikes", spikes)
        object.__setattr__(self, "voltage", voltage)
        self._check_arrays()
        for number, times in enumerate(spikes):
            self._check_spikes(number, times)
        count = self.spike_count
        if count < FEWEST_SPIKES:
            raise RecordingError(
                f"{self.name} has {count} spikes, too few to fit: at least {FEWEST_SPIKES} are needed, and about "
                f"{SPIKES_NEEDED} for errors of 10 %. Add repeats, or record for longer."
            )
        object.__setattr__(self, "groups", self._group_currents())

    def _group_currents(self) -> list[tuple[Floats, list[int]]]:
        """Return each different current with the numbers of its repeats; merge records of one current."""
        if len(self.current) == 1:
            return [(self.current[0], list(range(self.repeats)))]
        groups: list[list[int]] = []
        for number, row in enumerate(self.current):
            for group in groups:
                first = self.current[group[0]]
                if np.std(row - first) < _SAME * np.std(first) and abs(np.mean(row - first)) < _SAME * np.std(first):
                    group.append(number)
                    break
            else:
                groups.append([number])
        return [(self.current[rows].mean(axis=0), rows) for rows in groups]

    def _check_arrays(self) -> None:
        """Raise `RecordingError` for lengths and values of current and voltage that cannot be."""
        if self.duration < _SHORTEST:
            raise RecordingError(
                f"{self.name} lasts {self.duration:g} ms ({self.steps} samples of {self.dt:g} ms); at least "
                f"{_SHORTEST:g} ms are needed. Check the sampling interval, or record for longer."
            )
        largest = float(np.abs(self.current).max())
        if not np.ptp(self.current, axis=1).all():
            raise RecordingError(
                f"The current of {self.name} is constant ({self.current[0, 0]:g} pA), which does not identify the "
                "membrane: use a current that fluctuates."
            )
        if not _CURRENT[0] <= largest <= _CURRENT[1]:
            raise RecordingError(
                f"The largest current of {self.name} is {largest:g} pA; plausible are {_CURRENT[0]:g} to "
                f"{_CURRENT[1]:g} pA. Check the unit of the current."
            )
        if self.voltage is None:
            return
        if self.voltage.shape[1] != self.steps:
            raise RecordingError(
                f"The current of {self.name} has {self.steps} samples, its membrane potential "
                f"{self.voltage.shape[1]}: give arrays of the same length."
            )
        low, high = float(self.voltage.min()), float(self.voltage.max())
        if low < _VOLTAGE[0] or high > _VOLTAGE[1] or high - low < 1.0:
            raise RecordingError(
                f"The membrane potential of {self.name} is between {low:g} and {high:g} mV; plausible are values from "
                f"{_VOLTAGE[0]:g} to {_VOLTAGE[1]:g} mV that vary by more than 1 mV. Check its unit."
            )

    def _check_spikes(self, number: int, times: Floats) -> None:
        """Raise `RecordingError` for spike times of a repeat that cannot be."""
        where = f"Repeat {number + 1} of {self.name}"
        if not np.isfinite(times).all():
            raise RecordingError(f"{where} has a spike time that is not a finite number: remove it.")
        if len(times) and (times[0] < 0 or times[-1] > self.duration + 1e-6):
            outside = times[0] if times[0] < 0 else times[-1]
            raise RecordingError(
                f"{where} has a spike at {outside:g} ms, outside the recording from 0 to {self.duration:g} ms. "
                "Check the unit of the spike times and the sampling interval."
            )
        if (np.diff(times) <= 0).any():
            place = int(np.argmax(np.diff(times) <= 0))
            raise RecordingError(
                f"{where} has spike times that do not increase: {times[place]:g} ms, then {times[place + 1]:g} ms. "
                "Sort them, and remove duplicates."
            )
        gaps = np.diff(bin_spikes(times, self.dt))
        if len(gaps) and gaps.min() < 2:
            place = int(np.argmin(gaps))
            raise RecordingError(
                f"{where} has spikes at {times[place]:g} and {times[place + 1]:g} ms, less than two samples of "
                f"{self.dt:g} ms apart. Remove double detections, or check the unit and the sampling interval."
            )

    @property
    def repeats(self) -> int:
        """Number of repeats."""
        return len(self.spikes)

    @property
    def steps(self) -> int:
        """Number of samples of the current."""
        return int(self.current.shape[1])

    @property
    def duration(self) -> float:
        """Duration of a repeat in ms."""
        return self.steps * self.dt

    @property
    def spike_count(self) -> int:
        """Number of spikes of all repeats."""
        return sum(len(times) for times in self.spikes)

    @property
    def rate(self) -> float:
        """Mean rate over all repeats in spikes/s."""
        return 1e3 * self.spike_count / (self.duration * self.repeats)

    @property
    def shortest_interval(self) -> float:
        """The shortest inter-spike interval of all repeats in ms, in whole steps; infinite without intervals."""
        gaps = [np.diff(bin_spikes(times, self.dt)) for times in self.spikes]
        return min((float(gap.min()) * self.dt for gap in gaps if len(gap)), default=math.inf)

    def current_of(self, repeat: int) -> Floats:
        """Return the current of a repeat, shape (steps,), in pA."""
        return next(current for current, rows in self.groups if repeat in rows)

    def voltage_of(self, repeat: int) -> Floats | None:
        """Return the membrane potential of a repeat, shape (steps,), in mV; None if it was not recorded."""
        if self.voltage is None:
            return None
        row: Floats | None = self.voltage[repeat] if repeat < len(self.voltage) else None
        return row

    def digest(self) -> str:
        """Return the SHA-256 of the arrays: sampling interval, currents, spike times and membrane potential."""
        found = hashlib.sha256(np.float64(self.dt).tobytes())
        for array in (self.current, *self.spikes, *([] if self.voltage is None else [self.voltage])):
            found.update(np.array(array.shape, dtype=np.int64).tobytes() + np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


def _rows(name: str, unit: str, values: ArrayLike, repeats: int) -> Floats:
    """Return values as one row, or as one row per repeat; check that they are finite."""
    try:
        rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise RecordingError(f"The {name} must be numbers in {unit}, in rows of the same length ({error}).") from error
    if rows.ndim != 2 or not rows.size:
        raise RecordingError(f"The {name} must have one row, or one row per repeat, got the shape {np.shape(values)}.")
    if len(rows) != 1 and len(rows) != repeats and not (name == "membrane potential" and len(rows) < repeats):
        raise RecordingError(
            f"The {name} has {len(rows)} rows, but there are spikes of {repeats} repeats: give one row for all, or one "
            "per repeat."
        )
    if not np.isfinite(rows).all():
        repeat, sample = np.argwhere(~np.isfinite(rows))[0]
        raise RecordingError(
            f"The {name} has a value that is not a finite number, in row {repeat + 1}, sample {sample + 1}: remove it, "
            "or cut the recording before it."
        )
    return rows
