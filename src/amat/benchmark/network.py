# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Balanced random networks of fixed indegree, as Brunel's [1]_, one for each tuned family of neurons.

``data/benchmark_networks.yaml`` holds their parameters, which ``scripts/tune_networks.py`` found: all networks fire at
the same rate, and irregularly.

References
----------
.. [1] Brunel N (2000). J. Comput. Neurosci. 8:183-208. doi:10.1023/A:1008925309027
"""

from dataclasses import dataclass
from typing import Any

from amat import paths
from amat.files import load_yaml
from amat.simulation.kernel import available_memory

__all__ = ["TUNED_CV", "TUNED_RATE", "BalancedNetwork", "estimate_memory", "missing_memory", "read_networks"]

#: Targets of the tuning: spikes/s of a neuron, and the mean coefficient of variation of its intervals.
TUNED_RATE, TUNED_CV = 8.0, 0.6

#: Largest weight of a plastic synapse, relative to the initial one.
LARGEST_WEIGHT = 2.0

#: Bytes that NEST takes for a neuron, and for a synapse while the network is built with two sorted tables.
_BYTES_PER_NEURON, _BYTES_PER_SYNAPSE = 5000, 80


@dataclass(frozen=True)
class BalancedNetwork:
    """The network of a family of neurons; four fifths of its neurons and synapses are excitatory.

    Attributes
    ----------
    parameters : dict of str to float
        Parameters of the neurons that differ from the family's, by NESTML's names.
    weight, inhibition : float
        Excitatory and inhibitory weight in pA; in mV for Izhikevich's neuron.
    external_rate : float
        Rate of the Poisson input of each neuron (spikes/s), which has the excitatory weight.
    indegree : int
        Recurrent synapses of each neuron for which the network is tuned. A pair may have more than one.
    delay : float
        Of all synapses, in ms.
    rate, cv : float
        Results of the tuning: spikes/s of a neuron, and the mean coefficient of variation of its intervals.
    """

    parameters: dict[str, float]
    weight: float
    inhibition: float
    external_rate: float
    indegree: int
    delay: float
    rate: float
    cv: float

    def connect(self, nest: Any, neurons: Any, indegree: int, *, plastic: bool = False) -> Any:
        """Connect neurons at random and give each an independent Poisson input.

        Parameters
        ----------
        nest : module
        neurons : nest.NodeCollection
            The first four fifths are excitatory.
        indegree : int
            Recurrent synapses of each neuron. Recurrent weights are scaled inversely to it.
        plastic : bool
            Whether excitatory synapses have spike-timing dependent plasticity.

        Returns
        -------
        nest.NodeCollection
            The Poisson generator.
        """
        scale = self.indegree / indegree
        poisson = nest.Create("poisson_generator", params={"rate": self.external_rate})
        nest.Connect(poisson, neurons, syn_spec={"weight": self.weight, "delay": self.delay})
        excitatory, degree = round(0.8 * len(neurons)), round(0.8 * indegree)
        weight = scale * self.weight
        stdp = {"synapse_model": "stdp_synapse", "Wmax": LARGEST_WEIGHT * weight} if plastic else {}
        for sources, number, synapse in (
            (neurons[:excitatory], degree, {"weight": weight, **stdp}),
            (neurons[excitatory:], indegree - degree, {"weight": scale * self.inhibition}),
        ):
            rule = {"rule": "fixed_indegree", "indegree": number}
            nest.Connect(sources, neurons, rule, {**synapse, "delay": self.delay})
        return poisson


def read_networks() -> dict[str, BalancedNetwork]:
    """Return the tuned networks by the family's name."""
    entries = load_yaml(paths.DATA / "benchmark_networks.yaml")
    return {name: BalancedNetwork(**values) for name, values in entries.items()}


def estimate_memory(neurons: int, indegree: int) -> float:
    """Return the memory in bytes that a network takes, or neurons alone with an indegree of 0."""
    return float(neurons) * (_BYTES_PER_NEURON + _BYTES_PER_SYNAPSE * indegree)


def missing_memory(neurons: int, indegree: int) -> float:
    """Return the gigabytes that a network needs beyond those that are free; zero or less if it fits."""
    return (estimate_memory(neurons, indegree) - available_memory()) / 1e9
