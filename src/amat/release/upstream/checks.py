# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What is checked of the bundle: NESTML's own checks, as far as they can be had here."""

import ast
import contextlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from amat.errors import AmatError
from amat.release.upstream.bundle import INDEX, TUTORIALS, Bundle, git
from amat.release.upstream.model import licence_header, parse
from amat.release.upstream.nest_found import PREFIX

__all__ = ["STYLE_OPTIONS", "Check", "check", "check_files", "check_run"]

#: What NESTML's continuous integration calls pycodestyle with.
STYLE_OPTIONS = ("--ignore=E241,E501,E714,E713,E714,E252,W503",)

#: Extensions of Sphinx that NESTML's documentation loads, and that come with Sphinx itself.
_SPHINX_EXTENSIONS = (
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.todo",
    "sphinx.ext.coverage",
    "sphinx.ext.mathjax",
)
#: Packages of NESTML's documentation that are not among this project's.
_SPHINX_PACKAGES = ("nbsphinx", "sphinx_rtd_theme")


@dataclass(frozen=True)
class Check:
    """One check and how it went.

    Attributes
    ----------
    name : str
    passed : bool or None
        None if it could not be made.
    detail : str
        What was found, or why it could not be made.
    """

    name: str
    passed: bool | None
    detail: str


def check(
    bundle: Bundle,
    *,
    source_tree: Path | None = None,
    run: bool = True,
    report: Callable[[Check], None] | None = None,
) -> list[Check]:
    """Check a bundle.

    Parameters
    ----------
    bundle : Bundle
    source_tree : pathlib.Path, optional
        NESTML's unpacked sources; else the models that the installed NESTML brings stand for them.
    run : bool
        Whether to run test and tutorial as well, for which NESTML builds modules: minutes.
    report : callable, optional
        Called with each check when it is made.
    """
    checks: list[Check] = []
    for made in (check_files(bundle, source_tree), *([check_run(bundle)] if run else [])):
        for one in made:
            if report:
                report(one)
            checks.append(one)
    return checks


def check_files(bundle: Bundle, source_tree: Path | None = None) -> Iterator[Check]:
    """Check all that can be checked of the files without running them; yields each check when it is made."""
    yield _new(bundle, source_tree)
    yield _patch(bundle, source_tree)
    yield _licence(bundle)
    yield _style(bundle)
    yield _quotes(bundle)
    yield _model(bundle)
    yield _page(bundle)


def check_run(bundle: Bundle, *, tutorial: bool = True) -> Iterator[Check]:
    """Run the test and the tutorial with the installed NESTML and NEST; yields each check when it is made."""
    with tempfile.TemporaryDirectory(prefix="amat-upstream-") as folder:
        checkout = Path(folder) / "nestml"
        shutil.copytree(bundle.tree, checkout)
        test = checkout / "tests" / "nest_tests" / f"test_{bundle.name}.py"
        plugin = ["-p", "amat.release.upstream.nest_found", "-p", "no:cacheprovider"]
        finished = _python(Path(folder), "-m", "pytest", "-q", *plugin, "--rootdir", str(checkout), str(test))
        lines = finished.stdout.strip().splitlines()
        yield Check(
            "the test passes with the installed NESTML and NEST",
            finished.returncode == 0,
            lines[-1] if finished.returncode == 0 else finished.stdout[-3000:] + finished.stderr[-1000:],
        )
        if not tutorial:
            return
        notebook = checkout / "doc" / "tutorials" / "amat" / "amat_tutorial.ipynb"
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        script = notebook.with_suffix(".py")
        script.write_text("import amat.release.upstream.nest_found\n\n" + "\n\n".join(code), encoding="utf-8")
        finished = _python(script.parent, script.name)
        yield Check(
            "the tutorial runs, all of its cells",
            finished.returncode == 0,
            f"{len(code)} cells" if finished.returncode == 0 else finished.stdout[-1000:] + finished.stderr[-3000:],
        )


def _python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run this Python on something in a folder, with NEST where NESTML looks for it."""
    environment = {**os.environ, "PYNEST_QUIET": "1", "MPLBACKEND": "Agg", PREFIX: str(folder / "nest-prefix")}
    command = [sys.executable, *words]
    return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)


def _new(bundle: Bundle, source_tree: Path | None) -> Check:
    """Compare the names of files with those that NESTML has."""
    root = source_tree or Path(sys.prefix)
    where = "NESTML's sources" if source_tree else "the models that the installed NESTML brings"
    there = [str(path) for path in bundle.files if (root / path).exists()]
    detail = ", ".join(there) or f"{len(bundle.files)} files, none is there"
    return Check(f"the files are new to {where}", not there, detail)


def _patch(bundle: Bundle, source_tree: Path | None) -> Check:
    """Let git apply the patch to a repository with what NESTML has."""
    name = "git applies the patch"
    with tempfile.TemporaryDirectory(prefix="amat-upstream-") as folder:
        repository = Path(folder)
        git(repository, "init", "--quiet")
        shutil.copytree((source_tree or Path(sys.prefix)) / "models", repository / "models")
        for path in (INDEX, TUTORIALS):
            if source_tree and (source_tree / path).is_file():
                (repository / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source_tree / path, repository / path)
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message", "NESTML")
        try:
            git(repository, "apply", "--index", "--whitespace=error-all", str(bundle.patch))
        except AmatError as error:
            return Check(name, False, str(error))
        differ = [
            str(path) for path in bundle.files if (repository / path).read_bytes() != (bundle.tree / path).read_bytes()
        ]
    ground = "NESTML's sources" if source_tree else "a repository with the models that the installed NESTML brings"
    detail = f"on {ground}: {len(bundle.files)} files added, {len(bundle.changed)} changed"
    return Check(name, not differ, f"other contents: {differ}" if differ else detail)


def _licence(bundle: Bundle) -> Check:
    """Compare the heads of Python files with that of NESTML's, as its own check of copyright headers does."""
    wrong = [
        path.name
        for path in bundle.files
        if path.suffix == ".py"
        and not (bundle.tree / path).read_text(encoding="utf-8").startswith(licence_header(path.name))
    ]
    model = bundle.tree / "models" / "neurons" / f"{bundle.name}.nestml"
    if licence_header("").split("#\n", 2)[2] not in model.read_text(encoding="utf-8"):
        wrong.append(model.name)
    return Check("files carry NESTML's licence notice", not wrong, ", ".join(wrong) or "model and test")


def _style(bundle: Bundle) -> Check:
    """Run pycodestyle as NESTML's continuous integration does: on all but the documentation."""
    name = "pycodestyle passes with NESTML's options"
    if importlib.util.find_spec("pycodestyle") is None:
        return Check(name, None, "pycodestyle is not installed")
    files = [str(bundle.tree / path) for path in bundle.files if path.suffix == ".py"]
    finished = _python(bundle.folder, "-m", "pycodestyle", *STYLE_OPTIONS, *files)
    return Check(name, finished.returncode == 0, finished.stdout.strip() or " ".join(STYLE_OPTIONS))


def _quotes(bundle: Bundle) -> Check:
    """Look for strings in single quotes, which NESTML's continuous integration refuses."""
    found = []
    for path in bundle.files:
        if path.suffix == ".py":
            text = (bundle.tree / path).read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    segment = ast.get_source_segment(text, node) or ""
                    if segment.lstrip("rbfuRBFU").startswith("'") and '"' not in node.value:
                        found.append(f"{path}:{node.lineno}")
    return Check("strings have double quotes", not found, ", ".join(found) or "none is in single ones")


def _model(bundle: Bundle) -> Check:
    """Let NESTML parse the model and check its context conditions."""
    path = bundle.tree / "models" / "neurons" / f"{bundle.name}.nestml"
    with tempfile.TemporaryDirectory(prefix="amat-upstream-") as folder, contextlib.redirect_stdout(io.StringIO()):
        model, problems = parse(path, Path(folder))
    if model is not None and model.get_name() != bundle.name:
        problems.append(f"the model is named {model.get_name()}, and its file {path.name}")
    detail = "\n".join(problems) or path.name
    return Check("NESTML parses the model, and its context conditions hold", not problems, detail)


def _page(bundle: Bundle) -> Check:
    """Let Sphinx build the model's page with what NESTML's documentation uses, all warnings being errors."""
    name = "Sphinx builds the model's page without a warning"
    if importlib.util.find_spec("sphinx") is None:
        return Check(name, None, "Sphinx is not installed")
    missing = [package for package in _SPHINX_PACKAGES if importlib.util.find_spec(package) is None]
    with tempfile.TemporaryDirectory(prefix="amat-upstream-") as folder:
        source, target = Path(folder) / "source", Path(folder) / "html"
        shutil.copytree(bundle.tree / "doc" / "models_library", source)
        # The figures are not in NESTML's repository yet, and nothing is fetched here: those of the bundle are taken.
        for page in source.glob("*_characterisation.rst"):
            text = re.sub(r"https://raw\.\S+/doc/models_library/", "", page.read_text(encoding="utf-8"))
            page.write_text(text, encoding="utf-8")
        (source / "index.rst").write_text(f"Models library\n==============\n\n.. toctree::\n\n   {bundle.name}\n")
        extensions = [*_SPHINX_EXTENSIONS, *(package for package in _SPHINX_PACKAGES if package not in missing)]
        theme = "alabaster" if "sphinx_rtd_theme" in missing else "sphinx_rtd_theme"
        (source / "conf.py").write_text(
            f"extensions = {extensions!r}\nexclude_patterns = ['*_characterisation.rst']\nhtml_theme = {theme!r}\n"
        )
        finished = _python(Path(folder), "-m", "sphinx", "-W", "-n", "--keep-going", "-q", str(source), str(target))
        passed = finished.returncode == 0 and (target / f"{bundle.name}.html").is_file()
    without = f"; not to be had here: {', '.join(missing)}" if missing else ""
    return Check(name, passed, f"with the bundle's figures{without}" if passed else finished.stderr[-2000:])
