# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every file states its copyright holder and its licence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

#: Files with a header, so that a file can be copied alone; REUSE.toml describes all others.
WITH_HEADER = ("src/**/*.py", "scripts/*.py", "tests/**/*.py", "workflow/**/*.smk", "book/_static/explorer/*.js")


def test_every_file_has_holder_and_licence(clone):
    """Checked by the tool of the REUSE Specification, for the files that git tracks."""
    tool = Path(sys.executable).with_name("reuse")
    if not tool.is_file():
        pytest.skip("reuse is not installed: it belongs to the extra `release` in pyproject.toml")
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
    """The texts in LICENSES, which REUSE requires, are those in the usual places."""

    def text(path):
        return re.sub(r"\s+", " ", (root / path).read_text(encoding="utf-8"))

    assert text("LICENSES/GPL-2.0-or-later.txt") == text("LICENSE")
    assert text("LICENSES/Apache-2.0.txt") == text("book/_static/mathjax/LICENSE")
