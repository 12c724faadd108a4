# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The steps that an edit makes the pipeline run again, in a copy of the project whose outputs are empty files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amat import paths

pytestmark = pytest.mark.slow

#: Modification times, in seconds since 1970: of sources, and of outputs, which are newer.
OLD, NEW = 1_000_000_000, 1_100_000_000
SOURCES = ("src", "packages", "workflow", "config", "models", "data", "notebooks", "scripts", "book", "containers")


def run_snakemake(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile", "--cores", "1", "--nolock"]
    search = os.pathsep.join(str(folder / source) for source in ("src", "packages/nestml-optimised/src"))
    finished = subprocess.run(
        [*command, "--rerun-triggers", "mtime", *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": search},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the sources in which every output exists and is newer than every source."""
    folder = tmp_path_factory.mktemp("project")
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in SOURCES:
        shutil.copytree(paths.ROOT / name, folder / name, ignore=unwanted)
    for name in ("book/notebooks", "book/generated"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("_config.yml", "pyproject.toml"):
        shutil.copy(paths.ROOT / name, folder)
    for path in folder.rglob("*"):
        os.utime(path, (OLD, OLD))
    for line in run_snakemake(folder, "--summary").splitlines():
        output = folder / line.split("\t")[0]
        if re.match(r"results/(?!\w+\.json)", line):
            output.mkdir(parents=True)
            os.utime(output, (NEW, NEW))
        elif re.match(r"(results|book|_build)/", line):
            output.parent.mkdir(parents=True, exist_ok=True)
            output.touch()
            os.utime(output, (NEW, NEW))
    assert "Nothing to be done" in run_snakemake(folder, "--dry-run")
    return folder


def steps_after_editing(project: Path, *names: str) -> set[str]:
    """Return the messages of the steps that would run after a change of some files, which is undone."""
    files = [project / "src" / "amat" / name for name in names]
    for file in files:
        file.touch()
    try:
        planned = run_snakemake(project, "--dry-run")
    finally:
        for file in files:
            os.utime(file, (OLD, OLD))
    return set(re.findall(r"^Job \d+: (.*)$", planned, flags=re.MULTILINE))


def test_editing_commands_and_release_tools_runs_nothing_again(project):
    assert steps_after_editing(project, "cli/app.py", "release/archive.py", "compendium/dependencies.py") == set()


def test_editing_the_benchmark_runs_only_its_notebooks_again(project):
    notebooks = {step for step in steps_after_editing(project, "benchmark/__init__.py") if "notebook" in step}
    assert notebooks == {f"Executing the notebook {name}" for name in ("benchmarks", "code_generation")}


def test_editing_one_analysis_runs_only_its_notebook_again(project):
    steps = steps_after_editing(project, "analysis/locking/theory.py")
    assert {step for step in steps if "notebook" in step} == {"Executing the notebook locking"}
    assert "Building the book" in steps


def test_editing_the_simulation_runs_all_notebooks_that_simulate_again(project):
    steps = steps_after_editing(project, "simulation/run.py")
    names = ("validation", "f_i_curves", "of the firing pattern class_1")
    assert {f"Executing the notebook {name}" for name in names} <= steps
