# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The five findings of Heiberg et al. (2018) at each working point of a grid, with intervals over seeds."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from amat.analysis.rate_models import group_responses, shape_distances
from amat.analysis.working_points.matching import jackknife_interval, match
from amat.errors import AmatError

__all__ = ["FINDINGS", "Criteria", "distances_of", "pool_seeds", "summarise_findings", "usable_rows"]

#: Columns that name a working point and its modulated input.
_CELL = ["rate", "balance", "input", "depth"]
#: The findings with their statistics.
FINDINGS = {
    "i": "smaller of the models' fractions of neurons that the band-pass explains well",
    "ii": "smaller of the models' fractions of neurons that need the band-pass",
    "iii": "difference of the models' medians of the explained part, AMAT less Izhikevich",
    "iv": "larger of the models' numbers of response types per neuron",
    "v": "median distance of the responses to spikes of pairs matched in their response to current",
}


@dataclass(frozen=True)
class Criteria:
    """Thresholds of the findings.

    Attributes
    ----------
    well : float
        Part of a response to explain.
    many : float
        Fraction of the neurons above which finding (i) or (ii) holds.
    needed : float
        Gain of AICc above which the band-pass is needed.
    few : float
        Number of types per neuron up to which finding (iv) holds.
    tolerance : float
        Largest distance of responses of one type, and least distance of different responses in finding (v).
    switching : float
        Fano factor above which a neuron switches between silence and fast firing, and is left out.
    ceiling : float
        Part of a transfer function's power that must not be noise.
    """

    well: float = 0.8
    many: float = 0.5
    needed: float = 10.0
    few: float = 1 / 3
    tolerance: float = 0.35
    switching: float = 7.0
    ceiling: float = 0.5

    @property
    def thresholds(self) -> dict[str, tuple[float, int]]:
        """The threshold of each finding's statistic, and on which side of it the finding holds."""
        sides = {"i": (self.many, 1), "ii": (self.many, 1), "iii": (0.0, 1), "iv": (self.few, -1)}
        return {**sides, "v": (self.tolerance, 1)}


def usable_rows(grid: pd.DataFrame, criteria: Criteria = Criteria()) -> pd.DataFrame:
    """Return the rows of neurons that fire at the rate, do not switch between states, and respond above the noise.

    Whether a neuron is usable is decided from all seeds, so that the neurons are the same when one is left out.
    """
    whole = grid[grid["left_out"] == -1]
    kept = whole[whole["reached"] & (whole["fano"] < criteria.switching) & (whole["ceiling"] > criteria.ceiling)]
    names = [*_CELL, "model", "pattern"]
    return grid.merge(kept[names], on=names)


def pool_seeds(responses: pd.DataFrame, left_out: int = -1) -> pd.DataFrame:
    """Return transfer functions averaged over seeds, one of which can be left out.

    Parameters
    ----------
    responses : pandas.DataFrame
        From `amat.analysis.working_points.evaluate.evaluate_grid`.
    left_out : int
        Number of a seed, or -1.

    Returns
    -------
    pandas.DataFrame
        One row per neuron and frequency; ``pattern`` is the name of model and pattern, as ``amat:tonic_spiking``.
    """
    part = responses[responses["seed"] != left_out]
    part = part.assign(pattern=part["model"] + ":" + part["pattern"], square=part["sem"] ** 2)
    pooled = part.groupby(["model", "pattern", "frequency_Hz"], sort=False).agg(
        real=("real", "mean"), imag=("imag", "mean"), square=("square", "sum"), count=("square", "size")
    )
    pooled["sem"] = np.sqrt(pooled["square"]) / pooled["count"]
    return pooled.drop(columns=["square", "count"]).reset_index()


def distances_of(responses: pd.DataFrame) -> pd.DataFrame:
    """Return distances of the shapes of transfer functions as a square table with the neurons' names."""
    names, distances = shape_distances(responses)
    return pd.DataFrame(distances, index=names, columns=names)


def summarise_findings(
    grid: pd.DataFrame,
    responses: pd.DataFrame,
    currents: pd.DataFrame,
    criteria: Criteria = Criteria(),
) -> pd.DataFrame:
    """Test the five findings at each working point and under each modulated input.

    Parameters
    ----------
    grid, responses : pandas.DataFrame
        From `amat.analysis.working_points.evaluate.evaluate_grid`.
    currents : pandas.DataFrame
        Distances of the neurons' responses to steps of current: square, with names such as ``amat:tonic_spiking``.
    criteria : Criteria

    Returns
    -------
    pandas.DataFrame
        One row per working point, input and finding: rate, balance, input, depth, finding, statistic (see `FINDINGS`),
        low, high (95 % interval over seeds, by the jackknife), amat and izhikevich (usable neurons), verdict: "yes"
        or "no" if the interval is on one side of the threshold, and "open" otherwise.

    Raises
    ------
    AmatError
        If the grid has fewer than two seeds.
    """
    seeds = sorted(set(grid["left_out"]) - {-1})
    if len(seeds) < 2:
        raise AmatError(f"An interval over seeds needs at least two of them, got {len(seeds)}.")
    usable = usable_rows(grid, criteria)
    rows = []
    for cell, part in usable.groupby(_CELL, sort=False):
        own = responses.merge(part.loc[part["left_out"] == -1, [*_CELL, "model", "pattern"]])
        counts = part[part["left_out"] == -1]["model"].value_counts()
        values = {
            s: _statistics(part[part["left_out"] == s], pool_seeds(own, s), currents, criteria) for s in (-1, *seeds)
        }
        for finding in FINDINGS:
            value = values[-1][finding]
            low, high = jackknife_interval(value, np.array([values[s][finding] for s in seeds]))
            rows.append(
                {
                    **dict(zip(_CELL, cell, strict=True)),
                    "finding": finding,
                    "statistic": value,
                    "low": low,
                    "high": high,
                    "amat": int(counts.get("amat", 0)),
                    "izhikevich": int(counts.get("izhikevich", 0)),
                    "verdict": _judge(low, high, *criteria.thresholds[finding]),
                }
            )
    return pd.DataFrame(rows)


def _judge(low: float, high: float, threshold: float, side: int) -> str:
    """Return whether an interval is on the side of a threshold where a finding holds."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "open"
    nearest, farthest = (low, high) if side > 0 else (-high, -low)
    # The threshold itself is on the side where the finding of few types holds, and on the other one otherwise.
    limit = side * threshold + (0.0 if side > 0 else -1e-9)
    return "yes" if nearest > limit else "no" if farthest <= limit else "open"


def _statistics(
    scores: pd.DataFrame, responses: pd.DataFrame, currents: pd.DataFrame, criteria: Criteria
) -> dict[str, float]:
    """Return the statistics of the five findings; NaN with fewer than three neurons of a model."""
    models = [scores[scores["model"] == model] for model in ("amat", "izhikevich")]
    if min(len(part) for part in models) < 3:
        return dict.fromkeys(FINDINGS, math.nan)
    medians = [float(part["band_pass"].median()) for part in models]
    types = [
        group_responses(part, tolerance=criteria.tolerance)["group"].nunique() / part["pattern"].nunique()
        for _, part in responses.groupby("model")
    ]
    spikes = distances_of(responses)
    names = [[name for name in spikes.index if name.startswith(model)] for model in ("amat:", "izhikevich:")]
    pairs = match(currents.reindex(index=names[0], columns=names[1]).to_numpy(dtype=np.float64))
    matched = spikes.loc[names[0], names[1]].to_numpy(dtype=np.float64)[pairs]
    return {
        "i": min(float((part["band_pass"] > criteria.well).mean()) for part in models),
        "ii": min(float((part["gain_of_aicc"] > criteria.needed).mean()) for part in models),
        "iii": medians[0] - medians[1],
        "iv": max(types),
        "v": float(np.median(matched)) if len(matched) >= 3 else math.nan,
    }
