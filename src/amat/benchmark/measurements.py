# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measurements in rounds: the order of models, their file, and the statistics of ratios."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from amat.benchmark.families import Contender
from amat.compendium.provenance import provenance_record
from amat.errors import AmatError
from amat.files import write_json, write_text

__all__ = [
    "FEWEST_SEEDS",
    "LOCK",
    "Check",
    "Plan",
    "Store",
    "check_activity",
    "median_interval",
    "run_rounds",
    "summarise",
]

#: Measures a contender once and returns the columns of a row.
Measure = Callable[[Contender], Mapping[str, Any]]
#: Raises an error if the rows of a round are not comparable.
Check = Callable[[Sequence[Mapping[str, Any]]], None]

_RECORD = "provenance.json"

_REMEDY = "name another folder (--output), or remove this file"

#: With fewer seeds or rounds there is no interval.
FEWEST_SEEDS = 3
#: The probability with which an interval should cover the median, if there are enough of them.
COVERAGE = 0.95

#: The file in the output folder that one benchmark locks.
LOCK = ".lock"


@dataclass(frozen=True)
class Plan:
    """One case of a benchmark.

    Attributes
    ----------
    case : str
        Its name.
    contenders : sequence of Contender
    measure : callable
    check : callable
        Called with the rows of each round before they are stored.
    """

    case: str
    contenders: Sequence[Contender]
    measure: Measure
    check: Check = lambda rows: None


class Store:
    """Rows of measurements in a CSV file, which is written atomically after each round.

    Rows that are in the file already are kept, so that a stopped run resumes. ``provenance.json`` in the same folder
    records the settings and versions of their measurement; rows are never mixed with others, nor replaced by them.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
        Of the file, without its suffix.
    settings : mapping
        Everything that must be equal for measurements in one table; serialisable as JSON.

    Raises
    ------
    AmatError
        If the file was measured with other settings.
    """

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        self.path = folder / f"{name}.csv"
        record = folder / _RECORD
        records = json.loads(record.read_text()) if record.is_file() else {}
        self.rows: list[dict[str, Any]] = []
        if not self.path.is_file():
            write_json(record, records | {name: provenance_record(settings=settings)})
            return
        before = records.get(name, {}).get("settings", {})
        wanted = json.loads(json.dumps(settings))
        if others := [key for key in sorted({*before, *wanted}) if before.get(key) != wanted.get(key)]:
            shown = ", ".join(f"{key} {before.get(key)} instead of {wanted.get(key)}" for key in others)
            raise AmatError(f"{self.path} was measured with {shown}: {_REMEDY}.")
        table = pd.read_csv(self.path, keep_default_na=False, dtype={"module": str})
        self.rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]

    def check(self, plan: Plan, rounds: int) -> None:
        """Refuse a plan that would replace measurements of other models, or mix those of two modules of a model.

        Raises
        ------
        AmatError
            If the file has another module of a model, or a round that must be repeated has other models.
        """
        modules = {contender.model: contender.module for contender in plan.contenders}
        for row in self.rows:
            if row["case"] != plan.case:
                continue
            if modules.get(row["model"], row["module"]) != row["module"]:
                raise AmatError(f"{self.path} has measurements of another build of {row['model']}: {_REMEDY}.")
            repeated = row["round"] < rounds and not self.has(plan.case, row["round"], plan.contenders)
            if repeated and row["model"] not in modules:
                raise AmatError(
                    f"{self.path} has rounds of {plan.case} with {row['model']} and without all models that are wanted "
                    f"now: measure all of them together, or {_REMEDY}."
                )

    def has(self, case: str, number: int, contenders: Sequence[Contender]) -> bool:
        """Return whether the file has a round with all contenders."""
        rows = [row for row in self.rows if row["case"] == case and row["round"] == number]
        measured = {(row["model"], row["module"]) for row in rows}
        return {(c.model, c.module) for c in contenders} <= measured

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add the rows of a round, replace older rows of that round, and write the file."""
        rounds = {(row["case"], row["round"]) for row in rows}
        kept = [row for row in self.rows if (row["case"], row["round"]) not in rounds]
        self.rows = [*kept, *map(dict, rows)]
        write_text(self.path, pd.DataFrame(self.rows).to_csv(index=False, float_format="%.9g"))

    def table(self, cases: Sequence[str]) -> pd.DataFrame:
        """Return the rows of some cases."""
        return pd.DataFrame([row for row in self.rows if row["case"] in cases])


def run_rounds(store: Store, plan: Plan, rounds: int, progress: Callable[[str], None] = lambda task: None) -> None:
    """Measure all contenders in turn, in several rounds; each round begins with another contender.

    Parameters
    ----------
    store : Store
        Receives rows with ``case``, ``round``, the attributes of the contender, and the measured columns.
    plan : Plan
    rounds : int
    progress : callable
        Called with a description after each measurement, also for those in the file already.
    """
    for number in range(rounds):
        first = number % len(plan.contenders)
        rows = []
        measured = store.has(plan.case, number, plan.contenders)
        for contender in (*plan.contenders[first:], *plan.contenders[:first]):
            if not measured:
                rows.append({"case": plan.case, "round": number, **asdict(contender), **plan.measure(contender)})
            progress(f"{plan.case}: {contender.model}")
        if rows:
            plan.check(rows)
            store.add(rows)


def check_activity(rows: Sequence[Mapping[str, Any]], *, builds: Sequence[str], tolerance: float) -> None:
    """Refuse a round in which builds do not fire like NEST's built-in model, which would not be the same work.

    Parameters
    ----------
    rows : sequence of mapping
        With ``case``, ``model``, ``build``, ``spikes`` and ``rate``.
    builds : sequence of str
        The builds to compare with NEST's built-in model.
    tolerance : float
        Allowed relative difference of rates. Networks are chaotic, so that single spikes differ in them.

    Raises
    ------
    AmatError
        If a rate differs by more than that, or NEST's built-in model does not spike.
    """
    nest = next(row for row in rows if row["build"] == "nest")
    if not nest["spikes"]:
        raise AmatError(f"{nest['case']}: {nest['model']} does not spike. Simulate longer.")
    for row in rows:
        if row["build"] in builds and abs(row["spikes"] - nest["spikes"]) > tolerance * nest["spikes"]:
            raise AmatError(
                f"{row['case']}: {row['model']} spikes {row['spikes']} times ({row['rate']:.2f}/s) and "
                f"{nest['model']} {nest['spikes']} times ({nest['rate']:.2f}/s) with the same parameters and input. "
                "This is a fault of the generated model: check it with `amat validate`."
            )


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the sign interval of the median, which is exact for every distribution.

    Its ends are two of the values: with few values the least and the largest, which then cover less than 95 %.

    Parameters
    ----------
    values : sequence of float

    Returns
    -------
    lower, upper, coverage : float
        NaN with fewer than `FEWEST_SEEDS` values. The coverage is the probability that such an interval contains the
        median.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n < FEWEST_SEEDS:
        return (float("nan"),) * 3

    def coverage(dropped: int) -> float:
        return float(1.0 - 2.0 * stats.binom.cdf(dropped, n, 0.5))

    dropped = 0
    while coverage(dropped + 1) >= COVERAGE:
        dropped += 1
    return float(ordered[dropped]), float(ordered[n - 1 - dropped]), coverage(dropped)


def summarise(table: pd.DataFrame, value: str, *, reference: str = "nest", also: Sequence[str] = ()) -> pd.DataFrame:
    """Compare each contender with the reference within each round.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns ``case``, ``round``, ``model``, ``build``, ``label`` and `value`.
    value : str
        The column to compare.
    reference : str
        The build by which the others are divided.
    also : sequence of str
        Further columns whose medians are returned.

    Returns
    -------
    pandas.DataFrame
        One row per case and model, in the order of their first measurement: ``case``, ``model``, ``build``, ``label``;
        ``reference``, the model in the denominator; ``rounds``; ``median`` of `value`; of the ratios ``ratio``
        (median), ``lower`` and ``upper`` of `median_interval`, ``least`` and ``largest``; the columns `also`.
    """
    rows = []
    for case, of_case in table.groupby("case", sort=False):
        values = of_case.pivot(index="round", columns="model", values=value)
        about = of_case.drop_duplicates("model").set_index("model")
        medians = of_case.groupby("model")[list(also)].median()
        references = about.index[about["build"] == reference]
        for model in about.index:
            ratios = (values[model] / values[references[0]]).dropna() if len(references) else pd.Series(dtype=float)
            lower, upper, _ = median_interval(list(ratios))
            rows.append(
                {
                    "case": case,
                    "model": model,
                    **about.loc[model, ["build", "label"]],
                    "reference": references[0] if len(references) else "",
                    "rounds": len(ratios),
                    "median": values[model].median(),
                    "ratio": ratios.median(),
                    "lower": lower,
                    "upper": upper,
                    "least": ratios.min(),
                    "largest": ratios.max(),
                    **medians.loc[model],
                }
            )
    return pd.DataFrame(rows)
