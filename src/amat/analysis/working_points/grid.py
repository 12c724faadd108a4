# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measurements at all working points of a grid, which resume after an interruption."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from amat.analysis import transfer
from amat.analysis.working_points.plan import Plan
from amat.analysis.working_points.points import measure_point
from amat.analysis.working_points.responses import measure_responses
from amat.analysis.working_points.shards import Arrays, Shards
from amat.neurons import NEURON_MODELS, Neuron, find_neuron
from amat.neurons.published import find_patterns

__all__ = ["distinct_neurons", "measure_grid", "open_shards"]


def distinct_neurons(patterns: Sequence[str] = ()) -> list[Neuron]:
    """Return the neurons of both models without those that repeat another's parameters and constant current.

    Parameters
    ----------
    patterns : sequence of str
        Names of firing patterns; by default all 20.

    Returns
    -------
    list of Neuron
        AMAT's first. Each has the name of the first pattern that has its parameters.
    """
    chosen = []
    for model in NEURON_MODELS:
        neurons = [find_neuron(pattern, model) for pattern in patterns or find_patterns(model)]
        first = {(neuron.parameters, neuron.rest_current): neuron for neuron in reversed(neurons)}
        chosen += [neuron for neuron in neurons if first[neuron.parameters, neuron.rest_current] is neuron]
    return chosen


def open_shards(folder: Path, neurons: Sequence[Neuron], plan: Plan) -> Shards:
    """Return the parts of a grid's measurement that are in a folder, for these neurons, this plan and this code."""
    # Parts do not depend on the number of seeds: a run with more of them continues one with fewer.
    lengths = {name: value for name, value in dataclasses.asdict(plan).items() if name != "n_seeds"}
    settings = {
        "plan": lengths,
        "neurons": [[n.model, n.pattern, n.resolution, n.rest_current, n.status] for n in neurons],
    }
    own, package = Path(__file__).parent, Path(transfer.__file__).parent
    sources = [own / f"{name}.py" for name in ("grid", "plan", "points", "responses")]
    sources += [package / f"{name}.py" for name in ("estimates", "inputs", "runs")]
    return Shards(folder, settings, tuple(sources))


def measure_grid(
    neurons: Sequence[Neuron], plan: Plan, shards: Shards
) -> Iterator[tuple[float, float, Arrays, list[Arrays]]]:
    """Measure all working points, one repetition of all after another, and yield those of each.

    Parameters
    ----------
    neurons : sequence of Neuron
    plan : Plan
    shards : Shards
        Where the parts are kept; those that it has are not measured again.

    Yields
    ------
    rate, balance : float
        The working point.
    point : dict
        From `measure_point`.
    repetitions : list of dict
        From `measure_responses`, one for each seed.
    """
    cells = list(itertools.product(plan.rates, plan.balances))
    points = [
        shards.get(
            f"point-{rate:g}-{balance:g}",
            lambda rate=rate, balance=balance, cell=cell: measure_point(  # type: ignore[misc]
                neurons, plan, balance, rate, _seed(plan, cell, 0)
            ),
        )
        for cell, (rate, balance) in enumerate(cells)
    ]
    found: list[list[Arrays]] = [[] for _ in cells]
    for repetition in range(plan.n_seeds):
        for cell, (rate, balance) in enumerate(cells):
            found[cell].append(
                shards.get(
                    f"response-{rate:g}-{balance:g}-{repetition}",
                    lambda balance=balance, cell=cell, repetition=repetition: measure_responses(  # type: ignore[misc]
                        neurons, plan, balance, points[cell], repetition, _seed(plan, cell, repetition + 1)
                    ),
                )
            )
    for (rate, balance), point, repetitions in zip(cells, points, found, strict=True):
        yield rate, balance, point, repetitions


def _seed(plan: Plan, cell: int, part: int) -> int:
    """Return a seed below the limit of `amat.analysis.transfer`, different for all parts of a grid."""
    return 10 + 10 * int(np.random.default_rng([plan.seed, cell, part]).integers(390_000))
