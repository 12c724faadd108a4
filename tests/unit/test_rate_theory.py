# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Moments, correlation and filters against closed forms, quadrature and the exact reference; limits of the theory."""

import math

import numpy as np
import pytest
from scipy.integrate import quad, simpson, trapezoid

from amat.analysis.excitability import steady_interval
from amat.analysis.rate_theory import (
    LifNeuron,
    NetworkInput,
    PoissonInput,
    ShotNoise,
    amat_network_rate,
    interval_statistics,
    lif_network_rate,
    lif_rate,
    relative_gain,
    static_gains,
)
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.reference import integrate, propagators

#: Different time constants; equal ones of membrane, voltage dependence and synapses; and close ones.
CELLS = {
    "different": AmatParameters(beta=0.4, I_e=20.0),
    "equal": AmatParameters(tau_m=5.0, tau_v=5.0, tau_syn_exc=5.0, tau_syn_inh=5.0, C_m=100.0, beta=-0.5),
    "close": AmatParameters(tau_m=5.0, tau_v=5.0 * (1 + 1e-7), tau_syn_exc=5.0 * (1 - 1e-8), C_m=100.0, beta=0.7),
}
INPUTS = (PoissonInput(4000.0, 30.0), PoissonInput(900.0, -40.0))


def potential_after_spike(cell, weight, times):
    """Return the textbook's difference of exponentials, or its limit for equal time constants, mV."""
    tau_syn = cell.tau_syn_exc if weight > 0 else cell.tau_syn_inh
    if abs(cell.tau_m - tau_syn) < 1e-6:
        return weight / cell.C_m * times * np.exp(-times / cell.tau_m)
    factor = weight / cell.C_m * cell.tau_m * tau_syn / (cell.tau_m - tau_syn)
    return factor * (np.exp(-times / cell.tau_m) - np.exp(-times / tau_syn))


def threshold_after_spike(cell, weight, time):
    """Return ``beta int K(s) V'(t - s) ds`` with ``K(s) = s exp(-s / tau_v)``, from Yamauchi's definition, mV.

    By parts it is ``beta int K'(s) V(t - s) ds``, since both K(0) and V(0) are 0.
    """

    def integrand(s):
        return (1 - s / cell.tau_v) * math.exp(-s / cell.tau_v) * potential_after_spike(cell, weight, time - s)

    return cell.beta * quad(integrand, 0.0, time, epsabs=1e-13, epsrel=1e-11)[0]


@pytest.mark.parametrize("name", CELLS)
def test_responses_to_a_spike_are_those_of_the_equations(name):
    """Both derivations share nothing but the parameters: the library uses the exponential of a matrix."""
    cell, times = CELLS[name], np.array([0.3, 1.0, 4.0, 11.0, 40.0])
    noise = ShotNoise(cell, INPUTS)
    for number, train in enumerate(INPUTS):
        potential = potential_after_spike(cell, train.weight, times)
        threshold = [threshold_after_spike(cell, train.weight, time) for time in times.tolist()]
        scale = np.abs(potential).max()
        np.testing.assert_allclose(noise.impulse_response(times)[number], potential, atol=1e-7 * scale)
        np.testing.assert_allclose(noise.impulse_response(times, "V_th_v")[number], threshold, atol=1e-7 * scale)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("quantity", ["V_m", "V_th_v", "distance", "slope"])
def test_moments_and_correlation_are_campbells_integrals(name, quantity):
    """The integrals are Simpson's sums of the response to a spike over 150 ms."""
    cell = CELLS[name]
    noise = ShotNoise(cell, INPUTS)
    step, lag = 0.025, 120
    times = step * np.arange(6001)
    response = noise.impulse_response(times, quantity)
    rates = np.array([1e-3 * train.rate for train in INPUTS])

    def campbell(integrand):
        return float(rates @ simpson(integrand, dx=step, axis=1))

    tolerance = {"rel": 2e-5, "abs": 2e-5}
    constant = cell.I_e * cell.tau_m / cell.C_m if quantity in ("V_m", "distance") else 0.0
    assert noise.mean(quantity) == pytest.approx(campbell(response) + constant, **tolerance)
    for order in (2, 3, 4):
        assert noise.cumulant(order, quantity) == pytest.approx(campbell(response**order), **tolerance)
    assert noise.covariance(quantity) == pytest.approx(noise.cumulant(2, quantity), rel=1e-9)
    shifted = campbell(response[:, lag:] * response[:, :-lag])
    assert noise.correlation(lag * step, quantity)[0] == pytest.approx(shifted, **tolerance)
    other = noise.impulse_response(times, "V_m")
    crossed = campbell(response[:, lag:] * other[:, :-lag])
    assert noise.correlation([lag * step], quantity, "V_m")[0] == pytest.approx(crossed, **tolerance)


@pytest.fixture(scope="module")
def simulated():
    """Return traces of 250 neurons that fire, from the exact reference; Poisson numbers of spikes in each step."""
    cell = AmatParameters(tau_syn_exc=2.0, alpha_2=0.5, beta=0.2, omega=8.0, I_e=60.0)
    neurons, steps, warm_up, resolution = 250, 6000, 1000, 0.1
    random = np.random.default_rng(3)
    counts = [random.poisson(1e-3 * train.rate * resolution, (neurons, steps)) for train in INPUTS]
    exc, inh = (train.weight * count for train, count in zip(INPUTS, counts, strict=True))
    found = integrate([cell] * neurons, np.zeros((neurons, steps)), exc, inh, resolution)
    assert sum(map(len, found.spike_steps)) > 1000  # spikes leave V_m alone
    return ShotNoise(cell, INPUTS), found.V_m[:, warm_up:] - cell.E_L, found.V_th_v[:, warm_up:]


def test_moments_and_correlation_are_those_of_the_reference(simulated):
    """The error bar is the standard error over 250 independent neurons; eight quantities, so 4 of them are allowed.

    Input on the grid changes moments by the order of the step squared, 1e-3 relative, far below the error bars.
    """
    noise, potential, threshold = simulated
    distance = potential - threshold
    lag = 50  # 5 ms
    centred = {"V_m": potential - noise.mean("V_m"), "V_th_v": threshold, "distance": distance - noise.mean("distance")}
    expected = {"mean V_m": (potential.mean(axis=1), noise.mean("V_m"))}
    expected["mean V_th_v"] = threshold.mean(axis=1), 0.0
    for name, values in centred.items():
        expected[f"variance {name}"] = (values**2).mean(axis=1), noise.covariance(name)
        later = (values[:, lag:] * values[:, :-lag]).mean(axis=1)
        expected[f"correlation {name}"] = later, noise.correlation(0.1 * lag, name)[0]
    for name, (sample, exact) in expected.items():
        error = sample.std(ddof=1) / math.sqrt(len(sample))
        assert abs(sample.mean() - exact) < 4 * error, name
        assert "mean" in name or error < 0.04 * abs(noise.covariance(name.split()[1])), name


@pytest.mark.parametrize("name", CELLS)
def test_linear_response_of_the_mean_is_that_of_the_matrix_exponential(name):
    """The filter is the Fourier integral of the response to one spike, from the reference's propagators."""
    cell, step = CELLS[name], 0.01
    noise = ShotNoise(cell, INPUTS)
    (propagator,) = propagators([cell], step)
    state, responses = np.zeros(8), []
    state[5] = INPUTS[0].weight  # the excitatory current
    for _ in range(20000):
        responses.append((state[0], state[0] - state[2]))
        state = propagator @ state
    traces = np.array(responses)
    times = step * np.arange(len(traces))
    for f in (0.0, 5.0, 40.0):
        for column, quantity in enumerate(("V_m", "distance")):
            wave = np.exp(-2e-3j * np.pi * f * times)
            mean = 1e-3 * trapezoid(traces[:, column] * wave, dx=step)
            variance = 1e-3 * trapezoid(traces[:, column] ** 2 * wave, dx=step)
            scale = 1e-3 * np.abs(traces[:, column]).sum() * step
            assert abs(noise.mean_filter(f, quantity)[0, 0] - mean) < 1e-5 * scale
            assert noise.variance_filter(f, quantity)[0, 0] == pytest.approx(variance, rel=1e-4)
    static = 1e-3 * INPUTS[0].weight * cell.tau_syn_exc * cell.tau_m / cell.C_m
    assert noise.mean_filter(0.0)[0, 0] == pytest.approx(static, rel=1e-12)


@pytest.mark.parametrize("alpha_2", [0.0, 1.0])
def test_without_fluctuations_the_rate_is_the_exact_one(alpha_2):
    """In weak noise the hazard is that of a threshold that falls through a constant potential.

    The tolerance is half a step of the grid of times, 1 % of the interval.
    """
    cell = AmatParameters(alpha_1=10.0, alpha_2=alpha_2, I_e=600.0)
    found = interval_statistics(ShotNoise(cell, [PoissonInput(1000.0, 2.0)]))
    assert found.rate == pytest.approx(1e3 / steady_interval(cell, 2.0), rel=0.01)
    assert found.cv < 0.05


def test_rate_and_cv_are_near_those_of_the_reference():
    """A statement on the approximation: 60 neurons of the exact reference, with a standard error of about 1 %."""
    cell = AmatParameters(tau_syn_exc=2.0, tau_syn_inh=2.0, alpha_1=10.0, alpha_2=1.0, omega=10.0)
    inputs = PoissonInput(8000.0, 30.0), PoissonInput(8000.0, -15.0)
    neurons, steps, warm_up, resolution = 60, 20000, 5000, 0.1
    random = np.random.default_rng(8)
    exc, inh = (t.weight * random.poisson(1e-3 * t.rate * resolution, (neurons, steps)) for t in inputs)
    trains = integrate([cell] * neurons, np.zeros((neurons, steps)), exc, inh, resolution).spike_steps
    kept = [train[train > warm_up] for train in trains]
    intervals = np.concatenate([np.diff(train) for train in kept])
    rate = sum(map(len, kept)) / neurons / ((steps - warm_up) * resolution * 1e-3)
    found = interval_statistics(ShotNoise(cell, inputs), resolution=resolution)
    assert rate > 10
    assert found.rate == pytest.approx(rate, rel=0.12)
    assert found.cv == pytest.approx(intervals.std() / intervals.mean(), abs=0.1)
    assert found.serial_correlation < 0


def test_the_gain_of_a_slow_modulation_is_the_derivative_of_the_rate():
    """At 0 Hz filters, static gains and adaptation must combine to the derivative by the input's rate."""
    cell = AmatParameters(tau_syn_exc=2.0, tau_syn_inh=2.0, alpha_2=0.5, beta=0.2, omega=8.0)
    exc, inh = PoissonInput(5000.0, 25.0), PoissonInput(5000.0, -10.0)
    gain = relative_gain(ShotNoise(cell, [exc, inh]), [0.0, 5.0, 2000.0])
    low, high = (
        interval_statistics(ShotNoise(cell, [PoissonInput(exc.rate * factor, exc.weight), inh])).rate
        for factor in (0.98, 1.02)
    )
    assert gain[0].imag == pytest.approx(0.0, abs=1e-9)
    assert gain[0].real == pytest.approx((high - low) / 0.02 / (high + low), rel=0.02)
    assert abs(gain[1]) > abs(gain[0]) > abs(gain[2])  # adaptation passes 5 Hz, the membrane does not pass 2 kHz
    both = static_gains(ShotNoise(cell, [exc, inh]))
    assert both.mean > 0
    assert both.variance > 0


#: Rates in spikes/s from nnmt 1.3.0 (nnmt.lif.exp, method "shift") for a threshold of 15 mV, reset 0, tau_m 10 ms and
#: t_ref 2 ms; by mean (mV), sigma (mV) and tau_syn (ms).
NNMT = {
    (10.0, 5.0, 2.0): 7.444588521740423,
    (14.0, 3.0, 0.5): 24.061014776610236,
    (20.0, 4.0, 1.0): 60.71760152452205,
    (16.0, 2.0, 0.5): 35.442567563062575,
    (5.0, 6.0, 0.5): 2.419821570429863,
    (12.0, 1.0, 0.5): 0.005045826512992854,
}


@pytest.mark.parametrize("point", NNMT)
def test_rates_of_leaky_neurons_are_those_of_nnmt(point):
    mean, sigma, tau_syn = point
    assert lif_rate(LifNeuron(tau_syn=tau_syn), mean, sigma) == pytest.approx(NNMT[point], rel=1e-9)


def test_rates_of_networks_are_self_consistent():
    network = NetworkInput(12000.0, 14.0, 14.0, -85.0, 800, 200)
    cell = AmatParameters(tau_syn_exc=2.0, tau_syn_inh=2.0, omega=15.0)
    rate = amat_network_rate(cell, network, resolution=0.1)
    assert interval_statistics(ShotNoise(cell, network.trains(rate)), resolution=0.1).rate == pytest.approx(
        rate, rel=1e-3
    )
    assert 1 < rate < 40
    assert lif_network_rate(LifNeuron(), network) > 0
    silent = NetworkInput(100.0, 14.0, 14.0, -85.0, 800, 200)
    assert amat_network_rate(cell, silent) == 0.0


def test_wrong_arguments_are_refused():
    noise = ShotNoise(AmatParameters(), INPUTS)
    with pytest.raises(AmatError, match="at least one PoissonInput"):
        ShotNoise(AmatParameters(), [])
    with pytest.raises(AmatError, match=r"not be negative, got -5 spikes/s"):
        PoissonInput(-5.0, 1.0)
    with pytest.raises(AmatError, match=r"'V'.*V_m"):
        noise.mean("V")
    with pytest.raises(AmatError, match="got -1 ms"):
        noise.correlation([-1.0])
    with pytest.raises(AmatError, match="got 5"):
        noise.cumulant(5)
    with pytest.raises(AmatError, match="Input 2 does not exist"):
        relative_gain(noise, [1.0], modulated=[2])
    with pytest.raises(AmatError, match="without spikes"):
        relative_gain(ShotNoise(AmatParameters(), [PoissonInput(1.0, 1.0)]), [1.0])
    with pytest.raises(AmatError, match="No rate below 400"):
        lif_network_rate(LifNeuron(), NetworkInput(20000.0, 50.0, 100.0, -1.0, 800, 200))
