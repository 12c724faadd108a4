# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The bundle with NESTML and NEST: its test runs as in a checkout of NESTML, and its texts have all numbers."""

import json
import re

import pytest

from amat.release.upstream import assemble, check_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return assemble(tmp_path_factory.mktemp("bundle"), sets=15)


@pytest.mark.timeout(1800)
def test_the_test_and_the_tutorial_of_the_bundle_pass(bundle):
    """NESTML builds the models with its default options. All tests of the file and all cells of the notebook run."""
    test, tutorial = check_run(bundle)
    assert test.passed, test.detail
    assert re.match(r"\d+ passed", test.detail)
    assert "skipped" not in test.detail
    assert tutorial.passed, tutorial.detail
    assert int(tutorial.detail.removesuffix(" cells")) > 10


def test_the_texts_have_all_their_numbers(bundle):
    texts = {path.name: path.read_text() for path in bundle.folder.glob("*.md")}
    assert set(texts) == {"pull_request.md", "code_generator.md", "amat2_psc_exp.md"}
    for text in texts.values():
        assert "{{" not in text
        assert "nan" not in text.split()
    assert "unmodified, default options | 0 |" in texts["pull_request.md"]
    assert "| `amat2_psc_exp_neuron_opt` | `amat2_psc_exp` | network |" in texts["code_generator.md"]
    assert "must differ" in texts["amat2_psc_exp.md"]


def test_the_command_prints_files_and_writes_the_results_of_checks(run_amat, tmp_path):
    finished = run_amat("upstream", "--no-run", "--no-texts", "--output", tmp_path / "out")
    assert finished.returncode == 0, finished.stderr
    assert "models/neurons/amat2_psc_exp_neuron.nestml" in finished.stdout
    checks = json.loads((tmp_path / "out" / "checks.json").read_text())
    assert len(checks) == 7
    assert all(passed is not False for passed, _ in checks.values())


def test_a_folder_without_nestmls_sources_is_an_error(run_amat, tmp_path):
    finished = run_amat("upstream", "--source-tree", tmp_path, "--output", tmp_path / "out")
    assert finished.returncode == 1
    assert "does not hold NESTML's sources" in finished.stderr
