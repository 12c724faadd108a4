# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat explore``: maps of AMAT's parameter space, and sensitivity to its parameters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from amat.files import write_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from amat.analysis.explore import Axis

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
        str, typer.Option(help="Firing pattern whose validated neuron is used.", rich_help_panel="Neuron")
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
    from amat.analysis.sensitivity import sensitivity
    from amat.compendium import plots
    from amat.neurons import validated_patterns

    values = parse_settings(settings)
    pairs = _read_axes(axes, values, None if samples else seed)
    base = validated_patterns()[pattern].parameters.replace(**{"I_e": 150.0} | values)
    seed = 1 if seed is None else seed
    suffix = format or "svg"
    names = [f"{horizontal.name}_{vertical.name}" for horizontal, vertical in pairs] + ["sensitivity"] * bool(samples)
    cores = threads or len(os.sched_getaffinity(0))
    _check_cost(pairs, samples, duration, resolution, cores)
    prepare_outputs(
        *(output / f"{name}.csv" for name in names), figures=[output / f"{name}.{suffix}" for name in names]
    )
    plots.use_style()
    for horizontal, vertical in pairs:
        name = f"{horizontal.name}_{vertical.name}"
        note(f"{name}: {horizontal.points * vertical.points} neurons")
        table = exploration.explore(horizontal, vertical, base, duration=duration, resolution=resolution, threads=cores)
        _write(table, plot_map(table, horizontal, vertical), output / name, suffix)
        kinds = table["kind"].value_counts(normalize=True)
        report(f"{name}: " + ", ".join(f"{100 * part:.0f} % {kind}" for kind, part in kinds.items()))
    if samples:
        indices = sensitivity(base, samples=samples, duration=duration, resolution=resolution, seed=seed, threads=cores)
        _write(indices, plot_sensitivity(indices), output / "sensitivity", suffix)
    report(f"Tables and figures are in {output}.")


def _write(table: pd.DataFrame, figure: Figure, stem: Path, suffix: str) -> None:
    """Write a table and its figure."""
    from amat.compendium import plots

    write_text(Path(f"{stem}.csv"), table.to_csv(index=False, float_format="%.6g"))
    plots.save(figure, f"{stem}.{suffix}")


def _read_axes(axes: list[str] | None, values: dict[str, float], unused_seed: int | None) -> list[tuple[Axis, Axis]]:
    """Return the axes of each map; refuse those of parameters that are set, and a seed without effect."""
    from amat.analysis import explore as exploration

    refuse_without("--samples", seed=unused_seed)
    if axes and len(axes) != 2:
        raise AmatError(f"Expected two axes or none, got {len(axes)}. Without axes the maps of the book are computed.")
    pairs = [(exploration.parse_axis(a), exploration.parse_axis(b)) for a, b in ([axes] if axes else exploration.MAPS)]
    if axes and (varied := {axis.name for axis in pairs[0]}.intersection(values)):
        raise AmatError(f"--set {varied.pop()} has no effect: an axis varies it. Leave one of the two out.")
    return pairs


def _check_cost(pairs: list[tuple[Axis, Axis]], samples: int, duration: float, resolution: float, cores: int) -> None:
    """Refuse maps that are too large, and times that NEST cannot simulate."""
    from amat.analysis.sensitivity import RANGES
    from amat.simulation.kernel import check_time_step
    from amat.simulation.stimuli import count_steps

    check_time_step(resolution)
    steps = count_steps(duration, resolution)
    counts = [horizontal.points * vertical.points for horizontal, vertical in pairs]
    counts.append(samples * (2 * len(RANGES) + 2))
    announce_cost(
        f"A map of {max(counts):.3g} neurons over {duration:g} ms",
        seconds=sum(counts) * (5e-4 + 1e-7 * steps / cores),
        memory=max(counts) * (2e4 + 60 * duration),
    )
