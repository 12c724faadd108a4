# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The ``amat`` command."""

import io
import os
import sys
from typing import Annotated

import typer

import amat
from amat.cli import benchmark
from amat.cli.archive import archive, citation, deposit, sbom
from amat.cli.build import build
from amat.cli.build_nest import build_nest
from amat.cli.common import PASS_ON, console, messages, report
from amat.cli.compendium import book, reproduce, setup
from amat.cli.explore import explore
from amat.cli.fit import fit
from amat.cli.patterns import patterns
from amat.cli.simulate import simulate
from amat.cli.test import test
from amat.cli.tutorial import tutorial
from amat.cli.upstream import upstream
from amat.cli.validate import validate
from amat.errors import AmatError

__all__ = ["app", "main"]

app = typer.Typer(
    name="amat",
    help="The AMAT neuron in NESTML on NEST: build it, validate it, simulate it, reproduce every result.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        report(f"amat {amat.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options of the command itself."""
    console.stderr = False


#: The commands by the groups of ``amat --help``.
_COMMANDS = {
    "Models and simulations": (build, validate, simulate, patterns, explore, fit, tutorial),
    "The compendium": (reproduce, book, test, setup),
    "Releases": (citation, archive, deposit, sbom, upstream),
}

for panel, commands in _COMMANDS.items():
    for command in commands:
        settings = PASS_ON if command is test else {"allow_extra_args": command is tutorial}
        app.command(rich_help_panel=panel, context_settings=settings)(command)
app.command(rich_help_panel="Benchmarks and clusters")(build_nest)
app.add_typer(benchmark.app, rich_help_panel="Benchmarks and clusters")


def _settle_environment() -> None:
    """Remove settings from the environment that would make commands fail.

    Figures go to files and notebooks choose their backend; the options set NEST's threads; and a terminal that lacks a
    character gets a question mark.
    """
    for name in ("MPLBACKEND", "OMP_THREAD_LIMIT", "PYTHONIOENCODING"):
        os.environ.pop(name, None)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def main() -> None:
    """Run the command, and print errors that the user can fix without a traceback.

    ``amat help COMMAND`` is ``amat COMMAND --help``.
    """
    if sys.argv[1:2] == ["help"]:
        sys.argv[1:] = [*sys.argv[2:], "--help"]
    _settle_environment()
    try:
        app()
    except AmatError as error:
        messages.print(f"amat: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except OSError as error:  # such as a full disk below standard output
        messages.print(f"amat: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        try:
            sys.stdout.flush()
        except OSError:
            # Python would try again at its end, and print an error of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
