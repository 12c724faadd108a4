# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Checks of the bundle: those of NESTML's continuous integration that can run here."""

import ast
import importlib.util
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

#: Options of pycodestyle in NESTML's continuous integration.
STYLE_OPTIONS = ("--ignore=E241,E501,E714,E713,E714,E252,W503",)

#: Sphinx's own extensions that NESTML's documentation loads.
_SPHINX_EXTENSIONS = (
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.todo",
    "sphinx.ext.coverage",
    "sphinx.ext.mathjax",
)
#: Packages that NESTML's documentation needs and this project does not install.
_SPHINX_PACKAGES = ("nbsphinx", "sphinx_rtd_theme")


@dataclass(frozen=True)
class Check:
    """The result of a check.

    Attributes
    ----------
    name : str
    passed : bool or None
        None if the check could not run.
    detail : str
        The findings, or the reason why the check could not run.
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
        NESTML's unpacked sources; by default the models of the installed NESTML.
    run : bool
        Whether to run the test and the tutorial, for which NESTML builds modules. This takes minutes.
    report : callable, optional
        Called with the result of each check.
    """
    checks: list[Check] = []
    for made in (check_files(bundle, source_tree), *([check_run(bundle)] if run else [])):
        for one in made:
            if report:
                report(one)
            checks.append(one)
    return checks


def check_files(bundle: Bundle, source_tree: Path | None = None) -> Iterator[Check]:
    """Check the files without running them; yield the result of each check."""
    yield _new(bundle, source_tree)
    yield _patch(bundle, source_tree)
    yield _licence(bundle)
    yield _style(bundle)
    yield _quotes(bundle)
    yield _model(bundle)
    yield _page(bundle)


def check_run(bundle: Bundle) -> Iterator[Check]:
    """Run the test and the tutorial with the installed NESTML and NEST; yield the result of each."""
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
        notebook = checkout / "doc" / "tutorials" / "amat" / "amat_tutorial.ipynb"
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        script = notebook.with_suffix(".py")
        script.write_text("import amat.release.upstream.nest_found\n\n" + "\n\n".join(code), encoding="utf-8")
        finished = _python(script.parent, script.name)
        yield Check(
            "all cells of the tutorial run",
            finished.returncode == 0,
            f"{len(code)} cells" if finished.returncode == 0 else finished.stdout[-1000:] + finished.stderr[-3000:],
        )


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder, with a NEST that NESTML finds."""
    environment = {**os.environ, "PYNEST_QUIET": "1", "MPLBACKEND": "Agg", PREFIX: str(folder / "nest-prefix")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)


def _new(bundle: Bundle, source_tree: Path | None) -> Check:
    """Check that NESTML has no files with these names."""
    root = source_tree or Path(sys.prefix)
    where = "NESTML's sources" if source_tree else "the models of the installed NESTML"
    present = [str(path) for path in bundle.files if (root / path).exists()]
    return Check(f"the files are new to {where}", not present, ", ".join(present) or f"{len(bundle.files)} files")


def _patch(bundle: Bundle, source_tree: Path | None) -> Check:
    """Apply the patch with git to a repository with NESTML's files."""
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
    base = "NESTML's sources" if source_tree else "a repository with the models of the installed NESTML"
    detail = f"on {base}: {len(bundle.files)} files added, {len(bundle.changed)} changed"
    return Check(name, not differ, f"contents differ: {differ}" if differ else detail)


def _licence(bundle: Bundle) -> Check:
    """Compare the headers of Python files with NESTML's, as its check of copyright headers does."""
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
    """Run pycodestyle like NESTML's continuous integration, on all files but the documentation."""
    name = "pycodestyle passes with NESTML's options"
    if importlib.util.find_spec("pycodestyle") is None:
        return Check(name, None, "pycodestyle is not installed")
    files = [str(bundle.tree / path) for path in bundle.files if path.suffix == ".py"]
    finished = _python(bundle.folder, "-m", "pycodestyle", *STYLE_OPTIONS, *files)
    return Check(name, finished.returncode == 0, finished.stdout.strip() or " ".join(STYLE_OPTIONS))


def _quotes(bundle: Bundle) -> Check:
    """Find strings in single quotes, which NESTML's continuous integration rejects."""
    found = []
    for path in bundle.files:
        if path.suffix == ".py":
            text = (bundle.tree / path).read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    segment = ast.get_source_segment(text, node) or ""
                    if segment.lstrip("rbfuRBFU").startswith("'") and '"' not in node.value:
                        found.append(f"{path}:{node.lineno}")
    return Check("strings have double quotes", not found, ", ".join(found) or "none in single quotes")


def _model(bundle: Bundle) -> Check:
    """Parse the model with NESTML, and check its context conditions."""
    path = bundle.tree / "models" / "neurons" / f"{bundle.name}.nestml"
    name = "NESTML parses the model, and its context conditions hold"
    with tempfile.TemporaryDirectory(prefix="amat-upstream-") as folder:
        try:
            model = parse(path, Path(folder)).get_name()
        except AmatError as error:
            return Check(name, False, str(error))
    same = model == bundle.name
    return Check(name, same, path.name if same else f"the model in {path.name} is named {model}")


def _page(bundle: Bundle) -> Check:
    """Build the model's page with Sphinx and the extensions of NESTML's documentation; warnings are errors."""
    name = "Sphinx builds the model's page without a warning"
    if importlib.util.find_spec("sphinx") is None:
        return Check(name, None, "Sphinx is not installed")
    missing = [package for package in _SPHINX_PACKAGES if importlib.util.find_spec(package) is None]
    with tempfile.TemporaryDirectory(prefix="amat-upstream-") as folder:
        source, target = Path(folder) / "source", Path(folder) / "html"
        shutil.copytree(bundle.tree / "doc" / "models_library", source)
        # The figures are not in NESTML's repository yet, and nothing is downloaded here: use those of the bundle.
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
    without = f"; without {', '.join(missing)}, not installed" if missing else ""
    return Check(name, passed, f"with the bundle's figures{without}" if passed else finished.stderr[-2000:])
