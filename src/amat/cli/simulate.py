# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat simulate``: one neuron under any current."""

from pathlib import Path
from typing import Annotated

import typer

from amat.cli.common import Resolution, report
from amat.errors import AmatError
from amat.files import check_writable, replacing
from amat.neurons.neuron import ModelName
from amat.neurons.published import SetName

__all__ = ["simulate"]


def simulate(
    pattern: Annotated[str, typer.Option(help="Firing pattern.")],
    model: Annotated[ModelName, typer.Option(help="Neuron model.")] = "amat",
    parameters: Annotated[
        SetName,
        typer.Option("--parameter-set", help="Published parameter set of AMAT."),
    ] = "validated",
    resolution: Resolution = 0.1,
    plot: Annotated[Path | None, typer.Option(help="Figure file to write. Its suffix selects the format.")] = None,
    csv: Annotated[Path | None, typer.Option(help="CSV file to write, with one row per step.")] = None,
) -> None:
    """Simulate one of the 20 firing patterns, and say whether it is one."""
    from amat.analysis.patterns import CRITERIA, find_trial, run_trials
    from amat.analysis.patterns.verdicts import table_of_traces

    trial = find_trial(pattern, model, parameters, resolution)
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
    report(f"{pattern}, {model}: {len(response.spikes)} spikes")
    if len(response.spikes):
        times = " ".join(f"{time:g}" for time in response.spikes[:20].round(6))
        report(f"at {times}{' ...' if len(response.spikes) > 20 else ''} ms")
    report(f"Criterion: {CRITERIA[pattern].statement}")
    report(f"{'Met' if verdict.passed else 'Not met'}: {verdict.reason}.")
    if csv:
        with replacing(csv) as file:
            table_of_traces(response).to_csv(file, index=False, float_format="%.12g")
    if plot:
        from amat.analysis.patterns.figures import plot_response
        from amat.compendium import plots

        plots.use_style()
        plots.save(plot_response(response), plot)
