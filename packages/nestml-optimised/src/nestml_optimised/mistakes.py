# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Mistakes in models that NESTML accepts, or reports as another one."""

import math
import operator
from collections.abc import Iterator
from typing import Any

from pynestml.cocos.co_co_integrate_odes_called_if_equations_defined import (
    EquationsDefinedVisitor,
    IntegrateOdesCalledVisitor,
)
from pynestml.symbols.unit_type_symbol import UnitTypeSymbol

__all__ = ["find_duplicates", "find_mistakes"]

#: A line and column, and a message.
Mistake = tuple[int, int, str]

_ARITHMETIC = {
    "is_plus_op": operator.add,
    "is_minus_op": operator.sub,
    "is_times_op": operator.mul,
    "is_div_op": operator.truediv,
    "is_modulo_op": math.fmod,
    "is_pow_op": operator.pow,
}
_COMPARISONS = {
    "is_lt": operator.lt,
    "is_le": operator.le,
    "is_eq": operator.eq,
    "is_ne": operator.ne,
    "is_ne2": operator.ne,
    "is_ge": operator.ge,
    "is_gt": operator.gt,
}


class _UnknownError(Exception):
    """An expression whose value is not computed here."""


def find_duplicates(model: Any) -> Iterator[tuple[str, Mistake]]:
    """Yield each name that a model declares again, with its second place."""
    places: dict[str, str] = {}
    for name, block, node in _names(model):
        position = node.get_source_position()
        if name in places:
            text = f'"{name}" is declared more than once: in {places[name]}, and under {block}'
            yield name, (position.start_line, position.start_column, text)
        places.setdefault(name, f"line {position.start_line} under {block}")


def find_mistakes(model: Any) -> Iterator[Mistake]:
    """Yield the other mistakes of a model that has passed NESTML's checks."""
    equations, integrates = EquationsDefinedVisitor(), IntegrateOdesCalledVisitor()
    model.accept(equations)
    model.accept(integrates)
    if integrates.integrate_odes_called() and not equations.equations_defined():
        (line, column) = _position(model.get_update_blocks()[0]) if model.get_update_blocks() else (0, 0)
        yield line, column, "integrate_odes() has no effect, since the model has no equations"
    values = _defaults(model)
    for invariant in model.get_parameter_invariants():
        try:
            met = _evaluate(invariant, values)
        except (_UnknownError, ArithmeticError):
            continue
        if not met:
            names = dict.fromkeys(variable.get_complete_name() for variable in invariant.get_variables())
            shown = ", ".join(f"{name} is {values[name]}" for name in names if name in values)
            yield *_position(invariant), f"the default values violate the invariant {invariant}: {shown}"


def _position(node: Any) -> tuple[int, int]:
    position = node.get_source_position()
    return position.start_line, position.start_column


def _names(model: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the names that a model declares, with the name of the block and the node of each, in the file's order."""
    found = []
    for block, blocks in (
        ("state", model.get_state_blocks()),
        ("parameters", model.get_parameters_blocks()),
        ("internals", model.get_internals_blocks()),
    ):
        variables = (v for part in blocks for d in part.get_declarations() for v in d.get_variables())
        found += [(variable.get_complete_name(), block, variable) for variable in variables]
    for part in model.get_equations_blocks():
        found += [(inline.get_variable_name(), "equations", inline) for inline in part.get_inline_expressions()]
    for part in model.get_input_blocks():
        found += [(port.get_name(), "input", port) for port in part.get_input_ports()]
    return iter(sorted(found, key=lambda entry: _position(entry[2])))


def _defaults(model: Any) -> dict[str, Any]:
    """Return the expressions of the default values of parameters and internals, by name."""
    blocks = model.get_parameters_blocks() + model.get_internals_blocks()
    declarations = [
        d for b in blocks for d in b.get_declarations() if d.has_expression() and not d.has_size_parameter()
    ]
    return {v.get_complete_name(): d.get_expression() for d in declarations for v in d.get_variables()}


def _evaluate(node: Any, values: dict[str, Any]) -> Any:
    """Return the value of an expression in SI units.

    Raises
    ------
    _UnknownError
        If it has functions or variables without a default, or a comparison depends on rounding.
    """
    if getattr(node, "is_encapsulated", False):
        return _evaluate(node.get_expression(), values)
    if hasattr(node, "is_numeric_literal"):
        return _evaluate_simple(node, values)
    if node.is_unary_operator():
        value, unary = _evaluate(node.get_expression(), values), node.get_unary_operator()
        return -value if unary.is_unary_minus else value
    if node.is_logical_not:
        return not _evaluate(node.get_expression(), values)
    if not node.is_compound_expression():
        raise _UnknownError
    left, right = _evaluate(node.get_lhs(), values), _evaluate(node.get_rhs(), values)
    binary = node.get_binary_operator()
    if hasattr(binary, "is_logical_and"):
        return left and right if binary.is_logical_and else left or right
    for name, function in (_ARITHMETIC | _COMPARISONS).items():
        if getattr(binary, name, False):
            if name in _COMPARISONS and left != right and math.isclose(left, right, rel_tol=1e-9):
                raise _UnknownError
            return function(left, right)
    raise _UnknownError


def _evaluate_simple(node: Any, values: dict[str, Any]) -> Any:
    """Return the value of a literal or a variable in SI units."""
    if node.is_numeric_literal() or node.is_numeric_literal_with_unit():
        scale = node.type.astropy_unit.decompose().scale if isinstance(node.type, UnitTypeSymbol) else 1
        return node.get_numeric_literal() * scale
    if node.is_variable() and (name := node.get_variable().get_complete_name()) in values:
        return _evaluate(values[name], {key: value for key, value in values.items() if key != name})
    if node.get_boolean_literal() is not None:
        return node.get_boolean_literal()
    raise _UnknownError
