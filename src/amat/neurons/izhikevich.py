# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Parameters of Izhikevich's neuron in the scheme of his paper of 2004.

References
----------
.. [1] Izhikevich EM (2004). IEEE Trans. Neural Netw. 15:1063-1070. doi:10.1109/TNN.2004.832719
"""

from dataclasses import dataclass
from typing import ClassVar

from amat.neurons.checks import ParameterSet

__all__ = ["IzhikevichParameters"]


@dataclass(frozen=True)
class IzhikevichParameters(ParameterSet):
    """Parameters of one of Izhikevich's neurons [1]_, with the names of the NESTML model `izhikevich_2004_neuron`.

    One step of the published scheme is ``V += h (q_2 V^2 + q_1 V + q_0 - u + I)``, then, with the new V,
    ``u += h a (b (V - V_ref) - leak u)``, then, if ``V > V_peak``, ``V = c`` and ``u += d``. The defaults are those of
    a regular spiking neuron.

    Attributes
    ----------
    a, b : float
        Rate of u, and its sensitivity to V, 1/ms.
    c : float
        Potential after a spike, mV.
    d : float
        Step of u at a spike, mV/ms.
    V_peak : float
        Potential above which the neuron is reset, mV.
    q_2, q_1, q_0 : float
        Coefficients of V^2, V and 1 in V's equation.
    leak : float
        Whether u decays (1) or not (0, in the pattern of accommodation).
    V_ref : float
        Potential from which u is driven, mV.
    I_e : float
        Constant input current, mV/ms.

    Raises
    ------
    ParameterError
        If a value is not a finite number.
    """

    kind: ClassVar[str] = "Izhikevich parameter"

    a: float = 0.02
    b: float = 0.2
    c: float = -65.0
    d: float = 8.0
    V_peak: float = 30.0
    q_2: float = 0.04
    q_1: float = 5.0
    q_0: float = 140.0
    leak: float = 1.0
    V_ref: float = 0.0
    I_e: float = 0.0
