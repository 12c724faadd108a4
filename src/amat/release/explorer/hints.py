# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A change to try in each firing pattern, which ends the pattern or brings out its mechanism."""

from collections.abc import Mapping
from dataclasses import dataclass

from amat.neurons import ModelName

__all__ = ["HINTS", "Hint"]


@dataclass(frozen=True)
class Hint:
    """A change of one number that the explorer offers for a pattern.

    Attributes
    ----------
    model : {"amat", "izhikevich"}
    name : str
        A parameter, or ``"amplitude"``, the factor of the pattern's current.
    value : float
        The value to try. With it the neuron no longer meets the criterion.
    text : str
        The change, and its effect.
    """

    model: ModelName
    name: str
    value: float
    text: str


#: By pattern.
HINTS: Mapping[str, Hint] = {
    "tonic_spiking": Hint(
        "amat",
        "alpha_2",
        -0.5,
        "Set alpha_2 to −0.5 mV: each spike now lowers the threshold for 200 ms, and the intervals become shorter.",
    ),
    "phasic_spiking": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: no spike is left. A negative beta lowers the threshold only while the potential rises.",
    ),
    "tonic_bursting": Hint(
        "amat",
        "alpha_2",
        0.0,
        "Set alpha_2 to 0: the first burst never ends. Each spike lowers the threshold briefly by "
        "alpha_1, and raises it for long by alpha_2.",
    ),
    "phasic_bursting": Hint(
        "amat",
        "alpha_2",
        0.0,
        "Set alpha_2 to 0: the burst never ends, because no spike raises the threshold for long.",
    ),
    "mixed_mode": Hint(
        "izhikevich",
        "d",
        2.0,
        "Set Izhikevich's d to 2: the bursts go on, because a spike raises u by half as much.",
    ),
    "spike_frequency_adaptation": Hint(
        "amat",
        "alpha_2",
        0.0,
        "Set alpha_2 to 0: hardly any adaptation is left. The slow threshold sums over spikes.",
    ),
    "class_1": Hint(
        "amat",
        "alpha_1",
        -5.0,
        "Set alpha_1 to −5 mV: the neuron fires at its highest rate from the first spike on, because a spike lowers "
        "the threshold.",
    ),
    "class_2": Hint(
        "amat",
        "alpha_2",
        3.0,
        "Set alpha_2 to 3 mV, as in class 1: two spikes far apart are left; each raises the threshold for long.",
    ),
    "spike_latency": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: the pulse elicits no spike. With a negative beta the threshold falls "
        "after the pulse, and meets the potential late.",
    ),
    "subthreshold_oscillations": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: the overshoot is gone. With a positive beta the threshold follows the potential with a delay.",
    ),
    "resonator": Hint(
        "amat",
        "beta",
        0.25,
        "Set beta to 0.25: both pairs of pulses fire, because the threshold rises less after the "
        "first pulse of a pair.",
    ),
    "integrator": Hint(
        "amat",
        "tau_m",
        6.3,
        "Set tau_m to 6.3 ms: pulses 15 ms apart fire too, because the potential decays more slowly between them.",
    ),
    "rebound_spiking": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: no rebound is left. A negative beta lowers the threshold as the potential "
        "returns after the inhibition.",
    ),
    "rebound_bursting": Hint(
        "amat",
        "tau_v",
        2.5,
        "Set tau_v to 2.5 ms: a single spike is left, because the threshold is lowered more briefly.",
    ),
    "threshold_variability": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: the inhibition has no effect. A negative beta lowers the threshold as the "
        "potential returns from the inhibition.",
    ),
    "bistability": Hint(
        "amat",
        "alpha_2",
        0.0,
        "Set alpha_2 to 0: the first pulse elicits one spike only. A negative alpha_2 lowers the "
        "threshold after each spike, which sustains the train.",
    ),
    "depolarizing_after_potential": Hint(
        "amat",
        "alpha_2",
        0.0,
        "Set alpha_2 to 0: the effect is gone. A negative alpha_2 lowers the threshold after the "
        "spike, once alpha_1 has decayed.",
    ),
    "accommodation": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: the fast ramp elicits no spike either. A negative beta lowers the "
        "threshold more, the faster the potential rises.",
    ),
    "inhibition_induced_spiking": Hint(
        "amat",
        "beta",
        0.0,
        "Set beta to 0: the inhibition elicits no spike. A positive beta lowers the threshold as the potential falls.",
    ),
    "inhibition_induced_bursting": Hint(
        "izhikevich",
        "c",
        -56.0,
        "Set Izhikevich's c to −56 mV: single spikes are among the bursts, because the reset is lower.",
    ),
}
