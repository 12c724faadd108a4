# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Files of spike times: CSV, NPZ, and NIX, neo's format."""

import importlib.util
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amat.arrays import Floats
from amat.errors import AmatError
from amat.files import atomic_write

__all__ = ["check_format", "to_neo", "write_spikes"]


def check_format(path: Path) -> None:
    """Raise `AmatError` if spikes cannot be written in the format that a file's suffix names; without one it is CSV."""
    suffix = path.suffix.lower()
    if suffix not in ("", ".csv", ".nix", ".npz"):
        raise AmatError(f"{path}: spikes cannot be written as {path.suffix!r}. Choose .csv, .nix or .npz.")
    if suffix == ".nix" and importlib.util.find_spec("nixio") is None:
        raise AmatError(f"{path}: NIX files need the package nixio. Run `pip install nixio`, or choose .csv or .npz.")


def to_neo(times: Floats, duration: float, resolution: float, annotations: Mapping[str, Any]) -> Any:
    """Return spike times as a spike train of neo, which elephant reads.

    Parameters
    ----------
    times : ndarray, shape (spikes,)
        In ms.
    duration : float
        End of the recording, which starts at 0, in ms.
    resolution : float
        Time step of the simulation in ms: the annotation ``time_step``.
    annotations : mapping of str to float or str
        Further annotations.

    Returns
    -------
    neo.SpikeTrain
    """
    from neo import SpikeTrain
    from quantities import ms

    return SpikeTrain(times, units=ms, t_start=0 * ms, t_stop=duration * ms, time_step=resolution * ms, **annotations)


def write_spikes(
    path: Path, times: Floats, duration: float, resolution: float, annotations: Mapping[str, Any] | None = None
) -> None:
    """Write spike times in the format that the file's suffix names.

    CSV has one column. NPZ also holds the duration. NIX holds one block with one segment, whose spike train is that of
    `to_neo`.

    Parameters
    ----------
    path : pathlib.Path
        A file that `check_format` accepts.
    times, duration, resolution, annotations
        As in `to_neo`.
    """
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        if path.suffix.lower() == ".nix":
            file.write(_nix(to_neo(times, duration, resolution, annotations or {})))
        elif path.suffix.lower() == ".npz":
            np.savez(file, spike_times_ms=times, duration_ms=duration)
        else:
            np.savetxt(file, times, fmt="%.12g", header="time_ms", comments="")


def _nix(train: Any) -> bytes:
    """Return the content of a NIX file. Its library writes under a name of its own: it locks files, as this project."""
    from neo import Block, NixIO, Segment

    block, segment = Block(), Segment()
    segment.spiketrains.append(train)
    block.segments.append(segment)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "spikes.nix")
        with NixIO(str(file), "ow") as output:
            output.write_block(block)
        return file.read_bytes()
