# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fits of memory and time to neurons, synapses and synaptic events of the cells with one rank.

Memory and time are sums of known terms with non-negative coefficients, found by least squares [1]_ on relative errors,
since times and sizes scatter in proportion. A term that cannot be separated from earlier ones in the list, because the
cells do not vary in it or vary in both at once, has no value; its contribution is contained in the earlier terms.
Jordan et al. [2]_ describe the data structures of NEST behind the terms.

References
----------
.. [1] Lawson CL, Hanson RJ (1974). Solving least squares problems.
.. [2] Jordan J et al. (2018). Front. Neuroinform. 12:2. doi:10.3389/fninf.2018.00002
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize

from amat.arrays import Floats
from amat.errors import AmatError

__all__ = ["MEMORY_TERMS", "TIME_TERMS", "Fit", "Term", "fit_all", "fit_growth", "fitted_terms"]

#: Model time of a slice in ms: the shortest delay, which is that of the spike recorder.
SLICE = 1.0
#: The fraction of plastic synapses in plastic networks: the excitatory ones.
PLASTIC = 0.8
#: A term is separable if at least this fraction of its column is no combination of the earlier ones.
DISTINCT = 0.1
#: Iterations of least squares, each with weights from the previous one.
ITERATIONS = 20
#: Random weightings of the cells for the intervals of coefficients.
RESAMPLES = 400


class Term(NamedTuple):
    """A term of a fit: its name, the unit of its coefficient, the factor of the coefficient, and its meaning.

    N neurons, K indegree, T threads, E synaptic events.
    """

    name: str
    unit: str
    formula: str
    meaning: str


#: In the order in which they are separated.
MEMORY_TERMS = (
    Term("process", "B", "1", "the process: Python, NEST and their data before the first neuron"),
    Term("neuron", "B", "N", "a neuron with its node, and its entry in the tables of each synapse model"),
    Term("static synapse", "B", "N K, of static synapses", "a synapse and its source, with the reserve of vectors"),
    Term("plastic synapse", "B", "N K, of plastic synapses", "the same for a synapse with plasticity"),
    Term("neuron of a network", "B", "N, in networks", "input buffers, external input, spike history"),
    Term("thread", "B", "T", "a thread"),
)
TIME_TERMS = (
    Term("update", "ns", "N steps / T", "a step of a neuron"),
    Term("delivery", "ns", "E / T, static", "a synaptic event at a static synapse"),
    Term("plastic delivery", "ns", "E / T, plastic", "the same at a synapse with plasticity"),
    Term("input", "ns", "N steps / T, in networks", "a step of a neuron's external input, and its delivery"),
    Term("slice", "ns", "slices", "a slice, whatever is in it: loops, synchronisation"),
)


@dataclass(frozen=True)
class Fit:
    """A fit of one quantity of one model.

    Attributes
    ----------
    model : str
        Name in NEST.
    quantity : str
        The fitted column.
    terms : pandas.DataFrame
        ``term``, ``unit``, ``formula``, ``meaning``; ``value`` with ``lower`` and ``upper`` (95 % of resampled cells);
        ``separable`` (bool), whether the cells separate the term from earlier ones. Otherwise the value is zero.
    residuals : pandas.DataFrame
        ``cell``, ``measured``, ``fitted`` and ``relative_error``.
    r_squared : float
        Of the logarithms of measured and fitted values.
    median_error, largest_error : float
        Of the absolute relative errors.
    """

    model: str
    quantity: str
    terms: pd.DataFrame
    residuals: pd.DataFrame
    r_squared: float
    median_error: float
    largest_error: float


def fit_all(cells: pd.DataFrame) -> dict[str, tuple[Fit, Fit]]:
    """Fit memory and time of all models whose cells separate neurons from synapses, and updates from the rest.

    Cells with several ranks, or whose threads shared cores, are left out, and microcircuits, whose input is other work.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `amat.benchmark.collect.read_cells`.

    Returns
    -------
    dict of str to (Fit, Fit)
        Allocated memory and time of the simulation by the model's name, without models that have too few cells.
    """
    used = cells[(cells["ranks"] == 1) & (cells["shared_cores"] != "yes")]
    used = used[~used["workload"].str.startswith("microcircuit")]
    fits = {}
    for model in dict.fromkeys(used["model"]):
        of_model = used[used["model"] == model]
        if len(of_model) < 2:
            continue
        memory = fit_growth(of_model, "allocated_simulate_B", MEMORY_TERMS)
        time = fit_growth(of_model, "simulate_s", TIME_TERMS)
        positive = {term for fit in (memory, time) for term in fit.terms.loc[fit.terms["value"] > 0, "term"]}
        if {"neuron", "static synapse", "update"} <= positive:
            fits[model] = memory, time
    return fits


def fitted_terms(fits: dict[str, tuple[Fit, Fit]]) -> pd.DataFrame:
    """Return the terms of all fits in one table.

    Parameters
    ----------
    fits : dict of str to (Fit, Fit)
        From `fit_all`.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``quantity``, the columns of `Fit.terms`, and ``cells``, ``r_squared``, ``median_error`` and
        ``largest_error`` of the fit.
    """
    columns = ["model", "quantity", "term", "unit", "formula", "meaning", "value", "lower", "upper", "separable"]
    columns += ["cells", "r_squared", "median_error", "largest_error"]
    parts = [
        fit.terms.assign(
            model=model,
            quantity=fit.quantity,
            cells=len(fit.residuals),
            **{name: getattr(fit, name) for name in columns[-3:]},
        )
        for model, pair in fits.items()
        for fit in pair
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def fit_growth(cells: pd.DataFrame, quantity: str, terms: Sequence[Term]) -> Fit:
    """Fit a sum of terms to the cells of one model.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of one rank.
    quantity : str
        ``simulate_s``, or a column in bytes.
    terms : sequence of Term

    Returns
    -------
    Fit

    Raises
    ------
    AmatError
        If there are fewer than two cells, or cells of several models.
    """
    models = sorted(set(cells["model"]))
    if len(models) != 1 or len(cells) < 2:
        raise AmatError(
            f"A fit needs two or more cells of one model, got {len(cells)} of {', '.join(models) or 'none'}: measure "
            "more with `amat benchmark run`."
        )
    measured = cells[quantity].to_numpy(dtype=float)
    in_bytes = quantity.endswith("_B")
    regressors = _memory_regressors(cells) if in_bytes else _time_regressors(cells)
    columns = regressors[[term.name for term in terms]].to_numpy() * (1.0 if in_bytes else 1e-9)
    table = _fit_coefficients(columns, measured, terms)
    fitted = columns @ table["value"].to_numpy()
    relative = fitted / measured - 1.0
    residuals = pd.DataFrame(
        {"cell": list(cells["cell"]), "measured": measured, "fitted": fitted, "relative_error": relative}
    )
    return Fit(
        model=models[0],
        quantity=quantity,
        terms=table,
        residuals=residuals,
        r_squared=_explained(measured, fitted),
        median_error=float(np.median(np.abs(relative))),
        largest_error=float(np.max(np.abs(relative))),
    )


def _fit_coefficients(columns: Floats, measured: Floats, terms: Sequence[Term]) -> pd.DataFrame:
    """Return the table of terms; the columns are the factors of the coefficients."""
    separable = _separable(columns / measured[:, None])
    values, bounds = np.zeros(len(terms)), np.full((2, len(terms)), np.nan)
    size = measured
    for iteration in range(ITERATIONS + 1):
        values[separable] = _solve(columns[:, separable] / size[:, None], measured / size)
        if iteration < ITERATIONS:
            # Twice too much counts as much as half: relative to the measured value alone, the fit would be biased low.
            size = np.sqrt(measured * np.maximum(columns @ values, 1e-3 * measured))
    bounds[:, separable] = _resample(columns[:, separable] / size[:, None], measured / size)
    fitted = {"value": values, "lower": bounds[0], "upper": bounds[1]}
    table = pd.DataFrame(terms, columns=Term._fields).rename(columns={"name": "term"}).assign(**fitted)
    return table.assign(separable=[number in separable for number in range(len(terms))])


def _memory_regressors(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the factors of the coefficients of `MEMORY_TERMS`."""
    neurons, synapses = cells["neurons"].astype(float), cells["neurons"] * cells["indegree"].astype(float)
    plastic = PLASTIC * (cells["workload"] == "plastic")
    return pd.DataFrame(
        {
            "process": 1.0,
            "neuron": neurons,
            "static synapse": synapses * (1.0 - plastic),
            "plastic synapse": synapses * plastic,
            "neuron of a network": neurons * (cells["workload"] != "neurons"),
            "thread": cells["threads"].astype(float),
        }
    )


def _time_regressors(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the factors of the coefficients of `TIME_TERMS`."""
    updates = cells["neurons"] * (cells["duration_ms"] / cells["resolution_ms"]) / cells["threads"]
    events = cells["spikes"].astype(float) * cells["indegree"]
    plastic = PLASTIC * (cells["workload"] == "plastic")
    return pd.DataFrame(
        {
            "update": updates,
            "delivery": events * (1.0 - plastic) / cells["threads"],
            "plastic delivery": events * plastic / cells["threads"],
            "input": (cells["workload"] != "neurons") * updates,
            "slice": cells["duration_ms"] / SLICE,
        }
    )


def _separable(columns: Floats) -> list[int]:
    """Return the numbers of the columns that are no combination of earlier ones."""
    chosen: list[int] = []
    for number in range(columns.shape[1]):
        column = columns[:, number]
        size = np.linalg.norm(column)
        if size == 0 or len(chosen) + 1 > len(columns):
            continue
        if chosen:
            others = columns[:, chosen] / np.linalg.norm(columns[:, chosen], axis=0)
            remainder = column - others @ np.linalg.lstsq(others, column, rcond=None)[0]
            if np.linalg.norm(remainder) < DISTINCT * size:
                continue
        chosen.append(number)
    return chosen


def _solve(columns: Floats, values: Floats) -> Floats:
    sizes = np.linalg.norm(columns, axis=0)
    sizes = np.where(sizes > 0, sizes, 1.0)
    return np.asarray(optimize.nnls(columns / sizes, values)[0] / sizes)


def _resample(columns: Floats, values: Floats) -> Floats:
    """Return the 95 % interval of coefficients by the Bayesian bootstrap: cells get random weights.

    Resampling cells with replacement could leave out those that separate a term.
    """
    random = np.random.default_rng(0)
    sampled = np.empty((RESAMPLES, columns.shape[1]))
    for number in range(RESAMPLES):
        weights = np.sqrt(random.exponential(size=len(values)))
        sampled[number] = _solve(columns * weights[:, None], values * weights)
    return np.asarray(np.quantile(sampled, (0.025, 0.975), axis=0))


def _explained(measured: Floats, fitted: Floats) -> float:
    """Return R² of the logarithms; NaN where all cells are equal, or a fitted value is zero."""
    if (fitted <= 0).any() or np.ptp(measured) == 0:
        return float("nan")
    logarithms = np.log(measured)
    unexplained = np.sum((logarithms - np.log(fitted)) ** 2)
    return float(1.0 - unexplained / np.sum((logarithms - logarithms.mean()) ** 2))
