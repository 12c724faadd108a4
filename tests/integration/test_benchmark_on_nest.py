# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Small benchmarks on NEST: builds spike alike and all files are written. Speed is not tested."""

import json
import sys
from dataclasses import replace

import pandas as pd
import pytest

from amat import toolchain
from amat.benchmark.cases import BASE, INPUT_RATE, Case
from amat.benchmark.families import CONTENDERS, FAMILIES, builds, sample_population
from amat.benchmark.kernel import PHASES, RESOLUTION, WARM_UP, allocated_bytes
from amat.benchmark.peers import peer_version
from amat.benchmark.runs import Options, benchmark_memory, benchmark_network, benchmark_update
from amat.benchmark.update import create_input, measure_memory
from amat.simulation.kernel import reset_kernel

pytestmark = pytest.mark.slow

AMAT_MODELS = [contender.model for contender in builds(FAMILIES["amat"])]


def quietly(description: str, done: int, total: int) -> None:
    assert done <= total or not total


@pytest.fixture
def options(tmp_path):
    return Options(tmp_path, rounds=2, duration=200.0, ablation=False)


def test_builds_of_amat_spike_identically(options, tmp_path):
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
    assert outcome.summary.loc[outcome.summary["model"] == FAMILIES["amat"].optimised, "ratio"].notna().all()


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "amat"])
@pytest.mark.parametrize("rate", [0.0, INPUT_RATE])
def test_builds_of_other_models_fire_at_similar_rates(options, tmp_path, name, rate):
    """Builds differ in refractory times, clamped membranes and numerical schemes: see the pages of the models."""
    benchmark_update([Case(name, rate, neurons=20)], replace(options, rounds=1, duration=500.0), quietly)
    rates = pd.read_csv(tmp_path / "update.csv").set_index("model")["rate"]
    assert len(rates) == len(builds(FAMILIES[name]))
    assert rates.between(5.0, 50.0).all(), rates
    assert rates.max() < 1.35 * rates.min(), rates


def test_the_spikes_of_the_input_are_counted():
    """Their number is what a recorder sees, and what NEST counts in the last simulation."""
    nest = reset_kernel(RESOLUTION)
    neurons = nest.Create("iaf_psc_exp", 2, {"V_th": 1e9})  # never spike
    steps = create_input(nest, neurons, replace(BASE, rate=INPUT_RATE), WARM_UP + 100.0, 3)
    recorder = nest.Create("spike_recorder")
    nest.Connect(nest.GetNodes({"model": "parrot_neuron"}), recorder, syn_spec={"delay": 1.5})
    nest.Simulate(WARM_UP)
    nest.Simulate(100.0)
    counted = nest.GetKernelStatus("local_spike_counter")
    nest.Simulate(5.0)
    times = recorder.events["times"]
    assert sorted(steps) == sorted(round(t / RESOLUTION) for t in times if t <= WARM_UP + 100.0 + 1e-9)
    assert counted == (steps > round(WARM_UP / RESOLUTION)).sum()
    assert len(steps) == pytest.approx(INPUT_RATE * 1e-3 * (WARM_UP + 100.0), rel=0.2)


def test_memory_is_repeatable_and_larger_than_the_overhead(options, tmp_path):
    outcome = benchmark_memory(["amat"], replace(options, codegen=["optimised"]), quietly)
    table = pd.read_csv(tmp_path / "memory.csv")
    spread = table.groupby(["case", "model"])["bytes"].agg(["min", "max"])
    assert (spread["max"] < 1.01 * spread["min"]).all()
    # An object is smaller than all memory of a neuron.
    assert (table["object_bytes"] < table["bytes"]).all()
    nest = table[table["build"] == "nest"].groupby("case")["bytes"].median()
    overhead = table[table["build"] == "empty"].groupby("case")["bytes"].median()
    assert (overhead < nest).all()
    assert set(outcome.summary["quantity"]) == {"memory", "own memory"}


def test_allocated_bytes_include_new_objects():
    before = allocated_bytes()
    block = bytearray(10_000_000)
    assert allocated_bytes() - before == pytest.approx(len(block), rel=0.01)


def test_memory_is_proportional_to_the_neurons():
    """The deviation is below 1 %, so that memory that NEST allocates once is negligible."""
    contender = CONTENDERS[toolchain.AMAT]
    bytes_each = [
        measure_memory(
            replace(BASE, neurons=number),
            contender,
            sample_population(FAMILIES["amat"], 1, parameters="equal", random_phases=False, driven=False, seed=1),
            seed=1,
        )["bytes"]
        for number in (2000, 4000, 8000)
    ]
    assert max(bytes_each) < 1.01 * min(bytes_each)


def test_builds_fire_at_the_same_rate_in_networks(options, tmp_path):
    outcome = benchmark_network([1250], options, quietly)
    table = pd.read_csv(tmp_path / "network.csv")
    assert len(table) == 2 * (len(AMAT_MODELS) + 1)
    assert set(table[table["build"] == "empty"]["spikes"]) == {0}
    table = table[table["build"] != "empty"]
    assert table["rate"].min() > 1.0
    assert table["rate"].max() < 1.1 * table["rate"].min()
    assert (table[[f"{phase}_s" for phase in PHASES]] > 0).all(axis=None)
    assert set(outcome.summary["quantity"]) == {"network"}


def test_networks_too_large_for_the_memory_are_skipped(options, monkeypatch):
    monkeypatch.setattr("amat.benchmark.runs.missing_memory", lambda neurons, _: 3.0 if neurons == 2500 else 0.0)
    monkeypatch.setattr("amat.benchmark.runs.NETWORKS", (1250, 2500))
    outcome = benchmark_network(None, replace(options, rounds=1, codegen=["optimised"]), quietly)
    assert set(outcome.summary["case"]) == {"network-n1250-k1000"}
    assert "2500 neurons is skipped: it needs 3.0 GB" in outcome.skipped[0]


def test_brian2_is_skipped_if_it_is_missing(options, monkeypatch):
    monkeypatch.setattr("amat.benchmark.runs.peer_version", lambda name, python, required: None)
    outcome = benchmark_update([BASE], replace(options, rounds=1), quietly)
    assert "Brian2 is skipped" in outcome.skipped[0]
    assert "brian2" not in set(outcome.summary["model"])


@pytest.mark.skipif(peer_version("brian2", sys.executable) is None, reason="Brian2 is not installed")
def test_brian2_spikes_like_the_other_builds(options):
    summary = benchmark_update([BASE], replace(options, rounds=1), quietly).summary
    assert summary["spikes"].nunique() == 1


@pytest.mark.parametrize("name", ["brian2", "arbor"])
def test_other_simulators_fire_like_nest_in_a_network(options, name):
    """Connections differ and the run is short, so that only gross errors, such as wrong units, are found."""
    if peer_version(name, sys.executable) is None:
        pytest.skip(f"{name} is not installed")
    given = {"brian_python" if name == "brian2" else "arbor_python": sys.executable}
    wanted = replace(options, rounds=1, codegen=["optimised"], **given)
    rates = benchmark_network([1250], wanted, quietly, family="iaf_psc_delta").summary.set_index("build")["rate"]
    assert rates[name] == pytest.approx(rates["nest"], rel=0.5)


def test_the_command_writes_its_files(run_amat, tmp_path):
    """The second run finds all measurements in the file."""
    arguments = ["benchmark", "update", "--cases", "mat-quiet", "--rounds", 2, "--duration", 100, "--output", tmp_path]
    for _ in range(2):
        finished = run_amat(*arguments)
        assert finished.returncode == 0, finished.stderr
        assert "mat-quiet" in finished.stdout
    names = {"update.csv", "update_summary.csv", "update.svg", "memory.csv", "memory_summary.csv", "memory.svg"}
    assert names | {"provenance.json", ".lock"} == {path.name for path in tmp_path.iterdir()}
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert record["update"]["settings"]["duration"] == 100.0
    assert set(record["update"]["machine"]) == {"system", "architecture", "cpu", "usable_cores"}


def test_the_command_refuses_wrong_arguments(run_amat, tmp_path):
    for arguments, message in (
        (["--cases", "amat-loud"], "There is no case 'amat-loud'"),
        (["--rounds", 0], "rounds must be at least 1"),
    ):
        finished = run_amat("benchmark", "update", *arguments, "--output", tmp_path)
        assert finished.returncode == 1
        assert message in finished.stderr
        assert "Traceback" not in finished.stderr
