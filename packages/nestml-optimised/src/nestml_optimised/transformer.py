# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Transformations of models before code generation: inline expressions, convolutions, equations as matrices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import odetoolbox
import sympy
from pynestml.codegeneration.printers.ode_toolbox_expression_printer import ODEToolboxExpressionPrinter
from pynestml.frontend.frontend_configuration import FrontendConfiguration
from pynestml.meta_model.ast_expression import ASTExpression
from pynestml.meta_model.ast_node import ASTNode
from pynestml.meta_model.ast_simple_expression import ASTSimpleExpression
from pynestml.meta_model.ast_variable import ASTVariable
from pynestml.transformers.convolutions_to_buffers_transformer import ConvolutionsToBuffersTransformer
from pynestml.transformers.inline_expression_expansion_transformer import InlineExpressionExpansionTransformer
from pynestml.transformers.ode_toolbox_transformer import ODEToolboxTransformer
from pynestml.utils.model_parser import ModelParser
from pynestml.visitors.ast_parent_visitor import ASTParentVisitor
from pynestml.visitors.ast_symbol_table_visitor import ASTSymbolTableVisitor

from nestml_optimised.units import SympyPrinterInNestUnits

__all__ = [
    "EquationSystem",
    "EquationTransformer",
    "InlineExpansionTransformer",
    "OrderedConvolutionsTransformer",
    "SystemMatrixTransformer",
    "parse_in_scope",
    "replace_transformers",
]

#: The key of a model's equations as written in the model, in its metadata.
WRITTEN_EQUATIONS = "written_equations"


@dataclass(frozen=True)
class EquationSystem:
    """A model's equations in the form x' = A x + b + c(x).

    Attributes
    ----------
    variables : list of str
        The names of the n state variables x, convolutions among them.
    matrix : sympy.Matrix
        A, of shape (n, n).
    inhomogeneous : sympy.Matrix
        b, of shape (n, 1), free of state variables.
    nonlinear : sympy.Matrix
        c, of shape (n, 1).
    initial_values : dict of str to str
        For an equation its initial value; for a convolution the increment by a spike of weight one.
    """

    variables: list[str]
    matrix: sympy.Matrix
    inhomogeneous: sympy.Matrix
    nonlinear: sympy.Matrix
    initial_values: dict[str, str]


def parse_in_scope(text: str, scope: Any) -> Any:
    """Return a NESTML expression with its names resolved in a scope."""
    expression = ModelParser.parse_expression(text)
    expression.update_scope(scope)
    expression.accept(ASTSymbolTableVisitor())
    return expression


class InlineExpansionTransformer(InlineExpressionExpansionTransformer):  # type: ignore[misc]  # NESTML is not typed
    """A transformer that writes out inline expressions, and keeps the equations as they are written.

    NESTML writes them out as text, which it then parses again, once for each inline expression that may be in an
    expression. That takes most of the time of code generation. It also changes models: the text ``1 nS * x`` is a
    number with the unit ``nS * x`` there, so that ``x`` is lost. This class replaces nodes of the syntax tree.

    The equations that it keeps, in the model's metadata as ``written_equations``, let the generated code compute each
    inline expression once.
    """

    def transform(self, models: Iterable[Any], metadata: dict[str, dict[str, Any]]) -> Iterable[Any]:
        """Write out the inline expressions of models."""
        for model in models:
            for block in model.get_equations_blocks():
                written = block.clone()
                written.update_scope(block.get_scope())
                metadata.setdefault(model.name, {})[WRITTEN_EQUATIONS] = written
                _write_out(block)
        return models


def _write_out(block: Any) -> None:
    """Replace the names of inline expressions in a block of equations by the expressions."""
    values: dict[str, Any] = {}
    inlines = {inline.get_variable_name(): inline for inline in block.get_inline_expressions()}
    while waiting := [name for name in inlines if name not in values]:
        for name in waiting:
            if not _names_in(inlines[name].get_expression()) & set(waiting):
                _substitute(inlines[name], values)
                values[name] = inlines[name].get_expression()
    for equation in block.get_ode_equations():
        _substitute(equation, values)
    block.accept(ASTParentVisitor())
    block.accept(ASTSymbolTableVisitor())


def _names_in(node: Any) -> set[str]:
    """Return the names of the variables in an expression."""
    if isinstance(node, ASTVariable):
        return {node.get_name()}
    return {name for child in node.get_children() if child is not None for name in _names_in(child)}


def _substitute(node: Any, values: Mapping[str, Any]) -> None:
    """Replace variables below a node of a syntax tree by expressions in parentheses."""
    for attribute, value in vars(node).items():
        if attribute == "parent_":
            continue
        if isinstance(value, list):
            value[:] = [_substituted(child, values) for child in value]
        else:
            setattr(node, attribute, _substituted(value, values))


def _substituted(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ASTSimpleExpression) and node.is_variable():
        variable = node.get_variable()
        if variable.get_name() not in values or variable.get_differential_order():
            return node
        value = values[variable.get_name()].clone()
        expression = ASTExpression(is_encapsulated=True, expression=value, source_position=node.get_source_position())
        expression.update_scope(node.get_scope())
        return expression
    if isinstance(node, ASTNode):
        _substitute(node, values)
    return node


class OrderedConvolutionsTransformer(ConvolutionsToBuffersTransformer):  # type: ignore[misc]  # NESTML is not typed
    """A transformer that orders the convolutions of a model by their names.

    NESTML 9.0.0 has them in a set of objects that are hashed by their address. Their order, and with it that of the
    synaptic currents in a sum, differs from one code generation to the next, and so does the rounding of sums.
    """

    def generate_kernel_buffers(self, model: Any) -> Any:
        """Return pairs of a kernel and a spike port as the keys of a mapping, that is an ordered set."""
        return dict.fromkeys(sorted(super().generate_kernel_buffers(model), key=lambda pair: tuple(map(str, pair))))

    def transform(self, models: Iterable[Any], metadata: dict[str, dict[str, Any]]) -> Iterable[Any]:
        """Replace convolutions, also in the equations that `InlineExpansionTransformer` has kept."""
        models = super().transform(models, metadata)
        for model in models:
            if written := metadata.get(model.name, {}).get(WRITTEN_EQUATIONS):
                self._transform_model(model, written)
        return models


class EquationTransformer(ODEToolboxTransformer):  # type: ignore[misc]
    """A transformer that hands equations to ODE-toolbox with all numbers in NEST's units."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        names, calls = self._ode_toolbox_variable_printer, self._ode_toolbox_function_call_printer
        self._ode_toolbox_printer = ODEToolboxExpressionPrinter(
            SympyPrinterInNestUnits(
                variable_printer=names, constant_printer=self._constant_printer, function_call_printer=calls
            )
        )
        names._expression_printer = calls._expression_printer = self._ode_toolbox_printer


class SystemMatrixTransformer(EquationTransformer):
    """A transformer that takes the matrices of a model's equations from ODE-toolbox, but no solution.

    ODE-toolbox solves equations symbolically where it can. That takes most of the time of code generation, fails for
    inhomogeneous equations that depend on one another, and yields formulae that are singular where time constants
    are equal. The optimised code needs only the matrices that ODE-toolbox computes on the way.

    The system is stored in the model's metadata as ``equation_system``. The entry ``analytic_solver`` lists the same
    variables without propagators and updates, for the parts of NESTML that read it.
    """

    def ode_toolbox_analysis(
        self, model: Any, kernel_buffers: Mapping[Any, Any], metadata: dict[str, dict[str, Any]]
    ) -> None:
        """Store the system of a model in its metadata."""
        request = self.create_ode_toolbox_indict(model, kernel_buffers)
        # The only function that returns the matrices. It is private: see versions.py.
        solvers, system, _ = odetoolbox._analysis(
            request,
            disable_stiffness_check=True,
            disable_analytic_solver=True,
            disable_singularity_detection=True,
            preserve_expressions=True,
            log_level=FrontendConfiguration.logging_level,
        )
        numeric = solvers[0] if solvers else {"update_expressions": {}, "initial_values": {}}
        variables = [str(variable) for variable in system.x_]
        metadata[model.name]["equation_system"] = EquationSystem(
            variables=variables,
            matrix=system.A_,
            inhomogeneous=system.b_,
            nonlinear=system.c_,
            initial_values=numeric["initial_values"],
        )
        metadata[model.name]["analytic_solver"] = {
            "state_variables": variables,
            "propagators": {},
            "update_expressions": {},
            "initial_values": numeric["initial_values"],
        }
        metadata[model.name]["numeric_solver"] = None


def replace_transformers(transformers: Iterable[Any], *, matrices: bool) -> list[Any]:
    """Return NESTML's transformers of models, with this module's in place of those that they extend.

    Parameters
    ----------
    transformers : iterable of pynestml.transformers.transformer.Transformer
        From NESTML's front end, for a target.
    matrices : bool
        Whether to store equations as matrices, which `OptimisedNESTCodeGenerator` needs, instead of solving them.
    """
    ours: dict[type, type] = {
        InlineExpressionExpansionTransformer: InlineExpansionTransformer,
        ConvolutionsToBuffersTransformer: OrderedConvolutionsTransformer,
        ODEToolboxTransformer: SystemMatrixTransformer if matrices else EquationTransformer,
    }
    return [
        ours[type(transformer)](_options(transformer)) if type(transformer) in ours else transformer
        for transformer in transformers
    ]


def _options(transformer: Any) -> dict[str, Any]:
    """Return a transformer's options, among them those of the user."""
    return {name: transformer.get_option(name) for name in type(transformer)._default_options}
