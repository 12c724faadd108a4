# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Published recordings of neurons, read from files that the reader has obtained.

The recordings carry no licence that allows copies, so that the project ships results only.

References
----------
.. [1] Jolivet R, Kobayashi R, Rauch A, Naud R, Shinomoto S, Gerstner W (2008). J. Neurosci. Methods 169:417-424.
       doi:10.1016/j.jneumeth.2007.11.006 (competition of 2007, challenge A)
.. [2] Pozzorini C, Mensi S, Hagens O, Naud R, Koch C, Gerstner W (2015). PLoS Comput. Biol. 11:e1004275.
       doi:10.1371/journal.pcbi.1004275
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amat.analysis.fitting.recording import NeuronRecording
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["CELLS", "POOLED", "READINGS", "Cell", "PublishedRecording", "array_digest", "load_recording"]

#: Sampling intervals in ms under which the recordings of 2007 are read, since their documents contradict each other.
READINGS = {"1 kHz": 1.0, "5 kHz": 0.2}


@dataclass(frozen=True)
class Cell:
    """A recording: its file, and the SHA-256 of the arrays in it.

    Attributes
    ----------
    name : str
    file : str
        Name of the NumPy archive.
    sha256 : str
        As `array_digest` computes it.
    dt : float or None
        Sampling interval in ms; None if it is one of `READINGS`.
    window : (int, int, int)
        Samples at which the training data, the held-out data and the end begin.
    """

    name: str
    file: str
    sha256: str
    dt: float | None
    window: tuple[int, int, int]


_2007 = (600, 22600, 33400)

#: The recordings: training sets of challenge A of 2007, and the test set of Pozzorini et al. (2015).
CELLS = (
    Cell(
        "A00", "challenge2007_A00.npz", "e3a3b280c29816b5da4b466833ccfb1cbf770772c03d7c1d23627ce2d7ec870e", None, _2007
    ),
    Cell(
        "A04", "challenge2007_A04.npz", "aa1160286b5bde5b1ac7a9366fb64d866f13f68da403dba0a99b138fbb62fc28", None, _2007
    ),
    Cell(
        "A05", "challenge2007_A05.npz", "1ce112c1e70b968d3f0f6d61cd8954a64b5cccb6c71fab19aa17b2627c206e2e", None, _2007
    ),
    Cell(
        "A06", "challenge2007_A06.npz", "be49d2257735a4aa085f46f725b10dfadfec1c4591b8784859bc044179778721", None, _2007
    ),
    Cell(
        "A08", "challenge2007_A08.npz", "68c57d29dd446b81a6970bafe1010f121e9f1b09ce65e2530d37e6c03407a5cf", None, _2007
    ),
    Cell(
        "GIF",
        "gif_noise_repeats.npz",
        "569883726421f61d88aa4029a5d291acb9bb4199f5e6e03742ca26ea08c52207",
        0.1,
        (5000, 130000, 200000),
    ),
)

#: Recordings that are pooled: the reliable ones of challenge A.
POOLED = ("A00", "A04", "A05")


@dataclass(frozen=True)
class PublishedRecording:
    """A recording that was read.

    Attributes
    ----------
    cell : Cell
    reading : str
        A name of `READINGS`, or the sampling rate of a recording whose documents state one.
    recording : NeuronRecording
    training, held_out : (float, float)
        Start and end in ms.
    """

    cell: Cell
    reading: str
    recording: NeuronRecording
    training: tuple[float, float]
    held_out: tuple[float, float]


def array_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of named arrays: in the order of names, each name, type, shape and content.

    Unlike the digest of the archive it does not depend on the date and the compression.
    """
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def load_recording(folder: Path, cell: Cell, reading: str = "") -> PublishedRecording:
    """Read a recording and check that it is the published one.

    The archives hold, for the competition of 2007, ``current_pA`` and ``voltage_mV`` of shape (repeats, samples) in
    float32, and the organisers' spike times ``spike_index_0`` and so on in samples (int32); for Pozzorini et al.
    (2015), ``current_pA`` of shape (1, samples), the mean over repeats, ``voltage_mV`` of shape (repeats, samples), and
    others.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the archives.
    cell : Cell
        One of `CELLS`.
    reading : str
        A name of `READINGS`, for a recording without a stated sampling interval.

    Returns
    -------
    PublishedRecording

    Raises
    ------
    AmatError
        If the file cannot be read, or has other content.
    """
    path = folder / cell.file
    try:
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise AmatError(f"{path} cannot be read as a NumPy archive ({error}): give the recordings' folder.") from error
    if (found := array_digest(arrays)) != cell.sha256:
        raise AmatError(
            f"{path} has other content than the recording {cell.name}: the SHA-256 of its arrays is {found}, not "
            f"{cell.sha256}. Convert the original files again, as the documentation of `load_recording` says."
        )
    if cell.dt is None and reading not in READINGS:
        raise AmatError(
            f"The sampling rate of {cell.name} is one of {', '.join(READINGS)}, got {reading!r}: choose one."
        )
    dt = cell.dt or READINGS[reading]
    voltage = arrays["voltage_mV"].astype(np.float64)
    spikes = _spike_indices(arrays, voltage)
    # Sample k is the state at k dt, where step k - 1 ends.
    recording = NeuronRecording(
        arrays["current_pA"].astype(np.float64), [index * dt for index in spikes], dt, voltage, cell.name
    )
    start, split, end = (sample * dt for sample in cell.window)
    return PublishedRecording(cell, reading or f"{1 / dt:g} kHz", recording, (start, split), (split, end))


def _spike_indices(arrays: Mapping[str, np.ndarray], voltage: Floats) -> list[np.ndarray]:
    """Return spikes in samples: the given ones, or the upward crossings of 0 mV."""
    given = [arrays[f"spike_index_{repeat}"] for repeat in range(len(voltage)) if f"spike_index_{repeat}" in arrays]
    return given or [np.flatnonzero((row[1:] > 0) & (row[:-1] <= 0)) + 1 for row in voltage]
