# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Global sensitivity of AMAT's firing to its parameters: Sobol's indices under a constant current and Poisson input.

Parameters are independent and uniformly distributed over their ranges. SALib draws them from Sobol's sequence in the
scheme of Saltelli et al. [1]_: in pairs of neurons that share one parameter, or all but one. An index is a correlation
between the two [2]_. It cannot exceed 1, and negative estimates, which are noise, count as 0.

References
----------
.. [1] Saltelli A et al. (2010). Comput. Phys. Commun. 181:259-270. doi:10.1016/j.cpc.2009.09.018
.. [2] Janon A et al. (2014). ESAIM: Probab. Stat. 18:342-364. doi:10.1051/ps/2013040
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.explore import Axis, simulate_many
from amat.analysis.metrics import interval_cv, measure_train
from amat.arrays import Floats
from amat.checks import require_duration
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.kernel import DELAY, NEST_MODELS, Simulation

__all__ = ["POISSON_RANGES", "RANGES", "WARM_UP", "poisson_sensitivity", "sensitivity", "sobol_indices"]

#: Ranges under a constant current, in the units of `amat.neurons.amat.UNITS`.
RANGES: Mapping[str, tuple[float, float]] = {
    "alpha_1": (-1.0, 20.0),
    "alpha_2": (0.0, 3.0),
    "beta": (-0.3, 0.3),
    "tau_v": (2.0, 20.0),
    "omega": (2.0, 10.0),
    "tau_m": (5.0, 20.0),
    "I_e": (120.0, 400.0),
}
#: Ranges under Poisson input: the constant current is a mean to which the input adds fluctuations.
POISSON_RANGES: Mapping[str, tuple[float, float]] = {**RANGES, "I_e": (20.0, 100.0)}

#: The Poisson input: excitatory and inhibitory rate in spikes/s, and weights in pA.
_RATES, _WEIGHTS = (3000.0, 2400.0), (60.0, -20.0)
#: Relative excitatory rates between which the gain is measured.
_LEVELS = (0.9, 1.0, 1.1)
#: Time before the measurement under Poisson input, ms: five times the slow time constant of the threshold.
WARM_UP = 1000.0
#: Resamples of the bootstrap, and quantiles of the intervals.
_RESAMPLES, _QUANTILES = 1000, (0.025, 0.975)


def sensitivity(
    parameters: AmatParameters,
    *,
    ranges: Mapping[str, tuple[float, float]] = RANGES,
    samples: int = 512,
    duration: float = 1000.0,
    resolution: float = 0.1,
    seed: int = 1,
    threads: int = 1,
) -> pd.DataFrame:
    """Return the parts of the variance of rate and CV due to each parameter, under a constant current.

    Parameters
    ----------
    parameters : AmatParameters
        Values of the parameters that are not varied.
    ranges : mapping of str to (float, float)
        Of the parameters.
    samples : int
        A power of two; ``samples * (2 * len(ranges) + 2)`` neurons are simulated.
    duration, resolution : float
        In ms. CV is of the later half (`amat.analysis.metrics.measure_train`).
    seed : int
        Of the sample and of the bootstrap of the intervals.
    threads : int
        NEST's threads.

    Returns
    -------
    pandas.DataFrame
        One row per measure and parameter: ``measure`` ("rate" or "cv"), ``parameter``, ``first`` and ``total`` (indices
        of the parameter alone, and with all its interactions), the bounds of their 95 % intervals (``_low``,
        ``_high``), and ``undefined``, the part of the neurons with too few spikes for a CV, which count as 0.
    """
    varied = _sample(parameters, ranges, samples, resolution, seed)
    trains = simulate_many(parameters, varied, duration=duration, resolution=resolution, threads=threads)
    measured = pd.DataFrame([measure_train(train, duration) for train in trains])
    return _tabulate({name: measured[name] for name in ("rate", "cv")}, ranges, samples, seed, missing=0.0)


def poisson_sensitivity(
    parameters: AmatParameters,
    *,
    ranges: Mapping[str, tuple[float, float]] = POISSON_RANGES,
    samples: int = 512,
    duration: float = 3000.0,
    resolution: float = 0.1,
    seed: int = 1,
    threads: int = 1,
) -> pd.DataFrame:
    """Return the parts of the variance of rate, CV and low-frequency gain due to each parameter, under Poisson input.

    All neurons receive the same two trains, excitatory and inhibitory, so that they differ in their parameters only.
    The gain at frequency zero is the change of the rate per relative change of the excitatory rate, from two further
    simulations with 0.9 and 1.1 times that rate. Their excitatory trains contain, or are part of, the first one.

    Parameters
    ----------
    parameters, ranges, samples, resolution, seed, threads
        As in `sensitivity`; three times as many neurons are simulated. The seed is also that of the trains.
    duration : float
        Of the measurement, after `WARM_UP`, ms.

    Returns
    -------
    pandas.DataFrame
        As of `sensitivity`, with the measures "rate", "cv" and "gain" (spikes/s). A CV that is undefined counts as 1,
        its limit for rare spikes.
    """
    require_duration(duration)
    varied = _sample(parameters, ranges, samples, resolution, seed)
    count = len(varied[next(iter(varied))])
    rows = zip(*(values.tolist() for values in varied.values()), strict=True)
    neurons = [parameters.to_nestml() | dict(zip(varied, row, strict=True)) for row in rows]
    neurons = [values | {"V_m": values["E_L"]} for values in neurons]
    simulation = Simulation(
        NEST_MODELS["amat"], neurons * len(_LEVELS), WARM_UP + duration, resolution, threads=threads
    )
    exc, inh = _sample_trains(simulation.steps, resolution, seed)
    for number, numbers in enumerate(exc):
        _connect(simulation, numbers, _WEIGHTS[0], simulation.neurons[number * count : (number + 1) * count])
    _connect(simulation, inh, _WEIGHTS[1], simulation.neurons)
    steady = [train[train > WARM_UP] for train in simulation.run()]
    rates = np.array([1e3 * len(train) / duration for train in steady]).reshape(len(_LEVELS), count)
    middle = _LEVELS.index(1.0)
    measured = {
        "rate": rates[middle],
        "cv": np.array([interval_cv(train) for train in steady[middle * count : (middle + 1) * count]]),
        "gain": (rates[-1] - rates[0]) / (_LEVELS[-1] - _LEVELS[0]),
    }
    return _tabulate(measured, ranges, samples, seed, missing=1.0)


def sobol_indices(values: ArrayLike, parameters: int, *, seed: int = 1) -> dict[str, Floats]:
    """Return Sobol's indices with bootstrap intervals, all from 0 to 1.

    Parameters
    ----------
    values : array_like, shape (samples * (2 * parameters + 2),)
        Of the model, in the order of SALib's sample with second-order indices.
    parameters : int
        Their number.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to ndarray, shape (parameters,)
        ``first`` and ``total``, and the bounds ``_low`` and ``_high`` of the 95 % intervals. If all values are equal,
        no parameter has an influence: first and total are 0.

    Raises
    ------
    AmatError
        If the number of values does not fit, or one is not finite.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers) or len(numbers) % (2 * parameters + 2):
        raise AmatError(
            f"The number of values must be a multiple of {2 * parameters + 2} for {parameters} parameters, "
            f"got {numbers.size}."
        )
    if not np.isfinite(numbers).all():
        raise AmatError("All values must be finite: replace undefined ones.")
    rows = (numbers - numbers.mean()).reshape(-1, 2 * parameters + 2)
    a, b = rows[:, :1], rows[:, -1:]
    # AB is A with one parameter of B, and BA is B with one of A.
    ab, ba = rows[:, 1 : parameters + 1], rows[:, parameters + 1 : -1]
    samples = len(rows)
    weights = np.random.default_rng(seed).multinomial(samples, np.full(samples, 1 / samples), _RESAMPLES) / samples
    weights = np.vstack([np.full(samples, 1 / samples), weights])
    shared_one = np.clip(_correlation(weights, (b, ab), (a, ba)), 0.0, 1.0)
    shared_others = np.clip(_correlation(weights, (a, ab), (b, ba)), 0.0, 1.0)
    constant = not rows.any()
    found = {}
    for name, estimates in (("first", shared_one), ("total", 1.0 - shared_others)):
        found[name] = np.zeros(parameters) if constant else estimates[0]
        low, high = np.quantile(estimates[1:], _QUANTILES, axis=0)
        found[f"{name}_low"], found[f"{name}_high"] = (0.0 * low, 0.0 * high) if constant else (low, high)
    return found


def _correlation(weights: Floats, *pairs: tuple[Floats, Floats]) -> Floats:
    """Return the correlation of pairs with a common mean and variance, shape (resamples, parameters)."""
    mean = weights @ sum((x + y) / 2 for x, y in pairs) / len(pairs)
    product = weights @ sum(x * y for x, y in pairs) / len(pairs)
    square = weights @ sum((x**2 + y**2) / 2 for x, y in pairs) / len(pairs)
    variance = square - mean**2
    return np.divide(product - mean**2, variance, out=np.zeros_like(variance), where=variance > 0)


def _sample(
    parameters: AmatParameters, ranges: Mapping[str, tuple[float, float]], samples: int, resolution: float, seed: int
) -> dict[str, Floats]:
    """Return the values of each parameter, after a check of the bounds."""
    from SALib.sample import sobol as sample

    if samples < 1 or samples & (samples - 1):
        raise AmatError(f"The number of samples must be a power of two, for example 512, got {samples}.")
    for name, (low, high) in ranges.items():
        Axis(name, low, high, 2)
        for value in (low, high):
            parameters.replace(**{name: value}).validate(resolution)
    problem = {"num_vars": len(ranges), "names": list(ranges), "bounds": [list(pair) for pair in ranges.values()]}
    points = sample.sample(problem, samples, seed=seed)
    return {name: points[:, number] for number, name in enumerate(ranges)}


def _sample_trains(steps: int, resolution: float, seed: int) -> tuple[list[Any], Any]:
    """Return the numbers of spikes in each step: of the excitatory trains, each part of the next, and of inhibition."""
    random = np.random.default_rng(seed)
    expected = [1e-3 * rate * resolution for rate in _RATES]
    exc = [random.poisson(_LEVELS[0] * expected[0], steps)]
    for lower, upper in itertools.pairwise(_LEVELS):
        exc.append(exc[-1] + random.poisson((upper - lower) * expected[0], steps))
    return exc, random.poisson(expected[1], steps)


def _connect(simulation: Simulation, numbers: Any, weight: float, targets: Any) -> None:
    """Send a train, as numbers of spikes in each step, to neurons."""
    steps = np.flatnonzero(numbers)
    train = {
        "spike_times": np.round((steps + 1) * simulation.resolution, 6),
        "spike_multiplicities": numbers[steps],
    }
    generator = simulation.nest.Create("spike_generator", params=train)
    simulation.nest.Connect(generator, targets, syn_spec={"weight": weight, "delay": DELAY})


def _tabulate(
    measured: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]], samples: int, seed: int, *, missing: float
) -> pd.DataFrame:
    """Return the indices of each measure."""
    tables = []
    for measure, values in measured.items():
        numbers = np.asarray(values, dtype=np.float64)
        table = pd.DataFrame({"measure": measure, "parameter": list(ranges)})
        for name, column in sobol_indices(np.nan_to_num(numbers, nan=missing), len(ranges), seed=seed).items():
            table[name] = column
        table["undefined"] = np.isnan(numbers).mean()
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
