# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Transformations of models before code generation: convolutions in a fixed order, equations as matrices."""

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
        The derivatives as written in the model.
    initial_values : dict of str to str
        For an equation its initial value; for a convolution the increment by a spike of weight one.
    """

    variables: list[str]
    matrix: sympy.Matrix
    inhomogeneous: sympy.Matrix
    nonlinear: sympy.Matrix
    right_hand_sides: dict[str, str]
    initial_values: dict[str, str]

    def is_linear(self) -> bool:
        """Return whether the derivatives are linear in the state, with coefficients that do not depend on it."""
        state = set(map(sympy.Symbol, self.variables))
        coefficients = {sympy.Symbol(str(s)) for s in self.matrix.free_symbols | self.inhomogeneous.free_symbols}
        return self.nonlinear.is_zero_matrix is True and not coefficients & state


class OrderedConvolutionsTransformer(ConvolutionsToBuffersTransformer):  # type: ignore[misc]  # NESTML is not typed
    """A transformer that orders the convolutions of a model by their names.

    NESTML 9.0.0 has them in a set of objects that are hashed by their address. Their order, and with it that of the
    synaptic currents in a sum, differs from one code generation to the next, and so does the rounding of sums.
    """

    def generate_kernel_buffers(self, model: Any) -> Any:
        """Return pairs of a kernel and a spike port as the keys of a mapping, that is an ordered set."""
        return dict.fromkeys(sorted(super().generate_kernel_buffers(model), key=lambda pair: tuple(map(str, pair))))


class SystemMatrixTransformer(ODEToolboxTransformer):  # type: ignore[misc]
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
    """Return NESTML's transformers of models, with this module's in place of those that they extend.

    Parameters
    ----------
    transformers : iterable of pynestml.transformers.transformer.Transformer
        From NESTML's front end, for a target.
    matrices : bool
        Whether to store equations as matrices, which `OptimisedNESTCodeGenerator` needs, instead of solving them.
    """
    ours: dict[type, type] = {ConvolutionsToBuffersTransformer: OrderedConvolutionsTransformer}
    if matrices:
        ours[ODEToolboxTransformer] = SystemMatrixTransformer
    return [ours[type(transformer)]() if type(transformer) in ours else transformer for transformer in transformers]
