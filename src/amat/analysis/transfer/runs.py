# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Simulations of many neurons, each under its own stationary or modulated input, in few runs of NEST."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amat.analysis.transfer.inputs import InputKind, ModulatedInput, Synapses
from amat.arrays import Floats, Integers
from amat.checks import require_count, require_neurons
from amat.errors import AmatError
from amat.neurons import Neuron
from amat.simulation.kernel import DELAY, NEST_MODELS, Simulation

__all__ = [
    "WARM_UP",
    "InputRun",
    "lag_of",
    "require_runs",
    "simulate_inputs",
]


#: Time that is simulated before the measurement, in ms: five times the slowest time constant (200 ms).
WARM_UP = 1000.0
#: Neurons in one run of NEST, unless one pattern needs more: few enough for their state to fit the cache.
_AT_ONCE = 400


@dataclass(frozen=True)
class InputRun:
    """Results of one run of NEST.

    Attributes
    ----------
    senders, times : ndarray, shape (spikes,)
        Numbers of the neurons, and spike times in ms.
    frequencies, lags : ndarray, shape (neurons,)
        Frequency (Hz) of each neuron's input, and its lag (ms).
    alive : ndarray of bool, shape (neurons,)
        Whether a neuron's state stayed finite.
    """

    senders: Integers
    times: Floats
    frequencies: Floats
    lags: Floats
    alive: NDArray[np.bool_]


def lag_of(kind: InputKind, resolution: float) -> float:
    """Return the lag in ms with which an input's modulation acts.

    Spikes are emitted with the rate at the end of a step, which is their time stamp, and arrive with the delay.
    A current has the value at the end of a step throughout the next step, which is half a step later on average.
    """
    return DELAY + 0.5 * resolution if kind == "current" else DELAY


def simulate_inputs(
    neurons: Sequence[Neuron],
    synapses: Sequence[Synapses],
    inputs: Sequence[Sequence[ModulatedInput]],
    n_trials: int,
    duration: float,
    seed: int,
    reduce: Callable[[InputRun], Any],
) -> list[Any]:
    """Simulate every neuron under each of its inputs, those of one model and time step together.

    `reduce` returns an array with a first axis of all copies in a run. The list has its result for each neuron, the
    first axis split into (inputs, n_trials).
    """
    results: dict[int, Any] = {}
    kinds = [(neuron.model, neuron.resolution) for neuron in neurons]
    for kind in dict.fromkeys(kinds):
        numbers = [number for number, other in enumerate(kinds) if other == kind]
        while numbers:
            sizes = np.cumsum([len(inputs[number]) * n_trials for number in numbers])
            fits = max(1, int(np.searchsorted(sizes, _AT_ONCE, side="right")))
            part, numbers = numbers[:fits], numbers[fits:]
            # Parts of one seed must not repeat each other's random numbers.
            run = _simulate(
                [(neurons[number], synapses[number], inputs[number]) for number in part],
                n_trials,
                duration,
                1000 * seed + part[0] + 1,
            )
            reduced = reduce(run)
            begin = 0
            for number in part:
                count = len(inputs[number]) * n_trials
                piece = reduced[begin : begin + count]
                results[number] = piece.reshape(len(inputs[number]), n_trials, *piece.shape[1:])
                begin += count
    return [results[number] for number in range(len(neurons))]


def _simulate(
    part: Sequence[tuple[Neuron, Synapses, Sequence[ModulatedInput]]], n_trials: int, duration: float, seed: int
) -> InputRun:
    """Simulate neurons of one model and time step, `n_trials` copies for each of their inputs."""
    first = part[0][0]
    parameters = [
        neuron.status | {"I_e": neuron.parameters.I_e + neuron.holding_current}
        for neuron, _, inputs in part
        for _ in range(n_trials * len(inputs))
    ]
    simulation = Simulation(NEST_MODELS[first.model], parameters, duration, first.resolution, seed=seed)
    conditions = [(condition, synapses) for _, synapses, inputs in part for condition in inputs]
    for place, (condition, synapses) in enumerate(conditions):
        copies = simulation.neurons[place * n_trials : (place + 1) * n_trials]
        _connect(simulation.nest, condition, synapses, copies, first.resolution)
    # The spikes of the last ms are not needed: the published tables are without them.
    trains = simulation.run(overrun=0.0)
    lags = [lag_of(condition.kind, first.resolution) for condition, _ in conditions]
    return InputRun(
        np.repeat(np.arange(len(trains)), [len(train) for train in trains]),
        np.concatenate(trains),
        np.repeat(np.array([condition.frequency for condition, _ in conditions], dtype=np.float64), n_trials),
        np.repeat(np.array(lags, dtype=np.float64), n_trials),
        np.isfinite(np.atleast_1d(simulation.neurons.V_m)),
    )


def _connect(nest: Any, condition: ModulatedInput, synapses: Synapses, targets: Any, resolution: float) -> None:
    """Connect the generators of one condition; each target has its own trains."""
    exc = _create_trains(nest, condition, condition.rate, "poisson", resolution, 1.0)
    nest.Connect(exc, targets, syn_spec={"weight": synapses.weight_exc, "delay": DELAY})
    if synapses.inhibition:
        mean = condition.balanced * synapses.inhibition
        # The same change of drive as that of excitation, in the opposite direction.
        inh = _create_trains(nest, condition, mean, "inhibition", resolution, -1.0 / synapses.balance)
        nest.Connect(inh, targets, syn_spec={"weight": synapses.weight_inh, "delay": DELAY})
    if condition.depth and condition.kind == "current":
        amplitude = condition.depth * condition.rate * synapses.mean_exc
        wave = nest.Create(
            "ac_generator", params={"amplitude": amplitude, "frequency": condition.frequency, "phase": 90.0}
        )
        nest.Connect(wave, targets, syn_spec={"delay": DELAY})


def _create_trains(
    nest: Any, condition: ModulatedInput, mean: float, kind: InputKind, resolution: float, factor: float
) -> Any:
    """Return a generator of Poisson trains, modulated by `factor` times the modulation of a condition of this kind."""
    if condition.kind == kind and condition.course is not None:
        # A course begins with the first step that a device can change in.
        times = np.arange(len(condition.course), dtype=np.float64)
        course = mean * np.maximum(0.0, 1.0 + factor * condition.course)
        return nest.Create(
            "inhomogeneous_poisson_generator",
            params={"rate_times": np.maximum(times, resolution), "rate_values": course},
        )
    if condition.kind == kind and condition.depth:
        return nest.Create(
            "sinusoidal_poisson_generator",
            params={
                "rate": mean,
                "amplitude": abs(factor) * condition.depth * mean,
                "frequency": condition.frequency,
                "phase": math.copysign(90.0, factor),
            },
        )
    return nest.Create("poisson_generator", params={"rate": mean})


def require_runs(neurons: Sequence[Neuron], n_trials: int, duration: float, warm_up: float, seed: int) -> None:
    """Raise `AmatError` if arguments cannot be simulated or measured; times in ms."""
    require_neurons(neurons)
    require_count("trials", n_trials)
    if not (0 < duration < math.inf and 0 <= warm_up < math.inf):
        raise AmatError(
            f"The duration must be positive and the warm-up not negative, got {duration:g}, {warm_up:g} ms."
        )
    # NEST's seeds end at 2^32; see `simulate_inputs`.
    if not 0 < seed < 4_000_000:
        raise AmatError(f"The seed must be from 1 to 3999999, got {seed}.")
