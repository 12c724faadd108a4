# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat test``: the static checks and the test suites."""

import subprocess
import sys
from pathlib import Path

import typer

from amat import paths
from amat.cli.common import note

#: The checks that precede the default tests, as modules of Python or as commands of the environment.
_CHECKS = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "mypy"),
    (str(Path(sys.executable).with_name("lint-imports")),),
    ("-m", "codespell_lib"),
)

#: Options of pytest for the whole default suite: one worker per core, at most four because each may compile a module.
_WORKERS = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadscope")

#: The suites that change the machine or take long, and their folders.
_SUITES = {"cluster": "tests/cluster", "images": "tests/containers"}


def test(context: typer.Context) -> None:
    """Run the tests: ruff, mypy, import-linter, codespell and pytest. Two longer suites are run by name.

    `amat test cluster` starts a Slurm with two virtual nodes and runs benchmark and notebooks on it, with MPI.

    `amat test images` builds the images with Apptainer and buildah, and runs them.

    Both install Debian packages and need root, best in a container. Further arguments are passed to pytest.
    """
    root = paths.require_checkout("The test suite")
    suite, *others = context.args or [""]
    if suite in _SUITES:
        commands = [["-m", "pytest", _SUITES[suite], *others]]
    else:
        commands = [*map(list, _CHECKS), ["-m", "pytest", *(context.args or _WORKERS)]]
    for command in commands:
        note(f"$ {' '.join(command).removeprefix('-m ')}")
        status = subprocess.run([sys.executable, *command], cwd=root, check=False).returncode
        if status:
            raise typer.Exit(status)
