# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Build, accuracy, time and memory of every neuron in NESTML's library.

The optimised generator, with its default options, is compared with NESTML's unmodified generator and, where NEST has an
equivalent model, with that. The accuracy is that of the membrane potential between spikes and of spike times.
"""

import gc
import multiprocessing
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amat.benchmark.cases import INPUT_RATE, Case
from amat.benchmark.kernel import RESOLUTION, Clock, allocated_bytes
from amat.benchmark.library import CODEGENS, SEED, Library, Neuron, Progress
from amat.benchmark.library_accuracy import find_errors
from amat.benchmark.update import create_input

__all__ = ["MEASURED", "compare_with_nestml", "format_table", "measure_memory", "measure_neuron"]

#: Neurons, and model time in ms before the clock starts and while it runs, of a measurement of time.
TIMED_NEURONS, WARM_UP, TIMED = 200, 20.0, 100.0

#: The stimuli of the comparison with the reference.
_STIMULI = ("step", "noise", "poisson")

#: The measured columns of the table, which has one row for each neuron and build:
#:
#: =================== ===================================================================================
#: neuron, build       build is nest (built in), nestml (NESTML's unmodified generator) or optimised
#: result              "built", or the reason why there is no model
#: STIMULUS_spikes     of the reference; STIMULUS is step, noise or poisson
#: STIMULUS_equal      number of spikes at the reference's times before the first one that differs
#: STIMULUS_error_mV   largest error of the membrane potential before the first spike that differs from the
#:                     reference
#: ns                  processor time of a neuron's step under Poisson input, median
#: ratio_to_nestml     median of the ratios of times in a round
#: ratio_to_nest       likewise
#: bytes               of a neuron, with two synapses and the tables of the kernel
#: =================== ===================================================================================
MEASURED = (
    *("neuron", "build", "result"),
    *(f"{stimulus}_{quantity}" for stimulus in _STIMULI for quantity in ("spikes", "equal", "error_mV")),
    *("ns", "ratio_to_nestml", "ratio_to_nest", "bytes"),
)

#: Neurons of a measurement of memory, and the model time after which it is read.
STORED_NEURONS, STORED_DURATION = 1000, 20.0


def measure_neuron(library: Library, neuron: Neuron, *, rounds: int, progress: Progress) -> list[dict[str, Any]]:
    """Compare and measure the builds of a neuron.

    Parameters
    ----------
    library : Library
        Has the neuron.
    neuron : Neuron
    rounds : int
        Of the measurement of time.
    progress : callable
        Called with a line of text before each step.

    Returns
    -------
    list of dict
        One row for each build, with values of the columns `MEASURED`.
    """
    models = library.models(neuron)
    progress(f"comparing {neuron.name} with the reference")
    errors = find_errors(library, [neuron], progress)
    progress(f"measuring {neuron.name}")
    times = _time(library, neuron, rounds)
    memory = measure_memory(library, neuron)
    rows = []
    for build in models:
        row: dict[str, Any] = {"neuron": neuron.name, "build": build, "result": "built"}
        row |= errors.get((neuron.name, build), {})
        row["ns"] = statistics.median(times[build])
        row |= {f"ratio_to_{other}": _ratio(times, build, other) for other in ("nestml", "nest") if other != build}
        rows.append(row | {"bytes": memory[build]})
    missing = [codegen for codegen in CODEGENS if codegen not in models]
    return rows + [
        {"neuron": neuron.name, "build": codegen, "result": library.results[neuron.name, codegen]}
        for codegen in missing
    ]


def _ratio(times: Mapping[str, Sequence[float]], build: str, other: str) -> float:
    """Return the median of the ratios of a build's times to those of another one in the same round."""
    pairs = zip(times[build], times.get(other, ()), strict=False)
    ratios = [own / reference for own, reference in pairs]
    return statistics.median(ratios) if ratios else float("nan")


def _receptors(nest: Any, model: str) -> list[int]:
    receptors: Mapping[str, int] = nest.GetDefaults(model).get("receptor_types") or {}
    return sorted(receptors.values()) or [0]


def _time(library: Library, neuron: Neuron, rounds: int) -> dict[str, list[float]]:
    """Return the processor time of a neuron's step in ns, for each build and round."""
    models = list(library.models(neuron).items())
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        first = number % len(models)
        for build, model in models[first:] + models[:first]:
            nest = library.reset()
            nodes = nest.Create(model, TIMED_NEURONS)
            case = Case("amat", rate=INPUT_RATE, neurons=TIMED_NEURONS)
            receptors = _receptors(nest, model)
            create_input(nest, nodes, case, WARM_UP + TIMED, SEED, weight=neuron.weight, receptors=receptors)
            nest.Simulate(WARM_UP)
            clock = Clock()
            with clock.phase("simulate"):
                nest.Simulate(TIMED)
            times[build].append(1e9 * clock.cpu["simulate"] / TIMED_NEURONS / (TIMED / RESOLUTION))
    return times


def measure_memory(library: Library, neuron: Neuron) -> dict[str, float]:
    """Return the bytes per neuron that creation, two synapses and a simulation take, by build.

    They are measured in a new process, because NEST's tables grow with each reset after which modules are loaded.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return {build: pool.apply(_memory, (library, neuron, build)) for build in library.models(neuron)}


def _memory(library: Library, neuron: Neuron, build: str) -> float:
    nest = library.reset()
    model = library.models(neuron)[build]
    receptors = _receptors(nest, model)[:1]
    gc.collect()
    before = allocated_bytes()
    nodes = nest.Create(model, STORED_NEURONS)
    case = Case("amat", rate=INPUT_RATE, neurons=STORED_NEURONS)
    create_input(nest, nodes, case, STORED_DURATION, SEED, sources=(1, 1), weight=0.0, receptors=receptors)
    nest.Simulate(STORED_DURATION)
    gc.collect()
    return (allocated_bytes() - before) / STORED_NEURONS


def _largest_error(table: pd.DataFrame) -> pd.Series:
    """Return the largest error in mV over the stimuli, for each row of the measurements; NaN where there is none."""
    return table[[f"{stimulus}_error_mV" for stimulus in _STIMULI]].max(axis=1)


def compare_with_nestml(table: pd.DataFrame) -> pd.DataFrame:
    """Compare the optimised neurons with those of NESTML's unmodified generator.

    Returns
    -------
    pandas.DataFrame
        By neuron: ``time``, ``to_nest`` and ``memory``, ratios of the optimised neuron to NESTML's, to NEST's and to
        NESTML's; ``error`` and ``nestml_error``, the largest errors in mV, NaN without a reference; ``comparable``,
        whether NESTML's error is at most 10 mV or unknown. Times of builds that differ by more say nothing.
    """
    builds = table.assign(error=_largest_error(table)).set_index(["neuron", "build"])
    ours, nestml = builds.xs("optimised", level="build"), builds.xs("nestml", level="build")
    return pd.DataFrame(
        {
            "time": ours["ratio_to_nestml"],
            "to_nest": ours["ratio_to_nest"],
            "memory": ours["bytes"] / nestml["bytes"],
            "error": ours["error"],
            "nestml_error": nestml["error"],
            "comparable": ~(nestml["error"] > 10.0),
        }
    )


def format_table(table: pd.DataFrame) -> str:
    """Return the measurements as a Markdown table with one row for each neuron."""
    lines = [
        "| neuron | error of V_m (mV): ours | NESTML's | equal spikes: ours | NESTML's | time: / NESTML's | / NEST's "
        "| memory (kB): ours | NESTML's | NEST's |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, group in table.assign(error=_largest_error(table)).groupby("neuron", sort=True):
        rows: dict[str, dict[str, Any]] = {
            row["build"]: {str(name): value for name, value in row.items()} for row in group.to_dict("records")
        }
        ours, theirs, built_in = (rows.get(build, {}) for build in ("optimised", "nestml", "nest"))
        cells = [str(name)]
        cells += [_format_error(row) for row in (ours, theirs)]
        cells += [_format_spikes(row) for row in (ours, theirs)]
        cells += [_format(ours.get(f"ratio_to_{other}"), "{:.2f}") for other in ("nestml", "nest")]
        cells += [_format(row.get("bytes"), "{:.1f}", 1e-3) for row in (ours, theirs, built_in)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _format_error(row: Mapping[str, Any]) -> str:
    if row.get("result", "built") != "built":
        return str(row["result"])
    return _format(row.get("error"), "{:.0e}")


def _format_spikes(row: Mapping[str, Any]) -> str:
    totals = [[row.get(f"{stimulus}_{quantity}") for stimulus in _STIMULI] for quantity in ("equal", "spikes")]
    equal, spikes = (sum(int(v) for v in values if v is not None and np.isfinite(v)) for values in totals)
    return f"{equal}/{spikes}"


def _format(value: float | None, form: str, factor: float = 1.0) -> str:
    return form.format(factor * value) if value is not None and np.isfinite(value) else "–"
