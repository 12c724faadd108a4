# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Debian packages and processes for the tests that start a cluster or build images."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

#: The ``amat`` command of the environment that runs the tests.
AMAT = Path(sys.executable).with_name("amat")


@dataclass(frozen=True)
class Finished:
    """A process that has ended: its exit status, what it wrote, and how long it took in seconds."""

    status: int
    output: str
    errors: str
    seconds: float


def run(
    *args: object,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    timeout: float = 3600,
    check: bool = True,
) -> Finished:
    """Run a command; fail the test if it fails or takes too long, unless `check` is false.

    A log takes everything that the command writes while it runs; `Finished.output` is empty then.
    """
    __tracebackhide__ = True
    command = [str(arg) for arg in args]
    shown = " ".join(command)[-300:]
    start = time.monotonic()
    with contextlib.nullcontext(subprocess.PIPE) if log is None else log.open("w") as out:
        try:
            done = subprocess.run(
                command,
                check=False,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            pytest.fail(f"… {shown}\ndid not end within {timeout:g} s. {tail(log)}")
    if check and done.returncode:
        written = "\n".join(f"{done.stdout or ''}{done.stderr or ''}".strip().splitlines()[-25:])
        pytest.fail(f"… {shown}\nfailed with status {done.returncode}.\n{written}{tail(log)}")
    return Finished(done.returncode, done.stdout or "", done.stderr or "", time.monotonic() - start)


def tail(log: Path | None) -> str:
    """Return the last lines of a log for an error message."""
    if log is None or not log.is_file():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-25:]
    return f"The end of {log}:\n" + "\n".join(f"  {line}" for line in lines)


def system_path() -> str:
    """Return PATH extended by the folders of system daemons."""
    return f"{os.environ.get('PATH', '')}{os.pathsep}/usr/local/sbin{os.pathsep}/usr/sbin{os.pathsep}/sbin"


def require_packages(missing: Callable[[], Collection[str]]) -> None:
    """Install the Debian packages that are missing; skip the tests where that is impossible."""
    packages = sorted(missing())
    if not packages:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    line = " ".join(command)
    if os.geteuid() or shutil.which("apt-get") is None:
        pytest.skip(f"needs {', '.join(packages)}; as root on Debian or Ubuntu: {line}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", env=environment, check=False)  # without a network the present lists may do
    done = run(*command, "-o", "DPkg::Lock::Timeout=300", env=environment, check=False)
    if done.status or (packages := sorted(missing())):
        end = "\n".join(done.errors.strip().splitlines()[-5:])
        pytest.skip(f"{', '.join(packages)} cannot be installed: {line} ended with status {done.status}. {end}")
