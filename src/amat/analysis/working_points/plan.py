# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Working points of a grid, and lengths of its simulations."""

import math
from dataclasses import dataclass

from amat.analysis.rate_models import synthetic_modulation
from amat.analysis.transfer import EPSP, InputKind
from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["BIN_WIDTH", "WINDOW", "Plan"]

#: Length of the windows of Fourier coefficients, and of bins of responses to noise, in ms.
WINDOW, BIN_WIDTH = 1000.0, 5.0


@dataclass(frozen=True)
class Plan:
    """Working points of a grid, and lengths of its simulations.

    Attributes
    ----------
    rates : tuple of float
        Firing rates of the working points, spikes/s.
    balances : tuple of float
        Backgrounds: mean inhibitory over mean excitatory drive, above 0.
    depths : tuple of float
        Factors on the intended modulation.
    inhibition : bool
        Whether inhibition is modulated, too, with the middle depth.
    epsp : float
        Peak of one EPSP and of one IPSP, mV.
    frequencies : tuple of float
        Of sinusoids, whole Hz.
    n_seeds, seed : int
        Number of independent repetitions, and the first seed.
    n_trials, n_windows : int
        Trials of a sinusoid and seed, and windows of 1 s in each.
    synthetic_trials, synthetic_duration : int, float
        Trials, an even number, and length in ms of the noise, which differs between seeds.
    n_local, local_trials, local_duration : int, int, float
        Input rates on each side of the working point, trials, and length in ms.
    warm_up : float
        ms.
    """

    rates: tuple[float, ...]
    balances: tuple[float, ...]
    depths: tuple[float, ...]
    inhibition: bool = True
    epsp: float = EPSP
    frequencies: tuple[float, ...] = (1.0, 3.0, 8.0, 20.0, 50.0, 150.0)
    n_seeds: int = 5
    seed: int = 1
    n_trials: int = 1
    n_windows: int = 4
    synthetic_trials: int = 4
    synthetic_duration: float = 4000.0
    n_local: int = 5
    local_trials: int = 2
    local_duration: float = 3000.0
    warm_up: float = 500.0

    def __post_init__(self) -> None:
        """Check the values."""
        for name, values in (("rates", self.rates), ("balances", self.balances), ("depths", self.depths)):
            if not values or len(set(values)) < len(values) or not all(0 < value < math.inf for value in values):
                raise AmatError(f"The {name} of a grid must be different positive numbers, got {list(values)}.")
        if max(self.balances) >= 1:
            raise AmatError(f"A balance must be below 1, got {max(self.balances):g}.")
        if any(f != round(f) or f < 1 for f in self.frequencies):
            raise AmatError(f"Frequencies of a grid must be whole numbers of Hz, got {list(self.frequencies)}.")
        if self.n_seeds < 2:
            raise AmatError(f"At least 2 seeds are needed for an interval, got {self.n_seeds}.")
        if self.synthetic_trials < 4 or self.synthetic_trials % 2:
            raise AmatError(f"synthetic_trials must be an even number of at least 4, got {self.synthetic_trials}.")

    @property
    def conditions(self) -> list[tuple[InputKind, float]]:
        """The modulated trains and the factors of their depth."""
        excitation: list[tuple[InputKind, float]] = [("poisson", factor) for factor in self.depths]
        if not self.inhibition:
            return excitation
        return [*excitation, ("inhibition", sorted(self.depths)[len(self.depths) // 2])]

    def course(self, repetition: int) -> Floats:
        """Return the relative modulation by noise of a repetition, counted from 0, in steps of 1 ms."""
        return synthetic_modulation(self.synthetic_duration, seed=100 * self.seed + repetition)
