"""Files that are written whole: a killed process leaves the old file or the new one, never half of one."""

import glob
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amat.errors import AmatError

__all__ = ["check_writable", "replacing", "write_json", "write_text"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that takes its place when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its folder is made if it is missing. The temporary name keeps the file's ending.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.[0-9]*{path.suffix}"):
        process = leftover.name.removeprefix(f".{path.stem}.").removesuffix(path.suffix)
        if not Path("/proc", process).exists():  # it was killed
            leftover.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
