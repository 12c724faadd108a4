# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Links that open an AMAT neuron in the explorer."""

import math
from urllib.parse import urlencode

from amat.neurons import AmatParameters, validated_patterns
from amat.release.explorer.content import AMPLITUDES, BEYOND, DURATION, SLIDERS

__all__ = ["explorer_link"]

#: The pattern that the page shows at first. Parameters that differ from its neuron are in the link.
_PATTERN = "tonic_spiking"


def explorer_link(parameters: AmatParameters, current: float, duration: float = 1000.0) -> tuple[str, list[str]]:
    """Return a link to the explorer's page, with the neuron under a step of current.

    Parameters
    ----------
    parameters : AmatParameters
    current : float
        Amplitude of the step in pA.
    duration : float
        In ms.

    Returns
    -------
    link : str
        Relative to the folder of the book's pages.
    clipped : list of str
        Values that the explorer refuses and that were replaced by the nearest that it accepts.
    """
    base = validated_patterns()[_PATTERN].parameters.to_nestml()
    found = {**parameters.to_nestml(), "amplitude": current}
    ranges = {name: _accepted(*limits) for name, limits in SLIDERS["amat"].items()}
    ranges["amplitude"] = AMPLITUDES["amat"][:2]
    values, clipped = {}, []
    for name, value in found.items():
        low, high = ranges.get(name, (-math.inf, math.inf))
        if not low <= value <= high:
            clipped.append(f"{name} = {value:g} is outside the explorer's range from {low:g} to {high:g}")
        if name in ranges or value != base[name]:
            values[name] = min(max(value, low), high)
    low, high, step = DURATION
    state: dict[str, object] = {"pattern": _PATTERN, "stimulus": "step"}
    state["duration"] = f"{step * round(min(max(duration, low), high) / step):g}"
    state |= {f"amat.{name}": f"{value:.9g}" for name, value in values.items()}
    return f"explorer.html#{urlencode(state)}", clipped


def _accepted(low: float, high: float, step: float) -> tuple[float, float]:
    """Return the range that the explorer accepts for a parameter with a slider. Time constants remain positive."""
    return (-BEYOND * high if low < 0 else step), BEYOND * high
