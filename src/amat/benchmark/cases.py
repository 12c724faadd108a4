# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What is measured of single neurons without a network: one base case, each factor once, and every target's case."""

import difflib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from amat.benchmark.families import FAMILIES, Parameters
from amat.errors import AmatError

__all__ = ["BASE", "INPUT_RATE", "Case", "cross_product", "default_cases", "find_cases", "quick_cases"]

#: Spikes/s that arrive at each neuron where there is input.
INPUT_RATE = 4000.0

#: Minimal delays in ms, and numbers of neurons.
DELAYS = (0.1, 0.5, 1.5)
SIZES = (1000, 20000)


@dataclass(frozen=True)
class Case:
    """How a population is built and driven.

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
        Whether potentials start at random.
    """

    family: str
    rate: float = 0.0
    delay: float = 1.5
    neurons: int = 1000
    parameters: Parameters = "equal"
    random_phases: bool = False

    @property
    def name(self) -> str:
        """The name on the command line and in files: the family, the input, and what differs from the base case."""
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


#: AMAT without input, all neurons equal and in step: the others differ from it.
BASE = Case("amat")


def default_cases() -> list[Case]:
    """Return the cases that are measured if none are named.

    AMAT without input and with it: the base case, each factor changed once, and the combinations that have a
    target or are near to use (different neurons in random phases, many of them). Of the other models the base
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
        *(Case(family, rate) for family in FAMILIES if family != "amat" for rate in (0.0, INPUT_RATE)),
    ]


def quick_cases() -> list[Case]:
    """Return those of the default cases that have 1000 neurons."""
    return [case for case in default_cases() if case.neurons == 1000]


def cross_product() -> list[Case]:
    """Return all combinations of all factors; time constants differ for AMAT only."""
    factors = itertools.product(
        FAMILIES, (0.0, INPUT_RATE), reversed(DELAYS), SIZES, get_args(Parameters), (False, True)
    )
    return [Case(*values) for values in factors if values[4] != "time constants" or values[0] == "amat"]


def find_cases(names: Sequence[str]) -> list[Case]:
    """Return cases by name; the name of a family stands for its default cases.

    Raises
    ------
    AmatError
        If a name is unknown; the message names those that come nearest.
    """
    known = {case.name: case for case in [*default_cases(), *cross_product()]}
    found: dict[str, Case] = {}
    for name in names:
        if name in FAMILIES:
            found |= {case.name: case for case in default_cases() if case.family == name}
        elif name in known:
            found[name] = known[name]
        else:
            near = difflib.get_close_matches(name, [*known, *FAMILIES], n=3, cutoff=0.0)
            raise AmatError(f"There is no case {name!r}. Near to it: {', '.join(near)}.")
    return list(found.values())
