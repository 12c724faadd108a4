# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Folders and files of the project."""

import os
import re
from pathlib import Path

import platformdirs

from amat.errors import AmatError

__all__ = [
    "BOOK",
    "CONFIG",
    "DATA",
    "MODELS",
    "NOTEBOOKS",
    "ROOT",
    "TUTORIAL",
    "WORKFLOW",
    "module_cache",
    "nest_cache",
    "prebuilt_modules",
    "require_checkout",
]

_PACKAGE = Path(__file__).resolve().parent

#: The checkout that holds the package, or None where the package was installed without one.
ROOT: Path | None = _PACKAGE.parents[1] if (_PACKAGE.parents[1] / "pyproject.toml").is_file() else None

# An installed package contains models, data and tutorial; a checkout has them in its root.
_SHARE = _PACKAGE / "_share" if ROOT is None else ROOT

#: NESTML models of this project.
MODELS = _SHARE / "models"
#: Published tables and reference data, described in the folder's README.
DATA = _SHARE / "data"
#: The tutorial notebook.
TUTORIAL = _SHARE / "notebooks" / "tutorial.ipynb"

# In paths, CMake and make take these for separators and references.
_UNFIT_FOR_CMAKE = re.compile(r"""["\\;:|\[\]\x00-\x1f]|\$\(""")

_TOP = Path.cwd() if ROOT is None else ROOT
#: Sources of the book, and the executed notebooks.
BOOK = _TOP / "book"
#: Notebooks with parameters, executed by papermill.
NOTEBOOKS = _TOP / "notebooks"
#: The pipeline's definition.
WORKFLOW = _TOP / "workflow"
#: The pipeline's configuration and its schema.
CONFIG = _TOP / "config"


def require_checkout(task: str) -> Path:
    """Return the root of the checkout.

    Parameters
    ----------
    task : str
        The task that needs it, as the subject of the error message: "The pipeline".

    Raises
    ------
    AmatError
        If the package was installed without a checkout.
    """
    if ROOT is None:
        raise AmatError(f"{task} needs a checkout of the project: clone the repository and run ./amat there.")
    return ROOT


def module_cache() -> Path:
    """Return the folder of compiled NEST modules.

    Returns
    -------
    pathlib.Path
        ``$AMAT_CACHE`` if set; otherwise ``build/modules`` of the checkout, or else the user's cache folder.

    Raises
    ------
    AmatError
        If CMake cannot build in that folder because of a character in its path.
    """
    if override := os.environ.get("AMAT_CACHE"):
        folder = Path(override).absolute()
    elif ROOT is not None:
        folder = ROOT / "build" / "modules"
    else:
        folder = Path(platformdirs.user_cache_dir("amat")) / "modules"
    if found := _UNFIT_FOR_CMAKE.search(str(folder)):
        raise AmatError(
            f"CMake cannot build in {folder}, because its path contains {found[0]!r}: "
            "set AMAT_CACHE to a folder without that character."
        )
    return folder


def prebuilt_modules() -> Path | None:
    """Return the read-only folder of compiled modules that a container image provides.

    Returns
    -------
    pathlib.Path or None
        ``$AMAT_PREBUILT`` if set.
    """
    folder = os.environ.get("AMAT_PREBUILT")
    return Path(folder).absolute() if folder else None


def nest_cache() -> Path:
    """Return the folder of NEST built with MPI, which all checkouts share.

    Returns
    -------
    pathlib.Path
        ``nest-mpi`` in ``$AMAT_CACHE`` if set, otherwise in the user's cache folder.
    """
    override = os.environ.get("AMAT_CACHE")
    folder = Path(override).absolute() if override else Path(platformdirs.user_cache_dir("amat"))
    return folder / "nest-mpi"
