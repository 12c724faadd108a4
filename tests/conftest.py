# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fixtures of all tests: the checkout, the compiled model, and the pipeline's outputs, each made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from amat import paths, toolchain

AMAT_COMMAND = Path(sys.executable).with_name("amat")


class FilesOnWorkers(LoadScopeScheduling):
    """A scheduler that gives each worker whole files, and one of them all that use the pipeline's outputs."""

    def _split_scope(self, nodeid: str) -> str:
        """Return what runs on one worker; pytest-xdist starts with the scope that has most tests, the pipeline."""
        file = nodeid.split("::")[0]
        return "pipeline" if file.startswith(("tests/pipeline/", "tests/book/")) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FilesOnWorkers:
    return FilesOnWorkers(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    assert paths.ROOT is not None
    return paths.ROOT


@pytest.fixture(scope="session")
def clone(root: Path) -> Path:
    """The root of a git clone; images and archives have no git, and not all files."""
    if not (root / ".git").exists():
        pytest.skip("needs a clone of the project")
    return root


@pytest.fixture(scope="session")
def git():
    """A function that runs git in a folder, with an author, and returns its output."""

    def run(folder: Path, *arguments: str) -> str:
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(folder), *author, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


@pytest.fixture(autouse=True)
def no_open_figures():
    """Close the figures of a test, which pyplot keeps until they are closed and then warns about."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def amat_module() -> toolchain.Module:
    """The AMAT neuron, compiled."""
    return toolchain.build(toolchain.AMAT)


@pytest.fixture
def run_amat():
    """A function that runs the ``amat`` command as a user does, and returns the finished process."""

    def run(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(AMAT_COMMAND), *map(str, args)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200", **environment},
        )

    return run


@pytest.fixture(scope="session")
def reproduced(root: Path) -> Path:
    """The checkout after ``amat reproduce``."""
    command = [str(AMAT_COMMAND), "reproduce"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, timeout=2700)
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-6000:]
    return root


@pytest.fixture(scope="session")
def built_book(reproduced: Path) -> Path:
    """The folder of the built site."""
    return reproduced / "_build" / "html"
