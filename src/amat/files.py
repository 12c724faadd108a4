# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Reading of text and YAML, atomic writing (a killed process leaves the old file or the new one), locks on folders."""

import contextlib
import errno
import fcntl
import glob
import gzip
import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import yaml

from amat.errors import AmatError

__all__ = [
    "atomic_write",
    "check_outputs",
    "hash_file",
    "is_standard_output",
    "load_yaml",
    "make_folder",
    "only_run",
    "open_input",
    "read_text",
    "write_json",
    "write_text",
]


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file whose contents replace `path` if the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; a missing folder is created. Symbolic links are followed. Devices and FIFOs are written
        to, not replaced, and ``-`` is standard output. The temporary file is empty and has the same ending.

    Raises
    ------
    AmatError
        If the file cannot be written, for example because the disk is full.
    """
    try:
        with _write_through(path) if _is_stream(path) else _replace(Path(os.path.realpath(path))) as temporary:
            yield temporary
    except BrokenPipeError:
        raise
    except OSError as error:
        raise AmatError(f"{path} cannot be written: {error.strerror or error}.") from error


@contextlib.contextmanager
def _write_through(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder, f"output{path.suffix}")
        temporary.touch()
        yield temporary
        sys.stdout.flush()
        standard = is_standard_output(path)
        with temporary.open("rb") as source, open(1 if standard else path, "wb", closefd=not standard) as target:
            shutil.copyfileobj(source, target)


@contextlib.contextmanager
def _replace(path: Path) -> Iterator[Path]:
    with make_folder(path.parent):
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


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_standard_output(path: Path) -> bool:
    """Return whether a path is ``-``, or names the file or device that is standard output."""
    try:
        return path == Path("-") or os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def _is_stream(path: Path) -> bool:
    """Return whether a path is standard output, a device or a FIFO, which must not be replaced."""
    return is_standard_output(path) or (path.exists() and not path.is_file())


def check_outputs(*files: Path, folders: Sequence[Path] = ()) -> None:
    """Check before any work that files, and files in folders, can be written. Nothing is created.

    Raises
    ------
    AmatError
        If a file's path is a folder, two paths are one file, or a file cannot be written.
    """
    known: dict[str, Path] = {}
    for path in files:
        name = os.path.realpath("/dev/stdout" if is_standard_output(path) else path)
        if name in known:
            raise AmatError(f"{known[name]} and {path} are the same file: choose another name for one of the two.")
        known[name] = path
    for path in (*files, *folders):
        try:
            if path not in folders and path.is_dir():
                raise AmatError(f"{path} is a folder: give the name of a file.")
            if path.exists() and not os.access(path, os.W_OK):
                raise PermissionError(0, "Permission denied")
            if path in folders or not _is_stream(path):
                place = Path(os.path.realpath(path))
                start = place if path in folders else place.parent
                folder = next(parent for parent in (start, *start.parents) if parent.exists())
                with tempfile.TemporaryFile(dir=folder) as probe:
                    probe.write(bytes(4096))  # a full disk has room for an empty file
        except OSError as error:
            raise AmatError(f"{path} cannot be written: {error.strerror}. Choose another output.") from error


@contextlib.contextmanager
def make_folder(folder: Path) -> Iterator[None]:
    """Create a folder with its parents, and remove those that are new if they are empty when the block ends."""
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for parent in new:
                parent.rmdir()


def open_input(path: Path) -> BinaryIO:
    """Open a file that the user names for reading.

    Raises
    ------
    OSError
        If it cannot be opened, or is a device, which may have no end.
    """
    if path.is_char_device():
        raise OSError(errno.EINVAL, "It is a device")
    return path.open("rb")


@contextlib.contextmanager
def only_run(path: Path, task: str) -> Iterator[TextIO]:
    """Hold a lock, so that a task runs once at a time in a folder.

    The lock lasts until the block ends and all processes that inherit the yielded file have ended. A missing folder is
    created; it is removed if nothing is written to it.

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
    new = not path.parent.exists()
    with make_folder(path.parent), path.open("a+", encoding="utf-8") as lock:
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
        if not os.fstat(lock.fileno()).st_nlink:
            raise AmatError(f"Another {task} has just ended in {path.parent}: repeat the command.")
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        try:
            yield lock
        finally:
            if new and list(path.parent.iterdir()) == [path]:  # nothing was written
                path.unlink()


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


def read_text(path: Path, what: str = "The file") -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark; it may be compressed by gzip.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        The file's description in messages, as the beginning of a sentence.

    Raises
    ------
    AmatError
        If the file cannot be read, is damaged, or is not text.
    """
    try:
        with open_input(path) as file:
            content = file.read()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise AmatError(f"{what} {path} is a damaged gzip file: {error}.") from error
    except OSError as error:
        raise AmatError(f"{what} {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise AmatError(f"{what} {path} is not text in UTF-8: {error}.") from error


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
    text = read_text(path, what)
    try:
        return yaml.load(text, _Loader)
    except yaml.constructor.ConstructorError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise AmatError(f"{what} {path}{where}: {error.problem}.") from error
    except (RecursionError, ValueError, yaml.YAMLError) as error:
        raise AmatError(f"{what} {path} is not YAML: {error}") from error
