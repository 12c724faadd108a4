# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Studies of fits: direct searches against other implementations, recovery, reading of recordings, and shipped tables.

References: the free run of `amat.analysis.fitting` for AMAT, a loop over the published equations for Izhikevich's
neuron, and recordings that the tests make themselves.
"""

import dataclasses
import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amat import paths
from amat.analysis.fitting.convert import stated_scale, to_coefficients
from amat.analysis.fitting.free_run import drive_of, free_run
from amat.analysis.fitting.pipeline import FitSettings, fit_recording
from amat.analysis.fitting.recording import NeuronRecording
from amat.analysis.fitting.synthetic import EXAMPLE, sample_recording
from amat.analysis.fitting_studies import comparison, direct, grasshopper, pooling, recordings, recovery
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.waveforms import sample_noise

DT = 0.5
NOISE = sample_noise(4000, DT, 0.3, 1.0, 5.0, 3)


def test_amat_of_the_direct_search_has_the_spikes_of_the_free_run():
    """50 random neurons with unit resistance."""
    random = np.random.default_rng(2)
    ranges = np.array(list(direct.RANGES["amat"].values()))
    values = random.uniform(ranges[:, 0], ranges[:, 1], (50, 6))
    total = 0
    found = direct.amat_spikes(values, NOISE, DT, 4)
    for spikes, (tau_m, tau_v, omega, alpha_1, alpha_2, strength) in zip(found, values.tolist(), strict=True):
        parameters = AmatParameters(tau_m=tau_m, C_m=tau_m, tau_v=tau_v, beta=strength / tau_v, tau_1=10.0, tau_2=200.0)
        parameters = parameters.replace(omega=omega, alpha_1=alpha_1, alpha_2=alpha_2)
        kind, coefficients, taus = to_coefficients(parameters, 1.0)
        drive = drive_of(kind, coefficients, taus, NOISE, DT)
        np.testing.assert_array_equal(spikes, free_run(kind, coefficients, taus, drive, DT, 4))
        total += len(spikes)
    assert total > 1000


@pytest.mark.parametrize(("dt", "parts"), [(0.5, 1), (1.0, 2), (0.2, 1)])
def test_izhikevichs_neurons_follow_the_published_scheme(dt, parts):
    """The reference steps one neuron at a time: V += h (0.04 V^2 + 5 V + 140 - u + I), then u, then the reset."""
    values = np.array(
        [[0.02, 8.0, 0.2, -65.0, 8.0, 2.0], [0.1, 10.0, 0.2, -60.0, 2.0, 3.0], [0.02, 9.0, 0.2, -50.0, 2.0, 3.0]]
    )
    for spikes, (a, gain, b, c, d, constant) in zip(direct.izhikevich_spikes(values, NOISE, dt), values, strict=True):
        v, u, expected = -65.0, -65.0 * b, []
        for step, injected in enumerate(NOISE):
            for _ in range(parts):
                v += dt / parts * (0.04 * v * v + 5 * v + 140 - u + constant + gain * injected)
                u += dt / parts * a * (b * v - u)
                if v > 30:
                    v, u = c, u + d
                    expected.append(step)
        np.testing.assert_array_equal(spikes, np.unique(expected))
        assert len(expected) > 10


def test_the_direct_search_finds_a_neuron_that_predicts_spikes():
    """A deterministic AMAT neuron makes the spikes, so that Gamma can be near 1."""
    truth = np.array([[12.0, 6.0, 1.0, 1.0, 0.2, 0.5]])
    scaled = (NOISE - NOISE.mean()) / NOISE.std()
    spikes = [(direct.amat_spikes(truth, scaled, DT, 4)[0] + 1) * DT]
    arguments = {"dt": DT, "dead_steps": 4, "population": 60, "seed": 2}
    found = direct.fit_directly("amat", 70.0 + 200.0 * NOISE, spikes, (0.0, 1500.0), generations=40, **arguments)
    worse = direct.fit_directly("amat", 70.0 + 200.0 * NOISE, spikes, (0.0, 1500.0), generations=1, **arguments)
    assert found.evaluations == 60 * 41
    assert found.gamma > 0.7
    assert found.gamma > worse.gamma
    held_out = [times[times >= 1500.0] for times in (spikes[0], found.spike_times)]
    assert direct.coincidence_factor(*held_out, 500.0, 2.0) > 0.5


def test_recovery_is_better_with_more_data_and_intervals_contain_the_truth():
    """8 recordings of 4 s and of 16 s; four standard errors of a coverage of 0.95 among 56 intervals are 0.12."""
    table = recovery.recover([4000.0, 16000.0], 8, grid=6, samples=100)
    summary = recovery.summarise(table)
    assert len(table) == 2 * 8 * len(recovery.PARAMETERS)
    errors = summary.pivot(index="parameter", columns="duration_ms", values="error")
    assert (errors[16000.0] / errors[4000.0]).median() == pytest.approx(0.5, abs=0.25)
    longest = summary[summary["duration_ms"] == 16000.0]
    assert (longest["bias"].abs() < 0.1).all()
    assert longest["hessian_coverage"].mean() > 0.83
    assert (recovery.spikes_needed(summary, 0.05) == 4 * recovery.spikes_needed(summary, 0.1)).all()


def test_errors_and_coverage_are_counted():
    """Four estimates of one parameter: errors 0, 10, -10 and 20 %, two of the intervals contain the true value."""
    table = pd.DataFrame({"duration_ms": 1.0, "draw": range(4), "spikes": 100, "parameter": "tau_m", "true": 10.0})
    table["estimate"] = [10.0, 11.0, 9.0, 12.0]
    for method in ("hessian", "bootstrap"):
        table[f"{method}_low"], table[f"{method}_high"] = [9.0, 10.5, 8.0, np.nan], [11.0, 12.0, 10.0, np.nan]
    row = recovery.summarise(table).iloc[0]
    assert row["error"] == pytest.approx(np.sqrt(0.06 / 4))
    assert row["bias"] == pytest.approx(0.05)
    assert row["hessian_coverage"] == row["bootstrap_coverage"] == 0.5
    with pytest.raises(AmatError, match="must be positive, got 0"):
        recovery.spikes_needed(recovery.summarise(table), 0.0)


def test_gains_are_paired_by_block():
    """Two models that differ by a constant in every block have a gain without spread."""
    random = np.random.default_rng(3)
    base, spikes = random.normal(20.0, 10.0, 30), np.full(30, 5)
    gain = comparison.paired_gain(base + 2.0, base, spikes)
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.4, 0.4, 0.4))
    noisy = comparison.paired_gain(base + random.normal(0.0, 1.0, 30), base, spikes)
    assert noisy.low < 0 < noisy.high


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with three recordings of one synthetic neuron, in the format of those of 2007, and their cells."""
    target = tmp_path_factory.mktemp("recordings")
    cells = []
    for number, mean in enumerate((40.0, 70.0, 100.0)):
        made = sample_recording(EXAMPLE, duration=9000.0, dt=1.0, repeats=2, mean=mean, seed=number + 1)
        arrays = {f"spike_index_{k}": np.rint(times).astype(np.int32) for k, times in enumerate(made.spikes)}
        arrays["current_pA"] = np.repeat(made.current.astype(np.float32), 2, axis=0)
        arrays["voltage_mV"] = np.repeat(made.voltage.astype(np.float32), 2, axis=0)
        np.savez(target / f"cell{number}.npz", **arrays)
        digest = recordings.array_digest(arrays)
        cells.append(recordings.Cell(f"B{number}", f"cell{number}.npz", digest, None, (200, 6000, 9000)))
    return target, cells


def test_recordings_are_read_in_both_readings(folder):
    target, cells = folder
    slow, fast = (recordings.load_recording(target, cells[1], reading) for reading in recordings.READINGS)
    assert slow.recording.dt == 5 * fast.recording.dt
    assert slow.held_out == (6000.0, 9000.0)
    assert fast.held_out == pytest.approx((1200.0, 1800.0))
    for a, b in zip(slow.recording.spikes, fast.recording.spikes, strict=True):
        np.testing.assert_allclose(a, 5 * b)


def test_other_files_and_readings_are_refused(folder, tmp_path):
    target, cells = folder
    with pytest.raises(AmatError, match="is one of 1 kHz, 5 kHz, got ''"):
        recordings.load_recording(target, cells[0])
    with pytest.raises(AmatError, match="cannot be read as a NumPy archive"):
        recordings.load_recording(tmp_path, cells[0], "1 kHz")
    with pytest.raises(AmatError, match="has other content than the recording B0"):
        recordings.load_recording(target, dataclasses.replace(cells[0], file=cells[1].file), "1 kHz")


def test_models_are_compared_on_held_out_data(folder):
    """AMAT made the spikes: it predicts them better than MAT, and as well as the model that contains it."""
    target, cells = folder
    published = recordings.load_recording(target, cells[1], "1 kHz")
    table = comparison.compare_models(published, samples=200, population=12, generations=1).set_index(
        ["model", "method"]
    )
    bits = table["bits_per_spike"].xs("likelihood", level="method")
    assert bits["amat"] > bits["mat"] > bits["lif"]
    assert bits["ceiling"] == pytest.approx(bits["amat"], abs=0.3)
    assert table.loc[("amat", "likelihood"), "bits_over_mat_low"] > 0
    assert table["evaluations"].dropna().tolist() == [24, 24]
    assert (table["ratio_low_2_ms"] <= table["ratio_2_ms"]).all()


def test_an_unreliable_recording_is_not_scored(folder):
    """Spikes at random have a Gamma_int of about zero."""
    target, cells = folder
    published = recordings.load_recording(target, cells[1], "1 kHz")
    random = np.random.default_rng(4)
    trains = [np.sort(random.choice(np.arange(10.0, 9000.0, 10.0), 200, replace=False)) for _ in range(2)]
    unrelated = NeuronRecording(published.recording.current, trains, 1.0)
    table = comparison.compare_models(dataclasses.replace(published, recording=unrelated))
    assert len(table) == 1
    assert not table["reliable"].iloc[0]
    assert "gamma_2_ms" not in table


def test_one_neuron_with_constant_resistance_can_be_pooled(folder):
    """A fit to all currents is then as good as separate ones, and fitted factors are near 1."""
    target, cells = folder
    published = [recordings.load_recording(target, cell, "1 kHz") for cell in cells[:2]]
    table = pooling.compare_pooling(published, samples=100).set_index(["treatment", "recording"])
    loss = table.loc["separate", "bits_per_spike"] - table.loc["pooled", "bits_per_spike"]
    assert loss.abs().max() < 0.3
    assert table.loc["fitted_factors", "factor"].to_numpy() == pytest.approx(np.ones(2), abs=0.1)
    assert table.loc["separate", "resistance_MOhm"].to_numpy() == pytest.approx(np.full(2, 100.0), rel=0.1)


def test_shipped_scores_are_complete():
    """Each recording has its models or the reason why it has none; intervals contain their values."""
    scores, pooled = (pd.read_csv(paths.DATA / f"recordings_{name}.csv") for name in ("scores", "pooling"))
    for (name, _), part in scores.groupby(["recording", "reading"]):
        reliable = part["reliable"].all()
        assert len(part) == (6 if reliable else 1), name
        assert reliable == (part["gamma_int_2_ms"] >= 0.2).all()
    for table in (scores[scores["reliable"]], pooled):
        for value, low, high in (("ratio_2_ms",) * 3, ("bits_per_spike",) * 3):
            names = (
                (value, "ratio_low_2_ms", "ratio_high_2_ms")
                if low == "ratio_2_ms"
                else (value, "bits_low", "bits_high")
            )
            known = table.dropna(subset=[value])
            assert len(known) > 10
            assert ((known[names[1]] <= known[value]) & (known[value] <= known[names[2]])).all(), high
    record = json.loads((paths.DATA / "recordings_provenance.json").read_text())
    assert record["recordings"] == {cell.name: cell.sha256 for cell in recordings.CELLS}
    assert set(scores["recording"]) == set(record["recordings"])


@pytest.mark.skipif("AMAT_RECORDINGS" not in os.environ, reason="AMAT_RECORDINGS is not the folder of the recordings")
def test_shipped_scores_are_those_of_the_recordings():
    """Maximum-likelihood fits of one recording again."""
    (cell,) = (cell for cell in recordings.CELLS if cell.name == "A05")
    published = recordings.load_recording(Path(os.environ["AMAT_RECORDINGS"]), cell, "1 kHz")
    found = comparison.compare_models(published, population=6, generations=1).set_index(["model", "method"])
    shipped = pd.read_csv(paths.DATA / "recordings_scores.csv").query("recording == 'A05' and reading == '1 kHz'")
    shipped = shipped.set_index(["model", "method"]).query("method == 'likelihood'")
    for name in ("ratio_2_ms", "bits_per_spike", "tau_m"):
        assert found.loc[shipped.index, name].to_numpy() == pytest.approx(shipped[name].to_numpy(), rel=0.02)


def test_sound_levels_become_currents(tmp_path):
    """Amplitudes of 1, 10 and 100 are 0, 20 and 40 dB; two samples of 0.05 ms make one step."""
    pattern = np.tile([1.0, 10.0, 100.0, 100.0], 20_000)
    times = 50.0 * np.arange(len(pattern))
    np.savetxt(tmp_path / "grasshopper_stimulus1.txt", np.column_stack([times, pattern]), fmt="%g")
    spikes = 40_000 + 50_000 * np.arange(40)  # microseconds
    (tmp_path / "grasshopper_spike_times1.txt").write_text("# mode: 3\n" + "\n".join(map(str, spikes)))
    recording = grasshopper.load_grasshopper(1, tmp_path)
    np.testing.assert_allclose(recording.current[0][:4], grasshopper.PA_PER_DB * np.array([10, 40, 10, 40]))
    np.testing.assert_allclose(recording.spikes[0], spikes / 1000)
    assert recording.dt == 0.1


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_amplitudes_must_be_positive(wrong):
    with pytest.raises(AmatError, match="positive and finite"):
        grasshopper.sound_level(np.array([1.0, wrong]))


def test_scores_of_receptors_follow_from_the_installed_recordings():
    """A part of the shipped table, if nitime is installed; otherwise the error that names it."""
    if importlib.util.find_spec("nitime") is None:
        with pytest.raises(AmatError, match="pip install nitime"):
            grasshopper.find_nitime()
        return
    recording = grasshopper.load_grasshopper(1)
    shipped = pd.read_csv(paths.DATA / "grasshopper_scores.csv").query("stimulus == 1 and model == 'mat'").iloc[0]
    assert recording.spike_count == shipped["spikes"]
    result = fit_recording(recording, stated_scale(100.0, -70.0), FitSettings(models=("mat",), samples=10))
    assert result.scores["mat"][0].gamma == pytest.approx(shipped["gamma_2_ms"], abs=0.01)
    assert result.bits["mat"][0] == pytest.approx(shipped["bits_per_spike"], abs=0.01)
