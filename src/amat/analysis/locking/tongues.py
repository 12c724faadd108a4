# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimulus-frequency locking of neurons of both models under sinusoidal currents, without and with noise.

A neuron gets a constant current and, on top of it, ``A sin(2 pi f t)``. Frequencies are relative to the neuron's
intrinsic rate, at which it fires under the constant current alone. Amplitudes are relative to the constant current's
distance from rest, which is the *depth* of the modulation. So both models and both classes of excitability share their
axes. `amat.analysis.locking.measures` has the measures of spike trains, `amat.analysis.locking.theory` the exact
results for AMAT, and `amat.analysis.locking.noise` the measurements over many realisations of noise.

All neurons of a map are simulated in one run of NEST, with one ``ac_generator`` of amplitude 1 per frequency; the
weight of its connection is the neuron's amplitude. The current is constant within a step and has the sine's value at
the start of the step. The sine begins when the first current can arrive, after the delay of NEST's connections. Noise
comes from NEST's ``noise_generator``: each neuron gets its own normally distributed current, which changes every
`NOISE_STEP`.

References
----------
.. [1] Farokhniaee A, Large EW (2017). Phys. Rev. E 95:062414. doi:10.1103/PhysRevE.95.062414
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.excitability import find_onsets, measure_step
from amat.analysis.locking.measures import cycle_window, find_locking, vector_strength
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons import NEURON_MODELS, AmatParameters, Neuron, find_neuron
from amat.simulation.kernel import DELAY, NEST_MODELS, Simulation
from amat.simulation.stimuli import ProtocolError

__all__ = [
    "CLASSES",
    "EXCITABLE",
    "LEVELS",
    "NOISE_STEP",
    "TOLERANCE_STEPS",
    "WARM_UP",
    "WARM_UP_INTERVALS",
    "DrivenNeuron",
    "find_driven_neurons",
    "find_edges",
    "map_tongues",
    "measure_cycles",
    "measure_points",
    "require_range",
    "run_duration",
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
#: Width of the band in which spikes of a locked train lie, in steps of the grid; see `find_locking`.
TOLERANCE_STEPS = 5
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


def find_driven_neurons(patterns: Sequence[str] = CLASSES, *, duration: float = 4000.0) -> list[DrivenNeuron]:
    """Return the neurons of both models that show some patterns, at the level of `LEVELS` (others at 1.5).

    Parameters
    ----------
    patterns : sequence of str
    duration : float
        Of the steps of current with which the onset of firing and the rate are measured, ms.

    Raises
    ------
    AmatError
        If there is no pattern, or an unknown one.
    """
    if not patterns:
        raise AmatError(f"No pattern is named: choose some of {', '.join(CLASSES)}.")
    neurons = [find_neuron(pattern, model) for model in NEURON_MODELS for pattern in patterns]
    onsets = find_onsets(neurons, n_currents=16, duration=duration, precision=5e-5)
    found = []
    for neuron, onset in zip(neurons, onsets["sustained_current"].tolist(), strict=True):
        driven = DrivenNeuron(neuron, onset, LEVELS.get(neuron.pattern, 1.5), math.nan)
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
    _require_frequencies(f, resolution)
    if not (np.isfinite(A).all() and (A >= 0).all()):
        raise AmatError(f"Amplitudes must be finite and not negative, got {float(np.min(A)):g}.")
    if not 0 <= noise < math.inf:
        raise AmatError(f"The noise's standard deviation must not be negative, got {noise:g}.")
    status = neuron.cell.status | {"I_e": neuron.current}
    simulation = Simulation(model, [status] * len(f), duration, resolution, seed=seed)
    nest, nodes = simulation.nest, simulation.neurons
    for frequency in np.unique(f[A > 0]).tolist():
        numbers = np.flatnonzero((f == frequency) & (A > 0))
        generator = nest.Create("ac_generator", params={"amplitude": 1.0, "frequency": frequency})
        weights = A[numbers][:, np.newaxis]
        nest.Connect(generator, nodes[numbers.tolist()], syn_spec={"weight": weights, "delay": DELAY})
    if noise:
        generator = nest.Create("noise_generator", params={"std": 1.0, "dt": NOISE_STEP})
        nest.Connect(generator, nodes, syn_spec={"weight": noise, "delay": DELAY})
    return simulation.run()


def measure_cycles(
    spikes: Floats, frequency: float, start: float, stop: float, tolerance: float
) -> dict[str, float | int]:
    """Measure how a train follows a rhythm, over the last whole cycles between two times.

    Returns
    -------
    dict
        ``cycles`` and ``spikes`` in the window; ``rotation``, the rotation number, which is their ratio; ``n``, ``m``
        and ``band`` of `find_locking`, the last in ms; ``strength`` and ``phase`` of `vector_strength`, the phase from
        the sine's start.
    """
    begin, cycles = cycle_window(frequency, start, stop)
    # A spike belongs to the step that it ends.
    inside = spikes[(spikes > begin + 1e-6) & (spikes <= stop + 1e-6)]
    n, m, band = find_locking(inside, frequency, cycles, tolerance)
    strength, phase = vector_strength(inside - DELAY, frequency)
    return {
        "cycles": cycles,
        "spikes": len(inside),
        "rotation": len(inside) / cycles,
        "n": n,
        "m": m,
        "band": band,
        "strength": strength,
        "phase": phase,
    }


def map_tongues(
    neuron: DrivenNeuron,
    frequencies: ArrayLike,
    depths: ArrayLike,
    *,
    cycles: int = 100,
    noise: float = 0.0,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure how a neuron follows sinusoidal currents over a grid of frequencies and amplitudes.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like
        Relative to the neuron's rate, ascending.
    depths : array_like
        Amplitudes relative to the constant current's distance from rest, ascending.
    cycles : int
        Duration of the measurement in intrinsic intervals; `DrivenNeuron.warm_up` precedes it.
    noise, seed
        As in `simulate_driven`.

    Returns
    -------
    pandas.DataFrame
        One row per pair, frequencies changing fastest: ``frequency`` and ``depth``, relative as given, and the values
        of `measure_cycles`.

    Raises
    ------
    AmatError
        If frequencies or depths do not ascend, or a value is out of its range; before anything is simulated.
    """
    across, up = np.meshgrid(require_range("frequencies", frequencies), require_range("depths", depths))
    return measure_points(neuron, across.ravel(), up.ravel(), cycles=cycles, noise=noise, seed=seed)


def measure_points(
    neuron: DrivenNeuron, frequency: Floats, depth: Floats, *, cycles: int, noise: float, seed: int
) -> pd.DataFrame:
    """Simulate copies of a neuron at relative frequencies and amplitudes, shape (copies,), and measure their trains.

    The other parameters, the columns and the errors are those of `map_tongues`.
    """
    duration = run_duration(neuron, cycles)
    hertz = frequency * neuron.rate
    cycle_window(float(hertz.min()), neuron.warm_up, duration)
    trains = simulate_driven(neuron, hertz, depth * neuron.distance, duration, noise=noise, seed=seed)
    tolerance = (TOLERANCE_STEPS + 1e-6) * neuron.cell.resolution
    rows = [
        measure_cycles(train, f, neuron.warm_up, duration, tolerance)
        for train, f in zip(trains, hertz.tolist(), strict=True)
    ]
    return pd.DataFrame({"frequency": frequency, "depth": depth}).join(pd.DataFrame(rows))


def find_edges(
    neuron: DrivenNeuron, frequencies: ArrayLike, expected: ArrayLike, span: ArrayLike, m: int, *, points: int = 41
) -> Floats:
    """Find the least amplitudes at which a neuron is locked 1:m, near expected ones.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like, shape (edges,)
        Relative frequencies.
    expected, span : array_like, shape (edges,)
        Amplitudes, and the distance searched on either side, in pA or mV/ms.
    m : int
        Cycles between two spikes.
    points : int
        Number of amplitudes that are simulated for each edge.

    Returns
    -------
    ndarray, shape (edges,)
        The lowest amplitude of those that are locked up to the end of the span; NaN where none or all are.
    """
    relative, around, width = (np.asarray(values, dtype=np.float64) for values in (frequencies, expected, span))
    amplitudes = around[:, np.newaxis] + np.multiply.outer(width, np.linspace(-1.0, 1.0, points))
    frequency, depth = np.repeat(relative, points), amplitudes.ravel() / neuron.distance
    table = measure_points(neuron, frequency, depth, cycles=100, noise=0.0, seed=1)
    locked = ((table["n"] == 1) & (table["m"] == m)).to_numpy().reshape(amplitudes.shape)
    # The number that are not locked, counted from below.
    below = points - np.logical_and.accumulate(locked[:, ::-1], axis=1).sum(axis=1)
    inside = (below > 0) & (below < points)
    return np.where(inside, amplitudes[np.arange(len(relative)), np.minimum(below, points - 1)], np.nan)


def run_duration(neuron: DrivenNeuron, cycles: int) -> float:
    """Return the duration of a run of some intrinsic intervals after the warm-up, in whole ms."""
    if cycles < 2:
        raise AmatError(f"A run must have two intervals or more, got {cycles}.")
    return float(math.ceil(neuron.warm_up + 1e3 * cycles / neuron.rate))


def require_range(what: str, values: ArrayLike) -> Floats:
    """Return values that ascend; raise `AmatError` with the name `what` for others."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < 2 or not (np.diff(numbers) > 0).all():
        shown = ", ".join(f"{value:g}" for value in numbers.ravel()[:5])
        raise AmatError(f"The {what} must be two or more that ascend, got {shown or 'none'}.")
    return numbers


def _require_frequencies(frequencies: Floats, resolution: float) -> None:
    limit = 500.0 / resolution
    wrong = frequencies[~((frequencies > 0) & (frequencies < limit))]
    if len(wrong):
        raise ProtocolError(
            f"Frequencies must be between 0 and {limit:g} Hz at a time step of {resolution:g} ms, got "
            f"{float(wrong[0]):g} Hz."
        )
