# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Input ports of a model, and the statements that use spike input."""

from dataclasses import dataclass
from typing import Any

import sympy

from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import is_zero
from nestml_optimised.model import Model, symbol_name

__all__ = ["Ports", "find_ports", "rewrite_spike_input"]


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
