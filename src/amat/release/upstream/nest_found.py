# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A plugin of pytest and IPython: lets NESTML find a NEST that was installed as a wheel.

NESTML asks NEST for the folder that it was installed to, and takes the compiler's options from ``bin/nest-config`` in
it. A wheel answers with the folder on the machine that made it. With ``pytest -p amat.release.upstream.nest_found``,
NESTML's tests run as they are; where NEST was built on the machine nothing is to be done.
"""

import os
import sys
from pathlib import Path

from amat.toolchain.nest_installation import find_nest

__all__ = ["PREFIX", "use_prefix"]

#: The variable of the environment that names the folder with ``bin/nest-config``.
PREFIX = "AMAT_NEST_PREFIX"


def use_prefix(folder: Path) -> None:
    """Write a ``nest-config`` into a folder, and make that folder what NESTML takes for NEST's.

    Parameters
    ----------
    folder : pathlib.Path
        Receives ``bin/nest-config``.
    """
    from pynestml.codegeneration.nest_builder import NESTBuilder

    find_nest().write_config(folder)
    NESTBuilder._default_options["nest_path"] = str(folder)
    # Expressions that ODE-toolbox writes are nested deeper than Python's default limit.
    sys.setrecursionlimit(10000)


if PREFIX in os.environ:
    use_prefix(Path(os.environ[PREFIX]))
