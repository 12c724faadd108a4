# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The workflows of the hosting service call commands of this project that exist."""

import re

import pytest
import yaml
from typer.main import get_command

from amat import paths
from amat.cli.app import app

pytestmark = pytest.mark.usefixtures("clone")

WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))


def commands(path):
    """Return the shell commands of a workflow's steps, as one text."""
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    return "\n".join(step.get("run", "") for job in jobs for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_commands_and_files_exist(path):
    text = commands(path)
    called = re.findall(r"\./amat (\S+)", text)
    assert set(called) <= set(get_command(app).commands)
    files = re.findall(r"/opt/amat/([\w./-]+\.\w+)", text) + re.findall(r"\S+\.def\b", text)
    assert all((paths.ROOT / name).is_file() for name in files)


def test_images_are_built_when_their_files_change(root):
    """Each path of the filter exists; both triggers have the same."""
    workflow = yaml.safe_load((root / ".github" / "workflows" / "images.yml").read_text())
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as a boolean
    assert triggers["push"]["paths"] == triggers["pull_request"]["paths"]
    assert all((root / name.removesuffix("/**")).exists() for name in triggers["push"]["paths"])
