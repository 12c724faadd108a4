"""AMAT without its voltage dependence beside the other implementations of the MAT neuron."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from amat import toolchain
from amat.parameters import AmatParameters
from amat.protocols import PoissonInput, Stimulus, pulses
from amat.simulation import Recording, simulate

__all__ = ["LIBRARY_MODEL", "NEST_MODEL", "compare_mat_models"]

#: NEST's hand-written MAT neuron, and the one in NESTML's library.
NEST_MODEL = "mat2_psc_exp"
LIBRARY_MODEL = "mat2_psc_exp_neuron_nestml"

#: Parameters that the MAT models don't have.
_AMAT_ONLY = {"beta", "tau_v"}


def compare_mat_models(
    cells: Mapping[str, AmatParameters], *, resolution: float = 0.1, duration: float = 1000.0, seed: int = 1
) -> tuple[pd.DataFrame, dict[str, Recording]]:
    """Compare AMAT with beta = 0 and NESTML's library model with NEST's ``mat2_psc_exp``.

    Parameters
    ----------
    cells : mapping of str to AmatParameters
        Their beta must be zero.
    resolution, duration : float
        In ms.
    seed : int
        Of the Poisson input, which comes on top of a current step of 1.5 times the rheobase.

    Returns
    -------
    table : pandas.DataFrame
        One row a cell and model: ``cell``, ``model``, ``spikes``, ``nest_spikes``, ``identical``, and the
        largest deviations ``V_m`` and ``V_th`` in mV; NaN where the model does not record it.
    recordings : dict of str to Recording
        By the model's name in NEST, the cells in the order of `cells`.
    """
    parameters = list(cells.values())
    stimuli = [
        Stimulus(
            pulses(duration, resolution, [50.0], [duration], [1.5 * p.omega * p.C_m / p.tau_m]),
            PoissonInput(4000.0, 1000.0, 0.02 * p.omega * p.C_m, -0.02 * p.omega * p.C_m / p.tau_syn_inh),
        )
        for p in parameters
    ]
    populations = {
        NEST_MODEL: [_without(p.to_nest()) for p in parameters],
        LIBRARY_MODEL: [_without(p.to_nestml()) for p in parameters],
        toolchain.AMAT: [p.to_nestml() for p in parameters],
    }
    record = {NEST_MODEL: ["V_m", "V_th"], LIBRARY_MODEL: ["V_m"], toolchain.AMAT: ["V_m", "V_th"]}
    recordings = simulate(populations, stimuli, resolution, record=record, seed=seed).recordings
    nest = recordings[NEST_MODEL]
    rows = []
    for model in (toolchain.AMAT, LIBRARY_MODEL):
        ours = recordings[model]
        for i, cell in enumerate(cells):
            rows.append(
                {
                    "cell": cell,
                    "model": model,
                    "spikes": len(ours.spike_steps[i]),
                    "nest_spikes": len(nest.spike_steps[i]),
                    "identical": np.array_equal(ours.spike_steps[i], nest.spike_steps[i]),
                    "V_m": _deviation(ours, nest, "V_m", i),
                    "V_th": _deviation(ours, nest, "V_th", i),
                }
            )
    return pd.DataFrame(rows), recordings


def _without(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _AMAT_ONLY}


def _deviation(ours: Recording, nest: Recording, name: str, i: int) -> float:
    if name not in ours.traces:
        return float("nan")
    return float(np.abs(ours.traces[name][i] - nest.traces[name][i]).max())
