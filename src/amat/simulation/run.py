# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Simulations of neurons under stimuli on NEST, with results as plain arrays."""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amat.arrays import Floats, Integers
from amat.errors import AmatError
from amat.simulation.kernel import (
    DELAY,
    check_time_step,
    create_neurons,
    read_spikes,
    record_spikes,
    reset_kernel,
)
from amat.simulation.stimuli import Stimulus

__all__ = ["Recording", "Result", "simulate", "step_current"]


@dataclass(frozen=True)
class Recording:
    """Traces and spikes of the neurons of one model.

    Attributes
    ----------
    traces : dict of str to ndarray, shape (neurons, steps)
        Recorded state at the end of each step, by NEST's name, in the model's units (mV, pA).
    spike_steps : list of ndarray of int
        For each neuron the steps at whose end it spiked, counted from 1.
    resolution : float
        The time step in ms.
    """

    traces: dict[str, Floats]
    spike_steps: list[Integers]
    resolution: float

    def spike_times(self, neuron: int = 0) -> Floats:
        """Return a neuron's spike times in ms."""
        return self.spike_steps[neuron].astype(np.float64) * self.resolution


@dataclass(frozen=True)
class Result:
    """The results of one simulation.

    Attributes
    ----------
    recordings : dict of str to Recording
        By the model's name in NEST.
    current : ndarray, shape (stimuli, steps)
        The currents that acted during each step.
    excitatory, inhibitory : ndarray, shape (stimuli, steps)
        The sums of the weights of the spikes that arrived at the end of each step.
    """

    recordings: dict[str, Recording]
    current: Floats
    excitatory: Floats
    inhibitory: Floats


def simulate(
    populations: Mapping[str, Sequence[Mapping[str, Any]]],
    stimuli: Sequence[Stimulus],
    resolution: float,
    *,
    initial: Mapping[str, Sequence[Mapping[str, float]]] | None = None,
    record: Mapping[str, Sequence[str]] | None = None,
    threads: int = 1,
    seed: int = 1,
    pieces: Sequence[int] = (),
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Simulate neurons of one or more models, all models under the same stimuli, in one run of NEST.

    NEST's kernel is reset. A stimulus reaches the n-th neuron of every population; random input is drawn
    once and delivered to all of them, so that it depends on nothing but the seed.

    Parameters
    ----------
    populations : mapping of str to sequence of mapping
        For each model, by its name in NEST, the parameters of its neurons; one for each stimulus.
    stimuli : sequence of Stimulus
        All of the same number of steps.
    resolution : float
        The time step in ms; must divide `DELAY`.
    initial : mapping of str to sequence of mapping, optional
        For each model the states of its neurons at time zero that differ from the model's initial values. With it,
        NEST's clock starts earlier, so that a current can act from the first step on.
    record : mapping of str to sequence of str, optional
        Recordables of each model to record at every step. Without it only spikes are recorded.
    threads : int
        NEST's threads.
    seed : int
        Of the random input. The spike trains of a stimulus do not depend on the number of stimuli.
    pieces : sequence of int
        Steps at which the simulation is halted and resumed.
    progress : callable, optional
        Called with the number of steps done so far, ten times.

    Returns
    -------
    Result

    Raises
    ------
    AmatError
        If the stimuli differ in length, are not on the grid, are not finite, or are not as many as the neurons of
        each model.
    """
    check_time_step(resolution)
    lead = _silent_steps(resolution) if initial else 0
    current = _current(stimuli, resolution, lead)
    for model, parameters in populations.items():
        if len(parameters) != len(stimuli):
            raise AmatError(f"{len(parameters)} neurons of {model} for {len(stimuli)} stimuli: give one for each.")
    steps = current.shape[1]
    excitatory, inhibitory = _arrivals(stimuli, steps, lead, resolution, seed)

    nest = reset_kernel(resolution, populations, threads=threads)
    neurons = {model: create_neurons(nest, model, parameters) for model, parameters in populations.items()}
    _connect(nest, neurons.values(), current, (excitatory, inhibitory), resolution, lead)
    recorders = {model: record_spikes(nest, nodes) for model, nodes in neurons.items()}
    meters = {model: _record_traces(nest, neurons[model], names, resolution) for model, names in (record or {}).items()}

    if initial:
        nest.Simulate(lead * resolution)
        for model, states in initial.items():
            neurons[model].set([dict(state) for state in states])
    # Records of a step are delivered with the delay, hence the steps beyond the end.
    tenths = [steps * part // 10 for part in range(1, 10)] if progress else []
    halts = [0, *sorted({*pieces, *tenths} - {0}), steps + 2 * round(DELAY / resolution)]
    for begin, stop in itertools.pairwise(halts):
        nest.Simulate((stop - begin) * resolution)
        if progress:
            progress(min(stop, steps))

    recordings = {
        model: Recording(
            traces=_traces(meters[model], nodes, steps, lead, resolution) if model in meters else {},
            spike_steps=read_spikes(recorders[model], nodes, steps, lead),
            resolution=resolution,
        )
        for model, nodes in neurons.items()
    }
    return Result(recordings, current, excitatory, inhibitory)


def step_current(current: Floats, resolution: float, start: float) -> dict[str, Any]:
    """Return the parameters with which NEST's `step_current_generator` injects a current exactly.

    Connect the generator with a delay of 1 ms, which is NEST's default. The last value holds until the end.

    Parameters
    ----------
    current : ndarray, shape (steps,)
        The current during each time step, in the model's unit.
    resolution : float
        The time step in ms; must divide the delay.
    start : float
        NEST's time in ms at which the first step begins. A current that is not zero from the first step on needs
        the delay and one step, such as 2 ms.

    Returns
    -------
    dict

    Raises
    ------
    AmatError
        If the current is not finite, or the generator would have to start before NEST's time begins.
    """
    check_time_step(resolution)
    if not np.isfinite(current).all():
        raise AmatError(f"The current must be finite, got {current[~np.isfinite(current)][0]}.")
    changes = np.flatnonzero(np.diff(current, prepend=0.0))
    emitted = changes + round(start / resolution) - round(DELAY / resolution)
    if len(emitted) and emitted[0] < 1:
        raise AmatError(
            f"A device's current arrives after the delay of {DELAY} ms and one step, got a current that acts "
            f"{start + changes[0] * resolution:g} ms after NEST's start: raise start to {DELAY + resolution:g} ms."
        )
    return {
        "amplitude_times": emitted * resolution,
        "amplitude_values": current[changes],
        "allow_offgrid_times": True,  # multiples of the step that floating point has moved off the grid
    }


def _silent_steps(resolution: float) -> int:
    """Return the number of steps before a device's current can act: the delay, and one step."""
    return round(DELAY / resolution) + 1


def _current(stimuli: Sequence[Stimulus], resolution: float, lead: int) -> Floats:
    """Return all currents in one array, checked against what NEST can deliver."""
    lengths = {len(stimulus.current) for stimulus in stimuli}
    if len(lengths) != 1:
        raise AmatError(f"Stimuli must have the same number of steps, got {sorted(lengths) or 'no stimulus'}.")
    current = np.array([stimulus.current for stimulus in stimuli])
    silent = _silent_steps(resolution) - lead
    if current[:, :silent].any():
        raise AmatError(
            f"The current must be zero during the first {silent} steps, since a device's current arrives after the "
            f"delay of {DELAY} ms and one step: start the stimulus later."
        )
    return current


def _equal(rows: Floats) -> list[list[int]]:
    """Return groups of the indices of equal rows of an array."""
    groups: dict[bytes, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(row.tobytes(), []).append(number)
    return list(groups.values())


def _arrivals(
    stimuli: Sequence[Stimulus], steps: int, lead: int, resolution: float, seed: int
) -> tuple[Floats, Floats]:
    """Sample the Poisson input: the sums of the weights that arrive at the end of each step, by sign."""
    arrivals = np.zeros((2, len(stimuli), steps))
    # Spikes that a generator emits in the first step arrive after the delay.
    first = max(0, round(DELAY / resolution) - lead)
    for i, (stimulus, child) in enumerate(zip(stimuli, np.random.SeedSequence(seed).spawn(len(stimuli)), strict=True)):
        random, spikes = np.random.default_rng(child), stimulus.spikes
        for sums, rate, weight in zip(
            arrivals[:, i],
            (spikes.rate_exc, spikes.rate_inh),
            (spikes.weight_exc, spikes.weight_inh),
            strict=True,
        ):
            if rate:
                sums[first:] = weight * random.poisson(1e-3 * rate * resolution, steps - first)
    return arrivals[0], arrivals[1]


def _connect(
    nest: Any,
    populations: Collection[Any],
    current: Floats,
    arrivals: tuple[Floats, Floats],
    resolution: float,
    lead: int,
) -> None:
    """Connect generators of each stimulus to its neuron in every population; equal currents share a generator."""
    for numbers in _equal(current):
        _inject(nest, current[numbers[0]], [nodes[numbers] for nodes in populations], resolution, lead)
    for i in range(len(current)):
        targets = [nodes[i] for nodes in populations]
        for weights in arrivals:
            _send_spikes(nest, weights[i], targets, resolution, lead)


def _inject(nest: Any, waveform: Floats, targets: Sequence[Any], resolution: float, lead: int) -> None:
    """Connect a generator such that its current acts during the steps of the waveform."""
    if not waveform.any():
        return
    generator = nest.Create("step_current_generator", params=step_current(waveform, resolution, lead * resolution))
    for target in targets:
        nest.Connect(generator, target, syn_spec={"delay": DELAY})


def _send_spikes(nest: Any, weights: Floats, targets: Sequence[Any], resolution: float, lead: int) -> None:
    """Connect a generator such that its spikes arrive, with these sums of weights, at the ends of the steps."""
    arrivals = np.flatnonzero(weights)
    if not len(arrivals):
        return
    emitted = arrivals + 1 + lead - round(DELAY / resolution)
    generator = nest.Create(
        "spike_generator",
        params={
            "spike_times": emitted * resolution,
            "spike_weights": weights[arrivals],
            "allow_offgrid_times": True,
        },
    )
    for target in targets:
        nest.Connect(generator, target, syn_spec={"delay": DELAY})


def _record_traces(nest: Any, nodes: Any, names: Sequence[str], resolution: float) -> Any:
    meter = nest.Create("multimeter", params={"record_from": list(names), "interval": resolution})
    nest.Connect(meter, nodes, syn_spec={"delay": DELAY})
    return meter


def _traces(meter: Any, nodes: Any, steps: int, lead: int, resolution: float) -> dict[str, Floats]:
    events = meter.events
    step = np.rint(events["times"] / resolution).astype(int) - 1 - lead
    neuron = events["senders"] - nodes[0].global_id
    kept = (step >= 0) & (step < steps)
    traces = {}
    for name in meter.record_from:
        trace = np.full((len(nodes), steps), np.nan)
        trace[neuron[kept], step[kept]] = events[name][kept]
        traces[str(name)] = trace
    return traces
