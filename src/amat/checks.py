# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Checks of arguments, which raise `ParameterError`."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats
from amat.errors import ParameterError

__all__ = [
    "require_ascending",
    "require_count",
    "require_duration",
    "require_finite",
    "require_neurons",
    "require_positive",
]


def require_finite(name: str, value: object) -> float:
    """Return a value as a float if it is a finite number."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (OverflowError, TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(f"{name} must be a finite number, got {value!r}.")
    return number


def require_positive(name: str, values: ArrayLike, unit: str = "") -> Floats:
    """Return a number or several as an array if all are positive and finite."""
    numbers = np.asarray(values, dtype=np.float64)
    refused = numbers[~((numbers > 0) & np.isfinite(numbers))]
    if refused.size:
        raise ParameterError(f"{name} must be positive, got {refused[0]:g}{unit and ' '}{unit}.")
    return numbers


def require_duration(duration: float) -> None:
    """Check that a duration in ms is positive and finite."""
    require_positive("The duration", duration, "ms")


def require_count(what: str, count: int, least: int = 2) -> None:
    """Check that there are at least `least` of `what`."""
    if count < least:
        raise ParameterError(f"The number of {what} must be at least {least}, got {count}.")


def require_neurons(neurons: Sequence[object]) -> None:
    """Check that there is a neuron."""
    if not neurons:
        raise ParameterError("No neuron is given: give at least one, for example from amat.neurons.find_neuron.")


def require_ascending(what: str, values: ArrayLike) -> Floats:
    """Return values as an array if they are two or more in ascending order."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < 2 or not (np.diff(numbers) > 0).all():
        shown = ", ".join(f"{value:g}" for value in numbers.ravel()[:5])
        raise ParameterError(f"The {what} must be two or more in ascending order, got {shown or 'none'}.")
    return numbers
