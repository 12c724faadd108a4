# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Groups of slow tests of which continuous integration takes one at each commit, in turn."""

import os
import subprocess

import pytest


def skip_unless_in_turn(group: int, groups: int) -> None:
    """Skip a test in continuous integration, unless it is the turn of its group."""
    if os.environ.get("CI") != "true":
        return
    command = ["git", "rev-list", "--count", "HEAD"]
    commits = int(subprocess.run(command, check=False, capture_output=True, text=True).stdout or 0)
    if group != commits % groups:
        pytest.skip(f"continuous integration tests one of {groups} groups at each commit; ./amat test tests all")
