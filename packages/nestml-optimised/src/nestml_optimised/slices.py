# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Conditions under which a neuron can advance over a slice of time at once, and the bound that allows it.

Between two exchanges of spikes, a neuron without input follows its linear equations alone, and the distance of the
membrane potential from the threshold is a linear function of the state at the start of the slice, a different one for
each step. If an upper bound of all of them is negative, there is no spike, and the state at the end of the slice is one
matrix times that at its start.
"""

from dataclasses import dataclass, replace
from typing import Any

import sympy
from pynestml.meta_model.ast_comparison_operator import ASTComparisonOperator
from pynestml.meta_model.ast_logical_operator import ASTLogicalOperator
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.utils.ast_utils import ASTUtils

from nestml_optimised.description import Formula, NeuronDescription, SliceBound
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, is_zero, names_of
from nestml_optimised.model import Model

__all__ = ["find_bound", "threshold_distance"]


@dataclass(frozen=True)
class _Context:
    """The parts of an analysis that decide whether a step is covered by the bound."""

    model: Model
    description: NeuronDescription
    counters: set[str]
    translator: Translator


@dataclass(frozen=True)
class _QuietStep:
    """The effects of the update block in a step where no refractory period is running."""

    integrated: bool = False
    drives: tuple[Formula, ...] = ()
    decays: tuple[Formula, ...] = ()
    counter: str = ""
    counter_runs_along: bool = True


def threshold_distance(model: Model, counters: set[str]) -> sympy.Expr | None:
    """Return the quantity that must not be negative for a spike, or None if the condition is of another form.

    The condition has to be one comparison of quantities. It may be joined by ``and`` to comparisons of a refractory
    counter with zero.

    Parameters
    ----------
    model : Model
    counters : set of str
        State variables that count steps.
    """
    blocks = model.neuron.get_on_condition_blocks()
    if len(blocks) != 1:
        return None
    found: list[sympy.Expr] = []
    for comparison in _conjunction(blocks[0].get_cond_expr()):
        operator = getattr(comparison, "binary_operator", None)
        if not isinstance(operator, ASTComparisonOperator):
            return None
        try:
            left, right = model.expand(comparison.lhs), model.expand(comparison.rhs)
        except UnsupportedModelError:
            return None
        if left.is_Symbol and str(left) in counters:
            if not (right == 0 and (operator.is_eq or operator.is_le)):
                return None
        elif operator.is_ge or operator.is_gt:
            found.append(left - right)
        elif operator.is_le or operator.is_lt:
            found.append(right - left)
        else:
            return None
    return sympy.expand(found[0]) if len(found) == 1 else None


def find_bound(
    model: Model,
    description: NeuronDescription,
    distance: sympy.Expr,
    counters: set[str],
    driving: set[str],
    translator: Translator,
) -> SliceBound:
    """Return the bound of a neuron.

    Parameters
    ----------
    model : Model
    description : NeuronDescription
        Without a bound yet.
    distance : sympy.Expr
        From `threshold_distance`.
    counters : set of str
        State variables that count steps.
    driving : set of str
        The names in the inhomogeneous terms of the equations.
    translator : Translator
        With the model's names.

    Raises
    ------
    UnsupportedModelError
        With the reason, if a step does more than the bound covers.
    """
    blocks = model.neuron.get_update_blocks()
    if len(blocks) != 1:
        raise UnsupportedModelError("there is not exactly one update block")
    context = _Context(model, description, counters, translator)
    step = _follow(blocks[0].get_stmts_body().get_stmts(), _QuietStep(), context)
    guards = _guards(model) & counters
    if len(guards) > 1 or (step.counter and guards != {step.counter}):
        raise UnsupportedModelError("the condition for a spike and the update block use different counters")
    if not step.integrated:
        raise UnsupportedModelError("a step outside of the refractory period does not integrate all equations")

    system = description.system
    decays = [decay.name for decay in step.decays]
    if moved := driving & set(decays):
        # During a slice the drives of the equations are constant.
        raise UnsupportedModelError(f"a step changes {', '.join(sorted(moved))}, on which the equations depend")
    varying = [name for name in system.variables if name in system.changing] + decays
    constant = [name for name in system.columns if name not in varying]
    coefficients, offset = _linearise(distance, varying + constant, description)
    return SliceBound(
        system=system,
        varying=tuple(varying),
        constant=tuple(constant),
        coefficients=tuple(translator.to_cpp(entry) for entry in coefficients),
        offset=translator.to_cpp(offset),
        drives=step.drives,
        decays=step.decays,
        counter=next(iter(guards), ""),
        counter_runs_along=step.counter_runs_along,
    )


def _linearise(
    distance: sympy.Expr, names: list[str], description: NeuronDescription
) -> tuple[list[sympy.Expr], sympy.Expr]:
    """Return the derivatives of the distance by some variables, and its value where they are zero."""
    if unknown := names_of(distance) & {variable.cpp for variable in description.state} - set(names):
        raise UnsupportedModelError(f"the condition for a spike depends on {', '.join(sorted(unknown))}")
    symbols = [sympy.Symbol(name) for name in names]
    gradient = [sympy.diff(distance, symbol) for symbol in symbols]
    if any(entry.has(*symbols) for entry in gradient):
        raise UnsupportedModelError("the condition for a spike is not linear in the state")
    offset = distance.xreplace(dict.fromkeys(symbols, sympy.Integer(0)))
    if names_of(offset) & set(description.ports):
        raise UnsupportedModelError("the condition for a spike depends on the spike input")
    return gradient, offset


def _conjunction(expression: Any) -> list[Any]:
    """Return the conditions that are joined by ``and``."""
    while getattr(expression, "is_encapsulated", False):
        expression = expression.get_expression()
    operator = getattr(expression, "binary_operator", None)
    if isinstance(operator, ASTLogicalOperator) and operator.is_logical_and:
        return _conjunction(expression.lhs) + _conjunction(expression.rhs)
    return [expression]


def _guards(model: Model) -> set[str]:
    """Return the variables that are compared on their own in the condition for a spike."""
    comparisons = _conjunction(model.neuron.get_on_condition_blocks()[0].get_cond_expr())
    return {str(left) for comparison in comparisons if (left := model.expand(comparison.lhs)).is_Symbol}


def _follow(statements: list[Any], step: _QuietStep, context: _Context) -> _QuietStep:
    """Return a step with the effects of further statements."""
    for statement in statements:
        if statement.is_compound_stmt():
            step = _follow_branch(statement.compound_stmt, step, context)
        elif statement.small_stmt.is_assignment():
            step = _follow_assignment(statement.small_stmt.get_assignment(), step, context)
        elif statement.small_stmt.is_function_call():
            step = _follow_call(statement.small_stmt.get_function_call(), step, context)
        else:
            raise UnsupportedModelError(f"a step does more than the bound covers: {statement}")
    return step


def _follow_branch(statement: Any, step: _QuietStep, context: _Context) -> _QuietStep:
    other_branch = UnsupportedModelError("the update block has a branch that does not depend on a refractory counter")
    if not statement.is_if_stmt() or statement.get_if_stmt().get_elif_clauses():
        raise other_branch
    branch = statement.get_if_stmt()
    condition = branch.get_if_clause().get_condition()
    operator = getattr(condition, "binary_operator", None)
    if not isinstance(operator, ASTComparisonOperator) or not operator.is_gt:
        raise other_branch
    counter = context.model.expand(condition.lhs)
    if (
        not counter.is_Symbol
        or str(counter) not in context.counters
        or context.model.expand(condition.rhs) != 0
        or step.counter not in ("", str(counter))
    ):
        raise other_branch
    refractory = branch.get_if_clause().get_stmts_body().get_stmts()
    otherwise = branch.get_else_clause().get_stmts_body().get_stmts() if branch.has_else_clause() else []
    only_counts = not otherwise and len(refractory) == 1 and _counts_down(refractory[0], str(counter), context.model)
    step = replace(step, counter=str(counter), counter_runs_along=step.counter_runs_along and only_counts)
    return _follow(otherwise, step, context)


def _counts_down(statement: Any, counter: str, model: Model) -> bool:
    if not statement.is_small_stmt():
        return False
    if statement.small_stmt.is_function_call():
        call = statement.small_stmt.get_function_call()
        arguments: list[str] = ASTUtils.integrate_odes_args_strs_from_function_call(call)
        return call.get_name() == PredefinedFunctions.INTEGRATE_ODES and arguments == [counter]
    if not statement.small_stmt.is_assignment():
        return False
    assignment = statement.small_stmt.get_assignment()
    return bool(
        cpp_name(assignment.get_variable().get_complete_name()) == counter
        and assignment.is_compound_minus
        and model.expand(model.right_hand_side(assignment)) == 1
    )


def _follow_assignment(assignment: Any, step: _QuietStep, context: _Context) -> _QuietStep:
    name = cpp_name(assignment.get_variable().get_complete_name())
    value = context.model.expand(context.model.right_hand_side(assignment))
    description, system = context.description, context.description.system
    state = {variable.cpp for variable in description.state}
    if assignment.is_direct_assignment and name in state:
        if name in system.variables and name not in system.changing and not step.integrated:
            if not names_of(value) & (state | set(description.ports)):
                return replace(step, drives=(*step.drives, Formula(name, context.translator.to_cpp(value))))
        elif name not in system.variables:
            factor = sympy.diff(value, sympy.Symbol(name))
            # It is stored with the propagators, and may depend on the same quantities.
            known = {variable.cpp for variable in description.shared}
            known |= {formula.name for formula in (*description.constants, *description.shared_internals)}
            if names_of(factor) <= known and is_zero(value - factor * sympy.Symbol(name)):
                return replace(step, decays=(*step.decays, Formula(name, context.translator.to_cpp(factor))))
    raise UnsupportedModelError(f"a step does more than the bound covers: {name} is set to {value}")


def _follow_call(call: Any, step: _QuietStep, context: _Context) -> _QuietStep:
    if call.get_name() != PredefinedFunctions.INTEGRATE_ODES or step.integrated:
        raise UnsupportedModelError(f"a step does more than the bound covers: {call}")
    arguments = ASTUtils.integrate_odes_args_strs_from_function_call(call)
    countdowns, system = context.description.countdowns, context.description.system
    if set(arguments) & set(countdowns) or (not arguments and countdowns):
        raise UnsupportedModelError("a timer runs outside of the refractory period")
    if left_out := system.changing - set(system.updated(arguments)) - set(system.convolutions):
        raise UnsupportedModelError(f"a step does not integrate {', '.join(sorted(left_out))}")
    return replace(step, integrated=True)
