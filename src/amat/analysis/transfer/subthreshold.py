# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT's distance from threshold under a sinusoidal current: simulated, and exact."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.transfer.inputs import require_frequencies
from amat.analysis.transfer.runs import WARM_UP, lag_of
from amat.arrays import Complexes
from amat.errors import AmatError
from amat.neurons import AmatParameters, Neuron
from amat.simulation.kernel import DELAY, NEST_MODELS, create_neurons, record_spikes, reset_kernel

__all__ = [
    "distance_gain",
    "subthreshold_responses",
]


def distance_gain(parameters: AmatParameters, frequencies: ArrayLike) -> Complexes:
    """Return the exact gain of AMAT's distance from the threshold for a sinusoidal current, without spikes.

    ``R / (1 + s tau_m) (1 - beta s / (s + 1 / tau_v)^2)`` with ``s = 2 pi i f``; see `amat.analysis.explore.resonance`.

    Parameters
    ----------
    parameters : AmatParameters
    frequencies : array_like
        In Hz.

    Returns
    -------
    ndarray of complex
        In mV/pA.
    """
    s = 2e-3j * np.pi * np.asarray(frequencies, dtype=np.float64)
    tau_m, tau_v = parameters.tau_m, parameters.tau_v
    membrane = tau_m / parameters.C_m / (1.0 + s * tau_m)
    return np.asarray(membrane * (1.0 - parameters.beta * s / (s + 1.0 / tau_v) ** 2), dtype=np.complex128)


def subthreshold_responses(
    neurons: Sequence[Neuron], frequencies: ArrayLike, *, amplitude: float = 1.0, window: float = 2000.0
) -> pd.DataFrame:
    """Measure the gain of `distance_gain` on NEST with weak currents.

    A generator's current is constant within a step, which reduces the fundamental by a factor ``sinc(f h)`` and delays
    it by half a step. Both are corrected for, as is the delay of the connection.

    Parameters
    ----------
    neurons : sequence of Neuron
        AMAT neurons of one time step.
    frequencies : array_like
        In Hz; multiples of the inverse window.
    amplitude : float
        Of the current, pA: too small for a spike.
    window : float
        ms, of the measurement.

    Returns
    -------
    pandas.DataFrame
        One row per neuron and frequency: model, pattern, frequency_Hz, gain and phase_deg (simulated), exact_gain and
        exact_phase_deg, gain in mV/pA.

    Raises
    ------
    AmatError
        If a neuron is not AMAT's or fires, or a frequency is out of range.
    """
    cells = [neuron.parameters for neuron in neurons if isinstance(neuron.parameters, AmatParameters)]
    if not cells or len(cells) < len(neurons) or len({neuron.resolution for neuron in neurons}) > 1:
        raise AmatError("The exact gain is that of AMAT: give AMAT neurons of one time step.")
    values = require_frequencies(frequencies, neurons, window)
    resolution = neurons[0].resolution
    model = NEST_MODELS["amat"]
    nest = reset_kernel(resolution, [model])
    nodes = create_neurons(nest, model, [cell.to_nestml() for cell in cells for _ in values])
    for number, frequency in enumerate(values.tolist()):
        wave = nest.Create("ac_generator", params={"amplitude": amplitude, "frequency": frequency, "phase": 90.0})
        nest.Connect(wave, nodes[number :: len(values)], syn_spec={"delay": DELAY})
    spikes = record_spikes(nest, nodes)
    nest.Simulate(WARM_UP)
    meter = nest.Create("multimeter", params={"record_from": ["V_m", "V_th"], "interval": resolution})
    nest.Connect(meter, nodes, syn_spec={"delay": DELAY})
    nest.Simulate(window + 2 * DELAY)
    if spikes.n_events:
        raise AmatError(f"The current must not elicit spikes: choose a smaller amplitude than {amplitude:g} pA.")
    events = meter.events
    place, times = np.asarray(events["senders"]) - nodes[0].global_id, np.asarray(events["times"])
    inside = (times > WARM_UP + DELAY + 1e-6) & (times < WARM_UP + DELAY + window + 1e-6)
    place, times = place[inside], times[inside]
    distance = (np.asarray(events["V_m"]) - np.asarray(events["V_th"]))[inside]
    frequency_of = np.tile(values, len(cells))
    wave = distance * np.exp(-2e-3j * np.pi * frequency_of[place] * (times - lag_of("current", resolution)))
    sums = [np.bincount(place, weights=part, minlength=len(frequency_of)) for part in (wave.real, wave.imag)]
    found = 2 * resolution / window / amplitude * (sums[0] + 1j * sums[1])
    found /= np.sinc(1e-3 * frequency_of * resolution)
    exact = np.concatenate([distance_gain(cell, values) for cell in cells])
    return pd.DataFrame(
        {
            "model": "amat",
            "pattern": [neuron.pattern for neuron in neurons for _ in values],
            "frequency_Hz": frequency_of,
            "gain": np.abs(found),
            "phase_deg": np.angle(found, deg=True),
            "exact_gain": np.abs(exact),
            "exact_phase_deg": np.angle(exact, deg=True),
        }
    )
