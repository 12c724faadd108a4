# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Transfer functions: firing rates of both models under stationary and modulated Poisson input.

A neuron receives excitatory and inhibitory Poisson trains. Either the excitatory rate is modulated, or a current that
is added to the stationary trains. The `depth` of both is relative to the mean excitatory drive, so that they have the
same slow limit, and models with different units can be compared:

    input  nu (1 + m cos 2 pi f t)  ->  output  r0 (1 + m Re[H exp(2 pi i f t)] + ...)

``H`` is the relative transfer function: its modulus is the gain, its argument the phase, positive if the output leads.
For f -> 0 it is the logarithmic slope ``nu F'(nu) / F(nu)`` of the stationary curve F, along which only the excitatory
rate changes.

EPSPs and IPSPs have the same peak in both models, `EPSP`. In AMAT, spikes are exponential currents, so that its
transfer function includes a synapse; in Izhikevich's neuron a spike changes the potential at once. The rate of
inhibition follows from the `balance`, the ratio of mean inhibitory to mean excitatory drive. Neurons get the constant
current of their resting state (80 mV/ms in Izhikevich's inhibition-induced patterns).

Phases are those of the neuron alone, without the delay of its connections. Results depend on the seeds only, since all
runs have one virtual process, on whose number NEST's random numbers depend.
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
)
from amat.analysis.transfer.noise import signal_to_noise
from amat.analysis.transfer.responses import (
    course_responses,
    modulated_responses,
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
    "course_responses",
    "distance_gain",
    "estimate",
    "fourier_coefficients",
    "frequency_grid",
    "modulated_responses",
    "require_frequencies",
    "signal_to_noise",
    "stationary_curves",
    "subthreshold_responses",
]
