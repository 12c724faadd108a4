# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons that are updated together, against the same models updated one by one.

Spikes must be the same, and potentials equal up to rounding. What a neuron computes must not depend, to the last bit,
on the neurons that share a block with it, on threads, or on recorders.
"""

import dataclasses
import platform
import re
import subprocess

import numpy as np
import pytest

from amat import toolchain
from amat.simulation.kernel import reset_kernel
from amat.toolchain.catalogue import SHIPPED_MODELS

pytestmark = pytest.mark.slow

RESOLUTION = 0.1
DURATION = 200.0

#: Models, with the weight of spikes that makes them fire.
WEIGHTS = {
    "amat2_psc_exp_neuron_opt": 60.0,
    "iaf_psc_exp_neuron_opt": 300.0,
    "izhikevich_neuron_opt": 2.0,
}

#: The models whose neurons differ in a parameter that changes the propagators.
TAU_M = ("amat2_psc_exp_neuron_opt", "iaf_psc_exp_neuron_opt")

every_model = pytest.mark.parametrize("model", WEIGHTS)


def one_by_one(name):
    """Return the version of a model that is updated one by one."""
    model = SHIPPED_MODELS[name].with_options({"population_update": False})
    return dataclasses.replace(model, suffix="_one_by_one")


def input_spikes(n, rate):
    """Sample the input of each neuron (ms)."""
    rng = np.random.default_rng(7)
    steps = round(DURATION / RESOLUTION) - 1
    return [np.flatnonzero(rng.random(steps) < 1e-3 * rate * RESOLUTION) * RESOLUTION + RESOLUTION for _ in range(n)]


def run(
    model,
    *,
    single=False,
    n=19,
    first=0,
    rate=2000.0,
    delay=1.5,
    threads=1,
    differ=False,
    current=False,
    recorded=False,
    frozen=False,
    pieces=(DURATION,),
    manually=False,
):
    """Return spikes by neuron, final potentials, and recorded potentials, of neurons `first` to `n`."""
    nest = reset_kernel(RESOLUTION)
    nest.set(local_num_threads=threads, min_delay=delay, max_delay=2 * delay)
    module = toolchain.build(one_by_one(model) if single else SHIPPED_MODELS[model])
    nest.Install(str(module.library))
    weight = WEIGHTS[model]
    numbers = range(first, n)
    neurons = nest.Create(module.model, len(numbers))
    if differ and model in TAU_M:
        neurons.set(tau_m=[8.0 + 0.25 * number for number in numbers])
    trains = input_spikes(n, rate)
    sources = nest.Create("spike_generator", len(numbers), [{"spike_times": trains[i]} for i in numbers])
    signs = [-0.3 if number % 3 == 1 else 1.0 for number in numbers]
    for source, neuron, sign in zip(sources, neurons, signs, strict=True):
        nest.Connect(source, neuron, syn_spec={"weight": weight, "delay": delay})
        nest.Connect(source, neuron, syn_spec={"weight": sign * weight, "delay": 2 * delay})
    if current:
        generator = nest.Create("ac_generator", params={"amplitude": 0.5 * weight, "frequency": 30.0})
        nest.Connect(generator, neurons[2:7], syn_spec={"delay": delay})
    meter = None
    if recorded:
        meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": RESOLUTION})
        nest.Connect(meter, neurons[::4], syn_spec={"delay": delay})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, syn_spec={"delay": delay})
    if manually:
        nest.Prepare()
    for number, piece in enumerate(pieces):
        if frozen:
            neurons[1::5].frozen = number % 2 == 1
        (nest.Run if manually else nest.Simulate)(piece)
    if manually:
        nest.Cleanup()
    events = recorder.events
    spikes = {
        number: np.sort(events["times"][events["senders"] == neuron.global_id]).tolist()
        for number, neuron in zip(numbers, neurons, strict=True)
    }
    potentials = dict(zip(numbers, neurons.get("V_m") if len(neurons) > 1 else [neurons.get("V_m")], strict=True))
    return spikes, potentials, None if meter is None else meter.events["V_m"]


@every_model
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rate": 0.0},
        {"rate": 100.0},
        {"delay": RESOLUTION},
        {"delay": RESOLUTION, "rate": 100.0},
        {"differ": True},
        {"current": True},
        {"frozen": True, "pieces": (40.0, 60.0, 100.0)},
        {"frozen": True, "pieces": (40.5, 59.5, 100.0), "manually": True},
    ],
    ids=str,
)
def test_spikes_and_potentials_are_those_of_single_neurons(model, settings):
    spikes, potentials, _ = run(model, **settings)
    expected_spikes, expected_potentials, _ = run(model, single=True, **settings)
    assert spikes == expected_spikes
    if settings.get("rate", 2000.0) > 1000:
        assert sum(map(len, spikes.values())) > 50
    # The order of additions differs; values are of the order of 100 mV.
    np.testing.assert_allclose(list(potentials.values()), list(expected_potentials.values()), rtol=0, atol=1e-10)


@every_model
@pytest.mark.parametrize("delay", [1.5, RESOLUTION])
@pytest.mark.parametrize("rate", [2000.0, 100.0])
def test_threads_and_recorders_do_not_change_a_bit(model, rate, delay):
    plain = run(model, rate=rate, delay=delay)
    for settings in ({"threads": 2}, {"threads": 3}, {"recorded": True}):
        changed = run(model, rate=rate, delay=delay, **settings)
        assert changed[:2] == plain[:2]


@every_model
def test_other_neurons_do_not_change_a_bit(model):
    all_spikes, all_potentials, _ = run(model, differ=True)
    for first in (18, 13):
        spikes, potentials, _ = run(model, first=first, differ=True)
        assert spikes == {number: all_spikes[number] for number in spikes}
        assert potentials == {number: all_potentials[number] for number in potentials}


@every_model
@pytest.mark.parametrize("delay", [1.5, RESOLUTION])
@pytest.mark.parametrize("rate", [2000.0, 100.0])
def test_frozen_neurons_do_not_change_a_bit_of_others(model, rate, delay):
    """Others are set, frozen and released while deferred steps are pending."""
    settings = {"rate": rate, "delay": delay, "pieces": (40.5, 59.5, 100.0), "manually": True}
    all_spikes, all_potentials, _ = run(model, **settings)
    spikes, potentials, _ = run(model, frozen=True, **settings)
    others = [number for number in spikes if number % 5 != 1]
    assert [spikes[number] for number in others] == [all_spikes[number] for number in others]
    assert [potentials[number] for number in others] == [all_potentials[number] for number in others]
    assert (spikes, potentials) != (all_spikes, all_potentials)


@pytest.mark.parametrize("delay", [1.5, RESOLUTION])
def test_pending_input_stays_when_neurons_are_added(delay):
    """A group of blocks gets more of them, and another group begins, while spikes are on their way."""
    model = "iaf_psc_exp_neuron_opt"
    found = []
    for single in (False, True):
        nest = reset_kernel(RESOLUTION)
        nest.set(min_delay=delay, max_delay=4.5)
        module = toolchain.build(one_by_one(model) if single else SHIPPED_MODELS[model])
        nest.Install(str(module.library))
        spikes = nest.Create("spike_generator", params={"spike_times": [18.0, 19.9, 20.1, 38.0, 39.9]})
        neurons = nest.NodeCollection()
        for number in (19, 300, 700):
            added = nest.Create(module.model, number)
            with_input = added[: number // 2 : 3]  # the last blocks have none
            weights = 10.0 * np.arange(1, len(with_input) + 1)
            nest.Connect(spikes, with_input, syn_spec={"weight": weights[:, None], "delay": delay})
            nest.Connect(spikes, with_input, syn_spec={"weight": -0.5 * weights[:, None], "delay": 4.5})
            neurons += added
            nest.Simulate(20.0)
        potentials = np.array(neurons.V_m)
        assert np.count_nonzero(potentials != potentials[-1]) > 150
        found.append(potentials)
    np.testing.assert_allclose(*found, rtol=0, atol=1e-10)


@every_model
def test_recorded_potentials_are_those_of_single_neurons(model):
    spikes, _, recorded = run(model, recorded=True, current=True)
    expected_spikes, _, expected = run(model, single=True, recorded=True, current=True)
    assert spikes == expected_spikes
    np.testing.assert_allclose(recorded, expected, rtol=0, atol=1e-10)


@every_model
def test_compiler_vectorised_the_loops_over_lanes(model):
    if platform.machine() != "x86_64":
        pytest.skip("only x86-64 has code for several kinds of processors")
    library = toolchain.build(SHIPPED_MODELS[model]).library
    listing = subprocess.run(
        ["objdump", "--disassemble", "--no-show-raw-insn", library], check=True, capture_output=True, text=True
    ).stdout
    pattern = r"^\w+ <(\S*(?:advance|skip)_lanes_\S*arch_x86_64_v3)>:\n((?:.+\n)+)"
    clones = re.findall(pattern, listing, flags=re.MULTILINE)
    assert len(clones) == (2 if model in TAU_M else 1)  # Izhikevich's neuron has no bound, and skips no slices
    for _, code in clones:
        assert len(re.findall(r"\bv(?:fn?m(?:add|sub)|mul|add)\w*pd\b.*%ymm", code)) >= 3


@every_model
def test_the_header_states_why_neurons_are_updated_one_by_one(model):
    module = toolchain.build(one_by_one(model))
    header = (module.generated / f"{module.model}.h").read_text()
    (reason,) = re.findall(r"^// Neurons are updated one by one.*: (.+)\.$", header, flags=re.MULTILINE)
    assert reason == "the option population_update is False"
