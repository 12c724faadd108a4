# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The references of the convergence study against closed forms and each other, and the estimate of orders."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import quad

from amat.analysis.convergence import amat_reference, convergence, izhikevich_reference, order_of_convergence
from amat.errors import AmatError
from amat.neurons import AmatParameters, izhikevich_patterns
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

    # The tolerance bounds the error of a step; both solvers' errors add up to more.
    @pytest.mark.parametrize(("method", "tolerance"), [("DOP853", 1e-13), ("Radau", 1e-9)])
    def test_closed_form_with_a_frozen_recovery_variable(self, method, tolerance):
        times = np.linspace(ONSET, ONSET + 1.7, 20)  # before the first spike
        found = izhikevich_reference(
            self.frozen, self.current, ONSET, 60.0, times=times, method=method, tolerance=tolerance
        )
        latency = (self.phase(30.0) - self.phase(-70.0)) / (0.04 * self.w)
        interval = (self.phase(30.0) - self.phase(-65.0)) / (0.04 * self.w)
        expected = ONSET + latency + interval * np.arange(len(found.spike_times))
        V_m = -62.5 + self.w * np.tan(0.04 * self.w * (times - ONSET) + self.phase(-70.0))
        assert len(found.spike_times) > 4
        np.testing.assert_allclose(found.spike_times, expected, rtol=0, atol=1e2 * tolerance)
        np.testing.assert_allclose(found.traces["V_m"], V_m, rtol=0, atol=1e3 * tolerance)

    def test_two_solvers_agree(self):
        """An explicit and an implicit one; Radau at 1e-9, since it is of lower order and slow."""
        explicit = izhikevich_reference(TONIC, 14.0, ONSET, 50.0)
        implicit = izhikevich_reference(TONIC, 14.0, ONSET, 50.0, method="Radau", tolerance=1e-9)
        assert len(explicit.spike_times) >= 3
        np.testing.assert_allclose(explicit.spike_times, implicit.spike_times, rtol=0, atol=1e-6)

    def test_the_tolerance_is_tight_enough(self):
        """A hundred times looser changes the spikes of 200 ms by less than 1e-8 ms."""
        tight = izhikevich_reference(TONIC, 14.0, ONSET, 200.0)
        loose = izhikevich_reference(TONIC, 14.0, ONSET, 200.0, tolerance=1e-11)
        np.testing.assert_allclose(tight.spike_times, loose.spike_times, rtol=0, atol=1e-8)

    def test_rests_without_current(self):
        """V = -70 mV, u = -14 is an equilibrium."""
        times = np.linspace(0.0, 100.0, 11)
        found = izhikevich_reference(TONIC, 0.0, ONSET, 100.0, times=times)
        assert not len(found.spike_times)
        np.testing.assert_allclose(found.traces["V_m"], -70.0, rtol=0, atol=1e-9)

    def test_on_a_grid_the_first_spike_is_rounded_up(self):
        exact = izhikevich_reference(TONIC, 14.0, ONSET, 40.0).spike_times
        for h in (0.01, 0.1, 0.2):
            on_grid = izhikevich_reference(TONIC, 14.0, ONSET, 40.0, resolution=h).spike_times
            assert on_grid[0] == pytest.approx(math.ceil(exact[0] / h) * h, abs=1e-9)
            np.testing.assert_allclose(on_grid / h, np.rint(on_grid / h), rtol=0, atol=1e-9)

    def test_on_finer_grids_the_spikes_converge(self):
        exact = izhikevich_reference(TONIC, 14.0, ONSET, 100.0).spike_times
        on_grid = izhikevich_reference(TONIC, 14.0, ONSET, 100.0, resolution=1e-4).spike_times
        late = on_grid - exact
        # Lateness adds up from spike to spike; an interval may be several steps too long.
        assert late[-1] < 1e-3 * len(exact)
        assert (late > 0).all()

    def test_names_the_remedy_where_the_potential_reaches_infinity(self):
        with pytest.raises(AmatError, match="finer resolution"):
            izhikevich_reference(TONIC, 14.0, ONSET, 100.0, resolution=1.0)

    def test_refuses_another_equation_of_u(self):
        with pytest.raises(AmatError, match="standard"):
            izhikevich_reference(izhikevich_patterns()["accommodation"], 14.0, ONSET, 100.0)


class TestAmat:
    # Every component at work; V_m settles at E_L + 10 mV.
    parameters = AmatParameters(alpha_1=4.0, alpha_2=0.8, beta=0.15, omega=5.0)
    current = 200.0

    def depolarisation(self, t):
        """V_m - E_L under the step, t ms after its onset."""
        p = self.parameters
        return self.current * p.tau_m / p.C_m * -np.expm1(-t / p.tau_m)

    def threshold(self, t, spikes):
        """V_th - E_L as the paper writes it: sums over past spikes and an integral over past slopes."""
        p = self.parameters
        past = t - spikes[spikes < t]
        jumps = np.sum(p.alpha_1 * np.exp(-past / p.tau_1) + p.alpha_2 * np.exp(-past / p.tau_2))

        def slope(s):
            return s * math.exp(-s / p.tau_v) * self.current / p.C_m * math.exp(-(t - s) / p.tau_m)

        return p.omega + jumps + p.beta * quad(slope, 0.0, t, epsabs=1e-13, epsrel=1e-13)[0]

    def test_spikes_where_the_published_equations_cross(self):
        spikes = amat_reference(self.parameters, self.current, ONSET, 150.0).spike_times - ONSET
        assert len(spikes) > 5
        for spike in spikes:
            # The threshold at the spike, before its own jump.
            assert self.depolarisation(spike) == pytest.approx(self.threshold(spike, spikes), abs=1e-10)

    def test_does_not_spike_elsewhere(self):
        spikes = amat_reference(self.parameters, self.current, ONSET, 150.0).spike_times - ONSET
        for t in np.arange(0.5, 140.0, 0.5):
            last = spikes[spikes < t]
            if not len(last) or t - last[-1] > self.parameters.refr_T:
                assert self.depolarisation(t) < self.threshold(t, spikes) + 1e-9

    def test_traces(self):
        times = np.arange(0.0, 150.0, 0.37)
        found = amat_reference(self.parameters, self.current, ONSET, 150.0, times=times)
        spikes = found.spike_times - ONSET
        since = np.maximum(times - ONSET, 0.0)
        E_L = self.parameters.E_L
        np.testing.assert_allclose(found.traces["V_m"] - E_L, self.depolarisation(since), rtol=0, atol=1e-11)
        V_th = [self.threshold(t, spikes) for t in since]
        np.testing.assert_allclose(found.traces["V_th"] - E_L, V_th, rtol=0, atol=1e-10)

    def test_latency_in_closed_form(self):
        """With a constant threshold, tau ln(RI / (RI - omega)) after the onset."""
        found = amat_reference(AmatParameters(), 150.0, ONSET, 40.0)
        assert found.spike_times[0] == pytest.approx(ONSET + 10.0 * math.log(7.5 / 2.5), abs=1e-12)

    @pytest.mark.parametrize("onset", [1.0, 16.508, 17.5, 20.0])
    def test_a_change_of_nothing_changes_nothing(self, onset):
        """A current of zero may set in anywhere: just after the first spike at 16.5075 ms, or in its dead time."""
        driven = self.parameters.replace(I_e=150.0)
        expected = amat_reference(driven, 0.0, 0.0, 100.0).spike_times
        found = amat_reference(driven, 0.0, onset, 100.0).spike_times
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)

    def test_dead_time(self):
        """A falling threshold makes intervals the dead time: refr_T, on the grid refr_T and one step."""
        burster = AmatParameters(alpha_1=-1.0, refr_T=2.03)
        exact = amat_reference(burster, 500.0, ONSET, 60.0).spike_times
        on_grid = amat_reference(burster, 500.0, ONSET, 60.0, resolution=0.1).spike_times
        np.testing.assert_allclose(np.diff(exact), 2.03, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.diff(on_grid), 2.2, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("h", [0.05, 0.1, 0.5])
    def test_on_a_grid_as_stepwise_integration(self, h):
        """Against `amat.simulation.reference`, which multiplies by the propagator step by step."""
        current = np.zeros(round(300.0 / h))
        current[round(ONSET / h) :] = self.current
        silent = np.zeros_like(current)
        stepwise = integrate([self.parameters], [current], [silent], [silent], h).spike_steps[0]
        found = amat_reference(self.parameters, self.current, ONSET, 300.0, resolution=h).spike_times
        np.testing.assert_array_equal(np.rint(found / h).astype(int), stepwise)

    def test_converges_at_first_order_although_integration_is_exact(self):
        exact = amat_reference(self.parameters, self.current, ONSET, 150.0).spike_times
        steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]
        late = []
        for h in steps:
            on_grid = amat_reference(self.parameters, self.current, ONSET, 150.0, resolution=h).spike_times
            assert 0 <= on_grid[0] - exact[0] < h
            late.append(np.mean(on_grid - exact))
        assert order_of_convergence(steps, late) == pytest.approx(1.0, abs=0.2)

    def test_silent_below_threshold(self):
        assert not len(amat_reference(AmatParameters(), 90.0, ONSET, 500.0).spike_times)


class TestOrder:
    @pytest.mark.parametrize("order", [1, 2, 4.5])
    def test_of_a_power(self, order):
        h = np.array([0.2, 0.1, 0.05, 0.01])
        assert order_of_convergence(h, -3e-4 * h**order) == pytest.approx(order, abs=1e-12)

    def test_of_a_power_with_scatter(self):
        h = np.logspace(-3, -1, 20)
        scatter = np.random.default_rng(1).uniform(0.5, 1.5, h.size)
        assert order_of_convergence(h, h * scatter) == pytest.approx(1.0, abs=0.1)

    @pytest.mark.parametrize(
        ("h", "error", "message"),
        [
            ([0.1], [1.0], "two steps"),
            ([0.1, 0.1], [1.0, 2.0], "two steps"),
            ([0.1, 0.2], [1.0], "one error each"),
            ([0.1, 0.2], [0.0, 1.0], "not zero"),
            ([0.1, 0.2], [math.nan, 1.0], "not zero"),
            ([-0.1, 0.2], [1.0, 1.0], "positive"),
        ],
    )
    def test_refuses_what_has_none(self, h, error, message):
        with pytest.raises(AmatError, match=message):
            order_of_convergence(h, error)


class TestComparison:
    """What is refused before NEST is asked."""

    def test_a_quadratic_that_nest_has_not(self):
        with pytest.raises(AmatError, match="quadratic"):
            convergence([0.1], AmatParameters(), [150.0], izhikevich_patterns()["class_1"], [14.0])

    def test_a_silent_neuron(self):
        with pytest.raises(AmatError, match="does not spike"):
            convergence([0.1], AmatParameters(), [150.0], TONIC, [0.0])

    def test_a_neuron_that_spikes_at_once(self):
        with pytest.raises(AmatError, match="too early"):
            convergence([0.1], AmatParameters(), [150.0], TONIC, [200.0])
