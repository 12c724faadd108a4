# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Axes, and the resonance of the threshold, without a simulation."""

import numpy as np
import pytest

from amat.analysis.explore import MAPS, column_of, explore, parse_axis, resonance
from amat.analysis.sensitivity import RANGES, poisson_sensitivity, sensitivity, sobol_indices
from amat.errors import AmatError
from amat.neurons import AmatParameters, ParameterError
from amat.simulation.reference import STATE, system_matrix


def test_axes_are_read():
    axis = parse_axis("alpha_1=-2:20:12")
    assert (axis.name, axis.points) == ("alpha_1", 12)
    np.testing.assert_allclose(axis.values, np.arange(-2.0, 21.0, 2.0))
    for pair in MAPS:
        assert len({parse_axis(text).name for text in pair}) == 2
        assert np.prod([parse_axis(text).points for text in pair]) >= 10000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha_1=0:20", "NAME=START:STOP:POINTS.*'alpha_1=0:20'"),
        ("alpha_1", "An axis"),
        ("alpha_1=0:many:10", "An axis"),
        ("alpha_1=20:0:10", "alpha_1.*got 20 to 0"),
        ("alpha_1=5:5:10", "got 5 to 5"),
        ("alpha_1=0:20:1", "alpha_1.*got 1"),
        ("alpha=0:20:10", "'alpha'.*alpha_"),
    ],
)
def test_invalid_axes_are_refused(text, message):
    with pytest.raises((AmatError, ParameterError), match=message):
        parse_axis(text)


def test_invalid_values_are_refused_before_the_simulation():
    with pytest.raises(ParameterError, match=r"tau_v.*got -1 ms"):
        explore(parse_axis("tau_v=-1:5:3"), parse_axis("beta=0:1:3"), AmatParameters())
    with pytest.raises(AmatError, match="beta"):
        explore(parse_axis("beta=0:1:3"), parse_axis("beta=0:1:3"), AmatParameters())
    with pytest.raises(AmatError, match="got 500"):
        sensitivity(AmatParameters(), samples=500)
    with pytest.raises(ParameterError, match=r"duration.*got -1 ms"):
        poisson_sensitivity(AmatParameters(), duration=-1.0)
    with pytest.raises(ParameterError, match=r"refr_T.*got 0\.05 ms"):
        sensitivity(AmatParameters(), ranges={"refr_T": (0.05, 1.0)})


def test_sobol_indices_are_those_of_a_function_with_known_ones():
    """For x + 2 y + 3 x z of uniform numbers the variance decomposes by hand; the sample has 1024 points of SALib."""
    from SALib.sample import sobol

    x, y, z = sobol.sample({"num_vars": 3, "names": list("xyz"), "bounds": [[0, 1]] * 3}, 1024, seed=2).T
    found = sobol_indices(x + 2 * y + 3 * x * z, 3)
    # x + 3 x z = 2.5 x + 3 (x - 1/2)(z - 1/2) + 1.5 (z - 1/2) + constant; a uniform number has variance 1/12.
    alone = np.array([2.5**2, 2.0**2, 1.5**2]) / 12
    both = 9.0 / 144
    total = alone.sum() + both
    np.testing.assert_allclose(found["first"], alone / total, atol=0.02)
    np.testing.assert_allclose(found["total"], (alone + both * np.array([1, 0, 1])) / total, atol=0.02)
    for name in ("first", "total"):
        assert (found[f"{name}_low"] <= found[name]).all()
        assert (found[name] <= found[f"{name}_high"]).all()
        assert (found[f"{name}_high"] - found[f"{name}_low"] < 0.15).all()


def test_sobol_indices_and_intervals_are_from_0_to_1():
    """Values with a long tail, for which indices as differences of moments leave the range."""
    values = np.random.default_rng(4).standard_cauchy(16 * 8)
    for index in sobol_indices(values, 3).values():
        assert ((index >= 0) & (index <= 1)).all()
    assert not any(index.any() for index in sobol_indices(np.ones(16 * 8), 3).values())
    with pytest.raises(AmatError, match="multiple of 8 for 3 parameters, got 100"):
        sobol_indices(values[:100], 3)
    with pytest.raises(AmatError, match="finite"):
        sobol_indices(np.full(8, np.nan), 3)


def test_columns_have_units():
    assert column_of("alpha_1") == "alpha_1_mV"
    assert column_of("beta") == "beta_per_ms"
    assert column_of("rate") == "rate_per_s"
    assert column_of("cv") == "cv"
    assert {column_of(name) for name in RANGES}


def test_resonance_is_that_of_the_systems_matrix():
    """The transfer function from the matrix that the exact reference uses: C (s - A)^-1 B."""
    for beta, tau_m, tau_v in ((0.5, 5.0, 5.0), (-0.3, 10.0, 5.0), (0.2, 20.0, 8.0)):
        matrix = np.array(system_matrix(AmatParameters(beta=beta, tau_m=tau_m, tau_v=tau_v), float))
        drive = STATE.index("I")
        rows = [i for i in range(len(STATE)) if i != drive]
        a, b = matrix[np.ix_(rows, rows)], matrix[rows, drive]
        reads = np.array([{"U": 1.0, "V_th_v": -1.0}.get(STATE[i], 0.0) for i in rows])

        def gain(f, a=a, b=b, reads=reads):
            return abs(reads @ np.linalg.solve(2e-3j * np.pi * f * np.eye(len(a)) - a, b))

        (frequency,), (relative,) = resonance([tau_m], [tau_v], [beta])
        f = np.geomspace(0.5, 500.0, 301)
        gains = np.array([gain(x) for x in f]) / gain(0.0)
        assert relative == pytest.approx(max(1.0, gains.max()), rel=1e-9)
        assert frequency == (pytest.approx(f[gains.argmax()]) if gains.max() > 1 else 0.0)


def test_without_voltage_dependence_there_is_no_resonance():
    frequency, gain = resonance([5.0, 20.0], [5.0, 5.0], [0.0, 0.0])
    assert frequency.tolist() == [0.0, 0.0]
    assert gain.tolist() == [1.0, 1.0]
