# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons under a constant and a sinusoidal current, without and with noise.

All copies of a neuron are simulated in one run of NEST, with one ``ac_generator`` of amplitude 1 per frequency; the
weight of its connection is the copy's amplitude. The current is constant within a step and has the sine's value at the
start of the step. The sine begins when the first current can arrive, after the delay of NEST's connections. Noise comes
from NEST's ``noise_generator``: each copy gets its own normally distributed current, which changes every `NOISE_STEP`.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amat.analysis.excitability import find_onsets, measure_step, representative_neurons
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons import AmatParameters, Neuron
from amat.simulation.kernel import DELAY, NEST_MODELS, Simulation
from amat.simulation.stimuli import ProtocolError

__all__ = [
    "CLASSES",
    "EXCITABLE",
    "LEVELS",
    "NOISE_STEP",
    "WARM_UP",
    "WARM_UP_INTERVALS",
    "DrivenNeuron",
    "find_driven_neurons",
    "simulate_driven",
]


#: Constant currents of the driven patterns, relative to the onset of sustained firing, both from rest. At these,
#: both models fire at similar rates.
LEVELS: Mapping[str, float] = {"class_1": 3.0, "class_2": 1.5}
CLASSES = tuple(LEVELS)
#: The same for neurons that are nearly, but not, firing by themselves.
EXCITABLE = 0.9

#: Duration of each value of the noise, ms.
NOISE_STEP = 1.0
#: Minimal warm-up at the start of a run, in units of the neuron's slowest time constant and of intrinsic intervals.
WARM_UP, WARM_UP_INTERVALS = 15.0, 10.0


@dataclass(frozen=True)
class DrivenNeuron:
    """A neuron under a constant current.

    Attributes
    ----------
    cell : Neuron
    onset : float
        Least current of sustained firing, pA or mV/ms.
    level : float
        The constant current's distance from rest, relative to that of `onset`.
    rate : float
        The intrinsic rate at the level of `LEVELS`, spikes/s: frequencies are relative to it.
    """

    cell: Neuron
    onset: float
    level: float
    rate: float

    @property
    def current(self) -> float:
        """The constant current, in pA or mV/ms."""
        return self.cell.rest_current + self.distance

    @property
    def distance(self) -> float:
        """The constant current's distance from rest, to which amplitudes are relative."""
        return self.level * (self.onset - self.cell.rest_current)

    @property
    def warm_up(self) -> float:
        """The time in ms after which the initial state has no influence."""
        p = self.cell.parameters
        slowest = max(p.tau_1, p.tau_2, p.tau_m) if isinstance(p, AmatParameters) else 1.0 / p.a
        return max(WARM_UP * slowest, WARM_UP_INTERVALS * 1e3 / self.rate)

    def at(self, level: float) -> "DrivenNeuron":
        """Return the same neuron at another level; the rate to which frequencies are relative does not change."""
        if not level > 0:
            raise AmatError(f"The level must be positive, got {level:g}; sustained firing begins at 1.")
        return dataclasses.replace(self, level=level)


def find_driven_neurons() -> list[DrivenNeuron]:
    """Return one neuron for each model and each of `CLASSES`, at the level of `LEVELS`.

    The onset of firing and the rate are measured with steps of current of 4 s.
    """
    duration = 4000.0
    neurons = representative_neurons(CLASSES)
    onsets = find_onsets(neurons, n_currents=16, duration=duration, precision=5e-5)
    found = []
    for neuron, onset in zip(neurons, onsets["sustained_current"].tolist(), strict=True):
        driven = DrivenNeuron(neuron, onset, LEVELS[neuron.pattern], math.nan)
        (train,) = simulate_driven(driven, [1.0], [0.0], duration)
        found.append(dataclasses.replace(driven, rate=measure_step(train, duration).steady_rate))
    return found


def simulate_driven(
    neuron: DrivenNeuron,
    frequencies: ArrayLike,
    amplitudes: ArrayLike,
    duration: float,
    *,
    noise: float = 0.0,
    seed: int = 1,
    carrier: int = 0,
) -> list[Floats]:
    """Simulate copies of a neuron under sinusoidal currents, all in one run of NEST, from rest.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies, amplitudes : array_like, shape (copies,)
        Of each copy's current, in Hz and in pA or mV/ms.
    duration : float
        In ms.
    noise : float
        Standard deviation of the noise, in pA or mV/ms.
    seed : int
        Of the noise, which differs between copies. One thread is used, since the noise depends on their number.
    carrier : int
        If positive, the current is ``A (1 + sin 2 pi f t) / 2 sin 2 pi c f t`` with this number c of the carrier's
        cycles in a cycle of the modulation, so that the current repeats at f.

    Returns
    -------
    list of ndarray
        For each copy its spike times in ms.

    Raises
    ------
    AmatError
        If a value is out of its range; before anything is simulated.
    """
    f, A = (np.asarray(values, dtype=np.float64) for values in (frequencies, amplitudes))
    resolution, model = neuron.cell.resolution, NEST_MODELS[neuron.cell.model]
    if f.ndim != 1 or f.shape != A.shape or not len(f):
        raise AmatError(f"Each neuron needs a frequency and an amplitude, got {f.size} and {A.size}.")
    if carrier < 0 or carrier == 1:
        raise AmatError(f"The carrier must have two or more cycles in each of the modulation, or none, got {carrier}.")
    _require_frequencies(f * (carrier + 1 if carrier else 1), resolution)
    if not (np.isfinite(A).all() and (A >= 0).all()):
        raise AmatError(f"Amplitudes must be finite and not negative, got {float(np.min(A)):g}.")
    if not 0 <= noise < math.inf:
        raise AmatError(f"The noise's standard deviation must not be negative, got {noise:g}.")
    status = neuron.cell.status | {"I_e": neuron.current}
    simulation = Simulation(model, [status] * len(f), duration, resolution, seed=seed)
    nest, nodes = simulation.nest, simulation.neurons
    for frequency in np.unique(f[A > 0]).tolist():
        numbers = np.flatnonzero((f == frequency) & (A > 0))
        sines = _sines(carrier, frequency)
        generators = nest.Create("ac_generator", len(sines), params=sines)
        weights = A[numbers][:, np.newaxis]
        for generator in generators:
            nest.Connect(generator, nodes[numbers.tolist()], syn_spec={"weight": weights, "delay": DELAY})
    if noise:
        generator = nest.Create("noise_generator", params={"std": 1.0, "dt": NOISE_STEP})
        nest.Connect(generator, nodes, syn_spec={"weight": noise, "delay": DELAY})
    return simulation.run()


def _sines(carrier: int, frequency: float) -> list[dict[str, float]]:
    """Return the parameters of the generators of a current of amplitude 1; the phase is in degrees."""
    if not carrier:
        return [{"amplitude": 1.0, "frequency": frequency}]
    # sin a sin b = (cos(b - a) - cos(b + a)) / 2
    parts = ((carrier, 0.5, 0.0), (carrier - 1, 0.25, 90.0), (carrier + 1, 0.25, -90.0))
    return [{"amplitude": size, "frequency": k * frequency, "phase": phase} for k, size, phase in parts]


def _require_frequencies(frequencies: Floats, resolution: float) -> None:
    limit = 500.0 / resolution
    wrong = frequencies[~((frequencies > 0) & (frequencies < limit))]
    if len(wrong):
        raise ProtocolError(
            f"Frequencies must be between 0 and {limit:g} Hz at a time step of {resolution:g} ms, got "
            f"{float(wrong[0]):g} Hz."
        )
