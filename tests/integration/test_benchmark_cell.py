# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Benchmark cells on NEST: the content of their files, their errors, and the tuning of networks."""

import dataclasses
import importlib.util
import json
import math
import os
import subprocess
import sys

import pytest

from amat.benchmark.cell import Cell, measure_cell
from amat.benchmark.network import TUNED_CV, TUNED_RATE, BalancedNetwork, read_networks
from amat.errors import AmatError

pytestmark = pytest.mark.slow

#: The smallest size with the indegree of large networks that fires like them.
SMALL = {"neurons": 1250, "duration": 200.0}


@pytest.mark.parametrize("workload", ["neurons", "network", "plastic"])
@pytest.mark.parametrize("model", ["amat2_psc_exp", "amat2_psc_exp_neuron_opt", "izhikevich", "iaf_psc_exp"])
def test_a_cell_writes_its_measurements(tmp_path, model, workload):
    output = tmp_path / "cell.json"
    measure_cell(Cell(model, workload, **SMALL), output)
    found = json.loads(output.read_text())
    assert found["cell"]["model"] == model
    assert set(found["seconds"]) == {"create", "connect", "prepare", "warm_up", "simulate"}
    assert all(value > 0 for value in found["seconds"].values())
    assert found["real_time_factor"] == pytest.approx(5 * found["seconds"]["simulate"])
    assert found["rate"] == pytest.approx(found["spikes"] / SMALL["neurons"] / 0.2)
    assert set(found["memory"]) == {"start", *found["seconds"]}
    sizes = [found["memory"][phase]["allocated"] for phase in ("start", "create", "connect")]
    assert sizes == sorted(sizes)
    assert all(found["memory"][phase]["peak"] >= found["memory"][phase]["resident"] for phase in found["memory"])
    indegree = 0 if workload == "neurons" else read_networks()["amat"].indegree + 1
    assert found["synapses"] == SMALL["neurons"] * indegree + 200
    assert (found["module"] is None) == (not model.startswith("amat2_psc_exp_neuron"))
    assert found["neuron_B"] == (sizes[1] - sizes[0]) / SMALL["neurons"] > 100
    assert (found["synapse_B"] is None) == (workload == "neurons")
    assert (found["prepared_neuron_B"] is None) == (workload != "neurons")
    assert {"versions", "commit", "machine"} <= set(found)
    assert "time_simulate" in found["nest"]


@pytest.mark.parametrize("place", ["-", "fifo", "link"])
def test_a_cell_is_written_through_streams_and_links(tmp_path, place):
    options = ["--model", "amat2_psc_exp", "--workload", "neurons", "--neurons", "100", "--duration", "200"]
    command = [sys.executable, "-m", "amat", "benchmark", "cell", *options, "--output", place]
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("target")
    reader = subprocess.Popen(["cat", "fifo"], cwd=tmp_path, stdout=-1) if place == "fifo" else None
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    written = {"-": finished.stdout, "link": (tmp_path / "target").read_text() if place == "link" else ""}
    found = json.loads(reader.communicate()[0] if reader else written[place])
    assert found["cell"]["neurons"] == 100
    assert (tmp_path / "fifo").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_builds_do_the_same_work(tmp_path):
    """Without connections AMAT's builds spike identically; networks are chaotic but have the same rate."""
    found = {}
    for workload in ("neurons", "network"):
        for model in ("amat2_psc_exp", "amat2_psc_exp_neuron_opt"):
            cell = Cell(model, workload, **SMALL)
            found[workload, model] = measure_cell(cell, tmp_path / f"{cell.name}.json")
    assert len({found["neurons", model]["spikes"] for _, model in found}) == 1
    rates = [found["network", model]["rate"] for model in ("amat2_psc_exp", "amat2_psc_exp_neuron_opt")]
    assert rates[0] == pytest.approx(rates[1], rel=0.15)


def test_spikes_depend_on_the_seed_only(tmp_path):
    spikes = [
        measure_cell(Cell("amat2_psc_exp", seed=seed, **SMALL), tmp_path / f"{seed}.json")["spikes"]
        for seed in (1, 1, 2)
    ]
    assert spikes[0] == spikes[1] != spikes[2]


def test_all_tuned_networks_fire_alike_and_irregularly():
    for network in read_networks().values():
        assert network.rate == pytest.approx(TUNED_RATE, rel=0.05)
        assert network.cv == pytest.approx(TUNED_CV, abs=0.05)


#: An untuned network whose tuning takes seconds.
SPARSE = BalancedNetwork({}, 60.0, -300.0, external_rate=1000.0, indegree=100, delay=1.5, rate=TUNED_RATE, cv=0.0)


@pytest.fixture(scope="module")
def tune_networks(root):
    """The script that tunes the networks, as a module."""
    spec = importlib.util.spec_from_file_location("tune_networks", root / "scripts" / "tune_networks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_weight_with_the_closest_cv_is_chosen(tune_networks):
    chosen, table = tune_networks.scan_weights("iaf_psc_exp", SPARSE, 1e5, (0.5, 1.0), neurons=500, cv=10.0)
    assert list(table["rate"]) == pytest.approx([TUNED_RATE, TUNED_RATE], rel=0.05)
    assert chosen.cv == table["cv"].max()
    assert chosen.weight == table["weight"][table["cv"].idxmax()]
    assert chosen.inhibition == -5.0 * chosen.weight


def test_an_unreachable_rate_is_an_error(tune_networks):
    weak = dataclasses.replace(SPARSE, weight=0.1, inhibition=-0.5, external_rate=1.0)
    with pytest.raises(AmatError, match="does not fire at 8 spikes/s"):
        tune_networks.tune_input("iaf_psc_exp", weak, 10.0, neurons=500)


def test_another_number_of_ranks_is_refused(tmp_path):
    with pytest.raises(AmatError, match=r"1 process.* requested 2: start the cell with `srun -n 2`"):
        measure_cell(Cell("amat2_psc_exp", ranks=2, **SMALL), tmp_path / "cell.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "hh_psc_alpha"}, "hh_psc_alpha is not among the models"),
        ({"workload": "brain"}, "no workload 'brain'"),
        ({"neurons": 1}, "neurons must be 10 or more, got 1"),
        ({"indegree": 1}, "indegree must be 5 or more, got 1"),
        ({"duration": 0.0}, "duration must be positive and at most 1e.07 ms, got 0 ms"),
        ({"duration": math.nan}, "got nan ms"),
        ({"duration": math.inf}, "got inf ms"),
        ({"duration": 100.05}, "must be a multiple of the time step of 0.1 ms, got 100.05 ms"),
        ({"resolution": math.nan}, "resolution must divide 0.5 ms .* got nan ms"),
        ({"resolution": 1e-9}, "such as 0.1, 0.05 or 0.01 ms; got 1e-09 ms"),
        ({"resolution": 0.2}, "got 0.2 ms"),
        ({"resolution": 0.0}, "got 0 ms"),
    ],
)
def test_cells_that_cannot_be_measured_are_refused(wrong, message):
    with pytest.raises(AmatError, match=message):
        Cell(**{"model": "amat2_psc_exp", **wrong})


def test_the_command_writes_the_file(run_amat, tmp_path):
    arguments = ["--neurons", "500", "--duration", "100", "--workload", "neurons", "--output", tmp_path / "cell.json"]
    finished = run_amat("benchmark", "cell", "--model", "amat2_psc_exp", *arguments)
    assert finished.returncode == 0, finished.stderr
    assert "real-time factor" in finished.stdout
    measured = (tmp_path / "cell.json").read_text()
    assert json.loads(measured)["cell"]["neurons"] == 500
    refused = run_amat("benchmark", "cell", "--model", "iaf_psc_exp", *arguments, "--seed", 2)
    assert refused.returncode == 1
    assert "was measured with model amat2_psc_exp instead of iaf_psc_exp, seed 1 instead of 2" in refused.stderr
    assert (tmp_path / "cell.json").read_text() == measured
