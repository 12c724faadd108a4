# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The model in the form of NESTML's library: with NESTML's licence notice, without the table that NESTML generates."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from nestml_optimised import ModelError, parse_models

from amat.errors import AmatError

__all__ = ["library_model", "licence_header", "parse", "title"]

_PARAMETERS = re.compile(r"# Parameters\n# \++\n#\n(?:# .*\n)+#\n")
# REUSE-IgnoreStart: the licence line of another file.
_LICENCE = "# SPDX-License-Identifier: GPL-2.0-or-later\n"
# REUSE-IgnoreEnd


def licence_header(name: str) -> str:
    """Return the licence header of a Python file in NESTML, taken from a file of the installed NESTML.

    Parameters
    ----------
    name : str
        The name of the file, with which the header begins.
    """
    lines = files("pynestml").joinpath("__init__.py").read_text(encoding="utf-8").splitlines(keepends=True)
    head = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    return "".join(head).replace("__init__.py", name)


def library_model(source: Path) -> str:
    """Return a model's text for NESTML's library.

    NESTML's pages take the table of parameters from the comments next to them, so that the table in the comment at the
    top would be there twice. Files of the library carry NESTML's licence notice.

    Parameters
    ----------
    source : pathlib.Path
        One of this project's models.

    Raises
    ------
    AmatError
        If the comment at the top lacks the expected parts.
    """
    text = source.read_text(encoding="utf-8")
    text, tables = _PARAMETERS.subn("", text)
    if tables != 1 or text.count(_LICENCE) != 1:
        raise AmatError(
            f"The comment at the top of {source} has {tables} tables of parameters and {text.count(_LICENCE)} licence "
            "lines: it needs one of each."
        )
    notice = licence_header("").split("#\n", 2)[2]
    return text.replace(_LICENCE, f"# Copyright statement\n# +++++++++++++++++++\n#\n{notice.rstrip()}\n")


def title(text: str) -> str:
    """Return the first line of a model's comment, without the model's name."""
    return text.partition("\n")[0].removeprefix("# ").partition(" - ")[2]


def parse(path: Path, scratch: Path) -> Any:
    """Parse a model with NESTML, and check its context conditions.

    Parameters
    ----------
    path : pathlib.Path
        A NESTML file with one model.
    scratch : pathlib.Path
        A folder for NESTML's files.

    Returns
    -------
    pynestml.meta_model.ast_model.ASTModel

    Raises
    ------
    AmatError
        If NESTML rejects the model, or the file holds several.
    """
    try:
        models = parse_models(path, scratch, platform="AUTODOC")
    except ModelError as error:
        raise AmatError(f"NESTML rejects {path.name}:\n{error}") from error
    if len(models) != 1:
        raise AmatError(f"{path.name} holds {len(models)} models: give a file with one.")
    return models[0]
