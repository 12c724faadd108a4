# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML models as JavaScript: equations as a matrix, everything else statement by statement.

A model is translated into an object. Its functions take ``s``, the state as an array of doubles; ``p``, parameters
by name; ``c``, internals by name; ``h``, the time step in ms:

``parameters``
    Unit and meaning of each parameter, by name.
``index``
    Indices of the state variables in ``s``, by name; the variables x of the equations come first.
``inlines``
    Inline expressions, as functions of (s, p, c, h).
``defaults()``, ``internals(p, h)``, ``initial(p, c, h)``
    Return ``p``, ``c``, and ``s`` at time zero.
``matrix(p, c, h)``
    Returns A of x' = A x, or null if the model has no equations.
``update(s, p, c, h, input, integrate)``
    Performs the model's update under a continuous input; ``integrate(s)`` advances x by a step.
``condition(s, p, c, h)``, ``fire(s, p, c, h)``
    Returns whether there is a spike; performs the changes of a spike.

Expressions keep the order of operations of the C++ code that NESTML generates, so that the doubles are the same. No
spikes arrive: spike ports are zero.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sympy
from nestml_optimised import UnsupportedModelError, parse_models, replace_transformers
from nestml_optimised.expressions import names_of, parse, tidy
from nestml_optimised.transformer import EquationSystem
from pynestml.codegeneration.printers.constant_printer import ConstantPrinter
from pynestml.codegeneration.printers.cpp_expression_printer import CppExpressionPrinter
from pynestml.codegeneration.printers.cpp_simple_expression_printer import CppSimpleExpressionPrinter
from pynestml.codegeneration.printers.function_call_printer import FunctionCallPrinter
from pynestml.codegeneration.printers.variable_printer import VariablePrinter
from pynestml.frontend import pynestml_frontend as frontend
from pynestml.symbols.predefined_functions import PredefinedFunctions

__all__ = ["translate"]

#: JavaScript of the functions that a model may call; braces stand for the arguments.
_FUNCTIONS = {
    PredefinedFunctions.TIME_RESOLUTION: "h",
    PredefinedFunctions.TIME_STEPS: "AmatExplorer.steps({}, h)",
    PredefinedFunctions.INTEGRATE_ODES: "integrate(s)",
    **{name: f"Math.{name}({{}})" for name in ("exp", "abs", "ceil", "floor", "sin", "cos", "tan")},
    **{name: f"Math.{name}({{}}, {{}})" for name in ("min", "max", "pow")},
    PredefinedFunctions.LN: "Math.log({})",
}

_OPERATORS = {
    "is_direct_assignment": "=",
    "is_compound_sum": "+=",
    "is_compound_minus": "-=",
    "is_compound_product": "*=",
    "is_compound_quotient": "/=",
}


def translate(sources: Sequence[Path]) -> dict[str, str]:
    """Translate models into JavaScript.

    Parameters
    ----------
    sources : sequence of pathlib.Path
        NESTML files.

    Returns
    -------
    dict of str to str
        By the model's name in NESTML, an expression whose value is the object that the module describes.

    Raises
    ------
    ModelError
        If NESTML rejects a model.
    UnsupportedModelError
        If a part of a model has no translation.
    """
    with tempfile.TemporaryDirectory() as folder:  # nothing is written there, but NESTML needs a path
        models: Any = parse_models(sources, folder)
        transformers, _ = frontend.transformers_from_target_name("NONE")
        models, metadata = frontend.transform_models(replace_transformers(transformers, matrices=True), models)
    return {
        model.get_name(): _Translation(model, metadata[model.get_name()].get("equation_system")).run()
        for model in models
    }


class _Variables(VariablePrinter):  # type: ignore[misc]  # NESTML is not typed
    """Printer of variables by their names in JavaScript."""

    def __init__(self) -> None:
        super().__init__(None)
        self.names: dict[str, str] = {}

    def print_variable(self, variable: Any) -> str:
        name = str(variable.get_complete_name())
        if name not in self.names:
            raise UnsupportedModelError(f"the variable {name} has no translation")
        return self.names[name]


class _Functions(FunctionCallPrinter):  # type: ignore[misc]
    """Printer of function calls."""

    def print_function_call(self, call: Any) -> str:
        if call.get_name() not in _FUNCTIONS:
            raise UnsupportedModelError(f"the function {call.get_name()} has no translation")
        return _FUNCTIONS[call.get_name()].format(*map(self._expression_printer.print, call.get_args()))

    print = print_function_call


class _Expressions(CppExpressionPrinter):  # type: ignore[misc]
    """Printer of expressions, with the operators of C++ but without its cast in divisions."""

    def _print_arithmetic_operator_expression(self, node: Any) -> str:
        if node.get_binary_operator().is_div_op:
            return f"{self.print(node.get_lhs())} / {self.print(node.get_rhs())}"
        return str(super()._print_arithmetic_operator_expression(node))


class _Translation:
    """The translation of one model."""

    def __init__(self, model: Any, system: EquationSystem | None) -> None:
        self.model = model
        self.system = system
        variables, functions = _Variables(), _Functions(None)
        self.printer = _Expressions(
            CppSimpleExpressionPrinter(
                variable_printer=variables, constant_printer=ConstantPrinter(), function_call_printer=functions
            )
        )
        variables._expression_printer = functions._expression_printer = self.printer
        self.names = variables.names

    def run(self) -> str:
        """Return the expression of the object."""
        model = self.model
        if model.has_state_vectors() or model.has_delay_variables() or model.get_functions():
            raise UnsupportedModelError(f"vectors, delays or functions of {model.get_name()} have no translation")
        parameters = model.get_parameter_symbols()
        internals = model.get_internal_symbols()
        inlines = {_name(symbol): symbol for symbol in model.get_inline_expression_symbols()}
        states = {_name(symbol): symbol for symbol in model.get_state_symbols()}
        equations = self.system.variables if self.system else []
        state = [*equations, *(name for name in states if name not in equations)]
        self._name_variables(state)
        described = {
            _name(symbol): {"unit": _unit(symbol), "meaning": "".join(symbol.get_comment()).strip()}
            for symbol in parameters
        }
        (on_condition,) = model.get_on_condition_blocks()
        update = [line for block in model.get_update_blocks() for line in self._body(block, 2)]
        fire = self._body(on_condition, 2)
        condition = self._print(on_condition.get_cond_expr())
        return "\n".join(
            [
                "(function () {",
                f"  const i = {json.dumps({name: number for number, name in enumerate(state)})};",
                "  const inlines = {",
                *(f"    {name}: (s, p, c, h) => {self._value(symbol)}," for name, symbol in inlines.items()),
                "  };",
                "  return {",
                f"  parameters: {json.dumps(described, ensure_ascii=False)},",
                "  index: i,",
                "  inlines,",
                "  defaults() {",
                "    const p = {};",
                *map(self._declaration, parameters),
                "    return p;",
                "  },",
                "  internals(p, h) {",
                "    const c = {};",
                *map(self._declaration, internals),
                "    return c;",
                "  },",
                "  initial(p, c, h) {",
                f"    const s = new Float64Array({len(state)});",
                *map(self._declaration, states.values()),  # convolutions are not among them, and start at zero
                "    return s;",
                "  },",
                "  matrix(p, c, h) {",
                *self._matrix(),
                "  },",
                "  update(s, p, c, h, input, integrate) {",
                *update,
                "  },",
                f"  condition: (s, p, c, h) => {condition},",
                "  fire(s, p, c, h) {",
                *fire,
                "  },",
                "  };",
                "})()",
            ]
        )

    def _name_variables(self, state: Sequence[str]) -> None:
        """Set the JavaScript of each variable."""
        model = self.model
        self.names |= {name: f"s[i.{name}]" for name in state}
        for symbols, form in (
            (model.get_parameter_symbols(), "p.{}"),
            (model.get_internal_symbols(), "c.{}"),
            (model.get_inline_expression_symbols(), "inlines.{}(s, p, c, h)"),
            (model.get_continuous_input_ports(), "input"),
            (model.get_spike_input_ports(), "0"),
        ):
            self.names |= {_name(symbol): form.format(_name(symbol)) for symbol in symbols}

    def _print(self, expression: Any) -> str:
        return str(self.printer.print(expression))

    def _matrix(self) -> list[str]:
        """Return the rows of the system's matrix."""
        if self.system is None:
            return ["    return null;"]
        others = [*self.system.inhomogeneous, *self.system.nonlinear]
        if any(entry != 0 for entry in others) or names_of(self.system.matrix) & set(self.system.variables):
            raise UnsupportedModelError(f"the equations of {self.model.get_name()} are not linear and homogeneous")
        rows = []
        for number, name in enumerate(self.system.variables):
            entries = [tidy(parse(str(entry))) for entry in self.system.matrix.row(number)]
            code = ", ".join(
                sympy.jscode(entry.xreplace({s: sympy.Symbol(self.names[str(s)]) for s in entry.free_symbols}))
                for entry in entries
            )
            rows.append(f"      [{code}], // {name}")
        return ["    return [", *rows, "    ];"]

    def _body(self, block: Any, depth: int) -> list[str]:
        """Return the statements of a block as lines."""
        indent = "  " * depth
        lines: list[str] = []
        for statement in block.get_stmts_body().get_stmts():
            if statement.is_compound_stmt():
                lines += self._conditional(statement.compound_stmt, depth)
                continue
            small = statement.small_stmt
            if small.is_assignment():
                lines.append(f"{indent}{self._assignment(small.get_assignment())}")
            elif small.is_function_call():
                # The caller handles the other effects of a spike.
                if small.get_function_call().get_name() != PredefinedFunctions.EMIT_SPIKE:
                    lines.append(f"{indent}{self._print(small.get_function_call())};")
            else:
                raise UnsupportedModelError(f"the statement {small} has no translation")
        return lines

    def _assignment(self, assignment: Any) -> str:
        operator = next((sign for kind, sign in _OPERATORS.items() if getattr(assignment, kind)), None)
        if operator is None:
            raise UnsupportedModelError(f"the assignment {assignment} has no translation")
        target = self.names[assignment.get_variable().get_complete_name()]
        return f"{target} {operator} {self._print(assignment.get_expression())};"

    def _conditional(self, compound: Any, depth: int) -> list[str]:
        if not compound.is_if_stmt():
            raise UnsupportedModelError(f"the statement {compound} has no translation")
        indent, statement = "  " * depth, compound.get_if_stmt()
        lines: list[str] = []
        for number, clause in enumerate([statement.get_if_clause(), *statement.get_elif_clauses()]):
            lines.append(f"{indent}{'} else ' if number else ''}if ({self._print(clause.get_condition())}) {{")
            lines += self._body(clause, depth + 1)
        if statement.has_else_clause():
            lines.append(f"{indent}}} else {{")
            lines += self._body(statement.get_else_clause(), depth + 1)
        return [*lines, f"{indent}}}"]

    def _value(self, symbol: Any) -> str:
        return self._print(symbol.get_declaring_expression())

    def _declaration(self, symbol: Any) -> str:
        return f"    {self.names[_name(symbol)]} = {self._value(symbol)};"


def _name(symbol: Any) -> str:
    return str(symbol.get_symbol_name())


def _unit(symbol: Any) -> str:
    """Return a unit as printed after a number; an empty string for a plain number."""
    unit = str(symbol.get_type_symbol().print_symbol())
    return "" if unit in ("real", "integer") else unit.replace(" ", "")
