# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The microcircuit without NEST: what fits, the measures of its activity, its matrix, tables and published points."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import yaml

from amat import paths
from amat.benchmark import microcircuit
from amat.benchmark.activity import Spikes, correlation, fingerprints, interval_cvs
from amat.benchmark.cell import Cell
from amat.benchmark.energy import EnergyMeter
from amat.benchmark.matrix import find_matrix, read_matrix
from amat.benchmark.microcircuit_runs import accuracy, plan_cells
from amat.benchmark.points import activity_table, points_table, read_activity, read_points, read_results
from amat.errors import AmatError


def test_the_full_network_needs_three_virtual_processes(monkeypatch):
    """NEST takes 134,217,726 connections in each; the network has 298,880,968 recurrent ones."""
    monkeypatch.setattr(microcircuit, "available_memory", lambda: 64e9)
    with pytest.raises(AmatError, match=r"134,217,726 per virtual process, of which there are 2.*3 or more threads"):
        microcircuit.check_fit(1.0, threads=2)
    microcircuit.check_fit(1.0, threads=3)
    microcircuit.check_fit(1.0, threads=1, ranks=3)


def test_the_scale_that_a_message_states_fits(monkeypatch):
    monkeypatch.setattr(microcircuit, "available_memory", lambda: 8e9)
    for threads, message in ((1, "virtual process"), (4, r"8\.0 GB are available")):
        with pytest.raises(AmatError, match=message) as caught:
            microcircuit.check_fit(1.0, threads)
        fits = float(str(caught.value).split("a scale of ")[1].split()[0])
        microcircuit.check_fit(fits, threads)
        with pytest.raises(AmatError):
            microcircuit.check_fit(fits + 0.003, threads)


def test_size_and_memory_grow_with_the_scale():
    """The full network has 77,169 neurons. Memory lies between that of neighbouring scales."""
    assert microcircuit.count_neurons(1.0) == 77169
    scales = np.linspace(0.1, 1.0, 19)
    assert (np.diff([microcircuit.count_neurons(scale) for scale in scales]) > 0).all()
    assert (np.diff([microcircuit.estimate_memory(scale) for scale in scales]) > 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs a scale"),
        ({"scale": 2.0}, "scale must be 0.01 to 1, got 2"),
        ({"scale": 0.1, "model": "izhikevich"}, "no microcircuit of izhikevich"),
        ({"scale": 0.1, "workload": "network"}, "no effect on the workload 'network'"),
    ],
)
def test_cells_of_impossible_microcircuits_are_refused(settings, message):
    with pytest.raises(AmatError, match=message):
        Cell(**{"model": "iaf_psc_exp", "workload": "microcircuit-dc"} | settings)


def test_models_rotate_from_seed_to_seed():
    cells = plan_cells("amat", ["optimised"], scale=0.02, background="dc", threads=1, seeds=(1, 2), duration=100.0)
    models = ["amat2_psc_exp", "amat2_psc_exp_neuron_opt"]
    assert [cell.model for cell in cells] == models + models[::-1]
    with pytest.raises(AmatError, match="no code generator 'fast'"):
        plan_cells("amat", ["fast"], scale=0.02, background="dc", threads=1, seeds=(1,), duration=100.0)


def test_irregularity_and_correlation_of_known_trains():
    regular = Spikes(np.repeat([1, 2], 50), np.tile(np.arange(20, 1020, 20), 2))
    assert interval_cvs(regular) == pytest.approx([0.0, 0.0])
    random = np.random.default_rng(1)
    poisson = Spikes(np.repeat(np.arange(50), 400), np.sort(random.integers(1, 400_001, (50, 400)), axis=1).ravel())
    assert interval_cvs(poisson).mean() == pytest.approx(1.0, abs=0.03)
    # 1225 pairs of 20,000 bins: the standard error of the mean is 1 / sqrt(1225 * 20000).
    assert correlation(poisson, 40_000.0, 0.1) == pytest.approx(0.0, abs=1e-3)
    same = Spikes(np.repeat([1, 2], 400), np.tile(poisson.steps[:400], 2))
    assert correlation(same, 40_000.0, 0.1) == pytest.approx(1.0)


def test_fingerprints_ignore_the_order_and_localise_a_difference():
    senders, steps = np.array([1, 2, 3, 1]), np.array([1, 1000, 1001, 2999])
    one = fingerprints([Spikes(senders, steps)], 300.0, 0.1)
    assert one == fingerprints([Spikes(senders[::-1], steps[::-1])], 300.0, 0.1)
    moved = fingerprints([Spikes(senders, steps + np.array([0, 0, 1, 0]))], 300.0, 0.1)
    assert [a == b for a, b in zip(one, moved, strict=True)] == [True, False, True]


def test_energy_counters(tmp_path):
    """Counters of two packages, one of which starts again; parts of a package do not count twice."""
    for name, start in (("intel-rapl:0", 100), ("intel-rapl:1", 900), ("intel-rapl:0:0", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{start}\n")
        (tmp_path / name / "max_energy_range_uj").write_text("1000\n")
    meter = EnergyMeter(tmp_path)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("350\n")
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("100\n")
    assert meter.joules() == (pytest.approx(450e-6), "RAPL, processor packages: 2")
    joules, note = EnergyMeter(tmp_path / "none").joules()
    assert joules is None
    assert "no energy counters" in note


def test_activity_is_judged_by_the_published_neuron():
    rows = [
        {"case": "a", "model": model, "seed": seed, "population": "L4E", "rate": rate, "cv": 0.5, "correlation": 0.0}
        for model, rates in (("iaf_psc_exp", (4.0, 4.1, 4.2)), ("near", (4.2, 4.3, 4.4)), ("far", (4.4, 4.5, 4.6)))
        for seed, rate in enumerate(rates)
    ]
    found = accuracy(pd.DataFrame(rows))
    rates = found[found["measure"] == "rate"].set_index("model")
    assert list(rates["within"]) == [True, True, False]  # 4.1 ± 3 * 0.1
    assert rates.loc["far", "deviation"] == pytest.approx(0.4)


def test_the_matrix_of_a_cluster_has_the_full_network():
    cells = read_matrix(find_matrix("microcircuit")).cells
    assert {cell.neurons for cell in cells} == {77169}
    assert {cell.background for cell in cells} == {"dc", "poisson"}
    assert all(cell.threads * cell.ranks >= 3 for cell in cells)


def test_a_microcircuit_in_a_matrix_has_a_scale(tmp_path):
    plan = {"time": 100, "seeds": [1], "models": ["iaf_psc_exp"]}
    for entry in ({"workload": "network", "scale": [0.1]}, {"workload": "microcircuit-dc", "neurons": [1000]}):
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump({**plan, "sets": [{**entry, "layouts": ["1x1"]}]}))
        with pytest.raises(AmatError, match="the size of"):
            read_matrix(tmp_path / "plan.yaml")


def test_published_points_fit_their_schema(tmp_path):
    points = read_points()
    assert len(points) >= 8
    assert points["doi"].str.startswith("10.").all()
    text = (paths.DATA / "microcircuit_points.yaml").read_text()
    (tmp_path / "points.yaml").write_text(text.replace("real_time_factor: 0.67", "real_time_factor: -1"))
    with pytest.raises(AmatError, match=r"is wrong at points\.3\.real_time_factor"):
        read_points(tmp_path / "points.yaml")


def test_measured_and_published_points_are_told_apart():
    """A wall-clock time is shown only if the process had its cores, and a ratio only for measured rows."""
    results, published = read_results(), read_points()
    cells = results["microcircuit"].query("threads == 1").copy()
    cells = cells[cells["case"] == cells["case"].iloc[0]]
    cells["cpu_factor"] = 0.95 * cells["real_time_factor"]
    first = cells["model"] == cells["model"].iloc[0]
    cells.loc[first, "cpu_factor"] *= 0.5
    table = points_table(results | {"microcircuit": cells}, published)
    measured = table[table["source"] == "measured in this project"]
    assert len(table) == len(measured) + len(published)
    assert list(measured["real-time factor"] == "shared") == [True] + [False] * (len(measured) - 1)
    assert set(table.loc[table["source"] != "measured in this project", "ratio to NEST's"]) == {"–"}


def test_activity_outside_the_range_is_marked():
    rows = [
        {"case": "a", "model": "amat2_psc_exp", "population": name, "measure": "rate"}
        | {"mean": 3.0 + number, "lower": 2.0, "upper": 4.0, "within": number < 2}
        for number, name in enumerate(microcircuit.POPULATIONS)
    ]
    shown = activity_table(pd.DataFrame(rows), "a")["rate (1/s), AMAT"]
    assert list(shown[:3]) == ["3.00", "4.00", "5.00 (outside)"]


def test_every_population_of_amat_has_parameters():
    found = microcircuit.read_adaptation()
    assert set(found) == set(microcircuit.POPULATIONS)
    assert all(values["omega"] > 0 and values["tau_1"] == 10.0 for values in found.values())


@pytest.fixture(scope="module")
def tuning(root):
    """The script that tunes the microcircuit, as a module."""
    spec = importlib.util.spec_from_file_location("tune_microcircuit", root / "scripts" / "tune_microcircuit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_threshold_is_found_from_neurons_with_different_thresholds(tuning):
    """The logarithm of the rate is a parabola; 400 neurons fire for 10 s."""
    omega = np.linspace(*tuning.RANGE, 400)
    rate_at = np.array([0.01, -0.7, 11.0])
    counts = np.random.default_rng(1).poisson(10.0 * np.exp(np.polyval(rate_at, omega)))
    found = tuning.fit_rates(omega, counts / 10.0)
    assert np.polyval(found, omega) == pytest.approx(np.polyval(rate_at, omega), abs=0.1)
    assert tuning.find_threshold(rate_at, np.exp(np.polyval(rate_at, 15.0))) == pytest.approx(15.0)
    with pytest.raises(AmatError, match="No threshold from 12 to 20 mV gives 1e\\+09 spikes/s"):
        tuning.find_threshold(rate_at, 1e9)


def test_newton_steps_converge_against_strong_feedback(tuning):
    """A network of two populations with the strength of L4, whose rates are those of a mean-field theory."""
    inputs = np.array([[0.6, -1.8], [1.0, -2.1]])  # mV s
    targets, slopes = np.array([4.0, 5.0]), np.array([-0.46, -0.39])

    def fire(omega):
        rates = targets
        for _ in range(500):
            rates = 0.9 * rates + 0.1 * np.exp(slopes * (omega - 15.0 - inputs @ (rates - targets))) * targets
        return rates

    omega = np.array([16.0, 14.5])
    errors = []
    for _ in range(4):
        rates = fire(omega)
        errors.append(np.abs(np.log(rates / targets)).max())
        omega = tuning.correct(omega, rates, targets, slopes, inputs)
    assert errors[0] > 0.1
    assert errors[-1] < 1e-6


def test_the_microcircuit_of_amat_has_the_activity_of_the_published_neuron():
    """All rates are within the range, and most CVs and correlations; no CV is far from it."""
    found = read_activity()
    assert len(found) == 3 * len(microcircuit.POPULATIONS)
    assert set(found["population"]) == set(microcircuit.POPULATIONS)
    assert (found["within"] == found["mean"].between(found["lower"], found["upper"])).all()
    assert found.loc[found["measure"] == "rate", "within"].all()
    assert found["within"].mean() > 0.85
    assert found.loc[found["measure"] == "cv", "deviation"].abs().max() < 0.05
