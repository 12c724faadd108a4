# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Theory of AMAT's firing under Poisson input: exact moments, and predictions of rates, gains and networks."""

from amat.analysis.rate_theory.intervals import IntervalStatistics, interval_statistics
from amat.analysis.rate_theory.moments import PoissonInput, Quantity, ShotNoise
from amat.analysis.rate_theory.networks import (
    LifNeuron,
    NetworkInput,
    amat_network_rate,
    lif_network_rate,
    lif_rate,
)
from amat.analysis.rate_theory.responses import StaticGains, relative_gain, static_gains
from amat.analysis.rate_theory.simulations import compare_neurons, simulate_network

__all__ = [
    "IntervalStatistics",
    "LifNeuron",
    "NetworkInput",
    "PoissonInput",
    "Quantity",
    "ShotNoise",
    "StaticGains",
    "amat_network_rate",
    "compare_neurons",
    "interval_statistics",
    "lif_network_rate",
    "lif_rate",
    "relative_gain",
    "simulate_network",
    "static_gains",
]
