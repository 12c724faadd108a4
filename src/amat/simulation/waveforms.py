# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Currents on the grid of time steps that are read from a file, or random."""

import csv
import io
import math
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from amat.arrays import Floats
from amat.errors import AmatError
from amat.files import read_text

__all__ = ["hold_samples", "read_samples", "sample_noise"]


def read_samples(path: Path) -> tuple[Floats, Floats]:
    """Read a current from a CSV file with two columns, the time in ms and the current.

    The first row may be a header. Columns may be separated by semicolons or tabs, numbers may then have decimal commas,
    and the file may be compressed by gzip. Times must be 0 or later, and increase.

    Returns
    -------
    times, values : ndarray, shape (rows,)

    Raises
    ------
    AmatError
        If the file cannot be read, or a row does not fit. The message names the line.
    """
    text = read_text(path, "The current file")
    separator = next((mark for mark in ";\t" if mark in text), ",")
    try:
        lines = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), start=1)
        rows = [(number, row) for number, row in lines if "".join(row).strip()]
    except csv.Error as error:
        raise AmatError(f"The current file {path} is not a CSV file: {error}") from error
    samples: list[tuple[float, float]] = []
    for place, (number, row) in enumerate(rows):
        try:
            time, value = (float(cell if separator == "," else cell.replace(",", ".")) for cell in row)
        except ValueError:
            if place == 0 and len(row) == 2:
                continue  # the header
            raise AmatError(
                f"{path}, line {number}: expected two numbers, the time in ms and the current, got {','.join(row)!r}."
            ) from None
        if not (math.isfinite(time) and math.isfinite(value)):
            raise AmatError(f"{path}, line {number}: numbers must be finite, got {','.join(row)!r}.")
        if time < 0 or (samples and time <= samples[-1][0]):
            raise AmatError(f"{path}, line {number}: times must be 0 or later and increase, got {time:g} ms.")
        samples.append((time, value))
    if not samples:
        raise AmatError(f"The current file {path} has no rows: give the time in ms and the current in each.")
    times, values = np.array(samples).T
    return times, values


def hold_samples(times: Floats, values: Floats, steps: int, resolution: float) -> Floats:
    """Return a current that holds each sample until the next one, and is zero before the first.

    Parameters
    ----------
    times, values : ndarray, shape (samples,)
        As `read_samples` returns them.
    steps : int
    resolution : float
        Time step in ms.

    Returns
    -------
    ndarray, shape (steps,)
        The current in the middle of each step.
    """
    middles = (np.arange(steps) + 0.5) * resolution
    return np.concatenate([[0.0], values])[np.searchsorted(times, middles, side="right")]


def sample_noise(steps: int, resolution: float, mean: float, sd: float, tau: float, seed: int) -> Floats:
    """Return Gaussian noise whose autocorrelation decays exponentially: an Ornstein-Uhlenbeck process.

    Parameters
    ----------
    steps : int
    resolution : float
        Time step in ms.
    mean, sd : float
        Stationary mean and standard deviation, in the current's unit. The first value is drawn from that distribution.
    tau : float
        Correlation time in ms. With 0 the values of the steps are independent.
    seed : int

    Returns
    -------
    ndarray, shape (steps,)

    Raises
    ------
    AmatError
        If `sd` or `tau` is negative.
    """
    for name, value in (("standard deviation", sd), ("correlation time", tau)):
        if value < 0:
            raise AmatError(f"The {name} of noise must not be negative, got {value:g}.")
    decay = math.exp(-resolution / tau) if tau else 0.0
    innovations = np.random.default_rng(seed).standard_normal(steps)
    innovations[1:] *= math.sqrt(1.0 - decay**2)
    noise: Floats = mean + sd * lfilter([1.0], [1.0, -decay], innovations)
    return noise
