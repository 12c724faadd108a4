# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Archive of the project and its results: one self-describing file from which everything can be reproduced."""

import dataclasses
import datetime
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amat import paths
from amat.compendium.pipeline import check_config
from amat.compendium.provenance import SOURCE, commit, commit_time
from amat.errors import AmatError
from amat.files import atomic_write, check_outputs, hash_file, write_text
from amat.neurons import izhikevich_patterns
from amat.release.citation import read_citation
from amat.release.run_crate import METADATA, Run, describe
from amat.release.sbom import write_sbom

__all__ = ["DRAFT", "Archive", "checksums", "collect_files", "find_runs", "make_archive", "pack", "problems"]

#: Ending of the name of an archive that must not be published.
DRAFT = "-draft"
#: Name of the software bill of materials in the archive.
SBOM = "sbom.cdx.json"
#: Name of the file with the digests of all other files in the archive.
SUMS = "SHA256SUMS"

#: Folders of the pipeline's outputs and their names in the archive. They differ, so that `./amat reproduce` in an
#: unpacked archive starts from nothing.
OUTPUTS: Mapping[str, str] = {
    "book/notebooks": "outputs/notebooks",
    "book/generated": "outputs/generated",
    "results": "outputs/results",
    "_build/html": "outputs/site",
}
#: The notebook that is executed for each firing pattern.
_PATTERN_NOTEBOOK = "firing_pattern"


@dataclasses.dataclass(frozen=True)
class Archive:
    """An archive on disk.

    Attributes
    ----------
    path : pathlib.Path
    sha256 : str
        Its digest, also written to ``path`` with the ending ``.sha256``.
    problems : list of str
        Reasons why it is a draft; empty if it can be published.
    """

    path: Path
    sha256: str
    problems: list[str]


@dataclasses.dataclass(frozen=True)
class Member:
    """A file in an archive, or a symbolic link with its target."""

    content: bytes = b""
    executable: bool = False
    link: str = ""


def make_archive(output: Path, *, draft: bool = False) -> Archive:
    """Write an archive of the commit and its results.

    It contains the sources, the executed notebooks, tables, figures and the site, a description of all runs as an
    RO-Crate, a list of the installed packages, and digests. Equal commits, results and packages give equal bytes.

    Parameters
    ----------
    output : pathlib.Path
        The folder to write to.
    draft : bool
        If there are problems, write an archive whose name ends in `DRAFT` instead of failing.

    Raises
    ------
    AmatError
        If the project is not a git checkout or results are missing; or, unless `draft`, if changes are not committed
        or results are from another commit.
    """
    root = paths.ROOT
    if root is None or not (root / ".git").exists():
        raise AmatError("An archive needs a git checkout of the project: clone the repository and run ./amat there.")
    runs = find_runs(root)
    found = problems(root, runs)
    if found and not draft:
        listed = "\n".join(f"  - {problem}" for problem in found)
        raise AmatError(f"The archive cannot be published:\n{listed}\nUse --draft to write it as a draft.")
    named, date = commit(), commit_time()
    assert named is not None
    assert date is not None
    name = f"amat-{read_citation(root)['version']}"
    path = output / f"{name}-{named[:10]}{DRAFT if found else ''}.tar.gz"
    sums = path.with_name(f"{path.name}.sha256")
    check_outputs(path, sums)
    members = collect_files(root, runs)
    members[SOURCE] = Member((json.dumps({"commit": named, "date": date}) + "\n").encode())
    members[SBOM] = Member(_sbom())
    described = describe(members, runs, read_citation(root), named, date)
    members[METADATA] = Member((json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode())
    members[SUMS] = Member(checksums(members))
    pack(path, name, members, date)
    digest = hash_file(path)
    write_text(sums, f"{digest}  {path.name}\n")
    return Archive(path, digest, found)


def find_runs(root: Path) -> list[Run]:
    """Return the runs of all notebooks in the configuration, with their provenance.

    Raises
    ------
    AmatError
        If a notebook has not been executed, or its provenance cannot be read.
    """
    notebooks = list(check_config(root / "config" / "config.yaml")["notebooks"])
    names = [name for name in notebooks if name != _PATTERN_NOTEBOOK]
    names += [f"patterns/{pattern}" for pattern in izhikevich_patterns()]
    runs = []
    for name in names:
        executed = root / "book" / "notebooks" / f"{name}.ipynb"
        record = root / "results" / name / "provenance.json"
        missing = [path for path in (executed, record) if not path.is_file()]
        if missing:
            raise AmatError(f"{missing[0]} is missing: run `amat reproduce` before `amat archive`.")
        try:
            provenance = json.loads(record.read_text(encoding="utf-8"))
            started, ended = _run_time(record.with_name("run_time.json"))
            recorded = {key: provenance[key] for key in ("notebook", "parameters", "versions", "commit")}
            runs.append(Run(name, **recorded, started=started, ended=ended))
        except (ValueError, KeyError, TypeError) as error:
            raise AmatError(
                f"{record.parent} has no valid record of a run ({error!r}): delete it and run `amat reproduce`."
            ) from error
    return runs


def _run_time(path: Path) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return start and end of a notebook's execution, or None if they are not recorded."""
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, None
    started = datetime.datetime.fromisoformat(recorded["started"])
    return started, started + datetime.timedelta(seconds=float(recorded["seconds"]))


def problems(root: Path, runs: Iterable[Run]) -> list[str]:
    """Return the reasons why checkout and results cannot be published, each with its fix.

    Parameters
    ----------
    root : pathlib.Path
        The checkout.
    runs : iterable of Run
        From `find_runs`.

    Raises
    ------
    AmatError
        If the checkout has no commit, or the site is missing.
    """
    _git(root, "--version")
    named = commit()
    index = root / "_build" / "html" / "index.html"
    if named is None:
        raise AmatError(f"git finds no commit in {root}, which the archive's name needs: commit the sources first.")
    if not index.is_file():
        raise AmatError(f"{index} is missing: run `amat reproduce` before `amat archive`.")
    found = []
    if changes := _git(root, "status", "--porcelain"):
        lines = changes.decode(errors="replace").splitlines()
        more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
        found.append(f"changes are not committed: {', '.join(line[3:] for line in lines[:5])}{more}. Commit them.")
    elsewhere: dict[str | None, list[str]] = {}
    for run in runs:
        if run.commit != named:
            elsewhere.setdefault(run.commit, []).append(run.name)
    for other, names in elsewhere.items():
        found.append(
            f"results of {', '.join(names)} are from commit {other or 'unknown'}, not {named}: delete results and run "
            "`amat reproduce`."
        )
    pages = [root / "book" / "notebooks" / f"{run.name}.ipynb" for run in runs]
    if pages and max(page.stat().st_mtime for page in pages) > index.stat().st_mtime:
        found.append("the site is older than its notebooks: run `amat reproduce`.")
    # Tracked files that the site is built from.
    sources = [root / name for name in _tracked(root, "_config.yml", "book", "data")]
    latest = max(sources, key=lambda path: path.lstat().st_mtime, default=index)
    if latest.lstat().st_mtime > index.stat().st_mtime:
        found.append(f"the site is older than {latest.relative_to(root)}: run `amat reproduce`.")
    return found


def checksums(members: Mapping[str, Member]) -> bytes:
    """Return one line per file in the format of `sha256sum --check`."""
    lines = [
        f"{hashlib.sha256(member.content).hexdigest()}  {name}\n"
        for name, member in sorted(members.items())
        if not member.link
    ]
    return "".join(lines).encode()


def pack(path: Path, folder: str, members: Mapping[str, Member], date: int) -> None:
    """Write a compressed archive that depends only on names, contents and the date.

    Parameters
    ----------
    path : pathlib.Path
    folder : str
        The folder that contains all files in the archive.
    members : mapping
        Files by their names in the folder.
    date : int
        Modification time of all files, in seconds since 1970.
    """
    with (
        atomic_write(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, member in sorted(members.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.mtime = date
            entry.mode = 0o755 if member.executable else 0o644
            if member.link:
                entry.type, entry.linkname = tarfile.SYMTYPE, member.link
            entry.size = len(member.content)
            archive.addfile(entry, io.BytesIO(member.content))


def _tracked(root: Path, *within: str) -> list[str]:
    """Return the names of the existing tracked files, optionally only those in some folders or files."""
    names = _git(root, "ls-files", "-z", "--", *within).decode().split("\0")
    return [name for name in names if name and os.path.lexists(root / name)]


def collect_files(root: Path, runs: Iterable[Run]) -> dict[str, Member]:
    """Return the tracked files of a checkout, the outputs of runs and the site, by their names in the archive.

    Leftovers of runs with other configurations are not included.

    Parameters
    ----------
    root : pathlib.Path
        The checkout.
    runs : iterable of Run
        From `find_runs`.
    """
    found = [root / "results" / "modules.json"]
    for run in runs:
        found.append(root / "book" / "notebooks" / f"{run.name}.ipynb")
        found += (root / "results" / run.name).rglob("*")
    for folder in ("book/generated", "_build/html"):
        found += (root / folder).rglob("*")
    members = {name: _member(root / name) for name in _tracked(root)}
    for path in found:
        relative = path.relative_to(root).as_posix()
        folder = next(folder for folder in OUTPUTS if relative.startswith(f"{folder}/"))
        # Time stamps of Snakemake, and temporary files of killed runs.
        hidden = path.name.startswith(".") and folder != "_build/html"
        if path.is_file() and not hidden:
            members[OUTPUTS[folder] + relative.removeprefix(folder)] = _member(path)
    return members


def _member(path: Path) -> Member:
    if path.is_symlink():
        return Member(link=str(path.readlink()))
    return Member(path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def _sbom() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_sbom(Path(folder) / SBOM).read_bytes()


def _git(root: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        message: Any = getattr(error, "stderr", b"") or str(error).encode()
        raise AmatError(f"git {arguments[0]} failed in {root}: {message.decode(errors='replace').strip()}") from error
