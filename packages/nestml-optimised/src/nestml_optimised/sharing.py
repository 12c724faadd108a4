# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Quantities that are computed from parameters beforehand, once for all neurons that are equal in these parameters."""

from dataclasses import dataclass

import sympy

from nestml_optimised.constants import find_constant_expressions
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import names_of, parse
from nestml_optimised.model import Model
from nestml_optimised.ports import WEIGHTS, Ports
from nestml_optimised.system import Coefficients, Equations

__all__ = ["Sharing", "find_shared", "name_members"]


@dataclass(frozen=True)
class Sharing:
    """Parameters and internal variables that neurons share.

    Attributes
    ----------
    parameters : tuple of str
        In the model's order.
    internals : frozenset of str
        Internal variables that are computed beforehand.
    """

    parameters: tuple[str, ...]
    internals: frozenset[str]


def find_shared(model: Model, equations: Equations, distance: sympy.Expr | None) -> Sharing:
    """Return the parameters that enter quantities which are computed beforehand, and the internals among these.

    Parameters
    ----------
    model : Model
    equations : Equations
    distance : sympy.Expr or None
        The distance from the threshold, whose derivatives enter the bound of a slice.

    Raises
    ------
    UnsupportedModelError
        If such a quantity depends on the state or on input.
    """
    not_numbers = set(model.internals) - set(model.numbers)
    in_steps = [*model.statement_blocks, *(model.derivatives[v] for v in equations.nonlinear if v in model.derivatives)]
    internals = {name for node in in_steps for name in model.names_in(node)} & not_numbers
    entering = names_of(equations.matrix)
    for node in find_constant_expressions(model):
        entering |= model.names_in(node)
    for name in equations.convolutions:
        entering |= names_of(parse(model.system.initial_values[name], model.numbers))
    if distance is not None and not equations.nonlinear:
        for name in model.state:
            entering |= names_of(sympy.diff(distance, sympy.Symbol(name)))
    internals |= entering & set(model.internals)
    waiting = sorted(internals)
    while waiting:
        names = model.names_in(model.internals[waiting.pop()])
        entering |= names
        new = (names & not_numbers) - internals
        internals |= new
        waiting += sorted(new)
    if others := entering - set(model.parameters) - set(model.internals):
        raise UnsupportedModelError(f"internal variables or coefficients depend on {', '.join(sorted(others))}")
    return Sharing(tuple(name for name in model.parameters if name in entering), frozenset(internals))


def name_members(model: Model, ports: Ports, sharing: Sharing, coefficients: Coefficients) -> dict[str, str]:
    """Return the C++ of all names of a model inside the generated functions."""
    names = {name: f"s.{name}" for name in model.state}
    for name in model.parameters:
        names[name] = f"c.{name}" if name in sharing.parameters else f"p.{name}"
    for name in model.internals:
        if name in model.numbers:
            names[name] = name
        elif name in sharing.internals:
            names[name] = f"c.{name}"
        else:
            names[name] = f"compute_{name}( p, c )"
    names |= {name: f"compute_{name}( s, p, c, in )" for name in model.inlines}
    names |= {port + WEIGHTS: f"in.{port}" for port in ports.spikes}
    # Elsewhere, a port is a number of spikes per ms, NEST's unit of a rate, while models have it in 1/s.
    names |= {port: f"( 0.001 * in.{port} )" for port in ports.spikes}
    if ports.current:
        names[ports.current] = f"in.{ports.current}"
    return names | {name: f"c.{name}" for name in coefficients.values}
