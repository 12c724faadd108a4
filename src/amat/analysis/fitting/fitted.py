# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A model that was fitted to a recording, and its spikes."""

from dataclasses import dataclass

import numpy as np

from amat.analysis.fitting.features import Kind, TimeConstants, coefficient_names
from amat.analysis.fitting.free_run import drive_of, escape_levels, free_run
from amat.analysis.fitting.search import Optimum, Profile, bounds
from amat.arrays import Floats
from amat.simulation.reference import refractory_steps

__all__ = ["FittedModel"]


@dataclass(frozen=True)
class FittedModel:
    """A model that was fitted to a recording.

    Attributes
    ----------
    kind : {"lif", "mat", "amat", "ceiling"}
    coefficients : ndarray, shape (coefficients,)
        Of the logarithm of the escape rate (1/ms), by the names of `names`.
    taus : TimeConstants
        In ms.
    free : tuple of str
        The time constants that were fitted.
    covariance : ndarray, shape (parameters, parameters)
        Inverse of the full Hessian over coefficients and the logarithms of the free time constants. Rows of time
        constants at a bound are NaN.
    bootstrap : ndarray, shape (samples, parameters)
        Parameters from resampled blocks of time, by one Newton step with the Hessian of all data.
    blocks : int
        Number of blocks of time that were resampled.
    log_likelihood : float
        Of the training data.
    refr_T, delay, dt : float
        Refractory time, delay of the recorded spikes, and time step, in ms.
    level : float
        The deterministic neuron spikes where the logarithm of the rate reaches it.
    window : (float, float)
        Start and end of the training data in ms.
    spikes : int
        Training spikes.
    rivals : list of Optimum
        Other optima within `amat.analysis.fitting.search.RIVAL` of log-likelihood.
    profile : Profile or None
        The grid, if time constants were fitted.
    """

    kind: Kind
    coefficients: Floats
    taus: TimeConstants
    free: tuple[str, ...]
    covariance: Floats
    bootstrap: Floats
    blocks: int
    log_likelihood: float
    refr_T: float
    delay: float
    dt: float
    level: float
    window: tuple[float, float]
    spikes: int
    rivals: list[Optimum]
    profile: Profile | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients and of the free time constants."""
        return (*coefficient_names(self.kind), *self.free)

    @property
    def values(self) -> Floats:
        """Coefficients and logarithms of the free time constants."""
        return np.concatenate([self.coefficients, np.log([getattr(self.taus, name) for name in self.free])])

    @property
    def at_bound(self) -> tuple[str, ...]:
        """Free time constants at the end of their range, which have no interval."""
        limits = {name: bounds(name, self.dt) for name in self.free}
        return tuple(
            name for name, (low, high) in limits.items() if not low * 1.001 < getattr(self.taus, name) < high / 1.001
        )

    def predict(self, current: Floats, level: float | None = None) -> Floats:
        """Return the spike times of the deterministic neuron as they would be recorded, in ms.

        Parameters
        ----------
        current : ndarray, shape (steps,)
            In pA, at the fit's time step.
        level : float, optional
            In place of the calibrated one.
        """
        return self._times(current, self.level if level is None else level)

    def sample(self, current: Floats, random: np.random.Generator) -> Floats:
        """Return the spike times of one run with escape noise, as they would be recorded, in ms."""
        return self._times(current, escape_levels(len(current), self.dt, random))

    def _times(self, current: Floats, level: float | Floats) -> Floats:
        drive = drive_of(self.kind, self.coefficients, self.taus, current, self.dt)
        dead = refractory_steps(self.refr_T, self.dt)
        steps = free_run(self.kind, self.coefficients, self.taus, drive, self.dt, dead, level)
        # Rounded, since multiples of the step are not exact.
        return np.round((steps + 1) * self.dt, 9) + round(self.delay / self.dt) * self.dt
