# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What is driven into the neurons: weights of comparable spikes, balanced inhibition, and frequencies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from amat.analysis.patterns import Trial, find_trial
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = [
    "BALANCE",
    "EPSP",
    "Drive",
    "InputKind",
    "Source",
    "drive_of",
    "frequency_grid",
    "require_frequencies",
    "select_trials",
]


#: What is modulated: the rate of the excitatory trains, or a current on top of them.
InputKind = Literal["poisson", "current"]
#: Peak of one EPSP, and of one IPSP, in mV.
EPSP = 0.5
#: Mean inhibitory over mean excitatory drive.
BALANCE = 0.8
#: Steps that a cycle has at least. With fewer, the input's course within a cycle is no longer a sinusoid.
STEPS_A_CYCLE = 4


@dataclass(frozen=True)
class Drive:
    """How Poisson trains act on a neuron.

    Attributes
    ----------
    weight_exc, weight_inh : float
        Of one spike, pA for AMAT and mV for Izhikevich's neuron.
    inhibition : float
        Rate of inhibitory spikes for each excitatory one.
    mean_exc : float
        Mean excitatory drive per excitatory spike/s, pA for AMAT and mV/ms for Izhikevich's neuron.
    holding : float
        Constant current, pA or mV/ms.
    """

    weight_exc: float
    weight_inh: float
    inhibition: float
    mean_exc: float
    holding: float


@dataclass(frozen=True)
class Source:
    """The input to the neurons of one condition: mean excitatory rate in spikes/s, and what modulates it.

    Inhibition is that which balances `balanced` excitatory spikes/s. A course has the excitatory rate of each ms.
    """

    rate: float
    balanced: float
    frequency: float = 0.0
    depth: float = 0.0
    kind: InputKind = "poisson"
    course: Floats | None = None


def select_trials(model: str, patterns: Sequence[str]) -> list[Trial]:
    """Return the neurons of a model that show the given patterns.

    Raises
    ------
    AmatError
        If there is no pattern, or an unknown one, or no such model.
    """
    if not patterns:
        raise AmatError("No pattern: name one at least, as tonic_spiking.")
    return [find_trial(pattern, model) for pattern in patterns]  # type: ignore[arg-type]


def drive_of(trial: Trial, *, balance: float = BALANCE, epsp: float = EPSP) -> Drive:
    """Return the weights by which one spike has a given peak of the membrane potential, and the mean drive.

    Parameters
    ----------
    trial : Trial
        The neuron; its current at time zero is the holding current.
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
        raise AmatError(f"A balance of {balance:g}: choose 0 (no inhibition) or more, and less than 1.")
    if not 0 < epsp < math.inf:
        raise AmatError(f"An EPSP of {epsp:g} mV: choose a positive peak.")
    holding = float(np.asarray(trial.current([0.0]))[0])
    if trial.model == "izhikevich":
        return Drive(epsp, -epsp, balance, 1e-3 * epsp, holding)
    cell = trial.parameters
    exc, inh = (epsp / _peak(cell[name], cell["tau_m"], cell["C_m"]) for name in ("tau_syn_exc", "tau_syn_inh"))
    charge = exc * cell["tau_syn_exc"] / (inh * cell["tau_syn_inh"])
    return Drive(exc, -inh, balance * charge, 1e-3 * exc * cell["tau_syn_exc"], holding)


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
        Two or more; close to the lowest some may coincide, and are left out.
    window : float
        In ms.

    Raises
    ------
    AmatError
        If the range is empty or reversed, or a cycle is longer than the window.
    """
    if not 0 < lowest < highest < math.inf:
        raise AmatError(f"Frequencies from {lowest:g} to {highest:g} Hz: give the smaller one first, both positive.")
    if count < 2:
        raise AmatError(f"{count} frequencies: choose 2 at least.")
    if lowest * window < 1e3 * (1 - 1e-9):
        raise AmatError(
            f"A cycle of {lowest:g} Hz is longer than the window of {window:g} ms: choose {1e3 / window:g} Hz or more, "
            "or a longer window."
        )
    return np.unique(np.rint(np.geomspace(lowest, highest, count) * 1e-3 * window)) / (1e-3 * window)


def require_frequencies(frequencies: ArrayLike, trials: Sequence[Trial], window: float) -> Floats:
    """Return frequencies as an array, if windows hold whole cycles of them and time steps resolve them.

    Raises
    ------
    AmatError
        If there is none, or one does not fit into the window, or it has less than four steps a cycle.
    """
    values = np.asarray(frequencies, dtype=np.float64)
    if not len(values):
        raise AmatError("No frequency: give one at least, for example those of frequency_grid.")
    cycles = values * 1e-3 * window
    for value, number in zip(values.tolist(), cycles.tolist(), strict=True):
        if not (number > 0.5 and abs(number - round(number)) < 1e-6):
            raise AmatError(
                f"{value:g} Hz has no whole cycles in a window of {window:g} ms: choose a multiple of {1e3 / window:g} "
                "Hz, or another window."
            )
    for trial in trials:
        limit = 1e3 / (STEPS_A_CYCLE * trial.resolution)
        if values.max() > limit * (1 + 1e-9):
            raise AmatError(
                f"{values.max():g} Hz is above {limit:g} Hz, the limit of {trial.pattern} of {trial.model} with its "
                f"time step of {trial.resolution:g} ms: choose lower frequencies."
            )
    return values
