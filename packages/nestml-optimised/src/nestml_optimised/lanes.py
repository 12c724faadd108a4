# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Models whose neurons can be updated together, one in each lane of vector registers."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from pynestml.meta_model.ast_function_call import ASTFunctionCall
from pynestml.meta_model.ast_if_stmt import ASTIfStmt
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.utils.ast_utils import ASTUtils

from nestml_optimised.constants import find_constant_expressions
from nestml_optimised.description import Formula, NeuronDescription
from nestml_optimised.model import Model

__all__ = ["find_draws", "find_obstacle", "list_quantities"]

#: Functions that compilers vectorise: those of elementary_functions.h, and some of the standard library.
_FUNCTIONS = {
    PredefinedFunctions.INTEGRATE_ODES,
    PredefinedFunctions.MAX,
    PredefinedFunctions.MIN,
    PredefinedFunctions.ABS,
    PredefinedFunctions.TIME_TIMESTEP,
    PredefinedFunctions.EXP,
    PredefinedFunctions.EXPM1,
    PredefinedFunctions.LN,
    PredefinedFunctions.LOG10,
    PredefinedFunctions.TANH,
    PredefinedFunctions.POW,
}

#: C++ of the standard random numbers behind NESTML's functions, which can be drawn before a step.
_RANDOM = {
    PredefinedFunctions.RANDOM_NORMAL: "neurons[ lane ]->normal_dev_( rng )",
    PredefinedFunctions.RANDOM_UNIFORM: "rng->drand()",
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
    if description.counted:
        return "spikes are counted"
    if not model.neuron.get_on_condition_blocks():
        return "there is no condition for a spike"
    parts = _parts_of_step(model, description)
    if adaptive and (reason := _find_integration_obstacle(model, description)):
        return reason
    computed = set(find_constant_expressions(model))
    nodes = [node for part in parts for node in _walk(part, computed)]
    if loops := [node for node in nodes if _is_loop(node)]:
        return f"a step has the loop {str(loops[0]).split(chr(10))[0]}"
    own = {function.get_name() for function in model.neuron.get_functions()}
    draws = find_draws(model)
    called = {node.get_name() for node in nodes if isinstance(node, ASTFunctionCall) and node not in draws}
    if others := sorted(called - own - _FUNCTIONS):
        return f"a step calls {', '.join(others)}"
    return ""


def find_draws(model: Model) -> dict[ASTFunctionCall, str]:
    """Return the calls of random numbers that each step makes once, in order, with the C++ that draws them."""
    statements = [
        statement for block in model.neuron.get_update_blocks() for statement in block.get_stmts_body().get_stmts()
    ]
    return {
        node: _RANDOM[node.get_name()]
        for statement in statements
        if statement.is_small_stmt()
        for node in _walk(statement)
        if isinstance(node, ASTFunctionCall) and node.get_name() in _RANDOM
    }


def _find_integration_obstacle(model: Model, description: NeuronDescription) -> str:
    """Return why the integrations that steps ask for cannot be carried out together, or ""."""
    calls = {arguments for step in description.numeric_steps for arguments in step.calls}

    def count(node: Any) -> int:
        """Return the largest number of integrations on any way through a part of the model."""
        if isinstance(node, ASTFunctionCall) and node.get_name() == PredefinedFunctions.INTEGRATE_ODES:
            return tuple(ASTUtils.integrate_odes_args_strs_from_function_call(node)) in calls
        counts = [count(child) for child in node.get_children() if child is not None]
        return max(counts, default=0) if isinstance(node, ASTIfStmt) else sum(counts)

    if sum(count(block) for block in model.statement_blocks) > 1:
        return "a step integrates equations more than once"
    if any(count(block) for block in model.neuron.get_on_condition_blocks()):
        return "equations are integrated at a spike"
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
    parts += list(model.written_inlines.values())
    functions = [function.get_stmts_body() for function in model.neuron.get_functions()]
    return parts + functions + [model.inlines[inline.name] for inline in description.inlines]


def _walk(node: Any, omitted: Set[Any] = frozenset()) -> Iterator[Any]:
    """Yield a part of a model and all parts of it, without some."""
    if node not in omitted:
        yield node
        for child in node.get_children():
            if child is not None:
                yield from _walk(child, omitted)


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
