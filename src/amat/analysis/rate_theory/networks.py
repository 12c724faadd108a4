# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Self-consistent rates of balanced random networks, of AMAT and of leaky integrate-and-fire neurons.

All neurons are equal and receive independent Poisson trains at the rate that they have themselves. This holds for
sparse networks that fire asynchronously and irregularly [1]_.

References
----------
.. [1] Brunel N (2000). J. Comput. Neurosci. 8:183-208. doi:10.1023/A:1008925309027
.. [2] Fourcaud N, Brunel N (2002). Neural Comput. 14:2057-2110. doi:10.1162/089976602320264015
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erfcx, zeta

from amat.analysis.rate_theory.intervals import interval_statistics
from amat.analysis.rate_theory.moments import PoissonInput, ShotNoise
from amat.checks import require_positive
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = ["LifNeuron", "NetworkInput", "amat_network_rate", "lif_network_rate", "lif_rate"]

#: Highest rate of a network that is searched, spikes/s.
_HIGHEST = 400.0


@dataclass(frozen=True)
class NetworkInput:
    """The input to each neuron of a balanced random network.

    Attributes
    ----------
    external_rate : float
        Spikes/s of an excitatory Poisson train.
    external_weight, weight, inhibition : float
        Of the external, recurrent excitatory and inhibitory synapses, pA; that of inhibition is negative.
    excitatory_indegree, inhibitory_indegree : int
        Recurrent synapses of each neuron.
    """

    external_rate: float
    external_weight: float
    weight: float
    inhibition: float
    excitatory_indegree: int
    inhibitory_indegree: int

    def trains(self, rate: float) -> list[PoissonInput]:
        """Return the input trains of a neuron if all neurons fire at a rate in spikes/s."""
        return [
            PoissonInput(self.external_rate, self.external_weight),
            PoissonInput(self.excitatory_indegree * rate, self.weight),
            PoissonInput(self.inhibitory_indegree * rate, self.inhibition),
        ]


@dataclass(frozen=True)
class LifNeuron:
    """A leaky integrate-and-fire neuron with exponential currents, as NEST's `iaf_psc_exp`.

    Attributes
    ----------
    tau_m, tau_syn, refr_T : float
        In ms.
    C_m : float
        In pF.
    threshold, reset : float
        In mV above `E_L`.
    """

    tau_m: float = 10.0
    tau_syn: float = 2.0
    refr_T: float = 2.0
    C_m: float = 250.0
    threshold: float = 15.0
    reset: float = 0.0


def lif_rate(neuron: LifNeuron, mean: float, sigma: float) -> float:
    """Return the rate of a leaky integrate-and-fire neuron: Siegert's formula with shifted limits for coloured noise.

    Threshold and reset are raised by ``sigma sqrt(2) |zeta(1/2)| / 2 sqrt(tau_syn / tau_m)`` [2]_. The error is of
    higher order in ``sqrt(tau_syn / tau_m)``. The default of the package `nnmt` is the same formula.

    Parameters
    ----------
    neuron : LifNeuron
    mean, sigma : float
        In mV: the mean of the free potential, and for white noise ``sqrt(2)`` times its standard deviation.

    Returns
    -------
    float
        In spikes/s.
    """
    require_positive("sigma", sigma, "mV")
    shift = math.sqrt(2.0) * abs(float(zeta(0.5))) / 2.0 * math.sqrt(neuron.tau_syn / neuron.tau_m)
    low, high = ((level - mean) / sigma + shift for level in (neuron.reset, neuron.threshold))

    def integrand(x: float) -> float:
        # exp(x^2) (1 + erf(x)) relative to exp(top), without overflow.
        return float(2.0 - math.exp(-x * x) * erfcx(x)) * math.exp(x * x - top)

    top = max(high, 0.0) ** 2
    if top > 600.0:
        return 0.0
    below = quad(lambda x: float(erfcx(-x)), low, min(high, 0.0))[0] if low < 0 else 0.0
    above = quad(integrand, max(low, 0.0), high)[0] * math.exp(top) if high > 0 else 0.0
    return 1e3 / (neuron.refr_T + neuron.tau_m * math.sqrt(math.pi) * (below + above))


def amat_network_rate(parameters: AmatParameters, network: NetworkInput, *, resolution: float | None = None) -> float:
    """Return the self-consistent rate of a network of AMAT neurons, in spikes/s.

    Parameters
    ----------
    parameters : AmatParameters
    network : NetworkInput
    resolution : float, optional
        As in `intervals.interval_statistics`.

    Raises
    ------
    AmatError
        If no rate below 400 spikes/s is self-consistent.
    """

    def respond(rate: float) -> float:
        noise = ShotNoise(parameters, network.trains(rate))
        return interval_statistics(noise, resolution=resolution).rate

    return _self_consistent(respond)


def lif_network_rate(neuron: LifNeuron, network: NetworkInput) -> float:
    """Return the self-consistent rate of a network of leaky integrate-and-fire neurons, in spikes/s.

    Raises
    ------
    AmatError
        If no rate below 400 spikes/s is self-consistent.
    """

    def respond(rate: float) -> float:
        charges = [(1e-3 * train.rate, train.weight * neuron.tau_syn / neuron.C_m) for train in network.trains(rate)]
        mean = neuron.tau_m * sum(nu * jump for nu, jump in charges)
        return lif_rate(neuron, mean, math.sqrt(neuron.tau_m * sum(nu * jump**2 for nu, jump in charges)))

    return _self_consistent(respond)


def _self_consistent(respond: Callable[[float], float]) -> float:
    """Return the rate at which neurons fire if their recurrent inputs have it; the lowest if inhibition dominates."""
    if respond(0.0) <= 1e-6:
        return 0.0
    if respond(_HIGHEST) >= _HIGHEST:
        raise AmatError(f"No rate below {_HIGHEST:g} spikes/s is self-consistent: weaken excitation.")
    return float(brentq(lambda rate: respond(rate) - rate, 0.0, _HIGHEST, xtol=1e-3))
