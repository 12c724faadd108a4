# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Solutions in continuous time compared with closed forms, and the estimate of orders of convergence."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import quad

from amat.analysis.convergence import convergence, order_of_convergence
from amat.errors import AmatError
from amat.neurons import AmatParameters, izhikevich_patterns
from amat.simulation import continuous
from amat.simulation.continuous import amat_reference, izhikevich_reference
from amat.simulation.reference import integrate

ONSET = 10.0
TONIC = izhikevich_patterns()["tonic_spiking"]


class TestIzhikevich:
    # With a = d = 0 the recovery variable stays u0, and V' = 0.04 (V + 62.5)^2 + 0.04 w^2 with
    # w^2 = (I - u0 - 16.25) / 0.04 is solved by V = -62.5 + w tan(0.04 w t + phase).
    frozen = dataclasses.replace(TONIC, parameters=TONIC.parameters.replace(a=0.0, d=0.0))
    current = 20.0
    w = math.sqrt((current + 14.0 - 16.25) / 0.04)

    def phase(self, V):
        return math.atan((V + 62.5) / self.w)

    def test_closed_form_with_a_constant_recovery_variable(self):
        """The solver's tolerance of 1e-13 bounds the error of a step; errors of many steps add up to more."""
        times = np.linspace(ONSET, ONSET + 1.7, 20)  # before the first spike
        found = izhikevich_reference(self.frozen, self.current, ONSET, 60.0, times=times)
        latency = (self.phase(30.0) - self.phase(-70.0)) / (0.04 * self.w)
        interval = (self.phase(30.0) - self.phase(-65.0)) / (0.04 * self.w)
        expected = ONSET + latency + interval * np.arange(len(found.spike_times))
        V_m = -62.5 + self.w * np.tan(0.04 * self.w * (times - ONSET) + self.phase(-70.0))
        assert len(found.spike_times) > 4
        np.testing.assert_allclose(found.spike_times, expected, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.traces["V_m"], V_m, rtol=0, atol=1e-10)

    def test_a_looser_tolerance_changes_spikes_little(self, monkeypatch):
        """A tolerance 100 times looser changes the spikes of 200 ms by less than 1e-8 ms."""
        tight = izhikevich_reference(TONIC, 14.0, ONSET, 200.0)
        monkeypatch.setattr(continuous, "TOLERANCE", 1e-11)
        loose = izhikevich_reference(TONIC, 14.0, ONSET, 200.0)
        assert len(tight.spike_times) >= 3
        np.testing.assert_allclose(tight.spike_times, loose.spike_times, rtol=0, atol=1e-8)

    def test_neuron_rests_without_current(self):
        """V = -70 mV, u = -14 is an equilibrium."""
        times = np.linspace(0.0, 100.0, 11)
        found = izhikevich_reference(TONIC, 0.0, ONSET, 100.0, times=times)
        assert not len(found.spike_times)
        np.testing.assert_allclose(found.traces["V_m"], -70.0, rtol=0, atol=1e-9)

    def test_first_spike_on_a_grid_is_rounded_up(self):
        exact = izhikevich_reference(TONIC, 14.0, ONSET, 40.0).spike_times
        for h in (0.01, 0.1, 0.2):
            on_grid = izhikevich_reference(TONIC, 14.0, ONSET, 40.0, resolution=h).spike_times
            assert on_grid[0] == pytest.approx(math.ceil(exact[0] / h) * h, abs=1e-9)
            np.testing.assert_allclose(on_grid / h, np.rint(on_grid / h), rtol=0, atol=1e-9)

    def test_spikes_on_finer_grids_converge(self):
        exact = izhikevich_reference(TONIC, 14.0, ONSET, 100.0).spike_times
        on_grid = izhikevich_reference(TONIC, 14.0, ONSET, 100.0, resolution=1e-4).spike_times
        late = on_grid - exact
        # Delays add up from spike to spike; an interval may be several steps too long.
        assert late[-1] < 1e-3 * len(exact)
        assert (late > 0).all()

    def test_divergence_before_the_next_grid_point_is_an_error(self):
        with pytest.raises(AmatError, match="finer resolution"):
            izhikevich_reference(TONIC, 14.0, ONSET, 100.0, resolution=1.0)

    def test_non_standard_equation_of_u_is_rejected(self):
        with pytest.raises(AmatError, match="standard"):
            izhikevich_reference(izhikevich_patterns()["accommodation"], 14.0, ONSET, 100.0)


class TestAmat:
    # Every component of the threshold is active; V_m settles at E_L + 10 mV.
    parameters = AmatParameters(alpha_1=4.0, alpha_2=0.8, beta=0.15, omega=5.0)
    current = 200.0

    def depolarisation(self, t):
        """V_m - E_L under the step, t ms after its onset."""
        p = self.parameters
        return self.current * p.tau_m / p.C_m * -np.expm1(-t / p.tau_m)

    def threshold(self, t, spikes):
        """V_th - E_L in the form of the paper: sums over past spikes and an integral over past slopes."""
        p = self.parameters
        past = t - spikes[spikes < t]
        jumps = np.sum(p.alpha_1 * np.exp(-past / p.tau_1) + p.alpha_2 * np.exp(-past / p.tau_2))

        def slope(s):
            return s * math.exp(-s / p.tau_v) * self.current / p.C_m * math.exp(-(t - s) / p.tau_m)

        return p.omega + jumps + p.beta * quad(slope, 0.0, t, epsabs=1e-13, epsrel=1e-13)[0]

    def test_spikes_occur_where_the_published_equations_cross(self):
        spikes = amat_reference(self.parameters, self.current, ONSET, 150.0).spike_times - ONSET
        assert len(spikes) > 5
        for spike in spikes:
            # The threshold at the spike, before its own jump.
            assert self.depolarisation(spike) == pytest.approx(self.threshold(spike, spikes), abs=1e-10)

    def test_potential_is_below_threshold_between_spikes(self):
        spikes = amat_reference(self.parameters, self.current, ONSET, 150.0).spike_times - ONSET
        for t in np.arange(0.5, 140.0, 0.5):
            last = spikes[spikes < t]
            if not len(last) or t - last[-1] > self.parameters.refr_T:
                assert self.depolarisation(t) < self.threshold(t, spikes) + 1e-9

    def test_traces_are_those_of_the_published_equations(self):
        times = np.arange(0.0, 150.0, 0.37)
        found = amat_reference(self.parameters, self.current, ONSET, 150.0, times=times)
        spikes = found.spike_times - ONSET
        since = np.maximum(times - ONSET, 0.0)
        E_L = self.parameters.E_L
        np.testing.assert_allclose(found.traces["V_m"] - E_L, self.depolarisation(since), rtol=0, atol=1e-11)
        V_th = [self.threshold(t, spikes) for t in since]
        np.testing.assert_allclose(found.traces["V_th"] - E_L, V_th, rtol=0, atol=1e-10)

    def test_latency_has_its_closed_form(self):
        """The latency at a constant threshold is tau ln(RI / (RI - omega))."""
        found = amat_reference(AmatParameters(), 150.0, ONSET, 40.0)
        assert found.spike_times[0] == pytest.approx(ONSET + 10.0 * math.log(7.5 / 2.5), abs=1e-12)

    @pytest.mark.parametrize("onset", [1.0, 16.508, 17.5, 20.0])
    def test_onset_of_a_zero_current_changes_nothing(self, onset):
        """Onsets include one just after the first spike at 16.5075 ms, and one in its dead time."""
        driven = self.parameters.replace(I_e=150.0)
        expected = amat_reference(driven, 0.0, 0.0, 100.0).spike_times
        found = amat_reference(driven, 0.0, onset, 100.0).spike_times
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)

    def test_intervals_of_a_falling_threshold_are_the_dead_time(self):
        """The dead time is refr_T in continuous time, and refr_T plus one step on the grid."""
        burster = AmatParameters(alpha_1=-1.0, refr_T=2.03)
        exact = amat_reference(burster, 500.0, ONSET, 60.0).spike_times
        on_grid = amat_reference(burster, 500.0, ONSET, 60.0, resolution=0.1).spike_times
        np.testing.assert_allclose(np.diff(exact), 2.03, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.diff(on_grid), 2.2, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("h", [0.05, 0.1, 0.5])
    def test_spikes_on_a_grid_are_those_of_stepwise_integration(self, h):
        """The comparison is `amat.simulation.reference`, which multiplies by the propagator in each step."""
        current = np.zeros(round(300.0 / h))
        current[round(ONSET / h) :] = self.current
        silent = np.zeros_like(current)
        stepwise = integrate([self.parameters], [current], [silent], [silent], h).spike_steps[0]
        found = amat_reference(self.parameters, self.current, ONSET, 300.0, resolution=h).spike_times
        np.testing.assert_array_equal(np.rint(found / h).astype(int), stepwise)

    def test_convergence_is_of_first_order_although_integration_is_exact(self):
        exact = amat_reference(self.parameters, self.current, ONSET, 150.0).spike_times
        steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]
        late = []
        for h in steps:
            on_grid = amat_reference(self.parameters, self.current, ONSET, 150.0, resolution=h).spike_times
            assert 0 <= on_grid[0] - exact[0] < h
            late.append(np.mean(on_grid - exact))
        assert order_of_convergence(steps, late) == pytest.approx(1.0, abs=0.2)

    def test_weak_current_causes_no_spike(self):
        assert not len(amat_reference(AmatParameters(), 90.0, ONSET, 500.0).spike_times)


class TestOrder:
    @pytest.mark.parametrize("order", [1, 2, 4.5])
    def test_order_of_a_power_is_its_exponent(self, order):
        h = np.array([0.2, 0.1, 0.05, 0.01])
        assert order_of_convergence(h, -3e-4 * h**order) == pytest.approx(order, abs=1e-12)

    def test_order_tolerates_scatter(self):
        h = np.logspace(-3, -1, 20)
        scatter = np.random.default_rng(1).uniform(0.5, 1.5, h.size)
        assert order_of_convergence(h, h * scatter) == pytest.approx(1.0, abs=0.1)

    @pytest.mark.parametrize(
        ("h", "error", "message"),
        [
            ([0.1], [1.0], "at least two steps"),
            ([0.1, 0.1], [1.0, 2.0], "at least two steps"),
            ([0.1, 0.2], [1.0], "one error each"),
            ([0.1, 0.2], [0.0, 1.0], "not zero"),
            ([0.1, 0.2], [math.nan, 1.0], "not zero"),
            ([-0.1, 0.2], [1.0, 1.0], "positive"),
        ],
    )
    def test_data_without_an_order_are_rejected(self, h, error, message):
        with pytest.raises(AmatError, match=message):
            order_of_convergence(h, error)


class TestComparison:
    """Input that is rejected before any simulation."""

    def test_quadratic_that_nest_does_not_offer(self):
        with pytest.raises(AmatError, match="quadratic"):
            convergence([0.1], AmatParameters(), [150.0], izhikevich_patterns()["class_1"], [14.0])

    def test_silent_neuron(self):
        with pytest.raises(AmatError, match="does not spike"):
            convergence([0.1], AmatParameters(), [150.0], TONIC, [0.0])

    def test_neuron_that_spikes_too_early(self):
        with pytest.raises(AmatError, match="too early"):
            convergence([0.1], AmatParameters(), [150.0], TONIC, [200.0])
