# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Records tell what ran, and nothing about whose machine it was."""

import json
import os
import platform
import subprocess

import pytest

from amat import paths
from amat.compendium import pipeline
from amat.compendium.provenance import commit, commit_time, provenance_record
from amat.errors import AmatError


def test_record_names_the_versions_that_are_pinned():
    record = provenance_record(seed=3)
    assert record["seed"] == 3
    assert record["versions"]["nest-simulator"] == "3.10.0"
    assert record["versions"]["nestml"] == "9.0.0"


def test_record_holds_only_allowed_facts_of_the_machine(tmp_path):
    record = provenance_record()
    assert set(record) == {"versions", "commit", "machine"}
    assert set(record["machine"]) == {"system", "architecture", "cpu", "usable_cores"}
    text = json.dumps(record)
    assert platform.node() not in text or len(platform.node()) < 4
    assert str(tmp_path.home()) not in text
    user = next(filter(None, map(os.environ.get, ("LOGNAME", "USER"))), None)  # in an image there may be none
    assert f'"{user}"' not in text


def git(folder, *words):
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    finished = subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True)
    return finished.stdout.strip()


@pytest.fixture
def tree(clone, tmp_path, monkeypatch):
    """A copy of the project in a folder of somebody else's repository, as far as this module looks."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    root = tmp_path / "copy"
    root.mkdir()
    (root / "file").write_text("one")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "somebody else's")
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def test_a_copy_is_the_commit_that_its_file_names_and_none_of_a_repository_around_it(tree):
    assert commit() is None
    assert commit_time() is None
    assert pipeline.step_environment()["SOURCE_DATE_EPOCH"] == "0"
    (tree / "source.json").write_text('{"commit": "c0ffee", "date": 1700000000}')
    assert commit() == "c0ffee"
    assert commit_time() == 1700000000
    assert pipeline.step_environment()["SOURCE_DATE_EPOCH"] == "1700000000"


def test_a_checkout_is_asked_itself_and_tells_changes(tree):
    """Git's own answers, with a left-over file of a copy beside."""
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
def test_a_damaged_description_of_a_copy_is_named(tree, damaged):
    (tree / "source.json").write_text(damaged)
    with pytest.raises(AmatError, match=r"source\.json does not tell which commit"):
        commit()
