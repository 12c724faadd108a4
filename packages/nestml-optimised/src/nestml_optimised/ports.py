# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Input ports of a model, and the statements that use spike input."""

from dataclasses import dataclass
from typing import Any

import sympy
from pynestml.utils.ast_utils import ASTUtils
from pynestml.visitors.ast_visitor import ASTVisitor

from nestml_optimised.description import Receptor
from nestml_optimised.errors import ModelError, UnsupportedModelError
from nestml_optimised.expressions import is_zero
from nestml_optimised.model import Model, symbol_name

__all__ = [
    "WEIGHTS",
    "Ports",
    "check_ports",
    "find_ports",
    "find_unread_ports",
    "name_receptors",
    "rewrite_spike_input",
]


#: A part of the names by which rewritten statements refer to the sum of the weights of a port's spikes.
WEIGHTS = "__weights"


@dataclass(frozen=True)
class Ports:
    """The input ports of a model.

    Attributes
    ----------
    spikes : tuple of str
        Spike ports, by receptor.
    receptors : tuple of Receptor
    counted : tuple of str
        Spike ports whose spikes are counted.
    current : str
        The port of a continuous current, or "".
    """

    spikes: tuple[str, ...]
    receptors: tuple[Receptor, ...]
    counted: tuple[str, ...]
    current: str


def find_ports(model: Model) -> Ports:
    """Return the ports of a model.

    An excitatory and an inhibitory port share a receptor, by the sign of the weight; any other port has one of its own.
    Receptors are in the order of their first ports, as in NESTML's code where that has a receptor for each port.
    """
    pairs: list[list[Any]] = []
    for port in model.neuron.get_spike_input_ports():
        open_pairs = [
            pair
            for pair in pairs
            if len(pair) == 1 and not _takes_both(pair[0]) and pair[0].is_excitatory() == port.is_inhibitory()
        ]
        if open_pairs and not _takes_both(port):
            open_pairs[0].append(port)
        else:
            pairs.append([port])
    spikes: list[str] = []
    receptors = []
    for pair in pairs:
        receptors.append(Receptor(len(spikes), len(spikes) + len(pair) - 1))
        spikes += [symbol_name(port) for port in sorted(pair, key=lambda port: not port.is_excitatory())]
    blocks = model.neuron.get_on_receive_blocks()
    counted = tuple(block.get_port_name() for block in blocks if not _only_adds(model, block))
    current = [symbol_name(port) for port in model.neuron.get_continuous_input_ports()]
    return Ports(tuple(spikes), tuple(receptors), counted, current[0] if current else "")


def _takes_both(port: Any) -> bool:
    return bool(port.is_excitatory() == port.is_inhibitory())


def name_receptors(ports: Ports) -> tuple[tuple[str, int], ...]:
    """Return the names of NEST's receptor types for a model with several receptors, and their numbers from 1."""
    return tuple(
        (port.upper(), number)
        for number, receptor in enumerate(ports.receptors, 1)
        for port in ports.spikes[receptor.positive : receptor.negative + 1]
    )


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
    point, and would cost two operations in each step. Statements that are not linear in the input stay as they are.
    """
    values = {}
    for block in model.statement_blocks:
        for assignment in model.assignments_in(block):
            value = _cancel_units(model, assignment, ports)
            if value is not None:
                values[assignment] = value
    return model.rewrite(values)


def _cancel_units(model: Model, assignment: Any, ports: Ports) -> sympy.Expr | None:
    """Return the new right-hand side of an assignment, or None where no spike input is in it, or not linearly."""
    expression = model.right_hand_side(assignment)
    names = model.direct_names_in(expression)
    found = {sympy.Symbol(port): sympy.Symbol(port + WEIGHTS) for port in ports.spikes if port in names}
    if not found:
        return None
    try:
        value = model.translator.to_sympy(expression)
    except UnsupportedModelError:
        return None
    value = sympy.expand(value.xreplace({port: weights / 1000 for port, weights in found.items()}))
    value = sum(
        (w * sympy.nsimplify(value.coeff(w), rational=True, tolerance=1e-12) for w in found.values()),
        value.xreplace(dict.fromkeys(found.values(), sympy.Integer(0))),
    )
    if any(is_zero(sympy.diff(value, w)) or sympy.diff(value, w).has(w) for w in found.values()):
        return None
    return value.xreplace({sympy.Symbol(name): number for name, number in model.numbers.items()})


def _only_adds(model: Model, block: Any) -> bool:
    """Return whether a block ``onReceive`` only adds multiples of the weights to variables.

    Its statements then have no effect in a step without spikes, so that it need not be known whether there are any.
    """
    statements = block.get_stmts_body().get_stmts()
    assignments = [
        s.small_stmt.get_assignment() for s in statements if s.is_small_stmt() and s.small_stmt.is_assignment()
    ]
    if len(assignments) != len(statements) or not all(a.is_compound_sum or a.is_compound_minus for a in assignments):
        return False
    no_spike = {sympy.Symbol(block.get_port_name()): sympy.Integer(0)}
    try:
        values = [model.translator.to_sympy(model.right_hand_side(assignment)) for assignment in assignments]
    except UnsupportedModelError:
        return False
    return all(is_zero(value.xreplace(no_spike)) for value in values)
