# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Translation of expressions between NESTML, SymPy and C++."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sympy
from pynestml.codegeneration.printers.cpp_expression_printer import CppExpressionPrinter
from pynestml.codegeneration.printers.nest_cpp_function_call_printer import NESTCppFunctionCallPrinter
from pynestml.codegeneration.printers.nest_variable_printer import NESTVariablePrinter
from pynestml.meta_model.ast_arithmetic_operator import ASTArithmeticOperator
from pynestml.meta_model.ast_expression import ASTExpression
from pynestml.meta_model.ast_logical_operator import ASTLogicalOperator
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.symbols.predefined_variables import PredefinedVariables
from pynestml.symbols.symbol import SymbolKind

from nestml_optimised.errors import UnsupportedModelError

__all__ = [
    "ExpressionPrinter",
    "FunctionCallPrinter",
    "ScopedVariablePrinter",
    "Translator",
    "cpp_name",
    "is_zero",
    "local_name",
    "names_of",
    "parse",
    "print_cpp",
    "tidy",
]

_CONSTANTS = {"e": sympy.E, "pi": sympy.pi}


class ScopedVariablePrinter(NESTVariablePrinter):  # type: ignore[misc]  # NESTML is not typed
    """A printer of variables by their names inside the generated functions.

    NESTML's printer refers to members of the neuron. The optimised code works on copies in local variables,
    which a compiler can keep in registers: ``s`` is the state, ``p`` the neuron's own parameters, ``c`` everything
    that it shares with other neurons, ``in`` its input.
    """

    def __init__(self) -> None:
        super().__init__(None)
        #: C++ by the name in NESTML of all variables that are not local.
        self.names: Mapping[str, str] = {}

    def print_variable(self, variable: Any) -> str:
        """Return the C++ of a variable."""
        name = variable.get_complete_name()
        if name in (PredefinedVariables.E_CONSTANT, PredefinedVariables.PI_CONSTANT):
            return str(super().print_variable(variable))
        if name == PredefinedVariables.TIME_CONSTANT:
            raise UnsupportedModelError("the model uses the time t, which only kernels may depend on")
        cpp = cpp_name(name)
        scope = variable.get_scope()
        symbol = scope.resolve_to_symbol(name, SymbolKind.VARIABLE) if scope else None
        if symbol is not None and symbol.is_local():
            return local_name(cpp)
        if cpp not in self.names:
            raise UnsupportedModelError(f"the variable {name} is of a kind that is not supported")
        return self.names[cpp]


class ExpressionPrinter(CppExpressionPrinter):  # type: ignore[misc]
    """A printer of expressions, some of which have been computed beforehand."""

    def __init__(self, simple_expression_printer: Any) -> None:
        super().__init__(simple_expression_printer=simple_expression_printer)
        #: C++ of the expressions that are computed beforehand.
        self.computed: Mapping[Any, str] = {}

    def print(self, node: Any) -> str:
        """Return the C++ of an expression."""
        return self.computed[node] if node in self.computed else str(super().print(node))

    def print_without_branches(self, condition: Any) -> str:
        """Return the C++ of a condition in which all parts are evaluated, if that cannot fail."""
        return self.print(condition) if _divides(condition) else self._print_bits(condition)

    def _print_bits(self, condition: Any) -> str:
        if isinstance(condition, ASTExpression):
            operator = condition.get_binary_operator()
            if isinstance(operator, ASTLogicalOperator):
                left, right = self._print_bits(condition.get_lhs()), self._print_bits(condition.get_rhs())
                return f"( {left} ) {'&' if operator.is_logical_and else '|'} ( {right} )"
            if condition.is_encapsulated:
                return self._print_bits(condition.get_expression())
        return self.print(condition)


def _divides(node: Any) -> bool:
    """Return whether there is a division in an expression, which fails for integers if the divisor is zero."""
    if isinstance(node, ASTArithmeticOperator):
        return bool(node.is_div_op or node.is_modulo_op)
    return any(_divides(child) for child in node.get_children() if child is not None)


class FunctionCallPrinter(NESTCppFunctionCallPrinter):  # type: ignore[misc]  # NESTML is not typed
    """A printer of calls of functions; those of the model are static members of a class ``Functions``."""

    def __init__(self, expression_printer: Any) -> None:
        super().__init__(expression_printer)
        #: C++ of random numbers that are drawn before a step, by the call in NESTML.
        self.draws: Mapping[Any, str] = {}

    def _print_function_call_format_string(self, call: Any) -> str:
        name = call.get_name()
        if call in self.draws:  # a mean and a standard deviation, or an offset and a scale
            return f"( ( {{!s}} ) + ( {{!s}} ) * {self.draws[call]} )"
        if name == PredefinedFunctions.TIME_TIMESTEP:
            return "nest::Time::get_resolution().get_ms()"
        if name == PredefinedFunctions.POW:  # also NESTML's operator **
            exponent = str(call.get_args()[1]).replace(" ", "")
            if re.fullmatch(r"-?\d{1,3}", exponent):
                return f"nestml_optimised::pow( {{0!s}}, std::integral_constant< int, {exponent} >() )"
            return "nestml_optimised::pow( {!s}, {!s} )"
        if name in _VECTORISED:
            return f"nestml_optimised::{_VECTORISED[name]}( {{!s}} )"
        scope = call.get_scope()
        symbol = scope.resolve_to_symbol(name, SymbolKind.FUNCTION) if scope else None
        text = str(super()._print_function_call_format_string(call))
        return text if symbol is None or symbol.is_predefined else f"Functions::{text}"


#: NESTML's functions that elementary_functions.h provides, with their names there.
_VECTORISED = {
    PredefinedFunctions.EXP: "exp",
    PredefinedFunctions.EXPM1: "expm1",
    PredefinedFunctions.LN: "log",
    PredefinedFunctions.LOG10: "log10",
    PredefinedFunctions.TANH: "tanh",
}

#: Names of the generated functions' own variables.
_RESERVED = {"s", "p", "c", "in", "x", "dxdt", "origin", "lag", "with_input", "integration"}


def local_name(name: str) -> str:
    """Return the C++ of a local variable in the statements of a model."""
    return f"{name}_" if name in _RESERVED or name.startswith(("next_", "drive_")) else name


def cpp_name(name: str) -> str:
    """Return the name in C++ of a variable in NESTML, whose name may end in primes."""
    return name.replace("'", "__d").replace("$", "__DOLLAR")


class Translator:
    """A translator of expressions of one model.

    Parameters
    ----------
    printer
        NESTML's printer of C++ expressions, around a `ScopedVariablePrinter`.
    variables : ScopedVariablePrinter
    names : mapping of str to str
        The C++ of the model's names.
    """

    def __init__(self, printer: Any, variables: ScopedVariablePrinter, names: Mapping[str, str] | None = None) -> None:
        self._printer = printer
        self._variables = variables
        self.names = names or {}

    def with_names(self, names: Mapping[str, str]) -> "Translator":
        """Return a translator that prints these names."""
        return Translator(self._printer, self._variables, names)

    @contextmanager
    def _printing(self, names: Mapping[str, str]) -> Iterator[None]:
        before, self._variables.names = self._variables.names, names
        try:
            yield
        finally:
            self._variables.names = before

    def to_sympy(self, expression: Any) -> sympy.Expr:
        """Return a NESTML expression in SymPy's terms, in NEST's units, with the model's names as symbols.

        Raises
        ------
        UnsupportedModelError
            If it is not arithmetic.
        """
        with self._printing(_Identity()):
            text = self._printer.print(expression)
        text = re.sub(r"std::integral_constant< int, (-?\d+) >\(\)", r"\1", text)
        return parse(text.replace("std::", "").replace("nestml_optimised::", "").replace("(double)", ""))

    def print(self, expression: Any) -> str:
        """Return the C++ of a NESTML expression."""
        with self._printing(self.names):
            return str(self._printer.print(expression))

    def print_without_branches(self, condition: Any) -> str:
        """Return the C++ of a NESTML condition in which all parts are evaluated, if that cannot fail."""
        with self._printing(self.names):
            return str(self._printer.print_without_branches(condition))

    def to_cpp(self, expression: sympy.Expr) -> str:
        """Return the C++ of a SymPy expression whose symbols are the model's names."""
        names = {symbol: sympy.Symbol(self.names[str(symbol)]) for symbol in expression.free_symbols}
        return print_cpp(expression.xreplace(names))


class _Identity(dict[str, str]):
    """A mapping of every name to itself."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return name


def names_of(expression: sympy.Expr) -> set[str]:
    """Return the names of an expression's symbols."""
    return {str(symbol) for symbol in expression.free_symbols}


def parse(text: str, values: Mapping[str, sympy.Expr] | None = None) -> sympy.Expr:
    """Return the SymPy expression of a text, in which every name but e and pi is a symbol.

    Parameters
    ----------
    text : str
    values : mapping of str to sympy.Expr, optional
        Expressions that replace names.

    Raises
    ------
    UnsupportedModelError
        If the text is not arithmetic.
    """
    names = {name: sympy.Symbol(name) for name in re.findall(r"\b[^\W\d]\w*", text)}
    functions = {name: getattr(sympy, name) for name in ("exp", "log", "sqrt", "Min", "Max", "Abs") if name in text}
    try:
        return sympy.sympify(text, locals={**names, **_CONSTANTS, **functions, **(values or {})})
    except (sympy.SympifyError, SyntaxError, TypeError, AttributeError) as error:
        raise UnsupportedModelError(f"the expression {text} is not plain arithmetic") from error


def tidy(expression: sympy.Expr) -> sympy.Expr:
    """Return the expression without factors such as 1.0, which unit conversions leave."""
    numbers = [number for number in expression.atoms(sympy.Float) if float(number).is_integer()]
    return expression.xreplace({number: sympy.Integer(int(number)) for number in numbers})


def print_cpp(expression: sympy.Expr) -> str:
    """Return the C++ of an expression whose symbols are names in C++."""
    return str(sympy.cxxcode(tidy(expression), standard="c++17"))


def is_zero(expression: sympy.Expr) -> bool:
    """Return whether an expression vanishes identically."""
    return bool(sympy.simplify(expression) == 0)
