# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Recordings from files: CSV, NPZ, and the formats that neo reads."""

import csv
import io
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from amat.analysis.fitting.recording import NeuronRecording, RecordingError
from amat.arrays import Floats
from amat.errors import AmatError
from amat.files import open_input, read_text

__all__ = [
    "CURRENT_UNITS",
    "TIME_UNITS",
    "VOLTAGE_UNITS",
    "FileUnits",
    "RawRecording",
    "detect_spikes",
    "load_recording",
]

#: Factors to pA, mV and ms.
CURRENT_UNITS: Mapping[str, float] = {"pA": 1.0, "nA": 1e3, "uA": 1e6, "A": 1e12}
VOLTAGE_UNITS: Mapping[str, float] = {"mV": 1.0, "V": 1e3, "uV": 1e-3}
TIME_UNITS: Mapping[str, float] = {"ms": 1.0, "s": 1e3, "us": 1e-3}

_KINDS = {"current": CURRENT_UNITS, "voltage": VOLTAGE_UNITS, "spikes": TIME_UNITS, "time": TIME_UNITS}


@dataclass(frozen=True)
class FileUnits:
    """Units of a file's values, for those that its names do not state.

    Attributes
    ----------
    current, voltage, time : str or None
        A key of `CURRENT_UNITS`, `VOLTAGE_UNITS`, `TIME_UNITS`.
    """

    current: str | None = None
    voltage: str | None = None
    time: str | None = None


@dataclass
class RawRecording:
    """Arrays of a file, in pA, mV and ms.

    Attributes
    ----------
    currents, voltages : list of ndarray
        One per repeat, or one for all.
    spikes : list of ndarray
        One per repeat; empty if the file has none.
    dt : float or None
        Sampling interval in ms, if the file states it.
    """

    currents: list[Floats] = field(default_factory=list)
    voltages: list[Floats] = field(default_factory=list)
    spikes: list[Floats] = field(default_factory=list)
    dt: float | None = None


def load_recording(
    path: Path,
    dt: float | None,
    units: FileUnits,
    *,
    spikes: Path | None = None,
    threshold: float | None = None,
) -> NeuronRecording:
    """Load a recording from a file.

    Names begin with ``current``, ``voltage``, ``spikes`` or ``time``, and may end in a unit: ``current_pA``,
    ``voltage_1_mV``. There is one of each for all repeats, or one per repeat in their order.

    Parameters
    ----------
    path : pathlib.Path
        ``.npz`` with arrays of such names, in which rows of an array are repeats; CSV with columns of such names; any
        other file is read by neo, with a segment for each repeat.
    dt : float or None
        Sampling interval in ms, which CSV and NPZ files need.
    units : FileUnits
    spikes : pathlib.Path, optional
        CSV file of spike times: one column, or the number of the repeat (from 1) and the time.
    threshold : float, optional
        Without spike times, spikes are where the membrane potential (mV) rises above it. Default: 0 mV.

    Returns
    -------
    NeuronRecording

    Raises
    ------
    AmatError
        If the file cannot be read, lacks a current or spikes, or a unit or the sampling interval is unknown.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        raw = _read_npz(path, units)
    elif suffix in (".csv", ".tsv", ".txt", ".gz", ""):
        raw = _read_csv(path, units)
    else:
        from amat.analysis.fitting.neo_files import read_neo

        raw = read_neo(path)
    if raw.dt is not None and dt is not None and abs(raw.dt - dt) > 1e-3 * dt:
        raise RecordingError(
            f"{path} states a sampling interval of {raw.dt:g} ms, not {dt:g} ms: correct the one given."
        )
    dt = raw.dt if dt is None else dt
    if dt is None:
        raise RecordingError(f"The sampling interval of {path} is unknown: give it in ms.")
    if not raw.currents:
        raise RecordingError(
            f"{path} has no current: name a column or array 'current', with its unit as in 'current_pA'."
        )
    if spikes is not None:
        if raw.spikes:
            raise RecordingError(f"{path} has spike times, and so has {spikes}: give one of the two.")
        raw.spikes = _read_spike_times(spikes, units)
    if not raw.spikes:
        raw.spikes = _spikes_of_voltage(path, raw, dt, 0.0 if threshold is None else threshold)
    elif threshold is not None:
        raise RecordingError(
            f"The recording has spike times, so a threshold of {threshold:g} mV has no effect: leave it out."
        )
    return NeuronRecording(
        _stack("current", raw.currents),
        raw.spikes,
        dt,
        voltage=_stack("membrane potential", raw.voltages) if raw.voltages else None,
        name=path.name,
    )


def detect_spikes(voltage: Floats, dt: float, threshold: float = 0.0) -> Floats:
    """Return the times in ms at which a membrane potential (mV) rises above a threshold."""
    above = voltage >= threshold
    return np.asarray((np.flatnonzero(above[1:] & ~above[:-1]) + 1) * dt, dtype=np.float64)


def _spikes_of_voltage(path: Path, raw: RawRecording, dt: float, threshold: float) -> list[Floats]:
    if not raw.voltages:
        raise RecordingError(
            f"{path} has neither spike times nor a membrane potential in which they could be detected: add spike times."
        )
    found = [detect_spikes(voltage, dt, threshold) for voltage in raw.voltages]
    if not any(map(len, found)):
        highest = max(float(np.max(voltage, initial=-np.inf)) for voltage in raw.voltages)
        raise RecordingError(
            f"The membrane potential of {path} never rises above {threshold:g} mV (its maximum is {highest:g} mV): "
            "choose another threshold, or check its unit."
        )
    return found


def _stack(name: str, rows: list[Floats]) -> Floats:
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise RecordingError(
            f"The repeats of the {name} differ in length: {', '.join(map(str, lengths))} samples. Cut them to the same."
        )
    return np.array(rows)


def _interpret(name: str, units: FileUnits, path: Path) -> tuple[str, float] | None:
    """Return the kind of a named column or array, and the factor of its unit; None for other names."""
    words = re.split(r"[\s_()\[\]/.-]+", name.strip().rstrip(")]"))
    kind = next((kind for kind in _KINDS if words[0].lower() in (kind, kind.rstrip("s"))), None)
    if kind is None:
        return None
    known = _KINDS[kind]
    given = getattr(units, "time" if kind == "spikes" else kind)
    named = words[-1] if words[-1] in known and len(words) > 1 else None
    if named and given and named != given:
        raise RecordingError(f"{path}: the unit of {name!r} is {named}, not {given}. Correct the one given.")
    if not (named or given):
        if kind == "time":
            return kind, math.nan
        raise RecordingError(
            f"{path}: the unit of {name!r} is unknown. Give it, or name it {name}_{next(iter(known))} (one of "
            f"{', '.join(known)})."
        )
    return kind, known[named or given]


def _read_npz(path: Path, units: FileUnits) -> RawRecording:
    raw = RawRecording()
    try:
        with open_input(path) as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError, KeyError) as error:
        raise AmatError(f"The recording {path} is not an NPZ file of arrays of numbers: {error}") from error
    for name, array in arrays.items():
        meaning = _interpret(name, units, path)
        if meaning is None:
            continue
        kind, factor = meaning
        try:
            values = np.asarray(array, dtype=np.float64) * factor
        except (TypeError, ValueError) as error:
            raise AmatError(f"{path}: the array {name!r} is not of numbers: {error}") from error
        if kind == "spikes":
            raw.spikes.extend(np.atleast_2d(values) if values.ndim != 1 else [values])
        elif kind != "time":
            (raw.currents if kind == "current" else raw.voltages).extend(np.atleast_2d(values))
    return raw


def _table(path: Path, what: str) -> tuple[list[str], list[list[str]]]:
    """Return the header, empty if there is none, and the other rows of a CSV file."""
    text = read_text(path, what)
    first = text.lstrip("\n").split("\n", 1)[0]
    separator = next((mark for mark in ";\t" if mark in first), ",")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if "".join(row).strip()]
    except csv.Error as error:
        raise AmatError(f"{what} {path} is not a CSV file: {error}") from error
    if separator != ",":
        rows = [rows[0], *([cell.replace(",", ".") for cell in row] for row in rows[1:])] if rows else []
    header = (
        [cell.strip() for cell in rows.pop(0)] if rows and any(re.search(r"[A-Za-z]{2}", c) for c in rows[0]) else []
    )
    return header, rows


def _numbers(path: Path, cells: list[str], header: int, name: str) -> Floats:
    """Return a column as numbers; cells at its end may be empty."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    values = np.empty(len(cells))
    for number, cell in enumerate(cells):
        try:
            values[number] = float(cell)
        except ValueError:
            raise AmatError(
                f"{path}, row {number + 1 + header}, column {name!r}: expected a number, got {cell!r}."
            ) from None
    return values


def _read_csv(path: Path, units: FileUnits) -> RawRecording:
    header, rows = _table(path, "The recording")
    if not header:
        raise RecordingError(f"{path} has no header: name its columns, such as current_pA,voltage_mV.")
    raw = RawRecording()
    for column, name in enumerate(header):
        meaning = _interpret(name, units, path)
        if meaning is None:
            continue
        kind, factor = meaning
        values = _numbers(path, [row[column] if column < len(row) else "" for row in rows], 1, name)
        if kind == "spikes":
            raw.spikes.append(values * factor)
        elif kind == "time":
            raw.dt = _interval(path, values * factor)
        else:
            (raw.currents if kind == "current" else raw.voltages).append(values * factor)
    return raw


def _interval(path: Path, times: Floats) -> float | None:
    """Return the sampling interval of a column of times; None if its unit is unknown."""
    if len(times) < 2 or math.isnan(times[-1]):
        return None
    dt = float(times[-1] - times[0]) / (len(times) - 1)
    steps = np.diff(times)
    if not dt > 0 or np.abs(steps - dt).max() > 0.01 * dt:
        raise RecordingError(f"The times of {path} are not equally spaced: resample the recording.")
    return float(np.round(dt, 9))


def _read_spike_times(path: Path, units: FileUnits) -> list[Floats]:
    """Read spike times from a CSV file, with the number of the repeat if it has two columns."""
    header, rows = _table(path, "The spike file")
    named = header[-1] if header else "time"
    meaning = _interpret("spikes" + named[named.find("_") :] if "_" in named else "spikes", units, path)
    assert meaning is not None
    times = _numbers(path, [row[-1] for row in rows], bool(header), named) * meaning[1]
    if not rows or len(rows[0]) == 1:
        return [times]
    repeats = _numbers(path, [row[0] for row in rows], bool(header), "repeat")
    if (
        len(repeats) != len(times)
        or not np.all(np.mod(repeats, 1) == 0)
        or not 1 <= repeats.min() <= repeats.max() <= 1e4
    ):
        raise AmatError(f"{path}: the first of two columns must be the number of the repeat, from 1.")
    return [times[repeats == repeat] for repeat in range(1, int(repeats.max()) + 1)]
