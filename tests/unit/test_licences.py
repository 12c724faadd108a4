# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who holds the rights in a file, and under which licence, is said of every file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

#: What says it in a header, so that a file may be taken along alone; of all others REUSE.toml says it.
WITH_HEADER = ("src/**/*.py", "scripts/*.py", "tests/**/*.py", "workflow/**/*.smk", "book/_static/explorer/*.js")


def test_every_file_has_holder_and_licence(clone):
    """By the REUSE Specification's own tool; it looks at what git would take."""
    tool = Path(sys.executable).with_name("reuse")
    if not tool.is_file():
        pytest.skip("reuse is not installed: it is one of the packages of pyproject.toml's `release`")
    finished = subprocess.run([tool, "--root", clone, "lint"], check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_source_files_name_their_holder_and_licence(root):
    files = [path for pattern in WITH_HEADER for path in root.glob(pattern)]
    assert len(files) > 200
    # REUSE-IgnoreStart
    for path in files:
        head = path.read_text(encoding="utf-8")[:500]
        assert "SPDX-FileCopyrightText: The AMAT compendium developers" in head, path
        assert "SPDX-License-Identifier: GPL-2.0-or-later" in head, path
    # REUSE-IgnoreEnd


def test_licences_have_their_texts(root):
    """The texts that REUSE wants are those that stand in the usual places."""

    def words(path):
        return re.sub(r"\s+", " ", (root / path).read_text(encoding="utf-8"))

    assert words("LICENSES/GPL-2.0-or-later.txt") == words("LICENSE")
    assert words("LICENSES/Apache-2.0.txt") == words("book/_static/mathjax/LICENSE")
