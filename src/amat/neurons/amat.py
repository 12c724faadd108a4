# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT's parameters: names, units and conventions.

AMAT is written down in three conventions, which differ in names, units and in the meaning of `omega`:

========================  ==========================  =====================  ==========================
quantity                  NESTML (this library)       NEST `amat2_psc_exp`   Yamauchi et al. (2011)
========================  ==========================  =====================  ==========================
resting threshold         omega, mV above E_L         omega, mV, absolute    omega, mV above rest
refractory time           refr_T, ms                  t_ref, ms              tau_R, ms
synaptic time constants   tau_syn_exc, tau_syn_inh    tau_syn_ex, _in        none
membrane                  tau_m (ms), C_m (pF)        tau_m (ms), C_m (pF)   tau_m (ms), R (MOhm)
constant current          I_e, pA                     I_e, pA                I, nA
========================  ==========================  =====================  ==========================

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from amat.checks import require_finite, require_positive
from amat.errors import ParameterError
from amat.neurons.checks import ParameterSet, require_known, select_parameters

__all__ = ["UNITS", "AmatParameters"]

#: Unit of each field of `AmatParameters`.
UNITS: Mapping[str, str] = {
    "tau_m": "ms",
    "C_m": "pF",
    "refr_T": "ms",
    "E_L": "mV",
    "tau_syn_exc": "ms",
    "tau_syn_inh": "ms",
    "tau_1": "ms",
    "tau_2": "ms",
    "alpha_1": "mV",
    "alpha_2": "mV",
    "beta": "1/ms",
    "tau_v": "ms",
    "omega": "mV",
    "I_e": "pA",
}

_NEST_NAMES = {"refr_T": "t_ref", "tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in"}
_SINGULAR_PAIRS = (
    ("tau_m", "tau_syn_exc"),
    ("tau_m", "tau_syn_inh"),
    ("tau_m", "tau_v"),
    ("tau_v", "tau_syn_exc"),
    ("tau_v", "tau_syn_inh"),
)


@dataclass(frozen=True)
class AmatParameters(ParameterSet):
    """Parameters of one AMAT neuron, with NESTML's names and NEST's units.

    The defaults are those of NEST's `amat2_psc_exp`. With ``beta = 0`` the neuron is a MAT neuron.

    Attributes
    ----------
    tau_m : float
        Membrane time constant, ms.
    C_m : float
        Membrane capacitance, pF.
    refr_T : float
        Absolute refractory time, ms.
    E_L : float
        Resting potential, mV.
    tau_syn_exc, tau_syn_inh : float
        Time constants of the excitatory and inhibitory synaptic currents, ms.
    tau_1, tau_2 : float
        Fast and slow time constants of the adaptive threshold, ms.
    alpha_1, alpha_2 : float
        Jumps of the threshold's fast and slow part at a spike, mV.
    beta : float
        Strength of the threshold's dependence on the membrane potential's derivative, 1/ms.
    tau_v : float
        Time constant of that dependence, ms.
    omega : float
        Resting threshold, mV above `E_L`.
    I_e : float
        Constant input current, pA.

    Raises
    ------
    ParameterError
        If a value is not a finite number or is out of its range; see `validate`.
    """

    kind: ClassVar[str] = "AMAT parameter"

    tau_m: float = 10.0
    C_m: float = 200.0
    refr_T: float = 2.0
    E_L: float = -70.0
    tau_syn_exc: float = 1.0
    tau_syn_inh: float = 3.0
    tau_1: float = 10.0
    tau_2: float = 200.0
    alpha_1: float = 10.0
    alpha_2: float = 0.0
    beta: float = 0.0
    tau_v: float = 5.0
    omega: float = 5.0
    I_e: float = 0.0

    def validate(self, resolution: float | None = None) -> None:
        """Check every value, and the refractory time against a simulation's time step.

        Construction has already checked all that needs no `resolution`.

        Parameters
        ----------
        resolution : float, optional
            Time step of the simulation, ms.

        Raises
        ------
        ParameterError
            If a time constant, `C_m` or `refr_T` is not positive, or `refr_T` is shorter than `resolution`.
        """
        for name in UNITS:
            if name.startswith("tau_") or name in ("C_m", "refr_T"):
                require_positive(name, getattr(self, name), UNITS[name])
        if resolution is not None and self.refr_T < resolution:
            raise ParameterError(
                f"refr_T must be at least one time step of {resolution:g} ms, got {self.refr_T:g} ms: "
                "raise it, or choose a finer resolution."
            )

    def time_constant_pairs(self) -> list[tuple[str, str, float]]:
        """Return the relative distances of the time constants whose equality makes closed-form propagators singular.

        Returns
        -------
        list of (str, str, float)
            The names a and b and ``|a - b| / max(a, b)``: 0 where they are equal, towards 1 far apart.
        """
        pairs = []
        for name_a, name_b in _SINGULAR_PAIRS:
            a, b = getattr(self, name_a), getattr(self, name_b)
            pairs.append((name_a, name_b, abs(a - b) / max(a, b)))
        return pairs

    def to_nest(self) -> dict[str, float]:
        """Return the values by the names of NEST's `amat2_psc_exp`, `omega` absolute (mV)."""
        values = self.to_nestml() | {"omega": self.E_L + self.omega}
        return {_NEST_NAMES.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_nest(cls, values: Mapping[str, float]) -> Self:
        """Return a set from values by the names of NEST's `amat2_psc_exp`.

        The others take NEST's default. As in NEST, a changed `E_L` leaves the absolute `omega`
        (-65 mV) where it is.

        Parameters
        ----------
        values : mapping of str to float
            Parameters, or what NEST's ``neuron.get()`` returns, whose other entries are left out.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        defaults = cls().to_nest()
        complete = {**defaults, **select_parameters("amat2_psc_exp parameter", values, defaults)}
        named = {name: complete[_NEST_NAMES.get(name, name)] for name in UNITS}
        named["omega"] = require_finite("omega", named["omega"]) - require_finite("E_L", named["E_L"])
        return cls(**named)

    def to_paper(self) -> dict[str, float]:
        """Return the values by the names and units of Yamauchi et al. (2011) [1]_.

        Returns
        -------
        dict
            R (MOhm), tau_m, tau_R, tau_1, tau_2, tau_v (ms), alpha_1, alpha_2, omega above rest (mV),
            beta (1/ms), I (nA). The table has no `E_L` and no synapses.
        """
        return {
            "R": 1e3 * self.tau_m / self.C_m,
            "tau_m": self.tau_m,
            "tau_R": self.refr_T,
            "tau_1": self.tau_1,
            "tau_2": self.tau_2,
            "tau_v": self.tau_v,
            "alpha_1": self.alpha_1,
            "alpha_2": self.alpha_2,
            "beta": self.beta,
            "omega": self.omega,
            "I": 1e-3 * self.I_e,
        }

    @classmethod
    def from_paper(cls, values: Mapping[str, float]) -> Self:
        """Return a set from values by the names and units of Yamauchi et al. (2011) [1]_; see `to_paper`.

        The others take the default (R = 50 MOhm); `E_L` and the synapses keep theirs.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        defaults = cls().to_paper()
        require_known("parameter of Yamauchi 2011", values, defaults)
        complete = {name: require_finite(name, value) for name, value in {**defaults, **values}.items()}
        resistance = complete.pop("R")
        require_positive("R", resistance, "MOhm")
        return cls(
            C_m=1e3 * complete["tau_m"] / resistance,
            refr_T=complete.pop("tau_R"),
            I_e=1e3 * complete.pop("I"),
            **complete,
        )
