# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Targets for the optimised builds, relative to NEST's built-in models."""

from dataclasses import dataclass
from typing import Any

__all__ = ["TARGETS", "Target", "find_target"]


@dataclass(frozen=True)
class Target:
    """A bound on a median of ratios. A condition that is None is not required.

    Attributes
    ----------
    quantity : {"time", "network", "memory", "own memory", "brian2"}
        Time of an update or of a network, memory of a neuron with or without kernel overhead, as ratios of the
        optimised build to NEST's built-in model; for "brian2" the ratio of Brian2's time to the optimised build's.
    bound : float
        Largest ratio; for "brian2" the smallest.
    family : str
    driven : bool, optional
        With dense input, or without.
    delay : float, optional
        Minimal delay in ms.
    different : bool, optional
        Whether parameters differ from neuron to neuron. Different time constants have no target.
    random_phases : bool, optional
    neurons : int, optional
    """

    quantity: str
    bound: float
    family: str
    driven: bool | None = None
    delay: float | None = None
    different: bool | None = None
    random_phases: bool | None = None
    neurons: int | None = None

    def is_met(self, ratio: float) -> bool:
        """Return whether a ratio is within the bound."""
        return ratio >= self.bound if self.quantity == "brian2" else ratio <= self.bound

    def __str__(self) -> str:
        """Return the bound as tables show it."""
        return f"{'≥' if self.quantity == 'brian2' else '≤'} {self.bound:.2f}"


TARGETS = (
    Target("time", 0.12, "amat", driven=False, delay=1.5, different=False),
    Target("time", 0.20, "amat", driven=False, delay=1.5, different=True, random_phases=True),
    Target("time", 0.50, "amat", driven=False, delay=0.1),
    Target("time", 0.60, "amat", driven=True),
    Target("memory", 0.62, "amat", driven=False),
    Target("memory", 0.70, "amat", driven=True),
    Target("own memory", 0.15, "amat", driven=False),
    Target("own memory", 0.35, "amat", driven=True),
    Target("network", 0.80, "amat", neurons=2000),
    Target("network", 0.60, "amat", neurons=10000),
    Target("brian2", 2.00, "amat", driven=False, delay=1.5, different=False, random_phases=False),
    Target("time", 0.70, "iaf_psc_exp"),
    Target("memory", 0.80, "iaf_psc_exp"),
    Target("time", 0.70, "iaf_psc_alpha"),
    Target("memory", 0.80, "iaf_psc_alpha"),
    Target("time", 1.30, "izhikevich"),
    Target("memory", 0.70, "izhikevich"),
)


def find_target(quantity: str, **conditions: Any) -> Target | None:
    """Return the target of a quantity under the given conditions, or None if there is none.

    Parameters
    ----------
    quantity : str
        As in `Target`.
    **conditions
        Values of `Target`'s other attributes. A target that requires a condition that is not given does not apply.
    """
    names = ("family", "driven", "delay", "different", "random_phases", "neurons")
    for target in TARGETS:
        required = {name: getattr(target, name) for name in names if getattr(target, name) is not None}
        if target.quantity == quantity and all(conditions.get(name) == value for name, value in required.items()):
            return target
    return None
