"""The Debian packages of the local cluster: what is missing, and its installation."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping

from amat.cluster.errors import ClusterError, PackageUnavailableError
from amat.cluster.slurm import DAEMONS
from amat.toolchain.mpi import missing_packages

__all__ = ["install_packages", "needed_packages"]

#: What Slurm loads at run time, with the package that has it; no program of theirs tells that they are there.
_PLUGINS = ("slurm-wlm-basic-plugins",)

_DPKG = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def needed_packages() -> list[str]:
    """Return the Debian packages that this machine lacks for building NEST with MPI and for running Slurm."""
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
    missing = {package for program, package in DAEMONS.items() if shutil.which(program, path=path) is None}
    if shutil.which("dpkg-query"):
        missing.update(package for package in _PLUGINS if not _installed(package))
    return sorted(missing.union(missing_packages().values()))


def install_packages(packages: Iterable[str]) -> None:
    """Install Debian packages; as root, and where there is apt.

    Raises
    ------
    PackageUnavailableError
        If the distribution does not serve one of them.
    ClusterError
        If they cannot be installed for another reason.
    """
    wanted = list(packages)
    if not wanted:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(wanted)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ClusterError(
            f"This machine lacks {', '.join(wanted)}. On Debian and Ubuntu, as root: {line}; then try again."
        )
    _apt("update")  # without the network, the lists at hand may do
    if unknown := [package for package in wanted if not _has_candidate(package)]:
        raise PackageUnavailableError(f"The distribution does not serve {', '.join(unknown)}.")
    # Fetched first, so that what cannot be had is told from what cannot be installed.
    fetched = _apt("install", "-y", "--no-install-recommends", "--download-only", *wanted)
    if fetched.returncode:
        raise PackageUnavailableError(
            f"The distribution does not serve all that {', '.join(wanted)} need:\n{_end(fetched)}"
        )
    installed = _apt("install", "-y", "--no-install-recommends", *wanted)
    if installed.returncode:
        raise ClusterError(f"{line} failed:\n{_end(installed)}")
    if still := needed_packages():
        raise ClusterError(f"{line} succeeded, and yet {', '.join(still)} are missing: see what a shell makes of them.")


def _apt(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words]
    return subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_environment()
    )


def _has_candidate(package: str) -> bool:
    words = ["apt-cache", "policy", package]
    shown = subprocess.run(words, check=False, capture_output=True, text=True, env=_environment()).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def _installed(package: str) -> bool:
    words = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout == "installed"


def _environment() -> Mapping[str, str]:
    return {**os.environ, **_DPKG}


def _end(result: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(f"  {line}" for line in (result.stdout + result.stderr).strip().splitlines()[-10:])
