# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The functions of the generated code that compilers vectorise, against mpmath and, at their limits, NumPy.

The header is compiled into a library with a loop for each function, as the generated code has them.
"""

import ctypes
import subprocess
from pathlib import Path

import mpmath
import nestml_optimised
import numpy as np
import pytest
from nestml_optimised.nest_installation import compiler

pytestmark = pytest.mark.slow

INCLUDE = Path(nestml_optimised.__file__).parent / "include"

#: The largest errors that the header promises, in units of the last place.
LIMITS = {"exp": 1.0, "log": 1.0, "log10": 2.0, "expm1": 2.0, "tanh": 2.5, "pow": 16.0}

PROGRAM = """
#include "elementary_functions.h"
#include "vectorisation.h"
#include <cstddef>

using namespace nestml_optimised;
""" + "".join(
    f"""
extern "C" VECTORISED LANE_CLONES void
all_{name}( const double* __restrict__ x, const double* __restrict__ y, double* __restrict__ result, std::size_t n )
{{
  LOOP_OVER_LANES
  for ( std::size_t i = 0; i < n; ++i )
  {{
    result[ i ] = nestml_optimised::{name}( x[ i ]{", y[ i ]" if name == "pow" else ""} );
  }}
}}
"""
    for name in LIMITS
)


@pytest.fixture(scope="module")
def compute(tmp_path_factory):
    """Return a function that computes one of the functions at all entries of arrays."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "functions.cpp").write_text(PROGRAM)
    flags = ["-std=c++20", "-O3", "-fno-trapping-math", "-freciprocal-math", "-fPIC", "-shared", f"-I{INCLUDE}"]
    subprocess.run([compiler(), *flags, "functions.cpp", "-o", "functions.so"], check=True, cwd=folder)
    library = ctypes.CDLL(str(folder / "functions.so"))

    def call(name, x, y=None):
        arrays = [np.ascontiguousarray(values, dtype=float) for values in (x, x if y is None else y, np.empty(len(x)))]
        pointers = [array.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for array in arrays]
        getattr(library, f"all_{name}")(*pointers, ctypes.c_size_t(len(x)))
        return arrays[2]

    return call


def exact_log10(x):
    return mpmath.log(x) / mpmath.log(10)


def errors(values, exact):
    """Return errors in units of the last place of the exact values."""
    return [
        float(abs(mpmath.mpf(float(value)) - reference) / mpmath.mpf(float(np.spacing(abs(float(reference))))))
        for value, reference in zip(values, exact, strict=True)
    ]


def arguments(name, n=700):
    """Sample arguments of all sizes, and many where rounding errors are largest."""
    random = np.random.default_rng(3)
    tiny = random.choice([-1.0, 1.0], n) * 10 ** random.uniform(-320, 0, n)
    if name in ("log", "log10", "pow"):
        near_one = 1 + random.uniform(-1, 1, n) * 10 ** random.uniform(-15, -1, n)
        return np.concatenate([10 ** random.uniform(-323, 308, n), random.uniform(0.5, 2, n), near_one])
    if name == "tanh":
        return np.concatenate([random.uniform(-25, 25, n), random.uniform(-1, 1, n), tiny])
    return np.concatenate([random.uniform(-708, 709.7, n), random.uniform(-1, 1, n), random.uniform(-40, 40, n), tiny])


@pytest.mark.parametrize("name", [name for name in LIMITS if name != "pow"])
def test_functions_are_accurate_everywhere(compute, name):
    x = arguments(name)
    function = exact_log10 if name == "log10" else getattr(mpmath, name)
    with mpmath.workdps(40):
        assert max(errors(compute(name, x), [function(mpmath.mpf(float(value))) for value in x])) <= LIMITS[name]


@pytest.mark.parametrize(("size", "limit"), [(23.0, 1.0), (700.0, LIMITS["pow"])])
def test_powers_are_accurate(compute, size, limit):
    """The results are between e^-size and e^size."""
    x = arguments("pow")
    with np.errstate(divide="ignore"):
        y = np.clip(np.random.default_rng(4).uniform(-size, size, len(x)) / np.log(x), -1e17, 1e17)
    with mpmath.workdps(40):
        exact = [mpmath.mpf(float(a)) ** mpmath.mpf(float(b)) for a, b in zip(x, y, strict=True)]
        assert max(errors(compute("pow", x, y), exact)) <= limit


def test_limits_are_those_of_the_standard_library(compute):
    numbers = [0.5, 0.99999, 1.0, 2.0, 3.0, 709.8, 710.0, 800.0, 1e308, 5e-324, np.inf]
    x = np.array([0.0, *numbers, *(-number for number in numbers), -745.2, -746.0, np.nan])
    with np.errstate(all="ignore"):
        for name in LIMITS:
            if name != "pow":
                np.testing.assert_allclose(compute(name, x), getattr(np, name)(x), rtol=4e-16, atol=1e-307)
        base, exponent = (grid.ravel() for grid in np.meshgrid(x, x))
        np.testing.assert_allclose(compute("pow", base, exponent), np.power(base, exponent), rtol=1e-15, atol=1e-307)
