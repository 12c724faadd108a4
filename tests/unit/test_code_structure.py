# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Limits on the size of modules and functions, and on repeated code; names of modules."""

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import nestml_optimised
import pytest

import amat

LONGEST_MODULE, LONGEST_FUNCTION = 400, 60


@pytest.fixture(scope="module")
def sources(root) -> dict[str, str]:
    """The code of all modules of the library, the generator, the scripts and the book, by relative path."""
    folders = ("src", "packages/nestml-optimised/src", "scripts", "book/_extensions")
    files = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    assert len(files) > 100
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_modules_are_short(sources):
    lengths = {name: len(code.splitlines()) for name, code in sources.items()}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def count_code_lines(function: ast.FunctionDef) -> int:
    """Return the number of lines of a function without its docstring."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    lines = function.end_lineno - function.lineno + 1
    return lines - (docstring.end_lineno - docstring.lineno + 1 if docstring else 0)


def test_functions_are_short(sources):
    too_long = {}
    for name, code in sources.items():
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.FunctionDef) and count_code_lines(node) > LONGEST_FUNCTION:
                too_long[f"{name}: {node.name}"] = count_code_lines(node)
    assert not too_long


@pytest.mark.parametrize("package", [amat, nestml_optimised])
def test_no_module_is_hidden_by_another_object(package):
    """``import package.module as name`` gives the module, because its package has nothing else of that name."""
    for _, name, _ in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        parent, _, child = name.rpartition(".")
        if child != "__main__":
            module = import_module(name)
            assert getattr(sys.modules[parent], child) is module


@pytest.mark.slow
def test_code_is_not_repeated(root):
    """pylint finds no ten similar lines in two modules, except imports, docstrings and comments."""
    command = [sys.executable, "-m", "pylint", "--disable=all", "--enable=similarities", "--min-similarity-lines=10"]
    folders = [Path("src"), Path("packages", "nestml-optimised", "src")]
    finished = subprocess.run([*command, *folders], check=False, cwd=root, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
