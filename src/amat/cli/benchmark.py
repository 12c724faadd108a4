# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The command ``amat benchmark``: time and memory of the builds of a model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from amat import paths
from amat.cli import benchmark_cells, common
from amat.cli.benchmark_cells import Codegen, Seed, pin_threads, show_bars
from amat.errors import AmatError

if TYPE_CHECKING:
    import pandas as pd

    from amat.benchmark.runs import Outcome

app = typer.Typer(
    name="benchmark",
    help="Time and memory of generated models, compared with NEST's built-in models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Output = Annotated[
    Path,
    typer.Option(
        help="Output folder for tables and figures. Finished measurements are kept. Other settings need another folder."
    ),
]
_Rounds = Annotated[int, typer.Option(help="Number of rounds. Each measures every model once.")]
_Ablation = Annotated[
    bool | None,
    typer.Option(
        "--ablation/--no-ablation",
        help="Also measure AMAT with one optimisation after the other. Default: without --codegen and --quick.",
        show_default=False,
    ),
]

#: Units of a summary's median.
_UNITS = {"time": "ns", "memory": "B", "own memory": "B", "network": "s/s"}


@app.command()
def update(
    cases: Annotated[
        list[str] | None,
        typer.Option("--cases", help="Case or family of cases, by its name in tables. Repeatable."),
    ] = None,
    codegen: Codegen = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="Number of rounds. Each measures every model once. Default: 11.", show_default=False),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(help="Duration of the timed simulation in ms. Default: 1000.", show_default=False),
    ] = None,
    seed: Seed = 1,
    threads: common.Threads = 1,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Three rounds of 300 ms with 1000 neurons, without ablation; other options override."
        ),
    ] = False,
    memory: Annotated[bool, typer.Option(help="Measure the memory as well.")] = True,
    ablation: _Ablation = None,
    brian2: Annotated[
        str | None,
        typer.Option(
            help="Python interpreter that can import Brian2. Default: this one.",
            metavar="PYTHON",
            show_default=False,
        ),
    ] = None,
    output: _Output = Path("amat-benchmark"),
) -> None:
    """Time the update of neurons and the delivery of their input, and measure their memory."""
    pin_threads()
    from amat.benchmark import figures
    from amat.benchmark.cases import default_cases, find_cases, quick_cases
    from amat.benchmark.runs import Options, benchmark_memory, benchmark_update

    if quick and cases and None not in (rounds, duration, ablation):
        raise AmatError("--quick has no effect: all that it changes is set. Leave it out.")
    chosen = find_cases(cases) if cases else quick_cases() if quick else default_cases()
    rounds = (3 if quick else 11) if rounds is None else rounds
    duration = (300.0 if quick else 1000.0) if duration is None else duration
    ablation = False if quick and ablation is None else ablation
    options = Options(output, rounds, duration, seed, threads, codegen, ablation, brian2)
    _prepare_outputs(output, "update", *(["memory"] if memory else []))
    with show_bars() as progress:
        times = benchmark_update(chosen, options, progress)
    _show_times(times, output / "update.svg", "Time of an update", threads)
    if memory:
        families = list(dict.fromkeys(case.family for case in chosen))
        with show_bars() as progress:
            sizes = benchmark_memory(families, options, progress)
        figures.save_and_close(figures.plot_neuron_memory(sizes.summary), output / "memory.svg")
        _show(sizes, "Memory per neuron")
    common.report(f"Measurements, summaries and figures are in {output}.")


@app.command()
def network(
    neurons: Annotated[
        list[int] | None,
        typer.Option("--neurons", help="Number of neurons in a network. Repeatable.", show_default=False),
    ] = None,
    indegree: Annotated[int, typer.Option(help="Number of recurrent synapses per neuron.")] = 1000,
    codegen: Codegen = None,
    rounds: _Rounds = 5,
    duration: Annotated[
        float | None,
        typer.Option(help="Duration of the timed simulation in ms. Default: 200, or more for small networks."),
    ] = None,
    seed: Seed = 1,
    threads: common.Threads = 1,
    ablation: _Ablation = None,
    family: Annotated[
        Literal["amat", "izhikevich", "iaf_psc_exp", "iaf_psc_delta"], typer.Option(help="Neurons of the network.")
    ] = "amat",
    brian2: Annotated[
        str | None,
        typer.Option(
            help="Python interpreter that can import Brian2, to compare it: amat or iaf_psc_delta.", metavar="PYTHON"
        ),
    ] = None,
    arbor: Annotated[
        str | None,
        typer.Option(help="Python interpreter that can import Arbor, to compare it: iaf_psc_delta.", metavar="PYTHON"),
    ] = None,
    output: _Output = Path("amat-benchmark"),
) -> None:
    """Time balanced random networks, by default of AMAT and of 2,000, 10,000 and 50,000 neurons."""
    pin_threads()
    from amat.benchmark.runs import Options, benchmark_network

    options = Options(output, rounds, duration, seed, threads, codegen, ablation, brian2, arbor)
    _prepare_outputs(output, "network")
    with show_bars() as progress:
        outcome = benchmark_network(neurons, options, progress, indegree=indegree, family=family)
    _show_times(outcome, output / "network.svg", "Time of a balanced random network", threads)
    common.report(f"Measurements, summaries and figures are in {output}.")


app.command()(benchmark_cells.cell)
app.command()(benchmark_cells.microcircuit)


@app.command()
def run(
    matrix: Annotated[str, typer.Option(help="Cells to measure: a file, or a name in config/benchmarks.")] = "quick",
    executor: Annotated[
        Literal["local", "slurm"], typer.Option(help="Where cells run: on this machine, or as jobs on a cluster.")
    ] = "local",
    site: Annotated[
        str | None,
        typer.Option(
            help="Site that starts the cells: a file, or a name in config/sites. Default: workstation, or generic "
            "with Slurm.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Output folder for cells, logs and the report.")] = Path(
        "amat-benchmark"
    ),
    cores: Annotated[int | None, typer.Option(min=1, help="Number of processor cores. Default: all.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Largest number of jobs in Slurm at a time.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="Apptainer image of the project in which all jobs run.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the steps without running them.")] = False,
) -> None:
    """Measure a matrix of models, workloads, sizes and cores, on one machine or a cluster. A stopped run resumes."""
    pin_threads()
    paths.require_checkout("The benchmark workflow")
    from amat.benchmark.engine import run_matrix
    from amat.benchmark.matrix import find_matrix, find_site

    place = site or ("generic" if executor == "slurm" else "workstation")
    report = run_matrix(
        find_matrix(matrix),
        find_site(place),
        output,
        profile=executor,
        cores=cores,
        jobs=jobs,
        image=image,
        dry_run=dry_run,
    )
    if not dry_run:
        common.report(f"The report is in {report}.")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Output folder of `amat benchmark run`, or a cells.csv.")],
    output: Annotated[
        Path | None,
        typer.Option(help="Output folder for tables, figures and the page. Default: FOLDER/report."),
    ] = None,
    page: Annotated[bool, typer.Option(help="Also write the page, which takes half a minute.")] = True,
    tables: Annotated[
        bool, typer.Option("--tables", help="First measure NEST's memory for each synapse model on this machine.")
    ] = False,
) -> None:
    """Write a report on measured cells, from any machine, complete or not."""
    pin_threads()
    from amat.benchmark.collect import read_cells
    from amat.benchmark.report import FILES, SYNAPSE_TABLES, write_report
    from amat.benchmark.synapse_tables import measure_tables, write_tables

    place = folder if folder.is_dir() else folder.parent
    target = output or place / "report"
    common.prepare_outputs(*(target / name for name in FILES))
    if tables:
        common.prepare_outputs(place / SYNAPSE_TABLES)
        read_cells(folder)  # writes nothing into a folder without cells
        write_tables(measure_tables(), place / SYNAPSE_TABLES)
    found = write_report(folder, target, page=page)
    common.console.print(_ratio_table(found.summary))
    if found.problems:
        common.report(f"{len(found.problems)} file(s) skipped:")
        for problem in found.problems:
            common.report(f"  {problem.file}: {problem.reason}")
    if found.note and page:
        common.report(found.note)
    common.report(f"{len(found.cells)} cells: tables and figures are in {target}.")


def _ratio_table(summary: pd.DataFrame) -> Table:
    """Return the summary of a report as a table for the terminal."""
    from amat.benchmark.comparisons import summary_text
    from amat.benchmark.figures import label

    table = common.make_table(
        *("model", "reference", "workload"),
        title="Ratios of equal cells (medians, and intervals over seeds)",
        caption="time: of the simulation; construction: create, connect and prepare; memory: allocated since the start",
    )
    for name in ("neurons", "seeds", "time", "construction", "memory"):
        table.add_column(name, justify="right")
    for row in summary_text(summary).to_dict("records"):
        names = (label(row["model"]), label(row["reference"]), row["workload"])
        numbers = (f"{row['neurons']:,}", str(row["seeds"]))
        table.add_row(*names, *numbers, row["time"], row["construction"], row["memory"])
    return table


def summary_table(summary: pd.DataFrame, title: str, *, wide: bool = True) -> Table:
    """Return a summary as a table for the terminal, with missed targets marked.

    Parameters
    ----------
    summary : pandas.DataFrame
        From `amat.benchmark.runs.Outcome`.
    title : str
    wide : bool
        Whether to show the range from the least ratio to the largest.
    """
    rounds = sorted(set(summary["rounds"]))
    table = common.make_table(
        title=title,
        caption=f"Medians of {' to '.join(map(str, rounds))} rounds, ratios to NEST's model in the same round; "
        "✓ target met, ✗ missed.",
    )
    table.add_column("case", overflow="fold")
    table.add_column("build")
    for name in ("nest", "this build", "ratio", "interval", *(["range"] if wide else [])):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("target", no_wrap=True)
    nest = summary[summary["build"] == "nest"].set_index(["quantity", "case"])["median"].to_dict()
    last = ""
    # The rows of own memory are without kernel overhead, so that it needs no rows.
    hidden = (summary["build"] == "nest") | ((summary["build"] == "empty") & (summary["quantity"] != "network"))
    for row in summary[~hidden].to_dict("records"):
        case = row["case"] + (" (own)" if row["quantity"] == "own memory" else "")
        quantity = "time" if row["quantity"] == "brian2" else row["quantity"]
        of_nest = nest.get((quantity, row["case"]), math.nan)
        to_optimised = row["build"] == "brian2" and row["target"] != ""
        table.add_row(
            case if case != last else "",
            "Brian2 / optimised" if to_optimised else row["label"],
            _amount(of_nest, quantity) if case != last else "",
            _amount(row["median"], quantity),
            f"{row['ratio']:.2f}",
            "–" if math.isnan(row["lower"]) else f"{row['lower']:.2f}–{row['upper']:.2f}",
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


def _show_times(outcome: Outcome, path: Path, title: str, threads: int) -> None:
    """Write the figure of a benchmark of times, and print its table."""
    from amat.benchmark import figures
    from amat.compendium.plots import use_style

    use_style()
    figures.save_and_close(figures.plot_round_ratios(outcome.summary, title), path)
    _show(outcome, f"{title}, {threads} thread{'s' if threads > 1 else ''}")


def _show(outcome: Outcome, title: str) -> None:
    common.console.print(summary_table(outcome.summary, title, wide=common.console.width >= 100))
    for message in outcome.skipped:
        common.report(message)
    judged = outcome.summary[outcome.summary["target"] != ""]
    if len(judged):
        met = int(judged["met"].astype(bool).sum())
        common.report(f"{met} of {len(judged)} targets are met.")


def _prepare_outputs(output: Path, *names: str) -> None:
    """Check before any work that the tables and figures of benchmarks can be written."""
    tables = [output / f"{name}{ending}.csv" for name in names for ending in ("", "_summary")]
    common.prepare_outputs(output / "provenance.json", *tables, figures=[output / f"{name}.svg" for name in names])
