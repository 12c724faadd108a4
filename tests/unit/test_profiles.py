# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The pipeline's profiles: what is computed, and what is taken from the tables that the project ships."""

import json
import re

import pytest
import yaml

from amat import paths
from amat.pipeline import PROFILES, notebook_parameters

CONFIG = yaml.safe_load((paths.CONFIG / "config.yaml").read_text())


def test_a_profile_decides_on_a_notebooks_parameters():
    config = {
        "profile": "quick",
        "notebooks": {"maps": {"points": 3, "seed": 1}, "model": {}},
        "full": {"maps": {"points": 9}},
    }
    assert notebook_parameters(config, "maps") == {"points": 3, "seed": 1, "profile": "quick"}
    full = {"points": 9, "seed": 1, "profile": "full"}
    assert notebook_parameters({**config, "profile": "full"}, "maps") == full
    shipped = notebook_parameters({**config, "profile": "shipped"}, "maps")
    assert shipped == {**full, "shipped": "data/full/maps", "profile": PROFILES["shipped"]}
    for profile in PROFILES:
        assert notebook_parameters({**config, "profile": profile}, "model") == {}


@pytest.mark.parametrize("name", CONFIG["full"])
def test_a_notebook_with_profiles_says_which_it_is_and_can_read_tables(name):
    cells = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    (parameters,) = ["".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert re.search(r'^shipped = ""', parameters, re.MULTILINE)
    assert re.search(r'^profile = "quick"', parameters, re.MULTILINE)
    text = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert "profile {{ profile }} ({ref}`profiles`)" in text
    for parameter in CONFIG["full"][name]:
        assert re.search(rf"^{parameter} = ", parameters, re.MULTILINE), parameter


@pytest.mark.parametrize("name", CONFIG["full"])
def test_shipped_tables_were_made_with_the_full_profiles_parameters(name):
    record = json.loads((paths.DATA / "full" / name / "provenance.json").read_text())
    assert record["parameters"] == {**CONFIG["notebooks"][name], **CONFIG["full"][name], "profile": PROFILES["full"]}
    assert not record["commit"].endswith("+changes")
    assert list((paths.DATA / "full" / name).glob("*.csv.gz"))
