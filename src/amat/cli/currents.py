# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Currents from the options of ``amat simulate``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.currents import CurrentSegment, InputCurrent

__all__ = ["NOISE", "RAMP", "SINE", "STEP", "Currents"]

#: Forms of the options' values.
STEP = "AMPLITUDE[:START[:STOP]]"
RAMP = "FROM:TO[:START[:STOP]]"
SINE = "AMPLITUDE:FREQUENCY[:OFFSET]"
NOISE = "MEAN:SD[:TAU]"


@dataclass(frozen=True)
class Currents:
    """Currents that add up.

    Attributes
    ----------
    file : pathlib.Path, optional
        CSV file, as `amat.simulation.waveforms.read_samples` reads it.
    steps, ramps, sines : sequence of str
        In the forms `STEP`, `RAMP` and `SINE`.
    noise : str, optional
        In the form `NOISE`.
    seed : int
        Of the noise.
    """

    file: Path | None
    steps: Sequence[str]
    ramps: Sequence[str]
    sines: Sequence[str]
    noise: str | None
    seed: int

    def __bool__(self) -> bool:
        """Whether there is any current."""
        return bool(self.file or self.steps or self.ramps or self.sines or self.noise)

    @cached_property
    def samples(self) -> tuple[Floats, Floats] | None:
        """Times in ms and currents of the file."""
        from amat.simulation.waveforms import read_samples

        return read_samples(self.file) if self.file else None

    def duration(self, resolution: float) -> float | None:
        """Return the time of the file's last row in ms, rounded up to a multiple of the time step."""
        if self.samples is None or not self.samples[0][-1]:
            return None
        steps = float(self.samples[0][-1]) / resolution
        return math.ceil(round(steps, 6)) * resolution if math.isfinite(steps) else math.inf

    def on_grid(self, duration: float, resolution: float) -> Floats:
        """Return the sum of the currents in each step, shape (steps,).

        Raises
        ------
        AmatError
            If a value has another form, a current begins after the simulation, or the sum is not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            total = self._sum(duration, resolution)
        if not np.isfinite(total).all():
            raise AmatError("The currents add up to numbers that are not finite: choose smaller amplitudes.")
        return total

    def _sum(self, duration: float, resolution: float) -> Floats:
        from amat.simulation import stimuli, waveforms

        stimuli.count_steps(duration, resolution)  # refuses what is no duration
        segments = [_segment("--step", text, duration) for text in self.steps]
        segments += [_segment("--ramp", text, duration) for text in self.ramps]
        total = stimuli.on_grid(InputCurrent(tuple(segments)), duration, resolution)
        for text in self.sines:
            amplitude, frequency, offset = [*_parse("--sine", text, SINE), 0.0][:3]
            total += stimuli.sine(duration, resolution, 0.0, offset, amplitude, frequency)
        if self.noise:
            mean, sd, tau = [*_parse("--noise", self.noise, NOISE), 0.0][:3]
            total += waveforms.sample_noise(len(total), resolution, mean, sd, tau, self.seed)
        if self.samples is not None:
            _check_start(f"--current {self.file}", self.samples[0][0], duration)
            total += waveforms.hold_samples(*self.samples, len(total), resolution)
        return total


def _segment(option: str, text: str, duration: float) -> CurrentSegment:
    """Return the piece of current of a step or a ramp."""
    ramp = option == "--ramp"
    first, *others = _parse(option, text, RAMP if ramp else STEP)
    last = others.pop(0) if ramp else first
    start, stop = (*others, *(0.0, duration)[len(others) :])
    if not 0 <= start < stop:
        raise AmatError(f"{option} {text}: START must be 0 or later and before STOP, got {start:g} and {stop:g} ms.")
    _check_start(f"{option} {text}", start, duration)
    return CurrentSegment(start, stop, first, (last - first) / (stop - start))


def _check_start(option: str, start: float, duration: float) -> None:
    if start >= duration:
        raise AmatError(f"{option} has no effect: it starts at {start:g} ms, the simulation ends at {duration:g} ms.")


def _parse(option: str, text: str, form: str) -> list[float]:
    """Return the numbers of an option's value, which are finite and as many as its form allows."""
    least, most = form.split("[")[0].count(":") + 1, form.count(":") + 1
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if not (least <= len(numbers) <= most and all(map(math.isfinite, numbers))):
        raise AmatError(f"{option} {text}: expected finite numbers in the form {form}.")
    return numbers
