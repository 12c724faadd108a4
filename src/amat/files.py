# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Reading of YAML, atomic writing (a killed process leaves the old file or the new one), and locks on folders."""

import contextlib
import fcntl
import glob
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import yaml

from amat.errors import AmatError

__all__ = ["atomic_write", "check_writable", "load_yaml", "only_run", "write_json", "write_text"]


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the folder of `path` that replaces `path` if the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; a missing folder is created. The temporary file is empty and has the same ending.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(8)}{path.suffix}")
    try:
        with temporary.open("xb") as held:
            # The system releases the lock when the process ends for any reason, on any host.
            with contextlib.suppress(OSError):  # without locks in the file system, leftovers remain
                fcntl.flock(held, fcntl.LOCK_EX)
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files without a lock, which killed processes have left."""
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.{'[0-9a-f]' * 16}{path.suffix}"):
        with contextlib.suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` atomically, as indented JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def check_writable(folder: Path) -> None:
    """Check before any work that files can be written to a folder; create the folder if it is missing.

    Raises
    ------
    AmatError
        If the folder or a file in it cannot be created.
    """
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise AmatError(f"{folder} cannot be written: {error.strerror}. Fix this, or choose another folder.") from error


@contextlib.contextmanager
def only_run(path: Path, task: str) -> Iterator[TextIO]:
    """Hold a lock, so that a task runs once at a time in a folder.

    The lock lasts until the block ends and all processes that inherit the yielded file have ended.

    Parameters
    ----------
    path : pathlib.Path
        The file to lock, which holds the numbers of the processes, one in a line.
    task : str
        The task, as the subject of the error message: "benchmark".

    Raises
    ------
    AmatError
        If another process holds the lock; the message names its process id.
    """
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            numbers = lock.read().split()
            here = [f"process {number}" for number in numbers if _has_open(number, path)]
            holder = here[0] if here else "on another machine"
            raise AmatError(
                f"Another {task} is running in {path.parent} ({holder}): wait for it, or stop it."
            ) from None
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        yield lock


def _has_open(process: str, path: Path) -> bool:
    """Return whether a process of this machine has a file open, or may have it because it belongs to another user."""
    try:
        return any(file.resolve() == path.resolve() for file in Path("/proc", process, "fd").iterdir())
    except PermissionError:
        return True
    except OSError:
        return False


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which refuses a key that occurs twice in a mapping."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Return the node of a mapping without duplicate keys."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        keys = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                value = self.construct_object(key)
                if value in keys:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} occurs twice", key.start_mark
                    )
                keys.add(value)
        return node


def load_yaml(path: Path, what: str = "The file") -> Any:
    """Return the content of a YAML file.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        The file's description in messages, as the beginning of a sentence.

    Raises
    ------
    AmatError
        If the file cannot be read, is not YAML, or has a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise AmatError(f"{what} {path} cannot be read: {error.strerror}.") from error
    except yaml.constructor.ConstructorError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise AmatError(f"{what} {path}{where}: {error.problem}.") from error
    except (UnicodeDecodeError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise AmatError(f"{what} {path} is not YAML: {error}") from error
