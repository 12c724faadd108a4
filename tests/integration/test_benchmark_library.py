# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The benchmark of NESTML's library, on one of its neurons."""

import numpy as np
import pandas as pd
import pytest

from amat.benchmark import library, library_accuracy, library_runs, library_table

pytestmark = pytest.mark.slow


NEURONS = library_runs.find_neurons(["iaf_psc_exp"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def table(folder):
    found = library_runs.measure_library(NEURONS, folder=folder, rounds=1, progress=lambda text: None)
    return found.set_index("build")


def test_the_neurons_are_those_that_nestml_installs():
    assert {neuron.source for neuron in library.NEURONS} == set(library.LIBRARY.glob("*.nestml"))
    assert len(library.NEURONS) == 30


def test_all_builds_are_measured(table):
    assert set(table.index) == {"nest", "nestml", "optimised"}
    assert (table["bytes"] > 500).all()
    assert (table["ns"] > 0).all()
    ours = table.loc["optimised"]
    assert ours["ratio_to_nestml"] == pytest.approx(ours["ns"] / table.loc["nestml", "ns"])


def test_a_measured_neuron_is_not_measured_again(table, folder):
    """The rows that were kept are equal to the measured ones to the last digit."""
    steps = []
    again = library_runs.measure_library(NEURONS, folder=folder, rounds=1, progress=steps.append)
    pd.testing.assert_frame_equal(again.set_index("build"), table)
    assert steps[-1] == "iaf_psc_exp is measured already"


@pytest.mark.parametrize("stimulus", ["step", "noise", "poisson"])
def test_linear_models_follow_the_reference(table, stimulus):
    """Both builds solve a linear neuron exactly, if input reaches the reference in the same step as in NEST."""
    models = table.loc[["nestml", "optimised"]]
    assert (models[f"{stimulus}_error_mV"] < 1e-9).all()
    assert (models[f"{stimulus}_equal"] == models[f"{stimulus}_spikes"]).all()
    if stimulus == "step":
        assert models["step_spikes"].min() > 2


def test_voltages_are_compared_up_to_the_first_spike_that_differs():
    exact = library_accuracy.Run(np.zeros(100), np.array([20, 50, 80]))
    potential = np.zeros(100)
    potential[10], potential[60] = 0.5, 7.0
    result = library_accuracy._error(exact, np.array([20, 51, 80]), potential)
    assert result == {"spikes": 3, "equal": 1, "error_mV": 0.5}
    assert library_accuracy._error(exact, np.array([20, 50]), potential)["error_mV"] == 7.0


def test_the_table_has_a_row_for_each_neuron(table):
    lines = library_table.format_table(table.reset_index()).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| iaf_psc_exp |")
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
