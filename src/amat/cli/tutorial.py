# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat tutorial``: the tutorial notebook in JupyterLab."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from amat import paths
from amat.cli.common import prepare_outputs, report
from amat.errors import AmatError
from amat.files import write_text

__all__ = ["tutorial"]


def tutorial(
    context: typer.Context,
    output: Annotated[Path, typer.Option(help="Output folder for the notebook. An existing notebook is kept.")] = Path(
        "amat-tutorial"
    ),
    launch: Annotated[bool, typer.Option("--open/--no-open", help="Open the notebook in JupyterLab.")] = True,
) -> None:
    """Copy the tutorial into a folder and open it in JupyterLab. Arguments after -- are passed to JupyterLab."""
    if context.args and not launch:
        raise AmatError(f"{' '.join(context.args)} has no effect with --no-open: it is for JupyterLab. Leave it out.")
    if launch and importlib.util.find_spec("jupyterlab") is None:
        raise AmatError(
            "JupyterLab is not installed. Run `pip install jupyterlab`, or use --no-open and another program."
        )
    notebook = output / paths.TUTORIAL.name
    prepare_outputs(notebook)
    if not notebook.exists():
        write_text(notebook, paths.TUTORIAL.read_text(encoding="utf-8"))
    report(f"The tutorial: {notebook}")
    if launch:
        os.environ["PYNEST_QUIET"] = "1"
        # JupyterLab refuses root without this flag, and setting up on Debian wants root.
        root = ["--allow-root"] if os.geteuid() == 0 and "--allow-root" not in context.args else []
        os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", str(notebook), *root, *context.args])
