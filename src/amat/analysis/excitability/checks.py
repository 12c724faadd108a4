# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Checks of arguments that the measurements share."""

import math
from collections.abc import Sequence

from amat.errors import AmatError
from amat.neurons import Neuron

__all__ = ["require_count", "require_duration", "require_neurons"]


def require_neurons(neurons: Sequence[Neuron]) -> None:
    """Raise `AmatError` if there is no neuron."""
    if not neurons:
        raise AmatError("No neuron is given: give at least one, for example from representative_neurons().")


def require_count(what: str, count: int, least: int = 2) -> None:
    """Raise `AmatError` if there are fewer than `least` of `what`."""
    if count < least:
        raise AmatError(f"At least {least} {what} are needed, got {count}.")


def require_duration(duration: float) -> None:
    """Raise `AmatError` if a duration in ms is not positive and finite."""
    if not 0 < duration < math.inf:
        raise AmatError(f"The duration must be positive and finite, got {duration:g} ms.")
