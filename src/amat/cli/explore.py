# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat explore``: maps of AMAT's parameter space, and sensitivity to its parameters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from amat.cli.common import (
    FigureFormat,
    OptionalSeed,
    ParameterSettings,
    announce_cost,
    check_threads,
    note,
    parse_settings,
    prepare_outputs,
    refuse_without,
    report,
)
from amat.errors import AmatError
from amat.files import atomic_write

__all__ = ["explore"]


def explore(
    axes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=START:STOP:POINTS",
            help="Two parameters with their ranges, such as alpha_1=-2:20:100. Default: the maps of the book.",
        ),
    ] = None,
    pattern: Annotated[
        str, typer.Option(help="Firing pattern: its validated neuron.", rich_help_panel="Neuron")
    ] = "tonic_spiking",
    settings: ParameterSettings = None,
    duration: Annotated[float, typer.Option(help="Duration of a simulation in ms.")] = 1000.0,
    resolution: Annotated[float, typer.Option(help="Time step in ms.")] = 0.1,
    samples: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of random parameter sets, a power of two, from which to compute Sobol indices of the rate "
            "and the CV of inter-spike intervals. With 0 they are not computed.",
        ),
    ] = 0,
    seed: OptionalSeed = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Number of NEST's threads. Default: all cores.", callback=check_threads),
    ] = None,
    output: Annotated[Path, typer.Option(help="Output folder for tables and figures.")] = Path("amat-explore"),
    format: FigureFormat = None,
) -> None:
    """Map AMAT's firing over two parameters, under a constant current (I_e, 150 pA unless set)."""
    from amat.analysis import explore as exploration
    from amat.analysis.explore_figures import plot_map, plot_sensitivity
    from amat.compendium import plots
    from amat.neurons import validated_patterns
    from amat.simulation.kernel import check_time_step
    from amat.simulation.stimuli import count_steps

    check_time_step(resolution)
    count_steps(duration, resolution)
    if axes and len(axes) != 2:
        raise AmatError(f"Expected two axes or none, got {len(axes)}. Without axes the maps of the book are computed.")
    pairs = [tuple(map(exploration.parse_axis, pair)) for pair in ([axes] if axes else exploration.MAPS)]
    values = parse_settings(settings)
    if axes and (varied := {axis.name for axis in pairs[0]}.intersection(values)):
        raise AmatError(f"--set {varied.pop()} has no effect: an axis varies it. Leave one of the two out.")
    base = validated_patterns()[pattern].parameters.replace(**{"I_e": 150.0} | values)
    if not samples:
        refuse_without("--samples", seed=seed)
    suffix = format or "svg"
    names = [f"{horizontal.name}_{vertical.name}" for horizontal, vertical in pairs] + ["sensitivity"] * bool(samples)
    cores = threads or len(os.sched_getaffinity(0))
    counts = [horizontal.points * vertical.points for horizontal, vertical in pairs]
    counts.append(samples * (2 * len(exploration.RANGES) + 2))
    steps = sum(counts) * duration / resolution
    announce_cost(
        f"A map of {max(counts):.3g} neurons over {duration:g} ms",
        seconds=5e-4 * sum(counts) + 1e-7 * steps / cores,
        memory=max(counts) * (2e4 + 60 * duration),
    )
    prepare_outputs(
        *(output / f"{name}.csv" for name in names), figures=[output / f"{name}.{suffix}" for name in names]
    )
    plots.use_style()
    for horizontal, vertical in pairs:
        name = f"{horizontal.name}_{vertical.name}"
        note(f"{name}: {horizontal.points * vertical.points} neurons")
        table = exploration.explore(horizontal, vertical, base, duration=duration, resolution=resolution, threads=cores)
        with atomic_write(output / f"{name}.csv") as file:
            table.to_csv(file, index=False, float_format="%.6g")
        plots.save(plot_map(table, horizontal, vertical), output / f"{name}.{suffix}")
        kinds = table["kind"].value_counts(normalize=True)
        report(f"{name}: " + ", ".join(f"{100 * part:.0f} % {kind}" for kind, part in kinds.items()))
    if samples:
        indices = exploration.sensitivity(
            base,
            samples=samples,
            duration=duration,
            resolution=resolution,
            seed=1 if seed is None else seed,
            threads=cores,
        )
        with atomic_write(output / "sensitivity.csv") as file:
            indices.to_csv(file, index=False, float_format="%.6g")
        plots.save(plot_sensitivity(indices), output / f"sensitivity.{suffix}")
    report(f"Tables and figures are in {output}.")
