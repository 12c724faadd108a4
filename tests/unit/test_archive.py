# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives of a small project: their content, the problems they report, and equal bytes for equal content."""

import datetime
import json
import os
import shutil
import subprocess
import tarfile

import pytest
import yaml

from amat import paths
from amat.errors import AmatError
from amat.files import hash_file
from amat.neurons import izhikevich_patterns
from amat.release.archive import Member, checksums, collect_files, find_runs, make_archive, pack, problems
from amat.release.run_crate import Run, describe


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def tree(clone, git, tmp_path, monkeypatch):
    """A checkout with the project's configuration, and outputs of all runs from its commit."""
    root = tmp_path / "checkout"
    for name in ("CITATION.cff", "config/config.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clone / name, root / name)
    write(root / ".gitignore", "/results/\n/book/notebooks/\n/book/generated/\n/_build/\n")
    write(root / "models" / "a.nestml", "model a:\n")
    write(root / "book" / "page.md", "# A page\n")
    write(root / "tool", "#!/bin/sh\n")
    (root / "tool").chmod(0o755)
    (root / "link").symlink_to("tool")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "first")
    notebooks = yaml.safe_load((root / "config" / "config.yaml").read_text())["notebooks"]
    names = [*(set(notebooks) - {"firing_pattern"}), *(f"patterns/{name}" for name in izhikevich_patterns())]
    record = {"notebook": "n.ipynb", "parameters": {"sets": 3}, "versions": {"nestml": "9.0.0"}}
    for name in names:
        write(root / "book" / "notebooks" / f"{name}.ipynb", "{}")
        commit = git(root, "rev-parse", "HEAD")
        write(root / "results" / name / "provenance.json", json.dumps({**record, "commit": commit}))
        write(root / "results" / name / "table.csv", "a\n1\n")
        write(root / "results" / name / ".snakemake_timestamp", "")
    write(root / "results" / "modules.json", "{}")
    write(root / "results" / "forgotten" / "table.csv", "of a notebook that was removed")
    write(root / "_build" / "html" / ".nojekyll", "")
    write(root / "_build" / "html" / "index.html", "<!doctype html>")
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def test_results_of_the_commit_have_no_problems(tree):
    runs = find_runs(tree)
    assert {run.name for run in runs} >= {"validation", "patterns/class_1"}
    assert problems(tree, runs) == []
    assert {run.started for run in runs} == {None}
    write(tree / "results" / "model" / "run_time.json", '{"started": "2030-01-02T03:04:05Z", "seconds": 60.5}')
    (timed,) = (run for run in find_runs(tree) if run.name == "model")
    assert timed.started == datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert timed.ended == datetime.datetime(2030, 1, 2, 3, 5, 5, 500000, tzinfo=datetime.UTC)


def test_outputs_are_checked_before_the_archive_is_made_and_links_are_followed(tree, tmp_path, monkeypatch):
    monkeypatch.setattr("amat.release.archive._sbom", lambda: b"{}")
    (tmp_path / "file").touch()
    with pytest.raises(AmatError, match=r"file/new/amat-.*\.tar\.gz cannot be written: Not a directory"):
        make_archive(tmp_path / "file" / "new")
    made = make_archive(tmp_path / "new")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / made.path.name).symlink_to(tmp_path / "target")
    assert make_archive(tmp_path / "links").sha256 == made.sha256 == hash_file(tmp_path / "target")


def test_problems_are_reported_and_prevent_an_archive(tree, git, tmp_path):
    """Each change on its own is reported; the archive's error message lists all of them."""
    (tree / "tool").write_text("changed")
    assert "not committed: tool" in "".join(problems(tree, find_runs(tree)))
    git(tree, "checkout", "--quiet", "tool")
    write(tree / "new.py", "")
    assert "not committed: new.py" in "".join(problems(tree, find_runs(tree)))
    (tree / "new.py").unlink()
    built = (tree / "_build" / "html" / "index.html").stat().st_mtime
    os.utime(tree / "book" / "page.md", (built + 1, built + 1))
    assert problems(tree, find_runs(tree)) == ["the site is older than book/page.md: run `amat reproduce`."]
    os.utime(tree / "_build" / "html" / "index.html", (0, 0))
    assert "site is older than its notebooks" in "".join(problems(tree, find_runs(tree)))
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "second")
    with pytest.raises(AmatError, match=r"(?s)from commit .*older than its.*--draft"):
        make_archive(tmp_path)
    assert list(tmp_path.glob("*.tar*")) == []


@pytest.mark.parametrize(
    "path", ["results/model/provenance.json", "book/notebooks/patterns/class_1.ipynb", "_build/html/index.html"]
)
def test_missing_results_are_reported(tree, tmp_path, path):
    (tree / path).unlink()
    with pytest.raises(AmatError, match=f"{path} is missing: run `amat reproduce`"):
        make_archive(tmp_path, draft=True)


def test_invalid_record_and_missing_git_are_reported(tree, tmp_path):
    write(tree / "results" / "model" / "provenance.json", '{"notebook": "model.ipynb"}')
    with pytest.raises(AmatError, match=r"results/model has no valid record of a run"):
        make_archive(tmp_path)
    shutil.rmtree(tree / ".git")
    with pytest.raises(AmatError, match="needs a git checkout"):
        make_archive(tmp_path)


def test_refusal_of_git_is_reported(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(AmatError, match=r"(?s)dubious ownership.*git config --global --add safe\.directory"):
        make_archive(tmp_path, draft=True)


def test_a_system_without_git_is_reported(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AmatError, match=r"No such file or directory: 'git'"):
        make_archive(tmp_path, draft=True)


def test_archive_contains_sources_and_outputs_only(tree):
    members = collect_files(tree, find_runs(tree))
    assert members["tool"] == Member(b"#!/bin/sh\n", executable=True)
    assert members["link"] == Member(link="tool")
    assert members["models/a.nestml"] == Member(b"model a:\n")
    assert members["outputs/results/patterns/class_1/table.csv"].content == b"a\n1\n"
    assert {"outputs/notebooks/validation.ipynb", "outputs/site/index.html", "outputs/site/.nojekyll"} <= set(members)
    assert not [name for name in members if "forgotten" in name or "snakemake" in name or name.startswith(".git/")]


def test_bytes_do_not_depend_on_time_folder_or_order(tmp_path):
    members = {"b/x": Member(b"1", executable=True), "a": Member(b"2"), "l": Member(link="a")}
    pack(tmp_path / "one.tar.gz", "top", members, 1_700_000_000)
    (tmp_path / "elsewhere").mkdir()
    pack(tmp_path / "elsewhere" / "two.tar.gz", "top", dict(reversed(members.items())), 1_700_000_000)
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "elsewhere" / "two.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.gz") as unpacked:
        entries = {entry.name: entry for entry in unpacked}
    assert {entry.mtime for entry in entries.values()} == {1_700_000_000}
    assert {(entry.uid, entry.uname) for entry in entries.values()} == {(0, "")}
    assert (entries["top/b/x"].mode, entries["top/a"].mode) == (0o755, 0o644)
    assert entries["top/l"].linkname == "a"


def test_sha256sum_accepts_the_digests_and_detects_changes(tmp_path):
    (tmp_path / "a").write_bytes(b"2")
    (tmp_path / "SHA256SUMS").write_bytes(checksums({"a": Member(b"2"), "l": Member(link="a")}))
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "a").write_bytes(b"3")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 1


CITATION = {
    "title": "t",
    "abstract": "a",
    "version": "1",
    "keywords": [],
    "authors": [{"family-names": "Doe", "given-names": "Jo"}],
    "references": [],
}


def test_run_is_described_with_its_objects_and_results():
    started = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    parameters = {"sets": 3, "pairs": [[1, 2]]}
    run = Run("x", "x.ipynb", parameters, {"papermill": "2.7.0", "nestml": "9.0.0"}, "c0ffee", started)
    names = ["notebooks/x.ipynb", "models/a.nestml", "outputs/results/modules.json", "outputs/notebooks/x.ipynb"]
    names += ["data/d.csv", "outputs/results/x/t.csv", "outputs/results/x2/t.csv"]
    described = describe(dict.fromkeys(names, b""), [run], CITATION, "c0ffee", 1_700_000_000)
    entities = {entity["@id"]: entity for entity in described["@graph"]}

    def identifiers(key):
        return [item["@id"] for item in entities["#run-x"][key]]

    assert identifiers("object")[0] == "notebooks/x.ipynb"
    assert set(identifiers("object")) >= {"models/a.nestml", "outputs/results/modules.json", "data/"}
    assert identifiers("result") == ["outputs/notebooks/x.ipynb", "outputs/results/x/t.csv"]
    assert {entities[name]["softwareVersion"] for name in identifiers("instrument")} == {"2.7.0", "9.0.0"}
    assert entities["#parameter-x-sets"]["value"] == 3
    assert entities["#parameter-x-pairs"]["value"] == "[[1, 2]]"
    assert entities["./"]["datePublished"] == "2023-11-14T22:13:20+00:00"
    assert entities["./"]["mentions"] == [{"@id": "#run-x"}]
    assert entities["#run-x"]["startTime"] == "2030-01-02T03:04:05+00:00"
    assert "endTime" not in entities["#run-x"]
    parts = [part["@id"] for part in entities["./"]["hasPart"]]
    assert len(set(parts)) == len(parts)
    assert set(parts) >= {"data/", "models/", "outputs/", "outputs/results/", *names[:-3], "outputs/results/x/t.csv"}
