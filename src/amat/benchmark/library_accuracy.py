# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of the neurons in NESTML's library, compared with `amat.simulation.nestml_reference`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amat.arrays import Floats
from amat.benchmark.kernel import RESOLUTION
from amat.benchmark.library import CODEGENS, DURATION, SEED, Library, Neuron, Progress
from amat.errors import AmatError
from amat.simulation.kernel import DELAY, read_spikes, record_spikes
from amat.simulation.nestml_reference import NestmlReference, Run

__all__ = ["find_errors"]

#: Onset and end of the current step in ms.
STEP = (10.0, 70.0)

#: Input in the comparison: excitatory and inhibitory spikes per ms; time between changes of the noise current in ms.
SPIKES = (3.0, 0.2)
NOISE_INTERVAL = 1.0


@dataclass(frozen=True)
class _Stimulus:
    """Input of a neuron: changes of a current, or spikes of both signs at each receptor."""

    times: Floats
    amplitudes: Floats
    trains: tuple[Floats, ...]

    def current(self, steps: int) -> Floats:
        """Return the current that acts in each step; it arrives after the delay."""
        starts = np.round((self.times + DELAY) / RESOLUTION).astype(int)
        index = np.searchsorted(starts, np.arange(steps), side="right")
        return np.concatenate([[0.0], self.amplitudes])[index]

    def arrivals(self, train: Floats, steps: int) -> Floats:
        """Return the number of spikes of a train that arrive at the end of each step."""
        arrivals = np.round((train + DELAY) / RESOLUTION).astype(int) - 1
        return np.bincount(arrivals[arrivals < steps], minlength=steps).astype(float)


def _stimuli(neuron: Neuron) -> dict[str, _Stimulus]:
    random = np.random.default_rng(SEED)
    noise_times = np.arange(NOISE_INTERVAL, DURATION, NOISE_INTERVAL)
    noise = neuron.current * random.normal(0.6, 0.8, noise_times.size)
    steps = round(DURATION / RESOLUTION)
    drawn = [np.unique(random.integers(2, steps, round(rate * DURATION))) for rate in SPIKES]
    trains = tuple(np.array(train * RESOLUTION, dtype=np.float64) for train in drawn)
    return {
        "step": _Stimulus(np.array(STEP), neuron.current * np.array([1.0, -0.3]), ()),
        "noise": _Stimulus(noise_times, noise, ()),
        "poisson": _Stimulus(np.empty(0), np.empty(0), trains),
    }


def find_errors(
    library: Library, neurons: Sequence[Neuron], progress: Progress
) -> dict[tuple[str, str], dict[str, float | int]]:
    """Return the errors of all models, by neuron and build; there are none for neurons without a reference."""
    nest = library.reset()
    comparisons = []
    for neuron in neurons:
        progress(f"translating {neuron.name}")
        try:
            comparisons.append(_Comparison(nest, library, neuron))
        except AmatError as error:
            progress(f"{neuron.name} has no reference: {error}")
    nest.Simulate(DURATION + 2 * DELAY)
    errors: dict[tuple[str, str], dict[str, float | int]] = {}
    for comparison in comparisons:
        progress(f"integrating {comparison.neuron.name}")
        try:
            errors |= comparison.errors()
        except AmatError as error:
            progress(f"{comparison.neuron.name} has no reference: {error}")
    return errors


class _Comparison:
    """A neuron's models in NEST, one node for each stimulus, and their reference."""

    def __init__(self, nest: Any, library: Library, neuron: Neuron) -> None:
        self.neuron, self.reference = neuron, NestmlReference(neuron.source)
        self.values: dict[str, Any] = {}
        self.recorded: dict[str, tuple[Any, Any, Any]] = {}
        self.stimuli = {
            name: stimulus
            for name, stimulus in _stimuli(neuron).items()
            if self.reference.current_port or not stimulus.times.size
        }
        names = {*self.reference.state, *self.reference.parameters}
        models = library.models(neuron)
        for build in (codegen for codegen in CODEGENS if codegen in models):
            nodes = nest.Create(models[build], len(self.stimuli))
            nodes.set(dict(neuron.settings))
            known = nodes[0].get()
            self.values = self.values or {name: known[name] for name in names & known.keys()}
            # NESTML's code computes some initial values from a potential that is not set.
            nodes.set({name: value for name, value in self.values.items() if name in known})
            for node, stimulus in zip(nodes, self.stimuli.values(), strict=True):
                _connect(nest, node, stimulus, neuron, known.get("receptor_types"))
            meter = None
            if "V_m" in known["recordables"]:
                meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": RESOLUTION})
                nest.Connect(meter, nodes)
            self.recorded[build] = (nodes, record_spikes(nest, nodes), meter)

    def errors(self) -> dict[tuple[str, str], dict[str, float | int]]:
        """Return the errors by neuron and build, after the simulation."""
        steps = round(DURATION / RESOLUTION)
        errors: dict[tuple[str, str], dict[str, float | int]] = defaultdict(dict)
        for number, (name, stimulus) in enumerate(self.stimuli.items()):
            exact = _solve(self.reference, self.values, stimulus, self.neuron)
            for build, (nodes, recorder, meter) in self.recorded.items():
                spikes = read_spikes(recorder, nodes, steps)[number]
                error = _error(exact, spikes, _potential(meter, nodes[number].global_id, steps))
                key = (self.neuron.name, build)
                errors[key] |= {f"{name}_{quantity}": value for quantity, value in error.items()}
        return errors


def _connect(nest: Any, node: Any, stimulus: _Stimulus, neuron: Neuron, receptors: Mapping[str, int] | None) -> None:
    """Connect the input of a neuron. With several receptors, all weights are positive."""
    if stimulus.times.size:
        generator = nest.Create("step_current_generator")
        generator.set(amplitude_times=stimulus.times, amplitude_values=stimulus.amplitudes)
        nest.Connect(generator, node, syn_spec={"delay": DELAY})
    for train, sign in zip(stimulus.trains, (1.0, 1.0 if receptors else -1.0), strict=False):
        generator = nest.Create("spike_generator", params={"spike_times": train})
        for receptor in sorted(receptors.values()) if receptors else [0]:
            synapse = {"weight": sign * neuron.weight, "delay": DELAY, "receptor_type": receptor}
            nest.Connect(generator, node, syn_spec=synapse)


def _solve(reference: NestmlReference, values: Mapping[str, Any], stimulus: _Stimulus, neuron: Neuron) -> Run:
    steps = round(neuron.duration / RESOLUTION)
    arrivals = [neuron.weight * stimulus.arrivals(train, steps) for train in stimulus.trains]
    spikes = {}
    for positive, negative in reference.receptors if arrivals else ():
        if len(reference.receptors) > 1:
            spikes[positive] = arrivals[0] + arrivals[1]
        elif positive == negative:
            spikes[positive] = arrivals[0] - arrivals[1]
        else:
            spikes |= {positive: arrivals[0], negative: arrivals[1]}
    current = stimulus.current(steps)
    return reference.run(values, steps, resolution=RESOLUTION, current=current, spikes=spikes)


def _potential(meter: Any, sender: int, steps: int) -> Floats | None:
    if meter is None:
        return None
    events = meter.events
    own = events["senders"] == sender
    potential = np.full(steps, np.nan)
    index = np.round(events["times"][own] / RESOLUTION).astype(int) - 1
    potential[index[index < steps]] = events["V_m"][own][index < steps]
    return potential


def _error(exact: Run, spikes: Any, potential: Floats | None) -> dict[str, float | int]:
    """Return the largest error before the first spike that differs, and the numbers of spikes and of equal ones."""
    steps = exact.membrane_potential.size
    spikes = spikes[spikes <= steps]
    common = min(spikes.size, exact.spike_steps.size)
    different = np.flatnonzero(spikes[:common] != exact.spike_steps[:common])
    equal = int(different[0]) if different.size else common
    rest = [*spikes[equal : equal + 1], *exact.spike_steps[equal : equal + 1]]
    end = int(min(rest)) - 1 if rest else steps
    result: dict[str, float | int] = {"spikes": int(exact.spike_steps.size), "equal": equal}
    if potential is not None:
        result["error_mV"] = float(np.abs(potential[:end] - exact.membrane_potential[:end]).max(initial=0.0))
    return result
