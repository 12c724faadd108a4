# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimulus-frequency locking: neurons of both models under sinusoidal currents, without and with noise.

A neuron gets a constant current and, on top of it, ``A sin(2 pi f t)``. Frequencies are given relative to the rate at
which it fires by itself, and amplitudes relative to the constant current's distance from rest, the *depth* of the
modulation: so both models and both classes of excitability share their axes. What is made of the spikes is described
in `amat.analysis.locking.measures`, what can be derived for AMAT in `amat.analysis.locking.theory`, and what is
measured in many realisations of noise in `amat.analysis.locking.noise`.

All neurons of a map are simulated in one run of NEST, with one ``ac_generator`` of amplitude 1 a frequency; the weight
of its connection is the neuron's amplitude. The current of a step is constant, and is the sine's value at its start,
the sine beginning when the first current can arrive: `waveform` is that staircase, and tests hold NEST to it. Noise is
that of NEST's ``noise_generator``: for each neuron its own normally distributed current, which changes every
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

from amat import toolchain
from amat.analysis.excitability import find_onsets, measure_step
from amat.analysis.locking.measures import cycle_window, find_locking, vector_strength
from amat.analysis.patterns import MODELS, Trial, find_trial
from amat.arrays import Floats
from amat.errors import AmatError
from amat.simulation.run import DELAY, fresh_kernel
from amat.simulation.stimuli import ProtocolError, steps_of

__all__ = [
    "CLASSES",
    "EXCITABLE",
    "LEVELS",
    "NOISE_STEP",
    "TOLERANCE_STEPS",
    "WARM_UP",
    "WARM_UP_INTERVALS",
    "DrivenNeuron",
    "drive",
    "duration_of",
    "find_edges",
    "find_neurons",
    "map_tongues",
    "measure_cycles",
    "measure_points",
    "range_of",
    "waveform",
]


#: Patterns that are driven, and the constant current of each relative to that at which sustained firing begins, both
#: from rest; at these both models fire at like rates.
LEVELS: Mapping[str, float] = {"class_1": 3.0, "class_2": 1.5}
CLASSES = tuple(LEVELS)
#: The same for neurons that do not fire by themselves, but nearly.
EXCITABLE = 0.9

#: How long a value of the noise lasts, ms.
NOISE_STEP = 1.0
#: Width of the band in which spikes of a locked train lie, in steps of the grid; see `find_locking`.
TOLERANCE_STEPS = 5
#: What is left out at a run's start, in units of the neuron's slowest time constant, and of its own intervals at least.
WARM_UP, WARM_UP_INTERVALS = 15.0, 10.0


@dataclass(frozen=True)
class DrivenNeuron:
    """A neuron under a constant current.

    Attributes
    ----------
    trial : Trial
        Its parameters, initial state and time step.
    rest : float
        Current at which the initial state is that of rest, pA or mV/ms.
    onset : float
        Least current at which it goes on firing, in the same unit.
    level : float
        Its constant current's distance from rest, relative to that of `onset`.
    rate : float
        The rate at which it fires by itself at the level of `LEVELS`, spikes/s: frequencies are relative to it.
    """

    trial: Trial
    rest: float
    onset: float
    level: float
    rate: float

    @property
    def current(self) -> float:
        """The constant current, in pA or mV/ms."""
        return self.rest + self.distance

    @property
    def distance(self) -> float:
        """The constant current's distance from rest: what amplitudes are relative to."""
        return self.level * (self.onset - self.rest)

    @property
    def warm_up(self) -> float:
        """How long it takes to forget its start, in ms."""
        slowest = max(
            self.trial.parameters[name] if name.startswith("tau") else 1.0 / self.trial.parameters[name]
            for name in ("tau_1", "tau_2", "tau_m", "a")
            if name in self.trial.parameters
        )
        return max(WARM_UP * slowest, WARM_UP_INTERVALS * 1e3 / self.rate)

    def at(self, level: float) -> "DrivenNeuron":
        """Return the same neuron at another level; the rate stays that which frequencies are relative to."""
        if not level > 0:
            raise AmatError(f"A level of {level:g}: choose a positive one; 1 is where sustained firing begins.")
        return dataclasses.replace(self, level=level)


def find_neurons(patterns: Sequence[str] = CLASSES, *, duration: float = 4000.0) -> list[DrivenNeuron]:
    """Return the neurons of both models that show some patterns, at the level of `LEVELS` (others at 1.5).

    Parameters
    ----------
    patterns : sequence of str
    duration : float
        Of the steps of current by which the onset of firing is searched for and the rate is measured, ms.

    Raises
    ------
    AmatError
        If there is no pattern, or an unknown one.
    """
    if not patterns:
        raise AmatError(f"No pattern is named: choose some of {', '.join(CLASSES)}.")
    trials = [find_trial(pattern, model) for model in MODELS for pattern in patterns]
    onsets = find_onsets(trials, n_currents=16, duration=duration, precision=5e-5)
    neurons = []
    for trial, row in zip(trials, onsets.itertuples(), strict=True):
        rest, onset = float(row.rest_current), float(row.sustained_current)  # type: ignore[arg-type]
        neuron = DrivenNeuron(trial, rest, onset, LEVELS.get(trial.pattern, 1.5), math.nan)
        (train,) = drive(neuron, [1.0], [0.0], duration)
        neurons.append(dataclasses.replace(neuron, rate=measure_step(train, duration).steady_rate))
    return neurons


def waveform(frequency: float, amplitude: float, duration: float, resolution: float) -> Floats:
    """Return the sinusoidal current that acts during each step, shape (steps,), without the constant one.

    It is the value at the start of the step of a sine that begins after the delay of NEST's connections, computed by
    repeated rotation as the ``ac_generator`` does, so that the last bits are the same. Izhikevich's class 2 needs that:
    where it is not locked, its scheme amplifies differences of any size.

    Parameters
    ----------
    frequency : float
        In Hz; below half the grid's own frequency.
    amplitude : float
        In the model's unit.
    duration, resolution : float
        In ms.
    """
    _require_frequencies(np.array([frequency]), resolution)
    current = np.zeros(steps_of(duration, resolution))
    angle = resolution * (2.0 * np.pi * frequency / 1000.0)
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = 1.0, 0.0
    for step in range(round(DELAY / resolution) + 1, len(current)):
        x, y = cosine * x - sine * y, sine * x + cosine * y
        current[step] = amplitude * y
    return current


def drive(
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
        Of the noise, which is another one for each copy; one thread is used, since noise would depend on their number.

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
    resolution, model = neuron.trial.resolution, MODELS[neuron.trial.model]
    if f.ndim != 1 or f.shape != A.shape or not len(f):
        raise AmatError(f"{f.size} frequencies and {A.size} amplitudes: give one of each for each neuron.")
    _require_frequencies(f, resolution)
    if not (np.isfinite(A).all() and (A >= 0).all()):
        raise AmatError(f"An amplitude of {float(np.min(A)):g}: choose finite ones that are not negative.")
    if not 0 <= noise < math.inf:
        raise AmatError(f"Noise of {noise:g}: its standard deviation must not be negative.")
    steps = steps_of(duration, resolution)
    nest = fresh_kernel(resolution)
    nest.rng_seed = seed
    toolchain.install(model)
    nodes = nest.Create(model, len(f), neuron.trial.parameters | neuron.trial.initial | {"I_e": neuron.current})
    for frequency in np.unique(f[A > 0]).tolist():
        numbers = np.flatnonzero((f == frequency) & (A > 0))
        generator = nest.Create("ac_generator", params={"amplitude": 1.0, "frequency": frequency})
        weights = A[numbers][:, np.newaxis]
        nest.Connect(generator, nodes[numbers.tolist()], syn_spec={"weight": weights, "delay": DELAY})
    if noise:
        generator = nest.Create("noise_generator", params={"std": 1.0, "dt": NOISE_STEP})
        nest.Connect(generator, nodes, syn_spec={"weight": noise, "delay": DELAY})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(nodes, recorder, syn_spec={"delay": DELAY})
    # Spikes are delivered with the delay, hence the time beyond the end.
    nest.Simulate(steps * resolution + 2 * DELAY)
    events = recorder.events
    times = np.asarray(events["times"], dtype=np.int64)
    senders = np.asarray(events["senders"], dtype=np.int64) - nodes[0].global_id
    kept = times <= steps
    order = np.lexsort((times[kept], senders[kept]))
    counts = np.bincount(senders[kept], minlength=len(f))
    return np.split(times[kept][order] * resolution, np.cumsum(counts)[:-1])


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
    """Map how a neuron follows sinusoidal currents of all pairs of a frequency and an amplitude.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like
        Relative to the neuron's rate, ascending.
    depths : array_like
        Amplitudes relative to the constant current's distance from rest, ascending.
    cycles : int
        Length of what is measured, in the neuron's own intervals; `DrivenNeuron.warm_up` comes before it.
    noise, seed
        As in `drive`.

    Returns
    -------
    pandas.DataFrame
        One row a pair, frequencies running fastest: ``frequency`` and ``depth``, relative as given, and what
        `measure_cycles` returns.

    Raises
    ------
    AmatError
        If the frequencies or depths are no range, or a value is out of its own; before anything is simulated.
    """
    across, up = np.meshgrid(range_of("frequencies", frequencies), range_of("depths", depths))
    return measure_points(neuron, across.ravel(), up.ravel(), cycles=cycles, noise=noise, seed=seed)


def measure_points(
    neuron: DrivenNeuron, frequency: Floats, depth: Floats, *, cycles: int, noise: float, seed: int
) -> pd.DataFrame:
    """Simulate copies of a neuron at relative frequencies and amplitudes, shape (copies,), and measure their trains.

    The other parameters, the columns and the errors are those of `map_tongues`.
    """
    duration = duration_of(neuron, cycles)
    hertz = frequency * neuron.rate
    cycle_window(float(hertz.min()), neuron.warm_up, duration)
    trains = drive(neuron, hertz, depth * neuron.distance, duration, noise=noise, seed=seed)
    tolerance = (TOLERANCE_STEPS + 1e-6) * neuron.trial.resolution
    rows = [
        measure_cycles(train, f, neuron.warm_up, duration, tolerance)
        for train, f in zip(trains, hertz.tolist(), strict=True)
    ]
    return pd.DataFrame({"frequency": frequency, "depth": depth}).join(pd.DataFrame(rows))


def find_edges(
    neuron: DrivenNeuron, frequencies: ArrayLike, expected: ArrayLike, span: ArrayLike, m: int, *, points: int = 41
) -> Floats:
    """Find the least amplitudes at which a neuron is locked 1:m, near those that are expected.

    Parameters
    ----------
    neuron : DrivenNeuron
    frequencies : array_like, shape (edges,)
        Relative frequencies.
    expected, span : array_like, shape (edges,)
        Amplitudes, and how far around each is searched, in pA or mV/ms.
    m : int
        Cycles between two spikes.
    points : int
        How many amplitudes are simulated for each edge.

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
    # How many are not, counted from below.
    below = points - np.logical_and.accumulate(locked[:, ::-1], axis=1).sum(axis=1)
    inside = (below > 0) & (below < points)
    return np.where(inside, amplitudes[np.arange(len(relative)), np.minimum(below, points - 1)], np.nan)


def duration_of(neuron: DrivenNeuron, cycles: int) -> float:
    """Return the length of a run of some of the neuron's own intervals after the warm-up, in whole ms."""
    if cycles < 2:
        raise AmatError(f"A run of {cycles} intervals: choose two or more.")
    return float(math.ceil(neuron.warm_up + 1e3 * cycles / neuron.rate))


def range_of(what: str, values: ArrayLike) -> Floats:
    """Return values that ascend; refuse others by the name of what they are."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < 2 or not (np.diff(numbers) > 0).all():
        shown = ", ".join(f"{value:g}" for value in numbers.ravel()[:5])
        raise AmatError(f"{what} of {shown or 'nothing'}: give two or more, ascending.")
    return numbers


def _require_frequencies(frequencies: Floats, resolution: float) -> None:
    limit = 500.0 / resolution
    wrong = frequencies[~((frequencies > 0) & (frequencies < limit))]
    if len(wrong):
        raise ProtocolError(
            f"A frequency of {float(wrong[0]):g} Hz: the grid of {resolution:g} ms carries more than 0 and less than "
            f"{limit:g} Hz; choose one of these, or a finer grid."
        )
