# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""``amat citation``, ``amat archive``, ``amat deposit``: how the project is cited, kept and brought to Zenodo."""

from __future__ import annotations

import os
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
    from amat.release.citation import outdated_files, write_derived

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
    from amat.release.archive import make_archive

    made = make_archive(output, draft=draft)
    for problem in made.problems:
        _messages.print(f"A draft: {problem}", markup=False, soft_wrap=True)
    _console.print(f"{made.sha256}  {made.path}", markup=False, soft_wrap=True)


def deposit(
    archive: Annotated[Path, typer.Argument(help="What `amat archive` wrote.", exists=True, dir_okay=False)],
    send: Annotated[
        bool,
        typer.Option("--send", help="Do it, with the token in ZENODO_TOKEN; otherwise only say what would be sent."),
    ] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="At Zenodo's place for trying things out.")] = False,
) -> None:
    """Bring an archive to Zenodo as a draft; it is published by hand, on its page there."""
    from amat.release import deposit as zenodo

    server = zenodo.SANDBOX if sandbox else zenodo.ZENODO
    if not send:
        for request in zenodo.plan(archive, server):
            _console.print(request, markup=False, highlight=False, soft_wrap=True)
        _console.print("Nothing was sent: --send does it.")
        return
    token = os.environ.get("ZENODO_TOKEN", "").strip()
    if not token:
        raise AmatError(f"ZENODO_TOKEN is not set: make a token with the scope deposit:write on {server}, and set it.")
    made = zenodo.deposit(archive, token, server, progress=lambda what: _messages.print(what, markup=False))
    _console.print(f"The draft, to look through and to publish by hand: {made.page}", soft_wrap=True)
