# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Arguments that the measurements share, refused before anything is simulated."""

import math
from collections.abc import Sequence

from amat.analysis.patterns import Trial
from amat.errors import AmatError

__all__ = ["require_count", "require_duration", "require_trials"]


def require_trials(trials: Sequence[Trial]) -> None:
    """Refuse a measurement without neurons."""
    if not trials:
        raise AmatError("There is no neuron: give one at least, for example of representative_trials().")


def require_count(what: str, count: int, least: int = 2) -> None:
    """Refuse a number of things that is too small; `what` says what they are."""
    if count < least:
        raise AmatError(f"{count} {what}: choose {least} at least.")


def require_duration(duration: float) -> None:
    """Refuse a duration in ms that is not positive and finite."""
    if not 0 < duration < math.inf:
        raise AmatError(f"A duration of {duration:g} ms: choose a positive one.")
