# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimulus-frequency locking: Arnold tongues, without and with noise, and reliability."""

from amat.analysis.locking.tongues import (
    CLASSES,
    EXCITABLE,
    LEVELS,
    NOISE_STEP,
    TOLERANCE_STEPS,
    WARM_UP,
    WARM_UP_INTERVALS,
    DrivenNeuron,
    find_driven_neurons,
    find_edges,
    map_tongues,
    measure_cycles,
    measure_points,
    require_range,
    run_duration,
    simulate_driven,
)

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
