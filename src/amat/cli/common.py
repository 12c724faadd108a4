# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Consoles, progress bars, tables and options that several commands share."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich import box
from rich.console import Console, ConsoleDimensions
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from amat import paths
from amat.errors import AmatError
from amat.files import check_outputs, is_standard_output

__all__ = [
    "PASS_ON",
    "FigureFormat",
    "OptionalSeed",
    "ParameterSettings",
    "Seed",
    "Threads",
    "announce_cost",
    "check_threads",
    "console",
    "make_table",
    "messages",
    "note",
    "parse_settings",
    "prepare_outputs",
    "progress_bars",
    "refuse_without",
    "report",
    "shorten",
    "show_progress",
]


class _FullWidthConsole(Console):
    """A console that neither wraps nor cuts off anything unless it is a terminal."""

    @property  # type: ignore[misc]  # nobody sets it
    def size(self) -> ConsoleDimensions:
        """The size of the terminal, or more columns than any table has."""
        return super().size if self.is_terminal else ConsoleDimensions(10_000, 25)


#: Results go to standard output, messages about the work to standard error.
console = _FullWidthConsole(emoji=False)
messages = _FullWidthConsole(stderr=True, emoji=False)

#: Estimated seconds from which a computation is announced, and beyond which it is refused.
_ANNOUNCED, _LONGEST = 60.0, 7 * 86400.0

#: Settings of commands that pass unknown arguments on to another program.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def check_threads(threads: int | None) -> int | None:
    """Raise `AmatError` if NEST would need so many threads that it hardly advances; return the number."""
    cores = len(os.sched_getaffinity(0))
    limit = max(8, 4 * cores)
    if threads is not None and threads > limit:
        raise AmatError(f"--threads {threads} is too many for {cores} cores: choose {limit} or fewer.")
    return threads


Threads = Annotated[int, typer.Option("--threads", min=1, help="Number of NEST's threads.", callback=check_threads)]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Random seed.")]
OptionalSeed = Annotated[int | None, typer.Option("--seed", min=0, help="Random seed. Default: 1.", show_default=False)]
FigureFormat = Annotated[
    Literal["svg", "pdf", "png"] | None, typer.Option("--format", help="Format of the figures. Default: svg.")
]
ParameterSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter, by its name in NESTML. Repeatable.",
        rich_help_panel="Neuron",
    ),
]


def report(line: object) -> None:
    """Print one line to standard output as it is: neither wrapped nor coloured."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def note(line: object) -> None:
    """Print one line to standard error as it is."""
    messages.print(line, markup=False, highlight=False, soft_wrap=True)


def refuse_without(needed: str, **options: object) -> None:
    """Raise `AmatError` if an option is given, named as in Python, which has no effect without another one."""
    for name, value in options.items():
        if value is not None:
            option = f"--{name.replace('_', '-')} {value}"
            raise AmatError(f"{option} has no effect without {needed}. Leave it out, or add {needed}.")


def announce_cost(what: str, seconds: float, memory: float) -> None:
    """Print the estimated time of a computation if it is long; refuse what cannot end or does not fit into memory.

    Parameters
    ----------
    what : str
        The computation with its size, as the subject of a sentence.
    seconds : float
    memory : float
        In bytes.

    Raises
    ------
    AmatError
        If the computation would take more than a week, or more memory than is available.
    """
    from amat.simulation.kernel import available_memory

    available = available_memory()
    if memory > available:
        raise AmatError(
            f"{what} would take about {memory / 1e9:,.1f} GB of memory, and {available / 1e9:,.1f} GB are available: "
            "choose a smaller size."
        )
    if seconds > _LONGEST:
        raise AmatError(f"{what} would take about {seconds / 86400:,.0f} days: choose a smaller size.")
    if seconds > _ANNOUNCED:
        note(f"{what} will take about {seconds / 60:.0f} minutes.")


def prepare_outputs(
    *tables: Path | None, figures: Sequence[Path | None] = (), inputs: Sequence[Path | None] = ()
) -> None:
    """Check before any work that files can be written; leave standard output to a table that goes there.

    Every command that writes calls this first.

    Parameters
    ----------
    *tables : pathlib.Path, optional
        Files of any kind other than figures; ``-`` is standard output.
    figures : sequence of pathlib.Path, optional
        The suffix must be a format of figures.
    inputs : sequence of pathlib.Path, optional
        Files that the command reads, which may not be replaced.

    Raises
    ------
    AmatError
        If a figure has another suffix, or an output is an input; as `amat.files.check_outputs`.
    """
    drawn = [path for path in figures if path]
    if drawn:
        from amat.compendium.plots import check_format

        for path in drawn:
            check_format(path)
    written = [path for path in tables if path]
    check_outputs(*written, *drawn)
    for path in (*written, *drawn):
        if path.is_file() and any(read and read.exists() and read.samefile(path) for read in inputs):
            raise AmatError(f"{path} is an input, which would be replaced: choose another output.")
    console.stderr = any(map(is_standard_output, written))


def make_table(*columns: str, title: str | None = None, caption: str | None = None) -> Table:
    """Return an empty table for the terminal."""
    return Table(*columns, title=title, caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def parse_settings(settings: list[str] | None) -> dict[str, float]:
    """Return parameters by name from texts ``NAME=VALUE``.

    Raises
    ------
    AmatError
        If a text has another form, or a name occurs twice.
    """
    values: dict[str, float] = {}
    for text in settings or []:
        name, _, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise AmatError(f"--set {text}: expected NAME=VALUE with a number, such as alpha_1=3.") from None
        if name in values:
            raise AmatError(f"--set {text}: {name} is already set to {values[name]:g}. Set each parameter once.")
        values[name] = number
    return values


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Show progress on standard error if it is a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    progress = Progress(*columns, console=messages, transient=True)
    with progress if messages.is_terminal else nullcontext():  # elsewhere rich would print an empty line
        yield progress


@contextmanager
def show_progress(task: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows how much of a task is done: a bar in a terminal, otherwise a line for each tenth."""
    shown = 0
    with progress_bars() as bars:
        bar = bars.add_task(task, total=total)

        def show(done: int) -> None:
            nonlocal shown
            bars.update(bar, completed=done)
            if not messages.is_terminal and 10 * done // total > shown:
                shown = 10 * done // total
                note(f"{task}: {done} of {total}")

        yield show


def shorten(path: Path) -> str:
    """Return a path, relative to the checkout if it is in there."""
    return str(path.relative_to(paths.ROOT)) if paths.ROOT and path.is_relative_to(paths.ROOT) else str(path)
