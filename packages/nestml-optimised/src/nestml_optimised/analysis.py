# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The analysis of a NESTML model: a sequence of functions from the model to the description for the templates."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy

from nestml_optimised.declarations import (
    declare_functions,
    declare_inlines,
    declare_internals,
    declare_variables,
    find_conditions,
    find_used_names,
)
from nestml_optimised.description import NeuronDescription
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import Translator, names_of
from nestml_optimised.model import Model, check_supported, read_model
from nestml_optimised.numeric import describe_numeric_steps
from nestml_optimised.ports import WEIGHTS, find_ports, name_receptors, rewrite_spike_input
from nestml_optimised.sharing import find_shared, name_members
from nestml_optimised.slices import find_bound, threshold_distance
from nestml_optimised.system import (
    Equations,
    describe_deltas,
    describe_system,
    precompute_coefficients,
    reduce_system,
)

__all__ = ["analyse"]


def analyse(
    neuron: Any,
    metadata: Mapping[str, Any],
    translator: Translator,
    types: Any,
    type_printer: Any,
    *,
    bounds: bool,
) -> tuple[NeuronDescription, Model]:
    """Describe a neuron whose equations were taken apart by `SystemMatrixTransformer`.

    Parameters
    ----------
    neuron
        NESTML's model, after its analysis by NESTML's generator. It is not changed.
    metadata : mapping
        Of this model, from NESTML's transformers.
    translator : Translator
    types
        NESTML's helper for the types of declarations.
    type_printer
        NESTML's printer of types.
    bounds : bool
        Whether to look for a bound that allows slices to be skipped.

    Returns
    -------
    NeuronDescription
    Model
        With the statements that the generated code needs.

    Raises
    ------
    UnsupportedModelError
        With the reason.
    """
    model = read_model(neuron, metadata, translator)
    check_supported(model, metadata)
    ports = find_ports(model)
    equations = reduce_system(model)
    counters = model.integers | set(equations.countdowns)
    distance = threshold_distance(model, counters) if bounds else None
    sharing = find_shared(model, equations, distance)
    model = rewrite_spike_input(model, ports)
    model, equations, coefficients = precompute_coefficients(model, equations, sharing.parameters)
    names = name_members(model, ports, sharing, coefficients)
    translator = translator.with_names(names)

    variables = declare_variables(model, sharing, equations, translator, types)
    used = find_used_names(model, equations)
    internals = declare_internals(model, sharing, coefficients, used, translator, types)
    inlines, recordable_inlines = declare_inlines(model, used, translator)
    system = describe_system(model, equations, sharing.parameters, translator)
    deltas = describe_deltas(metadata, model, translator)
    used_ports = used | {jump.port + WEIGHTS for jump in (*system.jumps, *deltas)}
    several = len(ports.receptors) > 1
    description = NeuronDescription(
        name=neuron.get_name(),
        state=variables.state,
        own=variables.own,
        shared=variables.shared,
        defaults=variables.defaults,
        conditions=find_conditions(model, variables, translator),
        receives_spikes=bool(ports.spikes),
        # Input that the model does not use needs no buffer.
        ports=ports.spikes if any(used_ports & {port, port + WEIGHTS} for port in ports.spikes) else (),
        receptors=ports.receptors,
        receptor_names=name_receptors(ports) if several else (),
        counted=ports.counted,
        current=ports.current,
        constants=internals.constants,
        shared_internals=internals.shared,
        coefficients=tuple(coefficients.values),
        internals=internals.own,
        inlines=inlines,
        recordable_inlines=recordable_inlines,
        system=system,
        numeric_steps=describe_numeric_steps(model, equations, translator),
        deltas=deltas,
        functions=declare_functions(model, type_printer),
        countdowns=equations.countdowns,
        names=names,
    )
    if not bounds:
        return replace(description, no_bound="it was switched off"), model
    return _add_bound(description, model, equations, distance, counters, translator), model


def _add_bound(
    description: NeuronDescription,
    model: Model,
    equations: Equations,
    distance: sympy.Expr | None,
    counters: set[str],
    translator: Translator,
) -> NeuronDescription:
    """Return the description with a bound, or with the reason why there is none."""
    if equations.nonlinear:
        return replace(description, no_bound="equations are integrated numerically")
    if not description.system.variables:
        return replace(description, no_bound="there is no linear system")
    if distance is None:
        reason = "the condition for a spike is not one comparison, with or without a refractory counter"
        return replace(description, no_bound=reason)
    driving = {name for term in equations.inhomogeneous for name in names_of(term)}
    driving |= {name for inline in driving & set(model.inlines) for name in model.names_in(model.inlines[inline])}
    try:
        return replace(description, bound=find_bound(model, description, distance, counters, driving, translator))
    except UnsupportedModelError as reason:
        return replace(description, no_bound=str(reason))
