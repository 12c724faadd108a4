# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A recurrent network fires the same spikes on any number of threads; ``./amat test cluster`` adds MPI ranks."""

import subprocess
import sys

import numpy as np
import pytest
from network_spikes import read_spikes

pytestmark = pytest.mark.slow

MODELS = ("amat2_psc_exp", "amat2_psc_exp_neuron_nestml")


@pytest.fixture
def simulate(root, tmp_path, amat_module):
    def run(*options):
        folder = tmp_path / "".join(options)
        script = root / "tests" / "network_spikes.py"
        command = [sys.executable, str(script), str(folder), *MODELS, "--time", "300", *options]
        subprocess.run(command, check=True)
        return [read_spikes(folder, model)[0] for model in MODELS]

    return run


def test_spikes_do_not_depend_on_threads_and_are_those_of_nests_model(simulate):
    one, three, other = simulate("--threads", "1"), simulate("--threads", "3"), simulate("--seed", "2")
    assert len(one[0]) > 500
    assert all(np.array_equal(one[0], spikes) for spikes in (*one[1:], *three))
    assert not np.array_equal(one[0], other[0])
