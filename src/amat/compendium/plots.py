# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Style of all figures, and colours and labels of the models."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from amat.errors import AmatError
from amat.files import atomic_write

__all__ = ["MODEL_COLOURS", "MODEL_LABELS", "REFERENCE_COLOUR", "THRESHOLD_COLOUR", "check_format", "save", "use_style"]

_PALETTE = sns.color_palette("colorblind").as_hex()

#: Colours of the models by their names in NEST, from a palette that colour-blind readers can distinguish.
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

#: Labels of the models in figures, by their names in NEST.
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

#: Colours of thresholds and of exact solutions.
THRESHOLD_COLOUR = _PALETTE[3]
REFERENCE_COLOUR = "0.35"


def use_style() -> None:
    """Set the style of all later figures; call it once at the start of a notebook."""
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
            # Fixed identifiers make the same figure the same file in every run.
            "svg.hashsalt": "amat",
            "savefig.bbox": "tight",
        }
    )


def check_format(path: Path) -> None:
    """Raise `AmatError` if a file's suffix is not a format of figures."""
    known = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in known:
        raise AmatError(f"{path}: figures cannot be written as {path.suffix!r}. Choose one of {', '.join(known)}.")


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure atomically, without a date; the file's ending gives the format.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or pathlib.Path
        A missing folder is created.
    """
    path = Path(path)
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    with _fixed_layout(figure), atomic_write(path) as temporary:
        figure.savefig(temporary, metadata=metadata)


@contextmanager
def _fixed_layout(figure: Figure) -> Iterator[None]:
    """Compute a figure's layout and round the positions of its axes, for the duration of the block.

    The layout's solver depends on memory addresses. The last digits of positions therefore differ from run to run, and
    so would the identifiers in an SVG file.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 6))
        axes.set_in_layout(True)  # set_position resets it
    try:
        yield
    finally:
        figure.set_layout_engine(engine)
