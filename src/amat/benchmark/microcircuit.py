# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The cortical microcircuit of Potjans and Diesmann (PD14) [1]_, with another neuron model.

The network is built by the package ``microcircuit`` [2]_, unmodified: it computes sizes, weights and input, and makes
all connections. Only the creation of the populations is replaced, because the package sets parameters by the names of
NEST's ``iaf_psc_exp``.

A microcircuit of the scale *s* has *s* times as many neurons, and *s* times as many synapses at each of them. The
package adapts weights and input, so that rates stay about the same.

References
----------
.. [1] Potjans TC, Diesmann M (2014). Cereb. Cortex 24:785-806. doi:10.1093/cercor/bhs358
.. [2] https://github.com/INM-6/microcircuit-PD14-model
"""

import contextlib
import io
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import numpy as np

from amat import paths, toolchain
from amat.benchmark.families import Contender
from amat.errors import AmatError
from amat.files import load_yaml
from amat.simulation.kernel import available_memory

__all__ = [
    "FAMILIES",
    "FULL_RATE",
    "FULL_RATES",
    "FULL_SYNAPSES",
    "LARGEST_TABLE",
    "POPULATIONS",
    "WARM_UP",
    "Background",
    "build_microcircuit",
    "check_fit",
    "check_model",
    "check_scale",
    "connect_quietly",
    "count_neurons",
    "create_population",
    "estimate_memory",
    "mean_indegree",
    "rate_range",
    "read_adaptation",
    "require_package",
]

#: The background input: a constant current, or Poisson spikes of the same mean.
Background = Literal["dc", "poisson"]

#: The families of neurons of which there is a microcircuit.
FAMILIES = ("iaf_psc_exp", "amat")

#: The populations and their numbers of neurons at full scale [1]_, Table 5.
POPULATIONS = {
    **{"L23E": 20683, "L23I": 5834, "L4E": 21915, "L4I": 5479},
    **{"L5E": 4850, "L5I": 1065, "L6E": 14395, "L6I": 2948},
}
#: Recurrent synapses at full scale.
FULL_SYNAPSES = 298_880_968
#: Spikes/s in one simulation of the package at full scale, in the order of `POPULATIONS`; the package ships them.
FULL_RATES = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)
#: The mean of `FULL_RATES` over neurons.
FULL_RATE = float(np.average(FULL_RATES, weights=list(POPULATIONS.values())))

#: The smallest scale, at which the smallest population has ten neurons.
SMALLEST = 0.01

#: Model time in ms that is discarded, as the recipe of the benchmark has it [2]_.
WARM_UP = 500.0

#: The connections of a synapse model that NEST 3.10 takes in a virtual process.
LARGEST_TABLE = 134_217_726
#: Scales, and the peak memory in bytes that was measured at them: with one thread, at the full scale with four. It
#: is not proportional to the synapses, since NEST's tables grow in blocks.
_SCALES, _PEAKS = (0.1, 0.2, 0.5, 1.0), (0.59e9, 1.25e9, 4.5e9, 15.2e9)


def count_neurons(scale: float) -> int:
    """Return the number of neurons at a scale, rounded in each population."""
    return sum(_sizes(scale))


def mean_indegree(scale: float) -> int:
    """Return the mean number of recurrent synapses per neuron at a scale, rounded down."""
    return int(FULL_SYNAPSES * scale**2 / count_neurons(scale))


def estimate_memory(scale: float) -> float:
    """Return the memory in bytes that a microcircuit takes in one process, interpolated in the number of synapses."""
    return float(np.interp(scale**2, np.square(_SCALES), _PEAKS))


def check_model(contender: Contender) -> None:
    """Raise `AmatError` unless there is a microcircuit of the model's family."""
    if contender.family not in FAMILIES:
        raise AmatError(f"There is no microcircuit of {contender.model}: choose a model of {' or '.join(FAMILIES)}.")


def check_scale(scale: float | None) -> None:
    """Raise `AmatError` unless a microcircuit can have this scale."""
    if scale is None:
        raise AmatError(f"A microcircuit needs a scale, {SMALLEST:g} to 1: set --scale.")
    if not SMALLEST <= scale <= 1:
        raise AmatError(f"scale must be {SMALLEST:g} to 1, got {scale:g}.")


def rate_range(scale: float) -> tuple[float, float]:
    """Return the mean rates in spikes/s between which a microcircuit does the expected work; small ones fire less."""
    return FULL_RATE * min(0.5, 5 * scale), 2 * FULL_RATE


def check_fit(scale: float, threads: int, ranks: int = 1) -> None:
    """Refuse a microcircuit that NEST or this machine cannot hold, before anything is built.

    Parameters
    ----------
    scale : float
        At most 1.
    threads, ranks : int
        Their product is the number of virtual processes.

    Raises
    ------
    AmatError
        If the scale is out of range, a virtual process would have more than `LARGEST_TABLE` connections, or the
        available memory is too small. The message states what fits.
    """
    check_scale(scale)
    virtual = threads * ranks
    # The connections to devices, of which each neuron has one, and random differences between threads.
    synapses = 1.001 * FULL_SYNAPSES * scale**2 + count_neurons(scale)
    if synapses / virtual > LARGEST_TABLE:
        fits = math.floor(1000 * math.sqrt(virtual * LARGEST_TABLE / (1.002 * FULL_SYNAPSES))) / 1000
        raise AmatError(
            f"The microcircuit of scale {scale:g} has {synapses:,.0f} connections, and NEST takes at most "
            f"{LARGEST_TABLE:,} per virtual process, of which there are {virtual}: choose a scale of {fits:g} or less, "
            f"or {math.ceil(synapses / LARGEST_TABLE)} or more threads."
        )
    needed, free = estimate_memory(scale) / ranks, available_memory()
    if needed > free:
        candidates = np.arange(1, 1000)[::-1] / 1000
        fits = next((value for value in candidates if estimate_memory(value) / ranks <= free), 0.0)
        raise AmatError(
            f"The microcircuit of scale {scale:g} takes about {needed / 1e9:.1f} GB in each process, and "
            f"{free / 1e9:.1f} GB are available: choose a scale of {fits:g} or less, or a larger machine."
        )


def read_adaptation() -> dict[str, dict[str, float]]:
    """Return the parameters of AMAT by population, by NESTML's names.

    They are in ``data/microcircuit_amat.yaml``; ``scripts/tune_microcircuit.py`` found them.
    """
    entries = load_yaml(paths.DATA / "microcircuit_amat.yaml")
    return {name: {**entries["parameters"], "omega": entries["omega"][name]} for name in POPULATIONS}


def build_microcircuit(
    contender: Contender,
    scale: float,
    background: Background,
    *,
    threads: int = 1,
    seed: int = 1,
    resolution: float = 0.1,
    adaptation: Mapping[str, Mapping[str, float]] | None = None,
) -> Any:
    """Create the neurons and devices of a microcircuit; `connect_quietly` makes the connections.

    NEST's kernel is reset.

    Parameters
    ----------
    contender : Contender
        The neuron model.
    scale : float
    background : {"dc", "poisson"}
    threads, seed : int
    resolution : float
        Time step in ms.
    adaptation : mapping of str to mapping, optional
        Parameters of AMAT by population, by NESTML's names; by default those of `read_adaptation`.

    Returns
    -------
    microcircuit.Network
        With the populations ``pops`` and one recorder for each in ``spike_recorders``, which keeps spikes in memory, in
        steps, after `WARM_UP`.

    Raises
    ------
    AmatError
        If the package is missing, or the model is of a family without microcircuit.
    """
    check_model(contender)
    if background not in get_args(Background):
        raise AmatError(f"There is no background input {background!r}: choose dc or poisson.")
    package = require_package()
    with tempfile.TemporaryDirectory() as folder, _quiet():  # the package wants a folder, into which nothing is written
        network = package.network.Network(*_settings(package, folder, scale, background, threads, seed, resolution))
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    if contender.build != "nest":
        toolchain.install(contender.model)  # after the package's reset of the kernel, which unloads modules
    if contender.family == "amat":
        adaptation = adaptation or read_adaptation()
    network.pops = [
        create_population(network, contender, number, (adaptation or {}).get(name, {}))
        for number, name in enumerate(POPULATIONS)
    ]
    network.spike_recorders = nest.Create(
        "spike_recorder", len(POPULATIONS), params={"start": WARM_UP, "time_in_steps": True}
    )
    if background == "poisson":
        network.poisson_bg_input = nest.Create("poisson_generator", len(POPULATIONS))
        network.poisson_bg_input.rate = network.net_dict["bg_rate"] * network.ext_indegrees
    return network


def connect_quietly(network: Any) -> None:
    """Make all connections of a microcircuit by the package, which includes NEST's preparation."""
    with _quiet():
        network.connect()


def require_package() -> Any:
    """Return the package ``microcircuit``, or raise `AmatError` if it is missing."""
    try:
        import microcircuit
        import microcircuit.network
        import microcircuit.network_params
        import microcircuit.sim_params
        import microcircuit.stimulus_params
    except ModuleNotFoundError as error:
        if error.name != "microcircuit":
            raise
        raise AmatError(
            "The microcircuit is built by the package microcircuit, which is missing: install it with "
            "`pip install microcircuit`, or with `./amat setup`."
        ) from error
    return microcircuit


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the package's messages, and its warning that the input of a small network is below threshold."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _settings(
    package: Any, folder: str, scale: float, background: Background, threads: int, seed: int, resolution: float
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the package's settings for simulation, network and stimulus: its own, except for those that are given."""
    simulation = package.sim_params.default_sim_dict | {
        "data_path": folder,
        "rec_dev": ["spike_recorder"],
        "local_num_threads": threads,
        "rng_seed": seed,
        "sim_resolution": resolution,
        "print_time": False,
        "store_metadata": False,
    }
    network = package.network_params.default_net_dict | {
        "N_scaling": scale,
        "K_scaling": scale,
        "bg_input_type": background,
    }
    return simulation, network, dict(package.stimulus_params.default_stim_dict)


def create_population(network: Any, contender: Contender, number: int, adaptation: Mapping[str, float]) -> Any:
    """Create a population with the package's parameters and initial potentials, as the package would.

    Parameters
    ----------
    network : microcircuit.Network
    contender : Contender
        The neuron model.
    number : int
        Index of the population in `POPULATIONS`.
    adaptation : mapping
        Parameters of AMAT by NESTML's names; empty for the published neuron.

    Returns
    -------
    nest.NodeCollection
    """
    import nest

    published = network.net_dict["neuron_params"]
    values = {
        "C_m": published["C_m"],
        "tau_m": published["tau_m"],
        "refr_T": published["t_ref"],
        "E_L": published["E_L"],
        "tau_syn_exc": published["tau_syn"],
        "tau_syn_inh": published["tau_syn"],
        "I_e": network.DC_amp[number],
    }
    if contender.family == "amat":
        values |= {**adaptation, "V_m": published["E_L"]}
    else:
        values |= {"V_reset": published["V_reset"], "V_th": published["V_th"]}
    neurons = nest.Create(contender.model, int(network.num_neurons[number]))
    neurons.set(**contender.translate({name: float(value) for name, value in values.items()}))
    mean, deviation = (published[name][network.net_dict["V0_type"]] for name in ("V0_mean", "V0_std"))
    neurons.set(V_m=nest.random.normal(mean[number], deviation[number]))
    return neurons


def _sizes(scale: float) -> list[int]:
    return [round(scale * number) for number in POPULATIONS.values()]
