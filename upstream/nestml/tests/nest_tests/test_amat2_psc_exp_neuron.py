# -*- coding: utf-8 -*-
#
# test_amat2_psc_exp_neuron.py
#
# This file is part of NEST.
#
# Copyright (C) 2004 The NEST Initiative
#
# NEST is free software: you can redistribute it and/or modify
# it under the terms of the GNU General Public License as published by
# the Free Software Foundation, either version 2 of the License, or
# (at your option) any later version.
#
# NEST is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
# GNU General Public License for more details.
#
# You should have received a copy of the GNU General Public License
# along with NEST.  If not, see <http://www.gnu.org/licenses/>.

import os

import nest
import numpy as np
import pytest

from pynestml.codegeneration.nest_code_generator_utils import NESTCodeGeneratorUtils
from pynestml.codegeneration.nest_tools import NESTTools

NEST_MODEL = "amat2_psc_exp"

# names of parameters that differ between the two models
NEST_NAMES = {"refr_T": "t_ref", "tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in"}

# NESTML parameters that differ from the defaults
PARAMETER_SETS = {
    "defaults": {},
    "adapting": {"alpha_2": 3.},
    "bursting": {"alpha_1": -.5, "alpha_2": .35},
    "rebounding": {"beta": -2.5},
    "resonating": {"beta": .5, "tau_v": 8.},
    "other time constants": {"tau_m": 15., "C_m": 250., "tau_syn_exc": 2., "tau_syn_inh": 6., "tau_1": 20., "tau_2": 100., "tau_v": 4., "beta": -.3, "alpha_2": 1.},
    "other potentials": {"E_L": -60., "omega": 8., "I_e": 120., "refr_T": 5.},
}


@pytest.fixture(scope="module")
def module():
    r"""Generate the code and build it; return the names of the module and of the model"""
    fn = os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "models", "neurons", "amat2_psc_exp_neuron.nestml"))

    return NESTCodeGeneratorUtils.generate_code_for(fn)


@pytest.mark.skipif(NESTTools.detect_nest_version().startswith("v2"),
                    reason="This test does not support NEST 2")
class TestAMAT2PscExpNeuron:
    r"""
    Compare the amat2_psc_exp_neuron model with amat2_psc_exp, which is built into NEST Simulator.

    All spikes must be emitted in the same time steps. The voltages solve the same linear equations exactly and differ by rounding only, which grows with small time steps and nearly equal time constants. With the parameters below it stays under 1E-8 mV, which is far less than the effect of an event that is a time step early or late.
    """

    tolerance = 1E-8    # [mV]

    def create(self, module, parameters, resolution=.1):
        r"""Reset the kernel, and return one neuron of each model"""
        module_name, model_name = module
        nest.ResetKernel()
        nest.SetKernelStatus({"resolution": resolution})
        try:
            nest.Install(module_name)
        except Exception:
            # ResetKernel() does not unload modules for NEST Simulator < v3.7; ignore exception if module is already loaded on earlier versions
            pass

        testant = nest.Create(model_name, params=parameters)

        # omega is relative to E_L in NESTML, and absolute in NEST
        nest_parameters = {NEST_NAMES.get(name, name): value for name, value in parameters.items()}
        nest_parameters["omega"] = parameters.get("E_L", -70.) + parameters.get("omega", 5.)
        reference = nest.Create(NEST_MODEL, params=nest_parameters)

        # start at rest: neither model changes V_m when E_L is set
        for neuron in [reference, testant]:
            neuron.V_m = parameters.get("E_L", -70.)

        return reference, testant

    def simulate(self, neurons, t_stop, resolution=.1, stages=None):
        r"""Simulate, compare both neurons, and return the spike times"""
        recorders = []
        for neuron in neurons:
            multimeter = nest.Create("multimeter", params={"record_from": ["V_m", "V_th", "V_th_v"], "interval": resolution})
            spike_recorder = nest.Create("spike_recorder")
            nest.Connect(multimeter, neuron)
            nest.Connect(neuron, spike_recorder)
            recorders.append((multimeter, spike_recorder))

        for duration, prepare in stages or [(t_stop, None)]:
            if prepare:
                prepare()

            nest.Simulate(duration)

        (multimeter_ref, spikes_ref), (multimeter_test, spikes_test) = recorders
        for variable in ["V_m", "V_th", "V_th_v"]:
            np.testing.assert_allclose(multimeter_test.events[variable], multimeter_ref.events[variable], rtol=0., atol=self.tolerance, err_msg=variable)

        np.testing.assert_array_equal(spikes_test.events["times"], spikes_ref.events["times"])

        return spikes_ref.events["times"]

    def inject_spikes(self, neurons, max_weight, sign=1.):
        times = np.linspace(100., 200., 11)
        spike_generator = nest.Create("spike_generator", params={"spike_times": times, "spike_weights": sign * np.linspace(1., max_weight, 11)})
        for neuron in neurons:
            nest.Connect(spike_generator, neuron)

    @pytest.mark.parametrize("sign", [1., -1.])
    @pytest.mark.parametrize("parameters", PARAMETER_SETS.values(), ids=PARAMETER_SETS.keys())
    def test_subthreshold(self, module, parameters, sign):
        r"""Postsynaptic potentials that are too small for a spike, of both signs"""
        parameters = {**parameters, "I_e": 0.}
        neurons = self.create(module, parameters)
        self.inject_spikes(neurons, 10., sign)
        assert len(self.simulate(neurons, 400.)) == 0

    @pytest.mark.parametrize("parameters", PARAMETER_SETS.values(), ids=PARAMETER_SETS.keys())
    def test_spiking(self, module, parameters):
        r"""Excitatory spikes that make the neuron fire"""
        neurons = self.create(module, parameters)
        self.inject_spikes(neurons, 5000.)
        assert len(self.simulate(neurons, 400.)) > 5

    def test_rebound(self, module):
        r"""Inhibitory spikes, after which a neuron with a negative beta fires"""
        neurons = self.create(module, PARAMETER_SETS["rebounding"])
        self.inject_spikes(neurons, 2000., -1.)
        assert len(self.simulate(neurons, 400.)) > 1

    @pytest.mark.parametrize("parameters", PARAMETER_SETS.values(), ids=PARAMETER_SETS.keys())
    def test_f_I_curve(self, module, parameters):
        r"""The rate under constant currents does not decrease with the current"""
        counts = []
        for current in np.linspace(10., 1000., 5):
            neurons = self.create(module, parameters)
            dc_generator = nest.Create("dc_generator", params={"amplitude": current})
            for neuron in neurons:
                nest.Connect(dc_generator, neuron)

            counts.append(len(self.simulate(neurons, 1000.)))

        assert counts[-1] > 10
        assert counts == sorted(counts)

    @pytest.mark.parametrize("resolution", [.05, .1, .25])
    @pytest.mark.parametrize("parameters", PARAMETER_SETS.values(), ids=PARAMETER_SETS.keys())
    def test_current_injection(self, module, parameters, resolution):
        r"""A current that is switched on and off, at several resolutions"""
        neurons = self.create(module, parameters, resolution)
        dc_generator = nest.Create("dc_generator", params={"amplitude": 0.})
        for neuron in neurons:
            nest.Connect(dc_generator, neuron)

        stages = [(100., None),
                  (200., lambda: dc_generator.set(amplitude=400.)),
                  (200., lambda: dc_generator.set(amplitude=-400.)),
                  (300., lambda: dc_generator.set(amplitude=0.))]
        spike_times = self.simulate(neurons, 800., resolution, stages)
        assert np.count_nonzero((spike_times > 100.) & (spike_times <= 302.)) > 1

    @pytest.mark.parametrize("refr_T", [.1, .5, 1., 2., 3.3, 10.])
    def test_refractory_period(self, module, refr_T):
        r"""In a neuron that fires at its highest rate, the interval is the refractory period plus one time step, and the membrane potential keeps evolving"""
        neurons = self.create(module, {"refr_T": refr_T, "alpha_1": -1., "I_e": 500.})
        spike_times = self.simulate(neurons, 200.)
        np.testing.assert_allclose(np.diff(spike_times), refr_T + .1)
