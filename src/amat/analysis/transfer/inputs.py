# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Inputs of the neurons: synapses with comparable weights, balanced inhibition, and modulation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats
from amat.checks import require_count, require_positive
from amat.errors import AmatError
from amat.neurons import AmatParameters, Neuron

__all__ = [
    "BALANCE",
    "EPSP",
    "InputKind",
    "ModulatedInput",
    "Synapses",
    "balanced_synapses",
    "frequency_grid",
    "require_frequencies",
]


#: The modulated input: the rate of the excitatory trains, a current added to them, or the rate of inhibitory trains.
InputKind = Literal["poisson", "current", "inhibition"]
#: Peak of one EPSP, and of one IPSP, in mV.
EPSP = 0.5
#: Mean inhibitory over mean excitatory drive.
BALANCE = 0.8
#: Minimal number of steps per cycle. With fewer, the input is no longer a sinusoid.
STEPS_PER_CYCLE = 4


@dataclass(frozen=True)
class Synapses:
    """Synapses through which Poisson trains act on a neuron.

    Attributes
    ----------
    weight_exc, weight_inh : float
        Weight of one spike, pA for AMAT and mV for Izhikevich's neuron.
    inhibition : float
        Rate of inhibitory spikes for each excitatory one.
    mean_exc : float
        Mean excitatory drive per excitatory spike/s, pA for AMAT and mV/ms for Izhikevich's neuron.
    balance : float
        Mean inhibitory over mean excitatory drive.
    """

    weight_exc: float
    weight_inh: float
    inhibition: float
    mean_exc: float
    balance: float


@dataclass(frozen=True)
class ModulatedInput:
    """Input to the neurons of one condition: Poisson trains, and the modulation of their rate or of a current.

    Attributes
    ----------
    rate : float
        Mean excitatory rate, spikes/s.
    balanced : float
        Excitatory rate that inhibition balances, spikes/s.
    frequency : float
        Of the modulation, Hz.
    depth : float
        Of the modulation, relative to the mean excitatory drive.
    kind : {"poisson", "current", "inhibition"}
        The modulated quantity. Inhibition decreases where the modulation is positive, so that the neuron's rate rises.
    course : ndarray, shape (ms,), optional
        Relative modulation in each ms, in place of a sinusoid, of the trains' rate; not for currents.
    """

    rate: float
    balanced: float
    frequency: float = 0.0
    depth: float = 0.0
    kind: InputKind = "poisson"
    course: Floats | None = None


def balanced_synapses(neuron: Neuron, *, balance: float = BALANCE, epsp: float = EPSP) -> Synapses:
    """Return the weights by which one spike has a given peak of the membrane potential, and the mean drive.

    Parameters
    ----------
    neuron : Neuron
    balance : float
        Mean inhibitory over mean excitatory drive, 0 to less than 1.
    epsp : float
        Peak of one EPSP and of one IPSP, mV. For Izhikevich's neuron it is the step of the potential.

    Raises
    ------
    AmatError
        If a value is out of its range.
    """
    if not 0 <= balance < 1:
        raise AmatError(f"The balance must be at least 0 (no inhibition) and less than 1, got {balance:g}.")
    require_positive("The peak of an EPSP", epsp, "mV")
    cell = neuron.parameters
    if not isinstance(cell, AmatParameters):
        return Synapses(epsp, -epsp, balance, 1e-3 * epsp, balance)
    exc, inh = (epsp / _peak(tau_syn, cell.tau_m, cell.C_m) for tau_syn in (cell.tau_syn_exc, cell.tau_syn_inh))
    charge = exc * cell.tau_syn_exc / (inh * cell.tau_syn_inh)
    return Synapses(exc, -inh, balance * charge, 1e-3 * exc * cell.tau_syn_exc, balance)


def _peak(tau_syn: float, tau_m: float, C_m: float) -> float:
    """Return the peak of the potential in mV after an exponential current of 1 pA, tau_syn != tau_m."""
    time = math.log(tau_m / tau_syn) * tau_m * tau_syn / (tau_m - tau_syn)
    return tau_m * tau_syn / (tau_m - tau_syn) / C_m * (math.exp(-time / tau_m) - math.exp(-time / tau_syn))


def frequency_grid(lowest: float, highest: float, count: int, *, window: float = 2000.0) -> Floats:
    """Return frequencies in Hz, nearly equally spaced in their logarithm, that have whole cycles in a window.

    Parameters
    ----------
    lowest, highest : float
        In Hz.
    count : int
        Two or more; frequencies near the lowest may coincide, and are then fewer.
    window : float
        In ms.

    Raises
    ------
    AmatError
        If the range is empty or reversed, or a cycle is longer than the window.
    """
    if not 0 < lowest < highest < math.inf:
        raise AmatError(
            f"The lowest frequency must be positive and below the highest, got {lowest:g} and {highest:g} Hz."
        )
    require_count("frequencies", count)
    if lowest * window < 1e3 * (1 - 1e-9):
        raise AmatError(
            f"The lowest frequency must be at least {1e3 / window:g} Hz, so that a cycle fits into the window of "
            f"{window:g} ms, got {lowest:g} Hz."
        )
    return np.unique(np.rint(np.geomspace(lowest, highest, count) * 1e-3 * window)) / (1e-3 * window)


def require_frequencies(frequencies: ArrayLike, neurons: Sequence[Neuron], window: float) -> Floats:
    """Return frequencies as an array, if windows hold whole cycles of them and time steps resolve them.

    Raises
    ------
    AmatError
        If there is none, or one has no whole cycles in the window, or less than four steps per cycle.
    """
    values = np.asarray(frequencies, dtype=np.float64)
    if not len(values):
        raise AmatError("No frequency is given: give at least one, for example those of frequency_grid.")
    cycles = values * 1e-3 * window
    for value, number in zip(values.tolist(), cycles.tolist(), strict=True):
        if not (number > 0.5 and abs(number - round(number)) < 1e-6):
            raise AmatError(
                f"Frequencies must be multiples of {1e3 / window:g} Hz, so that the window of {window:g} ms has whole "
                f"cycles, got {value:g} Hz."
            )
    for neuron in neurons:
        limit = 1e3 / (STEPS_PER_CYCLE * neuron.resolution)
        if values.max() > limit * (1 + 1e-9):
            raise AmatError(
                f"{values.max():g} Hz is above {limit:g} Hz, the limit of {neuron.pattern} of {neuron.model} with its "
                f"time step of {neuron.resolution:g} ms: choose lower frequencies."
            )
    return values
