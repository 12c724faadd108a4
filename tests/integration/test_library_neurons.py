# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The optimised generator on every neuron of NESTML's library, compared with NESTML's unmodified generator."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from turns import skip_unless_in_turn

import amat
from amat import toolchain
from amat.simulation.kernel import reset_kernel

pytestmark = pytest.mark.slow

LIBRARY = Path(sys.prefix) / "models" / "neurons"
NEURONS = sorted(path.stem for path in LIBRARY.glob("*.nestml"))
FEATURES = Path(__file__).parents[1] / "models" / "features_neuron.nestml"
DURATION = 300.0  # ms
#: So many neurons are compiled into one module, because NEST's headers take a third of the time of a neuron.
TOGETHER = 6

#: Step currents (pA) that make neurons spike, where it is not 600.
CURRENTS = {
    "hh_moto_5ht_neuron": 2500.0,
    "hill_tononi_neuron": 2.0,
    "iaf_chxk_2008_neuron": 2500.0,
    "izhikevich_neuron": 10.0,
    "terub_gpe_neuron": 20.0,
    "terub_stn_neuron": 20.0,
}
#: Neurons that are updated one by one, because they count spikes or have no condition for a spike.
ONE_BY_ONE = {"iaf_psc_delta_fixed_timestep_neuron", "iaf_psc_exp_htum_neuron", "ignore_and_fire_neuron"}
#: Weights of spikes in the model's unit, where it is not 10.
WEIGHTS = {
    "aeif_psc_alpha_neuron": 300.0,
    "hh_psc_alpha_neuron": 200.0,
    "izhikevich_neuron": 2.0,
    "izhikevich_psc_alpha_neuron": 200.0,
    "terub_gpe_neuron": 0.1,
    "terub_stn_neuron": 0.05,
}


@pytest.fixture(autouse=True)
def neuron_of_this_run(request):
    """Skip neurons of other groups in continuous integration, which takes one group at each commit, in turn."""
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name:
        skip_unless_in_turn(NEURONS.index(name) // TOGETHER, len(NEURONS) // TOGETHER)


def build(path):
    """Return the module of an optimised neuron of the library, which has several."""
    number = NEURONS.index(path.stem) // TOGETHER
    names = NEURONS[number * TOGETHER : (number + 1) * TOGETHER]
    models = [toolchain.find_model(str(LIBRARY / f"{name}.nestml"), "optimised") for name in names]
    return toolchain.build_together(f"neurons{number}", models).library


def install(nest, path, codegen):
    """Load a neuron."""
    if codegen == "optimised" and path.stem in NEURONS:
        nest.Install(str(build(path).with_suffix("")))
    else:
        amat.install(path, codegen=codegen)


def simulate(path, codegen, *, record=True, current=True, tolerance=None, initial=None):
    """Return spike times, the membrane potential in each step, and the state of a neuron with a current or spikes."""
    nest = reset_kernel(0.1)
    nest.rng_seed = 5
    install(nest, path, codegen)
    neuron = nest.Create(toolchain.find_model(str(path), codegen).name)
    if initial:
        neuron.set(initial)
    if tolerance:
        neuron.set(gsl_abs_error_tol=tolerance, gsl_rel_error_tol=tolerance)
    known = neuron.get()
    if current and "I_e" in known:
        generator = nest.Create("step_current_generator")
        amplitude = CURRENTS.get(path.stem, 600.0)
        generator.set(amplitude_times=[20.0, 200.0], amplitude_values=[amplitude, -0.3 * amplitude])
        nest.Connect(generator, neuron)
    else:
        connect_spikes(nest, neuron, known.get("receptor_types"), WEIGHTS.get(path.stem, 10.0))
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    if record:
        meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 0.1})
        nest.Connect(meter, neuron)
    nest.Simulate(round(DURATION / 3, 1))
    nest.Simulate(round(DURATION * 2 / 3, 1))
    state = {name: value for name, value in neuron.get().items() if name in known["recordables"]}
    return recorder.get("events", "times"), meter.get("events", "V_m") if record else None, state


def connect_spikes(nest, neuron, receptors, weight):
    """Connect Poisson-like spikes of both signs, to all receptors."""
    random = np.random.default_rng(4)
    for rate, sign in ((3.0, 1.0), (1.0, -1.0)):  # per ms
        times = np.unique(random.integers(2, round(10 * DURATION) - 20, round(rate * DURATION))) / 10
        generator = nest.Create("spike_generator", params={"spike_times": times})
        for receptor in sorted(receptors.values()) if receptors else [0]:
            value = abs(weight) if receptors and receptor != 2 else sign * weight
            nest.Connect(generator, neuron, syn_spec={"weight": value, "delay": 1.0, "receptor_type": receptor})


@pytest.mark.parametrize("name", NEURONS)
def test_every_neuron_of_the_library_builds_and_runs(name):
    """With and without a recorder, the state is the same: to the last bit where neurons are updated together."""
    path = LIBRARY / f"{name}.nestml"
    has_voltage = name != "ignore_and_fire_neuron"
    for current in (True, False):
        spikes, potential, state = simulate(path, "optimised", record=has_voltage, current=current)
        again, _, other = simulate(path, "optimised", record=False, current=current)
        np.testing.assert_array_equal(spikes, again)
        assert other == (pytest.approx(state, rel=1e-9, abs=1e-9) if name in ONE_BY_ONE else state)
        assert np.isfinite(list(state.values())).all()
        if has_voltage:
            assert np.ptp(potential) > 0.1


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has code for several kinds of processors")
@pytest.mark.parametrize("name", NEURONS)
def test_compiler_vectorised_the_loops_over_lanes(name):
    """In the steps for AVX2, few operations with floating-point numbers are on one number alone."""
    listing = subprocess.run(
        ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", build(LIBRARY / f"{name}.nestml")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pattern = rf"^\w+ <{name}_opt::advance_lanes_\(.*arch_x86_64_v3.*>:\n((?:.+\n)+)"
    steps = re.findall(pattern, listing, flags=re.MULTILINE)
    assert len(steps) == (0 if name in ONE_BY_ONE else 1)
    for code in steps:
        vectors, numbers = (
            len(re.findall(rf"\bv(?:fn?m(?:add|sub)|mul|add|sub|div)\w*{kind}\b", code)) for kind in ("pd", "sd")
        )
        assert vectors > 10
        assert numbers < 0.1 * vectors


@pytest.mark.parametrize("current", [True, False], ids=["current", "spikes"])
@pytest.mark.parametrize(
    "name",
    [
        "aeif_cond_exp_neuron",
        "hh_psc_alpha_neuron",
        "iaf_cond_beta_neuron",
        "izhikevich_psc_alpha_neuron",
        "traub_cond_multisyn_neuron",
    ],
)
def test_numerical_integration_is_no_less_accurate_than_nestmls(name, current):
    """Both are compared with NESTML's solver at a tolerance of 1e-13 in place of 1e-6.

    All start from the same state, because NESTML's code computes some initial values from a potential that is not set.
    """
    path = LIBRARY / f"{name}.nestml"
    nest = reset_kernel(0.1)
    install(nest, path, "optimised")
    known = nest.Create(f"{name}_opt").get()
    initial = {variable: known[variable] for variable in known["recordables"] if not variable.startswith("I_syn")}
    spikes, exact, _ = simulate(path, "nestml", current=current, tolerance=1e-13, initial=initial)
    theirs, potential, _ = simulate(path, "nestml", current=current, initial=initial)
    ours, optimised, _ = simulate(path, "optimised", current=current)
    np.testing.assert_array_equal(ours, spikes)
    errors = [np.abs(v - exact).max() for v in (optimised, potential)]
    assert errors[0] <= 1.05 * errors[1] + 1e-9 or not np.array_equal(theirs, spikes)


def test_a_factor_after_a_number_with_a_unit_is_not_lost():
    """NESTML writes inline expressions out as text, and then reads ``1 nS * Ih_m`` as a number with a unit."""
    nest = reset_kernel(0.1)
    amat.install(LIBRARY / "hill_tononi_neuron.nestml", codegen="optimised")
    neuron = nest.Create("hill_tononi_neuron_opt", params={"Ih_m": 0.25, "h_g_peak": 2.0, "V_m": -80.0})
    assert neuron.I_h == pytest.approx(-2.0 * 0.25 * (-80.0 - neuron.h_E_rev))


def test_features_of_the_language_have_the_results_of_nestmls_code():
    """Among them are random numbers, the same in the same order, and spikes at three receptors."""
    spikes, exact, state = simulate(FEATURES, "nestml", current=False)
    ours, potential, other = simulate(FEATURES, "optimised", current=False)
    np.testing.assert_array_equal(ours, spikes)
    assert len(spikes) > 3
    np.testing.assert_allclose(potential, exact, rtol=0, atol=1e-6)
    # NESTML's code keeps the coefficient of z that was valid at the start of the simulation.
    names = state.keys() - {"z"}
    assert {name: other[name] for name in names} == pytest.approx({name: state[name] for name in names}, rel=1e-6)
    assert other["received"] > 10


def test_a_coefficient_that_switches_acts_from_the_next_step():
    nest = reset_kernel(0.1)
    amat.install(FEATURES, codegen="optimised")
    neuron = nest.Create("features_neuron_opt", params={"V_th": 1e3})
    connect_spikes(nest, neuron, neuron.get("receptor_types"), 1.0)
    meter = nest.Create("multimeter", params={"record_from": ["z", "switched"], "interval": 0.1})
    nest.Connect(meter, neuron)
    nest.Simulate(20.0)
    z, switched = (meter.get("events", name) for name in ("z", "switched"))
    assert 0 < np.count_nonzero(switched) < len(switched)
    expected = 1 - (1 - z[:-1]) * np.exp(-0.1 * (1 + switched[:-1]) / neuron.tau)
    np.testing.assert_allclose(z[1:], expected, rtol=0, atol=1e-9)
