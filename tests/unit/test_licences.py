# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who holds the rights in a file, and under which licence, is said of every file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

#: Files that say it themselves, so that they may be taken along alone; of the others REUSE.toml says it.
WITH_HEADER = [
    "src/amat/archive.py",
    "src/amat/citation.py",
    "src/amat/cli_archive.py",
    "src/amat/deposit.py",
    "src/amat/run_crate.py",
    "tests/integration/test_archive.py",
    "tests/unit/test_archive.py",
    "tests/unit/test_citation.py",
    "tests/unit/test_deposit.py",
    "tests/unit/test_licences.py",
]


def test_every_file_has_holder_and_licence(root):
    """By the REUSE Specification's own tool; it looks at what git would take."""
    tool = Path(sys.executable).with_name("reuse")
    if not tool.is_file():
        pytest.skip("reuse is not installed: it is one of the packages of pyproject.toml's `release`")
    if not (root / ".git").exists():
        pytest.skip("no git checkout: what was made could not be told from the sources")
    finished = subprocess.run([tool, "--root", root, "lint"], check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("name", WITH_HEADER)
def test_a_source_file_names_its_holder_and_licence(root, name):
    # REUSE-IgnoreStart
    head = (root / name).read_text(encoding="utf-8")[:500]
    assert "SPDX-FileCopyrightText: The AMAT compendium developers" in head
    assert "SPDX-License-Identifier: GPL-2.0-or-later" in head
    # REUSE-IgnoreEnd


def test_licences_have_their_texts(root):
    """The texts that REUSE wants are those that stand in the usual places."""

    def words(path):
        return re.sub(r"\s+", " ", (root / path).read_text(encoding="utf-8"))

    assert words("LICENSES/GPL-2.0-or-later.txt") == words("LICENSE")
    assert words("LICENSES/Apache-2.0.txt") == words("book/_static/mathjax/LICENSE")
