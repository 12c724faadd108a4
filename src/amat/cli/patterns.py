# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat patterns``: check the 20 firing patterns."""

from pathlib import Path
from typing import Annotated

import typer

from amat.cli.common import FigureFormat, console, make_table, prepare_outputs, refuse_without, report
from amat.errors import AmatError
from amat.files import write_text

__all__ = ["patterns"]


def patterns(
    resolution: Annotated[
        float, typer.Option(help="Time step in ms of AMAT. Izhikevich's patterns keep their own time steps.")
    ] = 0.1,
    output: Annotated[Path | None, typer.Option(help="Output folder for patterns.csv and a figure.")] = None,
    format: FigureFormat = None,
) -> None:
    """Check the 20 firing patterns of AMAT and of Izhikevich's model, each against its criterion."""
    from amat.analysis.patterns import CRITERIA
    from amat.analysis.patterns.verdicts import table_of_verdicts
    from amat.simulation.kernel import check_time_step

    published = ["AMAT, validated", "Izhikevich, as published"]
    check_time_step(resolution)
    if not output:
        refuse_without("--output", format=format)
    figure = output and output / f"patterns.{format or 'svg'}"
    prepare_outputs(output and output / "patterns.csv", figures=[figure])
    table, responses = table_of_verdicts(resolution=resolution)
    shown = make_table("pattern", *responses)
    passed = table.pivot_table(index="pattern", columns="set", values="passed", aggfunc="first")
    for name in CRITERIA:
        cells: dict[object, str] = {True: "[green]yes[/]", False: "[red]no[/]"}
        shown.add_row(name, *(cells.get(passed.loc[name, label], "") for label in responses))
    shown.add_row("patterns shown", *(str(int(passed[label].sum())) for label in responses), end_section=True)
    console.print(shown)
    if output and figure:
        from amat.analysis.patterns.figures import plot_pairs
        from amat.compendium import plots

        write_text(output / "patterns.csv", table.to_csv(index=False))
        plots.use_style()
        plots.save(plot_pairs(*(responses[label] for label in published)), figure)
        report(f"The verdicts with their reasons and the figure are in {output}.")
    missing = [name for name in CRITERIA if not passed.loc[name, published].all()]
    if missing:
        raise AmatError(
            f"With a time step of {resolution:g} ms the validated parameters do not show {', '.join(missing)}. "
            "Choose a step of 0.1 ms or less: some patterns exist only within a few percent of their parameters, "
            "and bursts at the refractory limit depend on the step."
        )
