# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The same model file through NESTML's other targets: real NESTML, the generated Python against real NEST."""

import numpy as np
import pytest

from amat import toolchain
from amat.analysis import validation
from amat.analysis.other_simulators import TARGETS, compare_with_nest, generate, survey
from amat.analysis.other_simulators.standalone import load_neuron, run_neuron
from amat.analysis.other_simulators.status import undefined_names
from amat.errors import AmatError

slow = pytest.mark.slow


@slow
@pytest.mark.timeout(1800)
def test_the_generated_python_spikes_as_nest_does_in_every_step():
    """Against the same file in NEST and NEST's own model; voltages within the bound of the validation."""
    table = compare_with_nest(10, seed=3)
    assert set(table["model"]) == {toolchain.AMAT, validation.NEST_MODEL}
    assert table["spikes"].sum() > 100
    assert table["identical"].all()
    assert (table[["V_m", "V_th"]] < validation.BOUND).all(axis=None)


@slow
def test_the_comparison_can_fail():
    """The same neuron with another threshold jump spikes otherwise."""
    neuron = load_neuron(generate("PYTHON_STANDALONE"))
    silent = np.zeros(5000)
    current = np.full(5000, 200.0)
    runs = [run_neuron(neuron, {"alpha_1": alpha}, current, silent, silent, 0.1) for alpha in (10.0, 10.5)]
    assert not np.array_equal(runs[0].spike_steps, runs[1].spike_steps)
    np.testing.assert_array_equal(runs[0].V_m, runs[1].V_m)  # it is never reset


@slow
@pytest.mark.timeout(1800)
def test_every_target_is_said_to_be_what_it_is_found_to_be():
    found = survey()
    assert list(found.index) == list(TARGETS)
    assert set(found["status"]) <= {"run", "generated", "not supported"}
    assert found.loc["PYTHON_STANDALONE", "status"] == "run"
    assert found.loc["NEST_DESKTOP", "status"] == "generated"
    assert "amat2_psc_exp_neuron.cu" in found.loc["NEST_GPU", "files"]
    assert found["found"].str.len().min() > 0
    assert not found["found"].str.contains("/tmp|/home|/root").any()


@slow
def test_with_the_threshold_by_name_the_python_would_not_run(tmp_path):
    """Why the model spells the threshold out in the condition for a spike."""
    source = toolchain.MODELS[toolchain.AMAT].source
    text = source.read_text().replace("V_m >= E_L + omega + V_th_alpha_1 + V_th_alpha_2 + V_th_v", "V_m >= V_th")
    named = tmp_path / source.name
    named.write_text(text)
    assert undefined_names(generate("PYTHON_STANDALONE", named).text(".py")) == ["get_V_th"]


def test_an_unknown_target_is_refused():
    with pytest.raises(AmatError, match="choose one of PYTHON_STANDALONE"):
        generate("ABACUS")


@pytest.mark.parametrize(
    ("code", "unknown"),
    [
        ("import math\nx = math.pi\n", []),
        ("from math import *\nx = sin(pi)\n", []),
        ("f = lambda a: a + b\n", ["b"]),
        ("class C:\n  def m(self):\n    return other()\n", ["other"]),
    ],
)
def test_names_that_are_used_and_not_defined_are_found(code, unknown):
    assert undefined_names(code) == unknown
