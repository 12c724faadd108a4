# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Links that open an AMAT neuron in the explorer."""

from urllib.parse import urlencode

from amat.neurons import AmatParameters, validated_patterns
from amat.release.explorer.content import AMPLITUDES, DURATION, SLIDERS

__all__ = ["explorer_link"]

#: The pattern whose other parameters, which have no slider, the neuron takes.
_PATTERN = "tonic_spiking"


def explorer_link(parameters: AmatParameters, current: float, duration: float = 1000.0) -> tuple[str, list[str]]:
    """Return a link to the explorer's page, with the neuron under a step of current.

    The explorer has no slider for the capacitance. The current is scaled instead, so that the membrane potential above
    rest is the same.

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
        Values that are outside the sliders' ranges and were replaced by the nearest within.
    """
    base = validated_patterns()[_PATTERN].parameters
    values = {name: round(getattr(parameters, name), 6) for name in SLIDERS["amat"]}
    values["amplitude"] = round(current * base.C_m / parameters.C_m, 3)
    ranges = {**SLIDERS["amat"], "amplitude": AMPLITUDES["amat"]}
    clipped = []
    for name, (low, high, _) in ranges.items():
        if not low <= values[name] <= high:
            clipped.append(f"{name} = {values[name]:g} is outside the explorer's range from {low:g} to {high:g}")
            values[name] = min(max(values[name], low), high)
    low, high, step = DURATION
    state: dict[str, object] = {"pattern": _PATTERN, "stimulus": "step"}
    state["duration"] = f"{step * round(min(max(duration, low), high) / step):g}"
    state |= {f"amat.{name}": f"{value:g}" for name, value in values.items()}
    return f"explorer.html#{urlencode(state)}", clipped
