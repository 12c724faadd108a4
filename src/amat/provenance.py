"""What ran: versions, commit, seeds, modules, and facts of the machine from an allow-list."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amat import paths

__all__ = ["commit", "cpu_model", "provenance_record", "versions"]

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
    """Return the checkout's commit, with ``+changes`` where tracked files differ from it; None without one."""
    if paths.ROOT is None:
        return None

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(paths.ROOT), *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


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
