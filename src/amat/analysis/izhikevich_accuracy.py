# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What Izhikevich's neuron loses by its integration scheme and by the grid, at a constant current.

Its equations are not linear, and every scheme is an approximation. How good one is shows in spike times, beside the
solution in continuous time (`amat.analysis.convergence.izhikevich_reference`). The same solution with its spikes
moved to the grid, as simulators do, tells what is left for a scheme to win: nothing can be expected to be nearer to
the truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amat.analysis.convergence import TOLERANCE, Scheme, izhikevich_reference
from amat.errors import AmatError
from amat.neurons import IzhikevichParameters, IzhikevichPattern, izhikevich_patterns
from amat.simulation.run import simulate
from amat.simulation.stimuli import Stimulus, count_steps

__all__ = ["EXACT_ON_GRID", "HEUN", "NEURON", "RUNGE_KUTTA", "SCHEMES", "TOLERANCE", "spike_time_errors"]

#: The regular spiking neuron whose parameters are the defaults of the models in NEST.
NEURON: IzhikevichPattern = replace(
    izhikevich_patterns()["tonic_spiking"], parameters=IzhikevichParameters(), V_0=-65.0, u_0=-13.0
)

#: Heun's method by the project's code generator, NESTML's default, and the solution whose spikes alone are on the grid.
HEUN = "Heun (this project)"
RUNGE_KUTTA = "Runge-Kutta 4(5) (NESTML)"
EXACT_ON_GRID = "exact, spikes on the grid"

SCHEMES = (
    Scheme("izhikevich", "Euler (NEST)", {"consistent_integration": True}),
    Scheme("izhikevich", "2003 scheme (NEST)", {"consistent_integration": False}),
    Scheme("izhikevich_neuron_opt", HEUN),
    Scheme("izhikevich_neuron_nestml", RUNGE_KUTTA),
)


def spike_time_errors(
    currents: Sequence[float], duration: float = 2000.0, resolution: float = 0.1, schemes: Sequence[Scheme] = SCHEMES
) -> pd.DataFrame:
    """Compare the spike times of schemes in NEST with those in continuous time.

    Parameters
    ----------
    currents : sequence of float
        Constant from the start on, in pA (mV/ms in the equation).
    duration, resolution : float
        In ms.
    schemes : sequence of Scheme

    Returns
    -------
    pandas.DataFrame
        One row a current and scheme, and `EXACT_ON_GRID`: ``current``; ``scheme``; ``spikes``, how many are compared,
        which is the lesser of what the scheme and the solution have; ``interval``, the solution's mean inter-spike
        interval; and the errors, late being positive: ``first_spike``; ``interval_error``, that of the mean interval,
        which is also by how much a spike train drifts away with each spike. Times are in ms.

    Raises
    ------
    AmatError
        If there are fewer than three spikes to compare.
    """
    rows = []
    for current in currents:
        exact = izhikevich_reference(NEURON, current, 0.0, duration).spike_times
        for scheme, found in _spike_trains(current, duration, resolution, schemes):
            spikes = min(len(found), len(exact))
            if spikes < 3:
                raise AmatError(f"{spikes} spikes at {current} pA in {duration} ms: simulate longer.")
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


def _spike_trains(
    current: float, duration: float, resolution: float, schemes: Sequence[Scheme]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the name and the spike times (ms) of each scheme, and of the solution on the grid."""
    silent = Stimulus(np.zeros(count_steps(duration, resolution)))
    p = NEURON.parameters
    parameters: dict[str, Any] = {"a": p.a, "b": p.b, "c": p.c, "d": p.d, "V_th": p.V_peak}
    parameters |= {"V_m": NEURON.V_0, "U_m": NEURON.u_0}
    for scheme in schemes:
        neuron = {**parameters, "I_e": current, **scheme.settings}
        recordings = simulate({scheme.model: [neuron]}, [silent], resolution).recordings
        yield scheme.name, recordings[scheme.model].spike_times()
    yield EXACT_ON_GRID, izhikevich_reference(NEURON, current, 0.0, duration, resolution=resolution).spike_times
