# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimulus-frequency locking: tongues of rhythms that a neuron follows, what noise leaves of them, and reliability."""

from amat.analysis.locking.tongues import (
    CLASSES,
    EXCITABLE,
    LEVELS,
    NOISE_STEP,
    TOLERANCE_STEPS,
    WARM_UP,
    WARM_UP_INTERVALS,
    DrivenNeuron,
    drive,
    duration_of,
    find_edges,
    find_neurons,
    map_tongues,
    measure_cycles,
    measure_points,
    range_of,
    waveform,
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
