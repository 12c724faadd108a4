# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Rounds of measurements, their files, and their statistics."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from amat.benchmark.families import Contender
from amat.compendium.provenance import provenance_record
from amat.errors import AmatError
from amat.files import write_json, write_text

__all__ = ["Measure", "Store", "run_rounds", "summarise"]

#: Measures one contender once, and returns the columns of a row.
Measure = Callable[[Contender], Mapping[str, Any]]

_RECORD = "provenance.json"


class Store:
    """Rows of measurements in a CSV file, which is written anew, and whole, after each round.

    What is in the file already is kept if it was measured with the same settings, so that a run that was stopped
    goes on where it was; else it is replaced. ``provenance.json`` beside it tells the settings and what ran.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
        The file's name, without its ending.
    settings : mapping
        All that two measurements must agree in to stand in one table; fit for JSON.
    """

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        self.path = folder / f"{name}.csv"
        record = folder / _RECORD
        records = json.loads(record.read_text()) if record.is_file() else {}
        same = records.get(name, {}).get("settings") == json.loads(json.dumps(settings))
        self.rows: list[dict[str, Any]] = []
        if same and self.path.is_file():
            self.rows = _read(self.path)
        write_json(record, records | {name: provenance_record(settings=settings)})

    def has(self, case: str, number: int, contenders: Sequence[Contender]) -> bool:
        """Tell whether a round is there, with all that take part."""
        rows = [row for row in self.rows if row["case"] == case and row["round"] == number]
        there = {(row["model"], row["module"]) for row in rows}
        return {(c.model, c.module) for c in contenders} <= there

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add the rows of a round in place of any that are there for it, and write the file."""
        rounds = {(row["case"], row["round"]) for row in rows}
        kept = [row for row in self.rows if (row["case"], row["round"]) not in rounds]
        self.rows = [*kept, *map(dict, rows)]
        text = io.StringIO()
        pd.DataFrame(self.rows).to_csv(text, index=False, float_format="%.9g")
        write_text(self.path, text.getvalue())

    def table(self, cases: Sequence[str]) -> pd.DataFrame:
        """Return the rows of some cases."""
        return pd.DataFrame([row for row in self.rows if row["case"] in cases])


def run_rounds(
    store: Store,
    case: str,
    contenders: Sequence[Contender],
    measure: Measure,
    rounds: int,
    *,
    check: Callable[[Sequence[Mapping[str, Any]]], None] = lambda rows: None,
    progress: Callable[[str], None] = lambda what: None,
) -> None:
    """Measure all contenders in turn, `rounds` times; the one that begins changes from round to round.

    Parameters
    ----------
    store : Store
        Receives the rows: ``case``, ``round``, ``model``, ``kind``, ``label``, ``module`` and what
        `measure` returns.
    case : str
    contenders : sequence of Contender
    measure : callable
    rounds : int
    check : callable
        Called with the rows of each round before they are stored.
    progress : callable
        Called with a description after each measurement, also for those that were there already.

    Raises
    ------
    AmatError
        If there is less than one round.
    """
    if rounds < 1:
        raise AmatError(f"{rounds} rounds: at least one is needed, and ten or more for a median that holds.")
    for number in range(rounds):
        first = number % len(contenders)
        rows = []
        there = store.has(case, number, contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            if not there:
                rows.append({"case": case, "round": number, **asdict(contender), **measure(contender)})
            progress(f"{case}: {contender.model}")
        if rows:
            check(rows)
            store.add(rows)


def summarise(table: pd.DataFrame, value: str, *, reference: str = "hand", also: Sequence[str] = ()) -> pd.DataFrame:
    """Compare each contender with the reference, round by round.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns ``case``, ``round``, ``model``, ``kind``, ``label`` and `value`.
    value : str
        The column to compare.
    reference : str
        The kind of the contender that the others are divided by.
    also : sequence of str
        Further columns, whose medians are wanted.

    Returns
    -------
    pandas.DataFrame
        One row a case and model, in the order of their first measurement: ``case``, ``model``, ``kind``, ``label``;
        ``reference``, the model that was divided by; ``rounds``; ``median``, the median of `value`; and of the
        ratios ``ratio`` (their median), ``lower`` and ``upper`` (quartiles), ``least`` and ``largest``; the columns
        `also`.
    """
    rows = []
    for case, of_case in table.groupby("case", sort=False):
        values = of_case.pivot(index="round", columns="model", values=value)
        about = of_case.drop_duplicates("model").set_index("model")
        medians = of_case.groupby("model")[list(also)].median()
        references = about.index[about["kind"] == reference]
        for model in about.index:
            ratios = (values[model] / values[references[0]]).dropna() if len(references) else pd.Series(dtype=float)
            rows.append(
                {
                    "case": case,
                    "model": model,
                    "kind": about.loc[model, "kind"],
                    "label": about.loc[model, "label"],
                    "reference": references[0] if len(references) else "",
                    "rounds": len(ratios),
                    "median": values[model].median(),
                    "ratio": ratios.median(),
                    "lower": ratios.quantile(0.25),
                    "upper": ratios.quantile(0.75),
                    "least": ratios.min(),
                    "largest": ratios.max(),
                    **medians.loc[model],
                }
            )
    return pd.DataFrame(rows)


def _read(path: Path) -> list[dict[str, Any]]:
    table = pd.read_csv(path, keep_default_na=False, dtype={"module": str})
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
