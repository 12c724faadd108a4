# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT's distance from threshold under a sinusoidal current: simulated, and exact."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from amat import toolchain
from amat.analysis.patterns import MODELS, Trial
from amat.analysis.transfer.drives import require_frequencies
from amat.analysis.transfer.runs import WARM_UP, lag_of
from amat.errors import AmatError
from amat.simulation.run import DELAY, fresh_kernel

__all__ = [
    "distance_gain",
    "subthreshold_responses",
]

Complexes = NDArray[np.complex128]


def distance_gain(parameters: Mapping[str, float], frequencies: ArrayLike) -> Complexes:
    """Return how AMAT's distance from the threshold, without spikes, follows a sinusoidal current: exact.

    ``R / (1 + s tau_m) (1 - beta s / (s + 1 / tau_v)^2)`` with ``s = 2 pi i f``; see `amat.analysis.explore.resonance`.

    Parameters
    ----------
    parameters : mapping of str to float
        By NESTML's names.
    frequencies : array_like
        In Hz.

    Returns
    -------
    ndarray of complex
        In mV/pA.
    """
    s = 2e-3j * np.pi * np.asarray(frequencies, dtype=np.float64)
    tau_m, tau_v = parameters["tau_m"], parameters["tau_v"]
    membrane = tau_m / parameters["C_m"] / (1.0 + s * tau_m)
    return np.asarray(membrane * (1.0 - parameters["beta"] * s / (s + 1.0 / tau_v) ** 2), dtype=np.complex128)


def subthreshold_responses(
    trials: Sequence[Trial], frequencies: ArrayLike, *, amplitude: float = 1.0, window: float = 2000.0
) -> pd.DataFrame:
    """Measure what `distance_gain` says, on NEST: weak currents, and the recorded distance from threshold.

    A generator's current is constant within a step. For the fundamental this is a factor ``sinc(f h)`` and a delay of
    half a step, both of which are taken off, as is the delay of the connection.

    Parameters
    ----------
    trials : sequence of Trial
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
        One row a neuron and frequency: model, pattern, frequency_Hz, gain and phase_deg (simulated), exact_gain and
        exact_phase_deg, gain in mV/pA.

    Raises
    ------
    AmatError
        If a neuron is not AMAT's or fires, or a frequency is out of range.
    """
    if {(trial.model, trial.resolution) for trial in trials} != {("amat", trials[0].resolution if trials else 0.0)}:
        raise AmatError("The exact gain is that of AMAT: give AMAT neurons of one time step.")
    values = require_frequencies(frequencies, trials, window)
    resolution = trials[0].resolution
    name = MODELS["amat"]
    nest = fresh_kernel(resolution)
    toolchain.install(name)
    neurons = nest.Create(name, len(trials) * len(values))
    neurons.set([dict(trial.parameters) for trial in trials for _ in values])
    for number, frequency in enumerate(values.tolist()):
        wave = nest.Create("ac_generator", params={"amplitude": amplitude, "frequency": frequency, "phase": 90.0})
        nest.Connect(wave, neurons[number :: len(values)], syn_spec={"delay": DELAY})
    spikes = nest.Create("spike_recorder")
    nest.Connect(neurons, spikes)
    nest.Simulate(WARM_UP)
    meter = nest.Create("multimeter", params={"record_from": ["V_m", "V_th"], "interval": resolution})
    nest.Connect(meter, neurons, syn_spec={"delay": DELAY})
    nest.Simulate(window + 2 * DELAY)
    if spikes.n_events:
        raise AmatError(f"A current of {amplitude:g} pA elicits spikes: choose a smaller one.")
    events = meter.events
    place, times = np.asarray(events["senders"]) - neurons[0].global_id, np.asarray(events["times"])
    inside = (times > WARM_UP + DELAY + 1e-6) & (times < WARM_UP + DELAY + window + 1e-6)
    place, times = place[inside], times[inside]
    distance = (np.asarray(events["V_m"]) - np.asarray(events["V_th"]))[inside]
    frequency_of = np.tile(values, len(trials))
    wave = distance * np.exp(-2e-3j * np.pi * frequency_of[place] * (times - lag_of("current", resolution)))
    sums = [np.bincount(place, weights=part, minlength=len(frequency_of)) for part in (wave.real, wave.imag)]
    found = 2 * resolution / window / amplitude * (sums[0] + 1j * sums[1])
    found /= np.sinc(1e-3 * frequency_of * resolution)
    exact = np.concatenate([distance_gain(trial.parameters, values) for trial in trials])
    return pd.DataFrame(
        {
            "model": "amat",
            "pattern": [trial.pattern for trial in trials for _ in values],
            "frequency_Hz": frequency_of,
            "gain": np.abs(found),
            "phase_deg": np.angle(found, deg=True),
            "exact_gain": np.abs(exact),
            "exact_phase_deg": np.angle(exact, deg=True),
        }
    )
