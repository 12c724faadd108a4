# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat simulate``: its spikes are those of the library, for any parameters under any current.

The expected spikes come from `run_trials` for patterns, and from `amat.simulation.run.simulate` for other currents.
"""

import csv
import io
import json
import re
import shlex
import subprocess
import sys

import neo
import numpy as np
import pandas as pd
import pytest

from amat.analysis.patterns import CRITERIA, find_trial, run_trials
from amat.cli.app import main
from amat.neurons import AmatParameters, IzhikevichParameters
from amat.simulation.kernel import NEST_MODELS
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus
from amat.simulation.waveforms import sample_noise

PATTERNS = ["tonic_bursting", "rebound_spiking", "spike_frequency_adaptation", "inhibition_induced_spiking"]
STEP = np.repeat([0.0, 200.0, 0.0], [1000, 3000, 1000])  # 200 pA from 100 to 400 ms


@pytest.fixture
def amat_simulate(capsys, monkeypatch, tmp_path):
    """Run ``amat simulate``; return what it printed, and its table."""

    def run(*arguments: object) -> tuple[str, pd.DataFrame]:
        path = tmp_path / "table.csv"
        monkeypatch.setattr(sys, "argv", ["amat", "simulate", *map(str, arguments), "--csv", str(path)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert end.value.code in (0, None), err
        return out, pd.read_csv(path)

    return run


@pytest.fixture
def refused(capsys, monkeypatch):
    """Run ``amat simulate`` with arguments that it refuses; return its message of one line."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["amat", "simulate", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert end.value.code == 1
        assert out == ""
        assert err.startswith("amat: ")
        assert err.count("\n") == 1
        return err

    return run


def spikes_of(table: pd.DataFrame) -> list[float]:
    return table.loc[table["spike"], "time_ms"].round(6).tolist()


def library_spikes(parameters, current, resolution=0.1, **initial) -> list[float]:
    """Return the spike times of a neuron from an initial state, in ms."""
    name = NEST_MODELS["amat" if isinstance(parameters, AmatParameters) else "izhikevich"]
    result = simulate({name: [parameters.to_nestml()]}, [Stimulus(current)], resolution, initial={name: [initial]})
    return result.recordings[name].spike_times().round(6).tolist()


@pytest.mark.parametrize("model", ["amat", "izhikevich"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_has_the_librarys_spikes_and_verdict(amat_simulate, pattern, model):
    (response,) = run_trials([find_trial(pattern, model)])
    out, table = amat_simulate("--pattern", pattern, "--model", model)
    assert spikes_of(table) == response.spikes.round(6).tolist()
    np.testing.assert_allclose(table["V_m_mV"], response.V_m, rtol=0, atol=1e-9)
    assert f"{len(response.spikes)} spike" in out.splitlines()[0]
    assert f"Met: {CRITERIA[pattern].decide(response).reason}." in out


def exit_status(monkeypatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["amat", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_simulate_and_patterns_agree_on_a_pattern_that_is_not_met(capsys, monkeypatch):
    """Both fail for the validated neuron. Printed parameters and changed ones are not expected to show the pattern."""
    assert exit_status(monkeypatch, "patterns", "--resolution", 1.0) == 1
    missing = re.search(r"do not show (\w+)", capsys.readouterr().err)[1]
    arguments = ("simulate", "--pattern", missing, "--resolution", 1.0)
    assert exit_status(monkeypatch, *arguments) == 1
    assert "Not met: " in capsys.readouterr().out
    assert exit_status(monkeypatch, *arguments[:3], "--parameter-set", "printed-10") == 0
    assert exit_status(monkeypatch, *arguments, "--set", "omega=90") == 0
    assert capsys.readouterr().out.count("Not met: ") >= 1


def test_a_printed_parameter_set(amat_simulate):
    (response,) = run_trials([find_trial("tonic_spiking", "amat", "printed-5", 0.05)])
    arguments = ("--pattern", "tonic_spiking", "--parameter-set", "printed-5", "--resolution", 0.05)
    assert spikes_of(amat_simulate(*arguments)[1]) == response.spikes.round(6).tolist()


def test_parameters_of_a_file_and_of_options_change_a_pattern(amat_simulate, tmp_path):
    trial = find_trial("tonic_spiking", "amat")
    parameters = trial.neuron.parameters.replace(alpha_1=4.0, omega=7.5)
    expected = library_spikes(parameters, trial.current_on_grid())
    (tmp_path / "parameters.json").write_text(json.dumps({"alpha_1": 1.0, "omega": 7.5}))
    arguments = ("--pattern", "tonic_spiking", "--parameters", tmp_path / "parameters.json", "--set", "alpha_1=4")
    out, table = amat_simulate(*arguments)
    assert spikes_of(table) == expected
    assert expected != run_trials([trial])[0].spikes.round(6).tolist()
    assert "Met: " in out


@pytest.mark.parametrize("model", ["amat", "izhikevich"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_current_from_a_file_is_that_of_the_pattern(amat_simulate, tmp_path, pattern, model):
    """A file with a row per change of the current gives the pattern's spikes, without its criterion."""
    trial = find_trial(pattern, model)
    current, step = trial.current_on_grid(), trial.neuron.resolution
    with (tmp_path / "current.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_ms", "current"])
        writer.writerows((n * step, current[n]) for n in range(len(current)) if n == 0 or current[n] != current[n - 1])
    arguments = ("--pattern", pattern, "--model", model, "--current", tmp_path / "current.csv")
    out, table = amat_simulate(*arguments, "--duration", trial.duration)
    assert spikes_of(table) == run_trials([trial])[0].spikes.round(6).tolist()
    assert CRITERIA[pattern].statement not in out


def test_steps_ramps_and_constant_current_add_up(amat_simulate):
    _, table = amat_simulate("--step", "200:100:400", "--duration", 500)
    assert spikes_of(table) == library_spikes(AmatParameters(), STEP)
    _, halves = amat_simulate("--step", "150:100:400", "--step", "50:100:400", "--duration", 500)
    assert spikes_of(halves) == spikes_of(table)
    _, constant = amat_simulate("--step", 180, "--duration", 500)
    assert spikes_of(constant) == spikes_of(amat_simulate("--set", "I_e=180", "--duration", 500)[1])
    assert (constant["I_pA"] == 180).all()
    _, ramp = amat_simulate("--ramp", "100:300:0:400", "--step=-20", "--duration", 500)
    middles = np.arange(5000) * 0.1 + 0.05
    np.testing.assert_allclose(ramp["I_pA"], np.where(middles < 400, 100 + 0.5 * middles, 0.0) - 20.0, atol=1e-9)


def test_sine_and_noise(amat_simulate):
    _, sine = amat_simulate("--sine", "100:5:150", "--duration", 400)
    time = np.arange(4000) * 0.1
    current = 150 + 100 * np.sin(2e-3 * np.pi * 5 * time)
    assert spikes_of(sine) == library_spikes(AmatParameters(), current)
    _, noise = amat_simulate("--noise", "150:60:5", "--seed", 3, "--duration", 300)
    assert spikes_of(noise) == library_spikes(AmatParameters(), sample_noise(3000, 0.1, 150.0, 60.0, 5.0, 3))
    assert spikes_of(noise) != spikes_of(amat_simulate("--noise", "150:60:5", "--seed", 4, "--duration", 300)[1])


def test_izhikevichs_neuron_with_any_parameters(amat_simulate):
    arguments = ("--model", "izhikevich", "--set", "a=0.1", "--set", "d=2", "--step", "10:20:180", "--resolution", 0.25)
    _, table = amat_simulate(*arguments, "--duration", 200)
    current = np.repeat([0.0, 10.0, 0.0], [80, 640, 80])
    expected = library_spikes(IzhikevichParameters(a=0.1, d=2.0), current, 0.25, V_m=-70.0, U_m=-14.0)
    assert len(expected) > 5
    assert spikes_of(table) == expected
    assert list(table) == ["time_ms", "I_mV_per_ms", "V_m_mV", "spike"]


def test_a_neuron_starts_at_rest_wherever_that_is(amat_simulate):
    """Without current nothing moves, also with a threshold that depends on the potential's derivative."""
    _, table = amat_simulate("--set", "E_L=-60", "--set", "beta=0.3", "--duration", 50)
    assert (table["V_m_mV"] == -60).all()
    assert (table["V_th_mV"] == -55).all()


def test_the_duration_is_that_of_the_file(amat_simulate, tmp_path):
    (tmp_path / "current.csv").write_text("0,200\n123.45,0\n")
    _, table = amat_simulate("--current", tmp_path / "current.csv")
    assert table["time_ms"].iloc[-1] == pytest.approx(123.5)
    assert table["I_pA"].tolist() == [200.0] * 1234 + [0.0]


def test_a_file_whose_steps_cannot_be_counted_is_refused(refused, tmp_path):
    (tmp_path / "current.csv").write_text("0,200\n1.7e308,0\n")
    assert "duration must be positive and finite, got inf ms" in refused("--current", tmp_path / "current.csv")


@pytest.mark.parametrize("name", ["plot.pdf", "plot.PDF"])
def test_a_figure(amat_simulate, tmp_path, name):
    amat_simulate("--step", 200, "--duration", 100, "--plot", tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("path", ["-", "/dev/stdout"])
def test_a_table_on_standard_output_is_alone_there(path):
    command = [sys.executable, "-m", "amat", "simulate", "--step", "200", "--duration", "20", "--csv", path]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(pd.read_csv(io.StringIO(finished.stdout))) == 200
    assert "2 spikes in 20 ms" in finished.stderr


def test_progress_is_printed_off_a_terminal_and_changes_nothing(capsys, monkeypatch):
    arguments = ("simulate", "--step", 200, "--duration", 500)
    assert exit_status(monkeypatch, *arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    monkeypatch.setattr("amat.cli.simulate._LONG", 5000)
    assert exit_status(monkeypatch, *arguments) == 0
    expected = "".join(f"steps: {500 * part} of 5000\n" for part in range(1, 11))
    assert capsys.readouterr() == (out, expected)
    assert exit_status(monkeypatch, "validate", "--samples", 2) == 0
    assert capsys.readouterr().err == "parameter sets: 1 of 2\nparameter sets: 2 of 2\n"


def test_spikes_are_written(amat_simulate, tmp_path):
    arguments = ("--step", 200, "--duration", 100, "--spikes")
    _, table = amat_simulate(*arguments, tmp_path / "spikes.csv")
    assert pd.read_csv(tmp_path / "spikes.csv")["time_ms"].tolist() == spikes_of(table)
    amat_simulate(*arguments, tmp_path / "spikes.npz")
    with np.load(tmp_path / "spikes.npz") as file:
        assert (file["spike_times_ms"].tolist(), file["duration_ms"]) == (spikes_of(table), 100.0)


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [
        (["--step", 200, "--set", "I_e=7"], AmatParameters(I_e=7.0)),
        (["--set", "alpha_1=3"], AmatParameters(alpha_1=3.0)),  # no spikes
        (["--model", "izhikevich", "--step", 10], IzhikevichParameters()),
    ],
)
def test_spikes_for_neo_have_units_limits_and_parameters(amat_simulate, tmp_path, arguments, parameters):
    path = tmp_path / "spikes.NIX"
    _, table = amat_simulate(*arguments, "--duration", 100, "--resolution", 0.05, "--spikes", path)
    with neo.NixIO(str(path), "ro") as file:
        (block,) = file.read_all_blocks()
    (train,) = block.segments[0].spiketrains
    assert train.rescale("s").magnitude.tolist() == pytest.approx([time / 1e3 for time in spikes_of(table)])
    assert [str(time) for time in (train.units, train.t_start, train.t_stop)] == ["1.0 ms", "0.0 ms", "100.0 ms"]
    assert str(train.annotations["time_step"]) == "0.05 ms"
    assert parameters.to_nestml().items() <= train.annotations.items()
    assert train.annotations["model"] == NEST_MODELS["izhikevich" if "izhikevich" in arguments else "amat"]


def test_nix_files_without_their_library_are_refused_before_any_work(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "nixio", None)
    message = refused("--step", 200, "--spikes", "spikes.nix")
    assert "spikes.nix: NIX files need the package nixio. Run `pip install nixio`, or choose .csv or .npz." in message


@pytest.mark.parametrize("option", ["--csv", "--spikes"])
@pytest.mark.parametrize(("name", "text"), [("--current", "0,200\n50,0\n"), ("--parameters", "alpha_1: 3\n")])
def test_files_that_are_read_are_not_replaced(refused, tmp_path, name, text, option):
    (tmp_path / "input.csv").write_text(text)
    (tmp_path / "link.csv").symlink_to("input.csv")
    message = refused(name, tmp_path / "input.csv", "--duration", 50, option, tmp_path / "link.csv")
    assert "link.csv is an input, which would be replaced: choose another output." in message
    assert (tmp_path / "input.csv").read_text() == text


def test_the_commands_of_the_page_run_with_the_files_that_it_shows(root, tmp_path):
    text = (root / "book" / "getting_started.md").read_text()
    section = text.split("## Simulate from the command line")[1].split("## ")[0]
    block = dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE))
    (tmp_path / "my_neuron.yaml").write_text(block["yaml"])
    (tmp_path / "current.csv").write_text(block["text"])
    for line in block["bash"].splitlines():
        command = [sys.executable, "-m", *shlex.split(line)]
        subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    script = [sys.executable, "-c", block["python"]]
    printed = subprocess.run(script, check=True, cwd=tmp_path, capture_output=True, text=True).stdout
    parameters = AmatParameters(alpha_1=6.0, omega=12.0)
    expected = library_spikes(parameters, np.repeat([0.0, 250.0, 0.0], [500, 4000, 500]))
    assert len(expected) > 5
    assert printed == f"{expected} 500.0 ms 6.0\n"


def test_a_full_disk_is_an_error_of_one_line():
    for arguments in (["--csv", "/dev/full"], ["> /dev/full"]):
        command = f"{sys.executable} -m amat simulate --step 200 --duration 20 {' '.join(arguments)}"
        finished = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert finished.returncode == 1
        assert "No space left on device" in finished.stderr
        assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to simulate: give --pattern"),
        (["--pattern", "rebound"], "the nearest names are rebound_"),
        (["--set", "alph_1=3"], "the nearest names are alpha_1"),
        (["--model", "izhikevich", "--set", "alpha_1=3"], "Unknown Izhikevich parameter 'alpha_1'"),
        (["--set", "alpha_1=nan"], "alpha_1 must be a finite number, got nan"),
        (["--set", "tau_m=0"], "tau_m must be positive, got 0 ms"),
        (["--set", "refr_T=0.05"], "refr_T must be at least one time step of 0.1 ms, got 0.05 ms"),
        (["--step", "inf"], "--step inf: expected finite numbers in the form AMPLITUDE[:START[:STOP]]"),
        (["--step", "1:2:3:4"], "--step 1:2:3:4: expected finite numbers in the form"),
        (["--step", "100:50:50"], "START must be 0 or later and before STOP, got 50 and 50 ms"),
        (["--step", "100:500:600", "--duration", "300"], "has no effect: it starts at 500 ms"),
        (["--ramp", "100"], "--ramp 100: expected finite numbers in the form FROM:TO[:START[:STOP]]"),
        (["--sine", "100:6000"], "6000"),
        (["--noise", "100:-5"], "standard deviation of noise must not be negative, got -5"),
        (["--step", "100", "--duration", "nan"], "duration must be positive and finite, got nan ms"),
        (["--step", "100", "--duration", "0.25"], "multiple of the time step of 0.1 ms, got 0.25 ms"),
        (["--step", "100", "--resolution", "0"], "time step must be positive, got 0.0 ms"),
        (
            ["--step", "100", "--resolution", "0.3", "--duration", "300"],
            "must divide the delay of 1.0 ms, got 0.3 ms",
        ),
        (["--step", "100", "--seed", "2"], "--seed 2 has no effect without --noise"),
        (["--step", "100", "--parameter-set", "printed-5"], "--parameter-set printed-5 has no effect"),
        (["--pattern", "class_1", "--model", "izhikevich", "--parameter-set", "validated"], "has no effect"),
        (["--pattern", "class_1", "--model", "izhikevich", "--resolution", "0.1"], "--resolution 0.1 has no effect"),
        (["--step", "100", "--plot", "figure.xyz"], "figures cannot be written as '.xyz'"),
        (["--step", "100", "--resolution", "nan"], "time step must be positive, got nan ms"),
        (["--step", "1e308", "--step", "1e308"], "currents add up to numbers that are not finite"),
        (["--ramp=-1e308:1e308"], "currents add up to numbers that are not finite"),
        (["--set", "C_m=1e-320"], "NEST refuses these values"),
        (["--model", "izhikevich", "--set", "a=1e300", "--step", "10"], "state grew beyond all numbers"),
        (["--step", "100", "--spikes", "a.txt"], "spikes cannot be written as '.txt'. Choose .csv, .nix or .npz"),
        (["--current", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["--parameters", "nowhere.yaml"], "nowhere.yaml cannot be read"),
    ],
)
def test_what_cannot_be_or_has_no_effect_is_refused(refused, arguments, message):
    assert message in refused(*arguments)
