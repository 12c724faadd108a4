# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The AMAT neuron in NESTML on NEST: a validated, reproducible research compendium.

In a script::

    import nest
    import amat

    amat.install()  # builds the model if necessary and loads it into NEST
    neuron = nest.Create("amat2_psc_exp_neuron_nestml", params={"I_e": 150.0})
"""

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from amat.errors import AmatError

if TYPE_CHECKING:
    from amat.toolchain import build, install

__all__ = ["AmatError", "__version__", "build", "install"]

__version__ = _version("amat")


def __getattr__(name: str) -> Any:
    """Import the toolchain on first use, so that the command can report versions that it does not support."""
    if name not in ("build", "install"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from amat import toolchain

    return getattr(toolchain, name)
