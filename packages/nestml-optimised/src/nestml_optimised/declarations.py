# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Declarations of a model in C++: variables, conditions on parameters, internals, inline expressions."""

from dataclasses import dataclass
from typing import Any

from pynestml.symbols.symbol import SymbolKind

from nestml_optimised.description import Condition, Formula, Variable
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, names_of, parse
from nestml_optimised.model import Model, symbol_name
from nestml_optimised.sharing import Sharing
from nestml_optimised.system import CONVOLUTION, Coefficients, Equations

__all__ = [
    "Internals",
    "Variables",
    "declare_inlines",
    "declare_internals",
    "declare_variables",
    "find_conditions",
    "find_used_names",
]

_COUNTDOWN = "nestml_optimised::Countdown"


@dataclass(frozen=True)
class Variables:
    """The state variables, own parameters and shared parameters of a model, and their defaults in its order."""

    state: tuple[Variable, ...]
    own: tuple[Variable, ...]
    shared: tuple[Variable, ...]
    defaults: tuple[Formula, ...]


@dataclass(frozen=True)
class Internals:
    """Internal variables: numbers; those computed from shared parameters; those computed when they are needed."""

    constants: tuple[Formula, ...]
    shared: tuple[Formula, ...]
    own: tuple[Formula, ...]


def declare_variables(
    model: Model, sharing: Sharing, equations: Equations, translator: Translator, types: Any
) -> Variables:
    """Return the variables that users of a model see, and convolutions.

    Parameters
    ----------
    model : Model
    sharing : Sharing
    equations : Equations
    translator : Translator
        With the model's names.
    types
        NESTML's helper for the types of declarations.

    Raises
    ------
    UnsupportedModelError
        If a variable is of a type that is not supported.
    """
    declared = [
        _declare(variable, declaration, equations, translator, types)
        for block in model.neuron.get_parameters_blocks() + model.neuron.get_state_blocks()
        for declaration in block.get_declarations()
        for variable in declaration.get_variables()
    ]
    parameters = [variable for variable in declared if variable.cpp in model.parameters]
    return Variables(
        state=tuple(variable for variable in declared if variable.cpp not in model.parameters),
        own=tuple(variable for variable in parameters if variable.cpp not in sharing.parameters),
        shared=tuple(variable for variable in parameters if variable.cpp in sharing.parameters),
        defaults=tuple(Formula(translator.names[variable.cpp], variable.value) for variable in declared),
    )


def _declare(variable: Any, declaration: Any, equations: Equations, translator: Translator, types: Any) -> Variable:
    name = variable.get_complete_name()
    cpp = cpp_name(name)
    if cpp in equations.countdowns:
        kind = _COUNTDOWN
    else:
        kind = types.print_variable_type(variable.get_scope().resolve_to_symbol(name, SymbolKind.VARIABLE))
        if kind not in ("double", "long", "bool"):
            raise UnsupportedModelError(f"the variable {name} is of the type {kind}")
    hidden = CONVOLUTION in cpp
    value = "0" if hidden or not declaration.has_expression() else translator.print(declaration.get_expression())
    comment = " ".join(" ".join(map(str, declaration.get_comments())).split())
    return Variable(name, cpp, kind, value, comment, hidden)


def find_conditions(model: Model, variables: Variables, translator: Translator) -> tuple[Condition, ...]:
    """Return the conditions on a model's parameters."""
    members = {variable.name: f"p.{variable.cpp}" for variable in variables.own}
    members |= {variable.name: f"c.{variable.cpp}" for variable in variables.shared}
    found = []
    for invariant in model.neuron.get_parameter_invariants():
        names = dict.fromkeys(v.get_complete_name() for v in invariant.get_variables())
        values = tuple(Formula(name, members[name]) for name in names if name in members)
        found.append(Condition(translator.print(invariant), str(invariant), values))
    return tuple(found)


def find_used_names(model: Model, equations: Equations) -> set[str]:
    """Return all names that the generated functions refer to."""
    neuron = model.neuron
    declarations = [d for b in neuron.get_state_blocks() + neuron.get_parameters_blocks() for d in b.get_declarations()]
    nodes = [*model.statement_blocks, *neuron.get_on_condition_blocks(), *declarations]
    used = {name for node in nodes for name in model.names_in(node)}
    for symbol in neuron.get_inline_expression_symbols():
        if symbol.is_recordable:
            used |= {symbol_name(symbol)} | model.names_in(symbol.get_declaring_expression())
    if model.is_linear:
        return used.union(*map(names_of, equations.inhomogeneous))
    return used.union(*(names_of(parse(text)) for text in model.system.right_hand_sides.values()))


def declare_internals(
    model: Model, sharing: Sharing, coefficients: Coefficients, used: set[str], translator: Translator, types: Any
) -> Internals:
    """Return the internal variables that are used, and the coefficients of drives.

    Parameters
    ----------
    model : Model
    sharing : Sharing
    coefficients : Coefficients
    used : set of str
        From `find_used_names`.
    translator : Translator
        With the model's names.
    types
        NESTML's helper for the types of declarations.
    """
    used = used | sharing.internals
    for name in [name for name in model.internals if name in used]:
        used |= model.names_in(model.internals[name])
    symbols = {symbol_name(symbol): symbol for symbol in model.neuron.get_internal_symbols()}
    constants, shared, own = [], [], []
    for name, expression in model.internals.items():
        if name not in used:
            continue
        if name in model.numbers:
            constants.append(Formula(name, repr(float(model.numbers[name]))))
        elif name in sharing.internals:
            shared.append(Formula(name, translator.print(expression)))
        else:
            own.append(Formula(name, translator.print(expression), types.print_variable_type(symbols[name])))
    shared += [Formula(name, translator.to_cpp(value)) for name, value in coefficients.values.items()]
    return Internals(tuple(constants), tuple(shared), tuple(own))


def declare_inlines(
    model: Model, used: set[str], translator: Translator
) -> tuple[tuple[Formula, ...], tuple[str, ...]]:
    """Return the inline expressions that are used, and the names of those that can be recorded."""
    symbols = model.neuron.get_inline_expression_symbols()
    used_names = [name for name in map(symbol_name, symbols) if name in used]
    formulae = tuple(Formula(name, translator.print(model.inlines[name])) for name in used_names)
    return formulae, tuple(symbol_name(symbol) for symbol in symbols if symbol.is_recordable)
