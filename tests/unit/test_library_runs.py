# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Resumed and partial runs of the benchmark of NESTML's library. Nothing is built or simulated."""

import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pandas as pd
import pytest

from amat import paths
from amat.benchmark import library_runs
from amat.benchmark.library import NEURONS
from amat.benchmark.library_runs import COLUMNS, discard_rows, find_neurons, measure_library, update_table
from amat.benchmark.library_table import format_table
from amat.errors import AmatError

NAMES = ("aeif_psc_exp", "iaf_psc_exp", "wb_cond_exp")
CHOSEN = find_neurons(NAMES)


@dataclass
class Machine:
    """Origin of the simulated measurements, and the names of the measured neurons; a run stops at `stops_at`."""

    commit: str = "one"
    module: str = "key"
    ns: float = 123.456
    stops_at: str = ""
    measured: list[str] = field(default_factory=list)

    def measure_neuron(self, library, neuron, **how):
        if neuron.name == self.stops_at:
            raise KeyboardInterrupt
        self.measured.append(neuron.name)
        built = [{"neuron": neuron.name, "build": build, "result": "built"} for build in ("nest", "optimised")]
        built[0] |= {"ns": 2 * self.ns, "ratio_to_nestml": float("nan")}
        built[1] |= {"step_spikes": 12, "step_error_mV": 1.23456e-13, "ns": self.ns, "ratio_to_nest": 0.5, "bytes": 1e6}
        return [*built, {"neuron": neuron.name, "build": "nestml", "result": 'no model: "C", really'}]


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(library_runs, "measure_neuron", machine.measure_neuron)
    monkeypatch.setattr(
        library_runs,
        "build_library",
        lambda neurons, progress: SimpleNamespace(modules=[SimpleNamespace(key=machine.module)]),
    )
    monkeypatch.setattr(library_runs, "commit", lambda: machine.commit)
    return machine


def measure(folder, neurons=CHOSEN, rounds=1):
    return measure_library(neurons, folder=folder, rounds=rounds, progress=lambda text: None)


def without(name, text):
    """Return the lines of a table without those of a neuron."""
    return [line for line in text.splitlines() if not line.startswith(f"{name},")]


def test_a_stopped_run_resumes_with_the_missing_neurons(tmp_path, machine):
    machine.stops_at = "wb_cond_exp"
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path)
    machine.stops_at = ""
    table = measure(tmp_path)
    assert machine.measured == list(NAMES)
    pd.testing.assert_frame_equal(table, measure(tmp_path / "without a stop"))


@pytest.mark.parametrize("change", [{"commit": "two"}, {"commit": None}, {"module": "other"}])
def test_rows_of_other_code_are_measured_again(tmp_path, machine, change):
    measure(tmp_path)
    vars(machine).update(change, measured=[])
    table = measure(tmp_path)
    assert machine.measured == list(NAMES)
    assert list(table["commit"].unique()) == [machine.commit]


def test_rows_of_another_number_of_rounds_are_measured_again(tmp_path, machine):
    measure(tmp_path, rounds=1)
    measure(tmp_path, rounds=2)
    assert machine.measured == [*NAMES, *NAMES]


@pytest.mark.parametrize("text", ["", "[]", '{"rows": []}'])
def test_damaged_rows_are_measured_again(tmp_path, machine, text):
    measure(tmp_path)
    (tmp_path / "iaf_psc_exp.json").write_text(text)
    measure(tmp_path)
    assert machine.measured == [*NAMES, "iaf_psc_exp"]


def test_rows_of_a_finished_run_are_discarded(tmp_path, machine):
    measure(tmp_path)
    discard_rows(CHOSEN[:2], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["wb_cond_exp.json"]
    discard_rows(CHOSEN, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_partial_run_replaces_only_the_rows_of_its_neurons(tmp_path, machine):
    path = tmp_path / "table.csv"
    update_table(measure(tmp_path, CHOSEN[::-1]), path)
    before = path.read_text()
    machine.commit, machine.ns = "two", 100.0
    table = update_table(measure(tmp_path, CHOSEN[1:2]), path)
    after = path.read_text()
    assert after.startswith(",".join(COLUMNS) + "\n")
    assert list(table["neuron"].unique()) == list(NAMES)
    assert without(NAMES[1], after) == without(NAMES[1], before)
    builds = table.set_index(["neuron", "build"])
    assert builds.loc[("iaf_psc_exp", "optimised"), "ns"] == 100.0
    assert builds.loc[("wb_cond_exp", "optimised"), "ns"] == 123.5
    assert dict(builds["commit"].groupby("neuron").first()) == dict(zip(NAMES, ("one", "two", "one"), strict=True))


def test_neurons_that_the_library_no_longer_has_leave_the_table(tmp_path, machine):
    path = tmp_path / "table.csv"
    update_table(measure(tmp_path).replace("iaf_psc_exp", "retired"), path)
    path.write_text(path.read_text() + ",".join(["retired", "nest", "built", *[""] * (len(COLUMNS) - 3)]) + "\n")
    assert list(update_table(measure(tmp_path, CHOSEN[:1]), path)["neuron"].unique()) == [NAMES[0], NAMES[2]]


def test_a_table_with_other_columns_is_refused(tmp_path, machine):
    path = tmp_path / "table.csv"
    path.write_text("neuron,build\niaf_psc_exp,nest\n")
    with pytest.raises(AmatError, match=r"must be neuron, build, result.* got neuron, build"):
        update_table(measure(tmp_path), path)
    assert path.read_text() == "neuron,build\niaf_psc_exp,nest\n"


def test_the_shipped_table_is_that_of_the_readme(root):
    path = paths.DATA / "library_neurons.csv"
    table = pd.read_csv(path)
    assert tuple(table) == COLUMNS
    assert list(table["neuron"].unique()) == [neuron.name for neuron in NEURONS]
    assert format_table(table) in (root / "packages/nestml-optimised/README.md").read_text()


def test_a_partial_run_leaves_the_shipped_rows_unchanged(tmp_path, machine):
    path = tmp_path / "table.csv"
    shipped = (paths.DATA / "library_neurons.csv").read_text()
    path.write_text(shipped)
    update_table(measure(tmp_path, CHOSEN[:1]), path)
    assert without(NAMES[0], path.read_text()) == without(NAMES[0], shipped) != shipped.splitlines()


def test_unknown_neurons_are_refused_with_the_known_ones(root):
    script = root / "scripts" / "benchmark_library.py"
    command = [sys.executable, script, "--neurons", "iaf_psc_exp", "iaf_exp"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 1
    assert finished.stderr.startswith("NESTML's library has no neuron iaf_exp: choose among aeif_cond_alpha, ")
    assert all(neuron.name in finished.stderr for neuron in NEURONS)
