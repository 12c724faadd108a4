# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Declarations of a model in C++: variables, conditions on parameters, internals, inline expressions."""

from dataclasses import dataclass
from typing import Any

from pynestml.symbols.symbol import SymbolKind

from nestml_optimised.constants import find_constant_expressions, name_constant_expressions
from nestml_optimised.description import Condition, Formula, Function, Variable
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, local_name, names_of
from nestml_optimised.model import Model, starts_infinite, symbol_name
from nestml_optimised.sharing import Sharing
from nestml_optimised.system import CONVOLUTION, Coefficients, Equations

__all__ = [
    "Internals",
    "Variables",
    "declare_functions",
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
        _declare(variable, declaration, equations, types)
        for block in model.neuron.get_parameters_blocks() + model.neuron.get_state_blocks()
        for declaration in block.get_declarations()
        for variable in declaration.get_variables()
    ]
    parameters = [variable for variable in declared if variable.cpp in model.parameters]
    shared = tuple(variable for variable in parameters if variable.cpp in sharing.parameters)
    if flags := [variable.name for variable in shared if variable.type == "bool"]:
        raise UnsupportedModelError(f"internal variables or coefficients depend on the boolean {', '.join(flags)}")
    return Variables(
        state=tuple(variable for variable in declared if variable.cpp not in model.parameters),
        own=tuple(variable for variable in parameters if variable.cpp not in sharing.parameters),
        shared=shared,
        defaults=_find_defaults(model, translator, types),
    )


def _find_defaults(model: Model, translator: Translator, types: Any) -> tuple[Formula, ...]:
    """Return the values of a new neuron's members in an order in which each depends on earlier ones alone.

    Internal variables that they depend on come first, as local variables.
    """
    values: dict[str, Any] = {}
    for block in model.neuron.get_parameters_blocks() + model.neuron.get_state_blocks():
        for declaration in block.get_declarations():
            for variable in declaration.get_variables():
                name = cpp_name(variable.get_complete_name())
                given = declaration.has_expression() and CONVOLUTION not in name
                values[name] = declaration.get_expression() if given else None
    needs = {name: model.names_in(value) if value else set() for name, value in values.items()}
    local: dict[str, str] = {}
    while new := set().union(*needs.values()) & set(model.internals) - set(needs):
        for name in sorted(new):
            values[name] = model.internals[name]
            needs[name] = model.names_in(values[name])
            local[name] = local_name(name)
    printer = translator.with_names({**translator.names, **local})
    symbols = {symbol_name(symbol): symbol for symbol in model.neuron.get_internal_symbols()}
    ordered: list[str] = []
    while rest := [name for name in values if name not in ordered]:
        ready = [name for name in rest if not needs[name] & set(rest)]
        if not ready:
            raise UnsupportedModelError(f"the initial values of {', '.join(sorted(rest))} depend on one another")
        ordered += ready
    defaults = []
    for name in ordered:
        kind = f"const {types.print_variable_type(symbols[name])} " if name in local else ""
        text = printer.print(values[name]) if values[name] else "0"
        defaults.append(Formula(kind + printer.names[name], text))
    return tuple(defaults)


def _declare(variable: Any, declaration: Any, equations: Equations, types: Any) -> Variable:
    name = variable.get_complete_name()
    cpp = cpp_name(name)
    if cpp in equations.countdowns:
        kind = _COUNTDOWN
    else:
        kind = types.print_variable_type(variable.get_scope().resolve_to_symbol(name, SymbolKind.VARIABLE))
        if kind not in ("double", "long", "bool"):
            raise UnsupportedModelError(f"the variable {name} is of the type {kind}")
    comment = " ".join(" ".join(map(str, declaration.get_comments())).split())
    return Variable(name, cpp, kind, comment, CONVOLUTION in cpp, starts_infinite(declaration))


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
    # Derivatives contain their inline expressions.
    used = {
        name for node in [*model.statement_blocks, *neuron.get_on_condition_blocks()] for name in model.names_in(node)
    }
    for symbol in neuron.get_inline_expression_symbols():
        if symbol.is_recordable:
            used |= {symbol_name(symbol)} | model.names_in(symbol.get_declaring_expression())
    for name in equations.nonlinear:
        if name in model.derivatives:
            used |= model.names_in(model.derivatives[name]) - set(model.inlines)
    return used.union(*map(names_of, equations.inhomogeneous))


def declare_internals(
    model: Model, sharing: Sharing, coefficients: Coefficients, used: set[str], translator: Translator, types: Any
) -> Internals:
    """Return the internal variables that are used, and all else that is computed from parameters beforehand.

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
            shared.append(Formula(name, translator.print(expression), types.print_variable_type(symbols[name])))
        else:
            own.append(Formula(name, translator.print(expression), types.print_variable_type(symbols[name])))
    shared += [Formula(name, translator.to_cpp(value)) for name, value in coefficients.values.items()]
    computed = {name: node for node, name in name_constant_expressions(find_constant_expressions(model)).items()}
    shared += [Formula(name, translator.print(node)) for name, node in computed.items()]
    return Internals(tuple(constants), tuple(shared), tuple(own))


def declare_functions(model: Model, types: Any) -> tuple[Function, ...]:
    """Return the functions of a model.

    Parameters
    ----------
    model : Model
    types
        NESTML's printer of types.
    """
    functions = []
    for function in model.neuron.get_functions():
        symbol = function.get_scope().resolve_to_symbol(function.get_name(), SymbolKind.FUNCTION)
        parameters = [
            f"const {types.print(parameter.get_data_type().get_type_symbol())} {local_name(parameter.get_name())}"
            for parameter in function.get_parameters()
        ]
        functions.append(
            Function(
                returns=types.print(symbol.get_return_type()),
                signature=f"{function.get_name()}( {', '.join(parameters)} )",
                body=function.get_stmts_body(),
            )
        )
    return tuple(functions)


def declare_inlines(
    model: Model, used: set[str], translator: Translator
) -> tuple[tuple[Formula, ...], tuple[str, ...]]:
    """Return the inline expressions that are used, and the names of those that can be recorded."""
    symbols = model.neuron.get_inline_expression_symbols()
    used_names = [name for name in map(symbol_name, symbols) if name in used]
    formulae = tuple(Formula(name, translator.print(model.inlines[name])) for name in used_names)
    return formulae, tuple(symbol_name(symbol) for symbol in symbols if symbol.is_recordable)
