# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Synthetic recordings of AMAT neurons with escape noise."""

from dataclasses import dataclass

import numpy as np

from amat.analysis.fitting.convert import to_coefficients
from amat.analysis.fitting.features import filter_current
from amat.analysis.fitting.free_run import drive_of, escape_levels, free_run
from amat.analysis.fitting.recording import NeuronRecording
from amat.arrays import Floats
from amat.neurons import AmatParameters
from amat.simulation.reference import refractory_steps
from amat.simulation.waveforms import sample_noise

__all__ = ["EXAMPLE", "SyntheticNeuron", "example_recording", "sample_recording", "sample_spikes"]


@dataclass(frozen=True)
class SyntheticNeuron:
    """An AMAT neuron with escape noise.

    Attributes
    ----------
    parameters : AmatParameters
        `omega` is the threshold above rest at which the escape rate is 1 per ms.
    Delta : float
        Noise in mV: the escape rate grows by a factor of e over this distance to the threshold.
    """

    parameters: AmatParameters
    Delta: float


#: The neuron of the example.
EXAMPLE = SyntheticNeuron(
    AmatParameters(
        tau_m=15.0, C_m=150.0, refr_T=2.0, E_L=-68.0, alpha_1=12.0, alpha_2=1.5, beta=0.12, tau_v=6.0, omega=14.0
    ),
    Delta=0.6,
)


def sample_spikes(
    neuron: SyntheticNeuron, current: Floats, dt: float, repeats: int, random: np.random.Generator
) -> list[Floats]:
    """Return spike times in ms of repeats of one current, with the escape rate's probability in each step.

    Parameters
    ----------
    neuron : SyntheticNeuron
    current : ndarray, shape (steps,)
        In pA.
    dt : float
        Time step in ms.
    repeats : int
    random : numpy.random.Generator

    Returns
    -------
    list of ndarray, shape (spikes,)
    """
    kind, coefficients, taus = to_coefficients(neuron.parameters, neuron.Delta)
    drive = drive_of(kind, coefficients, taus, current, dt)
    dead = refractory_steps(neuron.parameters.refr_T, dt)
    trains = []
    for _ in range(repeats):
        levels = escape_levels(len(current), dt, random)
        trains.append(np.round((free_run(kind, coefficients, taus, drive, dt, dead, levels) + 1) * dt, 9))
    return trains


def sample_recording(
    neuron: SyntheticNeuron,
    *,
    duration: float = 20_000.0,
    dt: float = 0.2,
    repeats: int = 5,
    mean: float = 70.0,
    sd: float = 220.0,
    tau: float = 3.0,
    noise: float = 0.5,
    series_resistance: float = 10.0,
    seed: int = 1,
) -> NeuronRecording:
    """Return a recording of repeats of a noise current (an Ornstein-Uhlenbeck process), with membrane potential.

    Parameters
    ----------
    neuron : SyntheticNeuron
    duration, dt : float
        In ms.
    repeats : int
    mean, sd, tau : float
        Mean and standard deviation in pA, and correlation time in ms, of the current.
    noise : float
        Standard deviation of the measurement noise of the membrane potential in mV.
    series_resistance : float
        Of the electrode in MOhm.
    seed : int

    Returns
    -------
    NeuronRecording
    """
    steps = round(duration / dt)
    current = sample_noise(steps, dt, mean, sd, tau, seed)
    random = np.random.default_rng([seed, 2])
    spikes = sample_spikes(neuron, current, dt, repeats, random)
    p = neuron.parameters
    membrane = np.concatenate([[0.0], filter_current(current, dt, p.tau_m, None)[0][:-1]])
    voltage = p.E_L + p.tau_m / p.C_m * membrane + 1e-3 * series_resistance * current
    return NeuronRecording(
        current, spikes, dt, voltage=voltage + noise * random.standard_normal(steps), name="the synthetic recording"
    )


def example_recording(seed: int = 1) -> NeuronRecording:
    """Return the example: five repeats of 20 s of the neuron `EXAMPLE`."""
    return sample_recording(EXAMPLE, seed=seed)
