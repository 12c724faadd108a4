# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Parts of a long computation, kept in files so that a stopped run resumes."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amat.files import atomic_write

__all__ = ["Arrays", "Shards"]

#: Arrays by name.
Arrays = dict[str, NDArray[Any]]


class Shards:
    """A folder of computed arrays that belong to one set of parameters.

    Parameters
    ----------
    folder : pathlib.Path
        Holds one folder for each set of parameters.
    settings : mapping
        Everything that determines the results, as JSON can write it.
    sources : sequence of pathlib.Path
        Files whose text determines the results, too.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], sources: tuple[Path, ...] = ()) -> None:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for source in sources:
            digest.update(source.read_bytes())
        self.folder = folder / digest.hexdigest()[:16]

    def get(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a part: those of an earlier run, or computed now and written atomically."""
        path = self.folder / f"{name}.npz"
        if not path.is_file():
            arrays = compute()
            with atomic_write(path) as temporary:
                np.savez_compressed(temporary, allow_pickle=False, **arrays)
        with np.load(path) as stored:
            return dict(stored)

    def remove(self) -> None:
        """Delete the parts, which are not needed once the results are written."""
        shutil.rmtree(self.folder, ignore_errors=True)
