# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What is driven into a neuron: currents on the grid, and Poisson input, as NEST's devices deliver them."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["PoissonInput", "ProtocolError", "Stimulus", "pulses", "ramp", "sine", "steps_of"]


class ProtocolError(AmatError, ValueError):
    """A stimulus that cannot be delivered; the message says why."""


@dataclass(frozen=True)
class PoissonInput:
    """Spike trains of Poisson statistics that arrive at a neuron's excitatory and inhibitory synapses.

    Attributes
    ----------
    rate_exc, rate_inh : float
        Total rates in spikes/s.
    weight_exc, weight_inh : float
        Synaptic weights in the model's unit (pA for AMAT); the inhibitory one is negative or zero.
    """

    rate_exc: float = 0.0
    rate_inh: float = 0.0
    weight_exc: float = 0.0
    weight_inh: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what NEST would misread: negative rates, and weights of the other sign."""
        for name in ("rate_exc", "rate_inh", "weight_exc"):
            if not getattr(self, name) >= 0:
                raise ProtocolError(f"{name} is {getattr(self, name)}: it must not be negative.")
        if not self.weight_inh <= 0:
            raise ProtocolError(f"weight_inh is {self.weight_inh}: it must not be positive.")


@dataclass(frozen=True)
class Stimulus:
    """The input of one neuron.

    Attributes
    ----------
    current : ndarray, shape (steps,)
        The current during each time step, in the model's unit (pA for AMAT).
    spikes : PoissonInput
        Random spikes on top of it.
    """

    current: Floats
    spikes: PoissonInput = field(default_factory=PoissonInput)


def steps_of(duration: float, resolution: float) -> int:
    """Return the number of time steps in a duration.

    Parameters
    ----------
    duration, resolution : float
        In ms; the duration must be a whole number of steps, at least one.

    Raises
    ------
    ProtocolError
        If it is not, or the step is not positive, or one of them not finite.
    """
    if not 0 < resolution < math.inf:
        raise ProtocolError(f"A time step of {resolution} ms: choose a positive one, for example 0.1.")
    if not 0 < duration < math.inf:
        raise ProtocolError(f"A duration of {duration} ms: choose a positive one.")
    steps = round(duration / resolution)
    if steps < 1 or abs(steps * resolution - duration) > 1e-6:
        raise ProtocolError(f"{duration} ms is not a whole number of time steps of {resolution} ms.")
    return steps


def _starts(duration: float, resolution: float) -> Floats:
    """Return the times at which the steps begin, in ms."""
    return np.arange(steps_of(duration, resolution), dtype=np.float64) * resolution


def pulses(duration: float, resolution: float, onsets: ArrayLike, widths: ArrayLike, amplitudes: ArrayLike) -> Floats:
    """Return rectangular current pulses; overlapping ones add. A step that stays on is one wide pulse.

    Parameters
    ----------
    duration, resolution : float
        In ms.
    onsets, widths : array_like
        In ms, one value a pulse; they are rounded to the grid.
    amplitudes : array_like
        In the current's unit, one value a pulse.

    Returns
    -------
    ndarray, shape (steps,)
    """
    current = np.zeros(steps_of(duration, resolution))
    for onset, width, amplitude in np.broadcast(onsets, widths, amplitudes):
        first = round(float(onset) / resolution)
        last = round((float(onset) + float(width)) / resolution)
        if first < 0 or width <= 0:
            raise ProtocolError(f"A pulse at {onset} ms of {width} ms: it must start at 0 or later and last.")
        current[first:last] += float(amplitude)
    return current


def ramp(duration: float, resolution: float, onset: float, slope: float) -> Floats:
    """Return a current that is zero until `onset` (ms) and then grows by `slope` (unit/ms).

    Returns
    -------
    ndarray, shape (steps,)
        The ramp's value at the start of each step.
    """
    return slope * np.maximum(0.0, _starts(duration, resolution) - onset)


def sine(
    duration: float,
    resolution: float,
    onset: float,
    offset: float,
    amplitude: float,
    frequency: float,
) -> Floats:
    """Return ``offset + amplitude sin(2 pi frequency (t - onset))`` from `onset` on, and zero before.

    Parameters
    ----------
    duration, resolution, onset : float
        In ms.
    offset, amplitude : float
        In the current's unit.
    frequency : float
        In Hz; below half the grid's own frequency.

    Returns
    -------
    ndarray, shape (steps,)
        The value at the start of each step.
    """
    limit = 500.0 / resolution
    if not 0 <= frequency < limit:
        raise ProtocolError(f"A frequency of {frequency} Hz: the grid of {resolution} ms carries 0 to {limit} Hz.")
    time = _starts(duration, resolution) - onset
    return np.where(time >= 0, offset + amplitude * np.sin(2e-3 * np.pi * frequency * time), 0.0)
