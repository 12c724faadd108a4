# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Processes of the check: with a log, a limit of time, and, where wanted, no network."""

import contextlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amat.containers.errors import ContainerError

__all__ = ["Finished", "run", "without_network"]


@dataclass(frozen=True)
class Finished:
    """A process that has ended.

    Attributes
    ----------
    status : int
    output, errors : str
        What it wrote.
    seconds : float
        How long it took.
    """

    status: int
    output: str
    errors: str
    seconds: float


def run(
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    patience: float = 3600,
    check: bool = True,
) -> Finished:
    """Run a command to its end.

    Parameters
    ----------
    words : sequence of str
    cwd, env
        As in `subprocess.run`.
    log : pathlib.Path, optional
        Takes all that the command writes while it runs; output and errors are empty then.
    patience : float
        Seconds after which it is stopped, and has failed.
    check : bool
        Whether a status other than 0 is an error.

    Raises
    ------
    ContainerError
        If it fails or takes too long.
    """
    shown = " ".join(words)[-300:]
    start = time.monotonic()
    try:
        with contextlib.nullcontext(subprocess.PIPE) if log is None else log.open("w") as out:
            result = subprocess.run(
                list(words),
                check=False,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                text=True,
                errors="replace",
                timeout=patience,
            )
    except subprocess.TimeoutExpired:
        raise ContainerError(f"… {shown}\ndid not end in {patience:g} s.{_tail(log)}") from None
    finished = Finished(result.returncode, result.stdout or "", result.stderr or "", time.monotonic() - start)
    if check and finished.status:
        said = "\n".join(f"  {line}" for line in (finished.output + finished.errors).strip().splitlines()[-25:])
        raise ContainerError(f"… {shown}\nfailed with status {finished.status}.\n{said}{_tail(log)}")
    return finished


def without_network(words: Sequence[str]) -> list[str]:
    """Return a command that runs another one where there is no network but the loopback."""
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *words]


def _tail(log: Path | None) -> str:
    if log is None or not log.is_file():
        return ""
    said = log.read_text(errors="replace").splitlines()
    return f" The end of {log}:\n" + "\n".join(f"  {line}" for line in said[-25:])
