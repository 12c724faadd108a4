# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The AMAT neuron with escape noise in NEST: its deterministic limit, its intervals, and rejected parameters.

The reference for spikes in the limit is the deterministic model, and for random spikes the probability of a spike in
each step: computed from the exact solution, which shares no code with NEST, and the neuron's own past spikes.
"""

import functools

import numpy as np
import pytest
from scipy import stats

import amat
from amat import toolchain
from amat.analysis.validation import sample_cases
from amat.neurons import AmatParameters
from amat.simulation.kernel import Simulation, reset_kernel
from amat.simulation.reference import integrate, refractory_steps
from amat.simulation.run import simulate, step_current
from amat.simulation.stimuli import pulses
from amat.toolchain.catalogue import AMAT_ESCAPE_OPT

pytestmark = pytest.mark.slow

BUILDS = (toolchain.AMAT_ESCAPE, AMAT_ESCAPE_OPT)

#: Significance of the tests of distributions. The seeds are fixed, so that the outcome does not vary.
SIGNIFICANCE = 0.01

PARAMETERS = AmatParameters(alpha_1=6.0, alpha_2=0.8, beta=0.3, omega=6.0, refr_T=3.0)
DELTA, TAU_0 = 1.5, 4.0  # mV, ms
RESOLUTION = 0.1  # ms


def escape(parameters, delta=DELTA, tau_0=TAU_0):
    """Return NESTML's parameters with the two of escape noise."""
    return parameters.to_nestml() | {"Delta": delta, "tau_0": tau_0}


def run_population(model, count, current, *, delta=DELTA, seed=1, threads=1, record=()):
    """Return the spike steps of equal neurons under a current (pA, one value per step), and their recorded traces."""
    duration = len(current) * RESOLUTION
    run = Simulation(model, [escape(PARAMETERS, delta)] * count, duration, RESOLUTION, seed=seed, threads=threads)
    generator = run.nest.Create("step_current_generator", params=step_current(current, RESOLUTION, 0.0))
    run.nest.Connect(generator, run.neurons)
    traces = {}
    if record:
        meter = run.nest.Create("multimeter", params={"interval": RESOLUTION, "record_from": list(record)})
        run.nest.Connect(meter, run.neurons)
    spikes = [np.rint(times / RESOLUTION).astype(int) for times in run.run()]
    if record:
        events = meter.events
        order = np.lexsort((events["times"], events["senders"]))
        traces = {name: events[name][order].reshape(count, -1)[:, : len(current)] for name in record}
    return spikes, traces


@functools.cache
def free_margin(current):
    """Return the potential above the threshold, in mV at the end of each step, of a neuron that never spikes."""
    silent = np.zeros((1, len(current)))
    free = integrate([PARAMETERS.replace(omega=1e6)], np.array([current]), silent, silent, RESOLUTION)
    return free.V_m[0] - PARAMETERS.E_L - PARAMETERS.omega - free.V_th_v[0]


def spike_probabilities(current, spikes):
    """Return the probability of a spike in each step, given the spikes before it (steps, counted from 1)."""
    margin = free_margin(tuple(current)).copy()
    allowed = np.ones(len(current), dtype=bool)
    for spike in spikes:
        later = np.arange(1, len(current) + 1 - spike) * RESOLUTION
        margin[spike:] -= PARAMETERS.alpha_1 * np.exp(-later / PARAMETERS.tau_1)
        margin[spike:] -= PARAMETERS.alpha_2 * np.exp(-later / PARAMETERS.tau_2)
        allowed[spike : spike + refractory_steps(PARAMETERS.refr_T, RESOLUTION)] = False
    return np.where(allowed, -np.expm1(-np.exp(margin / DELTA) * RESOLUTION / TAU_0), 0.0)


STEP = pulses(300.0, RESOLUTION, [20.0], [260.0], [140.0])


@pytest.mark.parametrize("model", BUILDS)
@pytest.mark.parametrize("resolution", [0.025, 0.1, 0.5])
def test_the_limit_without_noise_is_the_deterministic_neuron(model, resolution):
    """40 random neurons, among them refractory times that are no whole number of steps, under five kinds of input."""
    cases = sample_cases(40, resolution, np.random.default_rng(7))
    stimuli = [case.stimulus for case in cases]
    populations = {
        toolchain.AMAT: [case.parameters.to_nestml() for case in cases],
        model: [escape(case.parameters, delta=1e-9) for case in cases],
    }
    recordings = simulate(populations, stimuli, resolution, seed=7).recordings
    expected = recordings[toolchain.AMAT].spike_steps
    for ours, theirs in zip(recordings[model].spike_steps, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert sum(map(len, expected)) > 500


@pytest.mark.parametrize("resolution", [0.025, 0.1, 0.5])
@pytest.mark.parametrize("refr_T", [0.5, 2.03, 5.0])
def test_dead_time_is_the_refractory_time_and_one_step(refr_T, resolution):
    """With a potential far above the threshold each possible step has a spike, as in the deterministic neuron."""
    values = escape(AmatParameters(alpha_1=0.0, omega=-100.0, refr_T=refr_T))
    for model in BUILDS:
        spikes = Simulation(model, [values], 100.0, resolution, seed=1).run()[0]
        expected = refractory_steps(refr_T, resolution) + 1
        assert set(np.rint(np.diff(spikes) / resolution)) == {expected}


@pytest.mark.parametrize("model", BUILDS)
def test_first_spikes_have_the_exact_survival_function(model):
    """Chi-square test of the first spikes of 4000 neurons in 20 bins with the exact probabilities."""
    spikes, _ = run_population(model, 4000, STEP, seed=3)
    survival = np.cumprod(1 - spike_probabilities(STEP, []))
    edges = np.searchsorted(-survival, -np.linspace(0.95, 0.05, 19))
    expected = -np.diff(np.concatenate([[1.0], survival[edges], [0.0]]))
    first = [train[0] - 1 if len(train) else len(STEP) for train in spikes]
    counts = np.bincount(np.searchsorted(edges, first), minlength=len(expected))
    assert expected.min() * len(spikes) > 50
    assert stats.chisquare(counts, expected * len(spikes)).pvalue > SIGNIFICANCE


@pytest.mark.parametrize("model", BUILDS)
def test_all_intervals_follow_the_hazard_given_the_past(model):
    """Kolmogorov-Smirnov test of rescaled intervals, which are uniform if the probabilities of spikes are right.

    In discrete time the last step of an interval counts in part, by a random number
    (Haslinger, Pipa & Brown 2010, Neural Computation 22:2477, doi:10.1162/NECO_a_00015).
    """
    random = np.random.default_rng(5)
    wave = STEP * (1 + 0.3 * np.sin(np.arange(len(STEP)) * RESOLUTION / 8.0))
    spikes, _ = run_population(model, 150, wave, seed=4)
    uniform = []
    for train in spikes:
        for number, spike in enumerate(train):
            survival = np.cumprod(1 - spike_probabilities(wave, train[:number]))
            begin = 1.0 if number == 0 else survival[train[number - 1] - 1]
            before, after = (survival[spike - 2] / begin, survival[spike - 1] / begin)
            # The interval has ended within the recording, hence the denominator.
            uniform.append((1 - before + random.random() * (before - after)) / (1 - survival[-1] / begin))
    assert len(uniform) > 1000
    assert stats.kstest(uniform, "uniform").pvalue > SIGNIFICANCE


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_wrong_width_of_the_transition_is_detected(factor):
    """First spikes fail a Kolmogorov-Smirnov test, with a far smaller significance, if Delta differs by 10 %."""
    spikes, _ = run_population(AMAT_ESCAPE_OPT, 4000, STEP, delta=DELTA * factor, seed=3)
    survival = np.cumprod(1 - spike_probabilities(STEP, []))
    first = [train[0] if len(train) else len(STEP) for train in spikes]
    assert stats.kstest(1 - survival[np.array(first) - 1], "uniform").pvalue < 1e-4


@pytest.mark.parametrize("threads", [1, 2])
def test_both_builds_have_the_same_spikes_and_traces(threads):
    """The same random numbers in the same order; with a recorder and without one the updates take different paths."""
    names = ("V_m", "V_th", "p_spike")
    trains, traces = zip(
        *(run_population(model, 20, STEP, seed=8, threads=threads, record=names) for model in BUILDS), strict=True
    )
    unrecorded, _ = run_population(BUILDS[1], 20, STEP, seed=8, threads=threads)
    other, _ = run_population(BUILDS[1], 20, STEP, seed=9, threads=threads)
    for checked, optimised, again in zip(*trains, unrecorded, strict=True):
        np.testing.assert_array_equal(checked, optimised)
        np.testing.assert_array_equal(checked, again)
    assert [list(train) for train in other] != [list(train) for train in unrecorded]
    for name in names:
        np.testing.assert_allclose(traces[0][name], traces[1][name], rtol=0, atol=1e-9)


@pytest.mark.parametrize("model", BUILDS)
def test_the_recorded_probability_is_that_of_the_exact_solution(model):
    spikes, traces = run_population(model, 5, STEP, seed=6, record=["p_spike"])
    for train, recorded in zip(spikes, traces["p_spike"], strict=True):
        expected = spike_probabilities(STEP, train)[: len(recorded)]
        np.testing.assert_allclose(recorded, expected, rtol=0, atol=1e-9)
        assert expected.max() > 0.01
        assert len(train) > 3


@pytest.mark.parametrize("model", BUILDS)
@pytest.mark.parametrize("name", ["Delta", "tau_0"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf, -np.inf])
def test_invalid_noise_leaves_the_neuron_unchanged(model, name, value):
    nest = reset_kernel(RESOLUTION)
    amat.install(model)
    neuron = nest.Create(model)
    before = neuron.get()
    with pytest.raises(nest.NESTErrors.BadProperty, match=name):
        neuron.set({"alpha_1": 3.0, name: value})
    assert neuron.get() == before
    with pytest.raises(nest.NESTErrors.BadProperty, match=name):
        nest.SetDefaults(model, {name: value})
