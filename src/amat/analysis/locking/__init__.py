# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimulus-frequency locking [1]_ of both models: Arnold tongues, stability, noise and reliability.

A neuron gets a constant current and, on top of it, ``A sin(2 pi f t)``. Frequencies are relative to the neuron's
intrinsic rate, at which it fires under the constant current alone. Amplitudes are relative to the constant current's
distance from rest, which is the *depth* of the modulation. So both models and both classes of excitability share their
axes.

References
----------
.. [1] Farokhniaee A, Large EW (2017). Phys. Rev. E 95:062414. doi:10.1103/PhysRevE.95.062414
"""

from amat.analysis.locking.driven import (
    CLASSES,
    EXCITABLE,
    LEVELS,
    NOISE_STEP,
    WARM_UP,
    WARM_UP_INTERVALS,
    DrivenNeuron,
    find_driven_neurons,
    simulate_driven,
)
from amat.analysis.locking.tongues import TOLERANCE_STEPS, find_edges, map_tongues, measure_cycles

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
    "simulate_driven",
]
