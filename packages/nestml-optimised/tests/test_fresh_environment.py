# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The package in a fresh virtual environment with NESTML and NEST alone: a model built and run by a short script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parents[1]

SCRIPT = """\
import sys
import nest
from nestml_optimised import generate_nest_target
generate_nest_target(f"{sys.prefix}/models/neurons/iaf_psc_exp_neuron.nestml", module_name="iafmodule")
nest.Install("iafmodule")
neurons = [nest.Create(model, params={"I_e": 450.0}) for model in ("iaf_psc_exp_neuron", "iaf_psc_exp")]
recorders = nest.Create("spike_recorder", 2)
for neuron, recorder in zip(neurons, recorders):
    nest.Connect(neuron, recorder)
nest.Simulate(500.0)
"""

COMPARISON = """\
ours, theirs = (recorder.events["times"].tolist() for recorder in recorders)
assert ours == theirs and len(ours) > 10, (ours, theirs)
try:
    import amat
except ModuleNotFoundError:
    print("as NEST's model, without the compendium")
"""


def run(command, folder, **variables):
    """Run a command without the variables that would lead to other Python packages."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        list(map(str, command)),
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**environment, "PYNEST_QUIET": "1", **variables},
    )


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the interpreter of a new environment in which the package is installed."""
    folder = tmp_path_factory.mktemp("environment")
    made = run([sys.executable, "-m", "venv", folder / "venv"], folder)
    assert made.returncode == 0, made.stderr
    python = folder / "venv" / "bin" / "python"
    reached = run([python, "-m", "pip", "download", "--no-deps", "--dest", folder, "nestml==9.0.0"], folder)
    if reached.returncode:
        pytest.skip(f"pip cannot reach a package index: {reached.stderr.strip().splitlines()[-1]}")
    installed = run([python, "-m", "pip", "install", "nest-simulator==3.10.0", PACKAGE], folder)
    assert installed.returncode == 0, installed.stdout[-2000:] + installed.stderr[-2000:]
    return python


def test_ten_lines_build_and_run_a_model(python, tmp_path):
    """Spikes of iaf_psc_exp_neuron, from NESTML's library, against NEST's iaf_psc_exp."""
    assert len(SCRIPT.strip().splitlines()) == 10
    (tmp_path / "script.py").write_text(SCRIPT + COMPARISON)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    finished = run([python, "script.py"], tmp_path, PATH=path)
    assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]
    assert "as NEST's model, without the compendium" in finished.stdout
