# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The bundle for NESTML: its files in NESTML's layout, one patch with all of them, the pull request and the notes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amat import paths, toolchain
from amat.analysis.characterisation import FIGURES
from amat.errors import AmatError
from amat.files import check_outputs, make_folder, write_text
from amat.release.upstream import notes
from amat.release.upstream.model import library_model, title
from amat.release.upstream.pages import insert_entry, write_figures, write_page
from amat.release.upstream.tutorial import port_tutorial

__all__ = ["INDEX", "TUTORIALS", "Bundle", "assemble", "git"]

#: Lists in NESTML's documentation to which the bundle adds an entry, if NESTML's sources are available.
INDEX = Path("doc/models_library/index.rst")
TUTORIALS = Path("doc/tutorials/tutorials_list.rst")


@dataclass(frozen=True)
class Bundle:
    """An assembled bundle.

    Attributes
    ----------
    folder : pathlib.Path
        The folder of ``nestml.patch``, ``pull_request.md`` and the notes.
    files : tuple of pathlib.Path
        The files to add to NESTML, relative to its root; they are in ``nestml/``.
    changed : tuple of pathlib.Path
        Files of NESTML that the patch changes.
    name : str
        The model's name in NESTML.
    """

    folder: Path
    files: tuple[Path, ...]
    changed: tuple[Path, ...]
    name: str

    @property
    def tree(self) -> Path:
        """The folder in NESTML's layout."""
        return self.folder / "nestml"

    @property
    def patch(self) -> Path:
        """The patch for ``git apply`` in NESTML's sources."""
        return self.folder / "nestml.patch"


def assemble(
    output: Path,
    *,
    source_tree: Path | None = None,
    texts: bool = True,
    sets: int = 60,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Bundle:
    """Assemble the bundle, and replace an earlier one at the end.

    Parameters
    ----------
    output : pathlib.Path
        The folder.
    source_tree : pathlib.Path, optional
        NESTML's unpacked sources. With them the patch also adds model and tutorial to NESTML's lists.
    texts : bool
        Whether to write the pull request and the notes, whose numbers are measured. If not, earlier ones are removed.
    sets, seed : int
        The number of parameter sets and the seed of the validation in the pull request.
    progress : callable, optional
        Called with the name of each stage as it begins.

    Raises
    ------
    AmatError
        If there is no checkout, no NESTML in `source_tree`, a folder ``nestml`` in the output that is not from an
        earlier bundle, or NESTML rejects the model.
    """
    parts = paths.require_checkout("The bundle for NESTML") / "upstream"
    if source_tree is not None and not (source_tree / "pynestml").is_dir():
        raise AmatError(f"{source_tree} does not hold NESTML's sources: it has no folder pynestml.")
    report = progress or (lambda stage: None)
    source = toolchain.SHIPPED_MODELS[toolchain.AMAT].source
    output = output.absolute()
    templates = sorted(parts.rglob("*.md.jinja2"))
    place = Path(os.path.realpath(output / "nestml"))
    if place.exists() and not (output / "nestml.patch").is_file():
        raise AmatError(f"{place} is not from an earlier bundle and would be replaced: choose another output.")
    names = ("nestml.patch", "checks.json", *(template.stem for template in templates))
    check_outputs(*(output / name for name in names), folders=[place])
    with make_folder(output), tempfile.TemporaryDirectory(dir=output, prefix=".nestml-") as folder:
        work, tree = Path(folder), Path(folder) / "nestml"
        report("model, page and tutorial")
        values = _write_texts_of_nestml(tree, source, parts / "nestml", work / "scratch")
        report("figures")
        write_figures(tree / "doc" / "models_library", source.stem)
        files = tuple(sorted(path.relative_to(tree) for path in tree.rglob("*") if path.is_file()))
        report("patch")
        entries = {
            INDEX: notes.render(parts / "nestml" / "doc" / "models_library" / "index_entry.rst", values),
            TUTORIALS: (parts / "nestml" / "doc" / "tutorials" / "list_entry.rst").read_text(encoding="utf-8"),
        }
        changed = _changed_lists(source_tree, entries, source.stem) if source_tree else {}
        patch = _make_patch(tree, files, source_tree, changed, work / "git")
        written = {"nestml.patch": patch}
        if texts:
            report("pull request and notes")
            values["files"] = [str(path) for path in files]
            values["entries"] = {str(path): entry.strip() for path, entry in entries.items() if path not in changed}
            values |= notes.measure_numbers(sets, seed)
            written |= {template.stem: notes.render(template, values) for template in templates}
        shutil.rmtree(place, ignore_errors=True)
        shutil.move(tree, place)
        for template in templates:
            (output / template.stem).unlink(missing_ok=True)
        for name, text in written.items():
            write_text(output / name, text)
    return Bundle(output, files, tuple(changed), source.stem)


def _write_texts_of_nestml(tree: Path, source: Path, parts: Path, scratch: Path) -> dict[str, object]:
    """Write all files of the bundle except the figures; return the values for templates."""
    scratch.mkdir()
    model = tree / "models" / "neurons" / source.name
    write_text(model, library_model(source))
    library = Path("doc") / "models_library"
    values: dict[str, object] = {
        "name": source.stem,
        "title": title(model.read_text(encoding="utf-8")),
        "figures": list(FIGURES),
    }
    write_page(model, tree / library / f"{source.stem}.rst", scratch)
    page = notes.render(parts / library / "characterisation.rst", values)
    write_text(tree / library / f"{source.stem}_characterisation.rst", page)
    test = Path("tests") / "nest_tests" / f"test_{source.stem}.py"
    write_text(tree / test, (parts / test).read_text(encoding="utf-8"))
    tutorial = port_tutorial(parts / "doc" / "tutorials" / "changes.yaml")
    write_text(tree / "doc" / "tutorials" / "amat" / "amat_tutorial.ipynb", tutorial)
    return values


def _changed_lists(source_tree: Path, entries: dict[Path, str], name: str) -> dict[Path, str]:
    """Return the lists of NESTML's documentation with the bundle's entries, as far as they have the expected form."""
    changed: dict[Path, str] = {}
    index = source_tree / INDEX
    if index.is_file() and (text := insert_entry(index.read_text(encoding="utf-8"), entries[INDEX], name)):
        changed[INDEX] = text
    tutorials = source_tree / TUTORIALS
    if tutorials.is_file():
        first, found, rest = tutorials.read_text(encoding="utf-8").partition("\n* :doc:")
        if found:
            changed[TUTORIALS] = f"{first}\n{entries[TUTORIALS].strip()}\n{found}{rest}"
    return changed


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder without the user's settings, and return its output.

    Raises
    ------
    AmatError
        If git is missing or fails.
    """
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        # Otherwise git would use a repository around the folder.
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    identity = ["-c", "user.name=AMAT", "-c", "user.email=amat@localhost", "-c", "core.autocrlf=false"]
    try:
        finished = subprocess.run(
            ["git", *identity, *arguments], check=False, cwd=folder, env=environment, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise AmatError("git is missing, which makes the patch: install it.") from error
    if finished.returncode:
        raise AmatError(f"git {arguments[0]} failed in {folder}: {finished.stderr.strip()}")
    return finished.stdout


def _make_patch(
    tree: Path, files: tuple[Path, ...], source_tree: Path | None, changed: dict[Path, str], work: Path
) -> str:
    """Return one patch with the new files and the changed ones."""
    work.mkdir()
    git(work, "init", "--quiet")
    for path in changed:
        assert source_tree is not None
        write_text(work / path, (source_tree / path).read_text(encoding="utf-8"))
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--allow-empty", "--message", "before")
    for path, text in changed.items():
        write_text(work / path, text)
    for path in files:
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / path, work / path)
    git(work, "add", "--all")
    return git(work, "diff", "--cached", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-renames")
