# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The Debian packages that long checks need beside the environment: their installation."""

import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterable, Mapping

from amat.errors import AmatError

__all__ = ["PackageError", "PackageUnavailableError", "install_packages"]

_DPKG = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


class PackageError(AmatError):
    """Packages of the system could not be installed; the message says why and what to do."""


class PackageUnavailableError(PackageError):
    """The distribution does not serve a package that is needed: no fault of the project's."""


def install_packages(packages: Iterable[str], missing: Callable[[], Collection[str]]) -> None:
    """Install Debian packages; as root, and where there is apt.

    Parameters
    ----------
    packages : iterable of str
    missing : callable
        Tells afterwards which packages are still missing.

    Raises
    ------
    PackageUnavailableError
        If the distribution does not serve one of them.
    PackageError
        If they cannot be installed for another reason.
    """
    wanted = list(packages)
    if not wanted:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(wanted)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise PackageError(
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
        raise PackageError(f"{line} failed:\n{_end(installed)}")
    if still := missing():
        raise PackageError(f"{line} succeeded, and yet {', '.join(still)} are missing: see what a shell makes of them.")


def _apt(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words]
    return subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_environment()
    )


def _has_candidate(package: str) -> bool:
    words = ["apt-cache", "policy", package]
    shown = subprocess.run(words, check=False, capture_output=True, text=True, env=_environment()).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def _environment() -> Mapping[str, str]:
    return {**os.environ, **_DPKG}


def _end(result: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(f"  {line}" for line in (result.stdout + result.stderr).strip().splitlines()[-10:])
