# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A Slurm with two virtual nodes, NEST with MPI, and a copy of the checkout, each made once per run.

The copy leaves the checkout untouched, and later edits do not affect the tests. NEST with MPI and the
copy come first in ``PYTHONPATH``; everything else is that of the environment.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import slurm
from rig import AMAT, require_packages, run, system_path

from amat import paths, toolchain
from amat.toolchain.mpi import missing_packages

MODELS = ("amat2_psc_exp_neuron_nestml", "amat2_psc_exp_neuron_opt")
NODES, PROCESSORS = 2, 2
#: Slurm loads them at run time; no program shows that they are installed.
PLUGINS = "slurm-wlm-basic-plugins"
#: The parts of the checkout that are copied.
COPIED = (
    *("amat", "book", "config", "containers", "data", "models", "notebooks", "packages", "pyproject.toml", "scripts"),
    *("src", "tests", "workflow"),
)


@dataclass(frozen=True)
class Cluster:
    """A running Slurm, the copy of the checkout, and the environment of jobs and of the commands that submit them."""

    slurm: slurm.Slurm
    folder: Path
    checkout: Path
    environment: dict[str, str]


def needed_packages() -> set[str]:
    """Return the Debian packages that this machine lacks for Slurm and for building NEST with MPI."""
    missing = {package for name, package in slurm.DAEMONS.items() if shutil.which(name, path=system_path()) is None}
    if shutil.which("dpkg-query"):
        args = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", PLUGINS]
        if subprocess.run(args, check=False, capture_output=True, text=True).stdout != "installed":
            missing.add(PLUGINS)
    return missing | set(missing_packages().values())


@pytest.fixture(scope="session")
def folder(request):
    """A folder for all files of these tests; kept if a test fails."""
    if os.geteuid():
        pytest.skip(f"needs root, for {slurm.DEFAULT_CONFIGURATION}: best in a container")
    require_packages(needed_packages)
    # Sockets are below it, and their names must be short: TMPDIR may be too long.
    made = Path(tempfile.mkdtemp(prefix="amat-", dir="/tmp"))
    yield made
    if request.session.testsfailed:
        print(f"\nThe files of the cluster tests are in {made}", file=sys.stderr)
    else:
        shutil.rmtree(made)


@pytest.fixture(scope="session")
def checkout(root, folder):
    """The copy of the checkout."""
    target = folder / "checkout"
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "generated")
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=ignored)
        else:
            shutil.copy2(root / name, target / name)
    # Snakemake would take the checkout's executed notebooks for results.
    shutil.rmtree(target / "book" / "notebooks", ignore_errors=True)
    return target


@pytest.fixture(scope="session")
def without_mpi(checkout):
    """The environment of commands that use the copy of the checkout and the installed NEST."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    sources = (checkout / "src", checkout / "packages" / "nestml-optimised" / "src")
    return {
        **kept,
        "AMAT_CACHE": str(paths.module_cache()),
        "PYNEST_QUIET": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": f"{AMAT.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
    }


@pytest.fixture(scope="session")
def cluster(folder, checkout, without_mpi):
    """A running Slurm whose jobs use NEST with MPI."""
    build = toolchain.build_nest(progress=lambda line: print(line, file=sys.stderr))
    toolchain.install_nest(build, folder / "nest")
    with slurm.running_slurm(folder / "slurm", nodes=NODES, cpus=PROCESSORS) as running:
        path = f"{folder / 'nest'}{os.pathsep}{without_mpi['PYTHONPATH']}"
        yield Cluster(running, folder, checkout, {**without_mpi, **running.environment, "PYTHONPATH": path})


@pytest.fixture(scope="session")
def keys(folder, checkout, without_mpi, cluster):
    """The cache keys of the models' modules by name: for the installed NEST, and for NEST with MPI."""
    found = []
    # The workflow of the notebooks expects the record of the second in results/.
    for environment, record in (
        (without_mpi, folder / "modules.json"),
        (cluster.environment, checkout / "results" / "modules.json"),
    ):
        record.parent.mkdir(exist_ok=True)
        run(AMAT, "build", *MODELS, "--record", record, env=environment, log=record.with_suffix(".log"))
        found.append({model: entry["key"] for model, entry in json.loads(record.read_text()).items()})
    return found
