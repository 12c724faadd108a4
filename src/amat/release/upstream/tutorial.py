# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The tutorial as a notebook of NESTML's documentation, which cannot import this project's package."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from amat import paths
from amat.analysis import patterns
from amat.errors import AmatError
from amat.files import load_yaml

__all__ = ["apart", "port_tutorial"]


def port_tutorial(changes: Path) -> str:
    """Return the tutorial for NESTML's documentation.

    Parameters
    ----------
    changes : pathlib.Path
        The differences: ``drop``, identifiers of cells to leave out, and ``replace``, for a cell's identifier a list of
        pairs of a text that the cell contains once and its replacement. ``{{ patterns }}`` in a replacement stands for
        the parameters and stimuli of the firing patterns in the list ``patterns``.

    Raises
    ------
    AmatError
        If the notebook does not contain a text that is to be replaced, or the result still imports this project's
        package.
    """
    source = paths.TUTORIAL
    plan: dict[str, Any] = load_yaml(changes)
    notebook: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in copy.deepcopy(notebook["cells"])}
    if missing := ({*plan["drop"], *plan["replace"]} - set(cells)):
        raise AmatError(f"{source.name} has no cells {sorted(missing)}: correct {changes}.")
    literal = _pattern_literal(plan["patterns"])
    for name, pairs in plan["replace"].items():
        text = "".join(cells[name]["source"])
        for old, new in pairs:
            if text.count(old) != 1:
                raise AmatError(
                    f"{source.name}, {name} contains {old!r} {text.count(old)} times, not once: correct {changes}."
                )
            text = text.replace(old, new.replace("{{ patterns }}", literal))
        cells[name]["source"] = text.splitlines(keepends=True)
    kept = [cell for name, cell in cells.items() if name not in plan["drop"]]
    _renumber(kept)
    for cell in kept:
        cell["metadata"] = {}  # settings of this project's book
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            # Sphinx does not support labels of equations in notebooks.
            text = re.sub(r"^\$\$ \(tut-[\w-]+\)$", "$$", text, flags=re.MULTILINE)
            cell["source"] = text.splitlines(keepends=True)
            continue
        text = text.replace(", strict=True)", ")")  # NESTML supports Python 3.9, which lacks it
        cell["source"] = text.splitlines(keepends=True)
        if re.search(r"\bimport amat\b|\bfrom amat\b|\bamat\.", text):
            raise AmatError(f"{source.name}, {cell['id']} needs the package amat: correct {changes}.")
    notebook["cells"] = kept
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _renumber(cells: list[dict[str, Any]]) -> None:
    """Number the exercises consecutively."""
    number = 0

    def following(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return f"**Exercise {number}.**"

    for cell in cells:
        text = re.sub(r"\*\*Exercise \d+\.\*\*", following, "".join(cell["source"]))
        cell["source"] = text.splitlines(keepends=True)


def apart(tau_v: float, tau_m: float) -> float:
    """Return ``tau_v``, increased by 1 % if it equals ``tau_m``, where NESTML's code yields NaN."""
    return round(1.01 * tau_v, 6) if tau_v == tau_m else tau_v


def _pattern_literal(names: list[str]) -> str:
    """Return parameters and stimuli of firing patterns as the source code of a dictionary."""
    lines = []
    for name in names:
        trial = patterns.find_trial(name, "amat")
        if trial.neuron.initial:
            raise AmatError(f"The pattern {name} has an initial state, which the tutorial cannot set: choose another.")
        wave = trial.current_on_grid()
        steps = [0, *(np.flatnonzero(np.diff(wave)) + 1).tolist()]
        current = {round(step * trial.neuron.resolution, 6): round(float(wave[step]), 6) for step in steps}
        parameters = trial.neuron.parameters.to_nestml()
        shape = {key: parameters[key] for key in ("tau_m", "C_m", "alpha_1", "alpha_2", "beta")}
        shape["tau_v"] = apart(parameters["tau_v"], parameters["tau_m"])
        lines.append(f"    {name.replace('_', ' ')!r}: ({shape!r}, {trial.duration!r}, {current!r}),".replace("'", '"'))
    return "\n".join(["{", *lines, "}"])
