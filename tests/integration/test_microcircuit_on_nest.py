# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The microcircuit on NEST: equality with the package's own, equal spikes of models, and the command."""

import json
import subprocess
import sys

import numpy as np
import pytest

from amat.benchmark import microcircuit
from amat.benchmark.collect import read_cells
from amat.benchmark.families import find_contender
from amat.errors import AmatError

pytest.importorskip("microcircuit")
pytestmark = pytest.mark.slow

#: A scale with 1543 neurons and 119,552 synapses.
SCALE = 0.02


def test_sizes_are_those_of_the_package():
    from microcircuit import helpers, network_params

    settings = network_params.default_net_dict
    neurons = settings["full_num_neurons"]
    synapses = helpers.num_synapses_from_conn_probs(settings["conn_probs"], neurons, neurons)
    assert dict(zip(settings["populations"], neurons.tolist(), strict=True)) == microcircuit.POPULATIONS
    assert np.round(synapses).sum() == microcircuit.FULL_SYNAPSES
    assert tuple(settings["full_mean_rates"]) == microcircuit.FULL_RATES


@pytest.mark.parametrize("background", ["dc", "poisson"])
def test_the_network_is_that_of_the_unmodified_package(tmp_path, background, capsys):
    """The package's own `Network.create` gives the same spikes as the exchanged creation of populations."""
    import nest
    from microcircuit.network import Network

    package = microcircuit.require_package()
    network = microcircuit.build_microcircuit(find_contender("iaf_psc_exp"), SCALE, background, seed=3)
    microcircuit.connect_quietly(network)
    network.spike_recorders.start = 0.0
    nest.Simulate(100.0)
    exchanged = [(recorder.events, neurons.V_m) for recorder, neurons in _recorded(network)]
    with microcircuit._quiet():
        settings = microcircuit._settings(package, f"{tmp_path}/", SCALE, background, 1, 3, 0.1)
        own = Network(*settings)
        own.create()
        own.spike_recorders.record_to = "memory"
        own.spike_recorders.time_in_steps = True
        own.connect()
    nest.Simulate(100.0)
    for (recorder, neurons), (events, potentials) in zip(_recorded(own), exchanged, strict=True):
        assert np.array_equal(recorder.events["times"], events["times"])
        assert np.array_equal(recorder.events["senders"], events["senders"])
        assert neurons.V_m == potentials
    assert sum(len(events["times"]) for events, _ in exchanged) > 0


def _recorded(network):
    return zip(network.spike_recorders, network.pops, strict=True)


def test_the_command_measures_equal_spikes(tmp_path):
    """NEST's neuron and the optimised one have equal spikes, in a process each; a second call measures nothing."""
    options = [f"--scale={SCALE}", "--seeds=1", "--time=100", "--codegen=optimised", f"--output={tmp_path}"]
    command = [sys.executable, "-m", "amat", "benchmark", "microcircuit", *options]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert not finished.returncode, finished.stderr
    cells = [json.loads(path.read_text()) for path in sorted((tmp_path / "cells").glob("*.json"))]
    assert [cell["cell"]["model"] for cell in cells] == ["iaf_psc_exp", "iaf_psc_exp_neuron_opt"]
    assert cells[0]["fingerprints"] == cells[1]["fingerprints"]
    assert cells[0]["spikes"] == cells[1]["spikes"] > 20
    found = cells[0]
    assert found["synapses"] == pytest.approx(microcircuit.FULL_SYNAPSES * SCALE**2 + 2 * 1543, abs=40)
    total = sum(values["rate"] * values["neurons"] for values in found["populations"].values())
    assert total * 0.1 == pytest.approx(found["spikes"])
    assert found["cpu_seconds"]["simulate"] > 0
    assert (found["energy_J"] is None) == (not found["energy_note"].startswith("RAPL"))
    table, problems = read_cells(tmp_path)
    assert (len(table), problems) == (2, [])
    assert set(table["workload"]) == {"microcircuit-poisson"}
    assert {"microcircuit.csv", "microcircuit_accuracy.csv"} <= {path.name for path in tmp_path.iterdir()}


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "microcircuit", None)
    with pytest.raises(AmatError, match="pip install microcircuit"):
        microcircuit.require_package()
