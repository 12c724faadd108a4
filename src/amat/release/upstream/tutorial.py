# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The tutorial as a notebook of NESTML's documentation: without this project's package, which is not there."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amat import paths
from amat.analysis import patterns
from amat.errors import AmatError

__all__ = ["apart", "port_tutorial"]


def port_tutorial(changes: Path, source: Path = paths.TUTORIAL) -> str:
    """Return the tutorial for NESTML's documentation.

    Parameters
    ----------
    changes : pathlib.Path
        What differs: under ``drop`` identifiers of cells that are left out, under ``replace`` for a cell's identifier a
        list of pairs, a text that stands in the cell once and the text that takes its place. Where the latter says
        ``{{ patterns }}``, parameters and stimuli of the firing patterns in the list ``patterns`` are put in.
    source : pathlib.Path
        The notebook.

    Raises
    ------
    AmatError
        If the notebook does not contain what is to be changed, or still needs this project's package.
    """
    plan: dict[str, Any] = yaml.safe_load(changes.read_text(encoding="utf-8"))
    notebook: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in copy.deepcopy(notebook["cells"])}
    if missing := ({*plan["drop"], *plan["replace"]} - set(cells)):
        raise AmatError(f"{source.name} has no cells {sorted(missing)}: mend {changes}.")
    literal = _pattern_literal(plan["patterns"])
    for name, pairs in plan["replace"].items():
        text = "".join(cells[name]["source"])
        for old, new in pairs:
            if text.count(old) != 1:
                raise AmatError(f"{source.name}, {name}: {text.count(old)} times {old!r}, not once: mend {changes}.")
            text = text.replace(old, new.replace("{{ patterns }}", literal))
        cells[name]["source"] = text.splitlines(keepends=True)
    kept = [cell for name, cell in cells.items() if name not in plan["drop"]]
    _renumber(kept)
    for cell in kept:
        cell["metadata"] = {}  # directions to this project's book
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            # Sphinx's notebooks know no labels of equations.
            text = re.sub(r"^\$\$ \(tut-[\w-]+\)$", "$$", text, flags=re.MULTILINE)
            cell["source"] = text.splitlines(keepends=True)
            continue
        text = text.replace(", strict=True)", ")")  # NESTML supports Python 3.9, which does not know it
        cell["source"] = text.splitlines(keepends=True)
        if re.search(r"\bimport amat\b|\bfrom amat\b|\bamat\.", text):
            raise AmatError(f"{source.name}, {cell['id']} needs the package amat: mend {changes}.")
    notebook["cells"] = kept
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _renumber(cells: list[dict[str, Any]]) -> None:
    """Number the exercises anew."""
    number = 0

    def following(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return f"**Exercise {number}.**"

    for cell in cells:
        text = re.sub(r"\*\*Exercise \d+\.\*\*", following, "".join(cell["source"]))
        cell["source"] = text.splitlines(keepends=True)


def apart(tau_v: float, tau_m: float) -> float:
    """Return ``tau_v``, moved away from ``tau_m`` by 1 % where both are equal: NESTML's code is not a number there."""
    return round(1.01 * tau_v, 6) if tau_v == tau_m else tau_v


def _pattern_literal(names: list[str]) -> str:
    """Return parameters and stimuli of firing patterns as the text of a dictionary in Python."""
    lines = []
    for name in names:
        trial = patterns.find_trial(name, "amat")
        if trial.neuron.initial:
            raise AmatError(f"The pattern {name} starts from a state of its own, which the tutorial cannot set.")
        wave = trial.current_on_grid()
        steps = [0, *(np.flatnonzero(np.diff(wave)) + 1).tolist()]
        current = {round(step * trial.neuron.resolution, 6): round(float(wave[step]), 6) for step in steps}
        parameters = trial.neuron.parameters.to_nestml()
        shape = {key: parameters[key] for key in ("tau_m", "C_m", "alpha_1", "alpha_2", "beta")}
        shape["tau_v"] = apart(parameters["tau_v"], parameters["tau_m"])
        lines.append(f"    {name.replace('_', ' ')!r}: ({shape!r}, {trial.duration!r}, {current!r}),".replace("'", '"'))
    return "\n".join(["{", *lines, "}"])
