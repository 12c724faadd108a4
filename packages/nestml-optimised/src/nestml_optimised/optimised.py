# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A code generator for NEST whose neurons are faster and smaller than those of NESTML's templates."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pynestml.codegeneration.nest_code_generator import NESTCodeGenerator
from pynestml.codegeneration.printers.constant_printer import ConstantPrinter
from pynestml.codegeneration.printers.cpp_printer import CppPrinter
from pynestml.codegeneration.printers.cpp_simple_expression_printer import CppSimpleExpressionPrinter
from pynestml.frontend.frontend_configuration import FrontendConfiguration
from pynestml.utils.ast_utils import ASTUtils

from nestml_optimised.analysis import analyse
from nestml_optimised.constants import find_constant_expressions, name_constant_expressions
from nestml_optimised.description import Formula, NeuronDescription, Variable, balanced_sum
from nestml_optimised.errors import OptionError, UnsupportedModelError
from nestml_optimised.expressions import (
    ExpressionPrinter,
    FunctionCallPrinter,
    ScopedVariablePrinter,
    Translator,
    local_name,
)
from nestml_optimised.generator import NO_TIME, TemplateGenerator, template_option
from nestml_optimised.lanes import find_draws, find_obstacle, list_quantities
from nestml_optimised.model import Model

__all__ = ["OptimisedNESTCodeGenerator"]

_INCLUDE = Path(__file__).parent / "include"

#: This generator's own options, each with its possible values, the default first.
_CHOICES: dict[str, tuple[Any, ...]] = {
    "archiving": ("lazy", "eager", "none"),
    "buffers": ("on_demand", "nest"),
    "share_propagators": (True, False),
    "input_free_loop": (True, False),
    "slice_skipping": (True, False),
    "fma_clones": (True, False),
    "population_update": (True, False),
    "numeric_solver": ("rk45", "Heun"),
}

#: Base classes of neurons and their headers, by the option ``archiving``.
_BASES = {
    "lazy": ("nestml_optimised::LazyArchivingNode", "lazy_archiving_node.h"),
    "eager": ("nest::ArchivingNode", "archiving_node.h"),
    "none": ("nest::Node", "node.h"),
}


#: Added to NESTML's CMakeLists.txt.
_COMPILE_OPTIONS = """
# GCC vectorises a loop with conditions only if it may compute both branches. NEST enables no traps.
if ( CMAKE_CXX_COMPILER_ID STREQUAL "GNU" )
    target_compile_options( ${MODULE_NAME}_module PRIVATE "-fno-trapping-math" )
    # Nonlinear equations divide by constants in each substep. Multiplications are faster, and differ in the last bit.
    foreach ( model @ADAPTIVE_MODELS@ )
        set_source_files_properties( ${model}.cpp PROPERTIES COMPILE_OPTIONS "-freciprocal-math" )
    endforeach ()
endif ()
"""


class OptimisedNESTCodeGenerator(TemplateGenerator):
    """NESTML's code generator for NEST, with other templates.

    It needs `SystemMatrixTransformer` in place of NESTML's ``ODEToolboxTransformer``. In addition to NESTML's options
    for the target NEST it has those below, each of which switches one optimisation. None changes results beyond the
    rounding of a few operations.

    Whatever the options, the state is kept in local variables during an update, refractory periods are counted in
    steps, and equations that are linear with constant coefficients advance by propagators, which are computed from the
    system matrix when a simulation starts. All other equations are integrated numerically, together with the linear
    ones that drive them. Expressions in the update block that depend on parameters alone and call slow functions, such
    as ``exp``, are evaluated when a simulation starts.

    Parameters
    ----------
    options : mapping
        NESTML's options, and

        ``archiving`` : {"lazy", "eager", "none"}
            Data for STDP and structural plasticity: created on first use; always present, as in NEST's built-in
            models; or not offered.
        ``buffers`` : {"on_demand", "nest"}
            Buffers for input and recorders: created on first use, with one array per port for spikes; or NEST's
            ring buffers, always present.
        ``share_propagators`` : bool
            Store quantities that are computed from parameters once for all neurons that are equal in these
            parameters. This pays with many neurons.
        ``input_free_loop`` : bool
            Without pending input or recorders, skip the look-up of both in each step.
        ``slice_skipping`` : bool
            If in addition a bound shows that the threshold cannot be reached, defer all steps between two exchanges
            of spikes, or of several short ones, and advance over them at once. This assumes a threshold that is
            linear in the state.
        ``fma_clones`` : bool
            Compile the update a second time for processors with fused multiply-add, and choose when the module is
            loaded, if compiler and system support it. Results of different processors may then differ in the last
            digits.
        ``population_update`` : bool
            Update eight neurons at a time, one in each lane of vector registers, if the model's step has neither loops
            nor random numbers under a condition, nor functions other than exp, expm1, ln, log10, tanh, pow, min, max
            and abs, and the options above, except ``archiving`` and ``slice_skipping``, have their defaults. The code
            for AVX-512, AVX2 or SSE2 is chosen when the module is loaded. What a neuron computes does not depend on the
            others, nor on recorders. If a model's neurons are updated one by one, a comment in the generated header
            states the reason.
        ``numeric_solver`` : {"rk45", "Heun"}
            Integrate nonlinear equations by the embedded Runge-Kutta method of Cash and Karp, in substeps whose
            estimated error is at most 2e-7, so that the error is no larger than that of NESTML's solver; or,
            faster, by Heun's method with the simulation's time step, which has to be short compared with the model's
            time scales.
    """

    _default_options: ClassVar[dict[str, Any]] = {
        **NESTCodeGenerator._default_options,
        **{option: choices[0] for option, choices in _CHOICES.items()},
        "templates": template_option("optimised"),
    }

    def set_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set options, and return unknown ones.

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
        functions = FunctionCallPrinter(None)
        simple = CppSimpleExpressionPrinter(
            variable_printer=self._scoped_variables,
            constant_printer=ConstantPrinter(),
            function_call_printer=functions,
        )
        self._scoped_printer = ExpressionPrinter(simple)
        self._scoped_variables._expression_printer = self._scoped_printer
        functions._expression_printer = self._scoped_printer
        self._functions = functions

    def generate_code(self, models: Any, metadata: dict[str, dict[str, Any]]) -> None:
        """Generate the code, and copy the headers that it includes into the same folder."""
        self._adaptive_models: list[str] = []
        super().generate_code(models, metadata)
        target = Path(FrontendConfiguration.get_target_path())
        for header in _INCLUDE.glob("*.h"):
            shutil.copy(header, target)
        with (target / "CMakeLists.txt").open("a", encoding="utf-8") as build:
            build.write(_COMPILE_OPTIONS.replace("@ADAPTIVE_MODELS@", " ".join(self._adaptive_models)))

    def _get_neuron_model_namespace(self, neuron: Any, metadata: dict[str, dict[str, Any]]) -> dict[str, Any]:
        namespace: dict[str, Any] = self._get_model_namespace(neuron, metadata)
        self._scoped_printer.computed = {}
        translator = Translator(self._scoped_printer, self._scoped_variables)
        try:
            description, model = analyse(
                neuron,
                metadata[neuron.get_name()],
                translator,
                namespace["declarations"],
                namespace["type_symbol_printer"],
                bounds=self.get_option("slice_skipping"),
            )
        except UnsupportedModelError as reason:
            raise _unsupported(neuron.get_name(), reason) from None
        # NESTML's templates for statements print the syntax tree.
        self._scoped_variables.names = description.names
        for assignment, expression in model.rewritten.items():
            assignment.rhs = expression
        constants = name_constant_expressions(find_constant_expressions(model))
        self._scoped_printer.computed = {node: f"c.{name}" for node, name in constants.items()}
        adaptive = bool(description.numeric_steps) and self.get_option("numeric_solver") == "rk45"
        if adaptive:
            description = replace(description, state=(*description.state, _SUBSTEP))
            self._adaptive_models.append(neuron.get_name())
        return namespace | {
            "now": NO_TIME,
            "neuronName": neuron.get_name(),
            "neuron": neuron,
            "model": description,
            "printer": CppPrinter(expression_printer=self._scoped_printer),
            "print_without_branches": translator.with_names(description.names).print_without_branches,
            "balanced_sum": balanced_sum,
            "local_name": local_name,
            **self._template_settings(description, model, adaptive=adaptive),
            "random_functions": model.functions_called(),
            "integrate": lambda call: _integration(description, call),
        }

    def _template_settings(self, description: NeuronDescription, model: Model, *, adaptive: bool) -> dict[str, Any]:
        """Return settings of the templates that follow from the options and the model."""
        options = {option: self.get_option(option) for option in _CHOICES}
        base, base_header = _BASES[options["archiving"]]
        on_demand = options["buffers"] == "on_demand"
        obstacle = find_obstacle(model, description, options, adaptive=adaptive)
        draws = {} if obstacle else find_draws(model)
        self._functions.draws = {call: f"in.draw_{i}" for i, call in enumerate(draws, 1)}
        return {
            "options": options,
            "base": base,
            "base_header": base_header,
            "archiving": options["archiving"] != "none",
            "on_demand": on_demand,
            "defers": bool(on_demand and description.ports and description.bound and options["input_free_loop"]),
            "ports": description.ports,
            "adaptive": adaptive,
            "lanes": not obstacle,
            "no_lanes": obstacle,
            "draws": [Formula(f"draw_{i}", cpp) for i, cpp in enumerate(draws.values(), 1)],
            "quantities": list_quantities(description),
            "system": description.system,
            "bound": description.bound,
        }


#: The length of the first substep of the next numerical integration.
_SUBSTEP = Variable("substep", "substep", "double", comment="ms; zero: the time step", hidden=True)


def _unsupported(name: str, reason: object) -> UnsupportedModelError:
    return UnsupportedModelError(f"The optimised code generator does not support {name}: {reason}")


def _integration(description: NeuronDescription, call: Any) -> dict[str, Any]:
    """Return everything that a call of ``integrate_odes`` updates."""
    arguments = ASTUtils.integrate_odes_args_strs_from_function_call(call)
    timers = [name for name in description.countdowns if not arguments or name in arguments]
    try:
        variables = description.system.updated(arguments)
    except UnsupportedModelError as reason:
        raise _unsupported(description.name, reason) from None
    numeric = next((step for step in description.numeric_steps if tuple(arguments) in step.calls), None)
    changed = {*variables, *(numeric.kept if numeric else ())}
    return {
        "variables": variables,
        "timers": timers,
        "numeric": numeric,
        "deltas": [delta for delta in description.deltas if delta.variable in changed],
    }
