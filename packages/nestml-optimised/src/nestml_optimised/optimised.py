# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A code generator for NEST whose neurons are faster and smaller than NESTML's own templates make them."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pynestml.codegeneration
from pynestml.codegeneration.nest_code_generator import NESTCodeGenerator
from pynestml.codegeneration.printers.constant_printer import ConstantPrinter
from pynestml.codegeneration.printers.cpp_expression_printer import CppExpressionPrinter
from pynestml.codegeneration.printers.cpp_printer import CppPrinter
from pynestml.codegeneration.printers.cpp_simple_expression_printer import CppSimpleExpressionPrinter
from pynestml.codegeneration.printers.nest_cpp_function_call_printer import NESTCppFunctionCallPrinter
from pynestml.frontend.frontend_configuration import FrontendConfiguration
from pynestml.utils.ast_utils import ASTUtils

from nestml_optimised.analysis import analyse
from nestml_optimised.description import NeuronDescription, balanced_sum
from nestml_optimised.errors import OptionError, UnsupportedModelError
from nestml_optimised.expressions import ScopedVariablePrinter

__all__ = ["OptimisedNESTCodeGenerator"]

_HERE = Path(__file__).parent
_TEMPLATES = _HERE / "templates" / "optimised"
_INCLUDE = _HERE / "include"
_NESTMLS = Path(pynestml.codegeneration.__file__).parent / "resources_nest" / "point_neuron"

#: NESTML writes the time of generation into the code; the same model shall give the same code.
_NO_TIME = "not recorded"

_CHOICES: dict[str, tuple[Any, ...]] = {
    "archiving": ("lazy", "eager", "none"),
    "buffers": ("on_demand", "nest"),
    "share_propagators": (True, False),
    "input_free_loop": (True, False),
    "slice_skipping": (True, False),
    "fma_clones": (True, False),
    "numeric_solver": ("", "Heun"),
}


class OptimisedNESTCodeGenerator(NESTCodeGenerator):  # type: ignore[misc]  # NESTML is not typed
    """NESTML's code generator for NEST, with templates of its own for neurons whose equations are linear.

    It needs `SystemMatrixTransformer` in the place of NESTML's ``ODEToolboxTransformer``. In addition to NESTML's
    options for the target NEST there are those below, each of which switches one optimisation. None changes results
    beyond the rounding of a few operations.

    Whatever the options, the state is kept in local variables during an update, refractory periods are counted in
    steps, and propagators are computed from the system matrix when a simulation starts. This assumes that equations
    are linear with constant coefficients.

    Parameters
    ----------
    options : mapping
        NESTML's options, and

        ``archiving`` : {"lazy", "eager", "none"}
            What STDP and structural plasticity need: created when first used; always there, as in NEST's models;
            or not offered. Assumes nothing.
        ``buffers`` : {"on_demand", "nest"}
            Buffers for input and recorders: created when first used, those for spikes one array a port; or NEST's
            ring buffers, always. Assumes nothing.
        ``share_propagators`` : bool
            Keep what is computed from parameters once for all neurons that are equal in these parameters. Pays
            where many neurons are.
        ``input_free_loop`` : bool
            Where no input is waiting and nothing records, step without looking for either.
        ``slice_skipping`` : bool
            Where in addition a bound shows that the threshold cannot be reached, put off all steps between two
            exchanges of spikes, or of several short ones, and advance over them at once. Assumes a threshold that is
            linear in the state.
        ``fma_clones`` : bool
            Compile the update a second time for processors with fused multiplication and addition, and choose when
            the module is loaded, where compiler and system can. Results of different processors may then differ
            in the last digits.
        ``numeric_solver`` : {"", "Heun"}
            What to do with equations that are not linear: refuse the model, or integrate it by Heun's method with
            the simulation's time step. Assumes that the step is small beside the model's time scales.
    """

    _default_options: ClassVar[dict[str, Any]] = {
        **NESTCodeGenerator._default_options,
        **{option: choices[0] for option, choices in _CHOICES.items()},
        "templates": {
            "path": str(_TEMPLATES),
            "model_templates": {
                "neuron": ["@NEURON_NAME@.h.jinja2", "@NEURON_NAME@.cpp.jinja2"],
                "synapse": [str(_NESTMLS / "@SYNAPSE_NAME@.h.jinja2")],
            },
            "module_templates": [str(_NESTMLS / "setup")],
        },
    }

    def set_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set options, and return those that are not known.

        Raises
        ------
        OptionError
            If one of this generator's own options cannot have the value that is given.
        """
        for option, choices in _CHOICES.items():
            if option in options and options[option] not in choices:
                raise OptionError(f"{option} must be one of {', '.join(map(repr, choices))}, got {options[option]!r}.")
        return super().set_options(options)  # type: ignore[no-any-return]

    def setup_printers(self) -> None:
        """Print variables by the names that they have inside the generated functions."""
        super().setup_printers()
        self._scoped_variables = ScopedVariablePrinter()
        functions = NESTCppFunctionCallPrinter(None)
        simple = CppSimpleExpressionPrinter(
            variable_printer=self._scoped_variables,
            constant_printer=ConstantPrinter(),
            function_call_printer=functions,
        )
        self._scoped_printer = CppExpressionPrinter(simple_expression_printer=simple)
        self._scoped_variables._expression_printer = self._scoped_printer
        functions._expression_printer = self._scoped_printer

    def _setup_template_env(self, template_files: list[str], templates_root_dir: str) -> list[Any]:
        """Let our templates use NESTML's directives for statements, and replace two of them."""
        templates: list[Any] = super()._setup_template_env(template_files, templates_root_dir)
        for template in templates:
            template.environment.loader.searchpath.append(str(_NESTMLS))
        return templates

    def generate_code(self, models: Any, metadata: dict[str, dict[str, Any]]) -> None:
        """Generate the code, and put the headers beside it that it includes."""
        super().generate_code(models, metadata)
        for header in _INCLUDE.glob("*.h"):
            shutil.copy(header, FrontendConfiguration.get_target_path())

    def _get_neuron_model_namespace(self, neuron: Any, metadata: dict[str, dict[str, Any]]) -> dict[str, Any]:
        namespace: dict[str, Any] = self._get_model_namespace(neuron, metadata)
        try:
            description = analyse(
                neuron,
                metadata[neuron.get_name()],
                self._scoped_printer,
                self._scoped_variables,
                namespace["declarations"],
                heun=self.get_option("numeric_solver") == "Heun",
                bounds=self.get_option("slice_skipping"),
            )
        except UnsupportedModelError as reason:
            raise UnsupportedModelError(
                f"The optimised code generator does not support {neuron.get_name()}: {reason}"
            ) from None
        return namespace | {
            "now": _NO_TIME,
            "neuronName": neuron.get_name(),
            "neuron": neuron,
            "model": description,
            "printer": CppPrinter(expression_printer=self._scoped_printer),
            "options": {option: self.get_option(option) for option in _CHOICES},
            "balanced_sum": balanced_sum,
            "integrate": lambda call: _integration(description, call),
            "invariants": _invariants(neuron, description, self._scoped_printer),
        }

    def _get_module_namespace(self, *arguments: Any) -> dict[str, Any]:
        namespace: dict[str, Any] = super()._get_module_namespace(*arguments)
        return namespace | {"now": _NO_TIME}


def _integration(description: NeuronDescription, call: Any) -> dict[str, Any]:
    """Return what a call of ``integrate_odes`` updates: variables of the linear system, timers, derivatives."""
    arguments = ASTUtils.integrate_odes_args_strs_from_function_call(call)
    timers = [name for name in description.countdowns if not arguments or name in arguments]
    derivatives = [f for f in description.derivatives if not arguments or f.name in arguments]
    if description.derivatives and len(derivatives) not in (0, len(description.derivatives)):
        raise UnsupportedModelError(f"integrate_odes({', '.join(arguments)}) leaves out some of the equations")
    return {"variables": description.updated(arguments), "timers": timers, "derivatives": derivatives}


def _invariants(neuron: Any, description: NeuronDescription, printer: Any) -> list[dict[str, Any]]:
    """Return the conditions on parameters: C++, NESTML's text, and the parameters in them."""
    parameters = {variable.name: variable.cpp for variable in description.own + description.shared}
    shared = {variable.cpp for variable in description.shared}
    found = []
    for invariant in neuron.get_parameter_invariants():
        names = [v.get_complete_name() for v in invariant.get_variables() if v.get_complete_name() in parameters]
        found.append(
            {
                "cpp": printer.print(invariant),
                "text": str(invariant),
                "values": [
                    {"name": name, "cpp": f"{'c' if parameters[name] in shared else 'p'}.{parameters[name]}"}
                    for name in dict.fromkeys(names)
                ],
            }
        )
    return found
