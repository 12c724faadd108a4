# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Comparison of AMAT without voltage dependence with other implementations of the MAT neuron."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amat import toolchain
from amat.neurons import AmatParameters
from amat.simulation.run import Recording, simulate
from amat.simulation.stimuli import PoissonInput, Stimulus, pulses

__all__ = ["LIBRARY_MODEL", "NEST_MODEL", "compare_mat_models", "dead_times"]

#: NEST's built-in MAT neuron, and the one in NESTML's library, built by the checked code generator.
NEST_MODEL = "mat2_psc_exp"
LIBRARY_MODEL = "mat2_psc_exp_neuron_nestml"

#: Parameters that the MAT models lack.
_AMAT_ONLY = {"beta", "tau_v"}

_RESOLUTION = 0.1  # ms


def compare_mat_models(
    cells: Mapping[str, AmatParameters], *, seed: int = 1
) -> tuple[pd.DataFrame, dict[str, Recording]]:
    """Compare AMAT with beta = 0 and NESTML's library model with NEST's ``mat2_psc_exp``.

    Parameters
    ----------
    cells : mapping of str to AmatParameters
        Neurons whose beta is zero.
    seed : int
        The seed of the Poisson input, which is added to a current step of 1.5 times the rheobase; the simulation lasts
        1 s.

    Returns
    -------
    table : pandas.DataFrame
        One row per cell and model: ``cell``, ``model``, ``spikes``, ``nest_spikes``, ``identical``, and the
        largest deviations ``V_m`` and ``V_th`` in mV; NaN if the model does not record them.
    recordings : dict of str to Recording
        By the model's name in NEST, the cells in the order of `cells`.
    """
    parameters = list(cells.values())
    stimuli = [
        Stimulus(
            pulses(1000.0, _RESOLUTION, [50.0], [1000.0], [1.5 * p.omega * p.C_m / p.tau_m]),
            PoissonInput(4000.0, 1000.0, 0.02 * p.omega * p.C_m, -0.02 * p.omega * p.C_m / p.tau_syn_inh),
        )
        for p in parameters
    ]
    record = {NEST_MODEL: ["V_m", "V_th"], LIBRARY_MODEL: ["V_m"], toolchain.AMAT: ["V_m", "V_th"]}
    recordings = simulate(_populations(parameters), stimuli, _RESOLUTION, record=record, seed=seed).recordings
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


def dead_times(refractory_times: Sequence[float]) -> pd.DataFrame:
    """Measure the smallest inter-spike interval of each model with neurons that fire at their highest rate.

    Parameters
    ----------
    refractory_times : sequence of float
        The values of ``refr_T`` in ms.

    Returns
    -------
    pandas.DataFrame
        Intervals in time steps; one row per refractory time, one column per model.
    """
    # The threshold falls with each spike, so that nothing but the refractory time limits the rate.
    neurons = [AmatParameters(alpha_1=-1.0, refr_T=refr_T) for refr_T in refractory_times]
    stimulus = Stimulus(pulses(500.0, _RESOLUTION, [5.0], [500.0], [500.0]))
    recordings = simulate(_populations(neurons), [stimulus] * len(neurons), _RESOLUTION).recordings
    shortest = {
        model: [int(np.diff(steps).min()) for steps in recording.spike_steps] for model, recording in recordings.items()
    }
    return pd.DataFrame(shortest, index=pd.Index(refractory_times, name="refractory time (ms)"))


def _populations(neurons: Sequence[AmatParameters]) -> dict[str, list[dict[str, Any]]]:
    """Return the same neurons for each model, with the parameter names of that model."""
    return {
        NEST_MODEL: [_without(p.to_nest()) for p in neurons],
        LIBRARY_MODEL: [_without(p.to_nestml()) for p in neurons],
        toolchain.AMAT: [p.to_nestml() for p in neurons],
    }


def _without(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _AMAT_ONLY}


def _deviation(ours: Recording, nest: Recording, name: str, i: int) -> float:
    if name not in ours.traces:
        return float("nan")
    return float(np.abs(ours.traces[name][i] - nest.traces[name][i]).max())
