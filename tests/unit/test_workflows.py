# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What a hosting service runs: the project's own commands, on a system that has what ``./amat`` asks for."""

import re

import pytest
import yaml

from amat import paths

pytestmark = pytest.mark.usefixtures("clone")

WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))
COMMANDS = {"ci": "./amat test", "pages": "./amat reproduce"}
#: Tools that ``./amat`` asks for by the name of their package, and Python.
TOOLS = {"cmake", "make", "git", "g++", "python3", "python3-venv"}


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_is_a_workflow_for_each_command():
    assert {path.stem for path in WORKFLOWS} == set(COMMANDS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_the_projects_command_on_what_it_needs(path):
    """The packages that are installed are those that the door would name."""
    run = [step["run"] for step in steps(yaml.safe_load(path.read_text())) if "run" in step]
    assert run[1:] == [COMMANDS[path.stem]]
    installed = set(run[0].split("--no-install-recommends", 1)[1].split())
    door = (paths.ROOT / "amat").read_text()
    headers = re.search(r"declare -A headers=\((.*)\)", door)
    assert headers is not None
    assert installed == TOOLS | set(re.findall(r"=([\w-]+)", headers[1]))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_use_githubs_own_actions_and_are_bounded(path):
    workflow = yaml.safe_load(path.read_text())
    for step in steps(workflow):
        assert "run" in step or re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
    assert workflow["permissions"] == {"contents": "read"}


def test_the_site_is_what_is_published():
    workflow = yaml.safe_load((paths.ROOT / ".github" / "workflows" / "pages.yml").read_text())
    upload = next(step for step in steps(workflow) if "upload-pages-artifact" in step.get("uses", ""))
    assert upload["with"]["path"] == "_build/html"
    deploy = workflow["jobs"]["deploy"]
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert deploy["environment"]["name"] == "github-pages"
