# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat build-nest`` and ``amat verify``: NEST with MPI, and checks that are too long for the tests."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from amat import paths
from amat.debian import PackageUnavailableError
from amat.errors import AmatError
from amat.verification import Dependencies, content_hash, recorded_date
from amat.verification import record as write_record

_Record = Annotated[
    bool, typer.Option("--record", help="Record a pass in .ci/verified.json, with a hash of what it depends on.")
]
_UnlessRecorded = Annotated[
    bool, typer.Option("--unless-recorded", help="Pass over it where a pass is recorded for the same contents.")
]
_Report = Callable[[str], None]

app = typer.Typer(
    name="verify",
    help="Checks that are too long for the tests, or change the machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_console = Console()
_messages = Console(stderr=True)

#: The exit status of a check that could not run for a reason that is none of the project's; as in automake's tests.
SKIPPED = 77


def build_nest(
    output: Annotated[
        Path | None, typer.Option(help="The folder for NEST; build/nest-mpi of the checkout by default.")
    ] = None,
) -> None:
    """Build NEST with MPI beside the NEST that is installed, for clusters and for more than one process."""
    from amat import toolchain

    folder = (output or (paths.ROOT or Path.cwd()) / "build" / "nest-mpi").absolute()
    build = toolchain.build_nest(progress=_say)
    toolchain.install_nest(build, folder)
    made = "from the cache" if build.cached else f"built in {build.seconds:.0f} s"
    _console.print(
        f"NEST with MPI is in {folder} ({made}).\nThe environment's Python uses it in place of its own NEST where this "
        "is set, in a site's prologue for one:",
        soft_wrap=True,
    )
    _console.print(f"    export PYTHONPATH={folder}", soft_wrap=True, highlight=False)


@app.command()
def cluster(
    record: _Record = False,
    unless_recorded: _UnlessRecorded = False,
    output: Annotated[
        Path | None,
        typer.Option(help="A new folder that keeps all that is made; its path must be short.", show_default=False),
    ] = None,
) -> None:
    """Run benchmark and notebooks on a Slurm of two virtual nodes, with MPI; exit status 77 if packages are not served.

    As root on Debian or Ubuntu, in a container for one: it installs packages, and lends itself /etc/slurm/slurm.conf.
    """
    from amat.cluster import checks

    # Sockets are below its folder: not where TMPDIR may be long.
    _check("cluster", checks.verify_cluster, checks.DEPENDS_ON, Path("/tmp"), output, record, unless_recorded)


@app.command()
def containers(
    record: _Record = False,
    unless_recorded: _UnlessRecorded = False,
    output: Annotated[
        Path | None,
        typer.Option(help="A new folder that keeps all that is made, the images among it.", show_default=False),
    ] = None,
    mpi: Annotated[
        bool, typer.Option("--mpi", help="Build and run the variant with MPI in place of the usual images.")
    ] = False,
) -> None:
    """Build the images with Apptainer and buildah, and run them; exit status 77 if the distribution lacks the tools.

    As root on Debian or Ubuntu, in a container for one: it installs packages.
    """
    from amat.containers import checks

    def check(folder: Path, report: _Report) -> Path:
        return checks.verify_mpi_image(folder, report) if mpi else checks.verify_images(folder, report)

    # The images are too large for where memory stands in for a disk.
    _check(
        "containers-mpi" if mpi else "containers",
        check,
        checks.DEPENDS_ON,
        Path("/var/tmp"),
        output,
        record,
        unless_recorded,
    )


def _check(
    name: str,
    check: Callable[[Path, _Report], Path],
    depends_on: Dependencies,
    place: Path,
    output: Path | None,
    record: bool,
    unless_recorded: bool,
) -> None:
    """Run a check in a new folder, unless it has passed with the same contents."""
    if paths.ROOT is None:
        raise AmatError("This needs a checkout of the project: clone it, and use ./amat there.")
    digest = content_hash(paths.ROOT, depends_on)
    if unless_recorded and (date := recorded_date(name, digest)):
        _console.print(
            f"verify {name}: passed over, since it passed on {date} with the same contents ({digest[:12]}).",
            soft_wrap=True,
        )
        return
    if output is not None and output.exists():
        raise AmatError(f"{output} exists: name a new folder.")
    folder = output.absolute() if output else Path(tempfile.mkdtemp(prefix="amat-", dir=place))
    start = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        passed = check(folder, lambda line: _say(f"{time.monotonic() - start:5.0f} s  {line}"))
    except PackageUnavailableError as reason:
        if output is None:
            shutil.rmtree(folder, ignore_errors=True)
        _messages.print(f"verify {name}: SKIPPED, 1 check: {reason}", style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(SKIPPED) from None
    except BaseException:
        _say(f"All that was made is kept in {folder}")
        raise
    if record:
        # Whoever edited meanwhile has a pass for what ran, and none for the new contents.
        digest = content_hash(passed, depends_on)
        write_record(name, digest)
    if output is None:
        shutil.rmtree(folder)
    _console.print(f"verify {name}: passed in {time.monotonic() - start:.0f} s ({digest[:12]})", soft_wrap=True)


def _say(line: str) -> None:
    _messages.print(line, markup=False, highlight=False, soft_wrap=True)
