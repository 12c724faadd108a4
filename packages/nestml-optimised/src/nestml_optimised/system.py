# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The equations of a model: timers taken out, coefficients of drives computed beforehand, C++ of the matrix."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sympy

from nestml_optimised.description import Formula, Jump, LinearSystem
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, is_zero, names_of, parse, print_cpp, tidy
from nestml_optimised.model import Model, parse_in_scope

__all__ = [
    "CONVOLUTION",
    "Coefficients",
    "Equations",
    "describe_derivatives",
    "describe_system",
    "precompute_coefficients",
    "reduce_system",
]

#: A part of the names of the state variables that NESTML makes from convolutions.
CONVOLUTION = "__X__"


@dataclass(frozen=True)
class Equations:
    """The equations of a model without timers, in the form x' = A x + b where they are linear.

    Attributes
    ----------
    variables : tuple of str
        The n state variables x, convolutions among them.
    matrix : sympy.Matrix
        A, of shape (n, n).
    inhomogeneous : tuple of sympy.Expr
        b, of length n.
    convolutions : tuple of str
        The variables that NESTML made from convolutions.
    countdowns : tuple of str
        Timers, whose derivative is -1.
    """

    variables: tuple[str, ...]
    matrix: sympy.Matrix
    inhomogeneous: tuple[sympy.Expr, ...]
    convolutions: tuple[str, ...]
    countdowns: tuple[str, ...]

    def changing(self) -> set[str]:
        """Return the variables whose derivatives depend on any variable."""
        return {name for i, name in enumerate(self.variables) if any(not is_zero(entry) for entry in self.matrix[i, :])}


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of drives that depend on shared parameters alone, by name."""

    values: dict[str, sympy.Expr]


def reduce_system(model: Model) -> Equations:
    """Return the equations of a model without its timers, with internals that are numbers written out.

    Raises
    ------
    UnsupportedModelError
        If there are convolutions, and the equations are not linear.
    """
    system = model.system
    matrix = system.matrix.applyfunc(lambda entry: tidy(parse(str(entry), model.numbers)))
    inhomogeneous = [tidy(parse(str(entry), model.numbers)) for entry in system.inhomogeneous]
    timers = [
        i
        for i, value in enumerate(inhomogeneous)
        if value == -1 and all(is_zero(x) for x in list(matrix[i, :]) + list(matrix[:, i])) and system.nonlinear[i] == 0
    ]
    kept = [i for i in range(len(system.variables)) if i not in timers]
    variables = tuple(system.variables[i] for i in kept)
    convolutions = tuple(name for name in variables if CONVOLUTION in name)
    if convolutions and not model.is_linear:
        raise UnsupportedModelError("it has both convolutions and equations that are not linear")
    return Equations(
        variables=variables,
        matrix=matrix.extract(kept, kept),
        inhomogeneous=tuple(inhomogeneous[i] for i in kept),
        convolutions=convolutions,
        countdowns=tuple(system.variables[i] for i in timers),
    )


def precompute_coefficients(
    model: Model, equations: Equations, shared: tuple[str, ...]
) -> tuple[Model, Equations, Coefficients]:
    """Take out of drives everything that depends on shared parameters alone, since every update computes drives.

    Parameters
    ----------
    model : Model
    equations : Equations
    shared : tuple of str
        The shared parameters.

    Returns
    -------
    Model
        With other statements that set constant state variables.
    Equations
        With other inhomogeneous terms.
    Coefficients
    """
    if not model.is_linear:
        return model, equations, Coefficients({})
    coefficients: dict[str, sympy.Expr] = {}
    inhomogeneous = []
    for term, name in zip(equations.inhomogeneous, equations.variables, strict=True):
        value, found = _factor_out(term, f"drive_{name}", shared)
        inhomogeneous.append(value)
        coefficients |= found
    constant = set(equations.variables) - equations.changing()
    values = {}
    for block in model.neuron.get_update_blocks():
        for assignment in model.assignments_in(block):
            name = cpp_name(assignment.get_variable().get_complete_name())
            if name in constant and assignment.is_direct_assignment:
                expression = model.expand(model.right_hand_side(assignment))
                values[assignment], found = _factor_out(expression, name, shared)
                coefficients |= found
    return model.rewrite(values), replace(equations, inhomogeneous=tuple(inhomogeneous)), Coefficients(coefficients)


def _factor_out(expression: sympy.Expr, name: str, shared: Iterable[str]) -> tuple[sympy.Expr, dict[str, sympy.Expr]]:
    """Return the expression with coefficients replaced by names, and the coefficients."""
    symbols = [sympy.Symbol(parameter) for parameter in shared]
    coefficients, terms = {}, []
    for term in sympy.Add.make_args(sympy.expand(expression)):
        own, coefficient = term.as_independent(*symbols)
        if len(own.free_symbols) == 1 and own.is_Symbol and not coefficient.is_Symbol and coefficient != 1:
            symbol = sympy.Symbol(f"{name}_per_{own}")
            coefficients[str(symbol)] = coefficient
            terms.append(symbol * own)
        else:
            terms.append(term)
    return sum(terms, sympy.Integer(0)), coefficients


def describe_system(
    model: Model, equations: Equations, shared: tuple[str, ...], translator: Translator
) -> LinearSystem:
    """Return the C++ of linear equations.

    Parameters
    ----------
    model : Model
    equations : Equations
        After `precompute_coefficients`.
    shared : tuple of str
        The shared parameters.
    translator : Translator
        With the model's names.
    """
    order = len(equations.variables)
    entries = {
        (i, j): equations.matrix[i, j]
        for i in range(order)
        for j in range(order)
        if not is_zero(equations.matrix[i, j])
    }
    # Inhomogeneous terms become constant states: one for each, or one for all that are proportional.
    drives: list[tuple[int, sympy.Expr]] = []
    for row, term in enumerate(equations.inhomogeneous):
        if is_zero(term):
            continue
        for column, (_, drive) in enumerate(drives):
            ratio = sympy.simplify(term / drive)
            if names_of(ratio) <= set(shared):
                entries[row, order + column] = ratio
                break
        else:
            entries[row, order + len(drives)] = sympy.Integer(1)
            drives.append((row, term))
    return LinearSystem(
        variables=equations.variables,
        drives=tuple(Formula(equations.variables[row], translator.to_cpp(term)) for row, term in drives),
        matrix={place: print_cpp(entry) for place, entry in sorted(entries.items())},
        matrix_names=tuple(sorted({name for entry in entries.values() for name in names_of(entry)})),
        pattern=_reachable(set(entries), order + len(drives), order),
        convolutions=equations.convolutions,
        jumps=_describe_jumps(model, equations, translator),
    )


def _describe_jumps(model: Model, equations: Equations, translator: Translator) -> tuple[Jump, ...]:
    jumps = []
    for name in equations.convolutions:
        factor = tidy(parse(model.system.initial_values[name], model.numbers))
        port = name.split(CONVOLUTION)[1].removesuffix("__d")
        while port.endswith("__d"):
            port = port.removesuffix("__d")
        if not is_zero(factor):
            jumps.append(Jump(name, port, "" if factor == 1 else translator.to_cpp(factor)))
    return tuple(jumps)


def describe_derivatives(model: Model, equations: Equations, translator: Translator) -> tuple[Formula, ...]:
    """Return the C++ of the derivatives of equations that are not linear."""
    scope = model.neuron.get_scope()
    return tuple(
        Formula(name, translator.print(parse_in_scope(model.system.right_hand_sides[name], scope)))
        for name in equations.variables
    )


def _reachable(entries: set[tuple[int, int]], dimension: int, order: int) -> tuple[tuple[int, int], ...]:
    """Return where the exponential of a matrix may differ from zero, without the rows of constant states."""
    reach = [[i == j or (i, j) in entries for j in range(dimension)] for i in range(dimension)]
    for k in range(dimension):
        for i in range(dimension):
            for j in range(dimension):
                reach[i][j] = reach[i][j] or (reach[i][k] and reach[k][j])
    changing = {i for i, _ in entries}
    return tuple((i, j) for i in range(order) for j in range(dimension) if reach[i][j] and i in changing)
