# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A content-addressed cache of folders, for everything that takes long to generate or compile.

The name of an entry ends in a digest of everything that its files depend on. An entry is built in a temporary folder
that is renamed at the end, so that a killed process leaves no entry. Its files are verified whenever it is read.
"""

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from amat.files import hash_file, write_json
from amat.toolchain.errors import ToolchainError

__all__ = ["Entry", "compute_digest", "find_or_build"]

_RECORD = "record.json"


@dataclass(frozen=True)
class Entry:
    """An entry of the cache.

    Attributes
    ----------
    folder : pathlib.Path
    key : str
        SHA-256 of everything that the files depend on.
    files : dict of str to str
        The SHA-256 of each file, by its path in the folder.
    notes : dict
        The return value of the function that built the entry.
    seconds : float
        The time that building took.
    cached : bool
        Whether the entry was in the cache already.
    """

    folder: Path
    key: str
    files: dict[str, str]
    notes: dict[str, Any]
    seconds: float
    cached: bool


def compute_digest(value: Any) -> str:
    """Return the SHA-256 of a value that JSON can represent."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def find_or_build(
    cache: Path,
    name: str,
    request: Mapping[str, Any],
    build: Callable[[Path], Mapping[str, Any] | None],
    *,
    prebuilt: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Entry:
    """Return the entry for a request, built if it is missing or damaged.

    Parameters
    ----------
    cache : pathlib.Path
        The folder of the cache.
    name : str
        The entry's name without the digest.
    request : mapping
        Everything that the entry's files depend on, as JSON can represent it.
    build : callable
        Called with an empty folder, which it fills. It may return notes, as JSON can represent them.
    prebuilt : pathlib.Path, optional
        The folder of another cache, which is only read.
    progress : callable, optional
        Called with a line of text if a damaged entry is replaced.

    Raises
    ------
    ToolchainError
        If the cache cannot be written. Whatever `build` raises is passed on, and no entry is left.
    """
    key = compute_digest(request)
    folder = cache / f"{name}-{key[:16]}"
    for candidate in filter(None, (prebuilt and prebuilt / folder.name, folder)):
        if entry := _read(candidate, key):
            return entry
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            # Another process may have built the entry in the meantime.
            if entry := _read(folder, key):
                return entry
            if folder.exists():
                if progress:
                    progress("replacing a damaged entry of the cache")
                shutil.rmtree(folder)
            return _build(folder, key, request, build)
    except OSError as error:
        raise ToolchainError(_explain(error, cache)) from error


def _read(folder: Path, key: str) -> Entry | None:
    """Return the entry in a folder, or None if it is missing or damaged."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        files: dict[str, str] = record["files"]
        if record["key"] != key or any(hash_file(folder / path) != digest for path, digest in files.items()):
            return None
        return Entry(folder, key, files, record["notes"], float(record["seconds"]), cached=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _build(
    folder: Path, key: str, request: Mapping[str, Any], build: Callable[[Path], Mapping[str, Any] | None]
) -> Entry:
    start = time.monotonic()
    work = folder.with_name(f".{folder.name}")
    shutil.rmtree(work, ignore_errors=True)  # left by a killed process
    try:
        work.mkdir()
        notes = dict(build(work) or {})
        files = {str(path.relative_to(work)): hash_file(path) for path in sorted(work.rglob("*")) if path.is_file()}
        seconds = time.monotonic() - start
        write_json(work / _RECORD, {"key": key, "request": request, "files": files, "notes": notes, "seconds": seconds})
        work.rename(folder)
        return Entry(folder, key, files, notes, seconds, cached=False)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _explain(error: OSError, cache: Path) -> str:
    if error.errno == errno.ENOSPC:
        problem = "the disk is full: free some space"
    elif error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        problem = "the folder is not writable: change its permissions"
    else:
        problem = str(error)
    return f"The cache {cache} cannot be used: {problem}, or name another folder in AMAT_CACHE."
