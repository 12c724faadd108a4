# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Options of ``amat fit``."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

_DATA = "Recording"
_SCALE = "Scale of voltages: from a recorded membrane potential, or stated"
_FIT = "Fit and output"


def _option(panel: str, name: str, text: str, **settings: Any) -> Any:
    return typer.Option(name, help=text, rich_help_panel=panel, **settings)


File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="Recording: CSV or NPZ with current_pA, spikes_ms and voltage_mV, or what neo reads (ABF, NWB, ...).",
    ),
]
Example = Annotated[
    bool, _option(_DATA, "--example", "Fit a synthetic recording, and print recovered and true parameters.")
]
SamplingInterval = Annotated[
    float | None, _option(_DATA, "--sampling-interval", "Sampling interval in ms. Needed for CSV and NPZ.")
]
CurrentUnit = Annotated[
    Literal["pA", "nA", "uA", "A"] | None,
    _option(_DATA, "--current-unit", "Unit of currents without one in the name."),
]
VoltageUnit = Annotated[
    Literal["mV", "V", "uV"] | None, _option(_DATA, "--voltage-unit", "Unit of potentials without one in the name.")
]
TimeUnit = Annotated[
    Literal["ms", "s", "us"] | None, _option(_DATA, "--time-unit", "Unit of spike times without one in the name.")
]
SpikeTimes = Annotated[
    Path | None,
    _option(_DATA, "--spike-times", "CSV file of spike times: repeat (from 1) and time, or the time.", metavar="FILE"),
]
SpikeThreshold = Annotated[
    float | None,
    _option(_DATA, "--spike-threshold", "Potential in mV that marks spikes if no times are given. Default: 0."),
]
MembraneResistance = Annotated[float | None, _option(_SCALE, "--membrane-resistance", "Membrane resistance in MOhm.")]
Rest = Annotated[
    float | None, _option(_SCALE, "--rest", "Resting potential in mV, with --membrane-resistance. Default: -70.")
]
RefractoryTime = Annotated[
    float | None, _option(_FIT, "--refractory-time", "Absolute refractory time in ms. Default: estimated.")
]
Delay = Annotated[
    float | None, _option(_FIT, "--delay", "Delay of the spikes after the current in ms. Default: estimated.")
]
FastTimeConstant = Annotated[float, _option(_FIT, "--tau-1", "Fast time constant of the threshold in ms.")]
SlowTimeConstant = Annotated[float, _option(_FIT, "--tau-2", "Slow time constant of the threshold in ms.")]
Free = Annotated[
    list[str] | None,
    _option(_FIT, "--free", "Fit tau_1 or tau_2 in addition to tau_m and tau_v. Repeatable.", metavar="NAME"),
]
Train = Annotated[
    float,
    _option(_FIT, "--train", "First part of the recording, to fit to; the rest is predicted.", show_default="2/3"),
]
InitialTransient = Annotated[float, _option(_FIT, "--burn-in", "Start of the recording that is left out, in ms.")]
Windows = Annotated[
    list[float] | None,
    _option(_FIT, "--window", "Largest distance of coincident spikes. Repeatable. Default: 2 and 4.", metavar="MS"),
]
Folder = Annotated[Path, typer.Option("--output", help="Output folder for results, script and figures.")]
