# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""How firing depends on a constant current: f-I curves, how they begin, adaptation and hysteresis, for both models.

A neuron at rest gets a step of current. The rate is measured at the onset of the response and at its end. How firing
begins as the current grows is Hodgkin's classification [1]_:

========  ===========================================================================================================
class 1   sustained firing begins with a rate that goes to zero
class 2   sustained firing begins with a finite rate
phasic    firing begins with spikes at the step's onset only (class 3); sustained firing takes more, or does not occur
========  ===========================================================================================================

Currents are searched for from the neuron's rest in the direction of its pattern's own stimulus, so that neurons excited
by inhibition are treated like the others. A *distance* is a current minus that at rest, in this direction.

No finite measurement tells a rate that goes to zero from a low one. What is tested is whether the steady-state rate
still falls as the current comes near: `NEAR` beyond the least current of sustained firing it is less than `FALL` times
that at `FAR` beyond (class 1), or not (class 2). With the square root of a saddle-node on an invariant circle [2]_ this
ratio is 0.1, with the logarithm of an AMAT neuron (see `steady_interval`) about one half, and with a jump to a finite
rate about 1. The criterion errs in both directions: a jump to a rate far below that at `FAR` counts as class 1, and so
does an interval near the onset that is too long for the run; an interval that grows without bound, but by little in
each decade of the distance, counts as class 2. The ratio is in the results, so that another line can be drawn.

References
----------
.. [1] Hodgkin AL (1948). J. Physiol. 107:165-181. doi:10.1113/jphysiol.1948.sp004260
.. [2] Rinzel J, Ermentrout GB (1998). Analysis of neural excitability and oscillations. In: Methods in Neuronal
   Modeling, 2nd ed., MIT Press.
"""

from amat.analysis.excitability.measures import (
    FALL,
    FAR,
    NEAR,
    PHASIC_BAND,
    STEADY_PART,
    OnsetType,
    SustainedType,
    TrainMeasures,
    classify_onset,
    classify_sustained,
    measure_step,
)
from amat.analysis.excitability.staircases import hysteresis, staircase
from amat.analysis.excitability.steps import PATTERNS, UNITS, fi_curves, find_onsets, representative_trials
from amat.analysis.excitability.theory import lowest_sustained_current, steady_interval

__all__ = [
    "FALL",
    "FAR",
    "NEAR",
    "PATTERNS",
    "PHASIC_BAND",
    "STEADY_PART",
    "UNITS",
    "OnsetType",
    "SustainedType",
    "TrainMeasures",
    "classify_onset",
    "classify_sustained",
    "fi_curves",
    "find_onsets",
    "hysteresis",
    "lowest_sustained_current",
    "measure_step",
    "representative_trials",
    "staircase",
    "steady_interval",
]
