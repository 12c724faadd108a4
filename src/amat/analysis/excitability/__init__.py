# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Firing under a constant current: f-I curves, classes of excitability, adaptation and hysteresis, of both models.

A neuron at rest receives a step of current. The rate is measured at the onset of the response and at its end. How
firing begins as the current grows is Hodgkin's classification [1]_:

========  ===========================================================================================================
class 1   sustained firing begins with a rate that goes to zero
class 2   sustained firing begins with a finite rate
phasic    firing begins with spikes at the step's onset only (class 3); sustained firing takes more, or does not occur
========  ===========================================================================================================

The search for currents starts at the neuron's rest and goes in the direction of its pattern's stimulus, so that
neurons excited by inhibition are treated like the others. A *distance* is a current minus that at rest, in this
direction.

No finite measurement distinguishes a rate that goes to zero from a low one. The test is whether the steady-state rate
still falls near the onset. In class 1 the rate at `NEAR` beyond the least current of sustained firing is less than
`FALL` times the rate at `FAR` beyond it. This ratio is 0.1 for the square root of a saddle-node on an invariant circle
[2]_, about one half for the logarithm of an AMAT neuron (see `steady_interval`), and about 1 for a jump to a finite
rate. The criterion errs in both directions. It counts as class 1 a jump to a rate far below that at `FAR`, and an
interval near the onset that is too long for the run. It counts as class 2 an interval that grows without bound, but by
little in each decade of the distance. The results contain the ratio, so that another limit can be applied.

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
    StepResponse,
    SustainedType,
    classify_onset,
    classify_sustained,
    measure_step,
)
from amat.analysis.excitability.staircases import find_hysteresis, simulate_staircase
from amat.analysis.excitability.steps import PATTERNS, fi_curves, find_onsets, representative_neurons
from amat.analysis.excitability.theory import lowest_sustained_current, steady_interval

__all__ = [
    "FALL",
    "FAR",
    "NEAR",
    "PATTERNS",
    "PHASIC_BAND",
    "STEADY_PART",
    "OnsetType",
    "StepResponse",
    "SustainedType",
    "classify_onset",
    "classify_sustained",
    "fi_curves",
    "find_hysteresis",
    "find_onsets",
    "lowest_sustained_current",
    "measure_step",
    "representative_neurons",
    "simulate_staircase",
    "steady_interval",
]
