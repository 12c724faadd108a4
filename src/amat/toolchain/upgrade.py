# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Correction of NESTML files in the syntax of version 8, which allowed units without a number."""

import re
import tempfile
import warnings
from pathlib import Path

from amat.files import write_text
from amat.toolchain.errors import ToolchainError

__all__ = ["upgrade_syntax"]

_UNIT = re.compile(r":(?P<line>\d+):(?P<column>\d+): No free-standing physical units allowed \((?P<unit>.+)\)")


def upgrade_syntax(source: Path) -> int:
    """Give each unit without a number the number 1, as in ``V_m / (1 mV)``, which NESTML 9 requires.

    The file is replaced, and its former text is kept in a file of the same name that ends in ``.orig``.

    Parameters
    ----------
    source : Path
        A NESTML file.

    Returns
    -------
    int
        The number of corrected units. If it is zero, no file is written. The file may have other errors.

    Raises
    ------
    ToolchainError
        If there is a file with the ending ``.orig`` already.
    """
    text = source.read_text(encoding="utf-8")
    corrected, count = text, 0
    while places := _free_standing_units(corrected):
        lines = corrected.splitlines(keepends=True)
        # From the right, so that columns stay valid.
        for line, column, unit in sorted(places, reverse=True):
            before, after = lines[line - 1][:column], lines[line - 1][column:]
            if not after.startswith(unit):
                raise ToolchainError(f"{source}:{line}:{column}: expected the unit {unit}. Give it a number by hand.")
            lines[line - 1] = f"{before}(1 {unit}){after.removeprefix(unit)}"
        corrected, count = "".join(lines), count + len(places)
    if count:
        backup = source.with_name(f"{source.name}.orig")
        if backup.exists():
            raise ToolchainError(f"{backup} exists, where the uncorrected text would be stored. Move it away.")
        write_text(backup, text)
        write_text(source, corrected)
    return count


def _free_standing_units(text: str) -> set[tuple[int, int, str]]:
    """Return the lines, columns and names of units without a number."""
    from nestml_optimised import ModelError, ModelWarning, parse_models  # which takes long

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        source = Path(folder) / "model.nestml"
        source.write_text(text, encoding="utf-8")
        try:
            parse_models(source, folder)
        except ModelError as error:
            return {(int(m["line"]), int(m["column"]), m["unit"]) for m in _UNIT.finditer(str(error))}
    return set()
