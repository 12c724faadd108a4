# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Models whose neurons can be updated together, one in each lane of vector registers."""

from collections.abc import Iterator, Mapping
from typing import Any

from pynestml.meta_model.ast_arithmetic_operator import ASTArithmeticOperator
from pynestml.symbols.predefined_functions import PredefinedFunctions

from nestml_optimised.description import Formula, NeuronDescription
from nestml_optimised.model import Model

__all__ = ["find_obstacle", "list_quantities"]

#: Functions that compilers vectorise.
_FUNCTIONS = {
    PredefinedFunctions.INTEGRATE_ODES,
    PredefinedFunctions.MAX,
    PredefinedFunctions.MIN,
    PredefinedFunctions.ABS,
    PredefinedFunctions.TIME_TIMESTEP,
}

#: The options on which the population update relies, with the values that it needs.
_NEEDED: dict[str, Any] = {
    "population_update": True,
    "buffers": "on_demand",
    "share_propagators": True,
    "input_free_loop": True,
    "fma_clones": True,
}


def find_obstacle(model: Model, description: NeuronDescription, options: Mapping[str, Any], *, adaptive: bool) -> str:
    """Return the reason why neurons of a model cannot be updated together, or "" if they can.

    Parameters
    ----------
    model : Model
    description : NeuronDescription
    options : mapping
        Of the code generator.
    adaptive : bool
        Whether equations are integrated with substeps of their own.
    """
    if changed := [name for name, value in _NEEDED.items() if options[name] != value]:
        return f"the option {changed[0]} is {options[changed[0]]!r}"
    if adaptive:
        return "equations are integrated numerically with substeps of their own"
    if description.counted:
        return "spikes are counted"
    if not model.neuron.get_on_condition_blocks():
        return "there is no condition for a spike"
    kinds = {variable.type for variable in (*description.state, *description.own)}
    kinds |= {formula.type for formula in description.shared_internals}
    if "bool" in kinds:
        return "there are variables of type boolean"
    nodes = [node for part in _parts_of_step(model, description) for node in _walk(part)]
    if any(isinstance(node, ASTArithmeticOperator) and node.is_pow_op for node in nodes):
        return "a step takes powers"
    if loops := [node for node in nodes if _is_loop(node)]:
        return f"a step has the loop {str(loops[0]).split(chr(10))[0]}"
    called = {call.get_name() for part in _parts_of_step(model, description) for call in model.calls_in(part)}
    if others := sorted(called - _FUNCTIONS):
        return f"a step calls {', '.join(others)}"
    return ""


def _parts_of_step(model: Model, description: NeuronDescription) -> list[Any]:
    """Return the parts of a model that run in every step."""
    parts = [*model.statement_blocks, *(block.get_cond_expr() for block in model.neuron.get_on_condition_blocks())]
    parts += [
        model.derivatives[formula.name]
        for step in description.numeric_steps
        for formula in step.derivatives
        if formula.name in model.derivatives
    ]
    return parts + [model.inlines[inline.name] for inline in description.inlines]


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.get_children():
        if child is not None:
            yield from _walk(child)


def _is_loop(node: Any) -> bool:
    return type(node).__name__ in ("ASTForStmt", "ASTWhileStmt")


def list_quantities(description: NeuronDescription) -> dict[str, list[Formula]]:
    """Return the members that hold quantities computed beforehand, each with a name that has no dots.

    Parameters
    ----------
    description : NeuronDescription

    Returns
    -------
    dict
        ``"common"``, ``"step"`` and ``"slice"``: those for both, for a step and for a slice.
    """
    system, bound = description.system, description.bound
    common = [Formula(variable.cpp, variable.cpp, variable.type) for variable in description.shared]
    common += [Formula(internal.name, internal.name, internal.type) for internal in description.shared_internals]
    step = [f"jump_{jump.variable}" for jump in system.jumps if jump.factor]
    propagators = [f"{system.columns[row]}__{system.columns[column]}" for row, column in system.pattern]
    decays = [f"{decay.name}__{decay.name}" for decay in bound.decays] if bound else []
    step += [f"step.{name}" for name in propagators]
    of_slice = [Formula("slice_steps", "slice_steps", "long")] if bound else []
    names: list[str] = []
    if bound:
        names += [f"slice.{name}" for name in propagators + decays]
        names += [f"{extreme}_{name}" for name in bound.varying for extreme in ("smallest", "largest")]
        for name in bound.constant:
            names += [f"at_rest_{name}", *(f"fixed_{row}__{name}" for row in bound.driven(name))]
    return {
        "common": common,
        "step": [Formula(name.replace(".", "_"), name) for name in step],
        "slice": of_slice + [Formula(name.replace(".", "_"), name) for name in names],
    }
