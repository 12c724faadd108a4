# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Tests of factors between units."""

import pytest
from astropy import units
from nestml_optimised.units import conversion_in_nest_units, nest_conversion_factor
from pynestml.symbols.unit_type_symbol import UnitTypeSymbol

ALREADY_EQUAL = [
    (units.s, units.ms),
    (units.uS * units.mV, units.pA),
    (units.V / units.Ohm, units.nA),
    (units.nF / units.uS, units.s),
    (units.pF * units.V / units.s, units.nA),
]


@pytest.mark.parametrize(("source", "target"), ALREADY_EQUAL)
def test_quantities_that_nest_stores_in_one_unit_need_no_factor(source, target):
    assert nest_conversion_factor(source, target) == 1.0


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        (units.Hz, units.ms**-1, 1e-3),  # a number in Hz stays in Hz
        (units.Hz**-1, units.ms, 1e3),
        (units.Bq**-1, units.ms, 1e3),
        (units.s**-1, units.Hz, 1e3),  # a number in 1/s is in 1/ms
        (units.mS / units.cm**2, units.nS / units.um**2, 1e-8),  # stored as nS/cm2
    ],
)
def test_units_that_nest_does_not_convert_keep_their_factor(source, target, factor):
    assert nest_conversion_factor(source, target) == pytest.approx(factor)


def test_units_without_a_factor_have_none():
    assert nest_conversion_factor("mV", None) is None


def test_nestml_has_its_own_factors_outside():
    with conversion_in_nest_units():
        assert UnitTypeSymbol.get_conversion_factor(units.s, units.ms) == 1.0
    assert UnitTypeSymbol.get_conversion_factor(units.s, units.ms) == 1e3
