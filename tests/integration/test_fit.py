# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat fit`` as a user runs it, and its prediction on NEST."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from amat.analysis.fitting.convert import to_coefficients
from amat.analysis.fitting.free_run import drive_of, free_run
from amat.analysis.fitting.nest_prediction import predict_on_nest
from amat.analysis.fitting.synthetic import EXAMPLE, sample_recording
from amat.cli.app import main
from amat.neurons import AmatParameters
from amat.simulation.reference import refractory_steps
from amat.simulation.waveforms import sample_noise

pytestmark = pytest.mark.slow

FIGURES = ["gamma", "potentials", "profile", "raster", "rescaling", "residuals"]
FILES = ["fit.json", "predict.py", "prediction.npz"]


@pytest.mark.parametrize("dt", [0.1, 0.2, 1.0])
def test_nest_spikes_as_the_free_run_of_the_fit(dt):
    """Random neurons under noise that acts from the first step on, some of which fire at rest."""
    random = np.random.default_rng(round(10 * dt))
    spikes = 0
    for number in range(4):
        p = AmatParameters(
            tau_m=random.uniform(3, 30),
            C_m=random.uniform(50, 300),
            refr_T=max(dt, random.uniform(0.5, 4)),
            alpha_1=random.uniform(5, 30),
            alpha_2=random.uniform(0, 3),
            beta=random.uniform(-0.2, 0.3),
            tau_v=random.uniform(2, 20),
            omega=random.uniform(-1, 12),
        )
        current = sample_noise(round(4000 / dt), dt, 150.0, 400.0, 5.0, number)
        kind, b, taus = to_coefficients(p, 1.0)
        dead = refractory_steps(p.refr_T, dt)
        steps = free_run(kind, b, taus, drive_of(kind, b, taus, current, dt), dt, dead) + 1
        found = predict_on_nest(p, current, dt, delay=2.0)
        np.testing.assert_array_equal(np.rint((found - 2.0) / dt).astype(int), steps)
        spikes += len(steps)
    assert spikes > 200


@pytest.fixture
def fit(capsys, monkeypatch):
    """Run ``amat fit`` in this process; return its status, output and messages."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["amat", "fit", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


def test_the_example_recovers_its_parameters(run_amat, tmp_path):
    finished = run_amat("fit", "--example", "--output", tmp_path, "--format", "pdf")
    assert finished.returncode == 0, finished.stderr
    assert "true value" in finished.stdout
    assert "NEST's spikes are identical to those of the fit" in finished.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, *(f"{name}.pdf" for name in FIGURES)])
    record = json.loads((tmp_path / "fit.json").read_text())
    fitted, p = record["fit"], EXAMPLE.parameters
    for name in ("tau_m", "C_m", "alpha_1", "alpha_2", "beta", "tau_v"):
        assert fitted["parameters"]["nestml"][name]["value"] == pytest.approx(getattr(p, name), rel=0.1), name
    assert fitted["escape_rate"]["Delta"]["value"] == pytest.approx(EXAMPLE.Delta, rel=0.1)
    assert fitted["escape_rate"]["omega_escape"]["value"] == pytest.approx(p.omega, rel=0.1)
    assert fitted["delay_ms"] == 0
    assert fitted["nest"]["identical_to_fit"] is True
    assert fitted["explorer"]["link"].startswith("explorer.html#pattern=tonic_spiking&stimulus=step")
    assert (record["seed"], len(fitted["recording"]["sha256"])) == (1, 64)
    assert record["versions"]["nest-simulator"]
    script = subprocess.run([sys.executable, tmp_path / "predict.py"], check=False, capture_output=True, text=True)
    assert script.returncode == 0, script.stderr
    assert "Identical to the prediction of the fit: yes" in script.stdout
    assert f"Current 1: {fitted['nest']['spikes'][0]} spikes" in script.stdout


@pytest.fixture(scope="module")
def recording():
    return sample_recording(EXAMPLE, duration=5000.0, dt=0.5, repeats=3, seed=4)


def test_csv_and_npz_give_the_same_fit(fit, tmp_path, recording):
    """With V in the NPZ file; the CSV file has the current alone, and the resistance that was measured is stated."""
    current, spikes = recording.groups[0][0], recording.spikes
    arrays = {f"spikes_{n}": 1e-3 * train for n, train in enumerate(spikes)}
    np.savez(tmp_path / "cell.npz", current=1e-3 * current, voltage_mV=recording.voltage, **arrays)
    units = ["--sampling-interval=0.5", "--current-unit=nA", "--time-unit=s"]
    assert fit(tmp_path / "cell.npz", *units, "--output", tmp_path / "npz", "--delay=0")[0] == 0
    first = json.loads((tmp_path / "npz" / "fit.json").read_text())["fit"]
    rows = [f"{n},{time!r}" for n, train in enumerate((1e-3 * s for s in spikes), 1) for time in train.tolist()]
    (tmp_path / "spikes.csv").write_text("\n".join(["repeat,time", *rows]))
    (tmp_path / "cell.csv").write_text("\n".join(["current", *map(repr, (1e-3 * current).tolist())]))
    status, _, err = fit(
        *(tmp_path / "cell.csv", *units, "--spike-times", tmp_path / "spikes.csv", "--output", tmp_path / "csv"),
        *(f"--membrane-resistance={first['scale']['resistance']!r}", f"--rest={first['scale']['rest']!r}", "--delay=0"),
    )
    assert status == 0, err
    second = json.loads((tmp_path / "csv" / "fit.json").read_text())["fit"]
    assert second["scale"]["source"] == "stated"
    for name, entry in first["parameters"]["nest"].items():
        assert second["parameters"]["nest"][name]["value"] == pytest.approx(entry["value"], rel=1e-6), name
    for one, other in zip(first["models"]["lif"]["gamma"], second["models"]["lif"]["gamma"], strict=True):
        assert other["gamma"] == pytest.approx(one["gamma"])
    assert sorted(path.name for path in (tmp_path / "csv").iterdir()) == sorted(
        [*FILES, *(f"{name}.svg" for name in FIGURES)]
    )


def test_a_refused_recording_leaves_nothing(fit, tmp_path, recording):
    np.savez(tmp_path / "cell.npz", current_pA=recording.groups[0][0], spikes_ms=recording.spikes[0])
    for arguments, message in (
        ([], "There is nothing to fit: give a recording, or --example"),
        ([tmp_path / "cell.npz"], "sampling interval of .* is unknown"),
        ([tmp_path / "cell.npz", "--sampling-interval=0.5"], "state --membrane-resistance in MOhm"),
        ([tmp_path / "cell.npz", "--sampling-interval=5"], "between 0.001 and 2 ms, got 5 ms"),
        ([tmp_path / "cell.npz", "--sampling-interval=0.5", "--rest=-60"], "no effect without --membrane-resistance"),
        ([tmp_path / "cell.npz", "--example"], "--example makes its own recording"),
        ([tmp_path / "cell.npz", "--sampling-interval=0.5", "--free=alpha_1"], "can be free, got 'alpha_1'"),
        (
            [tmp_path / "cell.npz", "--sampling-interval=0.5", "--membrane-resistance=100", "--refractory-time=50"],
            "shorter than the refractory time of 50 ms",
        ),
    ):
        status, _, err = fit(*arguments, "--output", tmp_path / "out")
        assert status == 1
        assert re.search(message, err), err
        assert not (tmp_path / "out").exists()
