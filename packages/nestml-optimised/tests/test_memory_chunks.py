# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Memory in chunks: where pieces are, and that chunks are freed with their last piece."""

import subprocess
from pathlib import Path

import nestml_optimised
import pytest
from nestml_optimised.nest_installation import compiler

pytestmark = pytest.mark.slow

INCLUDE = Path(nestml_optimised.__file__).parent / "include"

#: Counts chunks by the aligned allocation functions, which the header uses for nothing else.
PROGRAM = """
#include "memory_chunks.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

std::atomic< int > chunks = 0;

void*
operator new( std::size_t bytes, std::align_val_t alignment )
{
  ++chunks;
  void* memory = nullptr;
  if ( posix_memalign( &memory, static_cast< std::size_t >( alignment ), bytes ) )
  {
    throw std::bad_alloc();
  }
  return memory;
}

void
operator delete( void* memory, std::align_val_t ) noexcept
{
  --chunks;
  std::free( memory );
}

#define CHECK( condition ) if ( not( condition ) ) { std::puts( #condition ); return 1; }

template < typename Memory >
int
run( const std::size_t bytes, const std::size_t distance, const std::size_t alignment )
{
  std::vector< char* > pieces;
  std::thread( [ & ] {
    for ( int i = 0; i < 1000; ++i )
    {
      pieces.push_back( static_cast< char* >( Memory::take( bytes ) ) );
      std::memset( pieces.back(), i, bytes );
    }
  } ).join();
  int breaks = 0;
  for ( std::size_t i = 0; i < pieces.size(); ++i )
  {
    CHECK( reinterpret_cast< std::uintptr_t >( pieces[ i ] ) % alignment == 0 );
    CHECK( pieces[ i ][ 0 ] == static_cast< char >( i ) );
    CHECK( pieces[ i ][ bytes - 1 ] == static_cast< char >( i ) );
    breaks += i > 0 and pieces[ i ] != pieces[ i - 1 ] + distance;
  }
  CHECK( chunks == breaks + 1 );
  std::swap( pieces.front(), pieces.back() );
  for ( std::size_t i = 0; i < pieces.size(); ++i )
  {
    CHECK( chunks > 0 );
    Memory::give_back( pieces[ i ] );
  }
  CHECK( chunks == 0 );
  std::printf( "%d chunks\\n", breaks + 1 );
  return 0;
}

int
main()
{
  using namespace nestml_optimised;
  return run< NeuronMemory >( 200, 208, 16 ) + run< NeuronMemory >( NeuronMemory::largest, 0, 64 )
    + run< LargePages >( 10240, 10240, 64 );
}
"""


def test_pieces_are_neighbours_and_chunks_are_freed_with_the_last_one(tmp_path):
    source = tmp_path / "chunks.cpp"
    source.write_text(PROGRAM)
    command = [compiler(), "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", "-pthread"]
    subprocess.run([*command, str(source), "-o", str(tmp_path / "chunks")], check=True)
    finished = subprocess.run([tmp_path / "chunks"], check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.split("\n")[:3] == ["13 chunks", "1000 chunks", "5 chunks"]
