# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The bundle for NESTML: generated from this repository, reproducible, and accepted by NESTML's checks.

Tests that need the compiled model, for the figures, are marked slow. A folder stands for NESTML's sources: it holds the
models of the installed NESTML, and lists of models and tutorials in NESTML's form.
"""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from amat import paths, toolchain
from amat.analysis import patterns
from amat.errors import AmatError
from amat.release.upstream import assemble, check_files
from amat.release.upstream.bundle import git
from amat.release.upstream.checks import STYLE_OPTIONS
from amat.release.upstream.model import library_model, licence_header, parse
from amat.release.upstream.pages import insert_entry, write_page
from amat.release.upstream.tutorial import apart, port_tutorial

NAME = "amat2_psc_exp_neuron"
SOURCE = paths.MODELS / f"{NAME}.nestml"

INDEX = """\
Models library
==============

Neuron models
~~~~~~~~~~~~~


:doc:`aeif_cond_exp_neuron <aeif_cond_exp_neuron>`
--------------------------------------------------

A neuron


:doc:`izhikevich_neuron <izhikevich_neuron>`
--------------------------------------------

Another neuron

Synapse models
~~~~~~~~~~~~~~


:doc:`static_synapse <static_synapse>`
--------------------------------------

A synapse
"""
TUTORIALS = """\
Creating neuron models
----------------------

* :doc:`Izhikevich tutorial </tutorials/izhikevich/nestml_izhikevich_tutorial>`

  A neuron
"""


@pytest.fixture(scope="module")
def parts() -> Path:
    assert paths.ROOT is not None
    return paths.ROOT / "upstream" / "nestml"


@pytest.fixture(scope="module")
def source_tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "pynestml").mkdir()
    shutil.copytree(Path(sys.prefix) / "models", folder / "models")
    (folder / "doc" / "models_library").mkdir(parents=True)
    (folder / "doc" / "tutorials").mkdir()
    (folder / "doc" / "models_library" / "index.rst").write_text(INDEX)
    (folder / "doc" / "tutorials" / "tutorials_list.rst").write_text(TUTORIALS)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, source_tree):
    return assemble(tmp_path_factory.mktemp("bundle"), source_tree=source_tree, texts=False)


def test_the_model_has_nestmls_licence_and_no_second_table_of_parameters():
    """Everything after the comment at the top is unchanged."""
    ours, theirs = SOURCE.read_text(), library_model(SOURCE)
    assert ours.split("\nmodel ")[1] == theirs.split("\nmodel ")[1]
    assert "# Parameters\n" in ours
    assert "# Parameters\n" not in theirs
    library = Path(sys.prefix) / "models" / "neurons" / "iaf_psc_exp_neuron.nestml"
    statement = library.read_text().split("# Copyright statement")[1].split("\nmodel ")[0]
    assert statement in theirs


def test_a_model_without_the_expected_comment_is_rejected(tmp_path):
    (tmp_path / "odd.nestml").write_text("# odd\nmodel odd:\n")
    with pytest.raises(AmatError, match="0 tables of parameters"):
        library_model(tmp_path / "odd.nestml")


def test_nestml_parses_the_model_and_rejects_a_wrong_unit(tmp_path):
    good, bad = tmp_path / f"{NAME}.nestml", tmp_path / "bad.nestml"
    good.write_text(library_model(SOURCE))
    assert parse(good, tmp_path).get_name() == NAME
    bad.write_text(good.read_text().replace("I_drive' = 0 pA/ms", "I_drive' = 0 mV"))
    with pytest.raises(AmatError, match="inconsistent units"):
        parse(bad, tmp_path)


def test_the_page_has_the_form_of_nestmls_pages_and_all_parameters(tmp_path):
    model = tmp_path / f"{NAME}.nestml"
    model.write_text(library_model(SOURCE))
    write_page(model, tmp_path / "page.rst", tmp_path)
    page = (tmp_path / "page.rst").read_text()
    assert page.startswith(f"{NAME}\n{'#' * len(NAME)}\n")
    assert page.count("\nParameters\n") == 1
    assert '"omega", "mV", "5 mV", "Resting threshold, relative to E_L"' in page
    assert f".. include:: {NAME}_characterisation.rst" in page
    assert "Generated at" not in page  # a time would make each page different


def test_the_test_has_nestmls_header_and_style(parts):
    test = parts / "tests" / "nest_tests" / f"test_{NAME}.py"
    assert test.read_text().startswith(licence_header(test.name))
    pytest.importorskip("pycodestyle", reason="pycodestyle, NESTML's check of style, is not installed")
    command = [sys.executable, "-m", "pycodestyle", *STYLE_OPTIONS, str(test)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout


def test_the_tutorial_does_not_import_this_projects_package(parts):
    text = port_tutorial(parts / "doc" / "tutorials" / "changes.yaml")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    ours = json.loads(paths.TUTORIAL.read_text())["cells"]
    kept = {cell["id"] for cell in notebook.cells}
    same = {cell["id"] for cell in ours if "".join(cell["source"]) in {c.source for c in notebook.cells}}
    assert kept < {cell["id"] for cell in ours}
    assert len(same) > len(kept) / 2
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    compile(code, "tutorial", "exec")
    assert "amat." not in code
    numbers = [line for cell in notebook.cells for line in cell.source.split("**Exercise ")[1:]]
    assert [int(line.split(".")[0]) for line in numbers] == list(range(1, len(numbers) + 1))


@pytest.mark.slow
def test_patterns_of_the_tutorial_fulfil_their_criteria(parts):
    """In the tutorial tau_v differs from tau_m, where NESTML's closed formulae yield NaN."""
    names = yaml.safe_load((parts / "doc" / "tutorials" / "changes.yaml").read_text())["patterns"]
    trials = [patterns.find_trial(name, "amat") for name in names]
    moved = []
    for trial in trials:
        parameters = trial.neuron.parameters
        tau_v = apart(parameters.tau_v, parameters.tau_m)
        assert abs(tau_v / parameters.tau_m - 1) > 5e-3
        neuron = dataclasses.replace(trial.neuron, parameters=parameters.replace(tau_v=tau_v))
        moved.append(dataclasses.replace(trial, neuron=neuron))
    for trial, response in zip(moved, patterns.run_trials(moved), strict=True):
        verdict = patterns.CRITERIA[trial.neuron.pattern].decide(response)
        assert verdict.passed, f"{trial.neuron.pattern}: {verdict.reason}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("patterns: []\ndrop: [cell-99]\nreplace: {}\n", "no cells"),
        ("patterns: []\ndrop: []\nreplace: {cell-01: [[nowhere, x]]}\n", "contains 'nowhere' 0 times"),
        ("patterns: []\ndrop: []\nreplace: {}\n", "needs the package amat"),
    ],
)
def test_changes_that_do_not_fit_the_tutorial_are_rejected(tmp_path, changes, message):
    (tmp_path / "changes.yaml").write_text(changes)
    with pytest.raises(AmatError, match=message):
        port_tutorial(tmp_path / "changes.yaml")


def test_an_entry_is_inserted_in_the_order_of_names():
    text = insert_entry(INDEX, "ENTRY", "amat")
    assert text is not None
    places = [text.index(word) for word in ("aeif_cond", "ENTRY", "izhikevich", "static_synapse")]
    assert places == sorted(places)
    assert insert_entry("no list", "ENTRY", "amat") is None


@pytest.mark.usefixtures("clone")
def test_earlier_texts_are_removed_with_a_new_patch(tmp_path, monkeypatch):
    monkeypatch.setattr("amat.release.upstream.bundle.write_figures", lambda *_: None)
    for name in ("pull_request.md", "amat2_psc_exp.md", "own.md"):
        (tmp_path / name).write_text("old")
    bundle = assemble(tmp_path, texts=False)
    assert {path.name for path in tmp_path.iterdir()} == {bundle.patch.name, bundle.tree.name, "own.md"}


def test_a_folder_that_is_not_from_an_earlier_bundle_is_kept(tmp_path):
    """Such as NESTML's sources, next to which the bundle is written."""
    (tmp_path / "nestml" / "pynestml").mkdir(parents=True)
    with pytest.raises(AmatError, match="nestml is not from an earlier bundle and would be replaced"):
        assemble(tmp_path, source_tree=tmp_path / "nestml")
    assert (tmp_path / "nestml" / "pynestml").is_dir()


def test_missing_git_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AmatError, match="git is missing"):
        git(tmp_path, "status")


def test_sources_without_nestml_are_rejected(tmp_path):
    with pytest.raises(AmatError, match="does not hold NESTML's sources"):
        assemble(tmp_path / "out", source_tree=tmp_path)


@pytest.mark.slow
def test_the_bundle_has_nestmls_layout(bundle):
    folders = {str(path.parent) for path in bundle.files}
    assert folders == {"models/neurons", "doc/models_library", "doc/tutorials/amat", "tests/nest_tests"}
    assert {str(path) for path in bundle.changed} == {
        "doc/models_library/index.rst",
        "doc/tutorials/tutorials_list.rst",
    }
    assert sum(path.suffix == ".png" for path in bundle.files) == 6
    assert toolchain.SHIPPED_MODELS[toolchain.AMAT].source.name in {path.name for path in bundle.files}


@pytest.mark.slow
def test_assembling_again_gives_the_same_patch_byte_for_byte(bundle, source_tree, tmp_path):
    again = assemble(tmp_path, source_tree=source_tree, texts=False)
    assert again.patch.read_bytes() == bundle.patch.read_bytes()


@pytest.mark.slow
def test_nestmls_checks_of_the_files_pass(bundle, source_tree):
    """New files, the patch applied by git, licence, style, quotes, parser and context conditions, Sphinx."""
    checks = {one.name: one for one in check_files(bundle, source_tree)}
    assert len(checks) == 7
    not_made = [one for one in checks.values() if one.passed is None]
    assert all("not installed" in one.detail for one in not_made)
    assert [one for one in checks.values() if one.passed is False] == []
    assert "2 changed" in checks["git applies the patch"].detail


@pytest.mark.slow
def test_checks_find_a_name_conflict(bundle, source_tree, tmp_path):
    """NESTML has a file of that name already, and the patch does not apply."""
    occupied = tmp_path / "sources"
    shutil.copytree(source_tree, occupied)
    (occupied / "models" / "neurons" / f"{NAME}.nestml").write_text("model x:\n")
    failed = {one.name for one in check_files(bundle, occupied) if one.passed is False}
    assert failed == {"the files are new to NESTML's sources", "git applies the patch"}


TEST = f"tests/nest_tests/test_{NAME}.py"
MODEL = f"models/neurons/{NAME}.nestml"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "old", "new", "check"),
    [
        (TEST, "the Free Software Foundation", "nobody", "files carry NESTML's licence notice"),
        (MODEL, "the Free Software Foundation", "nobody", "files carry NESTML's licence notice"),
        (TEST, None, "\n\nSPOILT=1\n", "pycodestyle passes with NESTML's options"),
        (TEST, None, "\n\nSPOILT = 'in single quotes'\n", "strings have double quotes"),
        (MODEL, "I_drive' = 0 pA/ms", "I_drive' = 0 mV", "NESTML parses the model, and its context conditions hold"),
        (MODEL, f"model {NAME}:", "model odd:", "NESTML parses the model, and its context conditions hold"),
        (
            f"doc/models_library/{NAME}.rst",
            None,
            "\n:doc:`nowhere`\n",
            "Sphinx builds the model's page without a warning",
        ),
    ],
    ids=["licence of the test", "licence of the model", "style", "quotes", "units", "name", "page"],
)
def test_a_spoilt_file_fails_the_check_for_it(bundle, source_tree, tmp_path, path, old, new, check):
    """No other check fails, except that of the patch, whose contents differ from the spoilt file."""
    shutil.copytree(bundle.folder, tmp_path / "bundle")
    spoilt = dataclasses.replace(bundle, folder=tmp_path / "bundle")
    text = (spoilt.tree / path).read_text()
    assert old is None or old in text
    (spoilt.tree / path).write_text(text + new if old is None else text.replace(old, new))
    checks = {one.name: one for one in check_files(spoilt, source_tree)}
    if checks[check].passed is None:
        pytest.skip(checks[check].detail)
    assert {one.name for one in checks.values() if one.passed is False} == {check, "git applies the patch"}
    assert checks["git applies the patch"].detail == f"contents differ: ['{path}']"
