# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Membrane potentials of optimised neurons with extreme parameters, against the solution in closed form."""

import math

import mpmath
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import amat
from amat.simulation.kernel import reset_kernel

pytestmark = pytest.mark.slow

MODEL = "amat2_psc_exp_neuron_opt"
STEP, STEPS, ARRIVAL = 0.1, 10, 2  # ms, and steps: of the simulation, and before the spike arrives
#: Relative to the sizes of the two terms of the solution.
TOLERANCE = 1e-13
#: The distance of subnormal numbers, with which tiny propagators are rounded.
SMALLEST = math.ulp(0.0)


def _positive(exponent):
    """Return a strategy for numbers whose logarithms to base ten are uniform between two limits."""
    return st.floats(-exponent, exponent).map(lambda power: 10.0**power)


#: tau_m and tau_syn_exc in ms, C_m in pF, the potential at the start in mV, and the weight in pA.
NEURON = st.tuples(_positive(300), _positive(300), _positive(100), st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))


def exact_terms(tau_m, tau_syn, capacitance, start, weight):
    """Return the contributions of the initial potential and of one spike to the potential at the end, by mpmath."""
    with mpmath.workdps(700):  # time constants differ by up to 600 digits
        m, s = (1 / mpmath.mpf(tau) for tau in (tau_m, tau_syn))
        time, since = STEPS * mpmath.mpf(STEP), (STEPS - ARRIVAL) * mpmath.mpf(STEP)
        if m == s:
            kernel = since * mpmath.exp(-m * since)
        else:
            kernel = (mpmath.exp(-s * since) - mpmath.exp(-m * since)) / (m - s)
        return float(start * mpmath.exp(-m * time)), float(weight / mpmath.mpf(capacitance) * kernel)


def test_a_coefficient_beyond_the_largest_number_is_refused():
    nest = reset_kernel(STEP)
    amat.install(MODEL)
    with pytest.raises(nest.NESTError, match=r"no finite and accurate solution with tau_m = 1e-300, C_m = 1e\+09"):
        nest.Create(MODEL, params={"tau_m": 1e-300, "C_m": 1e9})


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(NEURON, min_size=16, max_size=32))
@example([(10.0, 10.0, 200.0, 1.0, 1e3), (10.0, math.nextafter(10.0, 11.0), 200.0, 1.0, 1e3)] * 4)
@example([(1e300, 1e-300, 1.0, 1.0, 1.0), (1e-300, 1e300, 1.0, 1.0, 1.0), (1e300, 1e300, 1.0, -1.0, 1.0)] * 3)
def test_potentials_are_exact_for_any_finite_parameters(neurons):
    """A ratio of parameters beyond the largest number, here that of C_m and tau_m, is refused: see above."""
    neurons = [neuron for neuron in neurons if neuron[2] / neuron[0] < 1e307]
    nest = reset_kernel(STEP)
    amat.install(MODEL)
    made = nest.Create(MODEL, len(neurons))
    source = nest.Create("spike_generator", params={"spike_times": [(ARRIVAL - 1) * STEP]})
    for neuron, (tau_m, tau_syn, capacitance, start, weight) in zip(made, neurons, strict=True):
        neuron.set(E_L=0.0, omega=1e300, tau_m=tau_m, tau_syn_exc=tau_syn, C_m=capacitance, V_m=start)
        # The port of a negative weight has another time constant.
        nest.Connect(source, neuron, syn_spec={"weight": abs(weight), "delay": STEP})
    nest.Simulate(STEPS * STEP)
    for neuron, (*parameters, weight) in zip(made, neurons, strict=True):
        terms = exact_terms(*parameters, abs(weight))
        allowed = TOLERANCE * sum(map(abs, terms)) + STEPS * SMALLEST * max(abs(parameters[-1]), abs(weight), 1.0)
        assert neuron.V_m == pytest.approx(sum(terms), abs=allowed), (*parameters, abs(weight))
