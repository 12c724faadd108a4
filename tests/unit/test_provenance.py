# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Records of provenance: versions and commit, but nothing that identifies the machine or its user."""

import json
import os
import platform

import pytest

from amat import paths
from amat.compendium import pipeline
from amat.compendium.provenance import commit, commit_time, provenance_record
from amat.errors import AmatError


def test_record_contains_the_pinned_versions():
    record = provenance_record(seed=3)
    assert record["seed"] == 3
    assert record["versions"]["nest-simulator"] == "3.10.0"
    assert record["versions"]["nestml"] == "9.0.0"


def test_record_contains_only_allowed_facts_about_the_machine(tmp_path):
    record = provenance_record()
    assert set(record) == {"versions", "commit", "machine"}
    assert set(record["machine"]) == {"system", "architecture", "cpu", "usable_cores"}
    text = json.dumps(record)
    assert platform.node() not in text or len(platform.node()) < 4
    assert str(tmp_path.home()) not in text
    user = next(filter(None, map(os.environ.get, ("LOGNAME", "USER"))), None)  # neither is set in some images
    assert f'"{user}"' not in text


@pytest.fixture
def tree(clone, git, tmp_path, monkeypatch):
    """A copy of the project without git, inside another repository."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    root = tmp_path / "copy"
    root.mkdir()
    (root / "file").write_text("one")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "another project")
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def test_commit_of_a_copy_comes_from_its_file_and_not_from_an_enclosing_repository(tree):
    assert commit() is None
    assert commit_time() is None
    assert pipeline.step_environment()["SOURCE_DATE_EPOCH"] == "0"
    (tree / "source.json").write_text('{"commit": "c0ffee", "date": 1700000000}')
    assert commit() == "c0ffee"
    assert commit_time() == 1700000000
    assert pipeline.step_environment()["SOURCE_DATE_EPOCH"] == "1700000000"


def test_commit_of_a_checkout_comes_from_git_and_marks_changes(tree, git):
    """A file that describes a copy is present as well, and is not used."""
    (tree / "source.json").write_text('{"commit": "c0ffee", "date": 1700000000}')
    git(tree, "init", "--quiet")
    assert commit() is None
    assert commit_time() is None
    git(tree, "add", "file")
    git(tree, "commit", "--quiet", "--message", "first")
    assert commit() == git(tree, "rev-parse", "HEAD")
    assert commit_time() == int(git(tree, "log", "-1", "--format=%ct"))
    (tree / "file").write_text("two")
    assert commit() == git(tree, "rev-parse", "HEAD") + "+changes"


@pytest.mark.parametrize("damaged", ["", "[]", '{"commit": "c0ffee"}', '{"commit": "c0ffee", "date": "today"}'])
def test_invalid_description_of_a_copy_is_reported(tree, damaged):
    (tree / "source.json").write_text(damaged)
    with pytest.raises(AmatError, match=r"source\.json is not a valid record of a commit"):
        commit()


def test_refusal_of_git_is_reported(tree, git, monkeypatch):
    """Git's own test of a checkout that belongs to another user."""
    git(tree, "init", "--quiet")
    git(tree, "add", "file")
    git(tree, "commit", "--quiet", "--message", "first")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for ask in (commit, commit_time, provenance_record):
        with pytest.raises(AmatError, match=r"(?s)dubious ownership.*git config --global --add safe\.directory"):
            ask()
