# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML's generator for NEST, extended by checks that prevent a neuron from having invalid parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nestml_optimised.generator import NO_TIME, TemplateGenerator, template_option
from nestml_optimised.model import starts_infinite
from nestml_optimised.system import CONVOLUTION

__all__ = ["ALLOWED_ROUNDING", "CheckedNESTCodeGenerator"]

#: The largest relative difference between a propagator in double and in extended precision that is accepted.
#: Closed formulae subtract terms that become equal with the time constants; the difference shows how many digits
#: they lose. The generated code uses the extended value, whose error is about 2000 times smaller (64 bits against
#: 53): at most 5e-11 here.
ALLOWED_ROUNDING = 1e-7


@dataclass(frozen=True)
class _Propagator:
    """A propagator's name, its C++ expression, and the parameters in it that may be too close to each other."""

    name: str
    expression: str
    parameters: list[str]


class CheckedNESTCodeGenerator(TemplateGenerator):
    """NESTML's code generator for NEST, with stricter handling of parameters around NESTML's templates.

    NESTML's templates check a model's invariants after they store new values, so that a refused ``set`` leaves
    invalid values behind, and they do not check before a simulation. They evaluate propagators from closed formulae
    in double precision, however many digits these lose. This generator keeps the equations, and adds that

    - a refused ``set`` leaves the parameters and the state as they were;
    - parameters and states have to be finite, unless the model itself sets them to infinity;
    - the invariants hold whenever a simulation starts;
    - propagators are evaluated in extended precision (``long double``);
    - parameters for which extended precision would be inaccurate, too, are refused (`ALLOWED_ROUNDING`);
    - ``get`` returns recordable inline expressions.

    Parameters
    ----------
    options : mapping
        NESTML's options for the NEST target, with its ``nest_version``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__({**options, "templates": template_option("checked")})

    def _get_neuron_model_namespace(self, neuron: Any, metadata: dict[str, dict[str, Any]]) -> dict[str, Any]:
        namespace: dict[str, Any] = super()._get_neuron_model_namespace(neuron, metadata)
        formulae: dict[str, str] = namespace.get("propagators", {})
        if namespace.get("propagators_are_state_dependent"):
            formulae = {}
        parameters = [symbol.get_symbol_name() for symbol in neuron.get_parameter_symbols()]
        propagators = [
            _Propagator(
                name=symbol.get_symbol_name(),
                expression=namespace["printer"].print(symbol.get_declaring_expression()),
                parameters=_near_each_other(formulae[symbol.get_symbol_name()], parameters),
            )
            for symbol in neuron.get_internal_symbols()
            if symbol.get_symbol_name() in formulae
        ]
        namespace["propagator_code"] = propagators
        namespace["extended_parameters"] = [
            name for name in parameters if any(f"P_.{name}" in p.expression for p in propagators)
        ]
        namespace["finite_values"] = [
            (variable.get_complete_name(), namespace["printer"].print(variable))
            for block in neuron.get_parameters_blocks() + neuron.get_state_blocks()
            for declaration in block.get_declarations()
            for variable in declaration.get_variables()
            if _is_real(declaration.get_data_type())
            and not starts_infinite(declaration)
            and not variable.has_vector_parameter()
            and CONVOLUTION not in variable.get_name()
        ]
        namespace["allowed_rounding"] = ALLOWED_ROUNDING
        namespace["now"] = NO_TIME
        return namespace


def _is_real(data_type: Any) -> bool:
    """Return whether a type is that of real numbers, with or without a unit."""
    return not data_type.is_boolean and not data_type.is_integer


def _near_each_other(formula: str, parameters: list[str]) -> list[str]:
    """Return the parameters whose differences are a formula's divisors, or all of its parameters."""
    differences = re.findall(r"\((\w+) - (\w+)\)", formula)
    names = {name for pair in differences for name in pair} & set(parameters)
    return sorted(names or set(re.findall(r"\w+", formula)) & set(parameters))
