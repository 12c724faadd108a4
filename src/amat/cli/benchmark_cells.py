# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The commands ``amat benchmark cell`` and ``microcircuit``, and the options that benchmarks share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from amat.cli import common

if TYPE_CHECKING:
    import pandas as pd

    from amat.benchmark.runs import Progress

Codegen = Annotated[
    list[str] | None,
    typer.Option(
        help="Code generator to compare with NEST's models: nestml, nestml-checked or optimised. Repeatable. "
        "Default: all.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(min=1, help="Random seed.")]


def cell(
    model: Annotated[str, typer.Option(help="Neuron model, by its name in NEST.")],
    output: Annotated[Path, typer.Option(help="Output file, in JSON.")],
    workload: Annotated[
        Literal["neurons", "network", "plastic", "microcircuit-dc", "microcircuit-poisson"],
        typer.Option(
            help="Unconnected neurons, a network with static synapses, one with plastic synapses, or the microcircuit "
            "with a constant or a Poisson background input."
        ),
    ] = "network",
    neurons: Annotated[int | None, typer.Option(help="Number of neurons. Default: 10000.", show_default=False)] = None,
    indegree: Annotated[
        int | None,
        typer.Option(help="Number of recurrent synapses per neuron of a network. Default: 1000.", show_default=False),
    ] = None,
    threads: common.Threads = 1,
    ranks: Annotated[int, typer.Option(min=1, help="Expected number of MPI processes.")] = 1,
    seed: Seed = 1,
    duration: Annotated[float, typer.Option(help="Duration of the timed simulation in ms.")] = 1000.0,
    resolution: Annotated[float, typer.Option(help="Time step in ms.")] = 0.1,
    scale: Annotated[
        float | None, typer.Option(help="Scale of a microcircuit, relative to its full size.", show_default=False)
    ] = None,
) -> None:
    """Measure one model in one workload, in one process or in several with MPI, and write one file."""
    pin_threads()
    from amat.benchmark.cell import INDEGREE, Cell, measure_cell
    from amat.benchmark.microcircuit import check_fit
    from amat.benchmark.network import estimate_memory

    if workload in ("neurons", "microcircuit-dc", "microcircuit-poisson"):
        common.refuse_without("--workload network", indegree=indegree)
    if workload.startswith("microcircuit"):
        common.refuse_without("--workload network", neurons=neurons)
    synapses = INDEGREE if indegree is None else indegree
    size = Cell.neurons if neurons is None else neurons
    plan = Cell(model, workload, size, synapses, threads, ranks, seed, duration, resolution, scale)
    neurons, recurrent = plan.neurons, 0 if workload == "neurons" else plan.indegree
    if scale is not None:
        check_fit(scale, threads, ranks)
    # Seconds of an update, of making a synapse, and of the events at a synapse in a ms.
    work = neurons * (5e-8 * duration / resolution + recurrent * (3e-7 + 3e-10 * duration))
    common.announce_cost(
        f"A cell of {neurons:.3g} neurons with {recurrent:.4g} synapses each over {duration:g} ms",
        seconds=work / (threads * ranks),
        memory=estimate_memory(neurons, recurrent) / ranks if scale is None else 0.0,
    )
    common.prepare_outputs(output)
    found = measure_cell(plan, output)
    common.report(
        f"{model}, {workload}: real-time factor {found['real_time_factor']:.3g}, {found['rate']:.2f} spikes/s; {output}"
    )


def microcircuit(
    scale: Annotated[float, typer.Option(help="Scale of neurons and of synapses per neuron, at most 1.")] = 0.1,
    background: Annotated[
        Literal["dc", "poisson"], typer.Option("--input", help="Background input: constant or Poisson.")
    ] = "poisson",
    family: Annotated[
        Literal["iaf_psc_exp", "amat"], typer.Option(help="Neurons: the published ones, or AMAT.")
    ] = "iaf_psc_exp",
    codegen: Codegen = None,
    threads: common.Threads = 1,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Number of seeds, from 1.")] = 3,
    duration: Annotated[
        float, typer.Option("--time", help="Duration of the timed simulation in ms, after 500 ms of warm-up.")
    ] = 1000.0,
    output: Annotated[Path, typer.Option(help="Output folder for cells and tables. Finished cells are kept.")] = Path(
        "amat-microcircuit"
    ),
) -> None:
    """Time the cortical microcircuit of Potjans and Diesmann (PD14), and compare the activity of models."""
    pin_threads()
    from amat.benchmark.microcircuit import require_package
    from amat.benchmark.microcircuit_runs import FILES, measure_microcircuit, plan_cells

    cells = plan_cells(
        family,
        codegen,
        scale=scale,
        background=background,
        threads=threads,
        seeds=range(1, seeds + 1),
        duration=duration,
    )
    common.prepare_outputs(*(output / name for name in FILES))
    require_package()
    with show_bars() as progress:
        outcome = measure_microcircuit(cells, output, progress)
    common.console.print(_microcircuit_table(outcome.cells, outcome.summary))
    for note in sorted(set(outcome.cells["energy_note"])):
        common.report(f"Energy: {note}.")
    judged = outcome.accuracy[outcome.accuracy["within"].notna()]
    within = judged["within"].astype(bool)
    common.report(
        f"Rates, CVs and correlations of populations: {within.sum()} of {len(within)} are within 3 standard deviations "
        "over seeds of NEST's iaf_psc_exp."
    )
    common.report(f"Cells and tables are in {output}.")


def _microcircuit_table(cells: pd.DataFrame, summary: pd.DataFrame) -> Table:
    """Return real-time factors, and ratios to NEST's built-in model, as a table for the terminal."""
    from amat.benchmark.comparisons import ratio_text

    table = common.make_table(
        *("case", "model"),
        title="Microcircuit (medians over seeds, ratios with intervals)",
        caption="real time: wall-clock time of a second of model time; CPU: processor time of it; same spikes: until",
    )
    for name in ("real time", "ratio", "CPU", "ratio", "B/synapse", "peak", "build", "same spikes"):
        table.add_column(name, justify="right")
    for (case, model), rows in cells.groupby(["case", "model"], sort=False):
        median = rows.median(numeric_only=True)
        ratios = summary[(summary["case"] == case) & (summary["model"] == model)].set_index("quantity")
        same = rows["same_until_ms"].min()
        table.add_row(
            *(str(case), str(model), f"{median['real_time_factor']:.2f}", ratio_text(ratios.loc["time"])),
            *(f"{median['cpu_factor']:.2f}", ratio_text(ratios.loc["CPU time"]), f"{median['synapse_B']:.1f}"),
            *(f"{median['peak_GB']:.2f} GB", f"{median['build_s']:.1f} s"),
            "all" if same >= rows["duration"].min() else f"{same:.0f} ms",
        )
    return table


def pin_threads() -> None:
    """Keep numerical libraries from starting threads, which only NEST shall do. Call this before they are loaded."""
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})


@contextmanager
def show_bars() -> Iterator[Progress]:
    """Show progress on standard error: a bar in a terminal, otherwise one line per case."""
    last = ""
    with common.progress_bars() as bars:
        task = bars.add_task("", total=None)

        def advance(description: str, done: int, total: int) -> None:
            nonlocal last
            bars.update(task, description=description, completed=done, total=total or None)
            case = description.split(":")[0]
            if not common.messages.is_terminal and case != last:
                common.note(case)
            last = case

        yield advance
