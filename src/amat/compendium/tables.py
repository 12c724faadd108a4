# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Tables of a notebook: computed and written to its results, or read from those that the project ships."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from amat import paths
from amat.errors import AmatError
from amat.files import replacing

__all__ = ["make_table"]

#: Digits that a table keeps. Pages show what is in the file, so that they are the same from either origin.
_PRECISION = "%.12g"


def make_table(
    name: str, compute: Callable[[], pd.DataFrame], *, results: str | Path, shipped: str | Path = ""
) -> pd.DataFrame:
    """Return a table as it stands in the file ``name.csv.gz`` in the folder of results.

    Parameters
    ----------
    name : str
        The table's name, without an ending.
    compute : callable
        Makes the table; not called if it is shipped.
    results : str or pathlib.Path
        The folder that the table is written to.
    shipped : str or pathlib.Path, optional
        A folder of the project, from which the table is taken instead of being computed.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    AmatError
        If a folder of shipped tables is named that does not hold this one.
    """
    target = Path(results) / f"{name}.csv.gz"
    if shipped:
        source = (paths.ROOT or Path()) / shipped / target.name
        if not source.is_file():
            raise AmatError(f"{source} is missing: leave `shipped` empty, so that the table is computed.")
        with replacing(target) as temporary:
            temporary.write_bytes(source.read_bytes())
    else:
        table = compute()
        text = table.to_csv(index=False, float_format=_PRECISION)
        with replacing(target) as temporary:
            # Without a time and a name inside, the same table gives the same file.
            temporary.write_bytes(gzip.compress(text.encode(), mtime=0))
    return pd.read_csv(target, keep_default_na=False, na_values=[""])
