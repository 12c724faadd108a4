# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What NESTML's library shows of every neuron: postsynaptic potentials, answers to a current pulse, the f-I curve.

The three are what the pages of NESTML's models library [1]_ are made of, and figures have the names that these give
them. Unlike there, the parameters and stimuli are recorded beside the figures.

References
----------
.. [1] https://nestml.readthedocs.io/en/latest/models_library/index.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from amat import toolchain
from amat.arrays import Floats
from amat.compendium import plots
from amat.errors import AmatError
from amat.simulation.kernel import DELAY, reset_kernel
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, count_steps, pulses

__all__ = ["Characterisation", "Protocol", "characterise", "draw_f_i_curve", "draw_psp", "draw_pulses", "write"]


@dataclass(frozen=True)
class Protocol:
    """The stimuli.

    Attributes
    ----------
    weight : float
        Of the spike that arrives at each synapse, the inhibitory one with the other sign, pA.
    spike_time : float
        When it arrives, ms.
    psp_duration : float
        How long the postsynaptic potentials are simulated, from time zero, ms.
    pulses : tuple of float
        Amplitudes of the current pulses, pA.
    pulse_onset, pulse_width, pulse_duration : float
        Start and width of the pulses, and how long is simulated, ms.
    currents : tuple of float
        Constant currents of the f-I curve, pA; in ascending order.
    f_i_duration : float
        How long each of them lasts, ms; spikes in the second half are counted.
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
        """Refuse stimuli that cannot be delivered or measured."""
        if not self.weight > 0:
            raise AmatError(f"A weight of {self.weight:g} pA: it must be positive; the inhibitory one gets the sign.")
        if not self.pulses:
            raise AmatError("No pulses: name at least one amplitude in pA.")
        if len(self.currents) < 2 or (np.diff(self.currents) <= 0).any():
            raise AmatError(f"Currents {self.currents}: give at least two, in ascending order, in pA.")
        for duration in (self.psp_duration, self.pulse_duration, self.f_i_duration):
            count_steps(duration, self.resolution)


@dataclass(frozen=True)
class Characterisation:
    """What a neuron did.

    Attributes
    ----------
    model : str
        Its name in NEST.
    parameters : dict of str to float
        All of its parameters.
    protocol : Protocol
    psp : pandas.DataFrame
        ``time_ms``, and for both synapses, ``exc`` and ``inh``, ``V_m_…_mV``.
    pulses : pandas.DataFrame
        One row a step and amplitude: ``amplitude_pA``, ``time_ms``, ``current_pA`` and the recorded potentials.
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
    potentials: Sequence[str] = ("V_m", "V_th"),
) -> Characterisation:
    """Measure what NESTML's library shows of a neuron.

    Parameters
    ----------
    model : str
        Its name in NEST; one of this project's models is built and loaded.
    parameters : mapping of str to float, optional
        By NEST's names, where they differ from the model's defaults.
    protocol : Protocol, optional
        The stimuli.
    potentials : sequence of str
        What to record during the pulses, in mV.
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
    answers = simulate(
        {model: [parameters] * len(currents)},
        [Stimulus(current) for current in currents],
        protocol.resolution,
        record={model: list(potentials)},
    ).recordings[model]
    tables = [
        pd.DataFrame(
            {
                "amplitude_pA": amplitude,
                "time_ms": np.arange(1, len(current) + 1) * protocol.resolution,
                "current_pA": current,
                **{f"{name}_mV": answers.traces[name][number] for name in potentials},
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
    spikes = {amplitude: answers.spike_times(number) for number, amplitude in enumerate(protocol.pulses)}
    return Characterisation(model, recorded, protocol, psp, pd.concat(tables, ignore_index=True), spikes, f_i)


def _psp(model: str, parameters: Mapping[str, float], protocol: Protocol) -> pd.DataFrame:
    """Let one spike arrive at each synapse of a neuron at rest."""
    nest = reset_kernel(protocol.resolution)
    if model in toolchain.MODELS:
        toolchain.install(model)
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
    """Return all parameters of a neuron: what NEST's defaults have, without what is recorded or not the model's own."""
    import nest

    defaults = {**nest.GetDefaults(model), **parameters}
    other = {*defaults["recordables"], *nest.GetDefaults("parrot_neuron"), "t_spike", "post_trace"}
    # The prefixes are those of NEST's archiving of spikes, and of internals of NESTML's templates.
    prefixes = ("Ca", "beta_Ca", "tau_Ca", "tau_minus", "__", "ignore_and_")
    names = sorted(name for name in defaults if name not in other and not name.startswith(prefixes))
    return {name: float(defaults[name]) for name in names if isinstance(defaults[name], float)}


def draw_psp(measured: Characterisation) -> Figure:
    """Draw the postsynaptic potentials."""
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


def draw_pulses(measured: Characterisation) -> Figure:
    """Draw the answers to current pulses, one column an amplitude."""
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


def draw_f_i_curve(measured: Characterisation) -> Figure:
    """Draw the f-I curve."""
    figure, axes = plt.subplots(figsize=(6.0, 3.6))
    colour = plots.MODEL_COLOURS[measured.model]
    axes.plot(measured.f_i["current_pA"], measured.f_i["rate_per_s"], color=colour, marker=".", markersize=4)
    axes.set(xlabel="constant current (pA)", ylabel="rate (spikes/s)", ylim=(0, None))
    return figure


def write(measured: Characterisation, folder: str | Path) -> dict[str, Any]:
    """Write figures under the names of NESTML's library, and a record of parameters and stimuli.

    Parameters
    ----------
    measured : Characterisation
    folder : str or pathlib.Path

    Returns
    -------
    dict
        The record, which is in ``NAME_characterisation.json``; NAME is the model's in NESTML.
    """
    from amat.files import write_json

    folder = Path(folder)
    name = toolchain.MODELS[measured.model].source.stem if measured.model in toolchain.MODELS else measured.model
    figures = {
        f"nestml_psp_[{name}]": draw_psp,
        f"nestml_current_pulse_response_[{name}]": draw_pulses,
        f"nestml_fI_curve_[{name}]": draw_f_i_curve,
    }
    for stem, draw in figures.items():
        figure = draw(measured)
        for ending in ("png", "svg"):
            plots.save(figure, folder / f"{stem}.{ending}")
        plt.close(figure)
    record = {"model": name, "parameters": measured.parameters, "protocol": asdict(measured.protocol)}
    write_json(folder / f"{name}_characterisation.json", record)
    return record
