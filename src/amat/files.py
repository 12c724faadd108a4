# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Files that are written whole: a killed process leaves the old file or the new one, never half of one."""

import contextlib
import fcntl
import glob
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amat.errors import AmatError

__all__ = ["check_writable", "replacing", "write_json", "write_text"]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that takes its place when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its folder is made if it is missing. The temporary name keeps the file's ending;
        the file is there, empty, when the block starts.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(8)}{path.suffix}")
    try:
        with temporary.open("xb") as held:
            # The system takes the lock back when the process dies, however it dies and on whichever host it ran.
            with contextlib.suppress(OSError):  # a file system without locks: leftovers stay
                fcntl.flock(held, fcntl.LOCK_EX)
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files of killed processes: those that nobody holds a lock on."""
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.{'[0-9a-f]' * 16}{path.suffix}"):
        with contextlib.suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON with sorted keys, whole."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before any work is done; it is made if it is missing.

    Raises
    ------
    AmatError
        If the folder cannot be made, or no file in it.
    """
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise AmatError(f"{folder} cannot be written: {error.strerror}. Mend that, or name another place.") from error
