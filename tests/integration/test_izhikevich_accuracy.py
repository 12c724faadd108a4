# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Heun's method at the usual time step loses no more than the grid does, beside an adaptive scheme."""

import pytest

from amat.analysis.izhikevich_accuracy import EXACT_ON_GRID, HEUN, RUNGE_KUTTA, SCHEMES, spike_time_errors
from amat.errors import AmatError

pytestmark = pytest.mark.slow

CURRENTS = [4.0, 10.0, 20.0]
RESOLUTION = 0.1


@pytest.fixture(scope="module")
def errors():
    return spike_time_errors(CURRENTS, resolution=RESOLUTION).set_index(["current", "scheme"])


@pytest.mark.parametrize("current", CURRENTS)
def test_heun_is_as_accurate_as_runge_kutta_but_for_the_grid(errors, current):
    """The tolerance is a time step.

    A spike takes effect at the end of the step in which the threshold is crossed, so that each interval is wrong by up
    to a step, however small the errors of integration are; by how much depends on where crossings happen to fall, and
    differs between two schemes that are both perfect.
    """
    error = errors.loc[current, "interval_error"].abs()
    assert error[HEUN] <= error[RUNGE_KUTTA] + RESOLUTION
    assert error[HEUN] <= error[EXACT_ON_GRID] + RESOLUTION


@pytest.mark.parametrize("current", CURRENTS)
def test_heun_is_nearer_to_the_truth_than_what_nest_offers(errors, current):
    error = errors.loc[current, "interval_error"].abs()
    assert error[HEUN] < error["Euler (NEST)"]
    assert error[HEUN] < error["2003 scheme (NEST)"]


def test_spikes_on_the_grid_come_late_by_no_more_than_a_step(errors):
    first = errors.xs(EXACT_ON_GRID, level="scheme")["first_spike"]
    assert first.between(0.0, RESOLUTION + 1e-9).all()
    assert (errors["spikes"] >= 3).all()


def test_too_few_spikes_are_refused():
    with pytest.raises(AmatError, match="simulate longer"):
        spike_time_errors([4.0], duration=50.0, schemes=SCHEMES[:1])
