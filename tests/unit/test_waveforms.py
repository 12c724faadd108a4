# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Currents that are read from a file, and noise."""

import gzip

import numpy as np
import pytest

from amat.errors import AmatError
from amat.simulation.waveforms import hold_samples, read_samples, sample_noise


def test_samples_are_held_until_the_next(tmp_path):
    path = tmp_path / "current.csv"
    path.write_text("time_ms,I_pA\n0.2,5\n0.3,-1.5\n\n0.45,0\n")
    times, values = read_samples(path)
    assert (times.tolist(), values.tolist()) == ([0.2, 0.3, 0.45], [5.0, -1.5, 0.0])
    # The last sample begins in the middle of a step, where the step is read.
    assert hold_samples(times, values, 6, 0.1).tolist() == [0.0, 0.0, 5.0, -1.5, 0.0, 0.0]
    path.write_text("0,1\n0.1,2\n")
    assert read_samples(path)[1].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "text",
    [
        "time,current\n0.2,5\n1.5,-1.5\n",
        "time;current\n0.2;5\n1.5;-1.5\n",
        "Zeit (ms);Strom (pA)\n0,2;5,0\n1,5;-1,5\n",
        "0,2\t5\n1,5\t-1,5\n",
        "time,current\r\n0.2,5\r\n1.5,-1.5\r\n",
        "\ufefftime,current\n0.2,5\n1.5,-1.5",
        "0.2,5\n1.5,-1.5\n\n",
        "0.2,5\n1.5,-1.5\n,\n \n",
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_files_of_other_programs_are_read(tmp_path, text, compress):
    """Headers, semicolons, tabs, decimal commas, CRLF, a byte order mark, gzip, empty lines at the end."""
    path = tmp_path / "current.csv"
    path.write_bytes(compress(text.encode()))
    times, values = read_samples(path)
    assert (times.tolist(), values.tolist()) == ([0.2, 1.5], [5.0, -1.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1\n1,x\n", r"line 2: expected two numbers, .* got '1,x'"),
        ("0,1,2\n", "line 1: expected two numbers"),
        ("time,current\n0,nan\n", "line 2: numbers must be finite"),
        ("0,1\n0,2\n", "line 2: times must be 0 or later and increase, got 0 ms"),
        ("-1,1\n", "line 1: times must be 0 or later and increase, got -1 ms"),
        ("time,current\n", "has no rows"),
        (None, "cannot be read: No such file"),
    ],
)
def test_files_that_are_no_current_are_refused(tmp_path, text, message):
    path = tmp_path / "current.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(AmatError, match=message):
        read_samples(path)


def test_noise_has_its_mean_deviation_and_correlation_time():
    noise = sample_noise(400_000, 0.1, mean=30.0, sd=4.0, tau=2.0, seed=1)
    assert noise.mean() == pytest.approx(30.0, abs=0.15)
    assert noise.std() == pytest.approx(4.0, rel=0.02)
    deviation = (noise - 30.0) / 4.0
    for lag in (1, 20, 40):
        assert np.mean(deviation[lag:] * deviation[:-lag]) == pytest.approx(np.exp(-0.1 * lag / 2.0), abs=0.02)
    white = sample_noise(400_000, 0.1, mean=0.0, sd=1.0, tau=0.0, seed=1)
    assert abs(np.mean(white[1:] * white[:-1])) < 0.01
    first = [sample_noise(1, 0.1, 0.0, 1.0, 50.0, seed)[0] for seed in range(2000)]
    assert np.std(first) == pytest.approx(1.0, rel=0.05)


def test_noise_depends_on_its_seed_alone():
    one, same, other = (sample_noise(100, 0.1, 0.0, 1.0, 5.0, seed) for seed in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


@pytest.mark.parametrize(("sd", "tau", "name"), [(-1.0, 5.0, "standard deviation"), (1.0, -5.0, "correlation time")])
def test_negative_deviations_and_times_are_refused(sd, tau, name):
    with pytest.raises(AmatError, match=f"{name} of noise must not be negative"):
        sample_noise(10, 0.1, 0.0, sd, tau, seed=1)
