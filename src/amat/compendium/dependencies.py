# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The project's modules that a notebook or script imports, directly or not."""

import ast
import importlib.util
import json
from functools import cache
from pathlib import Path

import grimp

from amat.errors import AmatError

__all__ = ["imported_files"]

_PACKAGES = ("amat", "nestml_optimised")


def imported_files(source: Path, *, without: str = "") -> list[Path]:
    """Return the files of this project's modules that a notebook or script imports.

    Imports inside functions count. So do the packages that hold an imported module, because Python runs their
    ``__init__`` first. The imports come from the source code (grimp analyses the packages), so a single run may need
    fewer modules.

    Parameters
    ----------
    source : pathlib.Path
        A Jupyter notebook (``.ipynb``) or a Python file.
    without : str, optional
        A package to leave out, and with it the modules that only it imports.

    Returns
    -------
    list of pathlib.Path
        Absolute and sorted.

    Raises
    ------
    AmatError
        If the source is not valid Python or imports a module that the project does not have.
    """
    graph = _import_graph()
    found: set[str] = set()
    pending = _direct_imports(source)
    while pending:
        name = pending.pop()
        if name in found or name == without or name.startswith(f"{without}."):
            continue
        found.add(name)
        pending |= graph.find_modules_directly_imported_by(name)
        if "." in name:
            pending.add(name.rpartition(".")[0])
    return sorted(_file_of(name) for name in found)


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*_PACKAGES, cache_dir=None)


def _direct_imports(source: Path) -> set[str]:
    """Return the names of the project's modules in the import statements of a source."""
    code = source.read_text(encoding="utf-8")
    if source.suffix == ".ipynb":
        cells = json.loads(code)["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise AmatError(f"{source} is not valid Python: {error}. Correct the code.") from error
    modules = _import_graph().modules
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {node.module} | (inner & modules)
    found = {name for name in found if name.split(".")[0] in _PACKAGES}
    if missing := sorted(found - modules):
        raise AmatError(f"{source} imports {missing[0]}, which is not a module of this project: correct the import.")
    return found


def _file_of(module: str) -> Path:
    package, *inner = module.split(".")
    specification = importlib.util.find_spec(package)
    assert specification is not None
    assert specification.origin is not None
    path = Path(specification.origin).parent.joinpath(*inner)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
