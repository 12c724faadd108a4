# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""An archive of the project and of what it made: one file that holds all, describes itself, and runs by itself."""

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
from amat.files import check_writable, replacing, write_text
from amat.neurons import izhikevich_patterns
from amat.release.citation import read_citation
from amat.release.run_crate import METADATA, Run, describe
from amat.release.sbom import write_sbom

__all__ = ["DRAFT", "SBOM", "SUMS", "Archive", "checksums", "find_runs", "make_archive", "pack", "problems", "sha256"]

#: Ending of the name of an archive that is not fit to be published.
DRAFT = "-draft"
#: The software bill of materials, in the archive.
SBOM = "sbom.cdx.json"
#: Digests of all other files in the archive.
SUMS = "SHA256SUMS"

#: What the pipeline made, and where the archive keeps it: aside, so that `./amat reproduce` makes all of it again.
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
    """An archive that was made.

    Parameters
    ----------
    path : pathlib.Path
    sha256 : str
        Its digest, which stands in a file beside it, too.
    problems : list of str
        Why it is a draft; empty if it is fit to be published.
    """

    path: Path
    sha256: str
    problems: list[str]


@dataclasses.dataclass(frozen=True)
class Member:
    """A file in an archive: its content, or where a link leads."""

    content: bytes = b""
    executable: bool = False
    link: str = ""


def make_archive(output: Path, *, draft: bool = False) -> Archive:
    """Write an archive of the commit, with what the pipeline made of it.

    It holds the sources, the executed notebooks, tables, figures and the site; a description of all runs as an
    RO-Crate, the packages that were installed, and digests. The same commit, results and packages give the same bytes.

    Parameters
    ----------
    output : pathlib.Path
        The folder to write to.
    draft : bool
        Also archive what is not fit to be published, under a name that says so.

    Raises
    ------
    AmatError
        If this is no git checkout, results are missing, or, unless `draft`, the sources have changes that are not
        committed or results are not of the commit.
    """
    root = paths.ROOT
    if root is None or not (root / ".git").exists():
        raise AmatError("An archive is made from a git checkout, and this is none: clone the project, and do it there.")
    runs = find_runs(root)
    found = problems(root, runs)
    if found and not draft:
        listed = "\n".join(f"  - {problem}" for problem in found)
        raise AmatError(f"This is not fit to be published:\n{listed}\nFor a draft of the archive: --draft.")
    check_writable(output)
    named, date = commit(), commit_time()
    assert named is not None
    assert date is not None
    members = _sources(root) | _outputs(root, runs)
    members[SOURCE] = Member((json.dumps({"commit": named, "date": date}) + "\n").encode())
    members[SBOM] = Member(_sbom())
    described = describe(members, runs, read_citation(root), named, date)
    members[METADATA] = Member((json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode())
    members[SUMS] = Member(checksums(members))
    name = f"amat-{read_citation(root)['version']}"
    path = output / f"{name}-{named[:10]}{DRAFT if found else ''}.tar.gz"
    pack(path, name, members, date)
    digest = sha256(path)
    write_text(path.with_name(f"{path.name}.sha256"), f"{digest}  {path.name}\n")
    return Archive(path, digest, found)


def find_runs(root: Path) -> list[Run]:
    """Return the runs of notebooks that the configuration names, with their provenance.

    Raises
    ------
    AmatError
        If one of them has not been made, or its provenance cannot be read.
    """
    notebooks = list(check_config(root / "config" / "config.yaml")["notebooks"])
    names = [name for name in notebooks if name != _PATTERN_NOTEBOOK]
    names += [f"patterns/{pattern}" for pattern in izhikevich_patterns()]
    runs = []
    for name in names:
        executed = root / "book" / "notebooks" / f"{name}.ipynb"
        record = root / "results" / name / "provenance.json"
        lacking = [path for path in (executed, record) if not path.is_file()]
        if lacking:
            raise AmatError(f"{lacking[0]} is missing: `amat reproduce` makes it. Then make the archive.")
        try:
            provenance = json.loads(record.read_text(encoding="utf-8"))
            started, ended = _run_time(record.with_name("run_time.json"))
            told = {key: provenance[key] for key in ("notebook", "parameters", "versions", "commit")}
            runs.append(Run(name, **told, started=started, ended=ended))
        except (ValueError, KeyError, TypeError) as error:
            raise AmatError(
                f"{record.parent} has no record of a run ({error!r}): delete it, and `amat reproduce`."
            ) from error
    return runs


def _run_time(path: Path) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return when a notebook was started and had ended, where its results tell it."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, None
    started = datetime.datetime.fromisoformat(told["started"])
    return started, started + datetime.timedelta(seconds=float(told["seconds"]))


def problems(root: Path, runs: Iterable[Run]) -> list[str]:
    """Return why the checkout and its results are not fit to be published, and what mends it.

    Parameters
    ----------
    root : pathlib.Path
        The checkout.
    runs : iterable of Run
        As `find_runs` returns them.

    Raises
    ------
    AmatError
        If the checkout has no commit, or the site is missing.
    """
    named = commit()
    index = root / "_build" / "html" / "index.html"
    if named is None:
        raise AmatError(f"git finds no commit in {root}: the archive is named by one. Commit first.")
    if not index.is_file():
        raise AmatError(f"{index} is missing: `amat reproduce` makes it. Then make the archive.")
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
            f"results of {', '.join(names)} are of the commit {other or 'unknown'}, and this is {named}: delete "
            "results, and `amat reproduce`."
        )
    pages = [root / "book" / "notebooks" / f"{run.name}.ipynb" for run in runs]
    if pages and max(page.stat().st_mtime for page in pages) > index.stat().st_mtime:
        found.append("the site is older than its notebooks: `amat reproduce` makes it again.")
    # What the pipeline builds the site of, besides what it made itself.
    sources = [root / name for name in _tracked(root, "_config.yml", "book", "data")]
    latest = max(sources, key=lambda path: path.lstat().st_mtime, default=index)
    if latest.lstat().st_mtime > index.stat().st_mtime:
        found.append(f"the site is older than {latest.relative_to(root)}: `amat reproduce` makes it again.")
    return found


def checksums(members: Mapping[str, Member]) -> bytes:
    """Return what `sha256sum --check` reads: a line for each file."""
    lines = [
        f"{hashlib.sha256(member.content).hexdigest()}  {name}\n"
        for name, member in sorted(members.items())
        if not member.link
    ]
    return "".join(lines).encode()


def pack(path: Path, folder: str, members: Mapping[str, Member], date: int) -> None:
    """Write a compressed archive that depends on nothing but names, contents and the date.

    Parameters
    ----------
    path : pathlib.Path
    folder : str
        The one folder that it unpacks to.
    members : mapping
        Files by their names in that folder.
    date : int
        Of all files, in seconds since 1970.
    """
    with (
        replacing(path) as temporary,
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


def sha256(path: Path) -> str:
    """Return a file's digest."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sources(root: Path) -> dict[str, Member]:
    """Return the tracked files, as they are in the checkout."""
    return {name: _member(root / name) for name in _tracked(root)}


def _tracked(root: Path, *within: str) -> list[str]:
    """Return the names of the tracked files that are there, all or those of some folders and files."""
    names = _git(root, "ls-files", "-z", "--", *within).decode().split("\0")
    return [name for name in names if name and os.path.lexists(root / name)]


def _outputs(root: Path, runs: Iterable[Run]) -> dict[str, Member]:
    """Return what the runs made, and the site: nothing that an earlier configuration left."""
    found = [root / "results" / "modules.json"]
    for run in runs:
        found.append(root / "book" / "notebooks" / f"{run.name}.ipynb")
        found += (root / "results" / run.name).rglob("*")
    for folder in ("book/generated", "_build/html"):
        found += (root / folder).rglob("*")
    members = {}
    for path in found:
        relative = path.relative_to(root).as_posix()
        made = next(folder for folder in OUTPUTS if relative.startswith(f"{folder}/"))
        # The workflow's own marks, and what a killed run left half-written.
        hidden = path.name.startswith(".") and made != "_build/html"
        if path.is_file() and not hidden:
            members[OUTPUTS[made] + relative.removeprefix(made)] = _member(path)
    return members


def _member(path: Path) -> Member:
    if path.is_symlink():
        return Member(link=str(path.readlink()))
    return Member(path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def _sbom() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_sbom(Path(folder) / SBOM).read_bytes()


def _git(root: Path, *words: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        told: Any = getattr(error, "stderr", b"") or str(error).encode()
        raise AmatError(f"git {words[0]} failed in {root}: {told.decode(errors='replace').strip()}") from error
