# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Options and results that the benchmarks of `amat.benchmark.runs` have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pandas as pd

from amat.benchmark.cell import LONGEST
from amat.benchmark.families import BUILDS
from amat.benchmark.kernel import RESOLUTION
from amat.benchmark.measurements import LOCK
from amat.errors import AmatError
from amat.files import check_outputs, only_run
from amat.simulation.stimuli import count_steps

__all__ = ["Options", "Outcome", "Progress", "run_alone"]

#: Called with a description, and the numbers of finished and of all measurements.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """Options that all benchmarks have in common.

    Attributes
    ----------
    output : pathlib.Path
        The folder for tables and figures.
    rounds : int
    duration : float, optional
        Timed model time in ms; by default 1000 ms for updates, and more for small networks than for large ones.
    seed : int
        Of parameters, phases, input and connections.
    threads : int
        NEST's threads.
    codegen : sequence of str, optional
        The builds to compare with NEST's built-in models: ``"nestml"``, ``"nestml-checked"``, ``"optimised"``; by
        default all of them, the ablation and Brian2.
    ablation : bool, optional
        Whether to measure the steps towards the optimised AMAT model as well; by default unless `codegen` is given.
    brian_python : str, optional
        An interpreter that can import Brian2, which is an error without Brian2; by default this one, if it can. In
        networks Brian2 is measured only if it is given.
    arbor_python : str, optional
        An interpreter that can import Arbor, which is measured in networks only if it is given.
    """

    output: Path
    rounds: int = 11
    duration: float | None = None
    seed: int = 1
    threads: int = 1
    codegen: Sequence[str] | None = None
    ablation: bool | None = None
    brian_python: str | None = None
    arbor_python: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, before any work is done."""
        if self.rounds < 1:
            raise AmatError(f"rounds must be at least 1, got {self.rounds}; a reliable median needs ten or more.")
        if self.duration is not None:
            if not 1.0 <= self.duration <= LONGEST:
                raise AmatError(f"The timed model time must be 1 to {LONGEST:g} ms, got {self.duration:g} ms.")
            count_steps(self.duration, RESOLUTION)
        for name in self.codegen or ():
            if name not in BUILDS[1:]:
                raise AmatError(f"There is no build {name!r}: choose among {', '.join(BUILDS[1:])}.")
        check_outputs(self.output / LOCK)


@dataclass(frozen=True)
class Outcome:
    """The result of a benchmark.

    Attributes
    ----------
    summary : pandas.DataFrame
        The result of `amat.benchmark.measurements.summarise`, with ``quantity``, ``target`` (as text, empty without
        one), ``bound`` and ``met``.
    skipped : list of str
        What was not measured, and why.
    """

    summary: pd.DataFrame
    skipped: list[str]


_P = ParamSpec("_P")
_T = TypeVar("_T")
_Benchmark = Callable[Concatenate[_T, Options, _P], Outcome]


def run_alone(benchmark: _Benchmark[_T, _P]) -> _Benchmark[_T, _P]:
    """Make a benchmark the only one that runs in its output folder."""

    @wraps(benchmark)
    def run(what: _T, options: Options, /, *arguments: _P.args, **named: _P.kwargs) -> Outcome:
        with only_run(options.output / LOCK, "benchmark"):
            return benchmark(what, options, *arguments, **named)

    return run
