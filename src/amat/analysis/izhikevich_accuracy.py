# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of integration schemes for Izhikevich's neuron at a constant current.

The equations are not linear, so every scheme is approximate. Spike times are compared with the solution in continuous
time. The same solution with its spikes moved to the grid of time steps shows the error that remains when the
integration between spikes is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from amat.analysis.convergence import Scheme, nest_parameters
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons import IzhikevichParameters, IzhikevichPattern, izhikevich_patterns
from amat.simulation.continuous import TOLERANCE, izhikevich_reference
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, count_steps

__all__ = ["EXACT_ON_GRID", "HEUN", "RUNGE_KUTTA", "SCHEMES", "TOLERANCE", "spike_time_errors"]

#: Izhikevich's regular spiking neuron, with the default parameters of the models in NEST.
NEURON: IzhikevichPattern = replace(
    izhikevich_patterns()["tonic_spiking"], parameters=IzhikevichParameters(), V_0=-65.0, u_0=-13.0
)

#: Heun's method in this project's generated code.
HEUN = "Heun (this project)"
#: The default of NESTML.
RUNGE_KUTTA = "Runge-Kutta 4(5) (NESTML)"
#: The solution in continuous time with its spikes moved to the grid.
EXACT_ON_GRID = "exact, spikes on the grid"

SCHEMES = (
    Scheme("izhikevich", "Euler (NEST)", {"consistent_integration": True}),
    Scheme("izhikevich", "2003 scheme (NEST)", {"consistent_integration": False}),
    Scheme("izhikevich_neuron_opt", HEUN),
    Scheme("izhikevich_neuron_nestml", RUNGE_KUTTA),
)


def spike_time_errors(currents: Sequence[float], duration: float = 2000.0, resolution: float = 0.1) -> pd.DataFrame:
    """Compare the spike times of schemes in NEST with those in continuous time.

    Parameters
    ----------
    currents : sequence of float
        Constant currents in pA (mV/ms in the equation).
    duration, resolution : float
        In ms.

    Returns
    -------
    pandas.DataFrame
        One row per current and scheme, including `EXACT_ON_GRID`, with the columns

        ============== ============================================================================================
        current        in pA
        scheme         name of the scheme
        spikes         number of spikes compared: the smaller of the scheme's and the solution's
        interval       mean inter-spike interval of the solution, ms
        first_spike    error of the first spike's time, ms; positive if late
        interval_error error of the mean interval, ms; also the drift of the spike train with each spike
        ============== ============================================================================================

    Raises
    ------
    AmatError
        If there are fewer than three spikes to compare.
    """
    rows = []
    for current in currents:
        exact = izhikevich_reference(NEURON, current, 0.0, duration).spike_times
        for scheme, found in _spike_trains(current, duration, resolution):
            spikes = min(len(found), len(exact))
            if spikes < 3:
                raise AmatError(
                    f"{scheme} has {spikes} spikes to compare at {current} pA in {duration} ms; 3 are needed: simulate "
                    "longer."
                )
            error = found[:spikes] - exact[:spikes]
            rows.append(
                {
                    "current": current,
                    "scheme": scheme,
                    "spikes": spikes,
                    "interval": (exact[spikes - 1] - exact[0]) / (spikes - 1),
                    "first_spike": error[0],
                    "interval_error": (error[-1] - error[0]) / (spikes - 1),
                }
            )
    return pd.DataFrame(rows)


def _spike_trains(current: float, duration: float, resolution: float) -> Iterator[tuple[str, Floats]]:
    """Yield the name and the spike times (ms) of each scheme, and of the solution on the grid."""
    silent = Stimulus(np.zeros(count_steps(duration, resolution)))
    for scheme in SCHEMES:
        neuron = {**nest_parameters(NEURON), "I_e": current, **scheme.settings}
        recordings = simulate({scheme.model: [neuron]}, [silent], resolution).recordings
        yield scheme.name, recordings[scheme.model].spike_times()
    yield EXACT_ON_GRID, izhikevich_reference(NEURON, current, 0.0, duration, resolution=resolution).spike_times
