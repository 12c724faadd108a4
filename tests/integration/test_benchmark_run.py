# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Run of a matrix through the workflow on this machine: complete, with a failing cell, killed and resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from amat.files import only_run

pytestmark = pytest.mark.slow

#: Only NEST's built-in models, so that nothing is compiled.
PLAN = {
    "time": 200,
    "seeds": [1, 2],
    "models": ["amat2_psc_exp", "iaf_psc_exp"],
    "sets": [{"workload": "neurons", "neurons": [500], "layouts": ["1x1"]}],
}


@pytest.fixture
def matrix(tmp_path):
    def write(**change):
        path = tmp_path / "matrix.yaml"
        path.write_text(yaml.safe_dump({**PLAN, **change}))
        return path

    return write


def cells(folder):
    return {path.stem: path.stat().st_mtime_ns for path in (folder / "cells").glob("*.json")}


def test_all_cells_are_measured_once_and_reported(run_amat, matrix, tmp_path):
    arguments = ["benchmark", "run", "--matrix", matrix(), "--output", tmp_path / "out"]
    planned = run_amat(*arguments, "--dry-run")
    assert planned.stderr.count("Measuring ") + planned.stdout.count("Measuring ") == 4
    assert not (tmp_path / "out").exists()
    finished = run_amat(*arguments)
    assert finished.returncode == 0, finished.stderr
    found = cells(tmp_path / "out")
    assert len(found) == 4
    report = tmp_path / "out" / "report" / "cells.csv"
    assert len(report.read_text().splitlines()) == 5
    planned = run_amat(*arguments, "--dry-run")
    assert planned.returncode == 0
    assert "Job" not in planned.stderr + planned.stdout
    assert run_amat(*arguments).returncode == 0
    assert cells(tmp_path / "out") == found


def test_a_failing_cell_is_repeated_and_named_with_its_log(run_amat, matrix, tmp_path):
    # In 1 ms no neuron fires.
    failing = {**PLAN["sets"][0], "neurons": [400], "time": 1}
    path = matrix(models=["iaf_psc_exp"], seeds=[1], sets=[PLAN["sets"][0], failing])
    finished = run_amat("benchmark", "run", "--matrix", path, "--output", tmp_path / "out")
    assert finished.returncode == 1
    assert "1 of 2 cells have no result" in finished.stderr
    name = "neurons-iaf_psc_exp-n400-k0-r1-t1-s1"
    assert f"{name}: " in finished.stderr
    assert str(Path("logs", f"{name}.log")) in finished.stderr
    assert "Trying to restart job" in finished.stderr
    assert list(cells(tmp_path / "out")) == ["neurons-iaf_psc_exp-n500-k0-r1-t1-s1"]


def test_a_killed_run_resumes(run_amat, matrix, tmp_path):
    arguments = ["benchmark", "run", "--matrix", str(matrix()), "--output", str(tmp_path / "out")]
    command = [str(Path(sys.executable).with_name("amat")), *arguments]
    running = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(cells(tmp_path / "out")) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    first = cells(tmp_path / "out")
    assert 2 <= len(first) < 4
    finished = run_amat(*arguments)
    assert finished.returncode == 0, finished.stderr
    second = cells(tmp_path / "out")
    assert len(second) == 4
    # Only the last cell may be measured again: its file is written before Snakemake records the end of the job.
    assert {name for name in first if second[name] != first[name]} <= {max(first, key=lambda name: first[name])}


def test_a_second_run_in_the_folder_is_refused_and_names_the_first(run_amat, matrix, tmp_path):
    (tmp_path / "out").mkdir()
    with only_run(tmp_path / "out" / ".lock", "benchmark"):
        for arguments in (["run", "--matrix", matrix()], ["update", "--cases", "mat-quiet"], ["network"]):
            finished = run_amat("benchmark", *arguments, "--output", tmp_path / "out")
            assert finished.returncode == 1
            assert f"Another benchmark is running in {tmp_path / 'out'} (process {os.getpid()})" in finished.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_refusal_of_git_is_reported_before_any_work(run_amat, clone, matrix, tmp_path):
    """Git's own test of a checkout that belongs to another user; only `amat setup` does without the commit."""
    other = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    for command in (["benchmark", "run", "--matrix", matrix(), "--output", tmp_path / "out"], ["reproduce"]):
        finished = run_amat(*command, **other)
        assert finished.returncode == 1
        assert "git config --global --add safe.directory" in finished.stderr
    assert not (tmp_path / "out").exists()
    finished = run_amat("setup", **other)
    assert finished.returncode == 0
    assert "git config --global --add safe.directory" in finished.stderr


@pytest.mark.parametrize("options", [("--jobs", "2"), ("--executor", "slurm", "--cores", "2")])
def test_options_without_effect_are_refused(run_amat, matrix, tmp_path, options):
    finished = run_amat("benchmark", "run", "--matrix", matrix(), "--output", tmp_path / "out", *options)
    assert finished.returncode == 1
    assert f"{' '.join(options[-2:])} has no effect" in finished.stderr
    assert not (tmp_path / "out").exists()


def test_more_cores_than_usable_are_refused(run_amat, matrix, tmp_path):
    path = matrix(sets=[{**PLAN["sets"][0], "layouts": ["1x64"]}])
    finished = run_amat("benchmark", "run", "--matrix", path, "--output", tmp_path / "out", "--cores", "2")
    assert finished.returncode == 1
    assert "needs 64 cores, but 2 are usable" in finished.stderr
    assert not (tmp_path / "out").exists()
