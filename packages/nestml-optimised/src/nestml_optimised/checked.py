# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML's generator for NEST, extended by checks that keep a neuron from ever holding bad parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pynestml.codegeneration
from pynestml.codegeneration.nest_code_generator import NESTCodeGenerator

__all__ = ["ALLOWED_ROUNDING", "CheckedNESTCodeGenerator"]

#: The largest relative difference between a propagator in double and in extended precision that is accepted.
#: Closed formulae subtract terms that become equal with the time constants, so that the difference tells how
#: many digits they lose. The generated code uses the extended value, whose own error is about 2000 times
#: smaller (64 bits against 53): at most 5e-11 here. The notebook ``time_constants`` measures both.
ALLOWED_ROUNDING = 1e-7

_OURS = Path(__file__).parent / "templates" / "checked"
_NESTMLS = Path(pynestml.codegeneration.__file__).parent / "resources_nest" / "point_neuron"

#: NESTML writes the time of generation into the code; the same model shall give the same code.
_NO_TIME = "not recorded"


@dataclass(frozen=True)
class _Propagator:
    """A propagator's name, its C++ expression, and the parameters that may be too near each other in it."""

    name: str
    expression: str
    parameters: list[str]


class CheckedNESTCodeGenerator(NESTCodeGenerator):  # type: ignore[misc]  # NESTML is not typed
    """NESTML's code generator for NEST with its own templates, and stricter handling of parameters around them.

    NESTML's templates check a model's invariants after the new values have been stored, so that a refused
    ``set`` leaves the bad values behind, and they don't check at all before a simulation. Propagators are
    evaluated from closed formulae in double precision, whatever they lose. The generated equations are not
    touched; around them,

    - a refused ``set`` leaves the parameters and the state as they were;
    - the invariants hold whenever a simulation starts;
    - propagators are evaluated in extended precision (``long double``);
    - parameters for which that, too, would be inaccurate are refused (`ALLOWED_ROUNDING`).

    Parameters
    ----------
    options : mapping
        NESTML's options for the NEST target, with its ``nest_version``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        templates = {
            "path": str(_OURS),
            "model_templates": {
                "neuron": ["@NEURON_NAME@.h.jinja2", "@NEURON_NAME@.cpp.jinja2"],
                "synapse": [str(_NESTMLS / "@SYNAPSE_NAME@.h.jinja2")],
            },
            "module_templates": [str(_NESTMLS / "setup")],
        }
        super().__init__({**options, "templates": templates})

    def _setup_template_env(self, template_files: list[str], templates_root_dir: str) -> list[Any]:
        """Let our templates include NESTML's, which they wrap."""
        templates: list[Any] = super()._setup_template_env(template_files, templates_root_dir)
        for template in templates:
            template.environment.loader.searchpath.append(str(_NESTMLS))
        return templates

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
        namespace["allowed_rounding"] = ALLOWED_ROUNDING
        namespace["now"] = _NO_TIME
        return namespace

    def _get_module_namespace(self, *arguments: Any) -> dict[str, Any]:
        namespace: dict[str, Any] = super()._get_module_namespace(*arguments)
        return namespace | {"now": _NO_TIME}


def _near_each_other(formula: str, parameters: list[str]) -> list[str]:
    """Return the parameters whose differences a formula divides by, or all of its parameters."""
    differences = re.findall(r"\((\w+) - (\w+)\)", formula)
    names = {name for pair in differences for name in pair} & set(parameters)
    return sorted(names or set(re.findall(r"\w+", formula)) & set(parameters))
