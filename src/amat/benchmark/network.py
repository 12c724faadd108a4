# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The time that a balanced random network takes, as in Brunel's [1]_, of AMAT neurons.

References
----------
.. [1] Brunel N (2000). J. Comput. Neurosci. 8:183-208. doi:10.1023/A:1008925309027
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amat.benchmark.families import Contender
from amat.benchmark.update import create, prepare_kernel, timed
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = ["NEURON", "Network", "check_rates", "connect_balanced", "measure_network", "memory_missing"]

#: The neurons: about 10 spikes/s each in the network.
NEURON = AmatParameters(omega=15.0, alpha_1=20.0, alpha_2=3.0, beta=0.1)

#: Rates of twins differ by less than this; single spikes may, since the network is chaotic.
ALLOWED_DIFFERENCE = 0.1

#: Largest weight of a plastic synapse, relative to the initial one.
LARGEST_WEIGHT = 2.0

#: NEST's bytes for a synapse while the network is built, and for its two sorted tables.
_BYTES_PER_SYNAPSE = 80


@dataclass(frozen=True)
class Network:
    """A network of excitatory and inhibitory neurons, connected at random.

    Attributes
    ----------
    neurons : int
        Four fifths of them excitatory.
    indegree : int
        Synapses that each neuron receives, four fifths of them excitatory. A pair may have more than one.
    weight, inhibition : float
        Excitatory and inhibitory weight in pA.
    delay : float
        In ms.
    external_rate : float
        Spikes/s of each neuron's own Poisson input, which has the excitatory weight.
    """

    neurons: int
    indegree: int = 1000
    weight: float = 40.0
    inhibition: float = -80.0
    delay: float = 1.5
    external_rate: float = 9000.0

    def __post_init__(self) -> None:
        """Refuse what cannot be connected."""
        if self.neurons < 5 or self.indegree < 5:
            raise AmatError(f"{self.neurons} neurons of indegree {self.indegree}: take 5 or more of each.")

    @property
    def name(self) -> str:
        """The name in files."""
        return f"network-n{self.neurons}-k{self.indegree}"

    @property
    def duration(self) -> float:
        """What is timed by default, in ms: more of small networks."""
        return max(200.0, 2e6 / self.neurons)


def measure_network(
    network: Network, contender: Contender, *, duration: float, seed: int, threads: int = 1
) -> dict[str, Any]:
    """Build a network, and time its simulation.

    Parameters
    ----------
    network : Network
    contender : Contender
    duration : float
        Timed, in ms of the model.
    seed : int
        Of connections and input, which are the same for all contenders.
    threads : int

    Returns
    -------
    dict
        ``seconds`` of the simulation, and ``real_time_factor``, these per second of the model; ``build_seconds`` of
        creation and connection; ``prepare_seconds`` of the first 50 ms, in which NEST sorts the synapses;
        ``spikes`` and ``rate`` (spikes/s and neuron) while the clock ran.
    """
    nest = prepare_kernel(contender, threads=threads)
    nest.rng_seed = seed + 1  # NEST takes none below 1
    population = [{"hand": NEURON.to_nest(), "kernel": {}}.get(contender.kind, NEURON.to_nestml())]
    build_seconds = timed(lambda: _build(nest, network, contender, population))
    prepare_seconds = timed(lambda: nest.Simulate(50.0))
    seconds = timed(lambda: nest.Simulate(duration))
    # NEST counts the spikes of the last call of Simulate.
    spikes = int(nest.GetKernelStatus("local_spike_counter"))
    return {
        "seconds": seconds,
        "real_time_factor": 1e3 * seconds / duration,
        "build_seconds": build_seconds,
        "prepare_seconds": prepare_seconds,
        "spikes": spikes,
        "rate": 1e3 * spikes / network.neurons / duration,
    }


def check_rates(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a round in which models of ours fire otherwise than the hand-written one; the empty neuron may.

    Raises
    ------
    AmatError
        If a rate differs by more than a tenth, or the network is silent.
    """
    hand = next(row for row in rows if row["kind"] == "hand")
    if not hand["spikes"]:
        raise AmatError(f"{hand['case']}: {hand['model']} does not spike. Simulate longer.")
    for row in rows:
        if row["kind"] != "kernel" and abs(row["rate"] - hand["rate"]) > ALLOWED_DIFFERENCE * hand["rate"]:
            raise AmatError(
                f"{row['case']}: {row['model']} fires at {row['rate']:.2f} spikes/s and {hand['model']} at "
                f"{hand['rate']:.2f} spikes/s. This is a fault of the generated model: `amat validate` tells more."
            )


def memory_missing(network: Network) -> float:
    """Return how many gigabytes a network needs beyond those that are free; zero or less if it fits."""
    needed = network.neurons * (5000 + _BYTES_PER_SYNAPSE * network.indegree)
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return (needed - 1024 * int(line.split()[1])) / 1e9
    return 0.0


def connect_balanced(
    nest: Any,
    neurons: Any,
    *,
    indegree: int,
    weight: float,
    inhibition: float,
    delay: float,
    external_rate: float,
    external_weight: float,
    plastic: bool = False,
) -> Any:
    """Connect neurons at random, give each its own Poisson input, and return the generator of that.

    Parameters
    ----------
    nest : module
    neurons : nest.NodeCollection
        The first four fifths are excitatory.
    indegree : int
        Synapses that each neuron receives, four fifths of them excitatory. A pair may have more than one.
    weight, inhibition, external_weight : float
        Of excitatory, inhibitory and external synapses.
    delay : float
        Of all, ms.
    external_rate : float
        spikes/s and neuron
    plastic : bool
        Whether excitatory synapses have spike-timing dependent plasticity.
    """
    poisson = nest.Create("poisson_generator", params={"rate": external_rate})
    nest.Connect(poisson, neurons, syn_spec={"weight": external_weight, "delay": delay})
    excitatory, degree = round(0.8 * len(neurons)), round(0.8 * indegree)
    stdp = {"synapse_model": "stdp_synapse", "Wmax": LARGEST_WEIGHT * weight} if plastic else {}
    for sources, number, synapse in (
        (neurons[:excitatory], degree, {"weight": weight, **stdp}),
        (neurons[excitatory:], indegree - degree, {"weight": inhibition}),
    ):
        rule = {"rule": "fixed_indegree", "indegree": number}
        nest.Connect(sources, neurons, rule, {**synapse, "delay": delay})
    return poisson


def _build(nest: Any, network: Network, contender: Contender, population: Sequence[Mapping[str, float]]) -> None:
    connect_balanced(
        nest,
        create(nest, contender.model, network.neurons, population),
        indegree=network.indegree,
        weight=network.weight,
        inhibition=network.inhibition,
        delay=network.delay,
        external_rate=network.external_rate,
        external_weight=network.weight,
    )
