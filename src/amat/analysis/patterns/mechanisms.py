# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Mechanisms by which AMAT's threshold produces the 20 firing patterns, in words."""

from collections.abc import Mapping

from amat.neurons.checks import Catalogue

__all__ = ["MECHANISMS"]

#: One or two sentences on each pattern, with the parameters of the validated set.
MECHANISMS: Mapping[str, str] = Catalogue(
    "pattern",
    {
        "tonic_spiking": (
            "The fast jump of the threshold ($\\alpha_1 > 0$) decays after each spike until the threshold "
            "meets the constant potential again. With no slow part ($\\alpha_2 = 0$) all intervals are equal."
        ),
        "phasic_spiking": (
            "The current alone is too weak. While the potential rises, a negative $\\beta$ lowers the "
            "threshold, so that they meet once; when the potential is constant, this effect is over."
        ),
        "tonic_bursting": (
            "A spike first lowers the threshold ($\\alpha_1 < 0$), so that the next follows at once. The slow"
            " part ($\\alpha_2 > 0$) adds up until it ends the burst, and must decay before the next one."
        ),
        "phasic_bursting": (
            "A negative $\\beta$ lowers the threshold while the potential rises, and a negative $\\alpha_1$ "
            "turns the spike at the onset into a burst."
        ),
        "mixed_mode": (
            "As in tonic bursting, a negative $\\alpha_1$ makes the first spikes a burst. The slow part is so"
            " large that afterwards it allows only single spikes."
        ),
        "spike_frequency_adaptation": (
            "The slow part of the threshold ($\\alpha_2 > 0$, with the time constant $\\tau_2$) adds up over "
            "spikes, so that the threshold needs longer to meet the potential."
        ),
        "class_1": (
            "The threshold at rest is met first at one current, where the interval is limited by the slow "
            "decay of the threshold ($\\alpha_2 > 0$). The rate therefore begins near zero."
        ),
        "class_2": (
            "Each spike lowers the slow part of the threshold ($\\alpha_2 < 0$). As soon as the first spike "
            "occurs, the following ones need less current, and the rate jumps."
        ),
        "spike_latency": (
            "The voltage-dependent part of the threshold lags behind the potential by about $\\tau_v$. It is "
            "lowest ($\\beta < 0$) after the pulse, while the potential decays, and there the two meet."
        ),
        "subthreshold_oscillations": (
            "After the spike the potential falls, and a positive $\\beta$ makes the threshold fall after it "
            "with a delay. Their distance overshoots its final value."
        ),
        "resonator": (
            "A pulse first raises the threshold ($\\beta > 0$) and then, as the potential falls, lowers it. A"
            " second pulse fires if it comes while the threshold is low, and not if it comes earlier or "
            "later."
        ),
        "integrator": (
            "The membrane alone decides: the second pulse fires if the potential has not decayed since the "
            "first. The threshold is constant until a spike ($\\beta = 0$)."
        ),
        "rebound_spiking": (
            "When inhibition ends, the potential returns. With a strongly negative $\\beta$ the threshold "
            "falls below it while it rises."
        ),
        "rebound_bursting": (
            "As in rebound spiking, the threshold falls below the returning potential; a negative $\\alpha_1$"
            " makes the response a burst."
        ),
        "threshold_variability": (
            "Excitation after inhibition meets a threshold that the returning potential has lowered ($\\beta "
            "< 0$). The same excitation alone does not reach it."
        ),
        "bistability": (
            "The constant current is just too weak. Once a pulse has fired the neuron, each spike lowers the "
            "slow part of the threshold ($\\alpha_2 < 0$), and firing maintains itself."
        ),
        "depolarizing_after_potential": (
            "After the spike the fast part of the threshold decays, and a negative slow part remains "
            "($\\alpha_2 < 0$). The distance from threshold is smaller than at rest for a while."
        ),
        "accommodation": (
            "Only a fast rise of the potential lowers the threshold ($\\beta < 0$) far enough. A slow ramp to"
            " a larger potential does not."
        ),
        "inhibition_induced_spiking": (
            "Inhibition lowers the potential, and a large positive $\\beta$ lowers the threshold further, so "
            "that it falls below the potential."
        ),
        "inhibition_induced_bursting": (
            "As in inhibition-induced spiking, the threshold falls below the potential; a negative "
            "$\\alpha_1$ makes the response a burst."
        ),
    }.items(),
)
