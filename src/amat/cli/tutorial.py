# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat tutorial``: the notebook that teaches, in JupyterLab."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from amat import paths
from amat.errors import AmatError

_console = Console()


def tutorial(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the notebook goes; one that is there stays as it is.")] = Path(
        "amat-tutorial"
    ),
    launch: Annotated[bool, typer.Option("--open/--no-open", help="Open it in JupyterLab.")] = True,
) -> None:
    """Put the tutorial into a folder and open it in JupyterLab; further words go to JupyterLab."""
    from amat.files import check_writable, replacing

    if launch and importlib.util.find_spec("jupyterlab") is None:
        raise AmatError(
            "JupyterLab is not installed: `pip install jupyterlab`, or use --no-open and a program of yours."
        )
    check_writable(folder)
    notebook = folder / paths.TUTORIAL.name
    if not notebook.exists():
        with replacing(notebook) as temporary:
            temporary.write_bytes(paths.TUTORIAL.read_bytes())
    _console.print(f"The tutorial: {notebook}", soft_wrap=True)
    if launch:
        os.environ["PYNEST_QUIET"] = "1"
        command = [sys.executable, "-m", "jupyterlab", str(notebook), *context.args]
        os.execv(sys.executable, command)
