# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Tables of the patterns that each parameter set shows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from amat.analysis.patterns.criteria import CRITERIA
from amat.analysis.patterns.trials import Response, load_trials, run_trials
from amat.neurons.published import heiberg_patterns

__all__ = ["SETS", "table_of_traces", "table_of_verdicts", "verdict_sets"]

#: Parameter sets by label, with the arguments of `amat.analysis.patterns.load_trials`.
SETS = {
    "AMAT, validated": ("amat", "validated"),
    "AMAT, validated, tau_v = 5.5 ms": ("amat", "validated-unequal"),
    "AMAT, as printed, tau_m = 10 ms": ("amat", "printed-10"),
    "AMAT, as printed, tau_m = 5 ms": ("amat", "printed-5"),
    "Izhikevich, as published": ("izhikevich", "validated"),
}
_HEIBERG = {"AMAT, Heiberg's Table 4": ("amat", "heiberg2018")}


def verdict_sets() -> dict[str, tuple[str, str]]:
    """Return `SETS`, and Heiberg's Table 4 if it has been typed into data/heiberg2018_table4.csv."""
    return SETS | (_HEIBERG if heiberg_patterns() else {})


def table_of_verdicts(
    labels: Sequence[str] = (), *, resolution: float = 0.1
) -> tuple[pd.DataFrame, dict[str, list[Response]]]:
    """Simulate all patterns of some parameter sets, and apply their criteria.

    Parameters
    ----------
    labels : sequence of str
        Keys of `verdict_sets`; all of them if empty.
    resolution : float
        Time step of AMAT in ms.

    Returns
    -------
    table : pandas.DataFrame
        One row per set and pattern: ``set``, ``pattern``, ``passed``, ``reason``, ``spikes`` (number) and ``h_ms``.
    responses : dict of str to list of Response
        By set, in the order of `CRITERIA`.
    """
    rows, responses, sets = [], {}, verdict_sets()
    for label in labels or sets:
        model, parameters = sets[label]
        catalogue = load_trials(model, parameters, resolution)  # type: ignore[arg-type]
        # A table that is typed in row by row may not have all patterns yet.
        responses[label] = run_trials([catalogue[name] for name in CRITERIA if name in catalogue])
        for response in responses[label]:
            verdict = CRITERIA[response.trial.neuron.pattern].decide(response)
            rows.append(
                {
                    "set": label,
                    "pattern": response.trial.neuron.pattern,
                    "passed": verdict.passed,
                    "reason": verdict.reason,
                    "spikes": len(response.spikes),
                    "h_ms": response.trial.neuron.resolution,
                }
            )
    return pd.DataFrame(rows), responses


def table_of_traces(response: Response) -> pd.DataFrame:
    """Return a response as a tidy table, one row per step.

    Returns
    -------
    pandas.DataFrame
        ``time_ms`` (the end of the step), ``I_pA`` (during it; ``I_mV_per_ms`` for Izhikevich's neuron), ``V_m_mV``,
        for AMAT ``V_th_mV``, and ``spike``, whether the step ended with one.
    """
    amat = response.trial.neuron.model == "amat"
    spike = np.zeros(len(response.V_m), dtype=bool)
    spike[np.rint(response.spikes / response.trial.neuron.resolution).astype(int) - 1] = True
    table = pd.DataFrame(
        {"time_ms": response.time, "I_pA" if amat else "I_mV_per_ms": response.trial.current_on_grid()}
    )
    table["V_m_mV"] = response.V_m
    if amat:
        table["V_th_mV"] = response.V_th
    return table.assign(spike=spike)
