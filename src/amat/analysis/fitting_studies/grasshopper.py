# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Recordings that anyone can install: auditory receptors of grasshoppers, from the Python package nitime.

References
----------
.. [1] Rokem A, Watzl S, Gollisch T, Stemmler M, Herz AVM, Samengo I (2006). J. Neurophysiol. 95:2541-2552.
       doi:10.1152/jn.00891.2005
"""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from amat.analysis.fitting.convert import stated_scale
from amat.analysis.fitting.pipeline import FitSettings, fit_recording
from amat.analysis.fitting.recording import NeuronRecording
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["PA_PER_DB", "STIMULI", "find_nitime", "load_grasshopper", "score_grasshopper", "sound_level"]

#: The numbers of the stimuli in nitime.
STIMULI = (1, 2)

#: Current in pA for a decibel. The sound's effect on the receptor is unknown, so that its scale is arbitrary.
PA_PER_DB = 10.0

#: Samples of the stimulus, at 20 kHz, that make one step of 0.1 ms.
_SAMPLES_PER_STEP, _DT = 2, 0.1


def find_nitime() -> Path:
    """Return the folder of nitime's data.

    Raises
    ------
    AmatError
        If nitime is not installed.
    """
    found = importlib.util.find_spec("nitime")
    if found is None or found.origin is None:
        raise AmatError("The recordings are in the package nitime, which is missing: pip install nitime")
    return Path(found.origin).parent / "data"


def sound_level(amplitude: Floats) -> Floats:
    """Return sound levels in decibels relative to the softest.

    Parameters
    ----------
    amplitude : ndarray, shape (samples,)
        Amplitude of the sound's envelope in any unit, positive.

    Raises
    ------
    AmatError
        If an amplitude is not positive and finite.
    """
    if not (np.isfinite(amplitude).all() and (amplitude > 0).all()):
        raise AmatError("All amplitudes of the sound must be positive and finite.")
    return np.asarray(20 * np.log10(amplitude / amplitude.min()))


def load_grasshopper(number: int, folder: Path | None = None) -> NeuronRecording:
    """Return the recording of a receptor, with a current that is proportional to the sound level in decibels.

    Parameters
    ----------
    number : {1, 2}
        The stimulus.
    folder : path, optional
        The folder with the files; by default that of the installed nitime.

    Raises
    ------
    AmatError
        If nitime is not installed.
    """
    folder = folder or find_nitime()
    amplitude = np.loadtxt(folder / f"grasshopper_stimulus{number}.txt")[:, 1]
    level = sound_level(amplitude).reshape(-1, _SAMPLES_PER_STEP).mean(axis=1)
    spikes = np.loadtxt(folder / f"grasshopper_spike_times{number}.txt") / 1000  # from microseconds
    return NeuronRecording(current=PA_PER_DB * level, spikes=[spikes], dt=_DT, name=f"grasshopper, stimulus {number}")


def score_grasshopper(folder: Path | None = None, *, samples: int = 1000, seed: int = 1) -> pd.DataFrame:
    """Fit models to the first two thirds of both recordings, and score them on the last third.

    Parameters
    ----------
    folder : path, optional
        As in `load_grasshopper`.
    samples, seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each stimulus and model; columns as in ``data/grasshopper_scores.csv``.
    """
    rows = []
    for number in STIMULI:
        recording = load_grasshopper(number, folder)
        # Neither resistance nor potential is known; they scale the parameters, and not the predictions.
        result = fit_recording(recording, stated_scale(100.0, -70.0), FitSettings(samples=samples, seed=seed))
        for kind, model in result.models.items():
            score, (bits, (low, high)) = result.scores[kind][0], result.bits[kind]
            rows.append(
                {
                    "stimulus": number,
                    "model": kind,
                    "spikes": recording.spike_count,
                    "delay": model.delay,
                    "tau_m": model.taus.tau_m,
                    "gamma_2_ms": score.gamma,
                    "gamma_low_2_ms": score.gamma_interval[0],
                    "gamma_high_2_ms": score.gamma_interval[1],
                    "bits_per_spike": bits,
                    "bits_low": low,
                    "bits_high": high,
                }
            )
    return pd.DataFrame(rows)
