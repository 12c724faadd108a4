# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat patterns`` and ``amat simulate``: the 20 firing patterns."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from amat.errors import AmatError

_console = Console()


class PatternModel(StrEnum):
    """The models that have patterns."""

    amat = "amat"
    izhikevich = "izhikevich"


class ParameterSet(StrEnum):
    """AMAT's parameters."""

    validated = "validated"
    printed_10 = "printed-10"
    printed_5 = "printed-5"


_Resolution = Annotated[
    float, typer.Option(help="AMAT's time step in ms; Izhikevich's is that of each published pattern.")
]


def patterns(
    resolution: _Resolution = 0.1,
    output: Annotated[
        Path | None, typer.Option(help="Write patterns.csv and patterns.svg, all patterns of both models, here.")
    ] = None,
) -> None:
    """Judge the 20 firing patterns of AMAT and Izhikevich, each by its criterion."""
    from amat.analysis.patterns import CRITERIA
    from amat.analysis.patterns.verdicts import SETS, table_of_verdicts
    from amat.files import check_writable, replacing

    if output:
        check_writable(output)
    table, responses = table_of_verdicts(resolution=resolution)
    shown = Table("pattern", *SETS, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    passed = table.pivot_table(index="pattern", columns="set", values="passed", aggfunc="first")
    for name in CRITERIA:
        shown.add_row(name, *("[green]yes[/]" if passed.loc[name, label] else "[red]no[/]" for label in SETS))
    shown.add_row("patterns shown", *(str(int(passed[label].sum())) for label in SETS), end_section=True)
    _console.print(shown)
    if output:
        from amat.analysis.patterns.figures import plot_pairs
        from amat.compendium import plots

        with replacing(output / "patterns.csv") as file:
            table.to_csv(file, index=False)
        plots.use_style()
        amat, *_, izhikevich = responses.values()
        plots.save(plot_pairs(amat, izhikevich), output / "patterns.svg")
        _console.print(f"Verdicts with their reasons and the figure are in {output}.", soft_wrap=True)
    missing = [name for name in CRITERIA if not passed.loc[name, "AMAT, validated"]]
    if missing:
        raise AmatError(
            f"The validated parameters do not show {', '.join(missing)} with a time step of {resolution:g} ms: "
            "bursts at the refractory limit, and windows of a few percent, depend on it."
        )


def simulate(
    pattern: Annotated[str, typer.Option(help="Its name, as `amat patterns` lists it.")],
    model: Annotated[PatternModel, typer.Option(help="The neuron.")] = PatternModel.amat,
    parameters: Annotated[
        ParameterSet, typer.Option("--set", help="AMAT's parameters: validated, or as printed by Yamauchi et al.")
    ] = ParameterSet.validated,
    resolution: _Resolution = 0.1,
    plot: Annotated[Path | None, typer.Option(help="Draw it into this file; the ending gives the format.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write current, potentials and spikes of every step here.")] = None,
) -> None:
    """Simulate one of the 20 firing patterns, and say whether it is one."""
    from amat.analysis.patterns import CRITERIA, find_trial, run_trials
    from amat.analysis.patterns.verdicts import table_of_traces
    from amat.files import check_writable, replacing

    trial = find_trial(pattern, model.value, parameters.value, resolution)
    for path in (plot, csv):
        if path:
            check_writable(path.absolute().parent)
    if plot:
        from matplotlib.backend_bases import FigureCanvasBase

        known = FigureCanvasBase.get_supported_filetypes()
        if plot.suffix.removeprefix(".") not in known:
            raise AmatError(f"{plot}: a figure cannot be written as {plot.suffix!r}; choose one of {', '.join(known)}.")
    (response,) = run_trials([trial])
    verdict = CRITERIA[pattern].decide(response)
    _console.print(f"{pattern}, {model.value}: {len(response.spikes)} spikes", soft_wrap=True)
    if len(response.spikes):
        times = " ".join(f"{time:g}" for time in response.spikes[:20].round(6))
        _console.print(f"at {times}{' ...' if len(response.spikes) > 20 else ''} ms", soft_wrap=True)
    _console.print(f"Criterion: {CRITERIA[pattern].statement}", soft_wrap=True)
    _console.print(f"{'Met' if verdict.passed else 'Not met'}: {verdict.reason}.", soft_wrap=True)
    if csv:
        with replacing(csv) as file:
            table_of_traces(response).to_csv(file, index=False, float_format="%.12g")
    if plot:
        from amat.analysis.patterns.figures import plot_response
        from amat.compendium import plots

        plots.use_style()
        plots.save(plot_response(response), plot)
