/*
 *  memory_chunks.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef MEMORY_CHUNKS_H
#define MEMORY_CHUNKS_H

// C++ includes:
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#if __has_include( <sys/mman.h> )
#include <sys/mman.h>
#endif

namespace nestml_optimised::inline v0_1_0
{

/**
 * Memory whose pieces are next to each other in the order in which a thread takes them.
 *
 * NEST visits neurons in the order in which they were made. If their distances in memory are equal, the processor
 * fetches the next ones before they are needed.
 *
 * Pieces are cut from chunks, which belong to one thread and are freed with their last piece. Any thread may give a
 * piece back.
 *
 * @tparam Size  The bytes of a chunk, a power of two. Chunks of 2 MiB or more are kept in large pages where the system
 *               has them, so that the processor translates addresses in random places faster.
 */
template < std::size_t Size >
class MemoryChunks
{
public:
  //! The largest piece.
  static constexpr std::size_t largest = Size - 128;

  //! Return memory for an object, aligned to a cache line in the first piece of a chunk, and to 16 bytes in all.
  static void*
  take( const std::size_t bytes )
  {
    // The reference of the thread keeps its last chunk until the next one, or the end of the thread.
    thread_local Open open;
    const std::size_t rounded = ( bytes + 15 ) / 16 * 16;
    if ( not open.chunk or open.chunk->used + rounded > Size - tail )
    {
      release_( open.chunk );
      open.chunk = new ( std::align_val_t( Size ), Size - tail ) Chunk;
    }
    Chunk* const chunk = open.chunk;
    void* const piece = reinterpret_cast< char* >( chunk ) + chunk->used;
    chunk->used += rounded;
    ++chunk->references;
    return piece;
  }

  //! Give memory back.
  static void
  give_back( void* const piece )
  {
    release_( reinterpret_cast< Chunk* >( reinterpret_cast< std::uintptr_t >( piece ) & ~( Size - 1 ) ) );
  }

private:
  //! The bytes at the end of a chunk that remain for the administration of the next one.
  static constexpr std::size_t tail = 64;

  //! What a chunk begins with.
  struct alignas( 64 ) Chunk
  {
    std::size_t used = 64;                     //!< bytes
    std::atomic< std::size_t > references = 1; //!< pieces, and the thread if it takes more

    static void*
    operator new( std::size_t, const std::align_val_t alignment, const std::size_t bytes )
    {
      void* const memory = ::operator new( bytes, alignment );
#if defined( MADV_HUGEPAGE )
      if ( Size >= 2097152 )
      {
        madvise( memory, bytes, MADV_HUGEPAGE ); // only advice
      }
#endif
      return memory;
    }

    static void
    operator delete( void* const memory )
    {
      ::operator delete( memory, std::align_val_t( Size ) );
    }

    static void
    operator delete( void* const memory, const std::align_val_t alignment, std::size_t )
    {
      ::operator delete( memory, alignment );
    }
  };

  struct Open
  {
    Chunk* chunk = nullptr;

    ~Open()
    {
      release_( chunk );
    }
  };

  static void
  release_( Chunk* const chunk )
  {
    if ( chunk and --chunk->references == 0 )
    {
      delete chunk;
    }
  }
};

//! Chunks for neurons.
using NeuronMemory = MemoryChunks< 16384 >;

//! Chunks of large pages.
using LargePages = MemoryChunks< 2097152 >;

} // namespace nestml_optimised::inline v0_1_0

#endif // MEMORY_CHUNKS_H
