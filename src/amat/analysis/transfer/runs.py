# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Many neurons, each under a stationary or modulated input of its own, in few runs of NEST."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amat import toolchain
from amat.analysis.patterns import MODELS, Trial
from amat.analysis.transfer.drives import Drive, InputKind, Source
from amat.arrays import Floats, Integers
from amat.errors import AmatError
from amat.simulation.run import DELAY, fresh_kernel
from amat.simulation.stimuli import steps_of

__all__ = [
    "WARM_UP",
    "SourceRun",
    "lag_of",
    "require_runs",
    "simulate_sources",
]


#: What is simulated before the responses are measured, in ms: five times the slowest time constant (200 ms).
WARM_UP = 1000.0
#: Neurons in one run of NEST, or those of one pattern if these are more: few, since their state then fits the cache.
_AT_ONCE = 400


@dataclass(frozen=True)
class SourceRun:
    """What one run of NEST gave: spikes, and of each neuron the input's frequency (Hz), its lag (ms), and the fate."""

    senders: Integers
    times: Floats
    frequencies: Floats
    lags: Floats
    alive: NDArray[np.bool_]


def lag_of(kind: InputKind, resolution: float) -> float:
    """Return by how many ms an input's modulation acts late.

    Spikes come with the rate at the end of the step in which they are emitted, which is their time stamp, and arrive
    with the delay. A current has the value at the end of a step throughout the step after: half a step later in mean.
    """
    return DELAY if kind == "poisson" else DELAY + 0.5 * resolution


def simulate_sources(
    trials: Sequence[Trial],
    drives: Sequence[Drive],
    sources: Sequence[Sequence[Source]],
    n_trials: int,
    duration: float,
    seed: int,
    reduce: Callable[[SourceRun], Any],
) -> list[Any]:
    """Simulate every neuron under each of its sources, those of one model and time step together.

    What `reduce` returns for the neurons of a run comes back for each trial, its first axis split into (sources,
    n_trials).
    """
    results: dict[int, Any] = {}
    kinds = [(trial.model, trial.resolution) for trial in trials]
    for kind in dict.fromkeys(kinds):
        numbers = [number for number, other in enumerate(kinds) if other == kind]
        while numbers:
            sizes = np.cumsum([len(sources[number]) * n_trials for number in numbers])
            fits = max(1, int(np.searchsorted(sizes, _AT_ONCE, side="right")))
            part, numbers = numbers[:fits], numbers[fits:]
            # Parts of one seed must not repeat each other's random numbers.
            reduced = reduce(_simulate(trials, drives, sources, part, n_trials, duration, 1000 * seed + part[0] + 1))
            begin = 0
            for number in part:
                count = len(sources[number]) * n_trials
                piece = reduced[begin : begin + count]
                results[number] = piece.reshape(len(sources[number]), n_trials, *piece.shape[1:])
                begin += count
    return [results[number] for number in range(len(trials))]


def _simulate(
    trials: Sequence[Trial],
    drives: Sequence[Drive],
    sources: Sequence[Sequence[Source]],
    part: Sequence[int],
    n_trials: int,
    duration: float,
    seed: int,
) -> SourceRun:
    model, resolution = MODELS[trials[part[0]].model], trials[part[0]].resolution
    nest = fresh_kernel(resolution)
    nest.rng_seed = seed
    toolchain.install(model)
    neurons = nest.Create(model, n_trials * sum(len(sources[number]) for number in part))
    begin, frequencies, lags = 0, [], []
    for number in part:
        trial, drive = trials[number], drives[number]
        own = neurons[begin : begin + n_trials * len(sources[number])]
        begin += len(own)
        constant = trial.parameters.get("I_e", 0.0) + drive.holding
        own.set({**trial.parameters, **trial.initial, "I_e": constant})
        for place, source in enumerate(sources[number]):
            _connect(nest, source, drive, own[place * n_trials : (place + 1) * n_trials], resolution)
            frequencies.append(source.frequency)
            lags.append(lag_of(source.kind, resolution))
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    nest.Simulate(steps_of(duration, resolution) * resolution)
    events = recorder.events
    return SourceRun(
        np.asarray(events["senders"], dtype=np.int64) - neurons[0].global_id,
        np.asarray(events["times"], dtype=np.float64) * resolution,
        np.repeat(np.array(frequencies, dtype=np.float64), n_trials),
        np.repeat(np.array(lags, dtype=np.float64), n_trials),
        np.isfinite(np.atleast_1d(neurons.V_m)),
    )


def _connect(nest: Any, source: Source, drive: Drive, targets: Any, resolution: float) -> None:
    """Connect the generators of one condition; each target has trains of its own."""
    if source.course is not None:
        # A course begins with the first step that a device can change in.
        times = np.arange(len(source.course), dtype=np.float64)
        exc = nest.Create(
            "inhomogeneous_poisson_generator",
            params={"rate_times": np.maximum(times, resolution), "rate_values": source.course},
        )
    elif source.depth and source.kind == "poisson":
        exc = nest.Create(
            "sinusoidal_poisson_generator",
            params={
                "rate": source.rate,
                "amplitude": source.depth * source.rate,
                "frequency": source.frequency,
                "phase": 90.0,
            },
        )
    else:
        exc = nest.Create("poisson_generator", params={"rate": source.rate})
    nest.Connect(exc, targets, syn_spec={"weight": drive.weight_exc, "delay": DELAY})
    if drive.inhibition:
        inh = nest.Create("poisson_generator", params={"rate": source.balanced * drive.inhibition})
        nest.Connect(inh, targets, syn_spec={"weight": drive.weight_inh, "delay": DELAY})
    if source.depth and source.kind == "current":
        amplitude = source.depth * source.rate * drive.mean_exc
        wave = nest.Create(
            "ac_generator", params={"amplitude": amplitude, "frequency": source.frequency, "phase": 90.0}
        )
        nest.Connect(wave, targets, syn_spec={"delay": DELAY})


def require_runs(trials: Sequence[Trial], n_trials: int, duration: float, warm_up: float, seed: int) -> None:
    """Refuse what cannot be simulated, or measured of a simulation; times in ms."""
    if not trials:
        raise AmatError("There is no neuron: give one at least, for example of select_trials.")
    if n_trials < 2:
        raise AmatError(f"{n_trials} trials: choose 2 at least, since one says nothing on what varies.")
    if not (0 < duration < math.inf and 0 <= warm_up < math.inf):
        raise AmatError(f"A duration of {duration:g} ms after {warm_up:g} ms: choose a positive one.")
    # NEST's seeds end at 2^32; see `simulate_sources`.
    if not 0 < seed < 4_000_000:
        raise AmatError(f"A seed of {seed}: choose one from 1 to 3999999.")
