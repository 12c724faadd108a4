# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neuron models in several builds, with parameters that are equal for all builds of a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from amat import toolchain
from amat.errors import AmatError
from amat.neurons import AmatParameters

__all__ = [
    "BUILDS",
    "CONTENDERS",
    "EMPTY",
    "FAMILIES",
    "TUNED",
    "Contender",
    "Family",
    "Parameters",
    "ablation_steps",
    "builds",
    "choose",
    "find_contender",
    "sample_population",
]

#: The builds of a model: NEST's built-in model, NESTML's unmodified generator, NESTML's templates with this project's
#: checks, and this project's generator.
BUILDS = ("nest", *get_args(toolchain.Codegen))

#: Which parameters differ from neuron to neuron.
Parameters = Literal["equal", "different", "time constants"]


@dataclass(frozen=True)
class Contender:
    """A model that takes part in a measurement.

    Attributes
    ----------
    model : str
        Name in NEST.
    family : str
        A name of `FAMILIES`; the empty neuron counts as AMAT.
    build : str
        One of `BUILDS`, ``"ablation"`` (a step from NESTML's templates to the optimised build), ``"empty"`` (a neuron
        that does nothing), ``"brian2"`` or ``"arbor"``.
    label : str
        Name in tables and figures.
    module : str
        The beginning of the key of the compiled module; empty for NEST's built-in models.
    """

    model: str
    family: str
    build: str
    label: str
    module: str = ""

    def translate(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return parameters, given by NESTML's names, by the names and conventions of this model."""
        if self.build == "empty":
            return {}
        return FAMILIES[self.family].to_nest(values) if self.build == "nest" else dict(values)


@dataclass(frozen=True)
class Family:
    """Builds of one neuron and the input that drives them. All values have NESTML's names and units.

    Attributes
    ----------
    name, label : str
    models : mapping of str to tuple of str
        Names in NEST by build.
    base : mapping
        Parameters where they are equal. The potential starts at ``E_L`` or at `start`.
    ranges : mapping
        Uniform ranges of the parameters that may differ from neuron to neuron; that of I_e is added to the current.
    I_e : tuple of float
        Constant current without and with synaptic input. Neurons fire at 5 to 50 Hz with either.
    weight : float
        Weight of an excitatory synapse; an inhibitory one has -1.2 times that.
    start : tuple of float, optional
        Range of random initial potentials; by default from ``E_L`` to the threshold.
    """

    name: str
    label: str
    models: Mapping[str, tuple[str, ...]]
    base: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    I_e: tuple[float, float]
    weight: float
    start: tuple[float, float] | None = None

    @property
    def nest(self) -> str:
        """The name of NEST's built-in model."""
        return self.models["nest"][0]

    @property
    def optimised(self) -> str:
        """The name of the optimised build."""
        return self.models["optimised"][0]

    def to_nest(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return parameters for NEST's built-in model, by its names and conventions."""
        if self.name == "amat":
            parameters = {name: value for name, value in values.items() if name != "V_m"}
            return AmatParameters.from_nestml(parameters).to_nest() | {"V_m": values["V_m"]}
        translated = {_NEST_NAMES.get(name, name): value for name, value in values.items()}
        if "omega" in values:  # relative to E_L in NESTML, absolute in NEST
            translated["omega"] = values["E_L"] + values["omega"]
        return translated


_NEST_NAMES = {"refr_T": "t_ref", "tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in"}

#: Ranges of different time constants: those that meet in closed formulae stay 10 % apart.
_AMAT_TIME_CONSTANTS = {
    "tau_m": (8.0, 12.0),
    "tau_v": (4.0, 6.0),
    "tau_syn_exc": (0.8, 1.2),
    "tau_syn_inh": (2.4, 3.6),
    "tau_1": (8.0, 12.0),
    "tau_2": (160.0, 240.0),
}


def _models(nest: str, *extra: str) -> dict[str, tuple[str, ...]]:
    """Return the names of a family's models by build; `extra` are further checked builds."""
    return {
        "nest": (nest,),
        "nestml": (f"{nest}_neuron_nestml_unmodified",),
        "nestml-checked": (f"{nest}_neuron_nestml", *extra),
        "optimised": (f"{nest}_neuron_opt",),
    }


def _integrate_and_fire(name: str, label: str, weight: float) -> Family:
    base = {"C_m": 250.0, "tau_m": 10.0, "refr_T": 2.0, "E_L": -70.0, "V_reset": -70.0, "V_th": -55.0}
    return Family(
        name=name,
        label=f"integrate-and-fire, {label} currents",
        models=_models(name),
        base=base | {"tau_syn_exc": 2.0, "tau_syn_inh": 2.0},
        ranges={"E_L": (-71.0, -69.0), "V_th": (-56.0, -55.0), "I_e": (-10.0, 20.0)},
        I_e=(410.0, 200.0),
        weight=weight,
    )


_EXPONENTIAL = _integrate_and_fire("iaf_psc_exp", "exponential", 40.0)

#: The neuron with delta synapses, whose weights are in mV; it has two builds, for comparison with other simulators.
_DELTA = replace(
    _EXPONENTIAL,
    name="iaf_psc_delta",
    label="integrate-and-fire, delta synapses",
    models={"nest": ("iaf_psc_delta",), "optimised": ("iaf_psc_delta_neuron_opt",)},
    base={name: value for name, value in _EXPONENTIAL.base.items() if not name.startswith("tau_syn")},
    weight=0.3,
)

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="amat",
            label="AMAT",
            models=_models("amat2_psc_exp"),
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
        _EXPONENTIAL,
        _integrate_and_fire("iaf_psc_alpha", "alpha", 15.0),
        Family(
            name="mat",
            label="MAT",
            models=_models("mat2_psc_exp"),
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
            models=_models("izhikevich", "izhikevich_neuron_nestml_euler"),
            base={"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_th": 30.0, "U_m": -13.0, "V_m": -65.0},
            ranges={"d": (7.0, 9.0), "I_e": (-1.0, 1.0)},
            I_e=(6.0, 4.0),
            weight=0.5,
            start=(-70.0, -55.0),
        ),
        _DELTA,
    )
}


def builds(family: Family) -> list[Contender]:
    """Return a family's models in the order of `BUILDS`, the first one NEST's built-in model."""
    return [
        Contender(model, family.name, build, f"{build}, Euler" if model.endswith("euler") else build)
        for build in BUILDS
        for model in family.models.get(build, ())
    ]


def ablation_steps() -> list[Contender]:
    """Return AMAT on the way from NESTML's templates to the optimised build, each with one optimisation more."""
    return [Contender(model.name, "amat", "ablation", model.label) for model in toolchain.ABLATION]


#: A neuron that does nothing: its time and memory are the kernel overhead.
EMPTY = Contender("empty_neuron_opt", "amat", "empty", "empty neuron")

#: Families for which a balanced network is tuned.
TUNED = ("amat", "izhikevich", "iaf_psc_exp", "iaf_psc_delta")

#: The models that a cell of a benchmark matrix can have, by name in NEST.
CONTENDERS = {contender.model: contender for name in TUNED for contender in builds(FAMILIES[name])}


def find_contender(model: str) -> Contender:
    """Return the contender of a name in NEST: one of `CONTENDERS`, an ablation step or the empty neuron.

    Raises
    ------
    AmatError
        If there is none.
    """
    for contender in (*CONTENDERS.values(), *ablation_steps(), EMPTY):
        if contender.model == model:
            return contender
    raise AmatError(f"{model} is not among the models that are measured: choose one of {', '.join(CONTENDERS)}.")


def choose(contenders: Iterable[Contender], codegen: Sequence[str] | None) -> list[Contender]:
    """Return the contenders of the chosen builds, NEST's built-in model as their reference, and the empty neuron."""
    kept = None if codegen is None else {"nest", "empty", *codegen}
    return [contender for contender in contenders if kept is None or contender.build in kept]


def sample_population(
    family: Family, neurons: int, *, parameters: Parameters, random_phases: bool, driven: bool, seed: int
) -> list[dict[str, float]]:
    """Sample the parameters and initial potentials of a population, by NESTML's names.

    Parameters
    ----------
    family : Family
    neurons : int
    parameters : {"equal", "different", "time constants"}
        Which parameters differ: none; those that no propagator depends on; AMAT's time constants as well.
    random_phases : bool
        Whether initial potentials are sampled between rest and threshold; otherwise all start at rest.
    driven : bool
        Whether synaptic input is added to the constant current.
    seed : int

    Returns
    -------
    list of dict
        One for each neuron, or a single one if all neurons are equal.

    Raises
    ------
    AmatError
        If different time constants are requested for a family other than AMAT.
    """
    random = np.random.default_rng(seed)
    ranges: dict[str, tuple[float, float]] = {}
    if parameters != "equal":
        ranges.update(family.ranges)
    if parameters == "time constants":
        if family.name != "amat":
            raise AmatError(f"Different time constants are measured for AMAT only, not for {family.label}.")
        ranges.update(_AMAT_TIME_CONSTANTS)
    current = family.I_e[driven]
    population = []
    for _ in range(neurons if ranges or random_phases else 1):
        sampled = {name: float(random.uniform(*bounds)) for name, bounds in ranges.items()}
        values = {**family.base, **sampled, "I_e": current + sampled.get("I_e", 0.0)}
        threshold = values["V_th"] if "V_th" in values else values["E_L"] + values["omega"]
        low, high = family.start or (values["E_L"], threshold)
        rest = family.base.get("V_m", low)
        values["V_m"] = float(random.uniform(low, high)) if random_phases else rest
        population.append(values)
    return population
