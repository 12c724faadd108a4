# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Rate models: a linear filter and a static nonlinearity, fitted to transfer functions and tested on other input.

A linear-nonlinear (LN) model says that the rate is ``F(nu (1 + (h * m)(t)))``: F is the rate under stationary Poisson
input of excitatory rate nu, with inhibition as it is, m the relative modulation, and h a filter. Two are compared,

    low-pass     G exp(-s d) / (1 + s / w_c)
    band-pass    (G + B s) exp(-s d) / (1 + s / (Q w_0) + (s / w_0)^2),     s = 2 pi i f

of first and of second order, with a delay d. The second contains the first, and is a band-pass where its gain has a
maximum above zero frequency. Both are fitted to the relative transfer function of `amat.analysis.transfer`, whose slow
limit is the logarithmic slope of F; h is what was fitted, divided by this slope.
"""

from amat.analysis.rate_models.curves import (
    LARGEST,
    SINUSOID,
    TARGET,
    RateCurve,
    add_depths,
    curve_of,
    find_working_points,
    limit_depths,
    local_rates,
)
from amat.analysis.rate_models.filters import (
    TOLERANCE,
    FilterFit,
    FilterKind,
    compare_filters,
    fit_filter,
    group_responses,
)
from amat.analysis.rate_models.natural import (
    evaluate_natural,
    explained,
    linear_coherence,
    natural_modulation,
    predict,
)

__all__ = [
    "LARGEST",
    "SINUSOID",
    "TARGET",
    "TOLERANCE",
    "FilterFit",
    "FilterKind",
    "RateCurve",
    "add_depths",
    "compare_filters",
    "curve_of",
    "evaluate_natural",
    "explained",
    "find_working_points",
    "fit_filter",
    "group_responses",
    "limit_depths",
    "linear_coherence",
    "local_rates",
    "natural_modulation",
    "predict",
]
