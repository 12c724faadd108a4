# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Result tables of notebooks, computed or taken from the tables that the project ships."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from amat import paths
from amat.errors import AmatError
from amat.files import atomic_write

__all__ = ["make_table"]

#: Format of numbers in a table. Pages show the rounded numbers, so computed and shipped tables give equal pages.
_PRECISION = "%.12g"


def make_table(
    name: str, compute: Callable[[], pd.DataFrame], *, results: str | Path, shipped: str | Path = ""
) -> pd.DataFrame:
    """Write a table to ``name.csv.gz`` in the folder of results, and return it as read from there.

    Parameters
    ----------
    name : str
        The table's name without an ending.
    compute : callable
        Function that returns the table; not called if `shipped` is given.
    results : str or pathlib.Path
        The folder to write to.
    shipped : str or pathlib.Path, optional
        A folder, relative to the project's root, from which to copy the table instead of computing it.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    AmatError
        If the folder of shipped tables does not contain this one.
    """
    target = Path(results) / f"{name}.csv.gz"
    if shipped:
        source = (paths.ROOT or Path()) / shipped / target.name
        if not source.is_file():
            raise AmatError(f"{source} is missing: leave `shipped` empty to compute the table.")
        content = source.read_bytes()
    else:
        text = compute().to_csv(index=False, float_format=_PRECISION)
        content = gzip.compress(text.encode(), mtime=0)  # without a time stamp, the same table gives the same file
    with atomic_write(target) as temporary:
        temporary.write_bytes(content)
    return pd.read_csv(target, keep_default_na=False, na_values=[""])
