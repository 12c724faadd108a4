# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Functions of the tutorial: inject a current into one neuron, simulate a small network, and plot both."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from amat import toolchain
from amat.arrays import Floats
from amat.compendium import plots

__all__ = ["AMAT", "TIME_STEP", "inject_current", "load_model", "plot_network", "plot_run", "simulate_network"]

#: The AMAT model, by its name in NESTML.
AMAT = "amat2_psc_exp_neuron"
#: Time step of all simulations in ms.
TIME_STEP = 0.1

_COLOUR = plots.MODEL_COLOURS[toolchain.AMAT_OPT]


def load_model(model: str, seed: int = 1) -> str:
    """Reset NEST, load a model, built by the optimised generator, and return its name in NEST.

    Parameters
    ----------
    model : str
        A model of this project by its name in NESTML, or the path of a NESTML file.
    seed : int
        Seed of NEST's random numbers.

    Raises
    ------
    AmatError
        If the model is unknown or cannot be built.
    """
    import nest

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = TIME_STEP
    nest.rng_seed = seed
    toolchain.install(model, codegen="optimised")
    return f"{Path(model).stem}_opt"


def inject_current(
    model: str, parameters: dict[str, float], current: ArrayLike, *, onset: float = 20.0, duration: float = 300.0
) -> tuple[dict[str, Floats], Floats]:
    """Inject a current into one neuron and record its potential, its threshold and its spikes.

    Parameters
    ----------
    model : str
        As for `load_model`.
    parameters : dict
        Parameters that differ from the model's defaults, by their names in NESTML.
    current : float or array_like
        Current in pA: a constant, or one value per time step, of which the last one stays.
    onset, duration : float
        Time at which the current begins, and of the simulation, in ms.

    Returns
    -------
    recorded : dict
        ``times`` (ms), ``V_m`` and ``V_th`` (mV), arrays of the same length.
    spikes : ndarray
        Spike times in ms.
    """
    import nest

    neuron = nest.Create(load_model(model), params=parameters)
    values = np.atleast_1d(np.asarray(current, dtype=float))
    source = nest.Create("step_current_generator")
    times = onset + TIME_STEP * np.arange(len(values))
    source.set(amplitude_times=times, amplitude_values=values, allow_offgrid_times=True)
    meter = nest.Create("multimeter", params={"record_from": ["V_m", "V_th"], "interval": TIME_STEP})
    spikes = nest.Create("spike_recorder")
    nest.Connect(source, neuron)
    nest.Connect(meter, neuron)
    nest.Connect(neuron, spikes)
    nest.Simulate(duration)
    return meter.events, spikes.events["times"]


def plot_run(axes: Axes, recorded: dict[str, Any], spikes: Floats, title: str = "") -> None:
    """Draw membrane potential and threshold, and spikes as marks at the top. Label the first column of a grid.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    recorded : dict
    spikes : ndarray
        From `inject_current`.
    title : str
    """
    axes.plot(recorded["times"], recorded["V_th"], color=plots.THRESHOLD_COLOUR, linewidth=1.0, label="threshold")
    axes.plot(recorded["times"], recorded["V_m"], color=_COLOUR, label="membrane potential")
    for spike in spikes:
        axes.axvline(spike, ymin=0.94, color="black", linewidth=1.2)
    axes.set(title=title, xlabel="time (ms)")
    grid = axes.get_subplotspec()
    if grid is None or grid.is_first_col():
        axes.set_ylabel("potential (mV)")


def simulate_network(
    inhibition: float, *, duration: float = 1000.0, seed: int = 1, **parameters: float
) -> tuple[Floats, Floats]:
    """Simulate 400 excitatory and 100 inhibitory adapting AMAT neurons with Poisson input.

    Each receives spikes from 40 excitatory and 10 inhibitory others, chosen at random, after 1.5 ms.

    Parameters
    ----------
    inhibition : float
        Strength of inhibitory synapses relative to that of excitatory ones.
    duration : float
        Duration in ms.
    seed : int
    **parameters
        Parameters of all neurons.

    Returns
    -------
    times, senders : ndarray
        Time in ms and number of the neuron of each spike.
    """
    import nest

    neurons = nest.Create(load_model(AMAT, seed), 500, params={"alpha_2": 3.0, **parameters})
    excitatory, inhibitory = neurons[:400], neurons[400:]
    noise = nest.Create("poisson_generator", params={"rate": 3000.0})
    recorder = nest.Create("spike_recorder")
    weight = 60.0  # pA
    nest.Connect(noise, neurons, syn_spec={"weight": weight})
    for sources, number, strength in ((excitatory, 40, weight), (inhibitory, 10, -inhibition * weight)):
        rule = {"rule": "fixed_indegree", "indegree": number}
        nest.Connect(sources, neurons, rule, {"weight": strength, "delay": 1.5})
    nest.Connect(neurons, recorder)
    nest.Simulate(duration)
    return recorder.events["times"], recorder.events["senders"]


def plot_network(times: Floats, senders: Floats, title: str = "") -> None:
    """Draw each spike of a network of 500 neurons in its first second, and the rate per neuron below.

    Parameters
    ----------
    times, senders : ndarray
        From `simulate_network`.
    title : str
    """
    _, (above, below) = plt.subplots(2, 1, figsize=(8, 4.6), sharex=True, height_ratios=[3, 1])
    above.plot(times, senders, ".", color=_COLOUR, markersize=1.5, rasterized=True)
    above.set(ylabel="neuron", title=title)
    counts, edges = np.histogram(times, np.arange(0.0, 1001.0, 5.0))
    below.stairs(counts / 500 / 5e-3, edges, color=_COLOUR, fill=True)
    below.set(xlabel="time (ms)", ylabel="spikes/s")
