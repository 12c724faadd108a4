# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Provenance of results: versions, commit, and an allow-list of facts about the machine."""

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

#: Packages whose version can change a number or a figure.
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

#: File in the root of a copy without ``.git``: ``{"commit": HASH, "date": SECONDS}`` of the copied commit.
SOURCE = "source.json"


def versions() -> dict[str, str]:
    """Return the versions of Python and of those `PACKAGES` that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the commit of the sources, with ``+changes`` if tracked files differ from it.

    A copy without ``.git`` (from an archive or in a container) is described by its file `SOURCE`, even if it is inside
    another repository. Changes of such a copy are not detected.

    Returns
    -------
    str or None
        None without a checkout, or if the commit is unknown.

    Raises
    ------
    AmatError
        If the file `SOURCE` is invalid, or git refuses the checkout.
    """
    if described := _source():
        return described[0]
    found = _git("rev-parse", "--quiet", "--verify", "HEAD")
    return found and found + ("+changes" if _git("status", "--porcelain", "--untracked-files=no") else "")


def commit_time() -> int | None:
    """Return the time of the commit in seconds since 1970, or None if the commit is unknown.

    Raises
    ------
    AmatError
        If the file `SOURCE` is invalid, or git refuses the checkout.
    """
    if described := _source():
        return described[1]
    if not _git("rev-parse", "--quiet", "--verify", "HEAD"):
        return None
    return int(_git("show", "--no-patch", "--no-show-signature", "--format=%ct", "HEAD") or 0)


def _git(*arguments: str) -> str | None:
    """Return the output of git in the checkout; None without git or a repository, or if there is nothing to say.

    Raises
    ------
    AmatError
        If git refuses, for example because the checkout belongs to another user.
    """
    if paths.ROOT is None or not (paths.ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(paths.ROOT), *arguments]
    try:
        finished = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return None
    if finished.returncode and finished.stderr:
        raise AmatError(
            f"git {arguments[0]} failed in {paths.ROOT}, so the commit is unknown: {finished.stderr.strip()}"
        )
    return finished.stdout.strip() or None


def _source() -> tuple[str, int] | None:
    """Return commit and time of a copy without ``.git`` from its file `SOURCE`, if there is one."""
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
            f"{path} is not a valid record of a commit ({error!r}). Restore it from the archive, or delete it; then "
            "results do not name a commit."
        ) from error


def cpu_model() -> str:
    """Return the name of the processor from Linux, or else its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def provenance_record(**run: Any) -> dict[str, Any]:
    """Return a record of a run.

    Of the machine it holds only facts from an allow-list: no host name, user, path or address.

    Parameters
    ----------
    **run
        Values that identify the run, such as parameters, seeds and module hashes, which JSON can represent.

    Returns
    -------
    dict
        `run`, the versions of packages, the commit, and facts about the machine.
    """
    return {
        **run,
        "versions": versions(),
        "commit": commit(),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cpu": cpu_model(),
            "usable_cores": len(os.sched_getaffinity(0)),
        },
    }
