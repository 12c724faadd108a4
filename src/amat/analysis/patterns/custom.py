# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Trials with any parameters under any current."""

import dataclasses
from collections.abc import Mapping

from amat.analysis.patterns.trials import Trial
from amat.arrays import Floats
from amat.neurons.amat import AmatParameters
from amat.neurons.currents import InputCurrent
from amat.neurons.izhikevich import IzhikevichParameters
from amat.neurons.neuron import ModelName, Neuron

__all__ = ["make_trial", "set_parameters"]

#: Initial membrane potential of Izhikevich's neuron in mV: rest with the default parameters.
_IZHIKEVICH_REST = -70.0


def make_trial(model: ModelName, current: InputCurrent | Floats, duration: float, resolution: float = 0.1) -> Trial:
    """Return a trial of a neuron with default parameters.

    Parameters
    ----------
    model : {"amat", "izhikevich"}
    current : InputCurrent or ndarray, shape (steps,)
        In pA; in mV/ms for Izhikevich's neuron.
    duration, resolution : float
        In ms.
    """
    parameters = AmatParameters() if model == "amat" else IzhikevichParameters()
    return set_parameters(Trial(Neuron(parameters, {}, resolution), current, duration), {})


def set_parameters(trial: Trial, values: Mapping[str, float]) -> Trial:
    """Return a trial whose neuron has other parameters.

    AMAT starts at rest. Izhikevich's neuron starts from the initial state of its pattern; without a pattern it starts
    at -70 mV with ``U_m = b V_m``. The constant current `I_e` becomes part of the trial's current, so that it acts from
    time zero on like all other currents.

    Parameters
    ----------
    trial : Trial
    values : mapping of str to float
        New values by NESTML's names.

    Raises
    ------
    ParameterError
        If a name is unknown, a value is invalid, or the time step does not fit the parameters.
    """
    parameters = trial.neuron.parameters.replace(**values)
    parameters.validate(trial.neuron.resolution)
    current: InputCurrent | Floats = trial.current
    if isinstance(current, InputCurrent):
        current = dataclasses.replace(current, baseline=current.baseline + parameters.I_e)
    else:
        current = current + parameters.I_e
    if isinstance(parameters, AmatParameters):
        initial = {"V_m": parameters.E_L}
    elif trial.neuron.pattern:
        initial = dict(trial.neuron.initial)
    else:
        initial = {"V_m": _IZHIKEVICH_REST, "U_m": parameters.b * _IZHIKEVICH_REST}
    neuron = dataclasses.replace(trial.neuron, parameters=parameters.replace(I_e=0.0), initial=initial)
    return Trial(neuron, current, trial.duration)
