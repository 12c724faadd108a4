# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Models whose units are not those of NEST, compared with equations that are written by hand in NEST's units."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import amat
from amat import toolchain
from amat.simulation.kernel import reset_kernel
from amat.simulation.nestml_reference import NestmlReference

pytestmark = pytest.mark.slow

UNITS = Path(__file__).parents[1] / "models" / "units_neuron.nestml"
DESTEXHE = Path(sys.prefix) / "models" / "neurons" / "hh_cond_exp_destexhe_neuron.nestml"
RESOLUTION = 0.1  # ms
SPIKE_STEP = 600


@pytest.fixture(scope="module", params=["nestml-checked", "optimised"])
def trace(request):
    """Recorded variables of the neuron by name, at 0.1, 0.2, ... 80 ms; a spike arrives at 60 ms."""
    nest = reset_kernel(RESOLUTION)
    amat.install(UNITS, codegen=request.param)
    neuron = nest.Create(toolchain.find_model(str(UNITS), request.param).name)
    spike = nest.Create("spike_generator", params={"spike_times": [RESOLUTION * (SPIKE_STEP - 10)]})
    nest.Connect(spike, neuron, syn_spec={"delay": 10 * RESOLUTION, "weight": 3.0})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    names = ["V_m", "V_cubic", "filtered", "elapsed", "halved"]
    meter = nest.Create("multimeter", params={"record_from": names, "interval": RESOLUTION})
    nest.Connect(meter, neuron)
    nest.Simulate(80 + RESOLUTION)
    return {**meter.get("events"), "spikes": recorder.get("events", "times")}


def test_linear_equations(trace):
    """The step responses of two low-pass filters in series, with time constants of 25 ms and 10 ms."""
    t = trace["times"]
    np.testing.assert_allclose(trace["V_m"], -70 + 15 * (1 - np.exp(-t / 25)), rtol=0, atol=1e-9)
    filtered = 15 * (1 - (25 * np.exp(-t / 25) - 10 * np.exp(-t / 10)) / 15)
    np.testing.assert_allclose(trace["filtered"], filtered, rtol=0, atol=1e-9)
    np.testing.assert_allclose(trace["halved"], (trace["V_m"] + 70) / 2 + 1, rtol=0, atol=1e-9)


def test_nonlinear_equations_and_spikes(trace):
    def derivative(_, u):
        return (150 - 10 * u * (1 + (u / 20) ** 2)) / 250

    expected, u = [], [0.0]
    for step in range(1, trace["times"].size + 1):
        u = solve_ivp(derivative, (0, RESOLUTION), u, rtol=1e-10, atol=1e-12).y[:, -1]
        u = u + 3.0 * (step == SPIKE_STEP)
        expected.append(u[0])
    np.testing.assert_allclose(trace["V_cubic"] + 70, expected, rtol=0, atol=1e-4)


def test_times(trace):
    assert trace["spikes"] == pytest.approx([20, 40, 60, 80])


def test_the_reference_reads_units_as_generated_code_does(trace):
    steps = trace["times"].size
    spikes = np.zeros(steps)
    spikes[SPIKE_STEP - 1] = 3.0
    run = NestmlReference(UNITS).run({}, steps, resolution=RESOLUTION, spikes={"spikes": spikes})
    np.testing.assert_allclose(trace["V_m"], run.membrane_potential, rtol=0, atol=1e-9)


def test_conductances_in_uS_have_the_effect_of_the_equations():
    """The mean potential of the neuron of Destexhe et al. (2001) under its noise, without which it rests at -80 mV."""
    nest = reset_kernel(RESOLUTION)
    amat.install(DESTEXHE, codegen="optimised")
    neuron = nest.Create(
        toolchain.find_model(str(DESTEXHE), "optimised").name, params={"sigma_noise_exc": 0.0, "sigma_noise_inh": 0.0}
    )
    nest.Simulate(1000.0)
    at = neuron.get()
    conductances = {0.0: 12.0, -75.0: 57.0, -80.0: at["g_L"], -90.0: at["g_M"] * at["Noninact_p"]}
    conductances[-90.0] += at["g_K"] * at["Inact_n"] ** 4
    conductances[60.0] = at["g_Na"] * at["Act_m"] ** 3 * at["Act_h"]
    balance = np.average(list(conductances), weights=list(conductances.values()))
    assert at["V_m"] == pytest.approx(balance, abs=0.1)
    assert -68 < at["V_m"] < -64
