# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The exact f-I curve of an AMAT neuron that fires with equal intervals."""

import math

from scipy.optimize import brentq

from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.reference import refractory_steps

__all__ = ["lowest_sustained_current", "steady_interval"]


def steady_interval(parameters: AmatParameters, current: float, *, resolution: float | None = None) -> float:
    """Return the steady-state interval of an AMAT neuron under a constant current.

    The potential is not reset. In the steady state it is ``E_L + R I``, so that its derivative is zero and `beta` has
    no effect. With equal intervals T the threshold falls to the potential where

        R I - omega = alpha_1 / (exp(T / tau_1) - 1) + alpha_2 / (exp(T / tau_2) - 1)

    and T is the first such time after the dead time, or the dead time itself if the threshold is lower by then. The
    right-hand side has a minimum if the slow part of the threshold falls at a spike. Firing then continues below the
    current at which a silent neuron begins to fire.

    Parameters
    ----------
    parameters : AmatParameters
    current : float
        In pA, added to `I_e`.
    resolution : float, optional
        A grid in ms, on which the dead time is `refr_T` in whole steps, plus one. Spikes on the grid are up to a step
        late, which lengthens the mean interval by less than a step. If a part of the threshold falls at a spike, each
        delay increases the next, and it may be a few steps.

    Returns
    -------
    float
        In ms; infinite if the neuron does not go on firing.

    Raises
    ------
    AmatError
        If the fast part of the threshold falls at a spike and the slow one rises: such neurons fire in bursts.
    """
    drive = (parameters.I_e + current) * parameters.tau_m / parameters.C_m - parameters.omega
    dead_time = _dead_time(parameters, resolution)
    if _excess(parameters, dead_time) <= drive:
        return dead_time
    lowest, at = _lowest_excess(parameters, dead_time)
    if drive <= lowest:
        return at if drive == lowest and math.isfinite(at) else math.inf
    after = at
    if not math.isfinite(after):
        after = 2.0 * dead_time
        while _excess(parameters, after) > drive:
            after *= 2.0
    return float(brentq(lambda T: _excess(parameters, T) - drive, dead_time, after, xtol=1e-12, rtol=1e-14))


def lowest_sustained_current(parameters: AmatParameters, *, resolution: float | None = None) -> float:
    """Return the current above which an AMAT neuron continues to fire, in pA added to `I_e`; see `steady_interval`.

    A silent neuron begins at ``omega / R - I_e``, or above.

    Raises
    ------
    AmatError
        As `steady_interval` does.
    """
    dead_time = _dead_time(parameters, resolution)
    lowest, _ = _lowest_excess(parameters, dead_time)
    return (parameters.omega + lowest) * parameters.C_m / parameters.tau_m - parameters.I_e


def _dead_time(parameters: AmatParameters, resolution: float | None) -> float:
    if resolution is None:
        return parameters.refr_T
    return (refractory_steps(parameters.refr_T, resolution) + 1) * resolution


def _excess(parameters: AmatParameters, interval: float) -> float:
    """Return the threshold at the end of equal intervals, above `omega`, in mV."""
    parts = ((parameters.alpha_1, parameters.tau_1), (parameters.alpha_2, parameters.tau_2))
    # exp(-x) / (1 - exp(-x)), which cannot overflow.
    return sum(-alpha * math.exp(-interval / tau) / math.expm1(-interval / tau) for alpha, tau in parts)


def _lowest_excess(parameters: AmatParameters, dead_time: float) -> tuple[float, float]:
    """Return the infimum of `_excess` from the dead time on, in mV, and the interval where it is, in ms."""
    (fast, alpha_fast), (slow, alpha_slow) = sorted(
        [(parameters.tau_1, parameters.alpha_1), (parameters.tau_2, parameters.alpha_2)]
    )
    if fast == slow:
        alpha_fast, alpha_slow = alpha_fast + alpha_slow, 0.0
    if alpha_fast < 0 < alpha_slow:
        raise AmatError(
            f"A neuron with alpha_1 = {parameters.alpha_1:g} mV and alpha_2 = {parameters.alpha_2:g} mV fires in "
            "bursts and has no steady interval: choose a fast part that is not negative, or simulate."
        )
    if alpha_slow >= 0 and alpha_fast >= 0:
        return 0.0, math.inf
    # The derivative vanishes where sinh(T / 2 slow) / sinh(T / 2 fast), which falls from fast / slow on, is this.
    ratio = math.sqrt(-alpha_slow * fast / (alpha_fast * slow)) if alpha_fast > 0 else math.inf
    if ratio >= fast / slow:
        return _excess(parameters, dead_time), dead_time

    def slope(T: float) -> float:
        # The common factor exp(T / 2 fast) of the two sinh is omitted, since it would overflow.
        rise = math.exp(0.5 * T * (1 / slow - 1 / fast)) - math.exp(-0.5 * T * (1 / slow + 1 / fast))
        return rise + ratio * math.expm1(-T / fast)

    after = dead_time
    if slope(after) <= 0:  # the minimum lies within the dead time
        return _excess(parameters, dead_time), dead_time
    while slope(after) > 0:
        after *= 2.0
    at = float(brentq(slope, dead_time, after, xtol=1e-12, rtol=1e-14))
    return _excess(parameters, at), at
