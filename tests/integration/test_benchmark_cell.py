# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A cell of the benchmark's matrix on real NEST: what is in its file, and what makes it fail."""

import dataclasses
import json

import pytest

from amat.benchmark.cell import MODELS, Cell, measure_cell, read_tuning
from amat.benchmark.tuning import CV, RATE, Candidate, scan_weights, tune_input
from amat.errors import AmatError

pytestmark = pytest.mark.slow

#: The smallest that fires as the large ones do: connections are as many as in those.
SMALL = {"neurons": 1250, "duration": 200.0}


@pytest.mark.parametrize("workload", ["neurons", "network", "plastic"])
@pytest.mark.parametrize("model", ["amat2_psc_exp", "amat2_psc_exp_neuron_opt", "izhikevich", "iaf_psc_exp"])
def test_a_cell_writes_what_it_took(tmp_path, model, workload):
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
    indegree = 0 if workload == "neurons" else read_tuning()["amat"].indegree + 1
    assert found["synapses"] == SMALL["neurons"] * indegree + 200
    assert (found["module"] is None) == (not model.startswith("amat2_psc_exp_neuron"))
    assert found["neuron_B"] == (sizes[1] - sizes[0]) / SMALL["neurons"] > 100
    assert (found["synapse_B"] is None) == (workload == "neurons")
    assert (found["prepared_neuron_B"] is None) == (workload != "neurons")
    assert {"versions", "commit", "machine"} <= set(found)
    assert "time_simulate" in found["nest"]


def test_twins_do_the_same_work(tmp_path):
    """Without connections AMAT's twins spike alike, and networks are chaotic but fire at the same rate."""
    found = {}
    for workload in ("neurons", "network"):
        for model in ("amat2_psc_exp", "amat2_psc_exp_neuron_opt"):
            found[workload, model] = measure_cell(Cell(model, workload, **SMALL), tmp_path / "cell.json")
    assert len({found["neurons", model]["spikes"] for _, model in found}) == 1
    rates = [found["network", model]["rate"] for model in ("amat2_psc_exp", "amat2_psc_exp_neuron_opt")]
    assert rates[0] == pytest.approx(rates[1], rel=0.15)


def test_the_same_seed_gives_the_same_spikes_and_another_one_others(tmp_path):
    spikes = [
        measure_cell(Cell("amat2_psc_exp", seed=seed, **SMALL), tmp_path / "cell.json")["spikes"] for seed in (1, 1, 2)
    ]
    assert spikes[0] == spikes[1] != spikes[2]


def test_all_tuned_networks_fire_alike_and_irregularly():
    for tuning in read_tuning().values():
        assert tuning.rate == pytest.approx(RATE, rel=0.05)
        assert tuning.cv == pytest.approx(CV, abs=0.05)


SPARSE = Candidate("iaf_psc_exp", {}, weight=60.0, inhibition=5.0, indegree=100, neurons=500)


def test_the_weight_is_chosen_by_cv():
    chosen, table = scan_weights(SPARSE, (0.5, 1.0), cv=10.0)
    assert list(table["rate"]) == pytest.approx([RATE, RATE], rel=0.05)
    assert chosen.cv == table["cv"].max()
    assert chosen.weight == table["weight"][table["cv"].idxmax()]
    assert chosen.inhibition == -5.0 * chosen.weight


def test_a_rate_that_is_not_reached_is_told():
    weak = dataclasses.replace(SPARSE, weight=0.1, rates=(1.0, 10.0))
    with pytest.raises(AmatError, match="does not fire at 8 spikes/s"):
        tune_input(weak)


def test_other_ranks_than_asked_for_are_refused(tmp_path):
    with pytest.raises(AmatError, match=r"1 process.* asked for: start the cell by `srun -n 2`"):
        measure_cell(Cell("amat2_psc_exp", ranks=2, **SMALL), tmp_path / "cell.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "hh_psc_alpha"}, "hh_psc_alpha is not among the models"),
        ({"workload": "brain"}, "no workload 'brain'"),
        ({"neurons": 1}, "neurons is 1: choose 10 or more"),
        ({"indegree": 1}, "indegree is 1: choose 5 or more"),
        ({"duration": 0.0}, "A duration of 0 ms"),
    ],
)
def test_cells_that_cannot_be_measured_are_refused(wrong, message):
    with pytest.raises(AmatError, match=message):
        Cell(**{"model": "amat2_psc_exp", **wrong})


def test_the_command_writes_the_file(run_amat, tmp_path):
    words = ["--neurons", "500", "--time", "100", "--workload", "neurons", "--output", tmp_path / "cell.json"]
    finished = run_amat("benchmark", "cell", "--model", "amat2_psc_exp", *words)
    assert finished.returncode == 0, finished.stderr
    assert "real-time factor" in finished.stdout
    assert json.loads((tmp_path / "cell.json").read_text())["cell"]["neurons"] == 500
    assert set(MODELS) >= {"izhikevich_neuron_opt", "izhikevich_neuron_nestml"}
