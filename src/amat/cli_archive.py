# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""``amat citation``, ``amat archive``: how the project is cited, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from amat import paths
from amat.errors import AmatError

_console = Console()
_messages = Console(stderr=True)


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


def archive(
    output: Annotated[Path, typer.Option(help="The folder for the archive.")] = Path("build/archive"),
    draft: Annotated[
        bool, typer.Option("--draft", help="Also with uncommitted changes or results of another commit.")
    ] = False,
) -> None:
    """Put sources, results and the site into one file that describes itself, and always has the same bytes."""
    from amat.archive import make_archive

    made = make_archive(output, draft=draft)
    for problem in made.problems:
        _messages.print(f"A draft: {problem}", markup=False, soft_wrap=True)
    _console.print(f"{made.sha256}  {made.path}", markup=False, soft_wrap=True)
