# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The model as NESTML's library has its models: with NESTML's licence notice, and without what NESTML itself writes."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from amat.errors import AmatError

__all__ = ["library_model", "licence_header", "parse", "title"]

_PARAMETERS = re.compile(r"# Parameters\n# \++\n#\n(?:# .*\n)+#\n")
# REUSE-IgnoreStart: the line of another file's head.
_LICENCE = "# SPDX-License-Identifier: GPL-2.0-or-later\n"
# REUSE-IgnoreEnd


def licence_header(name: str) -> str:
    """Return the head of a Python file in NESTML, as the installed NESTML has it in its own files.

    Parameters
    ----------
    name : str
        The name of the file, which the head begins with.
    """
    lines = files("pynestml").joinpath("__init__.py").read_text(encoding="utf-8").splitlines(keepends=True)
    head = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    return "".join(head).replace("__init__.py", name)


def library_model(source: Path) -> str:
    """Return a model's text for NESTML's library.

    NESTML's pages take the table of parameters from the comments beside them, so that the one in the comment at the
    top would stand there twice; and a file of the library carries NESTML's licence notice.

    Parameters
    ----------
    source : pathlib.Path
        One of this project's models.

    Raises
    ------
    AmatError
        If the comment at the top has not the expected parts.
    """
    text = source.read_text(encoding="utf-8")
    text, tables = _PARAMETERS.subn("", text)
    if tables != 1 or text.count(_LICENCE) != 1:
        raise AmatError(
            f"{source} has {tables} tables of parameters and {text.count(_LICENCE)} lines with the licence "
            "in the comment at its top: give one of each."
        )
    notice = licence_header("").split("#\n", 2)[2]
    return text.replace(_LICENCE, f"# Copyright statement\n# +++++++++++++++++++\n#\n{notice.rstrip()}\n")


def title(text: str) -> str:
    """Return the first line of a model's comment, without the model's name."""
    return text.partition("\n")[0].removeprefix("# ").partition(" - ")[2]


def parse(path: Path, scratch: Path) -> tuple[Any, list[str]]:
    """Let NESTML parse a model and check its context conditions.

    Parameters
    ----------
    path : pathlib.Path
        The NESTML file.
    scratch : pathlib.Path
        A folder for what NESTML writes.

    Returns
    -------
    model : pynestml.meta_model.ast_model.ASTModel or None
        None if it cannot be parsed.
    problems : list of str
        NESTML's errors.
    """
    from pynestml.cocos.co_cos_manager import CoCosManager
    from pynestml.frontend import pynestml_frontend as frontend
    from pynestml.utils.logger import Logger, LoggingLevel

    frontend.configure_front_end(str(path), "AUTODOC", target_path=str(scratch), logging_level="NO", suffix="")
    models = frontend.get_parsed_models()
    for model in models:
        if not Logger.has_errors(model):
            CoCosManager.check_cocos(model)
    problems = [
        f"{position or path.name}: {message}"
        for *_, level, _, position, message in Logger.get_log().values()
        if level is LoggingLevel.ERROR
    ]
    if len(models) != 1:
        problems.append(f"{path.name}: NESTML found {len(models)} models in it, not one")
    return (models[0] if models else None), problems
