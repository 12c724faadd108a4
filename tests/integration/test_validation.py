# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The validation that ``amat validate`` runs: its results, and its detection of errors."""

import numpy as np
import pandas as pd
import pytest

from amat import toolchain
from amat.analysis import validation
from amat.analysis.mat import LIBRARY_MODEL, NEST_MODEL, compare_mat_models, dead_times
from amat.analysis.validation import BOUND, PROTOCOLS, RESOLUTIONS
from amat.neurons import AmatParameters, mat_parameter_sets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table(amat_module) -> pd.DataFrame:
    """200 random parameter sets over all inputs and three time steps."""
    return validation.validate(200, seed=11)


def test_all_spikes_are_those_of_nests_model_and_of_the_exact_solution(table):
    assert len(table) == 200
    assert table["spikes"].sum() > 5000
    assert table["identical"].all()
    assert table["exact"].all()


def test_voltages_stay_within_both_bounds(table):
    for name in ("V_m", "V_th", "V_th_v"):
        assert table[name].max() <= BOUND
        assert table[f"{name}_exact"].max() <= BOUND


def test_the_checked_build_is_closer_to_the_exact_solution_than_nests_model(table):
    """This holds for the largest deviations, because its propagators are evaluated in extended precision."""
    assert table["V_th_exact"].max() < 0.5 * table["V_th_nest"].max()


def test_sets_cover_all_protocols_and_time_steps(table):
    assert set(table["protocol"]) == set(PROTOCOLS)
    assert set(table["resolution"]) == set(RESOLUTIONS)
    assert table["nearest"].min() >= 0.1


def test_sampled_parameters_have_both_signs_and_fractional_refractory_times():
    cases = validation.sample_cases(100, 0.1, np.random.default_rng(1))
    for name in ("alpha_1", "alpha_2", "beta"):
        values = np.array([getattr(case.parameters, name) for case in cases])
        assert values.min() < 0 < values.max()
    steps = np.array([case.parameters.refr_T for case in cases]) / 0.1
    assert np.abs(steps - steps.round()).max() > 0.1


def test_the_same_seed_gives_the_same_table():
    first, again = validation.validate(15, seed=3), validation.validate(15, seed=3)
    pd.testing.assert_frame_equal(first, again)
    assert not first["V_th"].equals(validation.validate(15, seed=4)["V_th"])


def test_wrong_parameters_are_detected(monkeypatch, amat_module):
    """A model fails if one time constant is wrong by one part in ten thousand."""
    right = AmatParameters.to_nestml
    monkeypatch.setattr(AmatParameters, "to_nestml", lambda p: right(p) | {"tau_m": p.tau_m * 1.0001})
    failed = validation.failures(validation.validate(15, seed=3))
    assert len(failed) >= 12


def test_the_optimised_model_has_a_tighter_bound(table):
    """A deviation that passes for the checked build fails for the optimised one."""
    exact = ["V_m_exact", "V_th_exact", "V_th_v_exact"]
    near = table.assign(**dict.fromkeys(exact, 0.0))
    near.loc[7, "V_th_exact"] = 5e-9
    assert validation.failures(near, toolchain.AMAT_OPT).index.tolist() == [7]
    assert validation.failures(near, toolchain.AMAT).empty


@pytest.mark.parametrize(
    ("codegen", "model", "exact_bound"),
    [
        ("nestml-checked", toolchain.AMAT, 1e-8),
        ("optimised", toolchain.AMAT_OPT, 1e-9),
    ],
)
def test_command_prints_the_worst_cases_and_writes_the_table(run_amat, tmp_path, codegen, model, exact_bound):
    """Each code generator has its own bound."""
    finished = run_amat("validate", "--codegen", codegen, "--samples", 30, "--seed", 0, "--csv", tmp_path / "table.csv")
    assert finished.returncode == 0, finished.stderr
    assert f"{model} and {validation.NEST_MODEL}" in finished.stdout
    assert "spikes of 30 sets are identical to NEST's and to the exact ones" in finished.stdout
    assert f"(bounds: {BOUND:g} and {exact_bound:g} mV)" in finished.stdout
    table = pd.read_csv(tmp_path / "table.csv")
    assert len(table) == 30
    assert table[["V_m_exact", "V_th_exact", "V_th_v_exact"]].max(axis=None) <= exact_bound


def test_unmodified_code_of_nestml_exceeds_the_bound_but_fires_the_same_spikes():
    """It evaluates NESTML's formulae in double precision, without factored terms."""
    table = validation.validate(60, seed=3, model=toolchain.AMAT_UNMODIFIED)
    assert len(validation.failures(table, toolchain.AMAT_UNMODIFIED)) > 5
    assert table["identical"].all()
    assert table["exact"].all()
    assert 1e-7 < table["V_th_exact"].max() < 1e-4


def test_command_rejects_a_path_that_it_cannot_write_before_it_simulates(run_amat, tmp_path):
    (tmp_path / "file").touch()
    finished = run_amat("validate", "--samples", 1000000, "--csv", tmp_path / "file" / "table.csv")
    assert finished.returncode == 1
    assert "cannot be written" in finished.stderr
    assert run_amat("validate", "--samples", 0).returncode == 2


def test_amat_without_voltage_dependence_equals_nests_mat_neuron(amat_module):
    table, _ = compare_mat_models(mat_parameter_sets(), seed=2)
    ours = table[table["model"] == toolchain.AMAT]
    assert ours["spikes"].sum() > 100
    assert ours["identical"].all()
    assert ours[["V_m", "V_th"]].max(axis=None) < BOUND


def test_the_mat_neuron_of_nestmls_library_differs_from_nests(amat_module):
    """It holds the membrane potential while refractory, as the book states."""
    table, recordings = compare_mat_models(mat_parameter_sets(), seed=2)
    library = table[table["model"] == LIBRARY_MODEL]
    assert not library["identical"].any()
    recording = recordings[LIBRARY_MODEL]
    spike = recording.spike_steps[0][0]
    assert np.ptp(recording.traces["V_m"][0, spike : spike + 15]) < 1e-9
    assert np.ptp(recordings[NEST_MODEL].traces["V_m"][0, spike : spike + 15]) > 0.1


def test_the_dead_time_of_the_library_model_differs_from_nests(amat_module):
    """Its timer in ms accumulates rounding errors, as the book states."""
    intervals = dead_times([0.5, 1.0, 2.0, 5.0, 10.0])
    assert intervals[NEST_MODEL].tolist() == [6, 11, 21, 51, 101]
    assert intervals[toolchain.AMAT].equals(intervals[NEST_MODEL].rename(toolchain.AMAT))
    excess = intervals[LIBRARY_MODEL] - (intervals[NEST_MODEL] - 1)
    assert set(excess) == {0, 1}
