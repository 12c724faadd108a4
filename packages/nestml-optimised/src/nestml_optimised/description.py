# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Descriptions of a neuron in C++, ready for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nestml_optimised.errors import UnsupportedModelError

__all__ = [
    "Condition",
    "Formula",
    "Function",
    "Jump",
    "LinearSystem",
    "NeuronDescription",
    "NumericStep",
    "Receptor",
    "SliceBound",
    "Variable",
    "balanced_sum",
    "with_higher_orders",
]


@dataclass(frozen=True)
class Variable:
    """A state variable or a parameter.

    Attributes
    ----------
    name : str
        In NESTML and in NEST.
    cpp : str
        The name of its member in C++.
    type : str
        In C++.
    comment : str
        From the model.
    hidden : bool
        Whether it is hidden from NEST's users.
    infinite : bool
        Whether its value may be infinite, because its initial value is.
    """

    name: str
    cpp: str
    type: str
    comment: str = ""
    hidden: bool = False
    infinite: bool = False


@dataclass(frozen=True)
class Formula:
    """A name, and the C++ of its value and its type."""

    name: str
    cpp: str
    type: str = "double"


@dataclass(frozen=True)
class Function:
    """A function of a model: C++ of the type it returns, of its name and parameters, and NESTML's tree of its body."""

    returns: str
    signature: str
    body: Any


@dataclass(frozen=True)
class Condition:
    """A condition on parameters: its C++, its text in the model, and the C++ of the parameters in it."""

    cpp: str
    text: str
    values: tuple[Formula, ...]


@dataclass(frozen=True)
class Jump:
    """The effect of spikes at a port on a variable: it adds their weight times a C++ factor, 1 where empty."""

    variable: str
    port: str
    factor: str


@dataclass(frozen=True)
class Receptor:
    """A receptor of spikes: the numbers of the ports for positive and for negative weights; one port may be both.

    A port for negative weights alone receives their absolute values.
    """

    positive: int
    negative: int


@dataclass(frozen=True)
class NumericStep:
    """The numerical integration of some equations over a step.

    Attributes
    ----------
    number : int
        Of this set of variables, from 1.
    calls : tuple of tuple of str
        The arguments of ``integrate_odes`` that ask for it.
    variables : tuple of str
        C++ names of the variables that are integrated together.
    kept : tuple of str
        Those that get their new values from it. The others have linear equations, and drive them.
    inlines : tuple of Formula
        Inline expressions in the derivatives, each after those that are in it.
    derivatives : tuple of Formula
        Of all variables.
    """

    number: int
    calls: tuple[tuple[str, ...], ...]
    variables: tuple[str, ...]
    kept: tuple[str, ...]
    inlines: tuple[Formula, ...]
    derivatives: tuple[Formula, ...]


def with_higher_orders(arguments: Sequence[str], variables: Sequence[str]) -> list[str]:
    """Return those of some variables that ``integrate_odes`` with these arguments integrates.

    Without arguments these are all. A variable stands for its derivatives as well, if its equation is of higher order.
    """
    return [v for v in variables if not arguments or v in arguments or v.split("__d")[0] in arguments]


@dataclass(frozen=True)
class LinearSystem:
    """Linear equations, augmented by constant states that drive them.

    Attributes
    ----------
    variables : tuple of str
        C++ names of the state variables.
    drives : tuple of Formula
        Inhomogeneous terms of the equations, each the drive of its variable.
    matrix : mapping of (int, int) to str
        C++ of the entries of the augmented system matrix that are not zero.
    matrix_names : tuple of str
        The members that occur in them.
    pattern : tuple of (int, int)
        Entries of its exponential that are not zero.
    convolutions : tuple of str
        Those of the variables that are integrated in every step.
    jumps : tuple of Jump
        Effects of input spikes on convolutions.
    """

    variables: tuple[str, ...] = ()
    drives: tuple[Formula, ...] = ()
    matrix: Mapping[tuple[int, int], str] = field(default_factory=dict)
    matrix_names: tuple[str, ...] = ()
    pattern: tuple[tuple[int, int], ...] = ()
    convolutions: tuple[str, ...] = ()
    jumps: tuple[Jump, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the augmented system's variables."""
        return self.variables + tuple(f"drive_{drive.name}" for drive in self.drives)

    @property
    def changing(self) -> set[str]:
        """The variables whose derivatives depend on any variable."""
        return {self.variables[row] for row, _ in self.matrix}

    def updated(self, arguments: Sequence[str]) -> list[str]:
        """Return the variables that ``integrate_odes`` with these arguments updates, without convolutions.

        Without arguments these are all. A variable stands for its derivatives as well, if its equation is of higher
        order.

        Raises
        ------
        UnsupportedModelError
            If one of them depends on a variable that is left out.
        """
        own = [v for v in self.variables if v not in self.convolutions and v in self.changing]
        chosen = with_higher_orders(arguments, own)
        index = {name: i for i, name in enumerate(self.columns)}
        for name in chosen:
            for other in own:
                if other not in chosen and (index[name], index[other]) in self.pattern:
                    raise UnsupportedModelError(
                        f"integrate_odes({', '.join(arguments)}) leaves out {other}, on which {name} depends"
                    )
        return chosen

    def terms(self, variable: str) -> list[str]:
        """Return the columns that a variable's new value depends on: drives first, the variable itself last."""
        row = self.columns.index(variable)
        found = [self.columns[j] for i, j in self.pattern if i == row and j != row]
        drives = [name for name in found if name.startswith("drive_") or name not in self.changing]
        return drives + [name for name in found if name not in drives] + [variable]

    def drive_is_used(self, drive: str, variables: Sequence[str]) -> bool:
        """Return whether any of some variables depends on a drive."""
        return any(f"drive_{drive}" in self.terms(variable) for variable in variables)

    def column(self, name: str) -> str:
        """Return the C++ of a state variable or drive."""
        return f"s.{name}" if name in self.variables else name

    def next_value(self, variable: str) -> str:
        """Return the C++ of a variable's value after a step."""
        return _next_value([f"c.step.{variable}__{term} * {self.column(term)}" for term in self.terms(variable)])


def _next_value(products: Sequence[str]) -> str:
    """Return the C++ of a sum of products, the last of which contains the variable's old value.

    That product is added last, so that only one operation lies between a value and its successor. The others are
    added in pairs.
    """
    *others, itself = products
    return f"{balanced_sum(others)}\n    + {itself}" if others else itself


@dataclass(frozen=True)
class SliceBound:
    """The proof that a slice passes without a spike, and the values at its end.

    Attributes
    ----------
    system : LinearSystem
    varying : tuple of str
        State variables (C++ names) that change by themselves, in the order of the matrix.
    constant : tuple of str
        State variables and drives that are constant during a slice; they follow the varying ones.
    coefficients : tuple of str
        C++ of the derivatives of the distance from the threshold (positive: a spike) by all of these.
    offset : str
        C++ of the distance where all of them are zero.
    drives : tuple of Formula
        Constant state variables that a step sets, with their values.
    decays : tuple of Formula
        State variables that a step multiplies by a factor, without a differential equation.
    counter : str
        The refractory counter (C++ name), or "".
    counter_runs_along : bool
        Whether the refractory period does nothing but to count down, while all else is as in other steps.
    """

    system: LinearSystem
    varying: tuple[str, ...]
    constant: tuple[str, ...]
    coefficients: tuple[str, ...]
    offset: str
    drives: tuple[Formula, ...]
    decays: tuple[Formula, ...]
    counter: str
    counter_runs_along: bool

    def driven(self, constant: str) -> list[str]:
        """Return the varying state variables that a constant one moves."""
        columns = self.system.columns
        if constant not in columns:
            return []
        column = columns.index(constant)
        return [
            name for name in self.varying if name in columns and (columns.index(name), column) in self.system.pattern
        ]

    def column(self, name: str) -> str:
        """Return the C++ of a state variable or drive at the start of a slice."""
        if name in [drive.name for drive in self.drives]:
            return f"next_{name}"
        return f"s.{name}" if name in [decay.name for decay in self.decays] else self.system.column(name)

    def next_value(self, variable: str) -> str:
        """Return the C++ of a varying variable's value at the end of a slice."""
        terms = self.system.terms(variable) if variable in self.system.columns else [variable]
        return _next_value([f"c.slice.{variable}__{term} * {self.column(term)}" for term in terms])

    def highest_terms(self) -> list[str]:
        """Return the C++ of the largest contributions of the varying state variables to the bound."""
        return [
            f"nestml_optimised::largest_product( around_{name}, c.smallest_{name}, c.largest_{name} )"
            for name in self.varying
        ]


@dataclass(frozen=True)
class NeuronDescription:
    """A neuron, ready for the templates.

    Attributes
    ----------
    name : str
        In NEST.
    state, own, shared : tuple of Variable
        State variables; parameters of each neuron; parameters that enter the quantities that neurons share.
    defaults : tuple of Formula
        The members' values in a new model, in the order of the model.
    conditions : tuple of Condition
    receives_spikes : bool
    ports : tuple of str
        Spike ports, if any is used.
    receptors : tuple of Receptor
        With more than one, they are NEST's receptor types 1, 2, and so on.
    receptor_names : tuple of (str, int)
        Names of receptor types, with several receptors.
    counted : tuple of str
        Ports whose spikes are counted, because a block ``onReceive`` does more than to add their weights.
    current : str
        The port of a continuous current, or "".
    constants, shared_internals, internals : tuple of Formula
        Internal variables: numbers; computed from shared parameters; computed when they are needed.
    coefficients : tuple of str
        Those of the shared internal variables that are coefficients of drives.
    inlines : tuple of Formula
        Inline expressions, as functions.
    recordable_inlines : tuple of str
    system : LinearSystem
    numeric_steps : tuple of NumericStep
    deltas : tuple of Jump
        Effects of spikes on variables that are integrated.
    functions : tuple of Function
    countdowns : tuple of str
        Timers whose derivative is -1, counted in steps.
    names : mapping of str to str
        The C++ of the model's names inside the generated functions.
    bound : SliceBound or None
    no_bound : str
        The reason if there is none.
    """

    name: str
    state: tuple[Variable, ...]
    own: tuple[Variable, ...]
    shared: tuple[Variable, ...]
    defaults: tuple[Formula, ...]
    conditions: tuple[Condition, ...]
    receives_spikes: bool
    ports: tuple[str, ...]
    receptors: tuple[Receptor, ...]
    receptor_names: tuple[tuple[str, int], ...]
    counted: tuple[str, ...]
    current: str
    constants: tuple[Formula, ...]
    shared_internals: tuple[Formula, ...]
    coefficients: tuple[str, ...]
    internals: tuple[Formula, ...]
    inlines: tuple[Formula, ...]
    recordable_inlines: tuple[str, ...]
    system: LinearSystem
    numeric_steps: tuple[NumericStep, ...]
    deltas: tuple[Jump, ...]
    functions: tuple[Function, ...]
    countdowns: tuple[str, ...]
    names: Mapping[str, str]
    bound: SliceBound | None = None
    no_bound: str = ""

    @property
    def shares(self) -> bool:
        """True if anything is computed from parameters beforehand."""
        return bool(self.system.variables or self.shared_internals or self.shared)


def balanced_sum(terms: Sequence[str]) -> str:
    """Return C++ that adds terms in pairs, so that few additions have to wait for others."""
    if len(terms) == 1:
        return terms[0]
    middle = (len(terms) + 1) // 2
    return f"( {balanced_sum(terms[:middle])}\n    + {balanced_sum(terms[middle:])} )"
