# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""When a whole slice of time can be advanced at once: what a neuron's code must look like for that, and the bound.

Between two exchanges of spikes, a neuron without input follows its linear equations alone, and the distance of the
membrane potential from the threshold is a linear function of the state at the start of the slice, another one for each
step. If an upper bound of all of them is negative, there is no spike, and the state at the end of the slice is one
matrix times that at its start.
"""

from collections.abc import Callable
from typing import Any

import sympy
from pynestml.meta_model.ast_comparison_operator import ASTComparisonOperator
from pynestml.meta_model.ast_logical_operator import ASTLogicalOperator
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.utils.ast_utils import ASTUtils

from nestml_optimised.description import Formula, NeuronDescription, SliceBound
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, is_zero

__all__ = ["find_bound", "threshold_distance"]

_Expand = Callable[[Any], sympy.Expr]
_IsCounter = Callable[[str], bool]


def threshold_distance(neuron: Any, expand: _Expand, is_counter: _IsCounter) -> sympy.Expr | None:
    """Return what must not be negative for a spike, or None if the condition is of another form.

    The condition has to be one comparison of quantities, and may be joined by ``and`` to others which compare a
    refractory counter to zero.
    """
    blocks = neuron.get_on_condition_blocks()
    if len(blocks) != 1:
        return None
    found: list[sympy.Expr] = []
    for comparison in _conjunction(blocks[0].get_cond_expr()):
        operator = getattr(comparison, "binary_operator", None)
        if not isinstance(operator, ASTComparisonOperator):
            return None
        try:
            left, right = expand(comparison.lhs), expand(comparison.rhs)
        except UnsupportedModelError:
            return None
        if left.is_Symbol and is_counter(str(left)):
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
    neuron: Any,
    description: NeuronDescription,
    distance: sympy.Expr,
    expand: _Expand,
    is_counter: _IsCounter,
    translator: Translator,
    driving: set[str],
) -> SliceBound:
    """Return how slices of a neuron are skipped.

    Parameters
    ----------
    neuron : ASTModel
    description : NeuronDescription
        Without a bound yet.
    distance : sympy.Expr
        From `threshold_distance`.
    expand, is_counter : callable
        Of the analysis: the expression of a part of the model; whether a variable is a refractory counter.
    translator : Translator
    driving : set of str
        What the inhomogeneous terms of the equations depend on.

    Raises
    ------
    UnsupportedModelError
        With the reason, if a step does more than the bound covers.
    """
    blocks = neuron.get_update_blocks()
    if len(blocks) != 1:
        raise UnsupportedModelError("there is not exactly one update block")
    walk = _QuietStep(description, expand, is_counter, translator)
    walk.follow(blocks[0].get_stmts_body().get_stmts())
    counters = {str(s) for s in _guards(neuron, expand) if is_counter(str(s))}
    if len(counters) > 1 or (walk.counter and counters != {walk.counter}):
        raise UnsupportedModelError("the condition for a spike and the update block use different counters")
    if not walk.integrated:
        raise UnsupportedModelError("a step outside of the refractory period does not integrate all equations")

    changing = {description.variables[row] for row, _ in description.matrix if row < len(description.variables)}
    columns = description.columns()
    decays = [decay.name for decay in walk.decays]
    if moved := driving & set(decays):
        # During a slice the drives of the equations are constant.
        raise UnsupportedModelError(f"a step changes {', '.join(sorted(moved))}, on which the equations depend")
    varying = [name for name in description.variables if name in changing] + decays
    constant = [name for name in columns if name not in varying]
    unknown = {str(s) for s in distance.free_symbols} & {v.cpp for v in description.state} - set(varying + constant)
    if unknown:
        raise UnsupportedModelError(f"the condition for a spike depends on {', '.join(sorted(unknown))}")
    symbols = [sympy.Symbol(name) for name in varying + constant]
    gradient = [sympy.diff(distance, symbol) for symbol in symbols]
    if any(entry.has(*symbols) for entry in gradient):
        raise UnsupportedModelError("the condition for a spike is not linear in the state")
    offset = distance.xreplace(dict.fromkeys(symbols, sympy.Integer(0)))
    if any(port.cpp in map(str, offset.free_symbols) for port in description.ports):
        raise UnsupportedModelError("the condition for a spike depends on the spike input")
    return SliceBound(
        varying=varying,
        constant=constant,
        coefficients=[translator.to_cpp(entry) for entry in gradient],
        offset=translator.to_cpp(offset),
        drives=walk.drives,
        decays=walk.decays,
        counter=next(iter(counters), ""),
        counter_runs_along=walk.counter_runs_along,
    )


def _conjunction(expression: Any) -> list[Any]:
    """Return what is joined by ``and``."""
    while getattr(expression, "is_encapsulated", False):
        expression = expression.get_expression()
    operator = getattr(expression, "binary_operator", None)
    if isinstance(operator, ASTLogicalOperator) and operator.is_logical_and:
        return _conjunction(expression.lhs) + _conjunction(expression.rhs)
    return [expression]


def _guards(neuron: Any, expand: _Expand) -> set[sympy.Symbol]:
    return {
        symbol
        for comparison in _conjunction(neuron.get_on_condition_blocks()[0].get_cond_expr())
        for symbol in expand(comparison.lhs).free_symbols
        if expand(comparison.lhs).is_Symbol
    }


class _QuietStep:
    """Follow the update block where no refractory period is running, and gather what it does."""

    def __init__(
        self, description: NeuronDescription, expand: _Expand, is_counter: _IsCounter, translator: Translator
    ) -> None:
        self.description = description
        self.expand = expand
        self.is_counter = is_counter
        self.translator = translator
        self.integrated = False
        self.drives: list[Formula] = []
        self.decays: list[Formula] = []
        self.counter = ""
        self.counter_runs_along = True

    def follow(self, statements: list[Any]) -> None:
        for statement in statements:
            if statement.is_compound_stmt():
                self._branch(statement.compound_stmt)
            elif statement.small_stmt.is_assignment():
                self._assignment(statement.small_stmt.get_assignment())
            elif statement.small_stmt.is_function_call():
                self._call(statement.small_stmt.get_function_call())
            else:
                raise UnsupportedModelError(f"a step does more than the bound covers: {statement}")

    def _branch(self, statement: Any) -> None:
        if not statement.is_if_stmt() or statement.get_if_stmt().get_elif_clauses():
            raise UnsupportedModelError("the update block branches in another way than on a refractory counter")
        branch = statement.get_if_stmt()
        condition = branch.get_if_clause().get_condition()
        operator = getattr(condition, "binary_operator", None)
        if (
            not isinstance(operator, ASTComparisonOperator)
            or not operator.is_gt
            or not (counter := self.expand(condition.lhs)).is_Symbol
            or not self.is_counter(str(counter))
            or self.expand(condition.rhs) != 0
            or self.counter not in ("", str(counter))
        ):
            raise UnsupportedModelError("the update block branches in another way than on a refractory counter")
        self.counter = str(counter)
        refractory = branch.get_if_clause().get_stmts_body().get_stmts()
        otherwise = branch.get_else_clause().get_stmts_body().get_stmts() if branch.has_else_clause() else []
        if otherwise or len(refractory) != 1 or not self._counts_down(refractory[0]):
            self.counter_runs_along = False
        self.follow(otherwise)

    def _counts_down(self, statement: Any) -> bool:
        if not statement.is_small_stmt():
            return False
        if statement.small_stmt.is_function_call():
            call = statement.small_stmt.get_function_call()
            arguments: list[str] = ASTUtils.integrate_odes_args_strs_from_function_call(call)
            return call.get_name() == PredefinedFunctions.INTEGRATE_ODES and arguments == [self.counter]
        if not statement.small_stmt.is_assignment():
            return False
        assignment = statement.small_stmt.get_assignment()
        return bool(
            cpp_name(assignment.get_variable().get_complete_name()) == self.counter
            and assignment.is_compound_minus
            and self.expand(assignment.get_expression()) == 1
        )

    def _assignment(self, assignment: Any) -> None:
        name = cpp_name(assignment.get_variable().get_complete_name())
        value = self.expand(assignment.get_expression())
        symbol = sympy.Symbol(name)
        changing = {self.description.variables[row] for row, _ in self.description.matrix}
        state = {variable.cpp for variable in self.description.state}
        used = {str(s) for s in value.free_symbols}
        if assignment.is_direct_assignment and name in state:
            ports = {port.cpp for port in self.description.ports}
            if name in self.description.variables and name not in changing and not self.integrated:
                if not used & (state | ports):
                    self.drives.append(Formula(name, self.translator.to_cpp(value)))
                    return
            elif name not in self.description.variables:
                factor = sympy.diff(value, symbol)
                # It is kept with the propagators, and made of what they are made of.
                known = {variable.cpp for variable in self.description.shared}
                known |= {formula.name for formula in (*self.description.constants, *self.description.shared_internals)}
                if {str(s) for s in factor.free_symbols} <= known and is_zero(value - factor * symbol):
                    self.decays.append(Formula(name, self.translator.to_cpp(factor)))
                    return
        raise UnsupportedModelError(f"a step does more than the bound covers: {name} is set to {value}")

    def _call(self, call: Any) -> None:
        if call.get_name() != PredefinedFunctions.INTEGRATE_ODES or self.integrated:
            raise UnsupportedModelError(f"a step does more than the bound covers: {call}")
        arguments = ASTUtils.integrate_odes_args_strs_from_function_call(call)
        if any(name in self.description.countdowns for name in arguments) or (
            not arguments and self.description.countdowns
        ):
            raise UnsupportedModelError("a timer runs outside of the refractory period")
        changing = {self.description.variables[row] for row, _ in self.description.matrix}
        left_out = changing - set(self.description.updated(arguments)) - set(self.description.convolutions)
        if left_out:
            raise UnsupportedModelError(f"a step does not integrate {', '.join(sorted(left_out))}")
        self.integrated = True
