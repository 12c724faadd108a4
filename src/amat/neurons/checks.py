# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Named values with checks: a base of parameter sets, and catalogues that suggest the nearest name."""

import dataclasses
import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, TypeVar

from amat.checks import require_finite
from amat.errors import ParameterError

__all__ = ["Catalogue", "ParameterSet", "require_known", "select_parameters"]

T = TypeVar("T")


class Catalogue(dict[str, T]):
    """A dictionary of named entries that answers an unknown name with the nearest known ones.

    Parameters
    ----------
    kind : str
        What the entries are, for the error message ("pattern").
    entries : iterable of (str, T)
        Names and entries, in order.
    """

    def __init__(self, kind: str, entries: Iterable[tuple[str, T]]) -> None:
        """Fill the dictionary."""
        super().__init__(entries)
        self.kind = kind

    def __missing__(self, name: str) -> T:
        """Raise `ParameterError` with the names nearest to `name`."""
        raise _unknown(self.kind, name, self)


@dataclass(frozen=True)
class ParameterSet:
    """Base of the parameters of a neuron: finite numbers by the names of its NESTML model."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        """Make every value a plain float, and validate."""
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, require_finite(field.name, getattr(self, field.name)))
        self.validate()

    def validate(self, resolution: float | None = None) -> None:
        """Check the values, also against a simulation's time step in ms if one is given."""

    def replace(self, **changes: float) -> Self:
        """Return a copy with some values changed.

        Parameters
        ----------
        **changes : float
            New values by NESTML's names.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        require_known(self.kind, changes, self.to_nestml())
        return dataclasses.replace(self, **changes)

    def to_nestml(self) -> dict[str, float]:
        """Return the values by NESTML's names."""
        return dataclasses.asdict(self)

    @classmethod
    def from_nestml(cls, values: Mapping[str, float]) -> Self:
        """Return a set from values by NESTML's names; the others take the default.

        Parameters
        ----------
        values : mapping of str to float
            Parameters, or what NEST's ``neuron.get()`` returns, whose other entries are left out.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        return cls(**select_parameters(cls.kind, values, [field.name for field in dataclasses.fields(cls)]))


def require_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise `ParameterError` with the nearest known names if a name is unknown."""
    for name in names:
        if name not in known:
            raise _unknown(kind, name, known)


def select_parameters(kind: str, values: Mapping[str, float], known: Collection[str]) -> dict[str, float]:
    """Return the parameters among values, which are parameters only or the status of a neuron in NEST.

    Raises
    ------
    ParameterError
        If a name is unknown, or the status is that of a model without one of the parameters.
    """
    if "model" not in values:
        require_known(kind, values, known)
        return dict(values)
    if missing := [name for name in known if name not in values]:
        raise ParameterError(f"NEST's model {values['model']} has no {kind} {missing[0]!r}: its names are others.")
    return {name: values[name] for name in known}


def _unknown(kind: str, name: str, known: Collection[str]) -> ParameterError:
    nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
    return ParameterError(f"Unknown {kind} {name!r}; the nearest names are {', '.join(nearest)}.")
