# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons under sinusoidal currents on NEST, compared with other implementations and with exact tongues."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from amat.analysis.excitability import steady_interval
from amat.analysis.locking import (
    EXCITABLE,
    DrivenNeuron,
    find_driven_neurons,
    find_edges,
    map_tongues,
    simulate_driven,
)
from amat.analysis.locking import theory as locking_theory
from amat.analysis.locking.noise import calibrate_noise, measure_reliability, measure_sensitivity, repeat_frequencies
from amat.analysis.locking.sections import with_beta
from amat.analysis.locking.stability import FiringMap
from amat.neurons import find_neuron, validated_patterns
from amat.simulation.kernel import DELAY
from amat.simulation.reference import integrate

pytestmark = pytest.mark.slow

KEYS = list(itertools.product(("amat", "izhikevich"), ("class_1", "class_2")))
#: Relative frequencies and depths of points of the map, locked and not.
POINTS = [(0.45, 0.9), (0.8, 0.3), (1.0, 0.1), (1.2, 0.5), (1.37, 0.3), (1.618, 0.7), (2.0, 0.3), (2.9, 1.0)]


@pytest.fixture(scope="module")
def neurons() -> dict[tuple[str, str], DrivenNeuron]:
    return {(neuron.cell.model, neuron.cell.pattern): neuron for neuron in find_driven_neurons()}


def ac_current(frequency, amplitude, duration, resolution):
    """Return the current of NEST's ``ac_generator`` during each step.

    It is the value at the start of the step of a sine that begins after the delay, computed by repeated rotation as in
    NEST, so that the last bits are equal. Izhikevich's class 2 amplifies differences of any size.
    """
    current = np.zeros(round(duration / resolution))
    angle = resolution * (2.0 * np.pi * frequency / 1000.0)
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = 1.0, 0.0
    for step in range(round(DELAY / resolution) + 1, len(current)):
        x, y = cosine * x - sine * y, sine * x + cosine * y
        current[step] = amplitude * y
    return current


def _points(neuron):
    frequency, depth = np.array(POINTS).T
    return frequency * neuron.rate, depth * neuron.distance


@pytest.mark.parametrize("pattern", ["class_1", "class_2"])
def test_amats_spikes_are_those_of_the_reference(neurons, pattern):
    """All spikes in 1.5 s are those of the matrix exponential under the same staircase of current."""
    neuron = neurons["amat", pattern]
    duration, resolution = 1500.0, neuron.cell.resolution
    frequencies, amplitudes = _points(neuron)
    trains = simulate_driven(neuron, frequencies, amplitudes, duration)
    current = [ac_current(f, A, duration, resolution) for f, A in zip(frequencies, amplitudes, strict=True)]
    cell = neuron.cell.parameters.replace(I_e=neuron.current)
    nothing = np.zeros((len(current), len(current[0])))
    expected = integrate([cell] * len(current), current, nothing, nothing, resolution).spike_steps
    for train, steps in zip(trains, expected, strict=True):
        assert len(steps) > 10
        assert np.rint(train / resolution).astype(int).tolist() == steps.tolist()


@pytest.mark.parametrize("pattern", ["class_1", "class_2"])
def test_izhikevichs_spikes_are_those_of_the_published_scheme(neurons, pattern):
    """The scheme is written here with the operations in the model's order: class 2 depends on the last bit."""
    neuron = neurons["izhikevich", pattern]
    duration, h, p = 1500.0, neuron.cell.resolution, neuron.cell.parameters.to_nestml()
    V_peak = p["V_peak"]
    frequencies, amplitudes = _points(neuron)
    trains = simulate_driven(neuron, frequencies, amplitudes, duration)
    current = np.array([ac_current(f, A, duration, h) for f, A in zip(frequencies, amplitudes, strict=True)])
    V = np.full(len(POINTS), neuron.cell.initial["V_m"])
    u = np.full(len(POINTS), neuron.cell.initial["U_m"])
    spikes = [[] for _ in POINTS]
    for step, injected in enumerate(current.T):
        V = V + h * (p["q_2"] * V * V + p["q_1"] * V + p["q_0"] - u + neuron.current + injected)
        u = u + h * p["a"] * (p["b"] * V - u)
        fired = np.greater(V, V_peak)
        for i in np.flatnonzero(fired):
            spikes[i].append(step + 1)
        V, u = np.where(fired, p["c"], V), np.where(fired, u + p["d"], u)
    for train, steps in zip(trains, spikes, strict=True):
        assert len(steps) > 10
        assert np.rint(train / h).astype(int).tolist() == steps


def test_intrinsic_rates(neurons):
    for (model, pattern), neuron in neurons.items():
        if model == "amat":
            cell = validated_patterns()[pattern].parameters
            exact = steady_interval(cell, neuron.current, resolution=0.1)
            assert 1e3 / neuron.rate == pytest.approx(exact, abs=0.2)
        assert 15.0 < neuron.rate < 60.0


@pytest.mark.parametrize("pattern", ["class_1", "class_2"])
def test_amats_tongues_are_the_exact_ones(neurons, pattern):
    """On a sparse map, points that differ are at an edge, which the grid of time moves."""
    neuron, cell = neurons["amat", pattern], validated_patterns()[pattern].parameters
    table = map_tongues(neuron, np.linspace(0.8, 2.5, 18), np.linspace(0.1, 0.9, 5), cycles=50)
    hertz, amplitude = table["frequency"] * neuron.rate, table["depth"] * neuron.distance
    for m in (1, 2):
        verdicts = [
            locking_theory.is_locked(cell, neuron.current, hertz * (1 + df), amplitude * (1 + dA), m)
            for df, dA in itertools.product((0.0, -0.01, 0.01), (0.0, -0.08, 0.08))
        ]
        exact = verdicts[0]
        at_edge = np.any(verdicts, axis=0) & ~np.all(verdicts, axis=0)
        simulated = ((table["n"] == 1) & (table["m"] == m)).to_numpy()
        assert exact.sum() >= 7
        assert not ((exact != simulated) & ~at_edge).any()
        assert (exact != simulated).sum() <= 2
        assert (table["strength"][simulated] > 0.99).all()
        assert table["rotation"][simulated].to_numpy() == pytest.approx(1 / m, abs=1 / table["cycles"].min())


@pytest.mark.parametrize("beta", [-0.5, 0.5])
def test_tongues_with_a_voltage_dependent_threshold_are_the_exact_ones(neurons, beta):
    """As above, with the gain of the voltage-dependent threshold, which widens tongues or narrows them."""
    neuron = with_beta(neurons["amat", "class_2"], beta)
    table = map_tongues(neuron, np.linspace(0.8, 2.5, 15), [0.1, 0.4, 0.8], cycles=40)
    hertz, amplitude = table["frequency"] * neuron.rate, table["depth"] * neuron.distance
    verdicts = [
        locking_theory.is_locked(neuron.cell.parameters, neuron.current, hertz * (1 + df), amplitude * (1 + dA))
        for df, dA in itertools.product((0.0, -0.01, 0.01), (0.0, -0.08, 0.08))
    ]
    at_edge = np.any(verdicts, axis=0) & ~np.all(verdicts, axis=0)
    simulated = ((table["n"] == 1) & (table["m"] == 1)).to_numpy()
    assert verdicts[0].sum() >= 4
    assert not ((verdicts[0] != simulated) & ~at_edge).any()


def test_the_firing_map_has_the_spikes_of_nest_up_to_the_grid(neurons):
    """A train locked 1:1 in NEST has the phase of the map's train, at most a few steps late."""
    neuron = with_beta(neurons["amat", "class_2"], -0.5)
    frequency, amplitude, duration = 1.1 * neuron.rate, 0.4 * neuron.distance, neuron.warm_up + 1000.0
    (train,) = simulate_driven(neuron, [frequency], [amplitude], duration)
    firing = FiringMap(neuron.cell.parameters, neuron.current, frequency, amplitude)
    times, _ = firing.follow(300)
    # The phase of u lags that of the current, whose sine begins after the delay.
    p, s = neuron.cell.parameters, 2e-3j * math.pi * frequency
    lag = np.angle((1.0 - p.beta * s / (s + 1.0 / p.tau_v) ** 2) / (1.0 + s * p.tau_m)) / (2e-3 * math.pi * frequency)
    period = 1e3 / frequency
    late = (train[-1] - DELAY + lag - times[-1] + period / 2) % period - period / 2
    assert -0.1 < late < 1.0


@pytest.mark.parametrize("pattern", ["class_1", "class_2"])
def test_modulated_carriers_are_the_product_of_both_sines(neurons, pattern):
    """Spikes are those of the reference under the formula's current, but for crossings at a boundary of the grid."""
    neuron, carrier, frequency = neurons["amat", pattern], 5, 20.0
    duration, resolution = 1000.0, neuron.cell.resolution
    (train,) = simulate_driven(neuron, [frequency], [0.9 * neuron.distance], duration, carrier=carrier)
    angle = 2e-3 * np.pi * frequency * (np.arange(round(duration / resolution)) * resolution - DELAY)
    current = 0.9 * neuron.distance * (1 + np.sin(angle)) / 2 * np.sin(carrier * angle)
    current[angle < 1e-9] = 0.0
    cell = neuron.cell.parameters.replace(I_e=neuron.current)
    nothing = np.zeros((1, len(current)))
    (expected,) = integrate([cell], current[np.newaxis], nothing, nothing, resolution).spike_steps
    steps = np.rint(train / resolution).astype(int)
    assert len(steps) == len(expected) > 10
    assert np.abs(steps - expected).max() <= 1


@pytest.mark.parametrize(("resolution", "frequencies"), [(0.1, [0.9, 1.1, 1.3]), (0.02, [0.9, 1.1])])
def test_edges_come_nearer_to_the_exact_ones_on_a_finer_grid(neurons, resolution, frequencies):
    """They differ by less than the fall of the threshold in one step, which is proportional to the step."""
    neuron, cell = neurons["amat", "class_2"], validated_patterns()["class_2"].parameters
    neuron = dataclasses.replace(neuron, cell=find_neuron("class_2", "amat", resolution=resolution))
    hertz = np.array(frequencies) * neuron.rate
    exact = locking_theory.edge_amplitude(cell, neuron.current, hertz)
    shift = locking_theory.grid_shift(cell, hertz, resolution)
    found = find_edges(neuron, frequencies, exact, 3 * shift, 1, points=13)
    assert (np.abs(found - exact) <= 1.05 * shift).all()


def test_excitable_amat_fires_above_the_exact_amplitude(neurons):
    for pattern in ("class_1", "class_2"):
        neuron, cell = neurons["amat", pattern].at(EXCITABLE), validated_patterns()[pattern].parameters
        relative = np.repeat([0.5, 1.0, 3.0], 2)
        exact = locking_theory.firing_amplitude(cell, neuron.current, relative * neuron.rate)
        trains = simulate_driven(neuron, relative * neuron.rate, exact * np.tile([0.99, 1.01], 3), 6000.0)
        assert [bool((train > 3000.0).any()) for train in trains] == [False, True] * 3


@pytest.mark.parametrize("model", ["amat", "izhikevich"])
def test_class_1_leans_to_faster_rhythms_and_class_2_does_not(neurons, model):
    slower, faster = {}, {}
    for pattern in ("class_1", "class_2"):
        table = map_tongues(neurons[model, pattern], [0.85, 1.25], [0.39, 0.4], cycles=30)
        follows = table["rotation"].sub(1.0).abs() < 0.02
        slower[pattern], faster[pattern] = (follows[table["frequency"] == f].all() for f in (0.85, 1.25))
    assert (slower["class_1"], faster["class_1"]) == (False, True)
    assert slower["class_2"]


def test_maps_are_reproducible_and_noise_depends_on_the_seed_alone(neurons):
    neuron = neurons["izhikevich", "class_2"]
    axes = [0.8, 1.0, 1.2], [0.1, 0.5]
    first, again = (map_tongues(neuron, *axes, cycles=20, noise=0.5, seed=3) for _ in range(2))
    assert first.equals(again)
    other = map_tongues(neuron, *axes, cycles=20, noise=0.5, seed=4)
    assert not first["strength"].equals(other["strength"])
    assert list(first.columns[:2]) == ["frequency", "depth"]
    assert first["frequency"].tolist() == [0.8, 1.0, 1.2] * 2


def test_only_izhikevichs_scheme_amplifies_the_smallest_differences(neurons):
    """A relative difference of 1e-9 in amplitude never moves a spike of AMAT by a step."""
    shares = {
        key: measure_sensitivity(neurons[key], np.linspace(0.5, 3.0, 16), 0.3, cycles=40)["differs"] for key in KEYS
    }
    assert not any(shares["amat", pattern].any() for pattern in ("class_1", "class_2"))
    assert all(shares["izhikevich", pattern].mean() > 0.3 for pattern in ("class_1", "class_2"))


def test_noise_differs_between_copies(neurons):
    neuron = neurons["amat", "class_1"]
    one, two = simulate_driven(neuron, [20.0, 20.0], [30.0, 30.0], 2000.0, noise=50.0)
    assert one.tolist() != two.tolist()
    same, as_well = simulate_driven(neuron, [20.0, 20.0], [30.0, 30.0], 2000.0)
    assert same.tolist() == as_well.tolist()


@pytest.mark.parametrize("key", KEYS)
def test_calibrated_noise_gives_the_wanted_variation(neurons, key):
    neuron = neurons[key]
    for wanted, std in zip([0.05, 0.2], calibrate_noise(neuron, [0.05, 0.2], levels=12), strict=True):
        trains = simulate_driven(
            neuron, [neuron.rate] * 10, [0.0] * 10, np.ceil(40e3 / neuron.rate), noise=std, seed=99
        )
        gaps = np.concatenate([np.diff(train[train > 10e3 / neuron.rate]) for train in trains])
        assert gaps.std() / gaps.mean() == pytest.approx(wanted, rel=0.3)


@pytest.mark.parametrize("key", KEYS)
def test_noise_shortens_the_plateau(neurons, key):
    neuron = neurons[key]
    (std,) = calibrate_noise(neuron, [0.2], levels=12)
    frequencies = [0.95, 1.05, 1.15]
    still = repeat_frequencies(neuron, frequencies, 0.4, repeats=1, cycles=40)
    noisy = repeat_frequencies(neuron, frequencies, 0.4, repeats=4, cycles=40, noise=std)
    assert (still["strength"].iloc[1:] > 0.99).all()
    assert (noisy["strength_high"].iloc[1:] < still["strength"].iloc[1:] + 1e-9).all()
    assert (still["rotation_low"] == still["rotation_high"]).all()
    assert (noisy["rotation_low"] < noisy["rotation_high"]).any()


@pytest.mark.parametrize("key", KEYS)
def test_spikes_are_most_reliable_near_the_intrinsic_rate(neurons, key):
    """The difference exceeds its 95 % interval over independent groups of trials."""
    from amat.analysis.locking.measures import interval

    neuron = neurons[key]
    (std,) = calibrate_noise(neuron, [0.2], levels=12)
    table = measure_reliability(neuron, [0.45, 1.1, 2.0], 0.3, noise=std, trials=6, groups=5, cycles=30)
    by_group = table.pivot(index="group", columns="frequency", values="reliability")
    for other in (0.45, 2.0):
        assert interval(by_group[1.1] - by_group[other])[1] > 0
