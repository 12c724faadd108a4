# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The cache of code for NESTML's other targets, with a stand-in for NESTML."""

import signal
import subprocess
from pathlib import Path

import pytest

from amat import paths
from amat.analysis.other_simulators import generate, targets
from amat.errors import AmatError


@pytest.fixture
def nestml(tmp_path, monkeypatch):
    """A stand-in for NESTML that writes a file; returns a function that sets its exit status."""
    monkeypatch.setattr(paths, "module_cache", lambda: tmp_path / "cache")

    def set_status(status: int) -> None:
        def run(request_file, request, **settings):
            code = Path(request["target"])
            code.mkdir()
            (code / "neuron.py").write_text("")
            return subprocess.CompletedProcess([], status, "", "")

        monkeypatch.setattr(targets, "run_nestml", run)

    return set_status


def test_files_of_a_killed_process_are_not_cached(nestml):
    nestml(-signal.SIGKILL)
    with pytest.raises(AmatError, match="killed by signal 9 while it generated code for GENN"):
        generate("GENN")
    assert [path for path in paths.module_cache().iterdir() if path.suffix != ".lock"] == []


def test_a_failure_without_a_message_is_reported_by_its_status(nestml):
    nestml(3)
    assert generate("GENN").error == "status 3"


def test_other_options_are_another_entry_of_the_cache(nestml, monkeypatch):
    nestml(0)
    first = generate("GENN")
    assert (first.files, first.error) == (("neuron.py",), None)
    assert generate("GENN").folder == first.folder
    monkeypatch.setattr(targets, "FAST_ANALYTIC", {"simplify_expression": "expr"})
    assert generate("GENN").folder != first.folder
