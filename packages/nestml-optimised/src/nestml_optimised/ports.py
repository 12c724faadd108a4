# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Input ports of a model, and the statements that use spike input."""

from dataclasses import dataclass
from typing import Any

import sympy
from pynestml.utils.ast_utils import ASTUtils
from pynestml.visitors.ast_visitor import ASTVisitor

from nestml_optimised.errors import ModelError, UnsupportedModelError
from nestml_optimised.expressions import is_zero
from nestml_optimised.model import Model, symbol_name

__all__ = ["Ports", "check_ports", "find_ports", "find_unread_ports", "rewrite_spike_input"]


@dataclass(frozen=True)
class Ports:
    """The input ports of a model.

    Attributes
    ----------
    spikes : tuple of str
        Spike ports, excitatory first.
    current : str
        The port of a continuous current, or "".
    """

    spikes: tuple[str, ...]
    current: str


def find_ports(model: Model) -> Ports:
    """Return the ports of a model, which has one for all spikes or one for each sign of their weights.

    Raises
    ------
    UnsupportedModelError
        If it has other spike ports.
    """
    ports = model.neuron.get_spike_input_ports()
    both = [port for port in ports if port.is_excitatory() == port.is_inhibitory()]
    exc = [port for port in ports if port.is_excitatory() and port not in both]
    inh = [port for port in ports if port.is_inhibitory() and port not in both]
    if [len(both), len(exc), len(inh)] not in ([0, 0, 0], [1, 0, 0], [0, 1, 1]):
        raise UnsupportedModelError(
            "a model may have one spike port, or one excitatory and one inhibitory, but it has "
            + ", ".join(map(symbol_name, ports))
        )
    current = [symbol_name(port) for port in model.neuron.get_continuous_input_ports()]
    return Ports(tuple(map(symbol_name, both + exc + inh)), current[0] if current else "")


def check_ports(neuron: Any) -> None:
    """Check that spikes can reach all spike ports of a model in the code of NESTML's templates.

    The receptors of that code, and the sign of a weight, select one or two ports each. With several receptors, they
    are open only if at least two ports take both signs, or one is a vector.

    Raises
    ------
    ModelError
        If a port is out of reach.
    """
    ports = neuron.get_spike_input_ports()
    if len(ports) < 2:
        return
    receptors = list(ASTUtils.get_spike_input_ports_in_pairs(neuron).values())
    if len(neuron.get_multiple_receptors()) < 2 and not neuron.is_multisynapse_spikes():
        receptors = receptors[:1]
    reached = {port.get_symbol_name() for receptor in receptors for port in receptor}
    lost = [port.get_symbol_name() for port in ports if port.get_symbol_name() not in reached]
    if lost:
        raise ModelError(
            f"{neuron.get_name()}: NESTML's code would ignore spikes to the port {', '.join(lost)}. A model may have "
            "one spike port, one excitatory and one inhibitory port, or several that are neither (NEST's receptor "
            "types 1, 2, and so on)."
        )


def find_unread_ports(neuron: Any) -> list[str]:
    """Return the names of the input ports that no equation or statement of a model reads.

    A model without equations and statements ignores its input on purpose.
    """
    if not (neuron.get_equations_blocks() or neuron.get_update_blocks() or neuron.get_on_receive_blocks()):
        return []
    names = {block.get_port_name() for block in neuron.get_on_receive_blocks()}

    class Visitor(ASTVisitor):  # type: ignore[misc]  # NESTML is not typed
        def visit_variable(self, node: Any) -> None:
            names.add(node.get_name())

    neuron.accept(Visitor())
    ports = [port.get_name() for block in neuron.get_input_blocks() for port in block.get_input_ports()]
    return [name for name in ports if name not in names]


def rewrite_spike_input(model: Model, ports: Ports) -> Model:
    """Return the model with units cancelled where its statements use spike input.

    A port is in 1/s in NESTML, so that models multiply it by 1 s. The two factors need not cancel in floating
    point, and would cost two operations in each step.

    Raises
    ------
    UnsupportedModelError
        If a statement is not linear in the input, or a block ``onReceive`` does more than to add to variables.
    """
    values = {}
    for block in model.statement_blocks:
        for assignment in model.assignments_in(block):
            value = _cancel_units(model, assignment, ports)
            if value is not None:
                values[assignment] = value
    rewritten = model.rewrite(values)
    for block in model.neuron.get_on_receive_blocks():
        _check_on_receive(rewritten, block)
    return rewritten


def _cancel_units(model: Model, assignment: Any, ports: Ports) -> sympy.Expr | None:
    """Return the new right-hand side of an assignment, or None where no spike input is in it."""
    expression = model.right_hand_side(assignment)
    names = model.direct_names_in(expression)
    found = [sympy.Symbol(port) for port in ports.spikes if port in names]
    if not found:
        return None
    value = sympy.expand(model.translator.to_sympy(expression).xreplace({port: port / 1000 for port in found}))
    value = sum(
        (port * sympy.nsimplify(value.coeff(port), rational=True, tolerance=1e-12) for port in found),
        value.xreplace(dict.fromkeys(found, sympy.Integer(0))),
    )
    if any(is_zero(sympy.diff(value, port)) or sympy.diff(value, port).has(port) for port in found):
        raise UnsupportedModelError(f"{assignment} is not linear in the spike input")
    return value.xreplace({sympy.Symbol(name): number for name, number in model.numbers.items()})


def _check_on_receive(model: Model, block: Any) -> None:
    statements = block.get_stmts_body().get_stmts()
    assignments = [
        s.small_stmt.get_assignment() for s in statements if s.is_small_stmt() and s.small_stmt.is_assignment()
    ]
    only_sums = all(a.is_compound_sum or a.is_compound_minus for a in assignments)
    if len(assignments) != len(statements) or not only_sums:
        raise UnsupportedModelError(
            f"onReceive({block.get_port_name()}) may only add to variables or subtract from them"
        )
    no_spike = {sympy.Symbol(block.get_port_name()): sympy.Integer(0)}
    for assignment in assignments:
        value = model.translator.to_sympy(model.right_hand_side(assignment))
        if not is_zero(value.xreplace(no_spike)):
            raise UnsupportedModelError(f"{assignment} changes a variable even without a spike")
