# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Responses to steps of current, normalised so that neurons of different models can be compared."""

from collections.abc import Sequence

import numpy as np

from amat.arrays import Floats
from amat.checks import require_neurons, require_positive
from amat.neurons import ModelName, Neuron
from amat.simulation.kernel import NEST_MODELS, Simulation

__all__ = ["REFERENCE_RATE", "current_distances", "step_responses"]

#: Mean rate in the first second of the step that defines a neuron's unit of current, spikes/s.
REFERENCE_RATE = 20.0
#: Steps of current in this unit, and edges of the bins in which spikes are counted, ms.
_LEVELS = (0.6, 0.8, 1.0, 1.3, 1.7, 2.2)
_EDGES = np.array([0.0, 20.0, 50.0, 100.0, 200.0, 400.0, 700.0, 1000.0])
#: Range of the search for the unit, in the units of the neurons' currents.
_SEARCH = {"amat": (1.0, 2000.0), "izhikevich": (0.01, 100.0)}


def step_responses(neurons: Sequence[Neuron], *, reference: float = REFERENCE_RATE) -> Floats:
    """Return the rates of neurons after steps of current from rest, relative to a reference rate.

    A neuron's unit of current is the smallest step by which it fires at the reference rate on average in the first
    second. The steps are multiples of this unit, so that rheobase and units of the models drop out.

    Parameters
    ----------
    neurons : sequence of Neuron
    reference : float
        spikes/s.

    Returns
    -------
    ndarray, shape (neurons, steps, bins)
        Rates over the reference rate, for 6 steps of 0.6 to 2.2 units and 7 bins from 0 to 1000 ms; NaN for a neuron
        that does not reach the reference rate.

    Raises
    ------
    AmatError
        If there is no neuron, or the rate is not positive.
    """
    require_neurons(neurons)
    require_positive("reference", reference, "spikes/s")
    duration = float(_EDGES[-1])
    ranges: list[tuple[float, float]] = [_SEARCH[neuron.model] for neuron in neurons]
    for _ in range(3):
        tried = [np.geomspace(low, high, 33) for low, high in ranges]
        trains = _simulate(neurons, tried, duration)
        for n, steps in enumerate(tried):
            reaching = [k for k, train in enumerate(trains[n]) if 1e3 * len(train) / duration >= reference]
            first = reaching[0] if reaching else len(steps) - 1
            ranges[n] = float(steps[max(first - 1, 0)]), float(steps[first]) if reaching else np.nan
    units = [high for _, high in ranges]
    chosen = [n for n, unit in enumerate(units) if np.isfinite(unit)]
    levels = [units[n] * np.array(_LEVELS) for n in chosen]
    found = np.full((len(neurons), len(_LEVELS), len(_EDGES) - 1), np.nan)
    for n, of_neuron in zip(chosen, _simulate([neurons[n] for n in chosen], levels, duration), strict=True):
        for level, train in enumerate(of_neuron):
            found[n, level] = np.histogram(train, _EDGES)[0] / np.diff(1e-3 * _EDGES) / reference
    return found


def _simulate(neurons: Sequence[Neuron], steps: Sequence[Floats], duration: float) -> list[list[Floats]]:
    """Return the spike times in ms of each neuron after each of its steps; NaN steps have no spikes."""
    kinds: dict[tuple[ModelName, float], list[int]] = {}
    for n, neuron in enumerate(neurons):
        kinds.setdefault((neuron.model, neuron.resolution), []).append(n)
    found: list[list[Floats]] = [[] for _ in neurons]
    for (model, resolution), numbers in kinds.items():
        driven = [
            neurons[n].status | {"I_e": neurons[n].parameters.I_e + neurons[n].rest_current + step}
            for n in numbers
            for step in np.nan_to_num(steps[n]).tolist()
        ]
        trains = iter(Simulation(NEST_MODELS[model], driven, duration, resolution).run())
        for n in numbers:
            found[n] = [next(trains) for _ in steps[n]]
    return found


def current_distances(responses: Floats) -> Floats:
    """Return the distances between the step responses of neurons, each scaled to unit power.

    Parameters
    ----------
    responses : ndarray, shape (neurons, steps, bins)
        From `step_responses`.

    Returns
    -------
    ndarray, shape (neurons, neurons)
        0 if the responses are proportional, 1.4 if they have no step and bin in common; NaN where one is unknown.
    """
    flat = responses.reshape(len(responses), -1)
    with np.errstate(invalid="ignore"):
        shapes = flat / np.sqrt(np.sum(flat**2, axis=1, keepdims=True))
    return np.asarray(np.sqrt(np.sum((shapes[:, np.newaxis] - shapes[np.newaxis]) ** 2, axis=-1)), dtype=np.float64)
