# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Rate and interval statistics of AMAT under Poisson input: level crossings of a Markov renewal process.

After a spike the threshold is a known function of time, given the residuals of its two spike-triggered parts just
before the spike. The next spike is the first time at which the distance D (`moments.Quantity`) is above it. Three
approximations make this tractable:

1. D is Gaussian. Its correlation is exact.
2. Of the history of D, the next interval depends on D and its slope at the last spike only. D equals the threshold
   there, and the slope has the distribution of upward crossings.
3. The hazard at time t after the spike is the rate of upward crossings of the moving threshold (Rice's formula [1]_,
   [2]_) under this condition, divided by the probability that D is below the threshold. The division makes the
   hazard exact if the threshold falls through a constant D. Correlations between crossings are neglected.

The residuals at successive spikes are a Markov chain, as in the theory of adapting neurons by Muller et al. [3]_. Its
stationary distribution gives the rate, the coefficient of variation and the serial correlation of intervals. There is
no free parameter.

References
----------
.. [1] Rice SO (1945). Bell Syst. Tech. J. 24:46-156. doi:10.1002/j.1538-7305.1945.tb00453.x
.. [2] Schwalger T (2021). Biol. Cybern. 115:539-562. doi:10.1007/s00422-021-00899-1
.. [3] Muller E, Buesing L, Schemmel J, Meier K (2007). Neural Comput. 19:2958-3010.
   doi:10.1162/neco.2007.19.11.2958
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from amat.analysis.rate_theory.moments import Quantity, ShotNoise
from amat.arrays import Floats, Integers
from amat.checks import require_finite, require_positive
from amat.simulation.reference import refractory_steps

__all__ = ["IntervalStatistics", "interval_statistics"]

#: Nodes of the residuals of the fast and slow part, of the slope at a spike, and of time.
_NODES, _SLOPES, _TIMES = (6, 14), 4, 300
#: Time up to which the steps of the grid of times are about equal, ms, and its length in the longest time constant.
_EQUAL_STEPS, _SPAN = 4.0, 6.0
#: Probability below which the ends of the grid of residuals are cut off, and largest number of such cuts.
_NEGLIGIBLE, _CUTS = 1e-5, 6


@dataclass(frozen=True)
class IntervalStatistics:
    """Stationary statistics of inter-spike intervals.

    Attributes
    ----------
    rate : float
        In spikes/s.
    cv : float
        Coefficient of variation.
    serial_correlation : float
        Of an interval with the next one.
    """

    rate: float
    cv: float
    serial_correlation: float


def interval_statistics(
    noise: ShotNoise, *, resolution: float | None = None, shift: float = 0.0, scale: float = 1.0
) -> IntervalStatistics:
    """Return the predicted rate, CV and serial correlation of a neuron under Poisson input.

    Parameters
    ----------
    noise : ShotNoise
    resolution : float, optional
        A time step in ms, on which the dead time is `refr_T` in whole steps, plus one.
    shift : float
        Added to the mean of the distance, mV, to calculate gains.
    scale : float
        Factor on all covariances, to calculate gains.

    Returns
    -------
    IntervalStatistics
        The rate is 0, and CV and correlation are NaN, if an interval would take longer than 1e9 s. The correlation
        is NaN, too, if all intervals are equal to within a step of the grid of times.
    """
    require_positive("The factor on covariances", scale)
    p = noise.parameters
    dead = p.refr_T if resolution is None else (refractory_steps(p.refr_T, resolution) + 1) * resolution
    process = _Process(noise, dead, require_finite("The shift of the mean", shift), scale)
    ranges = [_residual_range(p.alpha_1, p.tau_1, dead), _residual_range(p.alpha_2, p.tau_2, dead)]
    for _ in range(_CUTS):
        fast, slow = (
            np.linspace(low, high, count if high > low else 1)
            for (low, high), count in zip(ranges, _NODES, strict=True)
        )
        chain = _Chain(process, fast, slow)
        narrowed = chain.ranges()
        if np.allclose(narrowed, ranges, rtol=0.05):
            break
        ranges = narrowed
    return chain.statistics()


def _residual_range(alpha: float, tau: float, dead: float) -> tuple[float, float]:
    """Return the lowest and highest residual: none, and that of firing with the dead time."""
    most = alpha / math.expm1(dead / tau)
    return min(0.0, most), max(0.0, most)


class _Process:
    """The conditional distribution of distance and slope at times after a spike."""

    def __init__(self, noise: ShotNoise, dead: float, shift: float, scale: float) -> None:
        p = noise.parameters
        self.parameters = p
        self.mean = noise.mean("distance") + shift
        span = _SPAN * max(p.tau_1, p.tau_2, p.tau_m, p.tau_v)
        growth = math.log1p(span / _EQUAL_STEPS)
        #: From the end of the dead time on, ms; steps grow from 0.05 ms to some per cent of the time.
        self.times = dead + _EQUAL_STEPS * np.expm1(growth * np.linspace(0.0, 1.0, _TIMES))
        # Distance and slope at one time are uncorrelated.
        variances = np.array([noise.covariance("distance"), noise.covariance("slope")])
        names: tuple[Quantity, ...] = ("distance", "slope")
        later = np.array([[noise.correlation(self.times, a, b) for b in names] for a in names])
        self.slope_sd = math.sqrt(scale * variances[1])
        self.regression = later / variances[:, np.newaxis]
        explained = np.einsum("abt,cbt->act", self.regression, later)
        self.covariance = scale * (np.diag(variances)[:, :, np.newaxis] * (1 + 1e-12) - explained)

    def crossing_slopes(self, threshold_slope: Floats) -> Floats:
        """Return slopes at upward crossings, in the middle of parts of equal probability, shape (states, slopes)."""
        shares = (np.arange(_SLOPES) + 0.5) / _SLOPES
        least = np.maximum(threshold_slope, 0.0)
        values = np.linspace(threshold_slope, least + 6.0 * self.slope_sd, 400, axis=1)
        exponent = -0.5 * (values**2 - least[:, np.newaxis] ** 2) / self.slope_sd**2
        density = (values - threshold_slope[:, np.newaxis]) * np.exp(exponent)
        cumulative = density.cumsum(axis=1)
        cumulative /= cumulative[:, -1:]
        return np.array([np.interp(shares, share, value) for share, value in zip(cumulative, values, strict=True)])

    def survival(self, fast: Floats, slow: Floats) -> tuple[Floats, Floats]:
        """Return the probability of no spike until each time, and the hazard at the last one.

        Parameters
        ----------
        fast, slow : ndarray, shape (states,)
            Residuals of the threshold before the spike, mV.

        Returns
        -------
        ndarray, shape (states, times)
        ndarray, shape (states,)
        """
        p = self.parameters
        parts = [
            (residual + alpha)[:, np.newaxis] * np.exp(-self.times / tau)
            for residual, alpha, tau in ((fast, p.alpha_1, p.tau_1), (slow, p.alpha_2, p.tau_2))
        ]
        threshold = (p.omega + parts[0] + parts[1])[:, np.newaxis]
        threshold_slope = -(parts[0] / p.tau_1 + parts[1] / p.tau_2)[:, np.newaxis]
        slopes = self.crossing_slopes(-fast / p.tau_1 - slow / p.tau_2)[:, :, np.newaxis]
        start = (p.omega + fast + slow - self.mean)[:, np.newaxis, np.newaxis]
        (g_dd, g_ds), (g_sd, g_ss) = self.regression
        (c_dd, c_ds), (_, c_ss) = self.covariance
        sd = np.sqrt(c_dd)
        above = threshold - self.mean - g_dd * start - g_ds * slopes
        z = above / sd
        spread = np.sqrt(np.maximum(c_ss - c_ds**2 / c_dd, 1e-12 * self.slope_sd**2))
        speed = g_sd * start + g_ss * slopes + c_ds / c_dd * above - threshold_slope
        y = speed / spread
        flux = np.maximum(spread * np.exp(-0.5 * y**2) / math.sqrt(2 * math.pi) + speed * ndtr(y), 0.0)
        hazard = flux * np.exp(-0.5 * z**2 - log_ndtr(z)) / (math.sqrt(2 * math.pi) * sd)
        steps = 0.5 * (hazard[..., 1:] + hazard[..., :-1]) * np.diff(self.times)
        integral = np.concatenate([np.zeros((*steps.shape[:2], 1)), steps.cumsum(axis=-1)], axis=-1)
        # The neuron fires at the end of the dead time if the distance is above the threshold then.
        alive = ndtr(z[..., :1]) * np.exp(-integral)
        return alive.mean(axis=1), hazard[..., -1].mean(axis=1)


class _Chain:
    """The Markov chain of residuals at successive spikes, on a grid with linear interpolation."""

    def __init__(self, process: _Process, fast: Floats, slow: Floats) -> None:
        p = process.parameters
        self.nodes = fast, slow
        grid_fast, grid_slow = (values.ravel() for values in np.meshgrid(fast, slow, indexing="ij"))
        alive, last = process.survival(grid_fast, grid_slow)
        end = process.times[-1]
        rest = 1.0 / np.maximum(last, 1e-100)
        # The last column is the time after the end of the grid, with a constant hazard.
        self.mass = np.column_stack([1.0 - alive[:, 0], -np.diff(alive, axis=1), alive[:, -1]])
        middles = np.append(process.times[0], 0.5 * (process.times[1:] + process.times[:-1]))
        self.intervals = np.column_stack([np.broadcast_to(middles, alive.shape), end + rest])
        self.excess = self.mass[:, -1] * rest**2
        decays = [np.append(np.exp(-middles / tau), 0.0) for tau in (p.tau_1, p.tau_2)]
        after = (grid_fast + p.alpha_1)[:, np.newaxis], (grid_slow + p.alpha_2)[:, np.newaxis]
        self.targets = self._locate(after[0] * decays[0], after[1] * decays[1])
        self.stationary = self._stationary()

    def _locate(self, fast: Floats, slow: Floats) -> list[tuple[Integers, Floats]]:
        """Return the states around new residuals, and their shares by linear interpolation."""
        found = []
        for values, nodes in zip((fast, slow), self.nodes, strict=True):
            if len(nodes) == 1:
                found.append([(np.zeros(values.shape, dtype=np.int64), np.ones(values.shape))])
                continue
            left = np.clip(np.searchsorted(nodes, values) - 1, 0, len(nodes) - 2)
            share = np.clip((values - nodes[left]) / (nodes[left + 1] - nodes[left]), 0.0, 1.0)
            found.append([(left, 1.0 - share), (left + 1, share)])
        return [(i * len(self.nodes[1]) + j, a * b) for i, a in found[0] for j, b in found[1]]

    def _stationary(self) -> Floats:
        """Return the stationary distribution of the residuals before a spike, shape (states,)."""
        count = len(self.mass)
        rows = count * np.arange(count)[:, np.newaxis]
        flows = np.zeros(count**2)
        for states, shares in self.targets:
            flows += np.bincount((rows + states).ravel(), (self.mass * shares).ravel(), minlength=count**2)
        equations = flows.reshape(count, count).T - np.eye(count)
        equations[-1] = 1.0  # the probabilities add up to 1
        found = np.maximum(np.linalg.solve(equations, np.eye(count)[-1]), 0.0)
        return np.asarray(found / found.sum(), dtype=np.float64)

    def ranges(self) -> list[tuple[float, float]]:
        """Return the ranges of both residuals outside which there is a negligible probability."""
        joint = self.stationary.reshape(len(self.nodes[0]), len(self.nodes[1]))
        found = []
        for axis, nodes in enumerate(self.nodes):
            kept = np.flatnonzero(joint.sum(axis=1 - axis) > _NEGLIGIBLE)
            found.append((float(nodes[max(kept[0] - 1, 0)]), float(nodes[min(kept[-1] + 1, len(nodes) - 1)])))
        return found

    def statistics(self) -> IntervalStatistics:
        """Return the statistics of intervals in the stationary distribution."""
        means = (self.mass * self.intervals).sum(axis=1)
        mean = float(self.stationary @ means)
        if not mean < 1e12:
            return IntervalStatistics(0.0, math.nan, math.nan)
        variance = float(self.stationary @ ((self.mass * self.intervals**2).sum(axis=1) + self.excess)) - mean**2
        product = sum(
            float(self.stationary @ (self.mass * shares * self.intervals * means[states]).sum(axis=1))
            for states, shares in self.targets
        )
        if variance <= 0:  # all intervals are in one step of the grid
            return IntervalStatistics(1e3 / mean, 0.0, math.nan)
        return IntervalStatistics(1e3 / mean, math.sqrt(variance) / mean, (product - mean**2) / variance)
