# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""``amat citation``: how the project is cited."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from amat import paths
from amat.errors import AmatError

_console = Console()


def citation(
    check: Annotated[bool, typer.Option("--check", help="Only say which files have fallen behind.")] = False,
) -> None:
    """Make .zenodo.json and codemeta.json from CITATION.cff."""
    from amat.citation import outdated_files, write_derived

    if paths.ROOT is None:
        raise AmatError("This needs a checkout of the project: clone it, and use ./amat there.")
    if not check:
        write_derived(paths.ROOT)
    elif outdated := outdated_files(paths.ROOT):
        names = " and ".join(path.name for path in outdated)
        raise AmatError(f"{names} must be made again from CITATION.cff: `amat citation` does.")
    _console.print(".zenodo.json and codemeta.json say what CITATION.cff says.")
