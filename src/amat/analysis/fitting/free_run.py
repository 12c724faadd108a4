# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Spikes of a fitted model that runs freely, deterministic or with escape noise, in NumPy."""

import numpy as np

from amat.analysis.fitting.features import Kind, TimeConstants, filter_current, history_taus
from amat.arrays import Floats, Integers

__all__ = ["drive_of", "escape_levels", "free_run"]

#: Steps that are searched at once for the next spike.
_CHUNK = 256


def drive_of(kind: Kind, coefficients: Floats, taus: TimeConstants, current: Floats, dt: float) -> Floats:
    """Return the logarithm of the escape rate (1/ms) without the effect of spikes.

    Parameters
    ----------
    kind : str
        The model.
    coefficients : ndarray, shape (coefficients,)
    taus : TimeConstants
    current : ndarray, shape (steps,)
        In pA.
    dt : float
        Time step in ms.

    Returns
    -------
    ndarray, shape (steps,)
        At the end of each step.
    """
    with_beta = kind in ("amat", "ceiling")
    membrane, threshold = filter_current(current, dt, taus.tau_m, taus.tau_v if with_beta else None)
    drive: Floats = coefficients[0] + coefficients[1] * membrane
    return drive if threshold is None else drive - coefficients[-1] * threshold


def escape_levels(steps: int, dt: float, random: np.random.Generator) -> Floats:
    """Return random levels: the escape rate gives a spike in a step if its logarithm is at or above the level.

    The probability is ``1 - exp(-dt rate)``, that of the likelihood.

    Returns
    -------
    ndarray, shape (steps,)
    """
    levels: Floats = np.log(random.standard_exponential(steps) / dt)
    return levels


def free_run(
    kind: Kind,
    coefficients: Floats,
    taus: TimeConstants,
    drive: Floats,
    dt: float,
    dead_steps: int,
    level: float | Floats = 0.0,
) -> Integers:
    """Return the steps at whose end a model spikes, counted from 0.

    Parameters
    ----------
    kind, coefficients, taus
        The model.
    drive : ndarray, shape (steps,)
        As `drive_of` returns it.
    dt : float
        Time step in ms.
    dead_steps : int
        Steps after a spike that cannot spike.
    level : float or ndarray, shape (steps,)
        The model spikes where the logarithm of the rate reaches it: a number for the deterministic neuron, or
        `escape_levels`.

    Returns
    -------
    ndarray of int, shape (spikes,)
    """
    reset = kind == "lif"
    decays = np.exp(-dt / np.array([taus.tau_m] if reset else history_taus(kind, taus)))
    jumps = np.zeros(1) if reset else coefficients[2 : 2 + len(decays)]
    powers = decays[:, np.newaxis] ** np.arange(1, dead_steps + _CHUNK + 1)
    margin = drive - level
    history = np.zeros(len(decays))  # just after the spike at step `spike`
    spike, spikes = -1, []
    start = 0
    while start < len(margin):
        # From `start` on, search chunk by chunk for the first step at which the history no longer prevents a spike.
        offset = start - spike - 1
        stop = min(start + _CHUNK, len(margin))
        above = margin[start:stop] >= history @ powers[:, offset : offset + stop - start]
        first = int(above.argmax())
        if not above[first]:
            history, spike, start = history * powers[:, stop - spike - 2], stop - 1, stop
            continue
        step = start + first
        spikes.append(step)
        if reset:  # the membrane forgets what it was
            history = coefficients[1:2] * _membrane(drive, coefficients, step) - coefficients[2]
        else:
            history = history * powers[:, step - spike - 1] + jumps
        spike, start = step, step + 1 + dead_steps
    return np.array(spikes, dtype=np.int64)


def _membrane(drive: Floats, coefficients: Floats, step: int) -> float:
    """Return the membrane potential of a model whose drive depends on nothing else."""
    return float((drive[step] - coefficients[0]) / coefficients[1])
