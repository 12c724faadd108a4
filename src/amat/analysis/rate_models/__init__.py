# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Linear-nonlinear rate models, fitted to transfer functions and tested on synthetic 1/f input.

In a linear-nonlinear (LN) model the firing rate is ``F(nu (1 + (h * m)(t)))``. F is the rate under stationary Poisson
input with the excitatory rate nu at constant inhibition, m is the relative modulation, and h is a filter. Two filters
are compared,

    low-pass     G exp(-s d) / (1 + s / w_c)
    band-pass    (G + B s) exp(-s d) / (1 + s / (Q w_0) + (s / w_0)^2),     s = 2 pi i f

of first and second order, with a delay d. The second contains the first, and is a band-pass if its gain has a maximum
above zero frequency. Both are fitted to the relative transfer function of `amat.analysis.transfer`. The function's slow
limit is the logarithmic slope of F, so h is the fitted filter divided by this slope.
"""

from amat.analysis.rate_models.curves import (
    LARGEST,
    SINUSOID,
    add_depths,
    find_working_points,
    limit_depths,
    local_rates,
)
from amat.analysis.rate_models.filters import TOLERANCE, compare_filters, group_responses, shape_distances
from amat.analysis.rate_models.synthetic import linear_coherence, predict_responses, synthetic_modulation

__all__ = [
    "LARGEST",
    "SINUSOID",
    "TOLERANCE",
    "add_depths",
    "compare_filters",
    "find_working_points",
    "group_responses",
    "limit_depths",
    "linear_coherence",
    "local_rates",
    "predict_responses",
    "shape_distances",
    "synthetic_modulation",
]
