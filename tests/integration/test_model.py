# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The generated AMAT neuron in NEST: dynamics, parameters, and rejected parameters."""

import itertools
import re
import subprocess
import sys

import mpmath
import numpy as np
import pytest

import amat
from amat import toolchain
from amat.neurons import AmatParameters
from amat.simulation.kernel import reset_kernel
from amat.simulation.reference import integrate
from amat.simulation.run import simulate
from amat.simulation.stimuli import PoissonInput, Stimulus, pulses

pytestmark = pytest.mark.slow

MODEL = toolchain.AMAT


@pytest.fixture
def nest(amat_module):
    kernel = reset_kernel(0.1)
    amat.install()
    return kernel


def spikes_under_dc(nest, model, parameters, amplitude=2400.0, duration=8.0):
    neuron = nest.Create(model, params=parameters)
    generator = nest.Create("dc_generator", params={"amplitude": amplitude})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(generator, neuron, syn_spec={"delay": 0.1})
    nest.Connect(neuron, recorder, syn_spec={"delay": 0.1})
    nest.Simulate(duration)
    return recorder.events["times"].tolist()


def test_spikes_of_nests_own_tests(nest):
    """The steps that NEST's test_mat2_psc_exp and test_amat2_psc_exp expect.

    mat2_psc_exp's defaults, beta = 0, threshold at -51 mV, 2400 pA at h = 0.1 ms.
    """
    mat = AmatParameters(tau_m=5.0, C_m=100.0, alpha_1=37.0, alpha_2=2.0, omega=19.0, tau_v=8.0)
    assert spikes_under_dc(nest, MODEL, mat.to_nestml()) == [11, 32, 54]


def test_the_recorded_drive_is_the_current_and_the_part_of_the_leak(nest):
    """As the documentation of the model says: -1400 pA without input."""
    neurons = nest.Create(MODEL, 2, params={"I_e": [0.0, 300.0]})
    recorders = nest.Create("multimeter", 2, params={"record_from": ["I_drive"], "interval": 0.1})
    nest.Connect(recorders, neurons, "one_to_one")
    nest.Simulate(2.0)
    assert [recorder.events["I_drive"][-1] for recorder in recorders] == [-1400.0, -1100.0]


@pytest.mark.parametrize("resolution", [0.025, 0.1, 0.5])
@pytest.mark.parametrize("refr_T", [0.5, 1.0, 2.0, 2.03, 5.0, 10.0])
def test_dead_time_is_the_refractory_time_and_one_step(amat_module, refr_T, resolution):
    """NEST tests its counter before it decrements it. A timer in ms would fail for some of these values."""
    p = AmatParameters(alpha_1=-1.0, alpha_2=0.0, refr_T=refr_T)
    stimulus = Stimulus(pulses(200.0, resolution, [5.0], [195.0], [500.0]))
    runs = simulate({"amat2_psc_exp": [p.to_nest()], MODEL: [p.to_nestml()]}, [stimulus], resolution).recordings
    steps = -(-round(refr_T * 1000) // round(resolution * 1000)) + 1
    assert set(np.diff(runs[MODEL].spike_steps[0])) == {steps}
    np.testing.assert_array_equal(runs[MODEL].spike_steps[0], runs["amat2_psc_exp"].spike_steps[0])


def test_potential_and_threshold_evolve_while_refractory(amat_module):
    """The reference is the exact solution, in the steps after a spike."""
    p = AmatParameters(beta=0.5, alpha_2=1.0, refr_T=20.0)
    stimulus = Stimulus(pulses(100.0, 0.1, [5.0], [95.0], [200.0]), PoissonInput(5000.0, 1000.0, 30.0, -30.0))
    result = simulate({MODEL: [p.to_nestml()]}, [stimulus], 0.1, record={MODEL: ["V_m", "V_th", "V_th_v"]})
    ours = result.recordings[MODEL]
    exact = integrate([p], result.current, result.excitatory, result.inhibitory, 0.1)
    refractory = slice(ours.spike_steps[0][0], ours.spike_steps[0][0] + 200)
    for name in ("V_m", "V_th", "V_th_v"):
        trace = ours.traces[name][0, refractory]
        assert np.ptp(trace) > 0.1
        np.testing.assert_allclose(trace, getattr(exact, name)[0, refractory], rtol=0, atol=1e-9)


def test_recordables_and_the_sign_of_inhibition(nest):
    wanted = {"V_m", "V_th", "V_th_v", "V_th_alpha_1", "V_th_alpha_2", "I_syn_exc", "I_syn_inh"}
    neuron = nest.Create(MODEL)
    assert wanted <= set(neuron.recordables)
    source = nest.Create("spike_generator", params={"spike_times": [1.0]})
    meter = nest.Create("multimeter", params={"record_from": ["I_syn_exc", "I_syn_inh"], "interval": 0.1})
    nest.Connect(source, neuron, syn_spec={"weight": 70.0, "delay": 1.0})
    nest.Connect(source, neuron, syn_spec={"weight": -30.0, "delay": 1.0})
    nest.Connect(meter, neuron)
    nest.Simulate(10.0)
    assert meter.events["I_syn_exc"].max() == pytest.approx(70.0, rel=1e-12)
    assert meter.events["I_syn_inh"].min() == pytest.approx(-30.0, rel=1e-12)
    assert meter.events["I_syn_inh"].max() == 0.0


def test_a_constant_current_acts_equally_as_parameter_and_as_input(amat_module):
    """I_e and an injected current differ only in their first step."""
    p = AmatParameters(I_e=170.0)
    silent = Stimulus(pulses(300.0, 0.1, [200.0], [1.0], [0.0]))
    injected = Stimulus(pulses(300.0, 0.1, [5.0], [400.0], [170.0]))
    runs = simulate({MODEL: [p.to_nestml(), p.replace(I_e=0.0).to_nestml()]}, [silent, injected], 0.1)
    by_parameter, by_input = runs.recordings[MODEL].spike_steps
    shifted = by_parameter + 50
    np.testing.assert_array_equal(shifted[shifted <= 3000], by_input)


def test_initial_potential_can_be_set(nest):
    neuron = nest.Create(MODEL, params={"V_m": -66.0})
    meter = nest.Create("multimeter", params={"record_from": ["V_m", "V_th_v"], "interval": 0.1})
    nest.Connect(meter, neuron)
    nest.Simulate(5.0)
    time = meter.events["times"]
    np.testing.assert_allclose(meter.events["V_m"], -70.0 + 4.0 * np.exp(-time / 10.0), rtol=0, atol=1e-12)
    assert not meter.events["V_th_v"].any()  # beta is zero


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"tau_m": 0.0}, "tau_m"),
        ({"C_m": -1.0}, "C_m"),
        ({"tau_syn_exc": -2.0}, "tau_syn_exc"),
        ({"tau_syn_inh": 0.0}, "tau_syn_inh"),
        ({"tau_1": -1.0}, "tau_1"),
        ({"tau_2": 0.0}, "tau_2"),
        ({"tau_v": float("nan")}, "tau_v"),
        ({"refr_T": 0.05}, "refr_T"),
        ({"refr_T": -1.0}, "refr_T"),
        ({"tau_m": 5.0}, "tau_m, tau_v"),
        ({"tau_m": 1.0}, "tau_m, tau_syn_exc"),
        ({"tau_syn_inh": 10.0}, "tau_m, tau_syn_inh"),
        ({"tau_v": 10.0 * (1 + 1e-4), "beta": 0.5}, "tau_m, tau_v"),
    ],
)
def test_rejected_parameters_leave_the_neuron_unchanged(nest, bad, named):
    neuron = nest.Create(MODEL)
    before = neuron.get()
    with pytest.raises(nest.NESTErrors.BadProperty, match=named):
        neuron.set({"alpha_1": 3.0, **bad})
    assert neuron.get() == before
    with pytest.raises(nest.NESTErrors.BadProperty, match=named):
        nest.SetDefaults(MODEL, bad)
    assert nest.Create(MODEL).get("tau_m") == 10.0


@pytest.mark.parametrize("model", [MODEL, toolchain.AMAT_OPT])
@pytest.mark.parametrize("name", ["C_m", "E_L", "I_e", "V_m", "V_th_v", "alpha_1", "refr_T", "tau_m"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_parameters_and_states_have_to_be_finite(amat_module, model, name, value):
    kernel = reset_kernel(0.1)
    amat.install(model)
    neuron = kernel.Create(model)
    before = neuron.get()
    # NaN and negative values may violate the model's own conditions first.
    message = rf"{name} must be a finite number, but is -?(nan|inf)|constraint '{name} >|{name} must fulfil"
    with pytest.raises(kernel.NESTErrors.BadProperty, match=message):
        neuron.set({name: value})
    assert neuron.get() == before


def test_both_builds_show_the_threshold(amat_module):
    kernel = reset_kernel(0.1)
    models = (MODEL, toolchain.AMAT_OPT)
    for model in models:
        amat.install(model)
    thresholds = [kernel.Create(model, params={"omega": 12.0, "V_th_alpha_1": 1.5}).V_th for model in models]
    assert thresholds == [pytest.approx(AmatParameters().E_L + 12.0 + 1.5)] * 2


@pytest.mark.parametrize("tau", [1e-300, 1e-20, 1e-9, 1e20, 1e300])
@pytest.mark.parametrize("name", ["tau_m", "tau_v", "tau_syn_exc", "tau_syn_inh"])
def test_extreme_time_constants_have_their_limits(amat_module, name, tau):
    """A current of 100 pA for 20 ms; the threshold follows V_m with the weight beta and the kernel t exp(-t / tau_v).

    The derivative of a potential that decays at once is lost to rounding, so that a tiny tau_m is refused.
    """
    kernel = reset_kernel(0.1)
    amat.install(toolchain.AMAT_OPT)
    values = {
        "I_e": 100.0,
        "C_m": 200.0,
        "E_L": -70.0,
        "beta": 0.1,
        "omega": 1e3,
        "tau_m": 10.0,
        "tau_v": 5.0,
        name: tau,
    }
    if name == "tau_m" and tau < 1e-10:
        with pytest.raises(kernel.NESTErrors.BadProperty, match=f"accurate solution with .*tau_m = {tau}"):
            kernel.Create(toolchain.AMAT_OPT, params=values)
        return
    neuron = kernel.Create(toolchain.AMAT_OPT, params=values)
    kernel.Simulate(20.0)
    with mpmath.workdps(700):
        tau_m, tau_v, time = (mpmath.mpf(x) for x in (values["tau_m"], values["tau_v"], 20.0))
        potential = -70 + tau_m / 2 * -mpmath.expm1(-time / tau_m)
        threshold = _convolved(1 / tau_m, 1 / tau_v, time) / 20
    assert neuron.V_m == pytest.approx(float(potential), rel=1e-12)
    assert neuron.V_th_v == pytest.approx(float(threshold), rel=1e-9, abs=1e-6)


def _convolved(a, b, t):
    """Return the integral of s exp(-b s) exp(-a (t - s)) over s from 0 to t, where exp(-a t) is the slope of V_m."""
    c = b - a
    return mpmath.exp(-a * t) * (1 - mpmath.exp(-c * t) * (1 + c * t)) / c**2


def test_a_refractory_time_below_the_step_is_rejected_when_the_simulation_starts(amat_module):
    kernel = reset_kernel(5.0)
    amat.install()
    kernel.Create(MODEL)
    with pytest.raises(kernel.NESTErrors.BadProperty, match="refr_T"):
        kernel.Simulate(10.0)


def test_the_threshold_is_accurate_for_all_accepted_parameters(nest):
    """With ever closer time constants, a set is either rejected or as accurate as the bound requires."""
    accepted = []
    for k, equal in itertools.product(range(1, 17), ({"tau_v"}, {"tau_syn_exc"}, {"tau_v", "tau_syn_exc"})):
        near = {name: 10.0 * (1 + sign * 10 ** (-k / 2)) for name, sign in (("tau_v", 1), ("tau_syn_exc", -1))}
        p = AmatParameters(beta=-0.5).replace(**{name: near[name] for name in equal})
        try:
            nest.Create(MODEL, params=p.to_nestml())
        except nest.NESTErrors.BadProperty:
            continue
        accepted.append(p)
    assert 10 < len(accepted) < 40
    stimuli = [Stimulus(pulses(500.0, 0.1, [10.0], [490.0], [150.0]), PoissonInput(6000.0, 1000.0, 20.0, -20.0))]
    result = simulate(
        {MODEL: [p.to_nestml() for p in accepted]}, stimuli * len(accepted), 0.1, record={MODEL: ["V_th"]}
    )
    exact = integrate(accepted, result.current, result.excitatory, result.inhibitory, 0.1)
    np.testing.assert_allclose(result.recordings[MODEL].traces["V_th"], exact.V_th, rtol=0, atol=1e-8)


@pytest.mark.parametrize("pieces", [(), (1234,)])
@pytest.mark.parametrize("threads", [2, 4])
def test_same_spikes_with_any_number_of_threads_and_in_two_parts(amat_module, threads, pieces):
    random = np.random.default_rng(8)
    neurons = [AmatParameters(beta=float(b), alpha_2=0.5) for b in random.uniform(-0.5, 0.5, 10)]
    stimulus = Stimulus(pulses(500.0, 0.1, [10.0], [490.0], [120.0]), PoissonInput(6000.0, 1000.0, 20.0, -20.0))

    def run(**how):
        values = [p.to_nestml() for p in neurons]
        return simulate({MODEL: values}, [stimulus] * len(neurons), 0.1, seed=5, **how).recordings[MODEL]

    once, again = run(), run(threads=threads, pieces=pieces)
    assert sum(map(len, once.spike_steps)) > 50
    for ours, theirs in zip(again.spike_steps, once.spike_steps, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_generated_update_calls_no_solver(amat_module):
    code = (amat_module.generated / f"{MODEL}.cpp").read_text()
    update = code[code.index("::update(") :]
    assert "gsl" not in code.lower()
    assert "integrate_odes" in update


def test_install_again_after_a_reset(nest):
    nest.ResetKernel()
    assert MODEL not in nest.node_models
    amat.install()
    amat.install()
    assert MODEL in nest.node_models


def test_installing_a_model_while_there_are_nodes_is_an_error(nest):
    nest.ResetKernel()
    nest.Create("iaf_psc_exp", 3)
    with pytest.raises(amat.AmatError, match=r"there are 3: .* nest.ResetKernel\(\)"):
        amat.install()
    nest.ResetKernel()
    amat.install()
    nest.Create(MODEL)
    amat.install()  # no error, because the model is loaded already


def test_all_models_of_the_catalogue_load_together():
    kernel = reset_kernel(0.1)
    amat.install(*toolchain.DEFAULT_MODELS)
    assert set(toolchain.DEFAULT_MODELS) <= set(kernel.node_models)


RECORD = """
recorder = nest.Create("spike_recorder")
nest.Connect(neuron, recorder)
nest.Simulate(500.0)
print(recorder.get("events", "times"))
"""


@pytest.mark.parametrize(
    ("page", "more", "parameters"),
    [
        ("README.md", RECORD, AmatParameters(I_e=150.0, alpha_1=-0.5, alpha_2=0.35)),
        ("book/index.md", RECORD, AmatParameters(I_e=150.0, alpha_1=-0.5, alpha_2=0.35)),
        ("book/getting_started.md", "", AmatParameters(I_e=150.0, alpha_1=10.0, alpha_2=1.0)),
    ],
)
def test_python_code_on_a_page_runs_and_gives_the_exact_spikes(amat_module, root, tmp_path, page, more, parameters):
    """All Python code before the commands is run as one script; for README and landing page, a recorder is added."""
    text = (root / page).read_text().split("## Simulate")[0]
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    script = tmp_path / "script.py"
    script.write_text("\n".join([*blocks, more]))
    finished = subprocess.run(
        [sys.executable, script.name], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert finished.returncode == 0, finished.stderr
    printed, *others = re.findall(r"^\[([\d.\s]+)\]$", finished.stdout, flags=re.MULTILINE)
    silent = np.zeros((1, 5000))
    (exact,) = integrate([parameters], silent, silent, silent, 0.1).spike_steps
    assert len(exact) > 5
    np.testing.assert_array_equal(np.rint(np.array(printed.split(), dtype=float) / 0.1), exact)
    assert all(len(spikes.split()) > 3 for spikes in others)
