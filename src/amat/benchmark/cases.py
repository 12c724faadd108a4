# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Cases of the update benchmark: neurons without connections, in a base case and its variants."""

import difflib
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from amat.benchmark.families import FAMILIES, Parameters
from amat.errors import AmatError

__all__ = ["BASE", "INPUT_RATE", "Case", "default_cases", "find_cases", "memory_cases", "quick_cases"]

#: Spikes/s that arrive at each neuron in cases with input.
INPUT_RATE = 4000.0

#: Families with a base case and dense input by default: those with all builds, without AMAT, which has more cases.
_OTHERS = tuple(name for name, family in FAMILIES.items() if "nestml" in family.models and name != "amat")

#: Minimal delays in ms and numbers of neurons of named cases.
DELAYS = (0.1, 0.5, 1.5)
SIZES = (1000, 20000)


@dataclass(frozen=True)
class Case:
    """A population of unconnected neurons and its input.

    Attributes
    ----------
    family : str
        A name of `amat.benchmark.families.FAMILIES`.
    rate : float
        Spikes/s that arrive at each neuron; 0 or `INPUT_RATE`.
    delay : float
        NEST's minimal delay in ms, which is the time between two updates of a neuron.
    neurons : int
    parameters : {"equal", "different", "time constants"}
        Which parameters differ from neuron to neuron.
    random_phases : bool
        Whether initial potentials are random.
    """

    family: str
    rate: float = 0.0
    delay: float = 1.5
    neurons: int = 1000
    parameters: Parameters = "equal"
    random_phases: bool = False

    @property
    def name(self) -> str:
        """The name on the command line and in files: family, input, and what differs from the base case."""
        parts = [self.family, "input" if self.rate else "quiet"]
        if self.delay != BASE.delay:
            parts.append(f"delay{self.delay:g}")
        if self.parameters != BASE.parameters:
            parts.append(self.parameters.replace(" ", "-"))
        if self.random_phases:
            parts.append("phases")
        if self.neurons != BASE.neurons:
            parts.append(f"n{self.neurons}")
        return "-".join(parts)

    @property
    def conditions(self) -> dict[str, Any]:
        """The conditions by which `amat.benchmark.targets.find_target` finds a target; none for time constants."""
        if self.parameters == "time constants":
            return {}
        return {
            "family": self.family,
            "driven": bool(self.rate),
            "delay": self.delay,
            "different": self.parameters == "different",
            "random_phases": self.random_phases,
            "neurons": self.neurons,
        }


#: AMAT without input, all neurons equal and in phase.
BASE = Case("amat")


def default_cases() -> list[Case]:
    """Return the cases that are measured by default.

    For AMAT these are the base case, each factor changed once, with and without input, and the combinations that have
    a target or are close to applications (many different neurons in random phases). The other families have the base
    case and dense input.
    """
    driven = replace(BASE, rate=INPUT_RATE)
    different = replace(BASE, parameters="different", random_phases=True)
    return [
        BASE,
        replace(BASE, neurons=20000),
        replace(BASE, delay=0.5),
        replace(BASE, delay=0.1),
        replace(BASE, random_phases=True),
        replace(BASE, parameters="different"),
        different,
        replace(different, neurons=20000),
        replace(BASE, parameters="time constants", random_phases=True),
        driven,
        replace(driven, neurons=20000),
        replace(driven, delay=0.1),
        replace(different, rate=INPUT_RATE),
        *(Case(family, rate) for family in _OTHERS for rate in (0.0, INPUT_RATE)),
    ]


def quick_cases() -> list[Case]:
    """Return the default cases with 1000 neurons."""
    return [case for case in default_cases() if case.neurons == 1000]


def memory_cases(families: Collection[str]) -> list[Case]:
    """Return the cases whose memory is measured: without and with input, and AMAT with different parameters.

    With so many neurons, memory that NEST allocates once for all of them is negligible.
    """
    cases = [Case(family, rate) for family in FAMILIES if family in families for rate in (0.0, INPUT_RATE)]
    if "amat" in families:
        cases += [Case("amat", parameters="different"), Case("amat", parameters="time constants")]
    return [replace(case, neurons=4000) for case in cases]


def find_cases(names: Sequence[str]) -> list[Case]:
    """Return cases by name, of any combination of factors; a family's name selects its default cases.

    Raises
    ------
    AmatError
        If a name is unknown; the message lists similar names.
    """
    known = {case.name: case for case in [*default_cases(), *_all_combinations()]}
    found: dict[str, Case] = {}
    for name in names:
        if name in FAMILIES:
            found |= {case.name: case for case in default_cases() if case.family == name}
        elif name in known:
            found[name] = known[name]
        else:
            similar = difflib.get_close_matches(name, [*known, *FAMILIES], n=3, cutoff=0.0)
            raise AmatError(f"There is no case {name!r}. Similar names: {', '.join(similar)}.")
    return list(found.values())


def _all_combinations() -> list[Case]:
    """Return all combinations of all factors; time constants differ for AMAT only."""
    factors = itertools.product(FAMILIES, (0.0, INPUT_RATE), DELAYS, SIZES, get_args(Parameters), (False, True))
    return [Case(*values) for values in factors if values[4] != "time constants" or values[0] == "amat"]
