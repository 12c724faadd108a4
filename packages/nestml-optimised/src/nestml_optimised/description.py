# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the templates of the optimised code need to know about a neuron."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nestml_optimised.errors import UnsupportedModelError

__all__ = ["Formula", "Jump", "NeuronDescription", "SliceBound", "Variable", "balanced_sum"]


@dataclass(frozen=True)
class Variable:
    """A state variable, a parameter or an input port.

    Attributes
    ----------
    name : str
        In NESTML and in NEST.
    cpp : str
        The name of its member in C++.
    type : str
        In C++.
    value : str
        C++ of its initial value.
    comment : str
        From the model.
    hidden : bool
        Whether NEST's users don't see it.
    """

    name: str
    cpp: str
    type: str
    value: str = ""
    comment: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Formula:
    """A name, and the C++ of its value and its type."""

    name: str
    cpp: str
    type: str = "double"


@dataclass(frozen=True)
class Jump:
    """What spikes that arrive at a port add to a convolution: their weight times this C++ factor, or 1 where empty."""

    variable: str
    port: str
    factor: str


@dataclass(frozen=True)
class SliceBound:
    """How a whole slice is shown to pass without a spike, and then advanced at once.

    Attributes
    ----------
    varying : list of str
        State variables (C++ names) that change by themselves, in the order of the matrix.
    constant : list of str
        State variables and drives that are constant during a slice, behind those.
    coefficients : list of str
        C++ of the derivatives of the distance to the threshold (positive: a spike) by both.
    offset : str
        C++ of the distance where all of them are zero.
    drives : list of Formula
        Constant state variables that a step sets, with their values.
    decays : list of Formula
        State variables that a step multiplies by a factor, without a differential equation.
    counter : str
        The refractory counter (C++ name), or "".
    counter_runs_along : bool
        Whether the counter is only counted down, while everything else is the same in the refractory period.
    """

    varying: list[str]
    constant: list[str]
    coefficients: list[str]
    offset: str
    drives: list[Formula]
    decays: list[Formula]
    counter: str
    counter_runs_along: bool


@dataclass
class NeuronDescription:
    """A neuron, ready for the templates.

    Attributes
    ----------
    name : str
        In NEST.
    state, own, shared : list of Variable
        State variables; parameters of each neuron; parameters that enter what neurons share.
    defaults : list of Formula
        What the members are set to in a new model, in the order of the model.
    receives_spikes : bool
    ports : list of Variable
        Spike ports that are used, excitatory first.
    current : str
        The port of a continuous current, or "".
    constants, shared_internals, internals : list of Formula
        Internal variables: numbers; computed with what is shared; computed when they are needed.
    inlines : list of Formula
        Inline expressions, as functions.
    recordable_inlines : list of str
    variables : list of str
        C++ names of the linear system's variables, then of its drives.
    drives : list of Formula
        Inhomogeneous terms of the equations, each the drive of its variable.
    matrix : dict of (int, int) to str
        C++ of the entries of the augmented system matrix that are not zero.
    matrix_names : list of str
        The members that occur in them, under their own names.
    pattern : list of (int, int)
        Entries of its exponential that are not zero.
    derivatives : list of Formula
        Of a nonlinear system, which is integrated by Heun's method.
    convolutions : list of str
        Those of the linear system's variables that are integrated in every step.
    countdowns : list of str
        Timers whose derivative is -1, kept in steps.
    jumps : list of Jump
        What input spikes do to convolutions.
    bound : SliceBound or None
    no_bound : str
        Why there is none.
    """

    name: str
    state: list[Variable] = field(default_factory=list)
    own: list[Variable] = field(default_factory=list)
    shared: list[Variable] = field(default_factory=list)
    defaults: list[Formula] = field(default_factory=list)
    receives_spikes: bool = False
    ports: list[Variable] = field(default_factory=list)
    current: str = ""
    constants: list[Formula] = field(default_factory=list)
    shared_internals: list[Formula] = field(default_factory=list)
    internals: list[Formula] = field(default_factory=list)
    inlines: list[Formula] = field(default_factory=list)
    recordable_inlines: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    drives: list[Formula] = field(default_factory=list)
    matrix: dict[tuple[int, int], str] = field(default_factory=dict)
    matrix_names: list[str] = field(default_factory=list)
    pattern: list[tuple[int, int]] = field(default_factory=list)
    derivatives: list[Formula] = field(default_factory=list)
    convolutions: list[str] = field(default_factory=list)
    countdowns: list[str] = field(default_factory=list)
    jumps: list[Jump] = field(default_factory=list)
    bound: SliceBound | None = None
    no_bound: str = ""

    @property
    def dimension(self) -> int:
        """The order of the augmented system."""
        return len(self.variables) + len(self.drives)

    @property
    def shares(self) -> bool:
        """Whether there is anything that is computed from parameters beforehand."""
        return bool(self.variables or self.shared_internals)

    def columns(self) -> list[str]:
        """Return the names of the augmented system's variables."""
        return self.variables + [f"drive_{drive.name}" for drive in self.drives]

    def updated(self, arguments: Sequence[str]) -> list[str]:
        """Return the variables that ``integrate_odes`` with these arguments updates, without convolutions.

        Raises
        ------
        UnsupportedModelError
            If one of them depends on a variable that is left out.
        """
        own = [v for v in self.variables if v not in self.convolutions and self._changes(v)]
        if not arguments:
            return own
        chosen = [v for v in own if v in arguments]
        index = {name: i for i, name in enumerate(self.columns())}
        for name in chosen:
            for other in own:
                if other not in chosen and (index[name], index[other]) in self.pattern:
                    raise UnsupportedModelError(
                        f"integrate_odes({', '.join(arguments)}) leaves out {other}, on which {name} depends"
                    )
        return chosen

    def _changes(self, variable: str) -> bool:
        i = self.columns().index(variable)
        return any(row == i for row, _ in self.matrix)

    def column(self, name: str) -> str:
        """Return the C++ of a state variable or drive."""
        return f"s.{name}" if name in self.variables else name

    def driven(self, constant: str) -> list[str]:
        """Return the varying state variables that a constant one moves."""
        assert self.bound is not None
        columns = self.columns()
        if constant not in columns:
            return []
        column = columns.index(constant)
        return [
            name for name in self.bound.varying if name in columns and (columns.index(name), column) in self.pattern
        ]

    def slice_column(self, name: str) -> str:
        """Return the C++ of a state variable or drive at the start of a slice."""
        assert self.bound is not None
        return f"next_{name}" if name in [drive.name for drive in self.bound.drives] else self.column(name)

    def next_value(self, variable: str, propagators: str) -> str:
        """Return the C++ of a variable's new value.

        Its old value comes last, so that only one operation lies between a value and its successor; the rest is
        added in pairs.

        Parameters
        ----------
        variable : str
        propagators : str
            C++ of the propagators: of a step, or of a slice.
        """
        column = self.slice_column if propagators == "c.slice" else self.column
        products = [f"{propagators}.{variable}__{term} * {column(term)}" for term in self.terms(variable)]
        others, itself = products[:-1], products[-1]
        return f"{balanced_sum(others)}\n    + {itself}" if others else itself

    def highest_terms(self) -> list[str]:
        """Return the C++ of the largest contributions of the varying state variables to the bound."""
        assert self.bound is not None
        return [
            f"nestml_optimised::largest_product( around_{name}, c.smallest_{name}, c.largest_{name} )"
            for name in self.bound.varying
        ]

    def drive_is_used(self, drive: str, variables: Sequence[str]) -> bool:
        """Return whether any of some variables depends on a drive."""
        return any(f"drive_{drive}" in self.terms(variable) for variable in variables)

    def terms(self, variable: str) -> list[str]:
        """Return the columns that a variable's new value depends on: drives first, itself last."""
        columns = self.columns()
        row = columns.index(variable)
        found = [columns[j] for i, j in self.pattern if i == row and j != row]
        drives = [name for name in found if name.startswith("drive_") or not self._changes(name)]
        return drives + [name for name in found if name not in drives] + [variable]


def balanced_sum(terms: Sequence[str]) -> str:
    """Return C++ that adds terms in pairs, so that few additions have to wait for others."""
    if len(terms) == 1:
        return terms[0]
    middle = (len(terms) + 1) // 2
    return f"( {balanced_sum(terms[:middle])}\n    + {balanced_sum(terms[middle:])} )"
