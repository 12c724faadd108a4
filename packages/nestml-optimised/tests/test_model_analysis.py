# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The functions of the analysis, each alone, on small models."""

import pytest
import sympy
from nestml_optimised.analysis import analyse
from nestml_optimised.declarations import find_used_names
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.model import check_supported
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
    assert (names["V_m"], names["tau_m"], names["E_L"], names["spikes"]) == ("s.V_m", "c.tau_m", "p.E_L", "in.spikes")
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
    assert rewritten.translator.to_sympy(rewritten.right_hand_side(jump)) == symbols("spikes") / 2


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
    description, _ = analyse(model.neuron, metadata, model.translator, types, heun=False, bounds=True)
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
    description, _ = analyse(model.neuron, metadata, model.translator, types, heun=False, bounds=True)
    assert description.bound is None
    assert reason in description.no_bound


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-V_m / tau_m", "-V_m * V_m / (tau_m * 1 mV)", r"V_m are not linear.*Heun"),
        ("spikes <- spike", "spikes <- excitatory spike", r"excitatory and one inhibitory, but it has spikes"),
        ("V_m += spikes", "V_m = spikes", r"onReceive\(spikes\) may only add"),
    ],
)
def test_unsupported_models_are_refused_with_the_reason(read, old, new, reason):
    model, metadata, types = read(MEMBRANE.replace(old, new))
    with pytest.raises(UnsupportedModelError, match=reason):
        analyse(model.neuron, metadata, model.translator, types, heun=False, bounds=True)


def test_heuns_method_accepts_nonlinear_equations(read):
    model, metadata, _ = read(MEMBRANE.replace("-V_m / tau_m", "-V_m * V_m / (tau_m * 1 mV)"))
    with pytest.raises(UnsupportedModelError):
        check_supported(model, metadata, heun=False)
    check_supported(model, metadata, heun=True)
