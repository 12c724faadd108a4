# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A NESTML model as the analysis reads it: names, expressions, statements, and rewritten right-hand sides."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy
from pynestml.meta_model.ast_assignment import ASTAssignment
from pynestml.meta_model.ast_function_call import ASTFunctionCall
from pynestml.meta_model.ast_simple_expression import ASTSimpleExpression
from pynestml.meta_model.ast_variable import ASTVariable
from pynestml.symbols.integer_type_symbol import IntegerTypeSymbol
from pynestml.symbols.predefined_variables import PredefinedVariables
from pynestml.symbols.symbol import SymbolKind

from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, names_of, tidy
from nestml_optimised.transformer import WRITTEN_EQUATIONS, EquationSystem, parse_in_scope

__all__ = ["Model", "check_supported", "integrated_name", "read_model", "starts_infinite", "symbol_name"]


@dataclass(frozen=True)
class Model:
    """A NESTML model, with the names of variables as they are in C++.

    Attributes
    ----------
    neuron
        NESTML's syntax tree.
    translator : Translator
    system : EquationSystem
        The equations, as `SystemMatrixTransformer` took them apart.
    parameters, state : tuple of str
    internals, inlines : mapping of str to Any
        Expressions of internal variables and of inline expressions, the latter without others in them.
    derivatives : mapping of str to Any
        Expressions of the derivatives in the equations, as written in the model.
    written_inlines : mapping of str to Any
        Inline expressions as written in the model.
    numbers : mapping of str to sympy.Expr
        The internal variables that are numbers, such as a unit.
    rewritten : mapping of ASTAssignment to Any
        Expressions that replace the right-hand sides of assignments.
    """

    neuron: Any
    translator: Translator
    system: EquationSystem
    parameters: tuple[str, ...]
    state: tuple[str, ...]
    internals: Mapping[str, Any]
    inlines: Mapping[str, Any]
    derivatives: Mapping[str, Any] = field(default_factory=dict)
    written_inlines: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, sympy.Expr] = field(default_factory=dict)
    rewritten: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def statement_blocks(self) -> list[Any]:
        """The blocks that run in a step without a spike."""
        return list(self.neuron.get_update_blocks() + self.neuron.get_on_receive_blocks())

    @property
    def integers(self) -> set[str]:
        """The state variables that are integers."""
        symbols = self.neuron.get_state_symbols()
        return {symbol_name(s) for s in symbols if isinstance(s.get_type_symbol(), IntegerTypeSymbol)}

    def right_hand_side(self, assignment: Any) -> Any:
        """Return the right-hand side of an assignment."""
        return self.rewritten.get(assignment, assignment.get_expression())

    def rewrite(self, values: Mapping[Any, sympy.Expr]) -> "Model":
        """Return the model with other right-hand sides of assignments."""
        new = {assignment: parse_in_scope(str(v), assignment.get_scope()) for assignment, v in values.items()}
        return replace(self, rewritten={**self.rewritten, **new})

    def expand(self, expression: Any) -> sympy.Expr:
        """Return a NESTML expression with inline expressions, and internals that are numbers, written out."""
        value = self.translator.to_sympy(expression)
        while found := [name for name in names_of(value) if name in self.inlines or name in self.numbers]:
            value = value.xreplace(
                {
                    sympy.Symbol(name): self.numbers[name]
                    if name in self.numbers
                    else self.translator.to_sympy(self.inlines[name])
                    for name in found
                }
            )
        return tidy(value)

    def names_in(self, node: Any) -> set[str]:
        """Return the names of the variables in a part of the model, those inside inline expressions included."""
        names = self.direct_names_in(node)
        for name in sorted(names & set(self.inlines)):
            names |= self.names_in(self.inlines[name])
        return names

    def direct_names_in(self, node: Any) -> set[str]:
        """Return the names of the variables in a part of the model, without those inside inline expressions."""
        names = {
            cpp_name(variable.get_complete_name()) for variable in self._variables_in(node) if not is_local(variable)
        }
        return names - {PredefinedVariables.E_CONSTANT, PredefinedVariables.PI_CONSTANT}

    def constants(self) -> set[str]:
        """Return the names of parameters, and of internal variables that depend on nothing else."""
        known = set(self.parameters)
        for name, expression in self.internals.items():
            if self.names_in(expression) <= known:
                known.add(name)
        return known

    def _variables_in(self, node: Any) -> Iterator[ASTVariable]:
        if isinstance(node, ASTVariable):
            yield node
        elif isinstance(node, ASTSimpleExpression) and node.is_numeric_literal_with_unit():
            return  # the unit is a variable in the tree
        children = node.get_children()
        if isinstance(node, ASTAssignment):
            children = [node.get_variable(), self.right_hand_side(node)]
        for child in children:
            if child is not None:
                yield from self._variables_in(child)

    def assignments_in(self, block: Any) -> list[Any]:
        """Return all assignments in a part of the tree."""
        return _find(ASTAssignment, block)

    def functions_called(self) -> set[str]:
        """Return the names of the functions that the model's statements call."""
        blocks = [*self.statement_blocks, *self.neuron.get_on_condition_blocks()]
        return {call.get_name() for block in blocks for call in self.calls_in(block)}

    def calls_in(self, block: Any) -> list[Any]:
        """Return all calls of functions in a part of the tree."""
        return _find(ASTFunctionCall, block)


def _find(kind: type, node: Any) -> list[Any]:
    """Return the outermost nodes of a kind in a part of the tree."""
    if isinstance(node, kind):
        return [node]
    return [found for child in node.get_children() if child is not None for found in _find(kind, child)]


def read_model(neuron: Any, metadata: Mapping[str, Any], translator: Translator) -> Model:
    """Return the view of a NESTML model.

    Parameters
    ----------
    neuron
        NESTML's model, after its analysis by NESTML's generator.
    metadata : mapping
        Of this model, from the transformers of this package.
    translator : Translator
    """
    empty = EquationSystem([], sympy.zeros(0, 0), sympy.zeros(0, 1), sympy.zeros(0, 1), {})
    model = Model(
        neuron=neuron,
        translator=translator,
        system=metadata.get("equation_system") or empty,
        parameters=tuple(map(symbol_name, neuron.get_parameter_symbols())),
        state=tuple(map(symbol_name, neuron.get_state_symbols())),
        internals={symbol_name(s): s.get_declaring_expression() for s in neuron.get_internal_symbols()},
        inlines={symbol_name(s): s.get_declaring_expression() for s in neuron.get_inline_expression_symbols()},
    )
    if written := metadata.get(WRITTEN_EQUATIONS):
        model = replace(
            model,
            derivatives={
                integrated_name(equation.get_lhs()): equation.get_rhs() for equation in written.get_ode_equations()
            },
            written_inlines={i.get_variable_name(): i.get_expression() for i in written.get_inline_expressions()},
        )
    return replace(model, numbers=_find_numbers(model))


def integrated_name(derivative: Any) -> str:
    """Return the name of the variable whose derivative is on the left-hand side of an equation."""
    order: int = derivative.get_differential_order()
    return cpp_name(derivative.get_name()) + "__d" * (order - 1)


def starts_infinite(declaration: Any) -> bool:
    """Return whether a declaration gives its variables an infinite value, so that they need not be finite."""
    return bool(declaration.has_expression() and "inf" in re.findall(r"\w+", str(declaration.get_expression())))


def _find_numbers(model: Model) -> dict[str, sympy.Expr]:
    numbers: dict[str, sympy.Expr] = {}
    for name, expression in model.internals.items():
        try:
            value = model.translator.to_sympy(expression)
        except UnsupportedModelError:
            continue
        value = tidy(value.xreplace({sympy.Symbol(known): number for known, number in numbers.items()}))
        if value.is_number and value.is_finite:
            numbers[name] = value
    return numbers


def check_supported(model: Model, metadata: Mapping[str, Any]) -> None:
    """Check that a model has only features that the optimised generator supports.

    Parameters
    ----------
    model : Model
    metadata : mapping
        From NESTML's transformers.

    Raises
    ------
    UnsupportedModelError
        If it has others.
    """
    neuron = model.neuron
    features = {
        "vectors": neuron.has_state_vectors() or neuron.get_vector_symbols(),
        "delayed variables": neuron.has_delay_variables(),
        "state variables of a synapse": metadata.get("paired_synapses"),
        "more than one continuous input port": len(neuron.get_continuous_input_ports()) > 1,
    }
    for feature, present in features.items():
        if present:
            raise UnsupportedModelError(f"it has {feature}, which only NESTML's generator supports")
    names = {*model.parameters, *model.state, *model.internals, *model.inlines}
    for function in neuron.get_functions():
        if used := sorted(model.direct_names_in(function.get_stmts_body()) & names):
            raise UnsupportedModelError(
                f"its function {function.get_name()} uses {', '.join(used)}; pass this as a parameter of the function"
            )


def is_local(variable: Any) -> bool:
    """Return whether a variable is declared in statements, or is a parameter of a function."""
    scope = variable.get_scope()
    symbol = scope.resolve_to_symbol(variable.get_complete_name(), SymbolKind.VARIABLE) if scope else None
    return symbol is not None and symbol.is_local()


def symbol_name(symbol: Any) -> str:
    """Return the name in C++ of one of NESTML's symbols."""
    return cpp_name(symbol.get_symbol_name())
