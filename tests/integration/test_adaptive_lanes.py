# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons whose nonlinear equations are integrated together, each with substeps of its own.

What a neuron computes must not depend, to the last bit, on the neurons that share a block with it, on threads, on the
delay between neurons, or on recorders. Accuracy is tested in test_library_neurons.py.
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import amat
from amat import toolchain
from amat.simulation.kernel import reset_kernel
from amat.toolchain.catalogue import find_model

pytestmark = pytest.mark.slow

SOURCE = Path(sys.prefix) / "models" / "neurons" / "aeif_cond_exp_neuron.nestml"
MODEL = "aeif_cond_exp_neuron_opt"
NEURONS = 19
DURATION = 60.0  # ms


def run(numbers=range(NEURONS), *, threads=1, recorded=False, frozen=(), min_delay=1.5, pieces=1):
    """Return spike times, and the final state, of some of the neurons, which differ in input and parameters."""
    nest = reset_kernel(0.1)
    nest.set(local_num_threads=threads, min_delay=min_delay, max_delay=1.5)
    amat.install(SOURCE, codegen="optimised")
    neurons = nest.Create(MODEL, len(numbers))
    neurons.set([{"I_e": 500.0 + 60.0 * number, "tau_w": 100.0 + number, "V_m": -70.0} for number in numbers])
    times = {number: np.random.default_rng(number).integers(1, 599, 60) / 10 for number in numbers}
    sources = nest.Create("spike_generator", len(numbers), [{"spike_times": np.unique(times[n])} for n in numbers])
    nest.Connect(sources, neurons, "one_to_one", syn_spec={"weight": 15.0, "delay": 1.5})
    if recorded:
        meter = nest.Create("multimeter", params={"record_from": ["V_m", "w"], "interval": 0.1})
        nest.Connect(meter, neurons[::4], syn_spec={"delay": 1.5})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, syn_spec={"delay": 1.5})
    for number in frozen:
        neurons[number].frozen = True
    for _ in range(pieces):
        nest.Simulate(DURATION / pieces)
    events = recorder.events
    return {
        number: (
            np.sort(events["times"][events["senders"] == neuron.global_id]).tolist(),
            list(neuron.get(["V_m", "w"]).values()),
        )
        for number, neuron in zip(numbers, neurons, strict=True)
    }


@pytest.fixture(scope="module")
def expected():
    """The results of all neurons together."""
    results = run()
    assert sum(len(spikes) for spikes, _ in results.values()) > 20
    return results


@pytest.mark.parametrize(
    "settings", [{"threads": 3}, {"recorded": True}, {"min_delay": 0.1}, {"min_delay": 0.7}, {"pieces": 8}], ids=str
)
def test_other_circumstances_do_not_change_a_bit(settings, expected):
    assert run(**settings) == expected


@pytest.mark.parametrize("numbers", [[18], range(5, 14)], ids=str)
def test_other_neurons_do_not_change_a_bit(numbers, expected):
    assert run(numbers) == {number: expected[number] for number in numbers}


def test_frozen_neurons_keep_their_state(expected):
    results = run(frozen=[1, 6, 18])
    for number in range(NEURONS):
        assert results[number] == (([], [-70.0, 0.0]) if number in (1, 6, 18) else expected[number])


def test_equations_without_a_solution_raise_an_error():
    """Beyond all bounds, the potential grows faster than any substep can follow."""
    nest = reset_kernel(0.1)
    amat.install(SOURCE, codegen="optimised")
    neurons = nest.Create(MODEL, 3)
    neurons[1].set(V_peak=1e5, I_e=1e4)
    with pytest.raises(nest.NESTError, match=f"instability while updating {MODEL}"):
        nest.Simulate(100.0)
    nest.ResetKernel()


def test_compiler_vectorised_the_integration():
    """The functions of the steps for AVX2 call no others, not even the exponential, and use vectors of four numbers."""
    if platform.machine() != "x86_64":
        pytest.skip("only x86-64 has code for several kinds of processors")
    library = toolchain.build(find_model(SOURCE, "optimised")).library
    listing = subprocess.run(
        ["objdump", "--disassemble", "--no-show-raw-insn", library], check=True, capture_output=True, text=True
    ).stdout
    clones = re.findall(r"^\w+ <\S*advance_lanes_\S*arch_x86_64_v3>:\n((?:.+\n)+)", listing, flags=re.MULTILINE)
    assert clones
    for code in clones:
        assert "call " not in code
        assert len(re.findall(r"\bv(?:fn?m(?:add|sub)|mul|add)\w*pd\b.*%ymm", code)) > 100
