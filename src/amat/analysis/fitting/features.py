# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Predictors of the escape rate, which are linear in all parameters but the time constants.

With the recorded spikes given (teacher forcing), membrane potential and threshold are sums of fixed functions of time,
each multiplied by a coefficient. `Design` holds these functions at the steps of a recording in which the neuron could
spike.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.signal import lfilter

from amat.analysis.fitting.recording import NeuronRecording, bin_spikes
from amat.arrays import Floats, Integers
from amat.checks import require_positive
from amat.neurons import AmatParameters
from amat.simulation.reference import propagators, refractory_steps

__all__ = [
    "CEILING_TAUS",
    "KINDS",
    "Design",
    "Kind",
    "Piece",
    "TimeConstants",
    "Trial",
    "coefficient_names",
    "filter_current",
    "history_taus",
]

Kind = Literal["lif", "mat", "amat", "ceiling"]

#: The models, in the order of their number of parameters.
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Time constants in ms of the ceiling's threshold after a spike, in addition to tau_1 and tau_2.
CEILING_TAUS = (2.0, 5.0, 30.0, 80.0)


@dataclass(frozen=True)
class TimeConstants:
    """Time constants in ms, by NESTML's names."""

    tau_m: float = 15.0
    tau_v: float = 5.0
    tau_1: float = 10.0
    tau_2: float = 200.0

    def __post_init__(self) -> None:
        """Raise `ParameterError` for a value that is not positive."""
        for name, value in dataclasses.asdict(self).items():
            require_positive(name, value, "ms")

    def replace(self, **changes: float) -> "TimeConstants":
        """Return a copy with some values changed."""
        return dataclasses.replace(self, **changes)


def history_taus(kind: Kind, taus: TimeConstants) -> tuple[float, ...]:
    """Return the time constants in ms of the threshold's spike-triggered components."""
    if kind == "lif":
        return ()
    return (taus.tau_1, taus.tau_2, *(CEILING_TAUS if kind == "ceiling" else ()))


def coefficient_names(kind: Kind) -> tuple[str, ...]:
    """Return the names of a model's coefficients.

    ``offset`` and ``gain`` (1/pA) are those of the membrane potential, ``alpha_k`` belong to the spike-triggered
    threshold, ``beta`` (1/(pA ms)) to its voltage-dependent part; all are divided by the noise Delta.
    """
    if kind == "lif":
        return ("offset", "gain", "reset")
    jumps = tuple(f"alpha_{number}" for number in range(1, 1 + len(history_taus(kind, TimeConstants()))))
    return ("offset", "gain", *jumps, *(() if kind == "mat" else ("beta",)))


def filter_current(current: Floats, dt: float, tau_m: float, tau_v: float | None) -> tuple[Floats, Floats | None]:
    """Return the membrane potential and the voltage-dependent threshold, for unit resistance and beta.

    The current is constant during a step, and the solution is exact (that of `amat.simulation.reference`).

    Parameters
    ----------
    current : ndarray, shape (steps,)
    dt, tau_m : float
        In ms.
    tau_v : float or None
        In ms; with None the threshold is not computed.

    Returns
    -------
    membrane, drive : ndarray, shape (steps,)
        At the end of each step, in the unit of the current; the membrane starts at zero.
    """
    unit = AmatParameters(tau_m=tau_m, C_m=tau_m, tau_v=tau_v or 1.0, beta=1.0)
    step = propagators([unit], dt)[0]
    u, y, w, i = 0, 1, 2, 7
    membrane = lfilter([step[u, i]], [1.0, -step[u, u]], current)
    if tau_v is None:
        return membrane, None
    before = _previous(membrane)
    rate = lfilter([1.0], [1.0, -step[y, y]], step[y, u] * before + step[y, i] * current)
    change = step[w, u] * before + step[w, y] * _previous(rate) + step[w, i] * current
    return membrane, lfilter([1.0], [1.0, -step[w, w]], change)


def _previous(values: Floats) -> Floats:
    """Return the values one step before, zero at first."""
    return np.concatenate([[0.0], values[:-1]])


def _trace(spikes: Integers, steps: int, dt: float, tau: float) -> Floats:
    """Return the sum of unit exponentials after spikes, which act from the step after the spike on."""
    counts = np.bincount(spikes, minlength=steps).astype(np.float64)
    decay = np.exp(-dt / tau)
    trace: Floats = lfilter([0.0, decay], [1.0, -decay], counts)
    return trace


@dataclass(frozen=True)
class Piece:
    """Predictors at the steps of one repeat within a block of time.

    Attributes
    ----------
    block : int
        Number of the block of time.
    silent : ndarray, shape (coefficients, steps)
        At steps without a spike.
    spiking : ndarray, shape (coefficients, spikes)
        At steps with a spike.
    """

    block: int
    silent: Floats
    spiking: Floats


class Trial:
    """One repeat: its steps that count, and the predictors at these.

    Attributes
    ----------
    spikes : ndarray of int, shape (all spikes,)
        Steps with a spike, also outside the window.
    silent, spiking : ndarray of int
        Steps without and with a spike in the window, ascending.
    values : ndarray, shape (coefficients, silent and spiking steps)
        Predictors.
    """

    def __init__(self, spikes: Integers, steps: int, span: tuple[int, int], refractory: int, stride: int) -> None:
        self.spikes = spikes[(spikes >= 0) & (spikes < steps)]
        blocked = np.zeros(steps + refractory + 1, dtype=bool)
        for shift in range(refractory + 1):
            blocked[self.spikes + shift] = True
        low, high = span
        silent = np.flatnonzero(~blocked[low:high]) + low
        self.silent = silent[stride // 2 :: stride]
        self.spiking = self.spikes[(self.spikes >= low) & (self.spikes < high)]
        self.places = np.concatenate([self.silent, self.spiking])
        self.values = np.empty((0, 0))

    def pieces(self, edges: Integers) -> Iterator[Piece]:
        """Return the predictors, split at the edges of blocks (views)."""
        count = len(self.silent)
        quiet, loud = np.searchsorted(self.silent, edges), count + np.searchsorted(self.spiking, edges)
        for block in range(len(edges) - 1):
            yield Piece(
                block,
                self.values[:, quiet[block] : quiet[block + 1]],
                self.values[:, loud[block] : loud[block + 1]],
            )


class Design:
    """Predictors of a model at the steps of a recording in which the neuron could spike.

    Parameters
    ----------
    recording : NeuronRecording
    kind : str
        The model.
    window : (float, float)
        Start and end of the time that counts, in ms.
    refr_T : float
        Absolute refractory time in ms. As in NEST, the steps of `refr_T` after a spike cannot spike.
    delay : float
        Delay of the recorded spikes in ms.
    stride : int
        Each n-th step without a spike represents n of them: 1 is exact.
    block : float
        Length of the blocks of time in ms, for sums by block; infinite is one block.
    """

    def __init__(
        self,
        recording: NeuronRecording,
        kind: Kind,
        window: tuple[float, float],
        *,
        refr_T: float,
        delay: float = 0.0,
        stride: int = 1,
        block: float = np.inf,
    ) -> None:
        self.recording, self.kind, self.dt, self.stride = recording, kind, recording.dt, stride
        dt, steps = recording.dt, recording.steps
        low, high = max(0, round(window[0] / dt)), min(steps, round(window[1] / dt))
        width = high - low if np.isinf(block) else max(1, round(block / dt))
        count = max(1, round((high - low) / width))
        self.edges: Integers = np.linspace(low, high, count + 1).astype(np.int64)
        dead = refractory_steps(refr_T, dt)
        self.trials = [
            Trial(bin_spikes(times, dt, delay), steps, (low, high), dead, stride) for times in recording.spikes
        ]
        self.spikes = sum(len(trial.spiking) for trial in self.trials)
        self.steps = sum(stride * len(trial.silent) for trial in self.trials) + self.spikes
        self._current: TimeConstants | None = None
        for trial in self.trials:
            trial.values = np.empty((len(coefficient_names(kind)), len(trial.places)))
            trial.values[0] = 1.0

    @property
    def blocks(self) -> int:
        """Number of blocks of time."""
        return len(self.edges) - 1

    def update(self, taus: TimeConstants) -> Sequence[Piece]:
        """Compute the predictors for time constants in place, and return them in pieces."""
        known = self._current
        history = history_taus(self.kind, taus)
        unchanged = known is not None and history == history_taus(self.kind, known)
        for current, rows in self.recording.groups:
            drive = "beta" in coefficient_names(self.kind)
            membrane, threshold = filter_current(current, self.dt, taus.tau_m, taus.tau_v if drive else None)
            for trial in (self.trials[row] for row in rows):
                if self.kind == "lif":
                    self._fill_lif(trial, membrane, taus.tau_m)
                    continue
                np.take(membrane, trial.places, out=trial.values[1])
                if threshold is not None:
                    np.negative(threshold[trial.places], out=trial.values[-1])
                for number, tau in enumerate(() if unchanged else history, start=2):
                    np.negative(
                        _trace(trial.spikes, len(current), self.dt, tau)[trial.places], out=trial.values[number]
                    )
        self._current = taus
        return [piece for trial in self.trials for piece in trial.pieces(self.edges)]

    def _fill_lif(self, trial: Trial, membrane: Floats, tau_m: float) -> None:
        """Compute the predictors of a membrane that is reset at spikes: it forgets what it was at the last one."""
        last = np.searchsorted(trial.spikes, trial.places) - 1  # the last spike before a step
        spiked = last >= 0
        when = trial.spikes[np.maximum(last, 0)] if len(trial.spikes) else np.zeros_like(trial.places)
        memory = np.where(spiked, np.exp(-np.maximum(trial.places - when, 0) * self.dt / tau_m), 0.0)
        trial.values[1] = membrane[trial.places] - memory * membrane[when]
        trial.values[2] = memory
