# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A plugin of pytest and IPython with which NESTML finds a NEST that was installed as a wheel.

NESTML asks NEST for its installation folder, and reads the compiler's options from ``bin/nest-config`` there. A wheel
answers with the folder on the machine that built it. With ``pytest -p amat.release.upstream.nest_found``, NESTML's
tests run unchanged.
"""

import os
import sys
from pathlib import Path

from nestml_optimised.nest_installation import find_nest

__all__ = ["PREFIX", "use_prefix"]

#: The environment variable with the folder of ``bin/nest-config``.
PREFIX = "AMAT_NEST_PREFIX"


def use_prefix(folder: Path) -> None:
    """Write ``bin/nest-config`` into a folder, and let NESTML use that folder as NEST's.

    Parameters
    ----------
    folder : pathlib.Path
    """
    from pynestml.codegeneration.nest_builder import NESTBuilder

    find_nest().write_config(folder)
    NESTBuilder._default_options["nest_path"] = str(folder)
    # Expressions that ODE-toolbox writes are nested deeper than Python's default limit.
    sys.setrecursionlimit(10000)


if PREFIX in os.environ:
    use_prefix(Path(os.environ[PREFIX]))
