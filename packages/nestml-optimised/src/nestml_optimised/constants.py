# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Parts of the expressions in an update block that depend on parameters alone, so that steps need not compute them."""

from collections.abc import Iterator
from typing import Any

from pynestml.meta_model.ast_arithmetic_operator import ASTArithmeticOperator
from pynestml.meta_model.ast_assignment import ASTAssignment
from pynestml.meta_model.ast_expression import ASTExpression
from pynestml.meta_model.ast_function_call import ASTFunctionCall
from pynestml.meta_model.ast_simple_expression import ASTSimpleExpression
from pynestml.meta_model.ast_unary_operator import ASTUnaryOperator
from pynestml.meta_model.ast_variable import ASTVariable
from pynestml.symbols.predefined_functions import PredefinedFunctions

from nestml_optimised.model import Model, is_local

__all__ = ["find_constant_expressions", "name_constant_expressions"]

#: Functions that are worth a member, since they take the time of many additions.
_SLOW = {
    PredefinedFunctions.EXP,
    PredefinedFunctions.EXPM1,
    PredefinedFunctions.LN,
    PredefinedFunctions.LOG10,
    PredefinedFunctions.COSH,
    PredefinedFunctions.SINH,
    PredefinedFunctions.TANH,
    PredefinedFunctions.ERF,
    PredefinedFunctions.ERFC,
    PredefinedFunctions.POW,
}

#: Other functions whose value depends on their arguments alone, or is the same for a whole simulation.
_QUICK = {
    PredefinedFunctions.ABS,
    PredefinedFunctions.MAX,
    PredefinedFunctions.MIN,
    PredefinedFunctions.TIME_RESOLUTION,
    PredefinedFunctions.TIME_TIMESTEP,
}

_ARITHMETIC = (ASTExpression, ASTSimpleExpression, ASTArithmeticOperator, ASTUnaryOperator)


def find_constant_expressions(model: Model) -> list[Any]:
    """Return the largest expressions in update blocks that depend on parameters alone and call a slow function.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of ASTExpression or ASTSimpleExpression
        In the order of the model. Assignments that the analysis has rewritten are left out.
    """
    constants = model.constants()

    def is_constant(node: Any) -> bool:
        if isinstance(node, ASTVariable):
            return not is_local(node) and model.direct_names_in(node) <= constants
        if isinstance(node, ASTFunctionCall):
            return node.get_name() in _SLOW | _QUICK and all(map(is_constant, node.get_args()))
        if isinstance(node, ASTExpression) and node.is_ternary_operator():
            return False
        return isinstance(node, _ARITHMETIC) and all(map(is_constant, _children(node)))

    def find(node: Any) -> Iterator[Any]:
        if isinstance(node, ASTAssignment) and node in model.rewritten:
            return
        if isinstance(node, ASTExpression | ASTSimpleExpression) and _is_slow(node) and is_constant(node):
            yield node
            return
        for child in _children(node):
            yield from find(child)

    return [found for block in model.neuron.get_update_blocks() for found in find(block)]


def name_constant_expressions(expressions: list[Any]) -> dict[Any, str]:
    """Return a name for each expression, the same for equal ones."""
    names: dict[str, str] = {}
    return {node: names.setdefault(str(node), f"constant__{len(names) + 1}") for node in expressions}


def _is_slow(node: Any) -> bool:
    """Return whether a part of an expression calls a slow function."""
    if isinstance(node, ASTFunctionCall) and node.get_name() in _SLOW:
        return True
    if isinstance(node, ASTArithmeticOperator) and node.is_pow_op:
        return True
    return any(map(_is_slow, _children(node)))


def _children(node: Any) -> list[Any]:
    if isinstance(node, ASTSimpleExpression) and node.is_numeric_literal_with_unit():
        return []  # the unit is a variable in the tree
    return [child for child in node.get_children() if child is not None]
