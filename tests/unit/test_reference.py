# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The exact reference against itself in higher precision, and against solutions in closed form."""

import mpmath
import numpy as np
import pytest

from amat.neurons import AmatParameters
from amat.simulation.reference import STATE, integrate, integrate_precise, propagators, refractory_steps, system_matrix

DISTANT = AmatParameters(beta=0.3)
EQUAL = AmatParameters(tau_m=5.0, tau_v=5.0, beta=-0.5, tau_syn_exc=5.0, tau_syn_inh=5.0)
NEAR = [AmatParameters(tau_m=5.0, tau_v=5.0 * (1 + 10.0**-k), beta=0.3) for k in range(1, 13)]
APART = AmatParameters(tau_m=1000.0, tau_v=0.01, beta=0.3)


@pytest.mark.parametrize("resolution", [0.025, 0.1, 0.5])
@pytest.mark.parametrize("parameters", [DISTANT, EQUAL, APART, *NEAR])
def test_propagators_are_correct_to_the_last_digit(parameters, resolution):
    """mpmath with 60 digits is the standard; half a unit in the last place is 1.1e-16."""
    ours = propagators([parameters], resolution)[0]
    with mpmath.workdps(60):
        exact = mpmath.expm(mpmath.matrix(system_matrix(parameters, mpmath.mpf)) * mpmath.mpf(repr(resolution)))
        for i in range(len(STATE)):
            for j in range(len(STATE)):
                assert abs(mpmath.mpf(float(ours[i, j])) - exact[i, j]) <= 2e-16 * abs(exact[i, j]), (i, j)


def test_a_step_of_type_numpy_gives_the_same_numbers():
    step, silent = np.float64(0.1), np.zeros(1)
    np.testing.assert_array_equal(propagators([DISTANT], step), propagators([DISTANT], 0.1))
    one, other = (integrate_precise(DISTANT, silent, silent, silent, h, V_m=-66.0) for h in (step, 0.1))
    np.testing.assert_array_equal(one.V_m, other.V_m)


@pytest.mark.parametrize("parameters", [DISTANT, EQUAL, NEAR[7]])
def test_fast_and_precise_integration_agree(parameters):
    random = np.random.default_rng(4)
    steps = 3000
    current = np.where(np.arange(steps) > 100, 300.0, 0.0)
    excitatory, inhibitory = random.poisson(0.5, steps) * 30.0, random.poisson(0.2, steps) * -30.0
    fast = integrate([parameters], [current], [excitatory], [inhibitory], 0.1, V_m=[-66.0])
    precise = integrate_precise(parameters, current, excitatory, inhibitory, 0.1, V_m=-66.0)
    assert len(precise.spike_steps[0]) > 5
    np.testing.assert_array_equal(fast.spike_steps[0], precise.spike_steps[0])
    for name in ("V_m", "V_th", "V_th_v"):
        np.testing.assert_allclose(getattr(fast, name), getattr(precise, name), rtol=0, atol=5e-12)


def test_membrane_follows_the_closed_form_of_a_step():
    """V = E_L + R I (1 - exp(-t / tau_m)), below threshold."""
    p = AmatParameters(omega=100.0)
    current = np.full((1, 500), 50.0)
    V_m = integrate([p], current, 0 * current, 0 * current, 0.1).V_m[0]
    time = 0.1 * np.arange(1, 501)
    np.testing.assert_allclose(V_m, p.E_L + p.tau_m / p.C_m * 50.0 * (1 - np.exp(-time / p.tau_m)), rtol=0, atol=1e-12)


def test_voltage_threshold_is_the_published_convolution():
    """beta times the integral of s exp(-s / tau_v) V'(t - s), by quadrature of the closed form of V'."""
    p = AmatParameters(beta=0.4, tau_v=7.0, omega=1e6)
    current = np.full((1, 400), 120.0)
    V_th_v = integrate([p], current, 0 * current, 0 * current, 0.1).V_th_v[0]
    with mpmath.workdps(30):
        for step in (1, 37, 400):
            t = mpmath.mpf(step) / 10
            rate = 120 / mpmath.mpf(p.C_m)  # of the membrane at the onset
            exact = p.beta * mpmath.quad(
                lambda s, t=t, rate=rate: s * mpmath.exp(-s / 7) * rate * mpmath.exp(-(t - s) / 10), [0, t]
            )
            assert abs(V_th_v[step - 1] - exact) < 1e-12


def test_threshold_jumps_and_decays_after_a_spike():
    p = AmatParameters(alpha_1=8.0, alpha_2=2.0, omega=5.0)
    current = np.zeros((1, 400))
    kick = np.zeros((1, 400))
    kick[0, 9] = 2000.0
    run = integrate([p], current, kick, 0 * current, 0.1)
    spike = run.spike_steps[0][0]
    elapsed = 0.1 * (np.arange(1, 401) - spike)[spike - 1 :]
    expected = p.E_L + 5.0 + 8.0 * np.exp(-elapsed / p.tau_1) + 2.0 * np.exp(-elapsed / p.tau_2)
    assert len(run.spike_steps[0]) == 1
    np.testing.assert_allclose(run.V_th[0, spike - 1 :], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("refr_T", "resolution", "steps"),
    [(2.0, 0.1, 20), (1.0, 0.1, 10), (2.03, 0.1, 21), (0.7, 0.7, 1), (2.0, 0.025, 80), (1.2, 0.5, 3)],
)
def test_refractory_steps_are_rounded_up_to_the_grid(refr_T, resolution, steps):
    assert refractory_steps(refr_T, resolution) == steps


def test_smallest_interval_is_the_refractory_time_and_one_step():
    """Negative adaptation lets the neuron spike as fast as it can."""
    p = AmatParameters(alpha_1=-5.0, alpha_2=0.0, refr_T=1.0)
    current = np.full((1, 1000), 400.0)
    spikes = integrate([p], current, 0 * current, 0 * current, 0.1).spike_steps[0]
    assert set(np.diff(spikes)) == {11}
