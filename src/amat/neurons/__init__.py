# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons, their parameter sets and conventions, and published firing patterns.

May import only the foundation.
"""

from amat.errors import ParameterError
from amat.neurons.amat import AmatParameters
from amat.neurons.checks import Catalogue
from amat.neurons.currents import CurrentSegment, InputCurrent
from amat.neurons.izhikevich import IzhikevichParameters
from amat.neurons.neuron import CURRENT_UNITS, NEURON_MODELS, ModelName, Neuron
from amat.neurons.published import (
    AmatPattern,
    IzhikevichPattern,
    find_neuron,
    izhikevich_patterns,
    mat_parameter_sets,
    validated_patterns,
    yamauchi_patterns,
)

__all__ = [
    "CURRENT_UNITS",
    "NEURON_MODELS",
    "AmatParameters",
    "AmatPattern",
    "Catalogue",
    "CurrentSegment",
    "InputCurrent",
    "IzhikevichParameters",
    "IzhikevichPattern",
    "ModelName",
    "Neuron",
    "ParameterError",
    "find_neuron",
    "izhikevich_patterns",
    "mat_parameter_sets",
    "validated_patterns",
    "yamauchi_patterns",
]
