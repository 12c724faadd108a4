# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Transfer functions: how the rate of a neuron follows Poisson input that is stationary or modulated, for both models.

A neuron receives excitatory and inhibitory Poisson trains. What is modulated is the excitatory rate, or a current that
comes on top of the stationary trains; both by a `depth` that is relative to the mean excitatory drive, so that the slow
limit of both is the same increase of the mean, and models with different units can be compared:

    input  nu (1 + m cos 2 pi f t)  ->  output  r0 (1 + m Re[H exp(2 pi i f t)] + ...)

``H`` is the relative transfer function: its modulus is the gain, its argument the phase, positive if the output leads.
For f -> 0 it is the logarithmic slope ``nu F'(nu) / F(nu)`` of the stationary curve F, along which only the excitatory
rate changes.

One EPSP has the same peak in both models, `EPSP`, and so has one IPSP. In AMAT, spikes are exponential currents, so
that its transfer function includes a synapse; a spike moves the potential of Izhikevich's neuron at once. The rate of
inhibition follows from the `balance`, the mean inhibitory drive over the mean excitatory one. Neurons whose pattern
begins at a constant current (in the inhibition-induced patterns, 80 mV/ms) have that current here, too.

Phases are those of the neuron alone: the delay of its connections is taken off. Results depend on the seeds only, since
all runs have one virtual process: NEST's random numbers depend on how many there are.
"""

from amat.analysis.transfer.estimates import (
    estimate,
    fourier_coefficients,
)
from amat.analysis.transfer.inputs import (
    BALANCE,
    EPSP,
    InputKind,
    Synapses,
    balanced_synapses,
    frequency_grid,
    require_frequencies,
    select_neurons,
)
from amat.analysis.transfer.responses import (
    modulated_responses,
    natural_responses,
    stationary_curves,
)
from amat.analysis.transfer.runs import WARM_UP
from amat.analysis.transfer.subthreshold import (
    distance_gain,
    subthreshold_responses,
)

__all__ = [
    "BALANCE",
    "EPSP",
    "WARM_UP",
    "InputKind",
    "Synapses",
    "balanced_synapses",
    "distance_gain",
    "estimate",
    "fourier_coefficients",
    "frequency_grid",
    "modulated_responses",
    "natural_responses",
    "require_frequencies",
    "select_neurons",
    "stationary_curves",
    "subthreshold_responses",
]
