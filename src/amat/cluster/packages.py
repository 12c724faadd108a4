# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The Debian packages of the local cluster: which are missing."""

import os
import shutil
import subprocess

from amat.cluster.slurm import DAEMONS
from amat.toolchain.mpi import missing_packages

__all__ = ["needed_packages"]

#: What Slurm loads at run time, with the package that has it; no program of theirs tells that they are there.
_PLUGINS = ("slurm-wlm-basic-plugins",)


def needed_packages() -> list[str]:
    """Return the Debian packages that this machine lacks for building NEST with MPI and for running Slurm."""
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
    missing = {package for program, package in DAEMONS.items() if shutil.which(program, path=path) is None}
    if shutil.which("dpkg-query"):
        missing.update(package for package in _PLUGINS if not _installed(package))
    return sorted(missing.union(missing_packages().values()))


def _installed(package: str) -> bool:
    words = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout == "installed"
