# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Recordings from files that neo reads, such as ABF, NWB and Igor."""

from pathlib import Path
from typing import Any

import numpy as np

from amat.analysis.fitting.readers import RawRecording
from amat.analysis.fitting.recording import RecordingError
from amat.errors import AmatError

__all__ = ["read_neo"]


def read_neo(path: Path) -> RawRecording:
    """Read currents, membrane potentials and spike trains, with a segment for each repeat.

    Units distinguish the signals. Channels beyond the first of each kind are refused.

    Raises
    ------
    AmatError
        If neo or the package that it needs for the format is missing, or the file is not readable.
    """
    try:
        import neo
    except ImportError:
        raise AmatError(
            f"{path}: files other than CSV and NPZ need the package neo. Run `pip install 'amat[recordings]'`."
        ) from None
    if not path.is_file():
        raise AmatError(f"The recording {path} cannot be read: there is no such file.")
    try:
        reader = neo.io.get_io(str(path))
        block = reader.read_block(signal_group_mode="split-all") if _splits(reader) else reader.read_block()
    except ImportError as error:
        raise AmatError(
            f"{path}: neo needs another package for this format ({error}). Run `pip install 'amat[recordings]'`."
        ) from error
    except Exception as error:  # neo's readers raise anything for a file that they do not understand
        raise AmatError(
            f"The recording {path} cannot be read by neo ({type(error).__name__}: {error}). Use CSV or NPZ instead."
        ) from error
    raw = RawRecording()
    intervals: set[float] = set()
    for number, segment in enumerate(block.segments, start=1):
        for kind, unit, rows in (("current", "pA", raw.currents), ("membrane potential", "mV", raw.voltages)):
            signals = [signal for signal in segment.analogsignals if _has_unit(signal, unit)]
            channels = sum(signal.shape[1] for signal in signals)
            if channels > 1:
                raise RecordingError(
                    f"{path}, segment {number}, has {channels} channels with the unit of a {kind}: export the one to "
                    "use as CSV or NPZ."
                )
            for signal in signals:
                rows.append(np.asarray(signal.rescale(unit).magnitude, dtype=np.float64)[:, 0])
                intervals.add(round(float(signal.sampling_period.rescale("ms").magnitude), 9))
        for train in segment.spiketrains[:1]:
            raw.spikes.append(np.asarray((train - train.t_start).rescale("ms").magnitude, dtype=np.float64))
    if not raw.currents:
        raise RecordingError(
            f"{path} has no signal with a unit of current. If the file has only the command of the stimulus, export it "
            "with the spikes as CSV or NPZ."
        )
    if len(intervals) > 1:
        raise RecordingError(
            f"The signals of {path} differ in sampling interval: {sorted(intervals)} ms. Resample them."
        )
    raw.dt = intervals.pop() if intervals else None
    return raw


def _has_unit(signal: Any, unit: str) -> bool:
    """Return whether a signal's values can be converted to a unit."""
    try:
        signal[:0].rescale(unit)
    except ValueError:
        return False
    return True


def _splits(reader: Any) -> bool:
    """Return whether a reader can return channels one by one."""
    from neo.io.basefromrawio import BaseFromRaw

    return isinstance(reader, BaseFromRaw)
