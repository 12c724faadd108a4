# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat reproduce``, ``amat book``, ``amat setup``: results, figures and pages from the sources."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amat import paths
from amat.cli.common import console, note, report, shorten
from amat.errors import AmatError

__all__ = ["book", "reproduce", "setup"]


class Profile(StrEnum):
    """Amounts of computation of `reproduce`."""

    quick = "quick"
    full = "full"
    shipped = "shipped"


def reproduce(
    cores: Annotated[int | None, typer.Option(min=1, help="Number of processor cores. Default: all.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration file. Default: config/config.yaml.")] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="Amount of computation. quick: minutes. full: larger maps and more seeds, about half an hour. "
            "shipped: the pages of full from the tables in data/full. Default: as configured."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the steps without running them.")] = False,
) -> None:
    """Reproduce every result, figure and page from the sources. A stopped run resumes."""
    from amat.compendium import pipeline

    index = pipeline.reproduce(cores=cores, config=config, profile=profile, dry_run=dry_run)
    if not dry_run:
        report(f"The book: {index}")


def book() -> None:
    """Build the site from its pages and the executed notebooks. Warnings are errors."""
    from amat.compendium import pipeline

    report(f"The book: {pipeline.build_book()}")


def setup(
    as_json: Annotated[bool, typer.Option("--json", help="Print versions, commit and machine as JSON.")] = False,
) -> None:
    """Check the installation, which ./amat completes first, and print what to do next."""
    from amat import toolchain
    from amat.compendium.provenance import provenance_record, versions

    nest = toolchain.check_nest()
    toolchain.check_compiler()
    modules = shorten(paths.module_cache())
    try:
        record = provenance_record(modules=modules)
    except AmatError as error:  # git refuses the checkout, in which models can be built and simulated all the same
        note(error)
        record = {"modules": modules, "versions": versions()}
    if as_json:
        console.print_json(json.dumps(record))
        return
    found = record["versions"]
    report(f"Ready: amat {found['amat']} with NEST {nest} and NESTML {found['nestml']}.")
    command = "./amat" if paths.ROOT else "amat"
    report("Next:")
    report(f"  {command} tutorial    open the tutorial in JupyterLab")
    if paths.ROOT:
        report(f"  {command} reproduce   reproduce every result, figure and page")
    report(f"  {command} --help      list all commands")
