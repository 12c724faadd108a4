# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat upstream``: the pull request for NESTML, and notes for NESTML and NEST."""

from pathlib import Path
from typing import Annotated

import typer

from amat.cli.common import OptionalSeed, note, refuse_without, report
from amat.errors import AmatError
from amat.files import write_json

__all__ = ["upstream"]


def upstream(
    output: Annotated[Path, typer.Option(help="Output folder for the bundle. An earlier bundle is replaced.")] = Path(
        "build/upstream"
    ),
    source_tree: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="NESTML's unpacked sources. With them the patch extends NESTML's lists and is applied as a check.",
        ),
    ] = None,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Run the bundle's test and tutorial (minutes: modules are built).")
    ] = True,
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="Write the pull request and the notes with measured numbers.")
    ] = True,
    samples: Annotated[
        int | None,
        typer.Option(
            min=15,
            help="Number of random parameter sets, for the validation in the texts. Default: 60.",
            show_default=False,
        ),
    ] = None,
    seed: OptionalSeed = None,
) -> None:
    """Assemble and check the contribution to NESTML and NEST from this project's model, pages and tutorial."""
    from amat.release.upstream import assemble, check

    if not texts:
        refuse_without("--texts", samples=samples, seed=seed)
    bundle = assemble(
        output,
        source_tree=source_tree,
        texts=texts,
        sets=samples or 60,
        seed=1 if seed is None else seed,
        progress=lambda stage: note(f"{stage} …"),
    )
    for path in bundle.files:
        report(f"  {path}")
    answers = {True: "passed", False: "FAILED", None: "not run"}
    checks = check(
        bundle,
        source_tree=source_tree,
        run=run,
        report=lambda one: report(f"{answers[one.passed]}: {one.name} ({one.detail})"),
    )
    write_json(bundle.folder / "checks.json", {one.name: [one.passed, one.detail] for one in checks})
    failed = [one.name for one in checks if one.passed is False]
    if failed:
        raise AmatError(f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}.")
    report(f"The bundle is in {bundle.folder}; the patch is {bundle.patch.name}.")
