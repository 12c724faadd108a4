# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The cache of code for NESTML's other targets, with a stand-in for NESTML."""

import importlib

import pytest

from amat import paths
from amat.analysis.other_simulators import generate
from amat.errors import AmatError

#: The module, which the function of its name hides.
MODULE = importlib.import_module("amat.analysis.other_simulators.generate")
WRITES = """\
import json, pathlib, sys
code = pathlib.Path(json.loads(pathlib.Path(sys.argv[1]).read_text())["code"])
code.mkdir()
(code / "neuron.py").write_text("")
"""


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """A process that writes a file, and then ends as the test says."""
    script = tmp_path / "worker.py"
    monkeypatch.setattr(MODULE, "_WORKER", script)
    monkeypatch.setattr(paths, "module_cache", lambda: tmp_path / "cache")
    return script


def test_what_a_killed_process_left_is_neither_taken_nor_kept(worker):
    worker.write_text(WRITES + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    with pytest.raises(AmatError, match="killed by signal 9 while it generated for GENN"):
        generate("GENN")
    assert not list(paths.module_cache().glob("**/generated.json"))


def test_a_failure_without_words_is_told_by_its_status(worker):
    worker.write_text(WRITES + "sys.exit(3)\n")
    assert generate("GENN").error == "status 3"


def test_other_options_are_another_entry_of_the_cache(worker, monkeypatch):
    worker.write_text(WRITES)
    first = generate("GENN")
    assert (first.files, first.error) == (("neuron.py",), None)
    assert generate("GENN").folder == first.folder
    monkeypatch.setattr(MODULE, "FAST_ANALYTIC", {"simplify_expression": "expr"})
    assert generate("GENN").folder != first.folder
