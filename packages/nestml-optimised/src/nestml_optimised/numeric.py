# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Equations that are integrated numerically, because they are not linear with constant coefficients."""

from collections.abc import Sequence

import sympy
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.utils.ast_utils import ASTUtils

from nestml_optimised.description import Formula, NumericStep, with_higher_orders
from nestml_optimised.expressions import Translator, local_name
from nestml_optimised.model import Model
from nestml_optimised.system import Equations

__all__ = ["describe_numeric_steps"]


def describe_numeric_steps(model: Model, equations: Equations, translator: Translator) -> tuple[NumericStep, ...]:
    """Return the numerical integrations of a model: one for each set of variables that a statement integrates.

    Parameters
    ----------
    model : Model
    equations : Equations
    translator : Translator
        With the model's names.
    """
    calls: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[str, ...]]] = {}
    for arguments in _calls(model):
        kept = with_higher_orders(arguments, equations.nonlinear)
        if kept:
            variables = _with_drivers(kept, arguments, model, equations)
            calls.setdefault((tuple(kept), tuple(variables)), []).append(arguments)
    return tuple(
        NumericStep(number, tuple(arguments), variables, kept, *_describe(variables, model, equations, translator))
        for number, ((kept, variables), arguments) in enumerate(calls.items(), 1)
    )


def _calls(model: Model) -> list[tuple[str, ...]]:
    """Return the arguments of all calls of ``integrate_odes``."""
    blocks = [*model.statement_blocks, *model.neuron.get_on_condition_blocks()]
    calls = [call for block in blocks for call in model.calls_in(block)]
    return [
        tuple(ASTUtils.integrate_odes_args_strs_from_function_call(call))
        for call in calls
        if call.get_name() == PredefinedFunctions.INTEGRATE_ODES
    ]


def _with_drivers(kept: list[str], arguments: Sequence[str], model: Model, equations: Equations) -> list[str]:
    """Return variables, and those with linear equations that they depend on and that change during the step."""
    moving = {*with_higher_orders(arguments, equations.variables), *equations.convolutions} & equations.changing()
    found = list(kept)
    for variable in found:  # which grows
        names = _derivative_names(variable, model, equations)
        found += [name for name in equations.variables if name in names & moving and name not in found]
    return found


def _derivative_names(variable: str, model: Model, equations: Equations) -> set[str]:
    if variable in model.derivatives:
        return model.names_in(model.derivatives[variable])
    return {str(symbol) for symbol in _derivative(variable, equations).free_symbols}


def _derivative(variable: str, equations: Equations) -> sympy.Expr:
    """Return the derivative of a variable without a written equation: of a convolution, or of a lower order."""
    if variable not in equations.variables:
        return sympy.Symbol(f"{variable}__d")
    row = equations.variables.index(variable)
    states = [sympy.Symbol(name) for name in equations.variables]
    return sum((equations.matrix[row, j] * state for j, state in enumerate(states)), equations.inhomogeneous[row])


def _describe(
    variables: Sequence[str], model: Model, equations: Equations, translator: Translator
) -> tuple[tuple[Formula, ...], tuple[Formula, ...]]:
    """Return the C++ of the derivatives, and before it of the inline expressions that they use."""
    inlines = {name: local_name(name) for name in model.written_inlines}
    local = translator.with_names({**translator.names, **inlines})
    derivatives = tuple(
        Formula(
            name,
            local.print(model.derivatives[name])
            if name in model.derivatives
            else local.to_cpp(_derivative(name, equations)),
        )
        for name in variables
    )
    needed: set[str] = set()
    waiting = [model.derivatives[name] for name in variables if name in model.derivatives]
    while waiting:
        new = (model.direct_names_in(waiting.pop()) & set(model.written_inlines)) - needed
        needed |= new
        waiting += [model.written_inlines[name] for name in sorted(new)]
    ordered = _by_dependence([name for name in model.written_inlines if name in needed], model)
    return tuple(Formula(inlines[name], local.print(model.written_inlines[name])) for name in ordered), derivatives


def _by_dependence(names: list[str], model: Model) -> list[str]:
    """Return inline expressions in an order in which each follows those that are in it."""
    ordered: list[str] = []
    while rest := [name for name in names if name not in ordered]:
        ordered += [name for name in rest if not model.direct_names_in(model.written_inlines[name]) & set(rest)]
    return ordered
