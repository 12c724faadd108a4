# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat benchmark``: how fast and how large the generated models are beside NEST's own."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from amat.benchmark.runs import Outcome
    from amat.benchmark.runs import Progress as Report

app = typer.Typer(
    name="benchmark",
    help="Time and memory of the generated models beside NEST's hand-written ones, with targets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_console = Console()
_messages = Console(stderr=True)

_Output = Annotated[Path, typer.Option(help="The folder for tables and figures; what is there already is kept.")]
_Models = Annotated[
    list[str] | None,
    typer.Option("--models", help="A model to compare, by its name in NEST, or brian2; may be repeated."),
]
_Seed = Annotated[int, typer.Option(min=0, help="Of parameters, phases, input and connections.")]
_Threads = Annotated[int, typer.Option(min=1, help="NEST's threads.")]
_Ablation = Annotated[bool, typer.Option(help="Also measure the steps from NESTML's templates to our AMAT model.")]

#: Units of a summary's median.
_UNITS = {"time": "ns", "memory": "B", "own memory": "B", "network": "s/s"}


@app.command()
def update(
    cases: Annotated[
        list[str] | None,
        typer.Option("--cases", help="A case or a family of cases, as tables name them; may be repeated."),
    ] = None,
    models: _Models = None,
    rounds: Annotated[int, typer.Option(help="How often everything is measured, in turns.")] = 11,
    time: Annotated[float, typer.Option(help="What is timed, in ms of the model.")] = 1000.0,
    seed: _Seed = 1,
    threads: _Threads = 1,
    full: Annotated[bool, typer.Option("--full", help="All combinations of all factors: hours.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Three rounds of 300 ms, 1000 neurons, no ablation: a glance.")
    ] = False,
    memory: Annotated[bool, typer.Option(help="Measure the memory as well.")] = True,
    ablation: _Ablation = True,
    brian2: Annotated[
        str,
        typer.Option(
            help="A Python that can import Brian2; this one by default.", metavar="PYTHON", show_default=False
        ),
    ] = sys.executable,
    output: _Output = Path("amat-benchmark"),
) -> None:
    """Time the update of neurons, and the delivery of their input, and measure their memory."""
    _pin_threads()
    from amat.benchmark import figures
    from amat.benchmark.cases import cross_product, default_cases, find_cases, quick_cases
    from amat.benchmark.runs import Options, benchmark_memory, benchmark_update
    from amat.errors import AmatError

    if full and (cases or quick):
        raise AmatError("--full excludes --cases and --quick: choose one of them.")
    chosen = find_cases(cases) if cases else cross_product() if full else quick_cases() if quick else default_cases()
    if quick:
        rounds, time, ablation = min(rounds, 3), min(time, 300.0), False
    options = Options(output, rounds, time, seed, threads, models, ablation, brian2)
    with _progress() as report:
        times = benchmark_update(chosen, options, report)
    figures.draw_ratios(times.summary, output / "update.svg", title="Time of an update")
    if (times.summary["kind"] == "ablation").any():
        figures.draw_ablation(times.summary, output / "update_ablation.svg")
    _show(times, f"Time per neuron and step, {threads} thread{'s' if threads > 1 else ''}")
    if memory:
        families = list(dict.fromkeys(case.family for case in chosen))
        with _progress() as report:
            sizes = benchmark_memory(families, options, report)
        figures.draw_memory(sizes.summary, output / "memory.svg")
        _show(sizes, "Memory per neuron")
    _tell(output)


@app.command()
def network(
    neurons: Annotated[
        list[int] | None, typer.Option("--neurons", help="The network's size; may be repeated.", show_default=False)
    ] = None,
    indegree: Annotated[int, typer.Option(help="Synapses that each neuron receives.")] = 1000,
    models: _Models = None,
    rounds: Annotated[int, typer.Option(help="How often everything is measured, in turns.")] = 5,
    time: Annotated[
        float | None, typer.Option(help="What is timed, in ms of the model; 200 or more by default.")
    ] = None,
    seed: _Seed = 1,
    threads: _Threads = 1,
    ablation: _Ablation = True,
    output: _Output = Path("amat-benchmark"),
) -> None:
    """Time balanced random networks of AMAT neurons: of 2,000, 10,000 and 50,000 by default."""
    _pin_threads()
    from amat.benchmark import figures
    from amat.benchmark.network import Network
    from amat.benchmark.runs import Options, benchmark_network

    networks = [Network(number, indegree) for number in neurons or (2000, 10000, 50000)]
    options = Options(output, rounds, time, seed, threads, models, ablation)
    with _progress() as report:
        outcome = benchmark_network(networks, options, report)
    figures.draw_ratios(outcome.summary, output / "network.svg", title="Time of a balanced random network")
    if (outcome.summary["kind"] == "ablation").any():
        figures.draw_ablation(outcome.summary, output / "network_ablation.svg")
    _show(outcome, f"Balanced random network, {threads} thread{'s' if threads > 1 else ''}")
    _tell(output)


class Workload(StrEnum):
    """What a cell simulates."""

    neurons = "neurons"
    network = "network"
    plastic = "plastic"


@app.command()
def cell(
    model: Annotated[str, typer.Option(help="The model, by its name in NEST.")],
    output: Annotated[Path, typer.Option(help="The JSON file to write.")],
    workload: Annotated[
        Workload, typer.Option(help="Neurons alone, a network of static synapses, or one of plastic synapses.")
    ] = Workload.network,
    neurons: Annotated[int, typer.Option(help="How many neurons.")] = 10000,
    indegree: Annotated[int, typer.Option(help="Synapses that each neuron of a network receives.")] = 1000,
    threads: _Threads = 1,
    ranks: Annotated[int, typer.Option(min=1, help="The MPI processes that are expected.")] = 1,
    seed: Annotated[int, typer.Option(min=1, help="Of connections and input.")] = 1,
    time: Annotated[float, typer.Option(help="What is timed, in ms of the model.")] = 1000.0,
    resolution: Annotated[float, typer.Option(help="Time step in ms.")] = 0.1,
) -> None:
    """Measure one model in one workload, in this process or as one of many under MPI, and write one file."""
    _pin_threads()
    from amat.benchmark.cell import Cell, measure_cell
    from amat.files import check_writable

    plan = Cell(model, workload.value, neurons, indegree, threads, ranks, seed, time, resolution)
    check_writable(output.absolute().parent)
    found = measure_cell(plan, output)
    _console.print(
        f"{model}, {workload.value}: real-time factor {found['real_time_factor']:.3g}, {found['rate']:.2f} spikes/s; "
        f"{output}",
        soft_wrap=True,
    )


class RunsOn(StrEnum):
    """Where cells run."""

    local = "local"
    slurm = "slurm"


@app.command()
def run(
    matrix: Annotated[str, typer.Option(help="The cells: a file, or the name of one in config/benchmarks.")] = "quick",
    profile: Annotated[RunsOn, typer.Option(help="On this machine, or as jobs on a cluster.")] = RunsOn.local,
    site: Annotated[
        str | None,
        typer.Option(
            help="How cells start: a file, or the name of one in config/sites; by default workstation, and generic "
            "on Slurm.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder for cells, logs and the report.")] = Path("amat-benchmark"),
    cores: Annotated[int | None, typer.Option(min=1, help="Of this machine; all by default.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="How many jobs may be in Slurm at a time.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="An Apptainer image of the project, in which all jobs run.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done.")] = False,
) -> None:
    """Measure a matrix of models, workloads, sizes and cores, on one machine or on a cluster; resumes."""
    _pin_threads()
    from amat.benchmark.engine import run_matrix
    from amat.benchmark.matrix import find_matrix, find_site

    place = site or ("generic" if profile is RunsOn.slurm else "workstation")
    report = run_matrix(
        find_matrix(matrix),
        find_site(place),
        output,
        profile=profile.value,
        cores=cores,
        jobs=jobs,
        image=image,
        dry_run=dry_run,
    )
    if not dry_run:
        _console.print(f"The report: {report}", soft_wrap=True)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of `amat benchmark run`, or a cells.csv.")],
    output: Annotated[
        Path | None,
        typer.Option(help="The folder for tables, figures and the page; report in FOLDER by default."),
    ] = None,
    page: Annotated[bool, typer.Option(help="Also make the page, which takes half a minute.")] = True,
    tables: Annotated[
        bool, typer.Option("--tables", help="First measure on this machine what NEST keeps for each synapse model.")
    ] = False,
) -> None:
    """Report on cells that were measured, here or elsewhere, all of them or some."""
    _pin_threads()
    from amat.benchmark.collect import read_cells
    from amat.benchmark.report import SYNAPSE_TABLES, write_report
    from amat.benchmark.synapse_tables import measure_tables, write_tables

    place = folder if folder.is_dir() else folder.parent
    if tables:
        read_cells(folder)  # what is no folder of cells gets no file
        write_tables(measure_tables(), place / SYNAPSE_TABLES)
    target = output or place / "report"
    found = write_report(folder, target, page=page)
    _console.print(_make_summary(found.summary))
    if found.problems:
        _console.print(f"{len(found.problems)} file(s) skipped:")
        for problem in found.problems:
            _console.print(f"  {problem.file}: {problem.reason}", markup=False, highlight=False, soft_wrap=True)
    if found.note and page:
        _console.print(found.note, markup=False, highlight=False, soft_wrap=True)
    _console.print(f"{len(found.cells)} cells: tables and figures are in {target}.", soft_wrap=True)


def _make_summary(summary: pd.DataFrame) -> Table:
    """Return the ratios of a report's summary as a table for the terminal."""
    from amat.benchmark.comparisons import summary_text
    from amat.benchmark.scaling_figures import label

    table = Table(
        title="Ratios in pairs of equal cells (medians, and intervals over seeds)",
        caption="time: of the simulation; construction: create, connect and prepare; memory: allocated since the start",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("model", "to", "workload"):
        table.add_column(name)
    for name in ("neurons", "seeds", "time", "construction", "memory"):
        table.add_column(name, justify="right")
    for row in summary_text(summary).to_dict("records"):
        names = (label(row["model"]), label(row["reference"]), row["workload"])
        numbers = (f"{row['neurons']:,}", str(row["seeds"]))
        table.add_row(*names, *numbers, row["time"], row["construction"], row["memory"])
    return table


def make_table(summary: pd.DataFrame, title: str, *, wide: bool = True) -> Table:
    """Return a summary as a table for the terminal; targets that are missed are marked.

    Parameters
    ----------
    summary : pandas.DataFrame
        Of `amat.benchmark.runs.Outcome`.
    title : str
    wide : bool
        Whether there is room for the ranges from the least ratio to the largest.
    """
    rounds = sorted(set(summary["rounds"]))
    table = Table(
        title=title,
        caption=f"Medians of {' to '.join(map(str, rounds))} rounds, ratios to NEST's model in the same round; "
        "✓ target met, ✗ missed.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("case", overflow="fold")
    table.add_column("model")
    for name in ("NEST", "model's", "ratio", "quartiles", *(["range"] if wide else [])):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("target", no_wrap=True)
    hand = summary[summary["kind"] == "hand"].set_index(["quantity", "case"])["median"].to_dict()
    last = ""
    # The kernel's share of the memory is taken off in the rows of what is the models' own.
    left_out = (summary["kind"] == "hand") | ((summary["kind"] == "kernel") & (summary["quantity"] != "network"))
    for row in summary[~left_out].to_dict("records"):
        case = row["case"] + (" (own)" if row["quantity"] == "own memory" else "")
        quantity = "time" if row["quantity"] == "brian2" else row["quantity"]
        of_nest = hand.get((quantity, row["case"]), math.nan)
        beside_ours = row["kind"] == "brian2" and row["target"] != ""
        table.add_row(
            case if case != last else "",
            "Brian2 / ours" if beside_ours else row["label"],
            _amount(of_nest, quantity) if case != last else "",
            _amount(row["median"], quantity),
            f"{row['ratio']:.2f}",
            f"{row['lower']:.2f}–{row['upper']:.2f}",
            *([f"{row['least']:.2f}–{row['largest']:.2f}"] if wide else []),
            _verdict(row),
        )
        last = case
    return table


def _amount(value: float, quantity: str) -> str:
    """Return a value with its unit, in three digits or whole bytes."""
    unit = _UNITS[quantity]
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"


def _verdict(row: dict[Any, Any]) -> str:
    if not row["target"]:
        return ""
    return f"[green]✓ {row['target']}[/]" if row["met"] else f"[bold red]✗ {row['target']}[/]"


def _show(outcome: Outcome, title: str) -> None:
    _console.print(make_table(outcome.summary, title, wide=_console.width >= 100))
    for message in outcome.skipped:
        _console.print(message, markup=False, highlight=False, soft_wrap=True)
    judged = outcome.summary[outcome.summary["target"] != ""]
    if len(judged):
        met = int(judged["met"].astype(bool).sum())
        _console.print(f"{met} of {len(judged)} targets are met.")


def _tell(output: Path) -> None:
    _console.print(f"Measurements, summaries and figures are in {output}.", soft_wrap=True)


def _pin_threads() -> None:
    """Keep libraries from starting threads of their own; NEST's are set by NEST. Call it before they are loaded."""
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})


@contextmanager
def _progress() -> Iterator[Report]:
    """Show progress on standard error; where that is no terminal, a line for each case."""
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    last = ""
    with Progress(*columns, console=_messages, transient=True, disable=not _messages.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def report(what: str, done: int, wanted: int) -> None:
            nonlocal last
            progress.update(task, description=what, completed=done, total=wanted or None)
            case = what.split(":")[0]
            if not _messages.is_terminal and case != last:
                _messages.print(case, soft_wrap=True)
            last = case

        yield report
