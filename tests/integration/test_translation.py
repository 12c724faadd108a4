# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML models as JavaScript."""

import os
import subprocess
import sys

import pytest

from amat import paths

pytestmark = pytest.mark.slow


def test_translation_is_the_same_every_time(tmp_path):
    """NESTML iterates over sets of names, whose order depends on the process."""
    made = []
    for seed in ("1", "2"):
        script = tmp_path / f"models{seed}.js"
        subprocess.run(
            [sys.executable, str(paths.ROOT / "scripts" / "write_explorer.py"), str(script)],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        made.append(script.read_bytes())
    assert made[0] == made[1]
    assert b"V_th: (s, p, c, h) => p.E_L + p.omega" in made[0]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (paths.ROOT / "tests" / "models" / "amat2_naive_neuron.nestml", "not linear and homogeneous"),
        ("izhikevich_neuron", "not linear and homogeneous"),
    ],
)
def test_models_without_a_translation_are_rejected(source, reason, tmp_path):
    """Equations that need a solver. Each runs in its own process, because NESTML keeps its state in globals."""
    if isinstance(source, str):
        source = f"{sys.prefix}/models/neurons/{source}.nestml"
    code = f"from pathlib import Path; from amat.release.explorer import translate; translate([Path({str(source)!r})])"
    finished = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert finished.returncode
    assert "UnsupportedModelError" in finished.stderr
    assert reason in finished.stderr
