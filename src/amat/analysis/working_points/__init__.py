# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The findings of Heiberg et al. (2018) over a grid of working points, and in matched pairs of neurons.

A working point is a firing rate and a background: the balance of the inhibitory and the excitatory drive. At each,
excitatory or inhibitory trains are modulated by sinusoids and by noise, with several depths, in independent repetitions
with different seeds. `evaluate_grid` measures and fits, `summarise_findings` tests the findings at each working point.

Two comparisons match neurons first: `match_working_points` pairs those of the two models that agree in firing rate and
in the CV of their inter-spike intervals, and `compare_matched` those that agree in their response to steps of current.
"""

from amat.analysis.working_points.currents import REFERENCE_RATE, current_distances, step_responses
from amat.analysis.working_points.evaluate import evaluate_grid
from amat.analysis.working_points.findings import (
    FINDINGS,
    Criteria,
    distances_of,
    pool_seeds,
    summarise_findings,
    usable_rows,
)
from amat.analysis.working_points.grid import distinct_neurons, open_shards
from amat.analysis.working_points.matching import (
    cluster_interval,
    compare_matched,
    jackknife_interval,
    match,
    match_working_points,
)
from amat.analysis.working_points.plan import Plan

__all__ = [
    "FINDINGS",
    "REFERENCE_RATE",
    "Criteria",
    "Plan",
    "cluster_interval",
    "compare_matched",
    "current_distances",
    "distances_of",
    "distinct_neurons",
    "evaluate_grid",
    "jackknife_interval",
    "match",
    "match_working_points",
    "open_shards",
    "pool_seeds",
    "step_responses",
    "summarise_findings",
    "usable_rows",
]
