# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The functions of the analysis, each alone, on small models."""

import pytest
import sympy
from nestml_optimised.analysis import analyse
from nestml_optimised.constants import find_constant_expressions, name_constant_expressions
from nestml_optimised.declarations import find_used_names
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.ports import find_ports, rewrite_spike_input
from nestml_optimised.sharing import find_shared, name_members
from nestml_optimised.slices import threshold_distance
from nestml_optimised.system import Coefficients, describe_system, precompute_coefficients, reduce_system

#: A membrane with a drive that a step sets, a timer, and one input port.
MEMBRANE = """
model membrane_neuron:
    state:
        V_m mV = E_L
        w mV = 0 mV
        I_drive pA = 0 pA
        refr_t ms = 0 ms
    equations:
        V_m' = -V_m / tau_m + I_drive / C_m
        I_drive' = 0
        refr_t' = -1
        inline depolarisation mV = V_m - E_L
    parameters:
        E_L mV = -70 mV
        tau_m ms = 10 ms
        C_m pF = 200 pF
        theta mV = 15 mV
        I_e pA = 0 pA
    internals:
        charge pC = 0.002 pA * s
    input:
        spikes <- spike
    output:
        spike
    update:
        I_drive = I_e + C_m * E_L / tau_m
        if refr_t > 0 ms:
            integrate_odes(refr_t)
        else:
            integrate_odes(V_m)
    onReceive(spikes):
        V_m += spikes * 1 s * 0.5 mV
    onCondition(refr_t <= 0 ms and depolarisation >= theta):
        refr_t = 2 ms
        V_m = E_L
        emit_spike()
"""


@pytest.fixture
def membrane(read):
    return read(MEMBRANE)[0]


def symbols(names):
    return sympy.symbols(names)


def test_timers_are_taken_out_of_the_equations(membrane):
    equations = reduce_system(membrane)
    tau_m, C_m = symbols("tau_m C_m")
    assert equations.countdowns == ("refr_t",)
    assert set(equations.variables) == {"V_m", "I_drive"}
    row, drive = equations.variables.index("V_m"), equations.variables.index("I_drive")
    assert equations.matrix[row, row] == -1 / tau_m
    assert equations.matrix[row, drive] == 1 / C_m
    assert equations.changing() == {"V_m"}


def test_the_distance_is_the_condition_without_the_counter(membrane):
    V_m, E_L, theta = symbols("V_m E_L theta")
    assert threshold_distance(membrane, {"refr_t"}) == V_m - E_L - theta
    assert threshold_distance(membrane, set()) is None


def test_parameters_of_the_matrix_are_shared(membrane):
    equations = reduce_system(membrane)
    sharing = find_shared(membrane, equations, threshold_distance(membrane, {"refr_t"}))
    assert sharing.parameters == ("tau_m", "C_m")
    names = name_members(membrane, find_ports(membrane), sharing, Coefficients({}))
    assert (names["V_m"], names["tau_m"], names["E_L"]) == ("s.V_m", "c.tau_m", "p.E_L")
    # A port is in 1/s; in NEST's units, spikes per ms.
    assert (names["spikes__weights"], names["spikes"]) == ("in.spikes", "( 0.001 * in.spikes )")
    assert names["depolarisation"] == "compute_depolarisation( s, p, c, in )"


def test_coefficients_of_drives_are_computed_beforehand(membrane):
    equations = reduce_system(membrane)
    rewritten, _, coefficients = precompute_coefficients(membrane, equations, ("tau_m", "C_m"))
    tau_m, C_m = symbols("tau_m C_m")
    assert coefficients.values == {"I_drive_per_E_L": C_m / tau_m}
    (update,) = membrane.neuron.get_update_blocks()
    drive = membrane.assignments_in(update)[0]
    assert rewritten.names_in(rewritten.right_hand_side(drive)) == {"I_e", "E_L", "I_drive_per_E_L"}
    assert membrane.names_in(membrane.right_hand_side(drive)) == {"I_e", "E_L", "C_m", "tau_m"}


def test_units_of_spike_input_cancel(membrane):
    """Spikes are in 1/s, so that half a millivolt is multiplied by 1 s in the model."""
    ports = find_ports(membrane)
    assert (ports.spikes, ports.current) == (("spikes",), "")
    rewritten = rewrite_spike_input(membrane, ports)
    (block,) = membrane.neuron.get_on_receive_blocks()
    (jump,) = membrane.assignments_in(block)
    assert rewritten.translator.to_sympy(rewritten.right_hand_side(jump)) == symbols("spikes__weights") / 2


def test_the_system_in_cpp(membrane):
    equations = reduce_system(membrane)
    translator = membrane.translator.with_names({})
    system = describe_system(membrane, equations, ("tau_m", "C_m"), translator)
    assert set(system.matrix.values()) == {"-1/tau_m", "1.0/C_m"}
    assert system.matrix_names == ("C_m", "tau_m")
    assert system.updated(["V_m"]) == ["V_m"]
    assert system.next_value("V_m") == "c.step.V_m__I_drive * s.I_drive\n    + c.step.V_m__V_m * s.V_m"


def test_names_in_use(membrane):
    used = find_used_names(membrane, reduce_system(membrane))
    assert {"depolarisation", "theta", "spikes"} <= used
    assert "charge" not in used


def test_the_analysis_finds_a_bound_and_leaves_the_model_as_it_was(read):
    model, metadata, types = read(MEMBRANE)
    before = str(model.neuron)
    description, _ = analyse(model.neuron, metadata, model.translator, *types, bounds=True)
    assert str(model.neuron) == before
    assert [v.name for v in description.state] == ["V_m", "w", "I_drive", "refr_t"]
    assert [v.name for v in description.shared] == ["tau_m", "C_m"]
    assert description.internals == description.constants == ()
    bound = description.bound
    assert (bound.varying, bound.constant, bound.counter) == (("V_m",), ("I_drive",), "refr_t")
    assert (bound.coefficients, bound.offset) == (("1", "0"), "-p.E_L - p.theta")
    assert not bound.counter_runs_along


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("onCondition(refr_t <= 0 ms and ", "onCondition(refr_t <= 0 ms or ", "not one comparison"),
        ("integrate_odes(V_m)", "integrate_odes(V_m)\n            w = V_m", "more than the bound covers: w"),
        ("if refr_t > 0 ms", "if w > 0 mV", "branch"),
    ],
)
def test_without_a_bound_there_is_a_reason(read, old, new, reason):
    model, metadata, types = read(MEMBRANE.replace(old, new))
    description, _ = analyse(model.neuron, metadata, model.translator, *types, bounds=True)
    assert description.bound is None
    assert reason in description.no_bound


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("I_e pA = 0 pA", "I_e pA = 0 pA\n        n integer = 2\n        g[n] real = 1", "vectors"),
        ("tau_m ms = 10 ms", "tau_m ms = 5 * tau_n\n        tau_n ms = tau_m", r"tau_m, tau_n depend on one another"),
    ],
)
def test_unsupported_models_are_refused_with_the_reason(read, old, new, reason):
    model, metadata, types = read(MEMBRANE.replace(old, new))
    with pytest.raises(UnsupportedModelError, match=reason):
        analyse(model.neuron, metadata, model.translator, *types, bounds=True)


#: A membrane with a nonlinear current, two synaptic currents, and a gating variable.
NONLINEAR = """
model nonlinear_neuron:
    state:
        V_m mV = E_L
        n real = n_rest
        w pA = 0 pA
        w' pA/ms = 0 pA/ms
    equations:
        kernel psc = exp(-t / tau_syn)
        inline excess mV = V_m - E_L
        inline current pA = g * n * excess
        V_m' = (-current - w + convolve(psc, exc) + unit * convolve(psc, inh) ) / C_m
        n' = (steady(V_m) - n) / (10 ms)
        w'' = -2 * w' / tau_w - w / tau_w**2
    parameters:
        E_L mV = -70 mV
        g nS = 10 nS
        C_m pF = 200 pF
        tau_syn ms = 2 ms
        tau_w ms = 20 ms
    internals:
        n_rest real = 0.5
        unit real = 1
    input:
        exc <- spike
        inh <- spike
    output:
        spike
    update:
        if n > 0.9:
            integrate_odes(n, w)
        else:
            integrate_odes(V_m, n, w)
    onReceive(inh):
        n = 0.1
    function steady(V_m mV) real:
        return 1 / (1 + exp(-(V_m + 60 mV) / 5 mV))
"""


@pytest.fixture
def nonlinear(read):
    model, metadata, types = read(NONLINEAR)
    return analyse(model.neuron, metadata, model.translator, *types, bounds=True)[0]


def test_linear_equations_are_told_from_others(read):
    equations = reduce_system(read(NONLINEAR)[0])
    assert set(equations.nonlinear) == {"V_m", "n"}
    assert set(equations.variables) == {"w", "w__d", "psc__X__exc", "psc__X__inh"}
    assert set(equations.convolutions) == {"psc__X__exc", "psc__X__inh"}


def test_a_numerical_step_includes_the_linear_equations_that_drive_it(nonlinear):
    """A variable of second order stands for its derivative. With V_m at rest, nothing drives the gate."""
    alone, together = nonlinear.numeric_steps
    assert (alone.kept, alone.variables) == (("n",), ("n",))
    assert set(together.kept) == {"V_m", "n"}
    assert set(together.variables) == {"V_m", "n", "w", "w__d", "psc__X__exc", "psc__X__inh"}
    assert [inline.name for inline in together.inlines] == ["excess", "current"]
    by_name = {derivative.name: derivative.cpp for derivative in together.derivatives}
    assert by_name["w"] == "s.w__d"
    assert by_name["n"].startswith("(Functions::steady(s.V_m) - s.n) / ")


def test_two_ports_that_take_both_signs_are_two_receptor_types(nonlinear):
    assert nonlinear.ports == ("exc", "inh")
    assert nonlinear.receptor_names == (("EXC", 1), ("INH", 2))
    assert [(receptor.positive, receptor.negative) for receptor in nonlinear.receptors] == [(0, 0), (1, 1)]


@pytest.mark.parametrize(
    ("qualifiers", "ports", "receptors"),
    [
        ([""], ["a"], [(0, 0)]),
        (["inhibitory", "excitatory"], ["b", "a"], [(0, 1)]),
        (["excitatory", "excitatory"], ["a", "b"], [(0, 0), (1, 1)]),
        (["", "excitatory", "inhibitory"], ["a", "b", "c"], [(0, 0), (1, 2)]),
        (["excitatory", "", "excitatory", "inhibitory"], ["a", "d", "b", "c"], [(0, 1), (2, 2), (3, 3)]),
    ],
)
def test_every_port_has_a_receptor(read, qualifiers, ports, receptors):
    """Two ports of opposite signs share one; NESTML's templates would lose some of the third and the last."""
    lines = [f"        {name} <- {which} spike\n" for name, which in zip("abcd", qualifiers, strict=False)]
    model, *_ = read(MEMBRANE.replace("        spikes <- spike\n", "".join(lines)).replace("spikes", "a"))
    found = find_ports(model)
    assert list(found.spikes) == ports
    assert [(receptor.positive, receptor.negative) for receptor in found.receptors] == receptors


def test_spikes_are_counted_for_a_block_that_does_more_than_to_add(nonlinear):
    assert nonlinear.counted == ("inh",)


def test_initial_values_follow_those_that_they_depend_on(nonlinear):
    names = [default.name for default in nonlinear.defaults]
    assert names.index("const double n_rest") < names.index("s.n")
    assert names.index("p.E_L") < names.index("s.V_m")


#: Noise whose decay and amplitude depend on parameters alone.
NOISE = """
model noise_neuron:
    state:
        x real = 0
        V_m mV = 0 mV
    parameters:
        tau ms = 10 ms
        sigma real = 2
    internals:
        half real = sigma / 2
    output:
        spike
    update:
        decay real = exp(-timestep() / tau)
        gain real = (half * tau / 1 ms)**.5
        x = decay * x + gain * exp(-timestep() / tau) * random_normal(0, 1) + sigma * tau / 1 ms
        x += exp(x / sigma) + exp(-decay)
    onCondition(V_m > 1 mV and (x > 2 or tau > 1 ms) and x < 3):
        emit_spike()
    onCondition(V_m > 1 mV and 1 mV / V_m > 2):
        emit_spike()
"""


def test_expressions_of_parameters_are_computed_beforehand(read):
    """Those of the state, of local variables and without a slow function stay in the step."""
    model, metadata, types = read(NOISE)
    found = name_constant_expressions(find_constant_expressions(model))
    assert list(found.values()) == ["constant__1", "constant__2", "constant__1"]
    description, _ = analyse(model.neuron, metadata, model.translator, *types, bounds=False)
    shared = {formula.name: formula.cpp for formula in description.shared_internals}
    step = "nest::Time::get_resolution().get_ms()"
    assert shared["constant__1"] == f"nestml_optimised::exp( (-{step}) / c.tau )"
    assert shared["constant__2"].startswith("nestml_optimised::pow( ")
    assert "c.half" in shared["constant__2"]
    assert [variable.name for variable in description.shared] == ["tau", "sigma"]


def test_conditions_without_branches(read):
    """A division keeps its guard, because that of integers fails if the divisor is zero."""
    model, _, _ = read(NOISE)
    translator = model.translator.with_names({"x": "s.x", "V_m": "s.V_m", "tau": "c.tau"})
    conditions = [block.get_cond_expr() for block in model.neuron.get_on_condition_blocks()]
    assert [translator.print_without_branches(condition) for condition in conditions] == [
        "( ( s.V_m > 1. ) & ( ( s.x > 2 ) | ( c.tau > 1. ) ) ) & ( s.x < 3 )",
        "s.V_m > 1. && 1. / s.V_m > 2",
    ]
