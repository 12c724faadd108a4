# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Benchmarks from the choice of cases to tables with targets, as ``amat benchmark`` runs them."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from amat import toolchain
from amat.benchmark.brian import BRIAN, BrianProgram, brian_version
from amat.benchmark.cases import BASE, INPUT_RATE, Case
from amat.benchmark.families import (
    EMPTY,
    FAMILIES,
    KINDS,
    Contender,
    ablation_steps,
    check_names,
    choose,
    draw,
    twins,
)
from amat.benchmark.measurements import Measure, Store, run_rounds, summarise
from amat.benchmark.memory import measure_memory, memory_cases
from amat.benchmark.network import Network, check_rates, measure_network, memory_missing
from amat.benchmark.targets import Target, find_target
from amat.benchmark.update import check_spikes, measure_update
from amat.compendium.provenance import commit, cpu_model, versions
from amat.errors import AmatError
from amat.files import check_writable, replacing

__all__ = ["Options", "Outcome", "Progress", "benchmark_memory", "benchmark_network", "benchmark_update"]

#: Called with what is being done, and the numbers of measurements that are done and wanted.
Progress = Callable[[str, int, int], None]

#: Rounds of measurements of memory: they differ by less than a thousandth.
MEMORY_ROUNDS = 3

#: The network of the ablation.
ABLATION_NEURONS = 2000


@dataclass(frozen=True)
class Options:
    """What all benchmarks have in common.

    Attributes
    ----------
    output : pathlib.Path
        The folder that takes tables and figures.
    rounds : int
    duration : float, optional
        Timed, in ms of the model; by default 1000 ms, of networks as `Network.duration` says.
    seed : int
        Of parameters, phases, input and connections.
    threads : int
        NEST's threads.
    models : sequence of str, optional
        Names in NEST, and ``brian2``, of those to measure beside the hand-written ones; all by default.
    ablation : bool
        Whether to measure the steps towards our AMAT model as well.
    brian_python : str
        An interpreter that can import Brian2.
    """

    output: Path
    rounds: int = 11
    duration: float | None = None
    seed: int = 1
    threads: int = 1
    models: Sequence[str] | None = None
    ablation: bool = True
    brian_python: str = sys.executable

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, before any work is done."""
        if self.rounds < 1:
            raise AmatError(f"{self.rounds} rounds: at least one is needed, and ten or more for a median that holds.")
        if self.duration is not None and not self.duration >= 1.0:
            raise AmatError(f"{self.duration} ms is too short a time to measure: simulate 1 ms or more.")
        check_names(self.models)
        check_writable(self.output.absolute())


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found.

    Attributes
    ----------
    summary : pandas.DataFrame
        What `amat.benchmark.measurements.summarise` returns, with ``quantity``, ``target`` (as text, empty without
        one), ``bound`` and ``met``.
    skipped : list of str
        What was not measured, and why.
    """

    summary: pd.DataFrame
    skipped: list[str]


@dataclass(frozen=True)
class _Plan:
    case: str
    contenders: list[Contender]
    measure: Measure
    check: Callable[[Sequence[Mapping[str, Any]]], None] = lambda rows: None


def benchmark_update(cases: Sequence[Case], options: Options, progress: Progress) -> Outcome:
    """Time the update of populations; write ``update.csv`` and ``update_summary.csv``.

    ``update.csv`` holds one row a measurement: ``case``, ``round``, ``model``, ``kind``, ``label``, ``module`` (the
    beginning of the module's key) and what `amat.benchmark.update.measure_update` returns. In
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
    skipped = []
    version = None
    if BASE in cases and (options.models is None or BRIAN.model in options.models):
        version = brian_version(options.brian_python)
        if version is None:
            skipped.append(
                "Brian2 is skipped, since Python cannot import it here. It may need other versions of NumPy than "
                "this project: make an environment for it (python3 -m venv brian2-env && "
                "brian2-env/bin/pip install brian2 'numpy<2.4'), and name it: --brian2 brian2-env/bin/python"
            )
    with tempfile.TemporaryDirectory() as scratch:
        plans = []
        for case in cases:
            family = FAMILIES[case.family]
            contenders = twins(family)
            if options.ablation and case in (BASE, replace(BASE, rate=INPUT_RATE)):
                contenders += ablation_steps()
            contenders = _built(choose(contenders, options.models), progress)
            measure_one = partial(_update, case=case, duration=duration, seed=options.seed, threads=options.threads)
            if version and case == BASE:
                parameters = _parameters(case, options.seed, False)[0]
                program = BrianProgram(options.brian_python, Path(scratch), case.neurons, parameters, duration)
                contenders.append(replace(BRIAN, module=version))
                measure_one = partial(measure_one, program=program)
            plans.append(_Plan(case.name, contenders, measure_one, check_spikes))
        table = _carry_out("update", plans, options, options.rounds, {"duration": duration}, progress)
    summary = summarise(table, "ns", also=("spikes", "rate"))
    ours = table[table["kind"].isin(["opt", "brian2"])]
    if version and (ours["kind"] == "opt").any():
        beside_ours = summarise(ours[ours["case"] == BASE.name], "ns", reference="opt", also=("spikes", "rate"))
        summary = pd.concat([summary, beside_ours[beside_ours["kind"] == "brian2"]], ignore_index=True)
    facts = {case.name: _facts(case) for case in cases}
    summary["quantity"] = ["brian2" if kind == "brian2" else "time" for kind in summary["kind"]]
    return _finish("update", summary, facts, options, skipped)


def benchmark_memory(families: Sequence[str], options: Options, progress: Progress) -> Outcome:
    """Measure the memory of neurons; write ``memory.csv`` and ``memory_summary.csv``.

    ``memory.csv`` holds one row a measurement: ``case``, ``round``, ``model``, ``kind``, ``label``, ``module`` and
    what `amat.benchmark.memory.measure_memory` returns. ``memory_summary.csv`` has the quantities ``memory``, all
    of it, and ``own memory``, that which goes beyond an empty neuron's; ``median`` is in bytes per neuron.

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
    plans = []
    cases = memory_cases(families)
    empty = Contender(EMPTY, "kernel", KINDS["kernel"])
    for case in cases:
        contenders = _built(choose([*twins(FAMILIES[case.family]), empty], options.models), progress)
        measure = partial(_memory, case=case, seed=options.seed)
        plans.append(_Plan(case.name, contenders, measure))
    table = _carry_out("memory", plans, options, MEMORY_ROUNDS, {}, progress)
    kernel = table[table["kind"] == "kernel"].set_index(["case", "round"])["bytes"].rename("kernel_bytes")
    table = table.join(kernel, on=["case", "round"])
    table["own"] = table["bytes"] - table["kernel_bytes"]
    total = summarise(table, "bytes", also=("object_bytes",)).assign(quantity="memory")
    own = summarise(table, "own", also=("object_bytes",)).assign(quantity="own memory")
    summary = pd.concat([total, own[own["kind"] != "kernel"]], ignore_index=True)
    return _finish("memory", summary, {case.name: _facts(case) for case in cases}, options, [])


def benchmark_network(networks: Sequence[Network], options: Options, progress: Progress) -> Outcome:
    """Time networks; write ``network.csv`` and ``network_summary.csv``.

    Among the models is the empty neuron, which receives the external input and never spikes: what it takes is that of
    NEST's generator and delivery, below which no model can come. It is a lower bound, since the spikes between neurons
    have to be delivered on top.

    ``network.csv`` holds one row a measurement: ``case``, ``round``, ``model``, ``kind``, ``label``, ``module`` and
    what `amat.benchmark.network.measure_network` returns. In ``network_summary.csv``, ``median`` is in seconds of
    simulation per second of the model; ``build_seconds``, ``prepare_seconds`` and ``rate`` are medians.

    Parameters
    ----------
    networks : sequence of Network
    options : Options
    progress : callable

    Returns
    -------
    Outcome
    """
    plans, skipped = [], []
    for network in networks:
        missing = memory_missing(network)
        if missing > 0:
            skipped.append(
                f"The network of {network.neurons} neurons is skipped: it takes {missing:.1f} GB of memory more than "
                f"are free. Choose a smaller --indegree, or a larger machine."
            )
            continue
        contenders = [*twins(FAMILIES["amat"]), Contender(EMPTY, "kernel", KINDS["kernel"])]
        if options.ablation and network.neurons == ABLATION_NEURONS:
            contenders += ablation_steps()
        contenders = _built(choose(contenders, options.models), progress)
        duration = options.duration or network.duration
        measure = partial(_network, network=network, duration=duration, seed=options.seed, threads=options.threads)
        plans.append(_Plan(network.name, contenders, measure, check_rates))
    if not plans:
        raise AmatError("No network was measured. " + " ".join(skipped))
    settings = {"duration": options.duration, "networks": {network.name: asdict(network) for network in networks}}
    table = _carry_out("network", plans, options, options.rounds, settings, progress)
    summary = summarise(table, "real_time_factor", also=("build_seconds", "prepare_seconds", "rate"))
    facts = {network.name: {"family": "amat", "neurons": network.neurons} for network in networks}
    return _finish("network", summary.assign(quantity="network"), facts, options, skipped)


def _update(
    contender: Contender, *, case: Case, seed: int, program: BrianProgram | None = None, **how: Any
) -> dict[str, Any]:
    if contender.kind == "brian2" and program:
        return program.measure()
    return measure_update(case, contender, _parameters(case, seed, contender.kind == "hand"), seed=seed, **how)


def _memory(contender: Contender, *, case: Case, seed: int) -> dict[str, Any]:
    parameters = [{}] if contender.kind == "kernel" else _parameters(case, seed, contender.kind == "hand")
    return measure_memory(case, contender, parameters, seed=seed)


def _network(contender: Contender, *, network: Network, **how: Any) -> dict[str, Any]:
    return measure_network(network, contender, **how)


@lru_cache(maxsize=2)
def _parameters(case: Case, seed: int, hand: bool) -> list[dict[str, float]]:
    """Return a case's parameters by the names of the hand-written model, or of the generated ones."""
    family = FAMILIES[case.family]
    if hand:
        return [family.to_nest(values) for values in _parameters(case, seed, False)]
    return draw(
        family,
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
        if contender.kind == "hand":
            built.append(contender)
            continue
        module = toolchain.build(contender.model, progress=partial(_report_stage, progress, contender.model))
        built.append(replace(contender, module=module.key[:16]))
    return built


def _report_stage(progress: Progress, model: str, stage: str) -> None:
    progress(f"{model}: {stage}", 0, 0)


def _carry_out(
    name: str, plans: Sequence[_Plan], options: Options, rounds: int, settings: Mapping[str, Any], progress: Progress
) -> pd.DataFrame:
    """Measure all, and return the rows."""
    common = {
        "seed": options.seed,
        "threads": options.threads,
        "cpu": cpu_model(),
        "commit": commit(),
        "nest": versions()["nest-simulator"],
    }
    store = Store(options.output, name, {**settings, **common})
    wanted = rounds * sum(len(plan.contenders) for plan in plans)
    done = 0

    def advance(what: str) -> None:
        nonlocal done
        done += 1
        progress(what, done, wanted)

    for plan in plans:
        run_rounds(store, plan.case, plan.contenders, plan.measure, rounds, check=plan.check, progress=advance)
    return store.table([plan.case for plan in plans])


def _facts(case: Case) -> dict[str, Any]:
    """Return what targets are found by; different time constants have none."""
    if case.parameters == "time constants":
        return {}
    return {
        "family": case.family,
        "driven": bool(case.rate),
        "delay": case.delay,
        "different": case.parameters == "different",
        "random_phases": case.random_phases,
        "neurons": case.neurons,
    }


def _finish(
    name: str, summary: pd.DataFrame, facts: Mapping[str, Mapping[str, Any]], options: Options, skipped: list[str]
) -> Outcome:
    """Add the targets, write the summary, its cases in the order of their facts, and return it."""
    order = {case: number for number, case in enumerate(facts)}
    summary = summary.sort_values("case", key=lambda cases: cases.map(order), kind="stable", ignore_index=True)
    targets: list[Target | None] = [
        find_target(row["quantity"], **facts[row["case"]]) if _is_judged(row) else None
        for row in summary.to_dict("records")
    ]
    summary["target"] = [str(target) if target else "" for target in targets]
    summary["bound"] = [target.bound if target else float("nan") for target in targets]
    summary["met"] = [
        target.is_met(ratio) if target else None for target, ratio in zip(targets, summary["ratio"], strict=True)
    ]
    with replacing(options.output / f"{name}_summary.csv") as temporary:
        summary.to_csv(temporary, index=False, float_format="%.6g")
    return Outcome(summary, skipped)


def _is_judged(row: Mapping[Any, Any]) -> bool:
    """Tell whether a row is ours, or Brian2's beside ours."""
    if row["kind"] == "brian2":
        return bool(row["reference"] == FAMILIES["amat"].opt)
    return bool(row["kind"] == "opt")
