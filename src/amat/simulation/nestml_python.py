# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Translation of expressions in NESTML into Python, for `amat.simulation.nestml_reference`."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
from nestml_optimised.expressions import cpp_name, parse
from nestml_optimised.system import CONVOLUTION
from nestml_optimised.transformer import SystemMatrixTransformer
from pynestml.codegeneration.nest_unit_converter import NESTUnitConverter
from pynestml.codegeneration.printers.constant_printer import ConstantPrinter
from pynestml.codegeneration.printers.function_call_printer import FunctionCallPrinter
from pynestml.codegeneration.printers.python_expression_printer import PythonExpressionPrinter
from pynestml.codegeneration.printers.python_simple_expression_printer import PythonSimpleExpressionPrinter
from pynestml.codegeneration.printers.variable_printer import VariablePrinter
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.symbols.predefined_units import PredefinedUnits
from pynestml.symbols.predefined_variables import PredefinedVariables
from pynestml.symbols.symbol import SymbolKind
from pynestml.utils.ast_utils import ASTUtils

__all__ = [
    "KernelTransformer",
    "define_function",
    "evaluate",
    "exponential",
    "find_integrations",
    "integration_arguments",
    "jump_port",
    "local_name",
    "make_printer",
    "order_inlines",
    "python_of",
    "receptors_of",
    "symbol_name",
    "without_noise",
]

#: Spike input is in 1/s in NESTML, and NEST's unit of time is ms.
_SPIKE_UNIT = 1e-3

#: Python of the functions that a model may call; braces stand for the arguments.
_FUNCTIONS = {
    PredefinedFunctions.TIME_RESOLUTION: "_h",
    PredefinedFunctions.TIME_TIMESTEP: "_h",
    PredefinedFunctions.TIME_STEPS: "round({} / _h)",
    PredefinedFunctions.EMIT_SPIKE: "_emit()",
    PredefinedFunctions.RANDOM_NORMAL: "_without_noise({}, {})",
    PredefinedFunctions.EXP: "_exp({})",
    PredefinedFunctions.LN: "_math.log({})",
    **{name: f"_math.{name}({{}})" for name in ("log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "erfc")},
    **{name: f"_math.{name}({{}})" for name in ("ceil", "floor")},
    "abs": "abs({})",
    "min": "min({}, {})",
    "max": "max({}, {})",
    "pow": "({})**({})",
}


class KernelTransformer(SystemMatrixTransformer):
    """A transformer that hands only kernels to ODE-toolbox, which takes long for all other equations."""

    def create_ode_toolbox_indict(self, model: Any, kernel_buffers: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the request without other equations."""
        request: dict[str, Any] = super().create_ode_toolbox_indict(model, kernel_buffers)
        kernels = [each for each in request["dynamics"] if CONVOLUTION in each["expression"].split("=")[0]]
        return {**request, "dynamics": kernels}

    def ode_toolbox_analysis(
        self, model: Any, kernel_buffers: Mapping[Any, Any], metadata: dict[str, dict[str, Any]]
    ) -> None:
        """Analyse the kernels, if there are any."""
        if self.create_ode_toolbox_indict(model, kernel_buffers)["dynamics"]:
            super().ode_toolbox_analysis(model, kernel_buffers, metadata)


class _Variables(VariablePrinter):  # type: ignore[misc]  # NESTML is not typed
    """Printer of variables by their names in Python, those of statements and functions with a prefix."""

    def print_variable(self, variable: Any) -> str:
        name = str(variable.get_complete_name())
        constants = {PredefinedVariables.E_CONSTANT: math.e, PredefinedVariables.PI_CONSTANT: math.pi}
        if name in constants:
            return repr(constants[name])
        symbol = variable.get_scope().resolve_to_symbol(name, SymbolKind.VARIABLE)
        if symbol is None and PredefinedUnits.is_unit(name):
            return repr(float(NESTUnitConverter.get_factor(PredefinedUnits.get_unit(name).get_unit())))
        if symbol is not None and symbol.is_local():
            return local_name(name)
        if symbol is not None and symbol.is_spike_input_port():
            return f"({_SPIKE_UNIT} * {name})"
        return cpp_name(name)


class _Functions(FunctionCallPrinter):  # type: ignore[misc]
    """Printer of function calls."""

    def print_function_call(self, call: Any) -> str:
        arguments = list(map(self._expression_printer.print, call.get_args()))
        if call.get_name() in _FUNCTIONS:
            return _FUNCTIONS[call.get_name()].format(*arguments)
        return f"function_{call.get_name()}({', '.join(arguments)})"

    print = print_function_call


def make_printer() -> Any:
    """Return a printer of expressions in Python."""
    variables, functions = _Variables(None), _Functions(None)
    printer = PythonExpressionPrinter(
        PythonSimpleExpressionPrinter(
            variable_printer=variables, constant_printer=ConstantPrinter(), function_call_printer=functions
        )
    )
    variables._expression_printer = functions._expression_printer = printer
    return printer


def symbol_name(symbol: Any) -> str:
    """Return a symbol's name in Python."""
    return cpp_name(symbol.get_symbol_name())


def local_name(name: str) -> str:
    """Return the name in Python of a variable of a block or function."""
    return f"local_{cpp_name(name)}"


def receptors_of(ports: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the receptors: one for each port, or one for an excitatory and an inhibitory port."""
    excitatory = [str(port.name) for port in ports if port.is_excitatory() and not port.is_inhibitory()]
    inhibitory = [str(port.name) for port in ports if port.is_inhibitory() and not port.is_excitatory()]
    if excitatory:
        return list(zip(excitatory, inhibitory, strict=True))
    return [(str(port.name), str(port.name)) for port in ports]


def integration_arguments(call: Any) -> tuple[str, ...]:
    """Return the variables that a call of ``integrate_odes`` names."""
    return tuple(ASTUtils.integrate_odes_args_strs_from_function_call(call))


def find_integrations(node: Any) -> list[tuple[str, ...]]:
    """Return the arguments of all calls of ``integrate_odes`` in a part of the tree."""
    if hasattr(node, "get_args") and node.get_name() == PredefinedFunctions.INTEGRATE_ODES:
        return [integration_arguments(node)]
    return [found for child in node.get_children() if child is not None for found in find_integrations(child)]


def order_inlines(inlines: Mapping[str, str], texts: Sequence[str]) -> list[str]:
    """Return the inline expressions that texts need, each after those that are in it."""
    ordered: list[str] = []

    def add(text: str) -> None:
        for name in re.findall(r"\b[^\W\d]\w*", text):
            if name in inlines and name not in ordered:
                add(inlines[name])
                ordered.append(name)

    for text in texts:
        add(text)
    return list(dict.fromkeys(ordered))


def jump_port(convolution: str) -> str:
    """Return the port whose spikes a convolution receives."""
    return convolution.split(CONVOLUTION)[1].split("__d")[0]


def python_of(expression: Any) -> str:
    """Return an expression of SymPy in Python."""
    return str(sympy.pycode(expression))


def evaluate(expression: Any, names: Mapping[str, Any]) -> float:
    """Return the value of an expression of ODE-toolbox, which may contain units."""
    parsed = parse(str(expression))
    units = {
        str(symbol): float(NESTUnitConverter.get_factor(PredefinedUnits.get_unit(str(symbol)).get_unit()))
        for symbol in parsed.free_symbols
        if str(symbol) not in names
    }
    return float(eval(python_of(parsed), {**names, **units}))


def define_function(source: str, names: dict[str, Any]) -> Callable[..., Any]:
    """Return the function that a text defines, whose global names are the model's."""
    exec(source, names)
    function: Callable[..., Any] = names.pop("rhs")
    return function


def exponential(exponent: float) -> float:
    """Return the exponential, infinity where it overflows."""
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf


def without_noise(mean: float, deviation: float) -> float:
    """Return the mean of a normal distribution: noise has to be switched off, by a factor of zero."""
    return mean
