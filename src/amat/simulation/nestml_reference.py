# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Solutions of NESTML models by SciPy's DOP853, as a reference for generated code.

A model is translated into Python, statement by statement. The order of events in a step is that of NESTML's code for
NEST:

1. the update block, whose calls of ``integrate_odes`` solve the differential equations over the step;
2. the blocks ``onReceive`` of the ports that receive spikes at the end of the step;
3. convolutions take their values at the end of the step, and spikes are added to them;
4. the blocks ``onCondition``, which may emit a spike at the end of the step.

All equations of a call are solved together, at a relative tolerance of 1e-12. Timers, whose derivative is -1, are exact
on the grid of time steps. A current that arrives in one step acts in the next.
"""

import math
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from nestml_optimised import ModelWarning, parse_models, replace_transformers
from nestml_optimised.description import with_higher_orders
from nestml_optimised.expressions import cpp_name, parse
from nestml_optimised.model import integrated_name
from nestml_optimised.transformer import WRITTEN_EQUATIONS, EquationSystem, SystemMatrixTransformer
from numpy.typing import ArrayLike
from pynestml.frontend import pynestml_frontend as frontend
from pynestml.symbols.predefined_functions import PredefinedFunctions
from scipy.integrate import ode
from scipy.linalg import expm

from amat.arrays import Floats, Integers
from amat.errors import AmatError
from amat.simulation.nestml_python import (
    KernelTransformer,
    define_function,
    evaluate,
    exponential,
    find_integrations,
    integration_arguments,
    jump_port,
    local_name,
    make_printer,
    order_inlines,
    python_of,
    receptors_of,
    symbol_name,
    without_noise,
)

__all__ = ["TOLERANCE", "NestmlReference", "Run"]

#: Relative tolerance of the solver; the absolute tolerance is a hundredth of it.
TOLERANCE = 1e-12

_OPERATORS = {
    "is_direct_assignment": "=",
    "is_compound_sum": "+=",
    "is_compound_minus": "-=",
    "is_compound_product": "*=",
    "is_compound_quotient": "/=",
}


@dataclass(frozen=True)
class Run:
    """A simulated neuron.

    Attributes
    ----------
    membrane_potential : ndarray, shape (steps,)
        ``V_m`` at the end of each step in mV; NaN if the model has no such variable.
    spike_steps : ndarray of int
        The steps at whose end the neuron spiked, counted from 1.
    """

    membrane_potential: Floats
    spike_steps: Integers


class NestmlReference:
    """A NESTML neuron, integrated by DOP853.

    Parameters
    ----------
    source : path-like
        A NESTML file that holds one model.

    Attributes
    ----------
    state, parameters : tuple of str
        Names of the variables, those of kernels among the state.
    current_port : str
        The name of the continuous input port, or "".
    receptors : list of (str, str)
        The ports for positive and for negative weights of each receptor, which may be the same.

    Raises
    ------
    ModelError
        If NESTML rejects the model.
    AmatError
        If the model has a part that is not supported, such as a loop or a vector.
    """

    def __init__(self, source: Path) -> None:
        # Nothing is written into the folder, but NESTML needs a path.
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)
            models: Any = parse_models(source, folder)
            transformers, _ = frontend.transformers_from_target_name("NEST", options={})
            ours = replace_transformers(transformers, matrices=True)
            ours = [KernelTransformer() if isinstance(each, SystemMatrixTransformer) else each for each in ours]
            (model,), metadata = frontend.transform_models(ours, models)
        self._model = model
        found = metadata.get(model.get_name(), {})
        self._kernels: EquationSystem | None = found.get("equation_system")
        self._printer = make_printer()
        self.state = tuple(map(symbol_name, model.get_state_symbols()))
        self.parameters = tuple(map(symbol_name, model.get_parameter_symbols()))
        (self.current_port,) = [str(port.name) for port in model.get_continuous_input_ports()] or [""]
        self._ports = [str(port.name) for port in model.get_spike_input_ports()]
        self.receptors = receptors_of(model.get_spike_input_ports())
        self._declared = {
            symbol_name(symbol): self._compile(symbol.get_declaring_expression())
            for symbols in (model.get_parameter_symbols(), model.get_internal_symbols(), model.get_state_symbols())
            for symbol in symbols
        }
        self._functions = "\n".join(self._function(function) for function in model.get_functions())
        self._read_equations(found.get(WRITTEN_EQUATIONS))
        self._deltas = {
            (integrated_name(variable), str(port.get_name())): text
            for (variable, port), text in found.get("delta_factors", {}).items()
        }
        self._update = [self._compile_body(block) for block in model.get_update_blocks()]
        self._received = {
            str(block.get_port_name()): self._compile_body(block) for block in model.get_on_receive_blocks()
        }
        self._conditions = [
            (self._compile(block.get_cond_expr()), self._compile_body(block))
            for block in model.get_on_condition_blocks()
        ]

    def run(
        self,
        values: Mapping[str, Any],
        steps: int,
        *,
        resolution: float,
        current: ArrayLike = (),
        spikes: Mapping[str, ArrayLike] | None = None,
    ) -> Run:
        """Simulate the neuron.

        Parameters
        ----------
        values : mapping of str to float
            Parameters and initial state, as NEST returns them. The model's are the default; convolutions start at zero.
        steps : int
        resolution : float
            Time step in ms.
        current : array_like, shape (steps,), optional
            The continuous input in each step; zero by default.
        spikes : mapping of str to array_like, shape (steps,), optional
            By port, the sum of the absolute weights of the spikes that arrive at the end of each step.

        Raises
        ------
        AmatError
            If the equations cannot be solved, or the model uses noise.
        """
        names: dict[str, Any] = {"_h": resolution, "_exp": exponential, "_math": math, "_without_noise": without_noise}
        names |= {"math": math, "_integrate": lambda *arguments: self._integrate(names, arguments)}
        names |= dict.fromkeys(self._convolutions, 0.0)
        exec(self._functions, names)
        self._set_values(names, values)
        names["_deltas"] = {key: evaluate(factor, names) for key, factor in self._deltas.items()}
        names["_rhs"] = {key: define_function(source, names) for key, source in self._derivatives.items()}
        convolutions = list(self._convolutions)
        propagator = self._convolution_propagator(names)
        initial = self._kernels.initial_values if self._kernels else {}
        jumps = [(name, jump_port(name), evaluate(initial[name], names)) for name in convolutions]
        silent = np.zeros(steps)
        weights = {port: np.asarray((spikes or {}).get(port, silent)).tolist() for port in self._ports}
        currents = np.broadcast_to(np.asarray(current if np.size(current) else 0.0, dtype=float), steps).tolist()
        emitted: list[int] = []
        potential = np.full(steps, np.nan)
        for step in range(steps):
            names[self.current_port] = currents[step]
            names |= {port: values[step] for port, values in weights.items()}
            names["_emit"] = lambda step=step: emitted.append(step + 1)
            advanced = propagator @ [names[name] for name in convolutions]
            for code in self._update:
                exec(code, names)
            for port, code in self._received.items():
                if weights[port][step]:
                    exec(code, names)
            names |= dict(zip(convolutions, advanced.tolist(), strict=True))
            for name, port, factor in jumps:
                names[name] += factor * names[port]
            for condition, code in self._conditions:
                if eval(condition, names):
                    exec(code, names)
            potential[step] = names.get("V_m", math.nan)
        return Run(potential, np.array(emitted, dtype=np.int64))

    def _read_equations(self, written: Any) -> None:
        """Set the Python of the derivatives, by the arguments of ``integrate_odes``."""
        self._convolutions = tuple(self._kernels.variables) if self._kernels else ()
        self._own: list[str] = []
        self._timers: set[str] = set()
        self._derivatives: dict[tuple[str, ...], str] = {}
        if written is None:
            return
        inlines = {
            str(i.get_variable_name()): self._print(i.get_expression()) for i in written.get_inline_expressions()
        }
        texts: dict[str, str] = {}
        for equation in written.get_ode_equations():
            name, order = cpp_name(equation.get_lhs().get_name()), equation.get_lhs().get_differential_order()
            texts |= {name + "__d" * lower: name + "__d" * (lower + 1) for lower in range(order - 1)}
            texts[name + "__d" * (order - 1)] = self._print(equation.get_rhs())
        self._timers = {name for name, text in texts.items() if re.fullmatch(r"\(?-1(\.0)?\)?", text)}
        self._own = [name for name in texts if name not in self._timers]
        for row, name in enumerate(self._convolutions):
            terms = zip(self._kernels.matrix.row(row), self._convolutions, strict=True) if self._kernels else ()
            texts[name] = python_of(sum((parse(str(a)) * sympy.Symbol(x) for a, x in terms), sympy.Integer(0)))
        blocks = [*self._model.get_update_blocks(), *self._model.get_on_condition_blocks()]
        for arguments in {call for block in blocks for call in find_integrations(block)}:
            moving = [*with_higher_orders(arguments, self._own), *self._convolutions]
            needed = order_inlines(inlines, [texts[name] for name in moving])
            lines = [f"    {', '.join(moving)}, = y.tolist()"] if moving else []
            lines += [f"    {name} = {inlines[name]}" for name in needed]
            lines.append(f"    return [{', '.join(texts[name] for name in moving)}]")
            self._derivatives[arguments] = "\n".join(["def rhs(t, y):", *lines])

    def _integrate(self, names: dict[str, Any], arguments: tuple[str, ...]) -> None:
        """Advance the variables that a call of ``integrate_odes`` names, but not the convolutions, by a step."""
        timers = [name for name in self._timers if not arguments or name in arguments]
        kept = with_higher_orders(arguments, self._own)
        if kept:
            failures: list[ArithmeticError] = []

            def derivatives(t: float, y: Floats) -> list[float]:
                try:
                    found: list[float] = names["_rhs"][arguments](t, y)
                except ArithmeticError as error:  # which the solver would hide
                    failures.append(error)
                    return [math.nan] * y.size
                return found

            solver = ode(derivatives)
            solver.set_integrator("dop853", rtol=TOLERANCE, atol=TOLERANCE / 100, nsteps=100_000)
            solver.set_initial_value([names[name] for name in (*kept, *self._convolutions)], 0.0)
            result = solver.integrate(names["_h"])
            if failures or not solver.successful():
                reason = failures[0] if failures else "the solver fails"
                raise AmatError(f"DOP853 cannot integrate {self._model.get_name()}: {reason}.")
            names |= dict(zip(kept, result.tolist(), strict=False))
        for name in timers:
            names[name] = round(names[name] - names["_h"], 9)
        for (variable, port), factor in names["_deltas"].items():
            if variable in kept:
                names[variable] += factor * names[port]

    def _set_values(self, names: dict[str, Any], values: Mapping[str, Any]) -> None:
        """Set parameters, internals and the state, each after those that it depends on."""
        names |= {name: values[name] for name in (*self.parameters, *self.state) if name in values}
        waiting = {name: code for name, code in self._declared.items() if name not in names}
        while waiting:
            ready = [name for name, code in waiting.items() if not set(code.co_names) & waiting.keys()]
            if not ready:
                raise AmatError(f"The values of {', '.join(waiting)} in {self._model.get_name()} depend on each other.")
            names |= {name: eval(waiting.pop(name), names) for name in ready}

    def _convolution_propagator(self, names: Mapping[str, Any]) -> Floats:
        """Return the exponential of the matrix of the convolutions, which depend on nothing else."""
        if not self._kernels:
            return np.zeros((0, 0))
        rows = [[evaluate(entry, names) for entry in row] for row in self._kernels.matrix.tolist()]
        return np.asarray(expm(np.array(rows) * names["_h"]))

    def _print(self, expression: Any) -> str:
        return str(self._printer.print(expression))

    def _compile(self, expression: Any) -> Any:
        return compile(self._print(expression), self._model.get_name(), "eval")

    def _compile_body(self, block: Any) -> Any:
        return compile("\n".join(self._body(block.get_stmts_body(), 0)), self._model.get_name(), "exec")

    def _function(self, function: Any) -> str:
        parameters = ", ".join(local_name(parameter.get_name()) for parameter in function.get_parameters())
        body = self._body(function.get_stmts_body(), 1)
        return "\n".join([f"def function_{function.get_name()}({parameters}):", *body])

    def _body(self, statements: Any, depth: int) -> list[str]:
        """Return statements as lines of Python."""
        lines: list[str] = []
        for statement in statements.get_stmts():
            if statement.is_compound_stmt():
                lines += self._conditional(statement.compound_stmt, depth)
            else:
                lines.append("    " * depth + self._small(statement.small_stmt))
        return lines or ["    " * depth + "pass"]

    def _small(self, small: Any) -> str:
        if small.is_assignment():
            assignment = small.get_assignment()
            operator = next((sign for kind, sign in _OPERATORS.items() if getattr(assignment, kind)), None)
            if operator:
                return f"{self._print(assignment.get_variable())} {operator} {self._print(assignment.get_expression())}"
        elif small.is_declaration():
            declaration = small.get_declaration()
            (variable,) = declaration.get_variables()
            return f"{local_name(variable.get_complete_name())} = {self._print(declaration.get_expression())}"
        elif small.is_return_stmt():
            return f"return {self._print(small.get_return_stmt().get_expression())}"
        elif small.is_function_call():
            call = small.get_function_call()
            if call.get_name() == PredefinedFunctions.INTEGRATE_ODES:
                return f"_integrate({', '.join(map(repr, integration_arguments(call)))})"
            return self._print(call)
        raise AmatError(f"The statement {small} of {self._model.get_name()} has no translation into Python.")

    def _conditional(self, compound: Any, depth: int) -> list[str]:
        if not compound.is_if_stmt():
            raise AmatError(f"The statement {compound} of {self._model.get_name()} has no translation into Python.")
        indent, statement = "    " * depth, compound.get_if_stmt()
        lines: list[str] = []
        for number, clause in enumerate([statement.get_if_clause(), *statement.get_elif_clauses()]):
            lines.append(f"{indent}{'elif' if number else 'if'} {self._print(clause.get_condition())}:")
            lines += self._body(clause.get_stmts_body(), depth + 1)
        if statement.has_else_clause():
            lines += [f"{indent}else:", *self._body(statement.get_else_clause().get_stmts_body(), depth + 1)]
        return lines
