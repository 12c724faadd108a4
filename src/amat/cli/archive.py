# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat archive``, ``citation``, ``deposit`` and ``sbom``: citable archives and their descriptions."""

import os
from pathlib import Path
from typing import Annotated

import typer

from amat import paths
from amat.cli.common import note, prepare_outputs, report
from amat.errors import AmatError

__all__ = ["archive", "citation", "deposit", "sbom"]


def citation(
    check: Annotated[bool, typer.Option("--check", help="Only check whether the files are up to date.")] = False,
) -> None:
    """Write .zenodo.json and codemeta.json from CITATION.cff."""
    from amat.release.citation import outdated_files, write_derived

    root = paths.require_checkout("The citation")
    if not check:
        write_derived(root)
    elif outdated := outdated_files(root):
        names = " and ".join(path.name for path in outdated)
        raise AmatError(f"Out of date: {names}. Run `amat citation` to update from CITATION.cff.")
    report(".zenodo.json and codemeta.json agree with CITATION.cff.")


def archive(
    output: Annotated[Path, typer.Option(help="Output folder for the archive.")] = Path("build/archive"),
    draft: Annotated[
        bool, typer.Option("--draft", help="Allow uncommitted changes, and results of another commit.")
    ] = False,
) -> None:
    """Pack sources, results and site into one archive that describes itself. The same content gives the same bytes."""
    paths.require_checkout("An archive")
    from amat.release.archive import make_archive

    made = make_archive(output, draft=draft)
    for problem in made.problems:
        note(f"A draft: {problem}")
    report(f"{made.sha256}  {made.path}")


def deposit(
    archive: Annotated[Path, typer.Argument(help="Archive, as `amat archive` writes it.", exists=True, dir_okay=False)],
    send: Annotated[
        bool, typer.Option("--send", help="Upload it, with the token in ZENODO_TOKEN. Default: print the requests.")
    ] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use Zenodo's sandbox, a server for tests.")] = False,
) -> None:
    """Upload an archive to Zenodo as a draft, which is then published by hand on its page there."""
    from amat.release import deposit as zenodo

    server = zenodo.SANDBOX if sandbox else zenodo.ZENODO
    if not send:
        for request in zenodo.plan(archive, server):
            report(request)
        report("Nothing was sent. To upload, add --send.")
        return
    token = os.environ.get("ZENODO_TOKEN", "").strip()
    if not token:
        raise AmatError(
            f"ZENODO_TOKEN is not set. Create a token with the scope deposit:write on {server} and set the variable."
        )
    made = zenodo.deposit(archive, token, server, progress=note)
    report(f"The draft, to check and to publish: {made.page}")


def sbom(
    file: Annotated[Path, typer.Argument(help="CycloneDX file to write, in JSON.")] = Path("sbom.cdx.json"),
    system: Annotated[bool, typer.Option("--system", help="Include Debian's packages.")] = False,
) -> None:
    """Write a software bill of materials: the environment's packages with versions and licences."""
    from amat.release.sbom import write_sbom

    prepare_outputs(file)
    report(f"The software bill of materials: {write_sbom(file, system=system)}")
