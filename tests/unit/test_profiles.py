# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The pipeline's profiles: which parameters notebooks get, and which read shipped tables instead of computing."""

import json
import re
import runpy
import shutil

import pytest
import yaml

from amat import paths
from amat.compendium.pipeline import PROFILES, notebook_parameters

SHIP = "scripts/ship_tables.py"
CONFIG = yaml.safe_load((paths.CONFIG / "config.yaml").read_text())


def test_profile_sets_the_parameters_of_a_notebook():
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
def test_notebook_with_profiles_shows_its_profile_and_reads_shipped_tables(name):
    cells = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    (parameters,) = ["".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert re.search(r'^shipped = ""', parameters, re.MULTILINE)
    assert re.search(r'^profile = "quick"', parameters, re.MULTILINE)
    text = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert "profile {{ profile }} ({ref}`profiles`)" in text
    for parameter in CONFIG["full"][name]:
        assert re.search(rf"^{parameter} = ", parameters, re.MULTILINE), parameter


@pytest.mark.parametrize("name", CONFIG["full"])
def test_shipped_tables_have_the_parameters_of_the_full_profile(name):
    record = json.loads((paths.DATA / "full" / name / "provenance.json").read_text())
    assert record["parameters"] == {**CONFIG["notebooks"][name], **CONFIG["full"][name], "profile": PROFILES["full"]}
    assert not record["commit"].endswith("+changes")
    assert list((paths.DATA / "full" / name).glob("*.csv.gz"))


def test_failed_copy_leaves_the_old_tables(root, tmp_path, monkeypatch):
    """The first copy fails at its last file; the second one succeeds."""
    main = runpy.run_path(str(root / SHIP))["main"]
    source, target = tmp_path / "results" / "maps", tmp_path / "data" / "full" / "maps"
    for folder, text in ((source, "new"), (target, "old")):
        folder.mkdir(parents=True)
        for name in ("a.csv.gz", "b.csv.gz"):
            (folder / name).write_text(text)
    (target / "gone.csv.gz").write_text("old")
    (source / "provenance.json").write_text(json.dumps({"parameters": {"profile": PROFILES["full"]}}))
    (tmp_path / "config.yaml").write_text("notebooks: {maps: {}}\nfull: {maps: {}}\n")
    for name, value in {"ROOT": tmp_path, "CONFIG": tmp_path, "DATA": tmp_path / "data"}.items():
        monkeypatch.setattr(paths, name, value)
    monkeypatch.setattr("sys.argv", [SHIP])

    def copy(path, folder):
        if path.name == "provenance.json":
            raise OSError("the disk is full")
        shutil.copyfile(path, folder / path.name)

    with monkeypatch.context() as context:
        context.setattr(shutil, "copy", copy)
        with pytest.raises(OSError, match="full"):
            main()
    assert {path.name: path.read_text() for path in target.iterdir()} == dict.fromkeys(
        ("a.csv.gz", "b.csv.gz", "gone.csv.gz"), "old"
    )
    main()
    assert {path.name for path in target.iterdir()} == {"a.csv.gz", "b.csv.gz", "provenance.json"}
    assert (target / "a.csv.gz").read_text() == "new"
    assert list(target.parent.iterdir()) == [target]
