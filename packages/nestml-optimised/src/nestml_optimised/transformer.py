# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What is done to a model before code is made: convolutions in a fixed order, equations as matrices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import odetoolbox
import sympy
from pynestml.frontend.frontend_configuration import FrontendConfiguration
from pynestml.transformers.convolutions_to_buffers_transformer import ConvolutionsToBuffersTransformer
from pynestml.transformers.ode_toolbox_transformer import ODEToolboxTransformer

__all__ = ["EquationSystem", "OrderedConvolutionsTransformer", "SystemMatrixTransformer", "replace_transformers"]


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
    right_hand_sides : dict of str to str
        The derivatives as they are written in the model.
    initial_values : dict of str to str
        For an equation its initial value; for a convolution what a spike of weight one adds to it.
    """

    variables: list[str]
    matrix: sympy.Matrix
    inhomogeneous: sympy.Matrix
    nonlinear: sympy.Matrix
    right_hand_sides: dict[str, str]
    initial_values: dict[str, str]

    def is_linear(self) -> bool:
        """Return whether the derivatives are linear in the state, with coefficients that don't depend on it."""
        state = set(map(sympy.Symbol, self.variables))
        coefficients = {sympy.Symbol(str(s)) for s in self.matrix.free_symbols | self.inhomogeneous.free_symbols}
        return self.nonlinear.is_zero_matrix is True and not coefficients & state


class OrderedConvolutionsTransformer(ConvolutionsToBuffersTransformer):  # type: ignore[misc]  # NESTML is not typed
    """Give the convolutions of a model an order, that of their names.

    NESTML 9.0.0 keeps them in a set of objects that are hashed by their address. Their order, and with it that of the
    synaptic currents in a sum, differs from one generation of code to the next; sums then round otherwise.
    """

    def generate_kernel_buffers(self, model: Any) -> Any:
        """Return pairs of a kernel and a spike port as the keys of a mapping: a set that keeps its order."""
        return dict.fromkeys(sorted(super().generate_kernel_buffers(model), key=lambda pair: tuple(map(str, pair))))


class SystemMatrixTransformer(ODEToolboxTransformer):  # type: ignore[misc]
    """Let ODE-toolbox read a model's equations, and keep its system of matrices: it is not asked for a solution.

    ODE-toolbox solves what it can symbolically. That takes most of the time that code generation needs, fails for
    inhomogeneous equations that depend on one another, and yields formulae that are singular where time constants
    are equal. All that the optimised code needs are the matrices, which ODE-toolbox makes on the way.

    The system goes into the model's metadata as ``equation_system``; ``analytic_solver`` lists the same variables
    with neither propagators nor updates, for the parts of NESTML that look there.
    """

    def ode_toolbox_analysis(
        self, model: Any, kernel_buffers: Mapping[Any, Any], metadata: dict[str, dict[str, Any]]
    ) -> None:
        """Store the system of a model in its metadata."""
        request = self.create_ode_toolbox_indict(model, kernel_buffers)
        # The only function that returns the matrices; ODE-toolbox's version is pinned.
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
            right_hand_sides=numeric["update_expressions"],
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
    """Return NESTML's transformers of models, with those of this module in the place of the ones that they extend.

    Parameters
    ----------
    transformers : iterable of pynestml.transformers.transformer.Transformer
        As NESTML's frontend gives them for a target.
    matrices : bool
        Whether equations are kept as matrices, which `OptimisedNESTCodeGenerator` needs, instead of being solved.
    """
    ours: dict[type, type] = {ConvolutionsToBuffersTransformer: OrderedConvolutionsTransformer}
    if matrices:
        ours[ODEToolboxTransformer] = SystemMatrixTransformer
    return [ours[type(transformer)]() if type(transformer) in ours else transformer for transformer in transformers]
