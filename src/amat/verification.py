# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Records of long checks that passed: as long as nothing that a check depends on has changed, it need not run again."""

import ast
import datetime
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from amat import paths
from amat.errors import AmatError
from amat.files import write_json

__all__ = ["RECORD", "Dependencies", "content_hash", "dependencies", "record", "recorded_date"]

#: Relative to the checkout.
RECORD = Path(".ci/verified.json")

#: Commands lead to everything, whoever calls them: what they import is not followed.
_NOT_FOLLOWED = re.compile(r"src/amat/cli(_\w+)?\.py")


@dataclass(frozen=True)
class Dependencies:
    """What a check depends on, beside what that imports.

    Attributes
    ----------
    parts : tuple of str
        Folders and files, relative to the checkout, whatever imports them.
    notebooks : tuple of str
        Names of notebooks that it executes, without an ending.
    """

    parts: tuple[str, ...]
    notebooks: tuple[str, ...]


def dependencies(root: Path, check: Dependencies) -> list[Path]:
    """Return the files that a check depends on, relative to the checkout.

    These are the parts that it runs, the notebooks, and every module of the package that either imports, directly or
    through others.

    Parameters
    ----------
    root : pathlib.Path
        The checkout.
    check : Dependencies
    """
    found: set[Path] = set()
    for part in check.parts:
        if not (root / part).exists():
            raise AmatError(f"{root / part} is missing: the check depends on it. Restore it, or correct the list.")
        inside = [root / part] if (root / part).is_file() else (root / part).rglob("*")
        found.update(path for path in inside if path.is_file() and "__pycache__" not in path.parts)
    # What the workflow gives to every notebook.
    found.update(path for path in (root / "data").iterdir() if path.suffix in {".csv", ".yaml"})
    found.update(root / "notebooks" / f"{name}.ipynb" for name in check.notebooks)
    waiting = [path for path in found if path.suffix in {".py", ".ipynb"}]
    while waiting:
        path = waiting.pop()
        if _NOT_FOLLOWED.fullmatch(path.relative_to(root).as_posix()):
            continue
        new = _imported(path, root / "src") - found
        found |= new
        waiting += new
    return sorted(path.relative_to(root) for path in found)


def content_hash(root: Path, check: Dependencies) -> str:
    """Return the SHA-256 over the names and contents of `dependencies`."""
    total = hashlib.sha256()
    for path in dependencies(root, check):
        content = hashlib.sha256((root / path).read_bytes()).hexdigest()
        total.update(f"{path.as_posix()} {content}\n".encode())
    return total.hexdigest()


def recorded_date(check: str, digest: str) -> str | None:
    """Return when a check passed with just these contents; None if it did not, or nobody recorded it."""
    entry = _read().get(check, {})
    return entry["date"] if entry.get("sha256") == digest else None


def record(check: str, digest: str) -> None:
    """Write that a check has passed with these contents, today."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    write_json(_path(), {**_read(), check: {"sha256": digest, "date": today}})


def _path() -> Path:
    if paths.ROOT is None:
        raise AmatError("Checks are recorded in a checkout of the project: clone it, and use ./amat there.")
    return paths.ROOT / RECORD


def _read() -> dict[str, dict[str, str]]:
    path = _path()
    try:
        entries = json.loads(path.read_text())
        return {name: {key: entry[key] for key in ("sha256", "date")} for name, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AmatError(f"{path} is no record of checks ({error!r}): restore it, or delete it.") from error


def _imported(path: Path, source: Path) -> set[Path]:
    """Return the package's modules that a module or a notebook imports, with the packages that hold them."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        text = re.sub(r"^[ \t]*[%!].*$", "", code, flags=re.MULTILINE)
    else:
        text = path.read_text(encoding="utf-8")
    names: set[str] = set()
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    found: set[Path] = set()
    for name in names:
        parts = name.split(".")
        if parts[0] != "amat":
            continue
        for length in range(1, len(parts) + 1):
            stem = source.joinpath(*parts[:length])
            found.update(file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file())
    return found
