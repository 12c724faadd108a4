# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The model for NESTML's other targets; the generated Python code compared with NEST."""

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
def test_generated_python_code_spikes_in_the_same_steps_as_nest():
    """The reference is the same file in NEST and NEST's built-in model; the bound is that of the validation."""
    table = compare_with_nest(10, seed=3)
    assert set(table["model"]) == {toolchain.AMAT, validation.NEST_MODEL}
    assert table["spikes"].sum() > 100
    assert table["identical"].all()
    assert (table[["V_m", "V_th"]] < validation.BOUND).all(axis=None)


@slow
def test_the_comparison_can_fail():
    """The same neuron with another jump of the threshold has other spikes."""
    neuron = load_neuron(generate("PYTHON_STANDALONE"))
    silent = np.zeros(5000)
    current = np.full(5000, 200.0)
    runs = [run_neuron(neuron, {"alpha_1": alpha}, current, silent, silent, 0.1) for alpha in (10.0, 10.5)]
    assert not np.array_equal(runs[0].spike_steps, runs[1].spike_steps)
    np.testing.assert_array_equal(runs[0].V_m, runs[1].V_m)  # it is never reset


@slow
@pytest.mark.timeout(1800)
def test_every_target_has_its_expected_status():
    found = survey()
    assert list(found.index) == list(TARGETS)
    assert set(found["status"]) <= {"run", "generated", "not supported"}
    assert found.loc["PYTHON_STANDALONE", "status"] == "run"
    assert found.loc["NEST_DESKTOP", "status"] == "generated"
    assert "amat2_psc_exp_neuron.cu" in found.loc["NEST_GPU", "files"]
    assert found["found"].str.len().min() > 0
    assert not found["found"].str.contains("/tmp|/home|/root").any()


@slow
def test_python_code_with_the_threshold_by_name_would_not_run(tmp_path):
    """The reason why the model writes the threshold out in the condition for a spike."""
    source = toolchain.SHIPPED_MODELS[toolchain.AMAT].source
    text = source.read_text().replace("V_m >= E_L + omega + V_th_alpha_1 + V_th_alpha_2 + V_th_v", "V_m >= V_th")
    named = tmp_path / source.name
    named.write_text(text)
    assert undefined_names(generate("PYTHON_STANDALONE", named).text(".py")) == ["get_V_th"]


def test_an_unknown_target_is_rejected():
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
def test_undefined_names_are_found(code, unknown):
    assert undefined_names(code) == unknown
