# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat upstream``: the pull request for NESTML, and notes for NESTML and NEST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from amat.errors import AmatError

if TYPE_CHECKING:
    from amat.release.upstream import Check

_console = Console()
_messages = Console(stderr=True)


def upstream(
    output: Annotated[
        Path, typer.Option(help="The folder of the bundle; what is there of an earlier one goes.")
    ] = Path("build/upstream"),
    source_tree: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="NESTML's unpacked sources: the patch then adds to NESTML's lists, and is tried on them.",
        ),
    ] = None,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Run the bundle's test and tutorial, which builds modules: minutes.")
    ] = True,
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="Write pull request and notes, whose numbers are measured.")
    ] = True,
    sets: Annotated[int, typer.Option(min=15, help="Random parameter sets of the validation in the texts.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is random.")] = 1,
) -> None:
    """Assemble what goes to NESTML and NEST from this repository's own model, pages and tutorial, and check it."""
    from amat.files import write_json
    from amat.release.upstream import assemble, check

    bundle = assemble(
        output,
        source_tree=source_tree,
        texts=texts,
        sets=sets,
        seed=seed,
        progress=lambda stage: _messages.print(f"{stage} …"),
    )
    for path in bundle.files:
        _console.print(f"  {path}", soft_wrap=True, markup=False, highlight=False)
    checks = check(bundle, source_tree=source_tree, run=run, report=_show)
    write_json(bundle.folder / "checks.json", {one.name: [one.passed, one.detail] for one in checks})
    failed = [one.name for one in checks if one.passed is False]
    if failed:
        raise AmatError(f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}.")
    _console.print(f"The bundle is in {bundle.folder}; the patch is {bundle.patch.name}.", soft_wrap=True)


def _show(check: Check) -> None:
    answer = {True: "passed", False: "FAILED", None: "not made"}[check.passed]
    _console.print(f"{answer}: {check.name} ({check.detail})", soft_wrap=True, markup=False, highlight=False)
