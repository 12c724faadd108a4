# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The matrix exponential of the generated code against mpmath's, entry by entry.

The header is compiled into a program that reads matrices and writes their exponentials, both as hexadecimal
floating-point numbers, without rounding. The reference is mpmath's exponential of the same matrix of doubles with
100 digits: more than enough for entries like exp(-100) next to entries of order one.
"""

import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path

import mpmath
import nestml_optimised
import numpy as np
import pytest
from nestml_optimised.nest_installation import compiler

pytestmark = pytest.mark.slow

#: The allowed relative error of an entry. Propagators need 1e-14.
OF_ENTRY = 1e-15

#: The allowed additional error, relative to the entry's value if none of its contributions were negative. It matters
#: if they cancel by more than three digits. Such an entry is as sensitive to the rounding of the matrix.
OF_CONTRIBUTIONS = 1e-18

#: The reference's precision.
DIGITS = 100

INCLUDE = Path(nestml_optimised.__file__).parent / "include"

PROGRAM = """
#include "matrix_exponential.h"
#include <cstdio>
#include <cstdlib>

template < typename Real, std::size_t N >
void
answer()
{
  nestml_optimised::Matrix< N, Real > matrix {};
  for ( auto& row : matrix )
  {
    for ( Real& entry : row )
    {
      char word[ 64 ];
      if ( std::scanf( "%63s", word ) != 1 )
      {
        std::exit( 1 );
      }
      entry = std::strtold( word, nullptr );
    }
  }
  for ( const auto& row : nestml_optimised::matrix_exponential( matrix ) )
  {
    for ( const double entry : row )
    {
      std::printf( "%a ", entry );
    }
  }
  std::printf( "\\n" );
}

int
main()
{
  int n;
  while ( std::scanf( "%d", &n ) == 1 )
  {
    switch ( n )
    {
    case 0: answer< double, 0 >(); break;
    case 1: answer< double, 1 >(); break;
    case 2: answer< double, 2 >(); break;
    case 3: answer< double, 3 >(); break;
    case 6: answer< double, 6 >(); break;
    case -1: answer< long double, 1 >(); break;
    default: return 1;
    }
  }
}
"""


@pytest.fixture(scope="session")
def exponential_program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix_exponential")
    source = folder / "program.cpp"
    source.write_text(PROGRAM)
    program = folder / "program"
    flags = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wpedantic", "-Werror"]
    subprocess.run([compiler(), *flags, f"-I{INCLUDE}", str(source), "-o", str(program)], check=True)
    return program


def ask(program, questions):
    finished = subprocess.run([program], input="\n".join(questions), check=True, capture_output=True, text=True)
    return [[float.fromhex(word) for word in line.split()] for line in finished.stdout.splitlines()]


@pytest.fixture
def exponentials(exponential_program):
    """Return the exponentials of square matrices."""

    def compute(matrices):
        questions = [f"{len(m)} " + " ".join(float(x).hex() for x in np.ravel(m)) for m in matrices]
        answers = ask(exponential_program, questions)
        return [np.reshape(answer, (len(m), len(m))) for answer, m in zip(answers, matrices, strict=True)]

    return compute


def reference(matrix):
    return mpmath.expm(mpmath.matrix(matrix.tolist()))


def connected(matrix):
    """Return for each entry whether there is a path between the two states."""
    steps = np.eye(len(matrix), dtype=bool) | (matrix != 0)
    return np.linalg.matrix_power(steps.astype(float), len(matrix)) != 0


def largest_error(result, matrix):
    """Return the largest error of an entry in units of the allowed error; zeros must be zero."""
    there = connected(matrix)
    assert not result[~there].any()
    with mpmath.workdps(DIGITS):
        exact = reference(matrix)
        entries = np.argwhere(there).tolist()
        errors = {(i, j): abs(mpmath.mpf(float(result[i, j])) - exact[i, j]) for i, j in entries}
        allowed = {(i, j): OF_ENTRY * abs(exact[i, j]) for i, j in entries}
        if any(errors[entry] > allowed[entry] for entry in errors):
            contributions = reference(np.where(np.eye(len(matrix), dtype=bool), matrix, np.abs(matrix)))
            allowed = {entry: value + OF_CONTRIBUTIONS * contributions[entry] for entry, value in allowed.items()}
        return max((float(errors[entry] / allowed[entry]) for entry in errors), default=0.0)


@dataclass(frozen=True)
class Amat:
    """The parameters in AMAT's system matrix."""

    tau_m: float = 10.0
    tau_v: float = 5.0
    tau_syn_exc: float = 1.0
    tau_syn_inh: float = 3.0
    C_m: float = 200.0
    beta: float = 0.3

    def matrix(self, h: float) -> np.ndarray:
        """Return the matrix of V_m, V_th_dv, V_th_v, I_exc, I_inh, I_drive times the step h (ms)."""
        a = np.zeros((6, 6))
        a[0, 0] = -1 / self.tau_m
        a[0, 3:] = 1 / self.C_m
        a[1] = self.beta * a[0]
        a[1, 1] = -1 / self.tau_v
        a[2, 1], a[2, 2] = 1.0, -1 / self.tau_v
        a[3, 3], a[4, 4] = -1 / self.tau_syn_exc, -1 / self.tau_syn_inh
        return a * h


TIME_CONSTANTS = ("tau_m", "tau_v", "tau_syn_exc", "tau_syn_inh")

CASES = {
    "defaults": [Amat(), Amat(beta=-0.5)],
    # each time constant very short or very long, in all combinations
    "distant": [Amat(*taus) for taus in itertools.product((0.01, 1000.0), repeat=4)],
    "graded": [Amat(*taus) for taus in itertools.permutations((0.01, 0.5, 20.0, 1000.0))],
    # two or all of them 1 +- 10^-k times the same value
    "near": [
        Amat(**{first: 5.0, second: 5.0 * (1 + sign * 10.0**-k)})
        for first, second in itertools.combinations(TIME_CONSTANTS, 2)
        for k in range(1, 13)
        for sign in (1, -1)
    ],
    "all near": [
        Amat(*(5.0 * (1 + sign * 10.0**-k) for sign in signs))
        for signs in ((0, 1, -1, 2), (1, -1, 0, 0.5))
        for k in range(1, 13)
    ],
    "equal": [
        *(Amat(**{first: 5.0, second: 5.0}) for first, second in itertools.combinations(TIME_CONSTANTS, 2)),
        *(Amat(tau, tau, tau, tau) for tau in (0.01, 1.0, 5.0, 1000.0)),
    ],
    # units and strengths that change the norm of the matrix, but not the rates
    "scaled": [Amat(C_m=c, beta=b) for c in (1e-30, 1e-3, 1.0, 1e12, 1e30) for b in (-1e3, 1e-6, 1e6)],
}


@pytest.mark.parametrize("h", [0.001, 0.025, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("case", CASES)
def test_amat(exponentials, case, h):
    matrices = [parameters.matrix(h) for parameters in CASES[case]]
    errors = [largest_error(*pair) for pair in zip(exponentials(matrices), matrices, strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= 1, CASES[case][worst]


def test_alpha_function(exponentials):
    """The system of iaf_psc_alpha: a repeated rate in a chain, and a membrane with the same rate."""
    matrices = []
    for tau, tau_m, h in itertools.product((0.3, 2.0, 10.0), (0.3, 2.0, 10.0), (0.001, 0.1, 1.0)):
        chain = [[-1 / tau, 0, 0], [1, -1 / tau, 0], [0, 1 / 250, -1 / tau_m]]
        matrices.append(np.array(chain) * h)
    assert max(largest_error(*pair) for pair in zip(exponentials(matrices), matrices, strict=True)) <= 1


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_dense_matrices(exponentials, size):
    """Every state acts on every other, with rates of both signs from 0.001 to 100 per step."""
    random = np.random.default_rng(size)
    scales = np.repeat([1e-3, 0.1, 1.0, 10.0, 100.0], 10)
    matrices = [random.normal(size=(size, size)) * scale for scale in scales]
    assert max(largest_error(*pair) for pair in zip(exponentials(matrices), matrices, strict=True)) <= 1


def test_fast_decay(exponentials):
    """Up to the smallest normal double; beyond, the result is zero."""
    matrices = [np.array([[-rate, 0.0], [1.0, -rate]]) for rate in np.geomspace(1e-12, 700.0, 60)]
    assert max(largest_error(*pair) for pair in zip(exponentials(matrices), matrices, strict=True)) <= 1
    assert exponentials([np.array([[-1e4]])])[0] == [[0.0]]


@pytest.mark.parametrize("tau", [1e-300, 1e-100, 1e-20, 1e-10, 1e-5, 1e20, 1e300])
def test_a_slow_state_beside_a_fast_one(exponentials, tau):
    """A membrane of 10 ms and a current of an extreme time constant, in both orders, for a step of 0.1 ms."""
    h, tau_m, C_m = 0.1, 10.0, 200.0
    driven = np.array([[-h / tau_m, h / C_m], [0.0, -h / tau]])
    driving = np.array([[-h / tau, h / C_m], [0.0, -h / tau_m]])
    with mpmath.workdps(700):
        slow, fast = mpmath.mpf(driven[0, 0]), mpmath.mpf(driven[1, 1])
        coupled = mpmath.mpf(driven[0, 1]) * (mpmath.exp(slow) - mpmath.exp(fast)) / (slow - fast)
        membrane, current, coupling = (float(x) for x in (mpmath.exp(slow), mpmath.exp(fast), coupled))
    for result, first, second in zip(
        exponentials([driven, driving]), (membrane, current), (current, membrane), strict=True
    ):
        assert result[0, 0] == pytest.approx(first, rel=OF_ENTRY, abs=1e-18)
        assert result[1, 1] == pytest.approx(second, rel=OF_ENTRY, abs=1e-18)
        assert result[0, 1] == pytest.approx(coupling, rel=OF_ENTRY)
        assert result[1, 0] == 0


def test_special_matrices(exponentials):
    nilpotent = np.diag([2.0, 3.0], -1)
    oscillator = np.array([[0.0, 0.5], [-0.5, 0.0]])
    empty, scalar, zero, polynomial, rotation = exponentials(
        [np.zeros((0, 0)), np.array([[-0.1]]), np.zeros((6, 6)), nilpotent, oscillator]
    )
    assert empty.shape == (0, 0)
    assert scalar[0, 0] == np.exp(-0.1)
    np.testing.assert_array_equal(zero, np.eye(6))
    np.testing.assert_array_equal(polynomial, [[1, 0, 0], [2, 1, 0], [3, 3, 1]])
    assert rotation[0, 0] == rotation[1, 1] == np.cos(0.5)
    assert rotation[0, 1] == -rotation[1, 0] == np.sin(0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_entries_that_are_not_finite_give_nan(exponentials, bad):
    matrix = np.diag([-0.1, -0.2, -0.3])
    matrix[1, 0] = bad
    assert np.isnan(exponentials([matrix])[0]).all()


def test_fast_rates_gain_from_entries_in_long_double(exponential_program):
    """exp(-100 / 3): rounding the exponent to double would cost several 1e-15."""
    rounded = -100 / 3
    with mpmath.workdps(40):
        entry = mpmath.mpf(-100) / 3
        exact = mpmath.exp(entry)
        (extended,), (double,) = ask(exponential_program, [f"-1 {mpmath.nstr(entry, 30)}", f"1 {rounded.hex()}"])
        assert abs(extended / exact - 1) < OF_ENTRY < abs(double / exact - 1)
