# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Refractory time, and delay between the model's and the recorded spikes."""

from collections.abc import Sequence

import numpy as np

from amat.analysis.fitting.features import Design, Kind, TimeConstants
from amat.analysis.fitting.likelihood import maximise
from amat.analysis.fitting.recording import NeuronRecording, RecordingError
from amat.analysis.fitting.search import Optimum, climb
from amat.arrays import Floats
from amat.simulation.reference import refractory_steps

__all__ = ["COARSE", "check_refractory_time", "estimate_delay", "estimate_refractory_time"]

#: Milliseconds that a step represents in searches, where steps without spikes are thinned out.
COARSE = 1.0
#: Largest estimate of the refractory time, and the range of delays that are tried, in ms. Spikes may be marked before
#: the upstroke, hence the negative ones.
_LONGEST_REFRACTORY, _DELAYS = 2.0, (-2.0, 8.0)
#: Gain of log-likelihood below which the delay closer to zero is taken.
_CLEAR = 2.0


def estimate_refractory_time(recording: NeuronRecording) -> float:
    """Return the refractory time in ms that the shortest interval allows, a time step to 2 ms.

    It is the maximum-likelihood estimate if that is not longer; the threshold explains longer pauses. As in NEST, the
    next spike is possible `refr_T` and a time step after one.
    """
    longest = min(recording.shortest_interval - recording.dt, _LONGEST_REFRACTORY)
    return max(1, round(longest / recording.dt)) * recording.dt


def check_refractory_time(recording: NeuronRecording, refr_T: float) -> None:
    """Raise `RecordingError` if a refractory time is too short for NEST, or too long for the recorded intervals."""
    if not refr_T >= recording.dt * 0.999:
        raise RecordingError(
            f"The refractory time must be at least the sampling interval of {recording.dt:g} ms, got {refr_T:g} ms."
        )
    shortest = recording.shortest_interval
    if (refractory_steps(refr_T, recording.dt) + 1) * recording.dt > shortest + 1e-9:
        raise RecordingError(
            f"{recording.name} has an interval of {shortest:g} ms between spikes, shorter than the refractory time of "
            f"{refr_T:g} ms and a sample: choose at most {shortest - recording.dt:g} ms, or remove double detections."
        )


def estimate_delay(recording: NeuronRecording, window: tuple[float, float], refr_T: float) -> float:
    """Return the delay of the recorded spikes in ms that has the largest likelihood, between -2 and 8 ms.

    Delays are compared at every ms with MAT models of four time constants, then around the best one with AMAT models of
    sixteen pairs of them, and with local searches from the best pair down to the time step. Of
    delays that are about as likely (2 units of log-likelihood) the one closest to zero is taken.
    """
    dt = recording.dt
    step = stride = max(1, round(COARSE / dt))
    first = [TimeConstants(tau_m=tau) for tau in np.geomspace(max(2.0, 2 * dt), 50.0, 4)]
    pairs = [taus.replace(tau_v=tau) for taus in first for tau in np.geomspace(max(1.5, 2 * dt), 40.0, 4)]

    def likelihoods(kind: Kind, steps: int, candidates: Sequence[TimeConstants]) -> Floats:
        design = Design(recording, kind, window, refr_T=refr_T, delay=steps * dt, stride=stride)
        return np.array([maximise(design.update(taus), dt, stride=stride, tolerance=1e-3)[1] for taus in candidates])

    lowest, highest = (round(delay / dt) for delay in _DELAYS)
    best = max(range(lowest, highest + 1, step), key=lambda steps: likelihoods("mat", steps, first).max())
    near = {steps: likelihoods("amat", steps, pairs) for steps in (best - step, best, best + step)}
    best = max(near, key=lambda steps: float(near[steps].max()))
    known = {steps: float(values.max()) for steps, values in near.items()}
    start = Optimum.at(pairs[int(near[best].argmax())])

    def climbed(steps: int) -> float:
        design = Design(recording, "amat", window, refr_T=refr_T, delay=steps * dt, stride=stride)
        return climb(design, ("tau_m", "tau_v"), start, evaluations=25).log_likelihood

    if step > 1:
        known = {best: climbed(best)}
    while step > 1:
        step = max(1, step // 2)
        for steps in (best - step, best + step):
            if steps not in known:
                known[steps] = climbed(steps)
        best = max((best - step, best, best + step), key=lambda steps: known[steps])
    towards = (best < 0) - (best > 0)
    while towards:
        known.setdefault(best + towards, climbed(best + towards))
        if best == 0 or known[best + towards] < max(known.values()) - _CLEAR:
            break
        best += towards
    return float(best * dt)
