# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Expressions between NESTML, SymPy and C++."""

from collections.abc import Mapping
from typing import Any

import sympy
from pynestml.codegeneration.printers.nest_variable_printer import NESTVariablePrinter
from pynestml.symbols.predefined_variables import PredefinedVariables
from pynestml.symbols.symbol import SymbolKind

from nestml_optimised.errors import UnsupportedModelError

__all__ = ["ScopedVariablePrinter", "Translator", "cpp_name", "is_zero", "parse", "print_cpp", "tidy"]

_CONSTANTS = {"e": sympy.E, "pi": sympy.pi}


class ScopedVariablePrinter(NESTVariablePrinter):  # type: ignore[misc]  # NESTML is not typed
    """Print variables by the names that they have inside the generated functions.

    NESTML's own printer refers to members of the neuron. The optimised code works on copies in local variables,
    which a compiler can keep in registers: ``s`` is the state, ``p`` the neuron's own parameters, ``c`` what it
    shares with others, ``in`` its input.
    """

    def __init__(self) -> None:
        super().__init__(None)
        #: C++ by the name in NESTML; what is not in it is a local variable.
        self.names: dict[str, str] = {}

    def print_variable(self, variable: Any) -> str:
        """Return the C++ of a variable."""
        name = variable.get_complete_name()
        if name in (PredefinedVariables.E_CONSTANT, PredefinedVariables.PI_CONSTANT):
            return str(super().print_variable(variable))
        if name == PredefinedVariables.TIME_CONSTANT:
            raise UnsupportedModelError("the model uses the time t: nothing may depend on it but convolutions")
        cpp = cpp_name(name)
        if cpp in self.names:
            return self.names[cpp]
        symbol = variable.get_scope().resolve_to_symbol(name, SymbolKind.VARIABLE)
        if symbol is not None and not symbol.is_local():
            raise UnsupportedModelError(f"the variable {name} is of a kind that is not supported")
        return cpp


def cpp_name(name: str) -> str:
    """Return the name in C++ of a variable in NESTML, whose name may end in primes."""
    return name.replace("'", "__d").replace("$", "__DOLLAR")


class Translator:
    """Translate expressions of one model.

    Parameters
    ----------
    printer
        NESTML's printer that makes C++ of an expression, around a `ScopedVariablePrinter`.
    variables : ScopedVariablePrinter
    """

    def __init__(self, printer: Any, variables: ScopedVariablePrinter) -> None:
        self._printer = printer
        self._variables = variables

    def to_sympy(self, expression: Any) -> sympy.Expr:
        """Return a NESTML expression in SymPy's terms, in NEST's units, with the model's names as symbols.

        Raises
        ------
        UnsupportedModelError
            If it is not arithmetic.
        """
        names, self._variables.names = self._variables.names, _Identity()
        try:
            text = self._printer.print(expression).replace("std::", "")
        finally:
            self._variables.names = names
        try:
            return parse(text)
        except (sympy.SympifyError, SyntaxError, TypeError, AttributeError) as error:
            raise UnsupportedModelError(f"the expression {expression} is not plain arithmetic") from error

    def to_cpp(self, expression: sympy.Expr) -> str:
        """Return the C++ of a SymPy expression that is made of the model's names."""
        names = {symbol: sympy.Symbol(self._variables.names[str(symbol)]) for symbol in expression.free_symbols}
        return print_cpp(expression.xreplace(names))


class _Identity(dict[str, str]):
    """Every name stands for itself."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return name


def parse(text: str, values: Mapping[str, sympy.Expr] | None = None) -> sympy.Expr:
    """Return the SymPy expression that a text stands for; every name in it is a symbol, but for e and pi."""
    names = {name: sympy.Symbol(name) for name in _identifiers(text)}
    functions = {name: getattr(sympy, name) for name in ("exp", "log", "sqrt", "Min", "Max", "Abs") if name in text}
    return sympy.sympify(text, locals={**names, **_CONSTANTS, **functions, **(values or {})})


def _identifiers(text: str) -> set[str]:
    word, words = "", set()
    for character in text + " ":
        if character.isalnum() or character == "_":
            word += character
        else:
            if word and not word[0].isdigit():
                words.add(word)
            word = ""
    return words


def tidy(expression: sympy.Expr) -> sympy.Expr:
    """Return the expression with factors of 1.0 and the like removed, which unit conversions leave."""
    numbers = [number for number in expression.atoms(sympy.Float) if float(number).is_integer()]
    return expression.xreplace({number: sympy.Integer(int(number)) for number in numbers})


def print_cpp(expression: sympy.Expr) -> str:
    """Return the C++ of an expression whose symbols are names in C++."""
    return str(sympy.cxxcode(tidy(expression), standard="c++17"))


def is_zero(expression: sympy.Expr) -> bool:
    """Return whether an expression vanishes identically."""
    return bool(sympy.simplify(expression) == 0)
