# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A neuron of either model: its parameters, initial state and time step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from amat.neurons.amat import AmatParameters
from amat.neurons.izhikevich import IzhikevichParameters

__all__ = ["CURRENT_UNITS", "NEURON_MODELS", "ModelName", "Neuron"]

ModelName = Literal["amat", "izhikevich"]

#: The neuron models.
NEURON_MODELS: tuple[ModelName, ...] = get_args(ModelName)

#: Units of currents.
CURRENT_UNITS: Mapping[ModelName, str] = {"amat": "pA", "izhikevich": "mV/ms"}


@dataclass(frozen=True)
class Neuron:
    """A neuron, as the analyses simulate it.

    Attributes
    ----------
    parameters : AmatParameters or IzhikevichParameters
    initial : dict of str to float
        State variables at time zero, by their names in NEST, that differ from the model's own initial values.
    resolution : float
        Time step in ms. That of Izhikevich's published scheme is part of the neuron.
    pattern : str
        The firing pattern that the parameters are published for, if any.
    rest_current : float
        Current at time zero, at which the initial state is that of rest, pA or mV/ms.
    holding_current : float
        Constant current on which the pattern's pulses are superimposed, pA or mV/ms. It differs from `rest_current` if
        it begins after time zero, as in AMAT's bistability.
    direction : {1, -1}
        Sign of the change of current that evokes its pattern: -1 for rebound and patterns that inhibition induces.
    """

    parameters: AmatParameters | IzhikevichParameters
    initial: Mapping[str, float] = field(default_factory=dict)
    resolution: float = 0.1
    pattern: str = ""
    rest_current: float = 0.0
    holding_current: float = 0.0
    direction: int = 1

    @property
    def model(self) -> ModelName:
        """The neuron model."""
        return "amat" if isinstance(self.parameters, AmatParameters) else "izhikevich"

    @property
    def current_unit(self) -> str:
        """The unit of its currents."""
        return CURRENT_UNITS[self.model]

    @property
    def status(self) -> dict[str, float]:
        """Parameters and initial state by their names in NEST."""
        return {**self.parameters.to_nestml(), **self.initial}
