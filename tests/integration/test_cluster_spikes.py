# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The network whose spikes must not depend on how it is spread, over threads; ``amat verify cluster`` adds ranks."""

import json
import subprocess
import sys

import pytest

from amat import toolchain

pytestmark = pytest.mark.slow

MODELS = ("amat2_psc_exp", toolchain.AMAT)


@pytest.fixture
def simulate(tmp_path, amat_module):
    def run(*words):
        output = tmp_path / "spikes.json"
        command = [sys.executable, "-m", "amat.cluster.spikes", str(output), *MODELS, "--time", "300", *words]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        return result, json.loads(output.read_text()) if output.is_file() else None

    return run


def test_spikes_are_the_same_on_any_threads_and_of_both_models(simulate):
    _, one = simulate()
    _, three = simulate("--threads", "3")
    _, other = simulate("--seed", "2")
    assert one == three
    assert len({entry["sha256"] for entry in one.values()}) == 1
    assert one["amat2_psc_exp"]["spikes"] > 500
    assert one["amat2_psc_exp"]["sha256"] != other["amat2_psc_exp"]["sha256"]


def test_fewer_ranks_than_asked_for_are_refused(simulate):
    result, found = simulate("--ranks", "2")
    assert result.returncode == 1
    assert found is None
    assert "NEST runs 1 process(es) of 1 thread(s), and not 2 of 1" in result.stderr
