# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Exact moments and linear filters of AMAT's membrane potential and of its distance from threshold.

Spikes do not reset the membrane potential, and the voltage-dependent part of the threshold follows from it. Under
Poisson input through exponential currents both are filtered shot noise: linear filters of Poisson trains. With the
matrix A of the system (`amat.simulation.reference.system_matrix`), the vector c that reads a quantity from the state,
and b that a spike adds to it, the response to one spike is ``h(t) = c exp(A t) b``. Campbell's theorem [1]_ gives
cumulant n of a train of rate nu as ``nu int h(t)^n dt``. The integrals are solutions of linear equations in A, so that
equal time constants need no special case.

References
----------
.. [1] Rice SO (1944). Bell Syst. Tech. J. 23:282-332. doi:10.1002/j.1538-7305.1944.tb00874.x
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import expm, solve_continuous_lyapunov

from amat.arrays import Complexes, Floats
from amat.checks import require_finite
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.reference import STATE, system_matrix

__all__ = ["PoissonInput", "Quantity", "ShotNoise"]

#: The membrane potential above `E_L`; the voltage-dependent part of the threshold; the potential minus that part, which
#: the spike-triggered threshold and `omega` are compared with; and its derivative.
Quantity = Literal["V_m", "V_th_v", "distance", "slope"]

#: The part of the state that spikes do not touch: U, y, V_th_v, and the two synaptic currents.
_LINEAR = [STATE.index(name) for name in ("U", "y", "V_th_v", "I_syn_exc", "I_syn_inh")]
_EXC, _INH = 3, 4


@dataclass(frozen=True)
class PoissonInput:
    """A Poisson train that acts on a neuron through one of its synaptic currents.

    Attributes
    ----------
    rate : float
        Of all synapses together, spikes/s.
    weight : float
        Of one spike, pA. Positive weights act on the excitatory current, negative ones on the inhibitory current.
    """

    rate: float
    weight: float

    def __post_init__(self) -> None:
        """Raise an error unless both are finite and the rate is not negative."""
        require_finite("The weight", self.weight)
        if require_finite("The rate", self.rate) < 0:
            raise AmatError(f"The rate of a Poisson input must not be negative, got {self.rate:g} spikes/s.")


class ShotNoise:
    """Stationary moments, correlation and linear filters of an AMAT neuron under Poisson input.

    Parameters
    ----------
    parameters : AmatParameters
        `I_e` is part of the input.
    inputs : sequence of PoissonInput
        Independent trains.

    Raises
    ------
    AmatError
        If there is no input.
    """

    def __init__(self, parameters: AmatParameters, inputs: Sequence[PoissonInput]) -> None:
        if not inputs:
            raise AmatError("Without Poisson input there are no fluctuations: give at least one PoissonInput.")
        self.parameters, self.inputs = parameters, tuple(inputs)
        full = np.array(system_matrix(parameters), dtype=np.float64)
        self._matrix = full[np.ix_(_LINEAR, _LINEAR)]
        self._drive = full[_LINEAR, STATE.index("I")] * parameters.I_e
        self._rates = np.array([1e-3 * train.rate for train in inputs])
        self._jumps = np.zeros((len(inputs), len(_LINEAR)))
        for number, train in enumerate(inputs):
            self._jumps[number, _EXC if train.weight >= 0 else _INH] = train.weight
        distance = np.array([1.0, 0.0, -1.0, 0.0, 0.0])
        self._rows: dict[str, Floats] = {
            "V_m": np.eye(len(_LINEAR))[0],
            "V_th_v": np.eye(len(_LINEAR))[2],
            "distance": distance,
            "slope": distance @ self._matrix,
        }

    def _row(self, quantity: Quantity) -> Floats:
        if quantity not in self._rows:
            raise AmatError(f"Unknown quantity {quantity!r}: choose one of {', '.join(get_args(Quantity))}.")
        return self._rows[quantity]

    @cached_property
    def _covariance(self) -> Floats:
        noise = np.einsum("n,ni,nj->ij", self._rates, self._jumps, self._jumps)
        return np.asarray(solve_continuous_lyapunov(self._matrix, -noise), dtype=np.float64)

    def mean(self, quantity: Quantity = "V_m") -> float:
        """Return the mean, mV above `E_L` (mV/ms for the slope, whose mean is 0)."""
        row = self._row(quantity)
        if quantity == "slope":
            return 0.0
        return float(row @ np.linalg.solve(self._matrix, -(self._drive + self._rates @ self._jumps)))

    def covariance(self, first: Quantity = "V_m", second: Quantity | None = None) -> float:
        """Return the covariance of two quantities, or the variance of one, in products of their units."""
        return float(self._row(first) @ self._covariance @ self._row(first if second is None else second))

    def correlation(self, lags: ArrayLike, first: Quantity = "V_m", second: Quantity | None = None) -> Floats:
        """Return the covariance of one quantity with another, or with itself, at an earlier time.

        Parameters
        ----------
        lags : array_like, shape (lags,)
            In ms, not negative.
        first, second : Quantity
            The later and the earlier quantity.

        Returns
        -------
        ndarray, shape (lags,)

        Raises
        ------
        AmatError
            If a lag is negative.
        """
        values = np.atleast_1d(np.asarray(lags, dtype=np.float64))
        if not (values >= 0).all():
            raise AmatError(f"Lags must not be negative, got {values.min():g} ms: exchange the quantities.")
        earlier = self._covariance @ self._row(first if second is None else second)
        return np.asarray(self._row(first) @ self._propagate(values) @ earlier, dtype=np.float64)

    def cumulant(self, order: int, quantity: Quantity = "V_m") -> float:
        """Return a cumulant from Campbell's theorem, in the quantity's unit to the power of the order.

        Parameters
        ----------
        order : int
            2 (variance), 3 or 4.
        quantity : Quantity
        """
        if order not in (2, 3, 4):
            raise AmatError(f"The order of a cumulant must be 2, 3 or 4, got {order}: use mean for the first.")
        generator, row = _kronecker_sum(self._matrix, order), _kronecker_power(self._row(quantity), order)
        jumps = np.array([_kronecker_power(jump, order) for jump in self._jumps])
        return float(row @ np.linalg.solve(generator, -(self._rates @ jumps)))

    def skewness(self, quantity: Quantity = "distance") -> float:
        """Return the skewness; the theory of the rate assumes 0."""
        return float(self.cumulant(3, quantity) / self.cumulant(2, quantity) ** 1.5)

    def impulse_response(self, times: ArrayLike, quantity: Quantity = "V_m") -> Floats:
        """Return the response to one spike of each input.

        Parameters
        ----------
        times : array_like, shape (times,)
            After the spike, ms.
        quantity : Quantity

        Returns
        -------
        ndarray, shape (inputs, times)
        """
        values = np.atleast_1d(np.asarray(times, dtype=np.float64))
        return np.asarray((self._row(quantity) @ self._propagate(values) @ self._jumps.T).T, dtype=np.float64)

    def mean_filter(self, frequencies: ArrayLike, quantity: Quantity = "V_m") -> Complexes:
        """Return the linear response of the mean to a modulation of each input's rate; it is exact at any depth.

        Parameters
        ----------
        frequencies : array_like, shape (frequencies,)
            In Hz.
        quantity : Quantity

        Returns
        -------
        ndarray of complex, shape (inputs, frequencies)
            mV per spike/s.
        """
        return 1e-3 * self._filter(frequencies, self._matrix, self._row(quantity), self._jumps)

    def variance_filter(self, frequencies: ArrayLike, quantity: Quantity = "V_m") -> Complexes:
        """Return the linear response of the variance to a modulation of each input's rate.

        The variance at a time is ``int nu(t - s) h(s)^2 ds``. It is linear in the rate, with the filter
        ``int h(s)^2 exp(-2 pi i f s) ds``.

        Returns
        -------
        ndarray of complex, shape (inputs, frequencies)
            mV^2 per spike/s.
        """
        jumps = np.array([_kronecker_power(jump, 2) for jump in self._jumps])
        generator = _kronecker_sum(self._matrix, 2)
        return 1e-3 * self._filter(frequencies, generator, _kronecker_power(self._row(quantity), 2), jumps)

    def _propagate(self, times: Floats) -> Floats:
        return np.asarray(expm(self._matrix * times[:, np.newaxis, np.newaxis]), dtype=np.float64)

    @staticmethod
    def _filter(frequencies: ArrayLike, matrix: Floats, row: Floats, jumps: Floats) -> Complexes:
        values = np.atleast_1d(np.asarray(frequencies, dtype=np.float64))
        identity = np.eye(len(matrix))
        rows = [np.linalg.solve((2e-3j * np.pi * f * identity - matrix).T, row.astype(complex)) for f in values]
        return np.asarray(jumps @ np.array(rows).T, dtype=np.complex128)


def _kronecker_sum(matrix: Floats, order: int) -> Floats:
    """Return the generator of a product of `order` copies of a state."""
    total = np.zeros((len(matrix) ** order, len(matrix) ** order))
    for place in range(order):
        before, after = (np.eye(len(matrix) ** count) for count in (place, order - 1 - place))
        total += np.kron(np.kron(before, matrix), after)
    return total


def _kronecker_power(vector: Floats, order: int) -> Floats:
    return np.asarray(vector if order == 1 else np.kron(vector, _kronecker_power(vector, order - 1)))
