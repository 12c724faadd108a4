# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The reference for NESTML models, compared with solutions that share no code with it."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

from amat.neurons import IzhikevichParameters, izhikevich_patterns
from amat.simulation.continuous import izhikevich_reference
from amat.simulation.nestml_reference import NestmlReference

LIBRARY = Path(sys.prefix) / "models" / "neurons"
H = 0.1


def test_a_linear_neuron_is_a_matrix_exponential():
    """Input through kernels and a current; refractoriness and reset; a spike takes effect at the end of its step."""
    tau, C, tau_syn, E_L = 10.0, 250.0, 2.0, -70.0
    steps = 800
    current = np.where(np.arange(steps) < 600, 500.0, -50.0)
    excitatory = np.where(np.arange(steps) % 37 == 0, 40.0, 0.0)
    inhibitory = np.where(np.arange(steps) % 91 == 0, 70.0, 0.0)
    run = NestmlReference(LIBRARY / "iaf_psc_alpha_neuron.nestml").run(
        {}, steps, resolution=H, current=current, spikes={"exc_spikes": excitatory, "inh_spikes": inhibitory}
    )

    alpha = [[-1 / tau_syn, 0.0], [1.0, -1 / tau_syn]]
    matrix = np.zeros((6, 6))  # V, current, excitation and inhibition (derivative-like state, then current)
    matrix[0] = [-1 / tau, 1 / C, 0, 1 / C, 0, -1 / C]
    matrix[2:4, 2:4] = matrix[4:6, 4:6] = alpha
    propagator = expm(H * matrix)
    x, refractory, spikes, potential = np.zeros(6), 0, [], []
    for step in range(steps):
        x[1] = current[step]
        advanced = propagator @ x
        if refractory:
            advanced[0] = x[0]
            refractory -= 1
        x = advanced
        x[2] += np.e / tau_syn * excitatory[step]
        x[4] += np.e / tau_syn * inhibitory[step]
        if not refractory and x[0] + E_L >= -55.0:
            x[0], refractory = 0.0, 20
            spikes.append(step + 1)
        potential.append(x[0] + E_L)
    assert len(spikes) > 2
    np.testing.assert_array_equal(run.spike_steps, spikes)
    np.testing.assert_allclose(run.membrane_potential, potential, rtol=0, atol=1e-9)


def test_a_nonlinear_neuron_is_solved_as_in_continuous_time():
    neuron = replace(izhikevich_patterns()["tonic_spiking"], parameters=IzhikevichParameters(), V_0=-65.0, u_0=-13.0)
    exact = izhikevich_reference(neuron, 10.0, 0.0, 100.0, resolution=H)
    reference = NestmlReference(LIBRARY / "izhikevich_neuron.nestml")
    run = reference.run({"V_m": -65.0, "U_m": -13.0}, 1000, resolution=H, current=10.0)
    assert len(exact.spike_times) >= 3
    np.testing.assert_allclose(H * run.spike_steps, exact.spike_times, rtol=0, atol=1e-9)


def test_values_that_are_given_replace_those_of_the_model():
    reference = NestmlReference(LIBRARY / "ignore_and_fire_neuron.nestml")
    run = reference.run({"firing_rate": 200.0, "phase_steps": 0}, 100, resolution=H)
    assert run.spike_steps.tolist() == [50, 100]
    assert np.isnan(run.membrane_potential).all()
    assert reference.receptors == [("spikes", "spikes")]


@pytest.mark.parametrize("port", ["exc_spikes", "inh_spikes"])
def test_spikes_act_on_the_port_that_receives_them(port):
    reference = NestmlReference(LIBRARY / "iaf_psc_exp_neuron.nestml")
    assert reference.receptors == [("exc_spikes", "inh_spikes")]
    spikes = np.where(np.arange(50) == 9, 100.0, 0.0)
    potential = reference.run({}, 50, resolution=H, spikes={port: spikes}).membrane_potential
    assert np.ptp(potential[:10]) < 1e-9  # the current starts at the end of the step
    assert (potential[10] > -70.0) == (port == "exc_spikes")
