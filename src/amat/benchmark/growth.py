# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""How memory and time grow with neurons, synapses, processes and threads: fitted to what was measured.

A model is a sum of known terms with coefficients that are not negative, which least squares finds [1]_; relative
errors are made small, since times and sizes scatter in proportion. A term that the cells do not tell from those before
it in the list, because they do not differ in it or differ in both at once, is left out, and what it takes is then
contained in those: the table of terms says so. What NEST keeps, and for what, is told by Jordan et al. [2]_.

References
----------
.. [1] Lawson CL, Hanson RJ (1974). Solving least squares problems.
.. [2] Jordan J et al. (2018). Front. Neuroinform. 12:2. doi:10.3389/fninf.2018.00002
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from amat.errors import AmatError

__all__ = [
    "ASSUMED_NODE",
    "LARGEST_LOCAL_SYNAPSES",
    "MEMORY_TERMS",
    "RATE",
    "TIME_TERMS",
    "Fit",
    "Node",
    "Term",
    "extrapolate",
    "extrapolate_all",
    "fit_all",
    "fit_growth",
    "fit_memory",
    "fit_time",
]

#: Model time of a slice in ms: the shortest delay, which is that of the spike recorder.
SLICE = 1.0
#: Synapses of one model that a thread of NEST can number: 27 bits (``nest_types.h``).
LARGEST_LOCAL_SYNAPSES = 2**27 - 1
#: Spikes/s of a neuron in an extrapolated network.
RATE = 8.0
#: Part of the excitatory synapses, which are the plastic ones, in all.
EXCITATORY = 0.8
#: A term is told from the others if at least this part of its column is no combination of theirs.
DISTINCT = 0.1
#: Rounds of least squares, each with the weights that follow from the last.
ROUNDS = 20
#: Random sets of cells for the intervals of coefficients.
RESAMPLES = 400


@dataclass(frozen=True)
class Term:
    """One term of a growth model.

    Attributes
    ----------
    name : str
    unit : str
        Of the coefficient.
    formula : str
        What the coefficient is multiplied by: N neurons, K indegree, R ranks, T threads, E synaptic events.
    meaning : str
    """

    name: str
    unit: str
    formula: str
    meaning: str


#: In the order in which they are told apart.
MEMORY_TERMS = (
    Term("process", "B", "R", "a process: Python, NEST and what they hold before the first neuron"),
    Term("neuron", "B", "N", "a neuron with its node, and its entry in the tables of each synapse model"),
    Term("static synapse", "B", "N K, of static synapses", "a synapse and its source, with the reserve of vectors"),
    Term("plastic synapse", "B", "N K, of plastic synapses", "the same of a synapse with plasticity"),
    Term("neuron of a network", "B", "N, in networks", "input buffers, external input, spike history"),
    Term("thread", "B", "R T", "a thread of a process"),
    Term("neuron on a process", "B", "(R - 1) N", "what each process keeps of all neurons of the network"),
)
TIME_TERMS = (
    Term("update", "ns", "N steps / (R T)", "a step of a neuron"),
    Term("delivery", "ns", "E / (R T), static", "a synaptic event at a static synapse"),
    Term("plastic delivery", "ns", "E / (R T), plastic", "the same at a synapse with plasticity"),
    Term("input", "ns", "N steps / (R T), in networks", "a step of a neuron's external input, and its delivery"),
    Term("slice", "ns", "slices", "a slice, whatever is in it: loops, synchronisation"),
    Term("exchange", "ns", "slices R, of R > 1", "a slice's exchange of spikes, for each process"),
)


@dataclass(frozen=True)
class Fit:
    """A fitted growth model.

    Attributes
    ----------
    model : str
        The neuron's, by its name in NEST.
    quantity : str
        The column that was fitted.
    terms : pandas.DataFrame
        ``term``, ``unit``, ``formula``, ``meaning``; ``value`` with ``lower`` and ``upper`` (95 % of resampled cells);
        ``told`` (bool), whether the cells tell the term from those above it. Without that the value is zero, and
        contained in others.
    residuals : pandas.DataFrame
        ``cell``, ``workload``, ``neurons``, ``indegree``, ``ranks``, ``threads``, ``seed``, ``measured``, ``fitted``
        and ``relative_error``.
    r_squared : float
        Of the weighted fit: the share of the squares of relative sizes that is explained.
    median_error, largest_error : float
        Of the relative errors' sizes.
    """

    model: str
    quantity: str
    terms: pd.DataFrame
    residuals: pd.DataFrame
    r_squared: float
    median_error: float
    largest_error: float

    @property
    def told(self) -> list[str]:
        """The terms that the cells tell apart."""
        return list(self.terms.loc[self.terms["told"], "term"])

    @property
    def positive(self) -> list[str]:
        """The terms that are told apart and that take something."""
        return list(self.terms.loc[self.terms["told"] & (self.terms["value"] > 0), "term"])

    def parts(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Return what each term gives for each row, in the units of the quantity.

        Parameters
        ----------
        cells : pandas.DataFrame
            With the columns that a growth model needs; one row a cell.
        """
        columns = _columns(self.quantity, cells)[list(self.terms["term"])]
        return columns * self.terms["value"].to_numpy() * _scale(self.quantity)

    def predict(self, cells: pd.DataFrame) -> pd.Series:
        """Return the fitted quantity of each row."""
        return self.parts(cells).sum(axis=1)


@dataclass(frozen=True)
class Node:
    """A node of a cluster: an assumption.

    Attributes
    ----------
    cores : int
    memory : float
        Bytes.
    ranks : int
        Processes on it; the cores are shared out among their threads.
    usable : float
        Part of the memory that a simulation may take.
    """

    cores: int
    memory: float
    ranks: int = 2
    usable: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a node that cannot be."""
        if self.cores < 1 or self.ranks < 1 or self.cores % self.ranks:
            raise AmatError(f"A node of {self.cores} cores has {self.ranks} ranks: choose a divisor of the cores.")
        if not 0 < self.memory < np.inf or not 0 < self.usable <= 1:
            raise AmatError(
                f"A node has {self.memory:g} bytes, of which {self.usable:g} are usable: "
                "give positive bytes, and a part of at most 1."
            )


#: An example, not a particular machine.
ASSUMED_NODE = Node(cores=128, memory=512e9)


def fit_memory(cells: pd.DataFrame, model: str, quantity: str = "allocated_simulate_B") -> Fit:
    """Fit the memory that cells of a model take, in bytes of all processes.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of `amat.benchmark.collect.read_cells`.
    model : str
        The neuron's name in NEST.
    quantity : str
        A column in bytes.
    """
    return fit_growth(cells[cells["model"] == model], quantity, MEMORY_TERMS)


def fit_time(cells: pd.DataFrame, model: str) -> Fit:
    """Fit the time that the simulation of cells of a model takes, in seconds, to the cells with cores of their own."""
    used = cells[(cells["model"] == model) & (cells["shared_cores"] != "yes")]
    return fit_growth(used, "simulate_s", TIME_TERMS)


def fit_all(cells: pd.DataFrame, quantity: str = "allocated_simulate_B") -> dict[str, tuple[Fit, Fit]]:
    """Fit memory and time of all models whose cells tell neurons from synapses, and updates from the rest.

    Parameters
    ----------
    cells : pandas.DataFrame
    quantity : str
        Of memory.

    Returns
    -------
    dict of str to (Fit, Fit)
        Memory and time by the model's name; models with too few different cells are not in it.
    """
    fits = {}
    for model in dict.fromkeys(cells["model"]):
        of_model = cells[(cells["model"] == model) & (cells["shared_cores"] != "yes")]
        if len(of_model) < 2:
            continue
        memory, time = fit_memory(cells, model, quantity), fit_time(cells, model)
        if not {"neuron", "static synapse"} - set(memory.positive) and not {"update"} - set(time.positive):
            fits[model] = memory, time
    return fits


def fit_growth(cells: pd.DataFrame, quantity: str, terms: Sequence[Term]) -> Fit:
    """Fit a sum of terms to the cells of one model.

    Parameters
    ----------
    cells : pandas.DataFrame
    quantity : str
    terms : sequence of Term

    Returns
    -------
    Fit

    Raises
    ------
    AmatError
        If there are fewer cells than two, or of several models.
    """
    models = sorted(set(cells["model"]))
    if len(models) != 1 or len(cells) < 2:
        raise AmatError(
            f"A growth model is fitted to the cells of one model, two at least, and not to {len(cells)} of "
            f"{', '.join(models) or 'none'}: measure more by `amat benchmark run`."
        )
    measured = cells[quantity].to_numpy(dtype=float)
    columns = _columns(quantity, cells)[[term.name for term in terms]].to_numpy() * _scale(quantity)
    weighted = columns / measured[:, None]
    told = _told(weighted)
    values = np.zeros(len(terms))
    values[told] = _solve(weighted[:, told], np.ones(len(measured)))
    for _ in range(ROUNDS):
        # Twice too much counts as much as half: relative to the measured alone, least squares would fit too little.
        size = np.sqrt(measured * np.maximum(columns @ values, 1e-3 * measured))
        values[told] = _solve(columns[:, told] / size[:, None], measured / size)
    lower, upper = _resample(columns[:, told] / size[:, None], measured / size)
    bounds = np.full((2, len(terms)), np.nan)
    bounds[0, told], bounds[1, told] = lower, upper
    table = pd.DataFrame(
        [
            {
                "term": term.name,
                "unit": term.unit,
                "formula": term.formula,
                "meaning": term.meaning,
                "value": values[number],
                "lower": bounds[0, number],
                "upper": bounds[1, number],
                "told": number in told,
            }
            for number, term in enumerate(terms)
        ]
    )
    fitted = columns @ values
    relative = fitted / measured - 1.0
    about = cells[["cell", "workload", "neurons", "indegree", "ranks", "threads", "seed"]].reset_index(drop=True)
    residuals = about.assign(measured=measured, fitted=fitted, relative_error=relative)
    return Fit(
        model=models[0],
        quantity=quantity,
        terms=table,
        residuals=residuals,
        r_squared=_explained(measured, fitted),
        median_error=float(np.median(np.abs(relative))),
        largest_error=float(np.max(np.abs(relative))),
    )


def extrapolate(
    memory: Fit,
    time: Fit,
    nodes: Sequence[int],
    *,
    node: Node = ASSUMED_NODE,
    workload: str = "network",
    indegree: int = 1000,
    rate: float = RATE,
    resolution: float = 0.1,
) -> pd.DataFrame:
    """Say what fits into so many nodes, and how long it would take at least, if all went on as in the measured cells.

    This goes far beyond what was measured. What shows only with many processes - the exchange of spikes, what each
    process keeps of all neurons - is in it as far as cells with several ranks told it, and else not at all: the largest
    network is then an upper bound, and the time a lower one.

    Parameters
    ----------
    memory, time : Fit
        Of the same model; memory of a quantity in bytes.
    nodes : sequence of int
    node : Node
    workload : {"neurons", "network", "plastic"}
    indegree : int
        Synapses of a neuron, in networks.
    rate : float
        Spikes/s of a neuron.
    resolution : float
        Time step, ms.

    Returns
    -------
    pandas.DataFrame
        One row for each number of nodes: ``model``, ``nodes``, ``cores``, ``neurons`` (the most that can be),
        ``synapses``, ``limit`` (what would limit first: ``memory``, or ``synapses of a thread``, which NEST numbers by
        27 bits), ``memory_B`` of all nodes that the network takes, ``real_time_factor`` (at least), ``exchange`` and
        ``tables`` (bool): whether these are in the numbers.

    Raises
    ------
    AmatError
        If the fits are of different models, or the memory of a node holds no neuron.
    """
    if memory.model != time.model:
        raise AmatError(f"The memory of {memory.model} and the time of {time.model}: fit both to the same model.")
    degree = 0 if workload == "neurons" else indegree
    common: dict[str, Any] = {"workload": workload, "duration_ms": 1e3, "resolution_ms": resolution}
    rows = []
    for number in nodes:
        ranks, threads = number * node.ranks, node.cores // node.ranks
        about = {"ranks": ranks, "threads": threads, "indegree": degree}
        one = pd.DataFrame([{**about, "neurons": n, "spikes": n * rate} for n in (0, 1)]).assign(**common)
        fixed, with_neuron = memory.predict(one)
        available = number * node.memory * node.usable
        if fixed >= available or with_neuron <= fixed:
            raise AmatError(
                f"{number} node(s) of {node.memory:g} bytes hold no neuron beside {fixed:.3g} bytes of the processes, "
                "or the fit gives a neuron no memory: assume larger nodes, or measure more sizes."
            )
        by_memory = (available - fixed) / (with_neuron - fixed)
        most = {"memory": by_memory}
        if workload != "neurons":
            local = indegree * (EXCITATORY if workload == "plastic" else 1.0)
            most["synapses of a thread"] = LARGEST_LOCAL_SYNAPSES * number * node.cores / local
        limit = min(most, key=lambda name: most[name])
        neurons = int(most[limit])
        full = pd.DataFrame([{**about, "neurons": neurons, "spikes": neurons * rate}]).assign(**common)
        rows.append(
            {
                "model": memory.model,
                "nodes": number,
                "cores": number * node.cores,
                "neurons": neurons,
                "synapses": neurons * degree,
                "limit": limit,
                "memory_B": float(memory.predict(full).iloc[0]),
                "real_time_factor": float(time.predict(full).iloc[0]),
                "exchange": "exchange" in time.told,
                "tables": "neuron on a process" in memory.told,
            }
        )
    return pd.DataFrame(rows)


def extrapolate_all(
    fits: Mapping[str, tuple[Fit, Fit]], nodes: Sequence[int], *, node: Node = ASSUMED_NODE, indegree: int = 1000
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Extrapolate static networks of several models.

    Parameters
    ----------
    fits : mapping of str to (Fit, Fit)
        Of `fit_all`, to the largest resident memory where a limit of memory is wanted.
    nodes : sequence of int
    node : Node
    indegree : int

    Returns
    -------
    table : pandas.DataFrame
        Of `extrapolate`.
    shares : pandas.DataFrame
        Bytes that each term takes on the most nodes: one row a model, one column a term that takes any.
    """
    tables, shares = [], {}
    for model, (memory, time) in fits.items():
        table = extrapolate(memory, time, nodes, node=node, indegree=indegree)
        tables.append(table)
        last = table.sort_values("nodes").iloc[-1]
        full = {"neurons": last["neurons"], "ranks": last["nodes"] * node.ranks, "threads": node.cores // node.ranks}
        row = pd.DataFrame([{**full, "indegree": indegree, "workload": "network"}])
        shares[model] = memory.parts(row).set_axis(memory.terms["term"], axis=1).iloc[0]
    if not tables:
        return pd.DataFrame(columns=["model", "nodes"]), pd.DataFrame()
    taken = pd.DataFrame(shares).T
    return pd.concat(tables, ignore_index=True), taken.loc[:, (taken > 0).any()]


def _columns(quantity: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Return what the coefficients of all terms of a quantity are multiplied by."""
    neurons, ranks, threads = (cells[name].to_numpy(dtype=float) for name in ("neurons", "ranks", "threads"))
    indegree = cells["indegree"].to_numpy(dtype=float)
    plastic_share = np.where(cells["workload"] == "plastic", EXCITATORY, 0.0)
    networked = (cells["workload"] != "neurons").to_numpy(dtype=float)
    columns: Mapping[str, NDArray[np.float64]]
    if quantity.endswith("_B"):
        synapses = neurons * indegree
        columns = {
            "process": ranks,
            "neuron": neurons,
            "static synapse": synapses * (1.0 - plastic_share),
            "plastic synapse": synapses * plastic_share,
            "neuron of a network": neurons * networked,
            "thread": ranks * threads,
            # With one process that is the neuron itself.
            "neuron on a process": neurons * (ranks - 1.0),
        }
    else:
        duration = cells["duration_ms"].to_numpy(dtype=float)
        steps = duration / cells["resolution_ms"].to_numpy(dtype=float)
        events = cells["spikes"].to_numpy(dtype=float) * indegree
        cores = ranks * threads
        slices = duration / SLICE
        columns = {
            "update": neurons * steps / cores,
            "delivery": events * (1.0 - plastic_share) / cores,
            "plastic delivery": events * plastic_share / cores,
            "input": networked * neurons * steps / cores,
            "slice": slices,
            "exchange": slices * ranks * (ranks > 1.0),
        }
    return pd.DataFrame(columns, index=cells.index)


def _scale(quantity: str) -> float:
    """Return how large a coefficient's unit is in that of the quantity: nanoseconds in seconds, bytes in bytes."""
    return 1.0 if quantity.endswith("_B") else 1e-9


def _told(columns: NDArray[np.float64]) -> list[int]:
    """Return the numbers of the columns that are no combination of those before them."""
    chosen: list[int] = []
    for number in range(columns.shape[1]):
        column = columns[:, number]
        size = np.linalg.norm(column)
        if size == 0 or len(chosen) + 1 > len(columns):
            continue
        if chosen:
            others = columns[:, chosen] / np.linalg.norm(columns[:, chosen], axis=0)
            left = column - others @ np.linalg.lstsq(others, column, rcond=None)[0]
            if np.linalg.norm(left) < DISTINCT * size:
                continue
        chosen.append(number)
    return chosen


def _solve(columns: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.linalg.norm(columns, axis=0)
    sizes = np.where(sizes > 0, sizes, 1.0)
    return np.asarray(optimize.nnls(columns / sizes, values)[0] / sizes)


def _resample(
    columns: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % interval of coefficients by the Bayesian bootstrap: cells get random weights.

    Drawing whole cells would leave out some that alone tell a term.
    """
    random = np.random.default_rng(0)
    drawn = np.empty((RESAMPLES, columns.shape[1]))
    for number in range(RESAMPLES):
        weights = np.sqrt(random.exponential(size=len(values)))
        drawn[number] = _solve(columns * weights[:, None], values * weights)
    lower, upper = np.quantile(drawn, (0.025, 0.975), axis=0)
    return np.asarray(lower), np.asarray(upper)


def _explained(measured: NDArray[np.float64], fitted: NDArray[np.float64]) -> float:
    """Return R² of the logarithms; NaN where all cells are equal, or a fitted value is zero."""
    if (fitted <= 0).any() or np.ptp(measured) == 0:
        return float("nan")
    logarithms = np.log(measured)
    left = np.sum((logarithms - np.log(fitted)) ** 2)
    return float(1.0 - left / np.sum((logarithms - logarithms.mean()) ** 2))
