# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimuli of neurons: currents on the grid of time steps, and Poisson spike trains."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.currents import InputCurrent

__all__ = ["PoissonInput", "ProtocolError", "Stimulus", "count_steps", "on_grid", "pulses", "ramp", "sine"]


class ProtocolError(AmatError, ValueError):
    """A stimulus that cannot be delivered."""


@dataclass(frozen=True)
class PoissonInput:
    """Poisson spike trains that arrive at a neuron's excitatory and inhibitory synapses.

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
        """Refuse negative rates and weights of the wrong sign, which NEST would misread."""
        for name in ("rate_exc", "rate_inh", "weight_exc"):
            if not getattr(self, name) >= 0:
                raise ProtocolError(f"{name} must not be negative, got {getattr(self, name)}.")
        if not self.weight_inh <= 0:
            raise ProtocolError(f"weight_inh must not be positive, got {self.weight_inh}.")


@dataclass(frozen=True)
class Stimulus:
    """The input of one neuron.

    Attributes
    ----------
    current : ndarray, shape (steps,)
        The current during each time step, in the model's unit (pA for AMAT).
    spikes : PoissonInput
        Poisson spike trains on top of it.
    """

    current: Floats
    spikes: PoissonInput = field(default_factory=PoissonInput)


def count_steps(duration: float, resolution: float) -> int:
    """Return the number of time steps in a duration.

    Parameters
    ----------
    duration, resolution : float
        In ms; the duration must be a whole number of steps, at least one.

    Raises
    ------
    ProtocolError
        If the duration is not a whole number of steps, or one of the two is not positive and finite.
    """
    if not 0 < resolution < math.inf:
        raise ProtocolError(f"The time step must be positive, got {resolution} ms; choose for example 0.1 ms.")
    if not 0 < duration < math.inf:
        raise ProtocolError(f"The duration must be positive and finite, got {duration} ms.")
    if math.isinf(duration / resolution):
        raise ProtocolError(f"{duration} ms are too many steps of {resolution} ms: choose a longer time step.")
    steps = round(duration / resolution)
    if steps < 1 or abs(steps * resolution - duration) > max(1e-6, 1e-12 * duration):
        raise ProtocolError(f"The duration must be a multiple of the time step of {resolution} ms, got {duration} ms.")
    return steps


def on_grid(current: InputCurrent, duration: float, resolution: float, fraction: float = 0.5) -> Floats:
    """Return the values of a current at the steps of a simulation.

    Parameters
    ----------
    current : InputCurrent
    duration, resolution : float
        In ms.
    fraction : float
        Where in a step the current is read: 0 at its start, 0.5 in its middle, so that a pulse between points of the
        grid has its printed length.

    Returns
    -------
    ndarray, shape (steps,)
    """
    steps = count_steps(duration, resolution)
    # Rounded, so that a segment that ends on the grid does so despite rounding errors.
    return current([round((step + fraction) * resolution, 9) for step in range(steps)])


def _starts(duration: float, resolution: float) -> Floats:
    """Return the times at which the steps begin, in ms."""
    return np.arange(count_steps(duration, resolution), dtype=np.float64) * resolution


def pulses(duration: float, resolution: float, onsets: ArrayLike, widths: ArrayLike, amplitudes: ArrayLike) -> Floats:
    """Return rectangular current pulses; overlapping ones add. A step that stays on is one wide pulse.

    Parameters
    ----------
    duration, resolution : float
        In ms.
    onsets, widths : array_like
        In ms, one value per pulse; they are rounded to the grid.
    amplitudes : array_like
        In the current's unit, one value per pulse.

    Returns
    -------
    ndarray, shape (steps,)
    """
    current = np.zeros(count_steps(duration, resolution))
    for onset, width, amplitude in np.broadcast(onsets, widths, amplitudes):
        first = round(float(onset) / resolution)
        last = round((float(onset) + float(width)) / resolution)
        if first < 0 or width <= 0:
            raise ProtocolError(
                f"A pulse must start at 0 ms or later and last longer than 0 ms, got {width} ms from {onset} ms on."
            )
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
        In Hz; below half the sampling frequency of the grid.

    Returns
    -------
    ndarray, shape (steps,)
        The value at the start of each step.
    """
    limit = 500.0 / resolution
    if not 0 <= frequency < limit:
        raise ProtocolError(
            f"The frequency must be from 0 to below {limit} Hz at a time step of {resolution} ms, got {frequency} Hz."
        )
    time = _starts(duration, resolution) - onset
    return np.where(time >= 0, offset + amplitude * np.sin(2e-3 * np.pi * frequency * time), 0.0)
