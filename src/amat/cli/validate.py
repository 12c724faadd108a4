# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat validate``: compare AMAT with NEST's model and with the exact solution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from amat import toolchain
from amat.cli.common import Seed, Threads, announce_cost, console, prepare_outputs, show_progress
from amat.errors import AmatError
from amat.files import write_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["validate"]


def validate(
    samples: Annotated[int, typer.Option(min=1, help="Number of random parameter sets.")] = 200,
    seed: Seed = 1,
    threads: Threads = 2,
    codegen: Annotated[toolchain.Codegen, typer.Option(help="Code generator.")] = "nestml-checked",
    csv: Annotated[
        Path | None, typer.Option(help="CSV file to write, with one row per parameter set; - is standard output.")
    ] = None,
) -> None:
    """Compare AMAT with NEST's amat2_psc_exp and with the exact solution, for random parameters and stimuli."""
    from amat.analysis import validation

    prepare_outputs(csv)
    announce_cost(f"A comparison of {samples:.3g} parameter sets", seconds=0.06 * samples, memory=2e3 * samples)
    name = toolchain.find_model("amat2_psc_exp_neuron", codegen).name
    toolchain.build(name)
    with show_progress("parameter sets", samples) as progress:
        table = validation.validate(samples, seed, model=name, threads=threads, progress=progress)
    console.print(_summary(validation.summarise(table), f"{name} and {validation.NEST_MODEL}"))
    if csv:
        write_text(csv, table.to_csv(index=False))
    bound, exact_bound = validation.BOUND, validation.EXACT_BOUNDS[name]
    failed = validation.failures(table, name)
    if len(failed):
        raise AmatError(
            f"{len(failed)} of {samples} parameter sets failed: their spikes differ, or a voltage deviates by more "
            f"than {bound:g} mV from NEST's model or by more than {exact_bound:g} mV from the exact solution. Where a "
            "column that ends in _nest is as large, the rounding error is that of NEST's model.\n"
            f"{failed.to_string()}"
        )
    console.print(
        f"All {table['spikes'].sum()} spikes of {samples} sets are identical to NEST's and to the exact ones."
    )
    worst = table[["V_m", "V_th", "V_th_v"]].to_numpy().max()
    worst_exact = table[["V_m_exact", "V_th_exact", "V_th_v_exact"]].to_numpy().max()
    console.print(
        f"Largest deviation of a voltage: {worst:.1e} mV from NEST's model, {worst_exact:.1e} mV from the exact "
        f"solution (bounds: {bound:g} and {exact_bound:g} mV)."
    )


def _summary(summary: pd.DataFrame, title: str) -> Table:
    """Return the largest deviations as a table for the terminal."""
    shown = Table(
        *("input", "h/ms", "sets", "spikes", "differ", "ΔV_m", "ΔV_th", "ΔV_th_v", "ours", "NEST's"),
        title=title,
        caption="differ: sets with other spikes; Δ: largest deviations between the two models in mV; "
        "ours, NEST's: largest deviations from the exact solution in mV",
        box=box.SIMPLE_HEAD,
        padding=0,  # keeps the table within 80 columns
    )
    for row in summary.reset_index().to_dict("records"):
        shown.add_row(
            row["protocol"],
            f"{row['resolution']:g}",
            f"{row['sets']:.0f}",
            f"{row['spikes']:.0f}",
            f"{row['faulty']:.0f}",
            *(f"{row[name]:.1e}" for name in ("V_m", "V_th", "V_th_v")),
            *(f"{max(row['V_m' + side], row['V_th' + side]):.1e}" for side in ("_exact", "_nest")),
        )
    return shown
