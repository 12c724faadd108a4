# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What ran: versions, commit, seeds, modules, and facts of the machine from an allow-list."""

import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amat import paths
from amat.errors import AmatError

__all__ = ["SOURCE", "commit", "commit_time", "cpu_model", "provenance_record", "versions"]

#: The packages whose version can change a number or a figure.
PACKAGES = (
    "amat",
    "nest-simulator",
    "nestml",
    "odetoolbox",
    "sympy",
    "mpmath",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "seaborn",
    "papermill",
    "jupyter-book",
    "snakemake",
)

#: At the top of a copy that has no ``.git``: ``{"commit": HASH, "date": SECONDS}``, of the commit that was copied.
SOURCE = "source.json"


def versions() -> dict[str, str]:
    """Return the versions of the packages that matter and are installed, and of Python."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the commit of the sources, with ``+changes`` where a checkout's tracked files differ from it.

    A copy without ``.git`` (out of an archive, in a container) is described by its `SOURCE`; a repository that happens
    to lie around it is not asked. Whether such a copy was changed is not known.

    Returns
    -------
    str or None
        None without a checkout, or where nothing says which commit it is.

    Raises
    ------
    AmatError
        If the copy's `SOURCE` is damaged.
    """
    if described := _source():
        return described[0]
    found = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return None if found is None or changed is None else found + ("+changes" if changed else "")


def commit_time() -> int | None:
    """Return when the sources were committed, in seconds since 1970, or None where `commit` is.

    Raises
    ------
    AmatError
        If the copy's `SOURCE` is damaged.
    """
    if described := _source():
        return described[1]
    found = _git("show", "--no-patch", "--no-show-signature", "--format=%ct", "HEAD")
    return None if found is None else int(found)


def _git(*words: str) -> str | None:
    """Return what git says of the checkout; None without git, or without a repository of its own."""
    if paths.ROOT is None or not (paths.ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(paths.ROOT), *words]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _source() -> tuple[str, int] | None:
    """Return commit and time of a copy without ``.git``, if its file tells them."""
    if paths.ROOT is None or (paths.ROOT / ".git").exists():
        return None
    path = paths.ROOT / SOURCE
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        return str(described["commit"]), int(described["date"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AmatError(
            f"{path} does not tell which commit this is ({error!r}): take it from the archive again, or delete it; "
            "then results name no commit."
        ) from error


def cpu_model() -> str:
    """Return the processor's name as Linux gives it, or its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def provenance_record(**what: Any) -> dict[str, Any]:
    """Return a record of what ran.

    Only facts from an allow-list are taken from the machine: no host name, user, path or address.

    Parameters
    ----------
    **what
        Whatever identifies the run: parameters, seeds, module hashes. Must be fit for JSON.

    Returns
    -------
    dict
        `what`, with the versions of packages, the commit, and the machine's facts.
    """
    return {
        **what,
        "versions": versions(),
        "commit": commit(),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cpu": cpu_model(),
            "usable_cores": len(os.sched_getaffinity(0)),
        },
    }
