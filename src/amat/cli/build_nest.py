# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat build-nest``: NEST with MPI."""

from pathlib import Path
from typing import Annotated

import typer

from amat import paths
from amat.cli.common import note, prepare_outputs, report


def build_nest(
    output: Annotated[
        Path | None, typer.Option(help="Output folder for NEST with MPI. Default: build/nest-mpi in the checkout.")
    ] = None,
) -> None:
    """Build NEST with MPI for clusters and for runs of several processes. The installed NEST stays as it is."""
    from amat import toolchain

    folder = (output or (paths.ROOT or Path.cwd()) / "build" / "nest-mpi").absolute()
    prepare_outputs(folder / "nest")
    build = toolchain.build_nest(progress=note)
    toolchain.install_nest(build, folder)
    made = "from the cache" if build.cached else f"built in {build.seconds:.0f} s"
    report(
        f"NEST with MPI is in {folder} ({made}).\nPython uses it in place of the installed NEST if you set this "
        f"variable, for example in the prologue of a site file:\n    export PYTHONPATH={folder}"
    )
