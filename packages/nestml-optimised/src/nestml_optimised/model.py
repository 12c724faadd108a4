# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A NESTML model as the analysis reads it: names, expressions, statements, and rewritten right-hand sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy
from pynestml.meta_model.ast_assignment import ASTAssignment
from pynestml.meta_model.ast_simple_expression import ASTSimpleExpression
from pynestml.meta_model.ast_variable import ASTVariable
from pynestml.symbols.integer_type_symbol import IntegerTypeSymbol
from pynestml.utils.model_parser import ModelParser
from pynestml.visitors.ast_symbol_table_visitor import ASTSymbolTableVisitor

from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, cpp_name, names_of, tidy
from nestml_optimised.transformer import EquationSystem

__all__ = ["Model", "check_supported", "parse_in_scope", "read_model", "symbol_name"]


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
        Expressions of internal variables and of inline expressions.
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
    numbers: Mapping[str, sympy.Expr] = field(default_factory=dict)
    rewritten: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def is_linear(self) -> bool:
        """True if the equations are linear with constant coefficients."""
        return self.system.is_linear()

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
        return {cpp_name(variable.get_complete_name()) for variable in self._variables_in(node)}

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
        if isinstance(block, ASTAssignment):
            return [block]
        return [found for child in block.get_children() if child is not None for found in self.assignments_in(child)]


def read_model(neuron: Any, system: EquationSystem | None, translator: Translator) -> Model:
    """Return the view of a NESTML model.

    Parameters
    ----------
    neuron
        NESTML's model, after its analysis by NESTML's generator.
    system : EquationSystem or None
        Its equations; None if there are none.
    translator : Translator
    """
    model = Model(
        neuron=neuron,
        translator=translator,
        system=system or EquationSystem([], sympy.zeros(0, 0), sympy.zeros(0, 1), sympy.zeros(0, 1), {}, {}),
        parameters=tuple(map(symbol_name, neuron.get_parameter_symbols())),
        state=tuple(map(symbol_name, neuron.get_state_symbols())),
        internals={symbol_name(s): s.get_declaring_expression() for s in neuron.get_internal_symbols()},
        inlines={symbol_name(s): s.get_declaring_expression() for s in neuron.get_inline_expression_symbols()},
    )
    return replace(model, numbers=_find_numbers(model))


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


def check_supported(model: Model, metadata: Mapping[str, Any], *, heun: bool) -> None:
    """Check that a model has only features that the optimised generator supports.

    Parameters
    ----------
    model : Model
    metadata : mapping
        From NESTML's transformers.
    heun : bool
        Whether nonlinear equations are integrated by Heun's method.

    Raises
    ------
    UnsupportedModelError
        If it has others.
    """
    neuron, system = model.neuron, model.system
    features = {
        "vectors": neuron.has_state_vectors() or neuron.get_vector_symbols(),
        "delayed variables": neuron.has_delay_variables(),
        "convolutions with a delta function": metadata.get("delta_factors"),
        "state variables of a synapse": metadata.get("paired_synapses"),
        "functions": neuron.get_functions(),
        "more than one continuous input port": len(neuron.get_continuous_input_ports()) > 1,
    }
    for feature, present in features.items():
        if present:
            raise UnsupportedModelError(f"it has {feature}, which only NESTML's generator supports")
    if not model.is_linear and not heun:
        terms = zip(system.variables, system.nonlinear, strict=True)
        names = [name for name, term in terms if term != 0] or system.variables
        raise UnsupportedModelError(
            f"its equations for {', '.join(names)} are not linear with constant coefficients; the option "
            "numeric_solver: Heun integrates them numerically"
        )


def parse_in_scope(text: str, scope: Any) -> Any:
    """Return a NESTML expression with its names resolved in a scope."""
    expression = ModelParser.parse_expression(text)
    expression.update_scope(scope)
    expression.accept(ASTSymbolTableVisitor())
    return expression


def symbol_name(symbol: Any) -> str:
    """Return the name in C++ of one of NESTML's symbols."""
    return cpp_name(symbol.get_symbol_name())
