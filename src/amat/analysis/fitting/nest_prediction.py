# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The prediction on NEST, with the generated model."""

from collections.abc import Callable

import numpy as np

from amat import toolchain
from amat.arrays import Floats
from amat.neurons import AmatParameters
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus

__all__ = ["INITIAL", "predict_on_nest"]

#: State at time zero besides the membrane potential, which is at rest: nothing of what was before.
INITIAL = {"V_th_v": 0.0, "V_th_dv": 0.0, "V_th_alpha_1": 0.0, "V_th_alpha_2": 0.0, "refr_counts": 0}


def predict_on_nest(
    parameters: AmatParameters,
    current: Floats,
    dt: float,
    *,
    delay: float = 0.0,
    model: str = toolchain.AMAT_OPT,
    progress: Callable[[int], None] | None = None,
) -> Floats:
    """Return the spike times of an AMAT neuron on NEST under a current, from rest, as they would be recorded.

    Parameters
    ----------
    parameters : AmatParameters
    current : ndarray, shape (steps,)
        In pA.
    dt : float
        Time step in ms, which must divide 1 ms.
    delay : float
        Delay of the recorded spikes in ms, which is added.
    model : str
        Name in NEST.
    progress : callable, optional
        As in `amat.simulation.run.simulate`.

    Returns
    -------
    ndarray, shape (spikes,)
        In ms.
    """
    result = simulate(
        {model: [parameters.to_nestml()]},
        [Stimulus(current)],
        dt,
        initial={model: [{"V_m": parameters.E_L, **INITIAL}]},
        progress=progress,
    )
    times: Floats = np.round(result.recordings[model].spike_times(), 9) + round(delay / dt) * dt
    return times
