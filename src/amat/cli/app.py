# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The ``amat`` command."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from amat import paths, toolchain
from amat.cli import archive as cli_archive
from amat.cli import benchmark as cli_benchmark
from amat.cli import explore as cli_explore
from amat.cli import patterns as cli_patterns
from amat.cli import tutorial as cli_tutorial
from amat.cli import upstream as cli_upstream
from amat.cli import verify as cli_verify
from amat.errors import AmatError

#: For commands that pass words that they do not know on to another program.
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    name="amat",
    help="The AMAT neuron in NESTML on NEST: build it, validate it, make every result again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_benchmark.app)
app.add_typer(cli_verify.app)
app.command()(cli_verify.build_nest)
app.command()(cli_archive.archive)
app.command()(cli_archive.citation)
app.command()(cli_archive.deposit)
app.command()(cli_patterns.patterns)
app.command()(cli_patterns.simulate)
app.command()(cli_explore.explore)
app.command()(cli_upstream.upstream)
app.command(context_settings=_PASS_ON)(cli_tutorial.tutorial)
_console = Console()
_messages = Console(stderr=True)


class Profile(StrEnum):
    """How much `reproduce` computes."""

    quick = "quick"
    full = "full"
    shipped = "shipped"


@app.command()
def build(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Names in NEST, or paths of NESTML files; without any, all that the project uses."),
    ] = None,
    codegen: Annotated[
        toolchain.Codegen | None,
        typer.Option(
            help="The code generator: NESTML's, unmodified (names end in _nestml_unmodified), NESTML's templates "
            "extended by checks (_nestml), or this project's (_opt). The default is the one that a name implies, and "
            "nestml-checked for a path."
        ),
    ] = None,
    fallback: Annotated[
        bool,
        typer.Option("--fallback", help="Use nestml-checked where the optimised generator does not support a model."),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Write what was built, with keys and hashes, to this JSON file.")
    ] = None,
) -> None:
    """Generate and compile models into modules that NEST loads; what is in the cache is not made again."""
    if models:
        chosen = [toolchain.find_model(name, codegen) for name in models]  # an unknown name is told before any work
    elif codegen:
        chosen = [model for model in toolchain.MODELS.values() if model.codegen == codegen]
    else:
        chosen = [toolchain.MODELS[name] for name in toolchain.DEFAULT_MODELS]
    if fallback:
        chosen = [dataclasses.replace(model, fallback=True) for model in chosen]
    with _progress() as progress, ThreadPoolExecutor(max_workers=2) as pool:

        def build_one(model: toolchain.Model) -> toolchain.Module:
            task = progress.add_task(model.name, total=None)

            def report(stage: str) -> None:
                message = f"{model.name}: {stage}"
                progress.update(task, description=message)
                if not _messages.is_terminal:
                    _messages.print(message)

            module = toolchain.build(model, progress=report)
            progress.remove_task(task)
            return module

        modules = list(pool.map(build_one, chosen))
    table = Table("model in NEST", "made in", "key", caption=f"in {_shown(paths.module_cache())}")
    for module in modules:
        made = "cached" if module.cached else f"{module.seconds:.0f} s"
        table.add_row(module.model, made, module.key[:16])
    _console.print(table)
    if record:
        from amat.files import write_json

        write_json(record, {m.model: {"key": m.key, "sha256": m.sha256} for m in modules})


@app.command()
def validate(
    sets: Annotated[int, typer.Option(min=1, help="How many random parameter sets.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of parameters, stimuli and random input.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="NEST's threads.")] = 2,
    codegen: Annotated[
        toolchain.Codegen, typer.Option(help="The code generator of the AMAT neuron.")
    ] = "nestml-checked",
    csv: Annotated[Path | None, typer.Option(help="Write one row a set to this file.")] = None,
) -> None:
    """Compare AMAT with NEST's amat2_psc_exp and with the exact solution over random parameters and stimuli."""
    from amat.analysis import validation
    from amat.files import check_writable, replacing

    if csv:
        check_writable(csv.absolute().parent)
    name = toolchain.find_model("amat2_psc_exp_neuron", codegen).name
    toolchain.build(name)
    with _progress() as progress:
        task = progress.add_task("parameter sets", total=sets)
        table = validation.validate(
            sets, seed, model=name, threads=threads, progress=lambda done: progress.update(task, completed=done)
        )
    summary = validation.summarise(table)
    shown = Table(
        *("input", "h/ms", "sets", "spikes", "differ", "ΔV_m", "ΔV_th", "ΔV_th_v", "ours", "NEST's"),
        title=f"{name} and {validation.NEST_MODEL}",
        caption="Sets whose spikes differ; largest deviations in mV: of the two, and of each from the exact solution.",
        box=box.SIMPLE_HEAD,
        padding=0,  # with it the table would be wider than 80 columns
    )
    for row in summary.reset_index().to_dict("records"):
        shown.add_row(
            row["protocol"],
            f"{row['resolution']:g}",
            f"{row['sets']:.0f}",
            f"{row['spikes']:.0f}",
            f"{row['faulty']:.0f}",
            *(f"{row[name]:.1e}" for name in ("V_m", "V_th", "V_th_v")),
            *(f"{max(row['V_m' + who], row['V_th' + who]):.1e}" for who in ("_exact", "_nest")),
        )
    _console.print(shown)
    if csv:
        with replacing(csv) as temporary:
            table.to_csv(temporary, index=False)
    failed = validation.failures(table, name)
    spikes = int(table["spikes"].sum())
    if len(failed):
        raise AmatError(
            f"{len(failed)} of {sets} sets fail: other spikes, or voltages that differ by more than "
            f"{validation.BOUND:g} mV from NEST's, or {validation.EXACT_BOUNDS[name]:g} mV from the exact ones. "
            "Where a column ends in _nest and is as large, the rounding is that of NEST's model, not of the "
            f"generated one.\n{failed.to_string()}"
        )
    _console.print(f"All {spikes} spikes of {sets} sets are identical to NEST's and to the exact ones.")
    worst = table[["V_m", "V_th", "V_th_v"]].to_numpy().max()
    worst_exact = table[["V_m_exact", "V_th_exact", "V_th_v_exact"]].to_numpy().max()
    _console.print(
        f"Largest deviation of a voltage: {worst:.1e} mV from NEST's, {worst_exact:.1e} mV from the exact one "
        f"(bounds: {validation.BOUND:g} and {validation.EXACT_BOUNDS[name]:g} mV)."
    )


@app.command()
def reproduce(
    cores: Annotated[int | None, typer.Option(min=1, help="Processor cores; all that may be used by default.")] = None,
    config: Annotated[Path | None, typer.Option(help="A configuration file in place of config/config.yaml.")] = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="quick: minutes. full: larger maps and more seeds, about half an hour. "
            "shipped: the pages of full, from the tables in data/full. By default what the configuration says."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done.")] = False,
) -> None:
    """Make every result, figure and page from the sources; resumes where it was stopped."""
    from amat.compendium import pipeline

    index = pipeline.reproduce(cores=cores, config=config, profile=profile, dry_run=dry_run)
    if not dry_run:
        _console.print(f"The book: {index}", soft_wrap=True)


@app.command()
def book() -> None:
    """Build the site from pages and executed notebooks, all warnings being errors."""
    from amat.compendium import pipeline

    _console.print(f"The book: {pipeline.build_book()}", soft_wrap=True)


@app.command(context_settings=_PASS_ON)
def test(context: typer.Context) -> None:
    """Run ruff, mypy and pytest; further words go to pytest."""
    root = _checkout()
    for command in (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["pytest", *context.args],
    ):
        _messages.print(f"$ {' '.join(command)}")
        status = subprocess.run([sys.executable, "-m", *command], cwd=root, check=False).returncode
        if status:
            raise typer.Exit(status)


@app.command()
def sbom(
    file: Annotated[Path, typer.Argument(help="The file to write, in CycloneDX's JSON.")] = Path("sbom.cdx.json"),
    system: Annotated[bool, typer.Option("--system", help="Debian's packages as well, not only Python's.")] = False,
) -> None:
    """List all packages of the environment with their versions and licences: a software bill of materials."""
    from amat.release.sbom import write_sbom

    _console.print(f"The software bill of materials: {write_sbom(file, system=system)}", soft_wrap=True)


@app.command()
def setup() -> None:
    """Say where everything is; the door has installed what was missing before it came here."""
    from amat.compendium.provenance import provenance_record

    _console.print_json(json.dumps(provenance_record(modules=str(_shown(paths.module_cache())))))


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show progress on standard error, where it is a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_messages, transient=True) as progress:
        yield progress


def _checkout() -> Path:
    if paths.ROOT is None:
        raise AmatError("This needs a checkout of the project: clone it, and use ./amat there.")
    return paths.ROOT


def _shown(path: Path) -> str:
    """Return a path as short as it can be for the reader."""
    return str(path.relative_to(paths.ROOT)) if paths.ROOT and path.is_relative_to(paths.ROOT) else str(path)


def main() -> None:
    """Run the command; errors that the user can mend are shown without a traceback."""
    try:
        app()
    except AmatError as error:
        _messages.print(f"amat: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
