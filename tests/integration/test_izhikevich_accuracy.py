# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Accuracy of Heun's method for Izhikevich's neuron, compared with other schemes."""

import pytest

from amat.analysis.izhikevich_accuracy import EXACT_ON_GRID, HEUN, RUNGE_KUTTA, spike_time_errors
from amat.errors import AmatError

pytestmark = pytest.mark.slow

CURRENTS = [4.0, 10.0, 20.0]
RESOLUTION = 0.1


@pytest.fixture(scope="module")
def errors():
    return spike_time_errors(CURRENTS, resolution=RESOLUTION).set_index(["current", "scheme"])


@pytest.mark.parametrize("current", CURRENTS)
def test_heun_is_as_accurate_as_runge_kutta_up_to_one_step(errors, current):
    """Compare with a tolerance of one time step.

    A spike takes effect at the end of the step in which the threshold is crossed. Even perfect integration therefore
    changes each interval by up to one step, depending on the phase of the crossing, and two perfect schemes may differ.
    """
    error = errors.loc[current, "interval_error"].abs()
    assert error[HEUN] <= error[RUNGE_KUTTA] + RESOLUTION
    assert error[HEUN] <= error[EXACT_ON_GRID] + RESOLUTION


@pytest.mark.parametrize("current", CURRENTS)
def test_heun_is_more_accurate_than_the_schemes_of_nest(errors, current):
    error = errors.loc[current, "interval_error"].abs()
    assert error[HEUN] < error["Euler (NEST)"]
    assert error[HEUN] < error["2003 scheme (NEST)"]


def test_first_spike_on_the_grid_is_late_by_at_most_one_step(errors):
    first = errors.xs(EXACT_ON_GRID, level="scheme")["first_spike"]
    assert first.between(0.0, RESOLUTION + 1e-9).all()
    assert (errors["spikes"] >= 3).all()


def test_too_few_spikes_are_rejected():
    with pytest.raises(AmatError, match="simulate longer"):
        spike_time_errors([4.0], duration=50.0)
