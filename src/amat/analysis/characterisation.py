# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Characterisation of a neuron as in NESTML's library: postsynaptic potentials, responses to pulses, f-I curve.

The pages of NESTML's models library [1]_ show these three, and the figures have their names. Unlike there, parameters
and stimuli are recorded with the figures.

References
----------
.. [1] https://nestml.readthedocs.io/en/latest/models_library/index.html
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from amat import toolchain
from amat.arrays import Floats
from amat.checks import require_ascending
from amat.compendium import plots
from amat.errors import AmatError
from amat.files import write_json
from amat.simulation.kernel import DELAY, reset_kernel
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, count_steps, pulses

__all__ = [
    "FIGURES",
    "Characterisation",
    "Protocol",
    "characterise",
    "plot_f_i_curve",
    "plot_psp",
    "plot_pulses",
    "write",
]


@dataclass(frozen=True)
class Protocol:
    """The stimuli of a characterisation.

    Attributes
    ----------
    weight : float
        The weight of the spike that arrives at the excitatory synapse, pA; its negative arrives at the inhibitory one.
    spike_time : float
        The time of arrival, ms.
    psp_duration : float
        The duration of the simulation of postsynaptic potentials, ms.
    pulses : tuple of float
        Amplitudes of the current pulses, pA.
    pulse_onset, pulse_width, pulse_duration : float
        Start and width of the pulses, and the duration of the simulation, ms.
    currents : tuple of float
        Constant currents of the f-I curve in ascending order, pA.
    f_i_duration : float
        The duration of each, ms; spikes in the second half are counted.
    resolution : float
        Time step in ms.
    """

    weight: float = 100.0
    spike_time: float = 10.0
    psp_duration: float = 60.0
    pulses: tuple[float, ...] = (-100.0, 75.0, 150.0)
    pulse_onset: float = 20.0
    pulse_width: float = 100.0
    pulse_duration: float = 200.0
    currents: tuple[float, ...] = field(default_factory=lambda: tuple(np.arange(0.0, 501.0, 5.0).tolist()))
    f_i_duration: float = 2000.0
    resolution: float = 0.1

    def __post_init__(self) -> None:
        """Check that the stimuli can be delivered and measured."""
        if not self.weight > 0:
            raise AmatError(f"weight must be positive, got {self.weight:g} pA; the inhibitory weight is its negative.")
        if not self.pulses:
            raise AmatError("pulses must hold at least one amplitude in pA, got none.")
        require_ascending("currents", self.currents)
        for duration in (self.psp_duration, self.pulse_duration, self.f_i_duration):
            count_steps(duration, self.resolution)


@dataclass(frozen=True)
class Characterisation:
    """The responses of a neuron.

    Attributes
    ----------
    model : str
        The model's name in NEST.
    parameters : dict of str to float
        All of its parameters.
    protocol : Protocol
    psp : pandas.DataFrame
        ``time_ms``, and for both synapses, ``exc`` and ``inh``, ``V_m_…_mV``.
    pulses : pandas.DataFrame
        One row per step and amplitude: ``amplitude_pA``, ``time_ms``, ``current_pA`` and the recorded potentials.
    spikes : dict of float to ndarray
        Spike times in ms for each amplitude.
    f_i : pandas.DataFrame
        ``current_pA`` and ``rate_per_s``.
    """

    model: str
    parameters: dict[str, float]
    protocol: Protocol
    psp: pd.DataFrame
    pulses: pd.DataFrame
    spikes: dict[float, Floats]
    f_i: pd.DataFrame


def characterise(
    model: str,
    parameters: Mapping[str, float] | None = None,
    *,
    protocol: Protocol | None = None,
) -> Characterisation:
    """Measure the responses of a neuron that NESTML's library shows.

    Parameters
    ----------
    model : str
        The model's name in NEST; this project's models are built and loaded.
    parameters : mapping of str to float, optional
        Parameters that differ from the model's defaults, by their names in NEST.
    protocol : Protocol, optional
        The stimuli.
    """
    protocol = protocol or Protocol()
    parameters = dict(parameters or {})
    psp = _psp(model, parameters, protocol)
    recorded = _all_parameters(model, parameters)
    currents = [
        pulses(
            protocol.pulse_duration, protocol.resolution, [protocol.pulse_onset], [protocol.pulse_width], [amplitude]
        )
        for amplitude in protocol.pulses
    ]
    responses = simulate(
        {model: [parameters] * len(currents)},
        [Stimulus(current) for current in currents],
        protocol.resolution,
        record={model: ["V_m", "V_th"]},
    ).recordings[model]
    tables = [
        pd.DataFrame(
            {
                "amplitude_pA": amplitude,
                "time_ms": np.arange(1, len(current) + 1) * protocol.resolution,
                "current_pA": current,
                **{f"{name}_mV": responses.traces[name][number] for name in ("V_m", "V_th")},
            }
        )
        for number, (amplitude, current) in enumerate(zip(protocol.pulses, currents, strict=True))
    ]
    constant = simulate(
        {model: [{**parameters, "I_e": current} for current in protocol.currents]},
        [Stimulus(np.zeros(count_steps(protocol.f_i_duration, protocol.resolution)))] * len(protocol.currents),
        protocol.resolution,
    ).recordings[model]
    half = protocol.f_i_duration / 2
    counts = [
        np.count_nonzero(constant.spike_times(number) > protocol.f_i_duration - half)
        for number in range(len(protocol.currents))
    ]
    f_i = pd.DataFrame({"current_pA": protocol.currents, "rate_per_s": np.array(counts) / (1e-3 * half)})
    spikes = {amplitude: responses.spike_times(number) for number, amplitude in enumerate(protocol.pulses)}
    return Characterisation(model, recorded, protocol, psp, pd.concat(tables, ignore_index=True), spikes, f_i)


def _psp(model: str, parameters: Mapping[str, float], protocol: Protocol) -> pd.DataFrame:
    """Simulate a neuron at rest with one spike at each synapse."""
    nest = reset_kernel(protocol.resolution, [model])
    neurons = nest.Create(model, 2, params=dict(parameters))
    generator = nest.Create("spike_generator", params={"spike_times": [protocol.spike_time - DELAY]})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": protocol.resolution})
    for neuron, sign in zip(neurons, (1.0, -1.0), strict=True):
        nest.Connect(generator, neuron, syn_spec={"weight": sign * protocol.weight, "delay": DELAY})
    nest.Connect(meter, neurons, syn_spec={"delay": DELAY})
    nest.Simulate(protocol.psp_duration + DELAY)
    events = pd.DataFrame(meter.events).pivot_table(index="times", columns="senders", values="V_m")
    events = events[events.index <= protocol.psp_duration].reset_index()
    events.columns = pd.Index(["time_ms", "V_m_exc_mV", "V_m_inh_mV"])
    return events


def _all_parameters(model: str, parameters: Mapping[str, float]) -> dict[str, float]:
    """Return all parameters of a neuron: NEST's defaults without recordables and without values common to all nodes."""
    import nest

    defaults = {**nest.GetDefaults(model), **parameters}
    other = {*defaults["recordables"], *nest.GetDefaults("parrot_neuron"), "t_spike", "post_trace"}
    # The prefixes of NEST's archiving of spikes, and of internal variables in NESTML's templates.
    prefixes = ("Ca", "beta_Ca", "tau_Ca", "tau_minus", "__", "ignore_and_")
    names = sorted(name for name in defaults if name not in other and not name.startswith(prefixes))
    return {name: float(defaults[name]) for name in names if isinstance(defaults[name], float)}


def plot_psp(measured: Characterisation) -> Figure:
    """Plot the postsynaptic potentials."""
    figure, axes = plt.subplots(figsize=(6.0, 3.6))
    for column, label, sign, style in (
        ("V_m_exc_mV", "excitatory", "", "-"),
        ("V_m_inh_mV", "inhibitory", "\N{MINUS SIGN}", "--"),
    ):
        axes.plot(
            measured.psp["time_ms"],
            measured.psp[column],
            style,
            color=plots.MODEL_COLOURS[measured.model],
            label=f"{label}, {sign}{measured.protocol.weight:g} pA",
        )
    axes.axvline(measured.protocol.spike_time, color=plots.REFERENCE_COLOUR, linewidth=0.8, linestyle=":")
    axes.set(xlabel="time (ms)", ylabel="membrane potential (mV)")
    axes.legend()
    return figure


def plot_pulses(measured: Characterisation) -> Figure:
    """Plot the responses to current pulses, one column per amplitude."""
    amplitudes = measured.protocol.pulses
    figure, panels = plt.subplots(
        2, len(amplitudes), figsize=(10.0, 4.0), sharex=True, sharey="row", height_ratios=[4, 1], squeeze=False
    )
    for (above, below), amplitude in zip(panels.T, amplitudes, strict=True):
        rows = measured.pulses[measured.pulses["amplitude_pA"] == amplitude]
        if "V_th_mV" in rows:
            above.plot(rows["time_ms"], rows["V_th_mV"], color=plots.THRESHOLD_COLOUR, linewidth=1.0, label="threshold")
        colour = plots.MODEL_COLOURS[measured.model]
        above.plot(rows["time_ms"], rows["V_m_mV"], color=colour, label="membrane potential")
        for spike in measured.spikes[amplitude]:
            above.axvline(spike, ymin=0.94, color="black", linewidth=1.2)
        above.set_title(f"{amplitude:g} pA".replace("-", "\N{MINUS SIGN}"))
        below.plot(rows["time_ms"], rows["current_pA"], color=plots.REFERENCE_COLOUR)
        below.set(xlabel="time (ms)")
    panels[0, 0].set(ylabel="potential (mV)")
    panels[1, 0].set(ylabel="current (pA)")
    panels[0, 0].legend(fontsize="small", loc="upper left")
    return figure


def plot_f_i_curve(measured: Characterisation) -> Figure:
    """Plot the f-I curve."""
    figure, axes = plt.subplots(figsize=(6.0, 3.6))
    colour = plots.MODEL_COLOURS[measured.model]
    axes.plot(measured.f_i["current_pA"], measured.f_i["rate_per_s"], color=colour, marker=".", markersize=4)
    axes.set(xlabel="constant current (pA)", ylabel="rate (spikes/s)", ylim=(0, None))
    return figure


#: The functions that plot the figures, by the name of the figure in NESTML's library.
FIGURES: Mapping[str, Callable[[Characterisation], Figure]] = {
    "psp": plot_psp,
    "current_pulse_response": plot_pulses,
    "fI_curve": plot_f_i_curve,
}


def write(measured: Characterisation, folder: str | Path) -> dict[str, Any]:
    """Write figures with the names of NESTML's library, and a record of parameters and stimuli.

    Parameters
    ----------
    measured : Characterisation
    folder : str or pathlib.Path

    Returns
    -------
    dict
        The record that is written to ``NAME_characterisation.json``, where NAME is the model's name in NESTML.
    """
    folder = Path(folder)
    shipped = toolchain.SHIPPED_MODELS.get(measured.model)
    name = shipped.source.stem if shipped else measured.model
    for kind, plot in FIGURES.items():
        figure = plot(measured)
        for ending in ("png", "svg"):
            plots.save(figure, folder / f"nestml_{kind}_[{name}].{ending}")
        plt.close(figure)
    record = {"model": name, "parameters": measured.parameters, "protocol": asdict(measured.protocol)}
    write_json(folder / f"{name}_characterisation.json", record)
    return record
