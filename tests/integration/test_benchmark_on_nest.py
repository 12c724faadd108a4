# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Benchmarks at the smallest size, on real NEST: twins spike alike, and the files are there. Speed is not tested."""

import json
import sys
from dataclasses import replace

import pandas as pd
import pytest

from amat import toolchain
from amat.benchmark.brian import brian_version
from amat.benchmark.cases import BASE, INPUT_RATE, Case
from amat.benchmark.families import FAMILIES, draw, twins
from amat.benchmark.memory import allocated_bytes, measure_memory
from amat.benchmark.network import Network
from amat.benchmark.runs import Options, benchmark_memory, benchmark_network, benchmark_update
from amat.benchmark.update import RESOLUTION, WARM_UP, create_input
from amat.simulation.kernel import reset_kernel

pytestmark = pytest.mark.slow

AMAT_MODELS = [FAMILIES["amat"].hand, *FAMILIES["amat"].stock, FAMILIES["amat"].opt]


def quietly(what: str, done: int, wanted: int) -> None:
    assert done <= wanted or not wanted


@pytest.fixture
def options(tmp_path):
    return Options(tmp_path, rounds=2, duration=200.0, ablation=False)


def test_amat_twins_spike_alike(options, tmp_path):
    cases = [
        replace(BASE, neurons=50),
        replace(BASE, neurons=50, delay=0.1),
        Case("amat", INPUT_RATE, neurons=50, parameters="different", random_phases=True),
        Case("amat", neurons=50, parameters="time constants", random_phases=True),
    ]
    outcome = benchmark_update(cases, options, quietly)
    table = pd.read_csv(tmp_path / "update.csv")
    assert len(table) == 2 * len(cases) * len(AMAT_MODELS)
    assert set(table["model"]) == set(AMAT_MODELS)
    assert (table.groupby("case")["spikes"].nunique() == 1).all()
    assert table["rate"].between(5.0, 50.0).all()
    assert (table["ns"] > 0).all()
    assert (outcome.summary["rounds"] == 2).all()
    assert outcome.summary.loc[outcome.summary["model"] == FAMILIES["amat"].opt, "ratio"].notna().all()


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "amat"])
@pytest.mark.parametrize("rate", [0.0, INPUT_RATE])
def test_other_twins_fire_at_similar_rates(options, tmp_path, name, rate):
    """Refractory times, frozen membranes and schemes differ between them: see each model's page."""
    benchmark_update([Case(name, rate, neurons=20)], replace(options, rounds=1, duration=500.0), quietly)
    rates = pd.read_csv(tmp_path / "update.csv").set_index("model")["rate"]
    assert len(rates) == len(twins(FAMILIES[name]))
    assert rates.between(5.0, 50.0).all(), rates
    assert rates.max() < 1.35 * rates.min(), rates


def test_the_input_is_counted_as_it_arrives():
    """The parrot neurons' spikes, beside a recorder's; NEST's count starts with the last simulation."""
    nest = reset_kernel(RESOLUTION)
    neurons = nest.Create("iaf_psc_exp", 2)
    steps = create_input(nest, neurons, (40, 10), 4000.0, 0.0, 1.5, WARM_UP + 100.0, 3)
    recorder = nest.Create("spike_recorder")
    nest.Connect(nest.GetNodes({"model": "parrot_neuron"}), recorder, syn_spec={"delay": 1.5})
    nest.Simulate(WARM_UP)
    nest.Simulate(100.0)
    counted = nest.GetKernelStatus("local_spike_counter")
    nest.Simulate(5.0)
    times = recorder.events["times"]
    assert sorted(steps) == sorted(round(t / RESOLUTION) for t in times if t <= WARM_UP + 100.0 + 1e-9)
    assert counted == (steps > round(WARM_UP / RESOLUTION)).sum()
    assert len(steps) == pytest.approx(4000.0 * 0.13, rel=0.2)


def test_memory_is_repeatable_and_that_of_twins_differs_by_the_model_only(options, tmp_path):
    outcome = benchmark_memory(["amat"], replace(options, models=[FAMILIES["amat"].opt]), quietly)
    table = pd.read_csv(tmp_path / "memory.csv")
    spread = table.groupby(["case", "model"])["bytes"].agg(["min", "max"])
    assert (spread["max"] < 1.01 * spread["min"]).all()
    # An object is no larger than what a neuron takes.
    assert (table["object_bytes"] < table["bytes"]).all()
    hand = table[table["kind"] == "hand"].groupby("case")["bytes"].median()
    kernel = table[table["kind"] == "kernel"].groupby("case")["bytes"].median()
    assert (kernel < hand).all()
    assert set(outcome.summary["quantity"]) == {"memory", "own memory"}


def test_allocated_bytes_see_what_is_allocated():
    before = allocated_bytes()
    block = bytearray(10_000_000)
    assert allocated_bytes() - before == pytest.approx(len(block), rel=0.01)


def test_neurons_take_their_memory_each(amat_module):
    """Twice the neurons take twice the memory, to a hundredth: nothing of it is NEST's once for all."""
    contender = replace(twins(FAMILIES["amat"])[1], module=amat_module.key[:16])
    assert contender.model == toolchain.AMAT
    bytes_each = [
        measure_memory(
            replace(BASE, neurons=number),
            contender,
            draw(FAMILIES["amat"], 1, parameters="equal", random_phases=False, driven=False, seed=1),
            seed=1,
        )["bytes"]
        for number in (2000, 4000, 8000)
    ]
    assert max(bytes_each) < 1.01 * min(bytes_each)


def test_networks_of_twins_fire_alike(options, tmp_path):
    outcome = benchmark_network([Network(100, 20)], options, quietly)
    table = pd.read_csv(tmp_path / "network.csv")
    assert len(table) == 2 * (len(AMAT_MODELS) + 1)
    assert set(table[table["kind"] == "kernel"]["spikes"]) == {0}  # what receives and never spikes
    table = table[table["kind"] != "kernel"]
    assert table["rate"].min() > 1.0
    assert table["rate"].max() < 1.1 * table["rate"].min()
    assert (table[["seconds", "build_seconds", "prepare_seconds"]] > 0).all(axis=None)
    assert set(outcome.summary["quantity"]) == {"network"}


def test_networks_that_don_t_fit_into_memory_are_named(options, monkeypatch):
    monkeypatch.setattr("amat.benchmark.runs.memory_missing", lambda network: 3.0 if network.neurons == 200 else 0.0)
    outcome = benchmark_network([Network(100, 20), Network(200, 20)], replace(options, rounds=1), quietly)
    assert set(outcome.summary["case"]) == {"network-n100-k20"}
    assert "200 neurons is skipped: it takes 3.0 GB" in outcome.skipped[0]


def test_without_brian2_its_row_is_named_as_skipped(options):
    outcome = benchmark_update([BASE], replace(options, rounds=1, brian_python="no-such-python"), quietly)
    assert "Brian2 is skipped" in outcome.skipped[0]
    assert "brian2" not in set(outcome.summary["model"])


@pytest.mark.skipif(brian_version(sys.executable) is None, reason="Brian2 is not installed")
def test_brian2_spikes_as_we_do(options):
    summary = benchmark_update([BASE], replace(options, rounds=1), quietly).summary
    assert summary["spikes"].nunique() == 1


def test_command_writes_its_files(run_amat, tmp_path):
    """In a process of its own; the second run finds all measurements there."""
    words = ["benchmark", "update", "--cases", "mat-quiet", "--rounds", 2, "--time", 100, "--output", tmp_path]
    for _ in range(2):
        finished = run_amat(*words)
        assert finished.returncode == 0, finished.stderr
        assert "mat-quiet" in finished.stdout
    names = {"update.csv", "update_summary.csv", "update.svg", "memory.csv", "memory_summary.csv", "memory.svg"}
    assert names | {"provenance.json"} == {path.name for path in tmp_path.iterdir()}
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert record["update"]["settings"]["duration"] == 100.0
    assert set(record["update"]["machine"]) == {"system", "architecture", "cpu", "usable_cores"}


def test_command_refuses_bad_words(run_amat, tmp_path):
    for words, message in (
        (["--cases", "amat-loud"], "There is no case 'amat-loud'"),
        (["--rounds", 0], "at least one"),
        (["--full", "--quick"], "excludes"),
    ):
        finished = run_amat("benchmark", "update", *words, "--output", tmp_path)
        assert finished.returncode == 1
        assert message in finished.stderr
        assert "Traceback" not in finished.stderr
