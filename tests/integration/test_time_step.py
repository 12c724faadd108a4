# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Effect of the time step on spike times and potentials on NEST."""

import numpy as np
import pytest

from amat.analysis.convergence import SCHEMES, convergence, order_of_convergence
from amat.neurons import AmatParameters, izhikevich_patterns, yamauchi_patterns
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, pulses

pytestmark = pytest.mark.slow

RESOLUTIONS = [0.01, 0.02, 0.05, 0.1, 0.2]
EULER = ["Izhikevich, Euler (NEST)", "Izhikevich, Euler (NESTML)"]
SCHEME_2003 = "Izhikevich, 2003 scheme (NEST)"
RUNGE_KUTTA = "Izhikevich, Runge-Kutta 4(5) (NESTML)"
AMAT = ["AMAT (NEST)", "AMAT (NESTML)"]


@pytest.fixture(scope="module")
def table():
    """Five currents per neuron, so that means over rounded spike times are near half a step."""
    factors = np.linspace(0.9, 1.1, 5)
    return convergence(
        RESOLUTIONS,
        yamauchi_patterns()["tonic_spiking"].parameters.replace(alpha_2=0.5, beta=0.1),
        150.0 * factors,
        izhikevich_patterns()["tonic_spiking"],
        14.0 * factors,
        duration=120.0,
    )


def errors(table, measure, scheme, spike=None, statistic="max"):
    """Errors of a scheme by time step."""
    part = table[(table["measure"] == measure) & (table["scheme"] == scheme)]
    if spike is not None:
        part = part[part["spike_index"] == spike]
    return part["value"].abs().groupby(part["h_ms"]).agg(statistic)


def test_every_scheme_spikes_at_every_time_step(table):
    spikes = table[table["measure"] == "spike_time_error"]
    assert set(spikes["scheme"]) == {scheme.name for scheme in SCHEMES}
    assert (spikes.groupby(["scheme", "h_ms", "current_pA"]).size() >= 3).all()


@pytest.mark.parametrize("measure", ["V_m_error", "V_th_error"])
@pytest.mark.parametrize("scheme", AMAT)
def test_amat_is_exact_before_the_first_spike(table, scheme, measure):
    """Rounding of double precision, over the at most 3000 steps to the first spike, stays below 1e-9 mV."""
    assert errors(table, measure, scheme).max() < 1e-9


@pytest.mark.parametrize("scheme", [*EULER, SCHEME_2003])
def test_first_order_schemes_converge_at_first_order(table, scheme):
    error = errors(table, "V_m_error", scheme)
    assert (error > 1e-4).all()
    # Terms of higher order bend the line at the larger steps.
    assert order_of_convergence(error.index, error) == pytest.approx(1.0, abs=0.1)


def test_runge_kutta_converges_faster(table):
    """GSL's rkf45 with one step per time step advances with the solution of order 5. Small steps are omitted,
    since the error is that of the reference."""
    error = errors(table, "V_m_error", RUNGE_KUTTA).loc[0.05:]
    assert (error < 1e-5 * errors(table, "V_m_error", EULER[0]).loc[0.05:]).all()
    assert order_of_convergence(error.index, error) == pytest.approx(5.0, abs=0.5)


def test_euler_of_nest_and_of_nestml_are_the_same(table):
    """The same spikes; potentials to the rounding of sums in another order."""
    first, second = (table[table["scheme"] == scheme].reset_index() for scheme in EULER)
    np.testing.assert_array_equal(first["measure"], second["measure"])
    of_spikes = first["spike_index"].notna()
    np.testing.assert_array_equal(first["value"][of_spikes], second["value"][of_spikes])
    np.testing.assert_allclose(first["value"], second["value"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scheme", [*AMAT, RUNGE_KUTTA])
def test_accurate_integration_leaves_nothing_but_rounding(table, scheme):
    """All spikes in the steps of the exact solution with spikes on the grid; the first less than a step late."""
    assert errors(table, "integration_error", scheme).max() == 0.0
    first = table[(table["measure"] == "spike_time_error") & (table["scheme"] == scheme) & (table["spike_index"] == 1)]
    assert first["value"].between(0.0, first["h_ms"], inclusive="left").all()


@pytest.mark.parametrize("scheme", EULER)
def test_eulers_integration_error_is_a_number_of_steps(table, scheme):
    """The number is the same at every time step: on average more than one by the second spike, and fewer than ten."""
    in_steps = errors(table, "integration_error", scheme, spike=2, statistic="mean")
    in_steps = in_steps / in_steps.index
    assert in_steps.between(1.0, 10.0).all()


@pytest.mark.parametrize("scheme", [scheme.name for scheme in SCHEMES])
def test_spike_times_of_all_schemes_converge_at_first_order(table, scheme):
    """This holds for AMAT, too. Means of five rounded times scatter by some 25 % (uniform rounding: 0.58 / sqrt(5))."""
    error = errors(table, "spike_time_error", scheme, spike=3, statistic="mean")
    assert order_of_convergence(error.index, error) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("scheme", AMAT)
def test_amats_intervals_err_by_less_than_a_step(table, scheme):
    error = errors(table, "interval_error", scheme)
    assert (error < error.index).all()


def test_amats_potential_stays_exact_after_spikes():
    """Spikes do not reset it, so that it has the closed form at every grid point and any time step."""
    p = AmatParameters(alpha_1=10.0, alpha_2=0.5, beta=0.1)
    for h in (0.01, 0.1, 0.5):
        stimulus = Stimulus(pulses(150.0, h, [10.0], [140.0], [150.0]))
        model = "amat2_psc_exp_neuron_nestml"
        recording = simulate({model: [p.to_nestml()]}, [stimulus], h, record={model: ["V_m"]}).recordings[model]
        since = np.maximum(h * np.arange(1, len(stimulus.current) + 1) - 10.0, 0.0)
        exact = p.E_L - 150.0 * p.tau_m / p.C_m * np.expm1(-since / p.tau_m)
        assert len(recording.spike_steps[0]) > 3
        np.testing.assert_allclose(recording.traces["V_m"][0], exact, rtol=0, atol=1e-9)


def test_a_burst_at_the_dead_time_depends_on_the_time_step():
    """With a falling threshold intervals are refr_T in continuous time, and refr_T and one step on the grid."""
    burster = AmatParameters(alpha_1=-0.5, alpha_2=0.35)
    table = convergence([0.05, 0.1], burster, [150.0], izhikevich_patterns()["tonic_spiking"], [14.0], duration=60.0)
    table = table[table["scheme"].isin(AMAT)]
    assert errors(table, "integration_error", AMAT[1]).max() == 0.0
    second = table[(table["measure"] == "interval_error") & (table["spike_index"] == 2)]
    np.testing.assert_allclose(second["value"], second["h_ms"], rtol=0, atol=1e-9)
