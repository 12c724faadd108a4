# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""One style for every figure, and one colour a model throughout."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from amat.files import replacing

__all__ = ["MODEL_COLOURS", "MODEL_LABELS", "REFERENCE_COLOUR", "THRESHOLD_COLOUR", "save", "use_style"]

_PALETTE = sns.color_palette("colorblind").as_hex()

#: A colour for each model by its name in NEST; the palette can be told apart by the colour-blind.
MODEL_COLOURS = {
    "amat2_psc_exp_neuron_nestml": _PALETTE[0],
    "amat2_psc_exp_neuron_opt": _PALETTE[0],
    "amat2_psc_exp": _PALETTE[9],
    "izhikevich": _PALETTE[1],
    "izhikevich_neuron_nestml": _PALETTE[3],
    "izhikevich_neuron_nestml_euler": _PALETTE[5],
    "izhikevich_2004_neuron_nestml": _PALETTE[1],
    "mat2_psc_exp": _PALETTE[2],
    "mat2_psc_exp_neuron_nestml": _PALETTE[4],
    "iaf_psc_exp_neuron_nestml": _PALETTE[7],
}

#: What a model is called in a figure.
MODEL_LABELS = {
    "amat2_psc_exp_neuron_nestml": "AMAT (NESTML)",
    "amat2_psc_exp_neuron_opt": "AMAT",
    "amat2_psc_exp": "AMAT (NEST)",
    "izhikevich": "Izhikevich (NEST)",
    "izhikevich_neuron_nestml": "Izhikevich (NESTML, Runge-Kutta)",
    "izhikevich_neuron_nestml_euler": "Izhikevich (NESTML, Euler)",
    "izhikevich_2004_neuron_nestml": "Izhikevich",
    "mat2_psc_exp": "MAT (NEST)",
    "mat2_psc_exp_neuron_nestml": "MAT (NESTML's library)",
    "iaf_psc_exp_neuron_nestml": "leaky integrate-and-fire (NESTML's library)",
}

#: Thresholds, and exact solutions.
THRESHOLD_COLOUR = _PALETTE[3]
REFERENCE_COLOUR = "0.35"


def use_style() -> None:
    """Set the style of all figures that follow; call it once, at a notebook's start."""
    sns.set_theme(context="notebook", style="ticks", palette="colorblind")
    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 4.2),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "lines.linewidth": 1.5,
            "svg.fonttype": "none",
            # Without these the same figure would differ from run to run.
            "svg.hashsalt": "amat",
            "savefig.bbox": "tight",
        }
    )


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure, whole and without a date; the ending gives the format.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or pathlib.Path
        Its folder is made if it is missing.
    """
    path = Path(path)
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with _settled(figure), replacing(path) as temporary:
        figure.savefig(temporary, metadata=metadata)


@contextmanager
def _settled(figure: Figure) -> Iterator[None]:
    """Lay a figure out, and round where its axes lie, as long as the block lasts.

    The solver of the layout goes through addresses in memory, so that the last digits of places differ from run to run,
    and with them the identifiers in an SVG file.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6))
        axes.set_in_layout(True)  # which setting a position takes away
    try:
        yield
    finally:
        figure.set_layout_engine(engine)
