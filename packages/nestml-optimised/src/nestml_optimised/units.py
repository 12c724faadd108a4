# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Conversion of units in expressions.

Generated code stores every value in NEST's units: nS where a model says uS, and ms where it says s. NESTML converts
numbers with units to them. Where two units differ by a factor, as in the sum of a potential in mV and one in V, NESTML
multiplies by this factor as well, although the values are already in the same unit. The functions here correct this.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pynestml.codegeneration.nest_unit_converter import NESTUnitConverter
from pynestml.codegeneration.printers.cpp_simple_expression_printer import CppSimpleExpressionPrinter
from pynestml.codegeneration.printers.sympy_simple_expression_printer import SympySimpleExpressionPrinter
from pynestml.symbols.unit_type_symbol import UnitTypeSymbol

__all__ = ["SympyPrinterInNestUnits", "conversion_in_nest_units", "nest_conversion_factor"]

_factor_between_units = UnitTypeSymbol.get_conversion_factor


def nest_conversion_factor(source: Any, target: Any) -> float | None:
    """Return the factor between values of two units, each in the unit in which NEST stores it.

    Parameters
    ----------
    source, target : astropy.units.UnitBase

    Returns
    -------
    float or None
        1 for units of most quantities; not for frequencies, which NESTML does not convert to 1/ms. None if the units
        cannot be converted.
    """
    factor = _factor_between_units(source, target)
    if factor is None:
        return None
    stored = factor * _storage_factor(target) / _storage_factor(source)
    return float(f"{stored:.12g}")  # NESTML leaves out a factor that is exactly 1


def _storage_factor(unit: Any) -> float:
    """Return what a value in a unit is multiplied by when it is stored, as a product of values in its bases."""
    parts = zip(unit.bases, unit.powers, strict=True)
    return float(math.prod(float(NESTUnitConverter.get_factor(base)) ** float(power) for base, power in parts))


@contextmanager
def conversion_in_nest_units() -> Iterator[None]:
    """Let NESTML use `nest_conversion_factor` when it reads and checks models."""
    UnitTypeSymbol.get_conversion_factor = nest_conversion_factor
    try:
        yield
    finally:
        UnitTypeSymbol.get_conversion_factor = _factor_between_units


class SympyPrinterInNestUnits(SympySimpleExpressionPrinter):  # type: ignore[misc]  # NESTML is not typed
    """A printer of expressions for ODE-toolbox that converts numbers with units; NESTML's leaves out the units."""

    def print_simple_expression(self, node: Any) -> str:
        """Return the text of an expression without operators."""
        if node.is_numeric_literal_with_unit():
            return str(CppSimpleExpressionPrinter.print_simple_expression(self, node))
        return str(super().print_simple_expression(node))
