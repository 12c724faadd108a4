# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Models that are twins: NEST's hand-written one, NESTML's, and ours, with parameters that are equal for all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from amat import toolchain
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = [
    "EMPTY",
    "FAMILIES",
    "KINDS",
    "Contender",
    "Family",
    "Parameters",
    "ablation_steps",
    "check_names",
    "choose",
    "draw",
    "twins",
]

#: The neuron that does nothing: what it takes is the kernel's share.
EMPTY = "empty_neuron_opt"

#: Who made a model, and what that is called in tables and figures.
KINDS = {
    "hand": "NEST",
    "stock": "NESTML",
    "opt": "ours",
    "ablation": "a step towards ours",
    "brian2": "Brian2",
    "kernel": "empty neuron",
}

#: Which parameters differ from neuron to neuron.
Parameters = Literal["equal", "different", "time constants"]


@dataclass(frozen=True)
class Contender:
    """What takes part in a measurement.

    Attributes
    ----------
    model : str
        Its name in NEST.
    kind : str
        One of `KINDS`.
    label : str
        What it is called in figures.
    module : str
        The beginning of its module's key; empty for NEST's own.
    """

    model: str
    kind: str
    label: str
    module: str = ""


@dataclass(frozen=True)
class Family:
    """Twins, and what they are driven with; all values by NESTML's names and units.

    Attributes
    ----------
    name, label : str
    hand, stock, opt : str or tuple of str
        Names in NEST.
    base : dict
        Parameters where they are equal; the potential at the start is ``E_L`` or `start`.
    ranges : dict
        Uniform ranges of the parameters that may differ from neuron to neuron; that of I_e is added to the current.
    I_e : tuple of float
        The constant current without and with synaptic input: neurons fire at 5 to 50 Hz in both.
    weight : float
        Of an excitatory synapse; an inhibitory one has -1.2 of it.
    start : tuple of float, optional
        Where potentials start that are drawn at random; without it between ``E_L`` and the threshold.
    """

    name: str
    label: str
    hand: str
    stock: tuple[str, ...]
    opt: str
    base: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    I_e: tuple[float, float]
    weight: float
    start: tuple[float, float] | None = None

    def to_nest(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return values for NEST's hand-written model, by its names and conventions."""
        if self.name == "amat":
            parameters = {name: value for name, value in values.items() if name != "V_m"}
            return AmatParameters.from_nestml(parameters).to_nest() | {"V_m": values["V_m"]}
        translated = {_NEST_NAMES.get(name, name): value for name, value in values.items()}
        if "omega" in values:  # relative to E_L in NESTML, absolute in NEST
            translated["omega"] = values["E_L"] + values["omega"]
        return translated


_NEST_NAMES = {"refr_T": "t_ref", "tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in"}

#: Time constants that differ: the ranges of those that meet in closed formulae stay 10 % apart.
_AMAT_TIME_CONSTANTS = {
    "tau_m": (8.0, 12.0),
    "tau_v": (4.0, 6.0),
    "tau_syn_exc": (0.8, 1.2),
    "tau_syn_inh": (2.4, 3.6),
    "tau_1": (8.0, 12.0),
    "tau_2": (160.0, 240.0),
}

_IAF = {"C_m": 250.0, "tau_m": 10.0, "refr_T": 2.0, "E_L": -70.0, "V_reset": -70.0, "V_th": -55.0}

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="amat",
            label="AMAT",
            hand="amat2_psc_exp",
            stock=("amat2_psc_exp_neuron_nestml",),
            opt="amat2_psc_exp_neuron_opt",
            base=AmatParameters(alpha_1=10.0, alpha_2=1.0, beta=-0.2).to_nestml(),
            ranges={
                "E_L": (-75.0, -65.0),
                "omega": (4.5, 5.5),
                "alpha_1": (5.0, 15.0),
                "alpha_2": (0.5, 1.5),
                "I_e": (-20.0, 20.0),
            },
            I_e=(140.0, 90.0),
            weight=100.0,
        ),
        Family(
            name="iaf_psc_exp",
            label="integrate-and-fire, exponential currents",
            hand="iaf_psc_exp",
            stock=("iaf_psc_exp_neuron_nestml",),
            opt="iaf_psc_exp_neuron_opt",
            base=_IAF | {"tau_syn_exc": 2.0, "tau_syn_inh": 2.0},
            ranges={"E_L": (-71.0, -69.0), "V_th": (-56.0, -55.0), "I_e": (-10.0, 20.0)},
            I_e=(410.0, 200.0),
            weight=40.0,
        ),
        Family(
            name="iaf_psc_alpha",
            label="integrate-and-fire, alpha currents",
            hand="iaf_psc_alpha",
            stock=("iaf_psc_alpha_neuron_nestml",),
            opt="iaf_psc_alpha_neuron_opt",
            base=_IAF | {"tau_syn_exc": 2.0, "tau_syn_inh": 2.0},
            ranges={"E_L": (-71.0, -69.0), "V_th": (-56.0, -55.0), "I_e": (-10.0, 20.0)},
            I_e=(410.0, 200.0),
            weight=15.0,
        ),
        Family(
            name="mat",
            label="MAT",
            hand="mat2_psc_exp",
            stock=("mat2_psc_exp_neuron_nestml",),
            opt="mat2_psc_exp_neuron_opt",
            base={
                **{"tau_m": 5.0, "C_m": 100.0, "refr_T": 2.0, "E_L": -70.0, "omega": 19.0},
                **{"tau_syn_exc": 1.0, "tau_syn_inh": 3.0, "tau_1": 10.0, "tau_2": 200.0},
                **{"alpha_1": 37.0, "alpha_2": 2.0},
            },
            ranges={"E_L": (-75.0, -65.0), "omega": (18.0, 20.0), "alpha_1": (30.0, 44.0), "I_e": (-20.0, 20.0)},
            I_e=(480.0, 380.0),
            weight=100.0,
        ),
        Family(
            name="izhikevich",
            label="Izhikevich",
            hand="izhikevich",
            stock=("izhikevich_neuron_nestml", "izhikevich_neuron_nestml_euler"),
            opt="izhikevich_neuron_opt",
            base={"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_th": 30.0, "U_m": -13.0, "V_m": -65.0},
            ranges={"d": (7.0, 9.0), "I_e": (-1.0, 1.0)},
            I_e=(6.0, 4.0),
            weight=0.5,
            start=(-70.0, -55.0),
        ),
    )
}


def twins(family: Family) -> list[Contender]:
    """Return a family's models, the hand-written one first."""
    generated = [(name, "stock") for name in family.stock] + [(family.opt, "opt")]
    return [Contender(family.hand, "hand", KINDS["hand"])] + [
        Contender(name, kind, KINDS[kind] + (", Euler" if name.endswith("euler") else "")) for name, kind in generated
    ]


def ablation_steps() -> list[Contender]:
    """Return AMAT's models on the way from NESTML's templates to ours, each with one more optimisation."""
    return [Contender(model.name, "ablation", model.label) for model in toolchain.ABLATION]


def choose(contenders: Iterable[Contender], models: Sequence[str] | None) -> list[Contender]:
    """Return those contenders that are named, and the hand-written one, to which the others are compared."""
    return [c for c in contenders if models is None or c.kind in ("hand", "kernel") or c.model in models]


def check_names(models: Sequence[str] | None) -> None:
    """Refuse models that no family has.

    Raises
    ------
    AmatError
        If a name is unknown.
    """
    known = [c.model for family in FAMILIES.values() for c in twins(family)] + ["brian2"]
    for model in models or ():
        if model not in known:
            raise AmatError(f"{model} is not among the models that are compared: choose of {', '.join(known)}.")


def draw(
    family: Family, neurons: int, *, parameters: Parameters, random_phases: bool, driven: bool, seed: int
) -> list[dict[str, float]]:
    """Draw the parameters and initial potentials of a population, by NESTML's names.

    Parameters
    ----------
    family : Family
    neurons : int
    parameters : {"equal", "different", "time constants"}
        Which parameters differ: none; those that no propagator depends on; AMAT's time constants as well.
    random_phases : bool
        Whether potentials start anywhere between rest and threshold, or all at rest.
    driven : bool
        Whether synaptic input comes on top of the constant current.
    seed : int

    Returns
    -------
    list of dict
        One for each neuron, or a single one where they are all equal.
    """
    random = np.random.default_rng(seed)
    ranges: dict[str, tuple[float, float]] = {}
    if parameters != "equal":
        ranges.update(family.ranges)
    if parameters == "time constants":
        if family.name != "amat":
            raise AmatError(f"Different time constants are measured of AMAT only, not of {family.label}.")
        ranges.update(_AMAT_TIME_CONSTANTS)
    current = family.I_e[driven]
    population = []
    for _ in range(neurons if ranges or random_phases else 1):
        drawn = {name: float(random.uniform(*bounds)) for name, bounds in ranges.items()}
        values = {**family.base, **drawn, "I_e": current + drawn.get("I_e", 0.0)}
        low, high = family.start or (values["E_L"], _threshold(values))
        rest = family.base.get("V_m", low)
        values["V_m"] = float(random.uniform(low, high)) if random_phases else rest
        population.append(values)
    return population


def _threshold(values: Mapping[str, float]) -> float:
    return float(values["V_th"] if "V_th" in values else values["E_L"] + values["omega"])
