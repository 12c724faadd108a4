# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The equations of a model: timers taken out, linear ones as a matrix, coefficients of drives computed beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy
from pynestml.codegeneration.nest_unit_converter import NESTUnitConverter
from pynestml.symbols.predefined_units import PredefinedUnits

from nestml_optimised.description import Formula, Jump, LinearSystem
from nestml_optimised.expressions import Translator, cpp_name, is_zero, names_of, parse, print_cpp, tidy
from nestml_optimised.model import Model, integrated_name

__all__ = [
    "CONVOLUTION",
    "Coefficients",
    "Equations",
    "describe_deltas",
    "describe_system",
    "precompute_coefficients",
    "reduce_system",
]

#: A part of the names of the state variables that NESTML makes from convolutions.
CONVOLUTION = "__X__"


@dataclass(frozen=True)
class Equations:
    """The equations of a model without timers: linear ones in the form x' = A x + b, and others.

    Attributes
    ----------
    variables : tuple of str
        The n state variables x, convolutions among them.
    matrix : sympy.Matrix
        A, of shape (n, n).
    inhomogeneous : tuple of sympy.Expr
        b, of length n.
    nonlinear : tuple of str
        The variables whose derivatives are not linear with constant coefficients, or depend on such variables.
    convolutions : tuple of str
        The variables that NESTML made from convolutions.
    countdowns : tuple of str
        Timers, whose derivative is -1.
    """

    variables: tuple[str, ...]
    matrix: sympy.Matrix
    inhomogeneous: tuple[sympy.Expr, ...]
    nonlinear: tuple[str, ...]
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
    """Return the equations of a model without its timers, with internals that are numbers written out."""
    system = model.system
    timers = [i for i in range(len(system.variables)) if _is_timer(model, i)]
    linear = _find_linear(model, timers)
    variables = tuple(system.variables[i] for i in linear)
    return Equations(
        variables=variables,
        matrix=system.matrix.extract(linear, linear).applyfunc(lambda entry: tidy(parse(str(entry), model.numbers))),
        inhomogeneous=tuple(tidy(parse(str(system.inhomogeneous[i]), model.numbers)) for i in linear),
        nonlinear=tuple(name for i, name in enumerate(system.variables) if i not in linear and i not in timers),
        convolutions=tuple(name for name in variables if CONVOLUTION in name),
        countdowns=tuple(system.variables[i] for i in timers),
    )


def _is_timer(model: Model, row: int) -> bool:
    """Return whether the derivative of a variable is -1, and no other derivative depends on it."""
    system = model.system
    name = system.variables[row]
    return (
        system.nonlinear[row] == 0
        and system.inhomogeneous[row].is_number
        and float(system.inhomogeneous[row]) == -1
        and all(is_zero(entry) for entry in [*system.matrix[row, :], *system.matrix[:, row]])
        and not any(name in model.names_in(derivative) for derivative in model.derivatives.values())
    )


def _find_linear(model: Model, timers: list[int]) -> list[int]:
    """Return the rows of the equations that are linear with constant coefficients, and depend on no others."""
    system, constants = model.system, model.constants()
    rows = [
        i
        for i in range(len(system.variables))
        if i not in timers
        and system.nonlinear[i] == 0
        and names_of(system.matrix[i, :]) <= constants
        and not system.inhomogeneous[i].has(sympy.Piecewise)
    ]
    while True:
        others = set(range(len(system.variables))) - set(rows)
        kept = [i for i in rows if all(is_zero(system.matrix[i, j]) for j in others)]
        if kept == rows:
            return rows
        rows = kept


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
        port = name.split(CONVOLUTION)[1].split("__d")[0]
        if not is_zero(factor):
            jumps.append(Jump(name, port, "" if factor == 1 else translator.to_cpp(factor)))
    return tuple(jumps)


def describe_deltas(metadata: Mapping[str, Any], model: Model, translator: Translator) -> tuple[Jump, ...]:
    """Return the effects of spikes on variables whose derivatives contain a convolution with a delta function.

    Parameters
    ----------
    metadata : mapping
        From NESTML's transformers.
    model : Model
    translator : Translator
        With the model's names.
    """
    jumps = []
    for (variable, port), text in metadata.get("delta_factors", {}).items():
        factor = parse(text, model.numbers)
        known = {*model.parameters, *model.internals, *model.state, *model.inlines}
        units = {
            sympy.Symbol(unit): sympy.nsimplify(NESTUnitConverter.get_factor(PredefinedUnits.get_unit(unit).get_unit()))
            for unit in names_of(factor) - known
        }
        factor = tidy(factor.xreplace(units))
        jumps.append(Jump(integrated_name(variable), port.get_name(), "" if factor == 1 else translator.to_cpp(factor)))
    return tuple(jumps)


def _reachable(entries: set[tuple[int, int]], dimension: int, order: int) -> tuple[tuple[int, int], ...]:
    """Return where the exponential of a matrix may differ from zero, without the rows of constant states."""
    reach = [[i == j or (i, j) in entries for j in range(dimension)] for i in range(dimension)]
    for k in range(dimension):
        for i in range(dimension):
            for j in range(dimension):
                reach[i][j] = reach[i][j] or (reach[i][k] and reach[k][j])
    changing = {i for i, _ in entries}
    return tuple((i, j) for i in range(order) for j in range(dimension) if reach[i][j] and i in changing)
