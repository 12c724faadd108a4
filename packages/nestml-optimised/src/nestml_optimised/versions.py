# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The supported versions of NESTML and ODE-toolbox.

The generators extend NESTML through private names, which may change with any release: `NESTCodeGenerator`'s default
options, its preparation of templates and namespaces, links between its printers, and `odetoolbox._analysis`.
"""

from importlib.metadata import PackageNotFoundError, version

from nestml_optimised.errors import UnsupportedVersionError

__all__ = ["SUPPORTED", "check_versions"]

#: Distributions and the releases whose private names are used here.
SUPPORTED = {"nestml": "9.0", "odetoolbox": "3.0"}


def check_versions() -> None:
    """Check that supported versions of NESTML and ODE-toolbox are installed.

    Raises
    ------
    UnsupportedVersionError
        If they are not; the message names the installed and the supported version.
    """
    for distribution, supported in SUPPORTED.items():
        try:
            installed = version(distribution)
        except PackageNotFoundError:
            installed = "no version"
        if not installed.startswith(f"{supported}."):
            raise UnsupportedVersionError(
                f"nestml-optimised supports {distribution} {supported}, but {installed} is installed: "
                f"pip install '{distribution}=={supported}.*'."
            )
