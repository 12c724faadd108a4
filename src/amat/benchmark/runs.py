# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Benchmarks in one process, from the choice of cases to tables with targets, as ``amat benchmark`` runs them."""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from amat import toolchain
from amat.benchmark.cases import BASE, INPUT_RATE, Case, memory_cases
from amat.benchmark.cell import INDEGREE, Cell, simulate_cell
from amat.benchmark.families import (
    BUILDS,
    EMPTY,
    FAMILIES,
    TUNED,
    Contender,
    ablation_steps,
    builds,
    choose,
    sample_population,
)
from amat.benchmark.kernel import PHASES, prepare_kernel
from amat.benchmark.measurements import Plan, Store, check_activity, run_rounds, summarise
from amat.benchmark.network import missing_memory
from amat.benchmark.options import Options, Outcome, Progress, run_alone
from amat.benchmark.peers import NO_BRIAN, ArborProgram, BrianProgram, network_request, peer, peer_version
from amat.benchmark.targets import Target, find_target
from amat.benchmark.update import measure_memory, measure_update
from amat.compendium.provenance import commit, cpu_model, versions
from amat.errors import AmatError
from amat.files import write_text

__all__ = ["Options", "Outcome", "Progress", "benchmark_memory", "benchmark_network", "benchmark_update"]

#: Rounds of memory measurements, which differ by less than a thousandth.
MEMORY_ROUNDS = 3

#: Neurons of the networks that are measured by default.
NETWORKS = (2000, 10000, 50000)

#: Neurons of the network in which the ablation is measured.
ABLATION_NEURONS = 2000

#: Relative difference of rates that is allowed among builds in a network, which is chaotic.
ALLOWED_DIFFERENCE = 0.1


@run_alone
def benchmark_update(cases: Sequence[Case], options: Options, progress: Progress) -> Outcome:
    """Time the update of populations; write ``update.csv`` and ``update_summary.csv``.

    ``update.csv`` has one row per measurement: ``case``, ``round``, the attributes of
    `amat.benchmark.families.Contender`, and the result of `amat.benchmark.update.measure_update`. In
    ``update_summary.csv``, ``median`` is in ns per neuron and step.

    Parameters
    ----------
    cases : sequence of Case
    options : Options
    progress : callable

    Returns
    -------
    Outcome
    """
    duration = options.duration or 1000.0
    if options.brian_python is not None and BASE not in cases:
        raise AmatError(f"Brian2 is measured in the case {BASE.name} only: add this case, or leave out --brian2.")
    with_ablation = _choose_ablation(options, {BASE, replace(BASE, rate=INPUT_RATE)} & set(cases), "cases amat-quiet")
    brian_wanted = BASE in cases and (options.codegen is None or options.brian_python is not None)
    python = options.brian_python or sys.executable
    version = peer_version("brian2", python, required=options.brian_python is not None) if brian_wanted else None
    with tempfile.TemporaryDirectory() as scratch:
        plans = []
        for case in cases:
            contenders = choose(builds(FAMILIES[case.family]), options.codegen)
            if case in with_ablation:
                contenders += ablation_steps()
            contenders = _built(contenders, progress)
            measure = partial(_update, case=case, duration=duration, seed=options.seed, threads=options.threads)
            if version and case == BASE:
                values = _population(case, options.seed)[0]
                request = {"family": "amat", "neurons": case.neurons, "parameters": values, "duration": duration}
                program = BrianProgram(python, Path(scratch), request)
                contenders.append(peer("brian2", "amat", version))
                measure = partial(measure, program=program)
            # AMAT's builds spike identically; other families differ in refractory times and numerical schemes.
            alike = ("optimised", "ablation") if case.family == "amat" else ()
            check = partial(check_activity, builds=alike, tolerance=0.0)
            plans.append(Plan(case.name, contenders, measure, check))
        table = _carry_out("update", plans, options, options.rounds, {"duration": duration}, progress)
    summary = summarise(table, "ns", also=("spikes", "rate")).assign(quantity="time")
    summary.loc[summary["build"] == "brian2", "quantity"] = "brian2"
    if version:
        pair = table[(table["case"] == BASE.name) & table["build"].isin(["optimised", "brian2"])]
        to_ours = summarise(pair, "ns", reference="optimised", also=("spikes", "rate")).assign(quantity="brian2")
        summary = pd.concat([summary, to_ours[to_ours["build"] == "brian2"].dropna(subset="ratio")], ignore_index=True)
    conditions = {case.name: case.conditions for case in cases}
    return _finish("update", summary, conditions, options, [NO_BRIAN] if brian_wanted and not version else [])


@run_alone
def benchmark_memory(families: Sequence[str], options: Options, progress: Progress) -> Outcome:
    """Measure the memory of neurons; write ``memory.csv`` and ``memory_summary.csv``.

    ``memory.csv`` has one row per measurement: ``case``, ``round``, the attributes of
    `amat.benchmark.families.Contender`, and the result of `amat.benchmark.update.measure_memory`.
    ``memory_summary.csv`` has the quantities ``memory``, and ``own memory``, without the kernel overhead; ``median`` is
    in bytes per neuron.

    Parameters
    ----------
    families : sequence of str
        Names of `amat.benchmark.families.FAMILIES`.
    options : Options
    progress : callable

    Returns
    -------
    Outcome
    """
    cases = memory_cases(families)
    plans = []
    for case in cases:
        contenders = _built(choose([*builds(FAMILIES[case.family]), EMPTY], options.codegen), progress)
        plans.append(Plan(case.name, contenders, partial(_memory, case=case, seed=options.seed)))
    table = _carry_out("memory", plans, options, MEMORY_ROUNDS, {}, progress)
    overhead = table[table["build"] == "empty"].set_index(["case", "round"])["bytes"].rename("overhead")
    table = table.join(overhead, on=["case", "round"])
    table["own"] = table["bytes"] - table["overhead"]
    total = summarise(table, "bytes", also=("object_bytes",)).assign(quantity="memory")
    own = summarise(table, "own", also=("object_bytes",)).assign(quantity="own memory")
    summary = pd.concat([total, own[own["build"] != "empty"]], ignore_index=True)
    return _finish("memory", summary, {case.name: case.conditions for case in cases}, options, [])


@run_alone
def benchmark_network(
    sizes: Sequence[int] | None,
    options: Options,
    progress: Progress,
    *,
    indegree: int = INDEGREE,
    family: str = "amat",
) -> Outcome:
    """Time balanced networks; write ``network.csv`` and ``network_summary.csv``.

    Among the models of AMAT's networks is the empty neuron, which receives the external input and never spikes. Its
    time is that of NEST's generator and of the delivery of its spikes, a lower bound for every model. Brian2 and Arbor
    take part if they are given; their networks have the same statistics, but not the same connections. Their rates are
    not checked: compare them in ``network_summary.csv``, and simulate longer if they differ.

    ``network.csv`` has one row per measurement: ``case``, ``round``, the attributes of
    `amat.benchmark.families.Contender`; ``real_time_factor`` and ``cpu_factor``, wall-clock and processor time per
    second of model time; the seconds of each of `amat.benchmark.kernel.PHASES`, in NEST;
    ``spikes`` and ``rate`` (spikes/s of a neuron) while the clock ran. In ``network_summary.csv``, ``median`` is the
    real-time factor.

    Parameters
    ----------
    sizes : sequence of int, optional
        Numbers of neurons; by default those of `NETWORKS` that fit into the free memory.
    options : Options
    progress : callable
    indegree : int
        Recurrent synapses of each neuron.
    family : str
        One of `amat.benchmark.families.TUNED`.

    Returns
    -------
    Outcome

    Raises
    ------
    AmatError
        If one of `sizes`, or no network, fits into the memory that is free, or there is no such network.
    """
    if family not in TUNED:
        raise AmatError(f"There is no network of {family!r}: choose one of {', '.join(TUNED)}.")
    simulators = _choose_simulators(family, options)
    chosen = NETWORKS if sizes is None else sizes
    possible = {ABLATION_NEURONS} & set(chosen) if family == "amat" else set()
    with_ablation = _choose_ablation(options, possible, f"neurons {ABLATION_NEURONS}")
    plans, skipped, conditions = [], [], {}
    scratch = ExitStack()
    for neurons in chosen:
        duration = options.duration or max(200.0, 2e6 / neurons)
        cell = Cell(
            FAMILIES[family].nest, "network", neurons, indegree, options.threads, seed=options.seed, duration=duration
        )
        if (missing := missing_memory(neurons, indegree)) > 0:
            skipped.append(
                f"The network of {neurons} neurons is skipped: it needs {missing:.1f} GB of memory more than are free. "
                "Choose a smaller --indegree, or a larger machine."
            )
            continue
        contenders = choose([*builds(FAMILIES[family]), *([EMPTY] if family == "amat" else [])], options.codegen)
        if neurons in with_ablation:
            contenders += ablation_steps()
        contenders = _built(contenders, progress)
        # Other simulators draw other connections and input, so that their rates differ by the noise of a short run.
        check = partial(check_activity, builds=(*BUILDS, "ablation"), tolerance=ALLOWED_DIFFERENCE)
        case = f"network-n{neurons}-k{indegree}"
        conditions[case] = {"family": family, "neurons": neurons}
        request = {
            **network_request(family, cell.network, indegree),
            **{"family": family, "neurons": neurons, "seed": options.seed, "threads": options.threads},
            "duration": duration,
        }
        programs = {}
        for simulator, (python, version) in simulators.items():
            folder = Path(scratch.enter_context(tempfile.TemporaryDirectory()))
            programs[simulator] = _SIMULATORS[simulator](python, folder, request)
            contenders.append(peer(simulator, family, version))
        plans.append(Plan(case, contenders, partial(_network, cell=cell, programs=programs), check))
    if not plans or (skipped and sizes is not None):
        raise AmatError("No network was measured. " + " ".join(skipped))
    settings = {"duration": options.duration, **({} if family == "amat" else {"family": family})}
    with scratch:
        table = _carry_out("network", plans, options, options.rounds, settings, progress)
    summary = summarise(table, "real_time_factor", also=(*(f"{phase}_s" for phase in PHASES), "rate"))
    return _finish("network", summary.assign(quantity="network"), conditions, options, skipped)


#: The simulators that can take part in a network, by name.
_SIMULATORS: Mapping[str, type[ArborProgram]] = {"brian2": BrianProgram, "arbor": ArborProgram}
#: The families whose networks they have.
_FAMILIES_OF = {"brian2": ("amat", "iaf_psc_delta"), "arbor": ("iaf_psc_delta",)}


def _choose_simulators(family: str, options: Options) -> dict[str, tuple[str, str]]:
    """Return the interpreter and the version of each simulator that is given; refuse one without the neuron."""
    chosen = {}
    for name, python in (("brian2", options.brian_python), ("arbor", options.arbor_python)):
        if python is None:
            continue
        if family not in _FAMILIES_OF[name]:
            raise AmatError(
                f"There is no network of {family} in {name}: choose --family {' or '.join(_FAMILIES_OF[name])}."
            )
        chosen[name] = (python, str(peer_version(name, python, required=True)))
    return chosen


def _choose_ablation(options: Options, possible: set[Any], remedy: str) -> set[Any]:
    """Return those cases or sizes in which the ablation is measured; refuse it if it is wanted and impossible."""
    if options.ablation and not possible:
        raise AmatError(f"There is no case for the ablation: add --{remedy}, or leave out --ablation.")
    return possible if options.ablation or (options.ablation is None and options.codegen is None) else set()


def _update(contender: Contender, *, case: Case, seed: int, program: BrianProgram | None = None, **how: Any) -> Any:
    if contender.build == "brian2" and program:
        found = program.measure()
        return {name: found[name] for name in ("seconds", "ns", "cpu_ns", "spikes", "rate")}
    return measure_update(case, contender, _parameters(case, seed, contender), seed=seed, **how)


def _memory(contender: Contender, *, case: Case, seed: int) -> dict[str, Any]:
    return measure_memory(case, contender, _parameters(case, seed, contender), seed=seed)


def _network(contender: Contender, *, cell: Cell, programs: Mapping[str, ArborProgram]) -> dict[str, Any]:
    if contender.build in programs:
        found = programs[contender.build].measure()
        return {name: found[name] for name in ("real_time_factor", "cpu_factor", "spikes", "rate")}
    cell = replace(cell, model=contender.model)
    nest = prepare_kernel(contender, threads=cell.threads, seed=cell.seed)
    found = simulate_cell(nest, cell)
    return {
        "real_time_factor": 1e3 * found["seconds"]["simulate"] / cell.duration,
        "cpu_factor": 1e3 * found["cpu_seconds"]["simulate"] / cell.duration,
        **{f"{phase}_s": found["seconds"][phase] for phase in PHASES},
        "spikes": found["spikes"],
        "rate": 1e3 * found["spikes"] / cell.neurons / cell.duration,
    }


def _parameters(case: Case, seed: int, contender: Contender) -> list[dict[str, float]]:
    """Return a case's parameters by the names of a contender; a single set for the empty neuron."""
    population = _population(case, seed)
    return [contender.translate(values) for values in (population[:1] if contender.build == "empty" else population)]


@lru_cache(maxsize=1)
def _population(case: Case, seed: int) -> list[dict[str, float]]:
    return sample_population(
        FAMILIES[case.family],
        case.neurons,
        parameters=case.parameters,
        random_phases=case.random_phases,
        driven=bool(case.rate),
        seed=seed,
    )


def _built(contenders: Sequence[Contender], progress: Progress) -> list[Contender]:
    """Build what is not built, and return the contenders with the keys of their modules."""
    built = []
    for contender in contenders:
        if contender.build != "nest":
            module = toolchain.build(contender.model, progress=partial(_report_stage, progress, contender.model))
            contender = replace(contender, module=module.key[:16])
        built.append(contender)
    return built


def _report_stage(progress: Progress, model: str, stage: str) -> None:
    progress(f"{model}: {stage}", 0, 0)


def _carry_out(
    name: str, plans: Sequence[Plan], options: Options, rounds: int, settings: Mapping[str, Any], progress: Progress
) -> pd.DataFrame:
    """Measure all plans and return the rows."""
    common = {
        "seed": options.seed,
        "threads": options.threads,
        "cpu": cpu_model(),
        "commit": commit(),
        "nest": versions()["nest-simulator"],
    }
    store = Store(options.output, name, {**settings, **common})
    total = rounds * sum(len(plan.contenders) for plan in plans)
    done = 0

    def advance(task: str) -> None:
        nonlocal done
        done += 1
        progress(task, done, total)

    for plan in plans:
        store.check(plan, rounds)
    for plan in plans:
        run_rounds(store, plan, rounds, advance)
    return store.table([plan.case for plan in plans])


def _finish(
    name: str, summary: pd.DataFrame, conditions: Mapping[str, Mapping[str, Any]], options: Options, skipped: list[str]
) -> Outcome:
    """Add the targets, write the summary with its cases in the order of their conditions, and return it."""
    order = {case: number for number, case in enumerate(conditions)}
    summary = summary.sort_values("case", key=lambda cases: cases.map(order), kind="stable", ignore_index=True)
    targets: list[Target | None] = [
        find_target(row["quantity"], **conditions[row["case"]]) if _is_judged(row) else None
        for row in summary.to_dict("records")
    ]
    summary["target"] = [str(target) if target else "" for target in targets]
    summary["bound"] = [target.bound if target else float("nan") for target in targets]
    summary["met"] = [
        target.is_met(ratio) if target else None for target, ratio in zip(targets, summary["ratio"], strict=True)
    ]
    write_text(options.output / f"{name}_summary.csv", summary.to_csv(index=False, float_format="%.6g"))
    return Outcome(summary, skipped)


def _is_judged(row: Mapping[Any, Any]) -> bool:
    """Return whether a row has a target: the optimised build, and Brian2 relative to it."""
    return bool(row["build"] == "optimised" or (row["build"] == "brian2" and row["reference"].endswith("_opt")))
