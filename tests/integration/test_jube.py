# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""JUBE runs a cell of the benchmark, for users of beNNch."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("jube") is None, reason="JUBE (Debian package jube) is not installed"),
]


def test_jube_runs_cells_and_reads_their_results(root, tmp_path):
    def jube(*args):
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            ["jube", *args], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
        ).stdout

    shutil.copy(root / "config" / "jube" / "amat.yaml", tmp_path)
    jube("run", "amat.yaml")
    lines = [line.split(",") for line in jube("result", "amat-jube", "-a").splitlines() if "," in line]
    names, *rows = lines
    assert {(row[names.index("model")], row[names.index("threads")]) for row in rows} == {
        (model, threads) for model in ("amat2_psc_exp", "iaf_psc_exp") for threads in ("1", "2")
    }
    assert all(float(row[names.index("real_time_factor")]) > 0 for row in rows)
    assert {float(row[names.index("rate")]) for row in rows} == {10.0, 40.0}
