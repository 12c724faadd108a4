# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat explore``: maps of AMAT's parameter space, and the sensitivity to its parameters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from amat.errors import AmatError

_console = Console()
_messages = Console(stderr=True)


def explore(
    axes: Annotated[
        list[str] | None,
        typer.Argument(
            help="Two parameters with their ranges, NAME=START:STOP:POINTS, as alpha_1=-2:20:100; without any, the "
            "maps of the book."
        ),
    ] = None,
    pattern: Annotated[
        str, typer.Option(help="The validated firing pattern whose neuron has all other parameters.")
    ] = "tonic_spiking",
    current: Annotated[float, typer.Option("--current", help="The constant current in pA, from time zero on.")] = 150.0,
    duration: Annotated[float, typer.Option(help="Of each neuron's simulation, in ms.")] = 1000.0,
    resolution: Annotated[float, typer.Option(help="The time step in ms.")] = 0.1,
    sensitivity: Annotated[
        int, typer.Option(help="Also Sobol's indices of rate and CV from this many samples, a power of two.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the samples.")] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="NEST's threads; as many as cores may be used by default.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder for tables and figures.")] = Path("amat-explore"),
) -> None:
    """Map what AMAT does over two parameters, all neurons in one run of NEST."""
    from amat.analysis.explore import MAPS, parse_axis
    from amat.analysis.explore import explore as explore_grid
    from amat.analysis.explore import sensitivity as find_sensitivity
    from amat.analysis.explore_figures import plot_map, plot_sensitivity
    from amat.compendium import plots
    from amat.files import check_writable, replacing
    from amat.neurons import validated_patterns

    if axes and len(axes) != 2:
        raise AmatError(f"{len(axes)} axes: name two parameters, or none for the maps of the book.")
    pairs = [(parse_axis(a), parse_axis(b)) for a, b in ([(axes[0], axes[1])] if axes else MAPS)]
    base = validated_patterns()[pattern].parameters.replace(I_e=current)
    check_writable(output)
    cores = threads or len(os.sched_getaffinity(0))
    plots.use_style()
    for horizontal, vertical in pairs:
        name = f"{horizontal.name}_{vertical.name}"
        _messages.print(f"{name}: {horizontal.points * vertical.points} neurons")
        table = explore_grid(horizontal, vertical, base, duration=duration, resolution=resolution, threads=cores)
        with replacing(output / f"{name}.csv") as file:
            table.to_csv(file, index=False, float_format="%.6g")
        plots.save(plot_map(table, horizontal, vertical), output / f"{name}.svg")
        kinds = table["kind"].value_counts(normalize=True)
        _console.print(f"{name}: " + ", ".join(f"{100 * part:.0f} % {kind}" for kind, part in kinds.items()))
    if sensitivity:
        found = find_sensitivity(
            base, samples=sensitivity, duration=duration, resolution=resolution, seed=seed, threads=cores
        )
        with replacing(output / "sensitivity.csv") as file:
            found.to_csv(file, index=False, float_format="%.6g")
        plots.save(plot_sensitivity(found), output / "sensitivity.svg")
    _console.print(f"Tables and figures are in {output}.", soft_wrap=True)
