# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Maps and sensitivities of AMAT's parameters on NEST."""

import numpy as np
import pandas as pd
import pytest

from amat.analysis.explore import explore, parse_axis, simulate_many
from amat.analysis.metrics import classify
from amat.analysis.sensitivity import poisson_sensitivity, sensitivity
from amat.neurons import validated_patterns
from amat.simulation.reference import integrate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def neuron():
    return validated_patterns()["tonic_spiking"].parameters.replace(I_e=150.0)


def test_neurons_of_a_map_are_exact(neuron):
    """Spike steps of random neurons equal those of the exact reference; resting potentials differ."""
    random = np.random.default_rng(5)
    varied = {
        "alpha_1": random.uniform(-1.0, 15.0, 8),
        "alpha_2": random.uniform(0.0, 1.0, 8),
        "beta": random.uniform(-0.5, 0.5, 8),
        "E_L": random.uniform(-75.0, -60.0, 8),
    }
    trains = simulate_many(neuron, varied, duration=300.0, threads=2)
    neurons = [neuron.replace(**{name: values[i] for name, values in varied.items()}) for i in range(8)]
    silence = np.zeros((8, 3000))
    exact = integrate(neurons, silence, silence, silence, 0.1)
    assert sum(map(len, trains)) > 50
    for train, steps in zip(trains, exact.spike_steps, strict=True):
        assert np.rint(train / 0.1).astype(int).tolist() == steps.tolist()


def test_a_map_has_a_row_for_each_pair_of_values(neuron):
    table = explore(parse_axis("alpha_1=-1:15:5"), parse_axis("omega=2:12:6"), neuron, duration=400.0)
    assert len(table) == 30
    assert table["alpha_1_mV"].iloc[:5].tolist() == [-1.0, 3.0, 7.0, 11.0, 15.0]
    # 150 pA through 50 MOhm are 7.5 mV.
    assert ((table["kind"] == "silent") == (table["omega_mV"] > 7.5)).all()
    row = table.iloc[7]
    values = {"alpha_1": np.array([row["alpha_1_mV"]]), "omega": np.array([row["omega_mV"]])}
    (train,) = simulate_many(neuron, values, duration=400.0)
    assert row["spikes"] == len(train) > 4
    assert row["kind"] == classify(train, 400.0)
    assert row["latency_ms"] == train[0]


def test_the_number_of_threads_changes_nothing(neuron):
    axes = parse_axis("alpha_1=-1:15:6"), parse_axis("alpha_2=0:2:6")
    one, two = (explore(*axes, neuron, duration=300.0, threads=threads) for threads in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_sensitivity_finds_the_parameter_that_matters(neuron):
    """omega changes the rate of a neuron, and its refractory time has no effect."""
    ranges = {"omega": (2.0, 6.0), "refr_T": (0.5, 1.0)}
    table = sensitivity(neuron, ranges=ranges, samples=128, duration=500.0).set_index(["measure", "parameter"])
    rate = table.loc["rate"]
    assert rate.loc["omega", "first"] > 0.9
    assert abs(rate.loc["refr_T", "total"]) < 0.05
    assert (table["undefined"] == 0).all()


def test_sensitivity_under_poisson_input(neuron):
    """omega changes rate and gain; the resting potential shifts all voltages and has no effect on any."""
    ranges = {"omega": (3.0, 8.0), "E_L": (-75.0, -65.0)}
    table = poisson_sensitivity(neuron.replace(I_e=40.0), ranges=ranges, samples=64, duration=500.0)
    assert table["measure"].unique().tolist() == ["rate", "cv", "gain"]
    indices = table.set_index(["measure", "parameter"])
    for measure in ("rate", "cv", "gain"):
        assert indices.loc[(measure, "E_L"), "total"] < 0.02
        assert indices.loc[(measure, "omega"), "total"] > 0.9
    again = poisson_sensitivity(neuron.replace(I_e=40.0), ranges=ranges, samples=64, duration=500.0)
    pd.testing.assert_frame_equal(again, table)


def test_a_map_of_silent_neurons_is_drawn(run_amat, tmp_path):
    """They have no CV: numpy's warning was printed."""
    arguments = ("alpha_1=0:10:2", "omega=5:6:2", "--duration", 20, "--set", "I_e=0", "--threads", 1)
    finished = run_amat("explore", *arguments, "--output", tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "alpha_1_omega: 4 neurons\n")
    assert (tmp_path / "alpha_1_omega.svg").stat().st_size > 0


def test_command(run_amat, tmp_path):
    finished = run_amat("explore", "alpha_1=0:10:4", "omega=2:9:4", "--samples", 16, "--output", tmp_path)
    assert finished.returncode == 0, finished.stderr
    names = {"alpha_1_omega.csv", "alpha_1_omega.svg", "sensitivity.csv", "sensitivity.svg"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert len(pd.read_csv(tmp_path / "alpha_1_omega.csv")) == 16


@pytest.mark.parametrize("setting", ["MPLBACKEND=foo", "OMP_THREAD_LIMIT=1", "PYTHONIOENCODING=ascii"])
def test_unusual_settings_of_the_environment_change_nothing(run_amat, tmp_path, setting):
    name, value = setting.split("=")
    arguments = ("explore", "alpha_1=0:10:2", "omega=2:9:2", "--samples", 0, "--threads", 2, "--output")
    for folder, environment in (("usual", {}), ("unusual", {name: value})):
        finished = run_amat(*arguments, tmp_path / folder, **environment)
        assert finished.returncode == 0, finished.stderr
    usual, unusual = (tmp_path / folder / "alpha_1_omega.csv" for folder in ("usual", "unusual"))
    assert unusual.read_text() == usual.read_text()
    assert unusual.with_suffix(".svg").exists()
