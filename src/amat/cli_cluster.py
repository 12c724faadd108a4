"""``amat build-nest`` and ``amat verify``: NEST with MPI, and checks that are too long for the tests."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
    from amat import paths, toolchain

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


@app.callback()
def verify() -> None:
    """Keep `cluster` a word of its own while it is the only one."""


@app.command()
def cluster(
    record: Annotated[
        bool, typer.Option("--record", help="Record a pass in .ci/verified.json, with a hash of what it depends on.")
    ] = False,
    unless_recorded: Annotated[
        bool, typer.Option("--unless-recorded", help="Pass over it where a pass is recorded for the same contents.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="A new folder that keeps all that is made; its path must be short.", show_default=False),
    ] = None,
) -> None:
    """Run benchmark and notebooks on a Slurm of two virtual nodes, with MPI; exit status 77 if packages are not served.

    As root on Debian or Ubuntu, in a container for one: it installs packages, and lends itself /etc/slurm/slurm.conf.
    """
    from amat import paths
    from amat.cluster.checks import NOTEBOOKS, verify_cluster
    from amat.cluster.errors import ClusterError, PackageUnavailableError
    from amat.verification import content_hash, recorded_date
    from amat.verification import record as write_record

    if paths.ROOT is None:
        raise ClusterError("This needs a checkout of the project: clone it, and use ./amat there.")
    digest = content_hash(paths.ROOT, NOTEBOOKS)
    if unless_recorded and (date := recorded_date("cluster", digest)):
        _console.print(
            f"verify cluster: passed over, since it passed on {date} with the same contents ({digest[:12]}).",
            soft_wrap=True,
        )
        return
    if output is not None and output.exists():
        raise ClusterError(f"{output} exists: name a new folder.")
    # Sockets are below it: not where TMPDIR may be long.
    folder = output.absolute() if output else Path(tempfile.mkdtemp(prefix="amat-", dir="/tmp"))
    start = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        passed = verify_cluster(folder, lambda line: _say(f"{time.monotonic() - start:5.0f} s  {line}"))
    except PackageUnavailableError as reason:
        _messages.print(f"verify cluster: SKIPPED, 1 check: {reason}", style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(SKIPPED) from None
    except BaseException:
        _say(f"All that was made is kept in {folder}")
        raise
    if record:
        # Whoever edited meanwhile has a pass for what ran, and none for the new contents.
        digest = content_hash(passed, NOTEBOOKS)
        write_record("cluster", digest)
    if output is None:
        shutil.rmtree(folder)
    _console.print(f"verify cluster: passed in {time.monotonic() - start:.0f} s ({digest[:12]})", soft_wrap=True)


def _say(line: str) -> None:
    _messages.print(line, markup=False, highlight=False, soft_wrap=True)
