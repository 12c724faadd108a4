# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons that draw random numbers in each step and are updated together: the numbers are those of single neurons."""

import dataclasses

import numpy as np
import pytest

from amat import toolchain
from amat.simulation.kernel import reset_kernel
from amat.toolchain.catalogue import find_model

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::nestml_optimised.ModelWarning")]

MODEL = """
model noisy_neuron:
    state:
        V_m mV = -70 mV
        noise real = 0
        uniform real = 0
    equations:
        inline quadratic mV = (V_m + 70 mV) * (V_m + 50 mV) / (1 mV) * 0.05
        V_m' = (quadratic + drive * noise * 1 mV) / tau
    parameters:
        tau ms = 10 ms
        drive real = 12
        mean real = 0.5
        tau_noise ms = 2 ms
    internals:
        decay real = exp(-resolution() / tau_noise)
    output:
        spike
    update:
        noise = decay * noise + random_normal(mean / 20, 0.3)
        uniform = random_uniform(-1, 2)
        integrate_odes(V_m)
    onCondition(V_m > -30 mV):
        V_m = -70 mV
        emit_spike()
"""
NEURONS = 19
OPTIONS = {
    "together": {},
    "one by one": {"population_update": False},
    "together, by Heun's method": {"numeric_solver": "Heun"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    source = tmp_path_factory.mktemp("noisy") / "noisy_neuron.nestml"
    source.write_text(MODEL)
    return find_model(source, codegen="optimised")


@pytest.fixture(scope="module")
def modules(model):
    return {
        name: toolchain.build(dataclasses.replace(model.with_options(options), suffix=f"_{number}"))
        for number, (name, options) in enumerate(OPTIONS.items())
    }


def run(module, *, threads=1, pieces=(40.0,), record=("V_m", "noise", "uniform"), frozen=()):
    """Return spike times by neuron, and traces by name, in the order of neurons and times."""
    nest = reset_kernel(0.1)
    nest.set(local_num_threads=threads, rng_seed=3, min_delay=1.5, max_delay=1.5)
    nest.Install(str(module.library))
    neurons = nest.Create(module.model, NEURONS, {"drive": [20.0 + 3 * number for number in range(NEURONS)]})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, syn_spec={"delay": 1.5})
    meter = nest.Create("multimeter", params={"record_from": list(record) or ["V_m"], "interval": 0.1})
    if record:
        nest.Connect(meter, neurons, syn_spec={"delay": 1.5})
    for number in frozen:
        neurons[number].frozen = True
    for piece in pieces:
        nest.Simulate(piece)
    spikes = recorder.events
    events = meter.events
    order = np.lexsort((events["times"], events["senders"]))
    trains = [np.sort(spikes["times"][spikes["senders"] == neuron.global_id]).tolist() for neuron in neurons]
    return trains, {name: events[name][order].reshape(NEURONS - len(frozen), -1) for name in record}


@pytest.fixture(scope="module")
def expected(modules):
    trains, traces = run(modules["one by one"])
    assert sum(map(len, trains)) > 40
    return trains, traces


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("name", ["together", "together, by Heun's method"])
def test_each_neuron_draws_the_numbers_of_a_single_one(name, threads, modules):
    trains, traces = run(modules[name], threads=threads)
    expected_trains, expected = run(modules["one by one"], threads=threads)
    for variable in ("noise", "uniform"):
        np.testing.assert_allclose(traces[variable], expected[variable], rtol=0, atol=1e-12)
    if name == "together":
        assert trains == expected_trains
        np.testing.assert_allclose(traces["V_m"], expected["V_m"], rtol=0, atol=1e-6)


def test_numbers_have_their_distributions(expected):
    _, traces = expected
    uniform = traces["uniform"]
    assert -1 <= uniform.min() < -0.98
    assert 0.98 < uniform.max() < 1
    steps = traces["noise"][:, 1:] - np.exp(-0.1 / 2) * traces["noise"][:, :-1]
    assert steps.mean() == pytest.approx(0.025, abs=4 * 0.3 / np.sqrt(steps.size))
    assert steps.std() == pytest.approx(0.3, rel=0.03)


def test_recorders_do_not_change_spikes(modules):
    assert run(modules["together"], record=())[0] == run(modules["together"])[0]


def test_runs_in_pieces_draw_the_numbers_of_single_neurons(modules):
    """Pieces change the order in which neurons draw, whether they are updated together or not."""
    pieces = (7.3, 0.4, 32.3)
    assert run(modules["together"], pieces=pieces)[0] == run(modules["one by one"], pieces=pieces)[0]


def test_the_same_neuron_can_be_in_two_modules_of_one_process(model, modules):
    """The second is loaded after the first, and after a reset of NEST."""
    together = dataclasses.replace(model, suffix="_0")
    another = toolchain.build_together("another", [together])
    before = run(modules["together"])
    assert run(dataclasses.replace(another, model=together.name))[0] == before[0]


def test_frozen_neurons_draw_no_numbers(modules):
    frozen = [0, 7, 18]
    trains, traces = run(modules["together"], frozen=frozen)
    expected_trains, expected = run(modules["one by one"], frozen=frozen)
    assert trains == expected_trains
    np.testing.assert_allclose(traces["noise"], expected["noise"], rtol=0, atol=1e-12)
