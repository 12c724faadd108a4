# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Slots of ring buffers: remainders of steps, which are computed without a division."""

import subprocess
from pathlib import Path

import nestml_optimised
import pytest
from nestml_optimised.nest_installation import compiler

pytestmark = pytest.mark.slow

INCLUDE = Path(nestml_optimised.__file__).parent / "include"

#: Steps around multiples of the number of slots, up to a product of 2^63. Prints the number of wrong slots.
PROGRAM = """
#include "ring_size.h"
#include <cstdio>

int
main()
{
  using nestml_optimised::RingSize;
  long wrong = 0;
  for ( const std::uint64_t slots : { 2ul, 3ul, 7ul, 30ul, 81ul, 1024ul, 65537ul, 200001ul, 4294967291ul } )
  {
    RingSize::set( slots );
    for ( std::uint64_t multiple = 1; multiple < ( 1ul << 63 ) / slots / slots; multiple += multiple / 3 + 1 )
    {
      for ( const std::uint64_t step : { multiple * slots - 1, multiple * slots, multiple * slots + 1 } )
      {
        wrong += RingSize::slot( step ) != step % slots;
      }
    }
  }
  std::printf( "%ld", wrong );
}
"""


def test_slots_are_remainders(tmp_path):
    source = tmp_path / "ring.cpp"
    source.write_text(PROGRAM)
    command = [compiler(), "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}"]
    subprocess.run([*command, str(source), "-o", str(tmp_path / "ring")], check=True)
    assert subprocess.run([tmp_path / "ring"], check=True, capture_output=True, text=True).stdout == "0"
