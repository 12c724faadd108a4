/*
 *  lane_group.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef LANE_GROUP_H
#define LANE_GROUP_H

// C++ includes:
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

// Includes from NEST:
#include "kernel_manager.h"

#include "memory_chunks.h"
#include "ring_size.h"
#include "spike_queue.h"

namespace nestml_optimised::inline v0_1_0
{

class LaneBlock;

/**
 * The number of neurons in a block.
 *
 * It is that of doubles in the longest vector registers (AVX-512) and in a cache line.
 */
inline constexpr std::size_t n_lanes = 8;

/**
 * Successive blocks of neurons of one thread, and their input: rows with an entry for each lane, in a ring buffer of
 * time slots.
 *
 * The rows of a slot are next to each other, in the order of blocks and, in each, of ports. Thus the processor fetches
 * them before they are needed, both where a device sends to one neuron after another, and where the blocks are updated.
 */
class LaneGroup
{
public:
  //! The largest number of blocks. All of them have rows as soon as one has input.
  static constexpr std::size_t most_blocks = 64;

  LaneGroup() = default;
  LaneGroup( const LaneGroup& ) = delete;
  LaneGroup& operator=( const LaneGroup& ) = delete;

  //! Return whether there is no room for another block.
  bool
  is_full() const
  {
    return n_blocks_ == most_blocks;
  }

  //! Add a block, and return its number.
  std::size_t
  add( LaneBlock& block )
  {
    blocks_[ n_blocks_ ] = &block;
    ++n_alive_;
    return n_blocks_++;
  }

  //! Remove a block, and delete a group that has no other.
  static void
  remove( LaneGroup* const group, const std::size_t number )
  {
    group->blocks_[ number ] = nullptr;
    if ( --group->n_alive_ == 0 )
    {
      delete group;
    }
  }

  //! Return a block; nullptr if there is none of this number.
  LaneBlock*
  find( const std::size_t number ) const
  {
    return number < most_blocks ? blocks_[ number ] : nullptr;
  }

  /**
   * Create the rows of all blocks at the start of a simulation. Rows for the same delays keep their input.
   *
   * @param ports   The number of rows of a block in each time slot.
   * @param thread  The thread of all neurons.
   */
  void
  prepare_rows( const std::size_t ports, const std::size_t thread )
  {
    const long min_delay = nest::kernel().connection_manager.get_min_delay();
    const std::size_t slots = min_delay + nest::kernel().connection_manager.get_max_delay();
    RingSize::set( slots );
    // An odd number, so that the rows of a block are in different places of the cache.
    const std::size_t width = ( n_blocks_ * ports ) | 1;
    if ( width == width_ and slots == n_slots_ )
    {
      return;
    }
    SpikeQueue::flush( thread );
    origin_ = -1;
    auto rows = std::make_unique< Memory_ >( slots * width * n_lanes, thread );
    for ( std::size_t slot = 0; slot < slots and slots == n_slots_; ++slot )
    {
      std::copy_n( row( 0, ports, slot ), stride(), rows->values + slot * width * n_lanes );
    }
    rows_ = std::move( rows );
    width_ = static_cast< std::uint32_t >( width );
    n_slots_ = static_cast< std::uint32_t >( slots );
    n_slices_ = static_cast< std::uint32_t >( ( slots + min_delay - 1 ) / min_delay );
  }

  //! Return the first row of a block in a slot.
  double*
  row( const std::size_t block, const std::size_t ports, const std::size_t slot ) const
  {
    return rows_->values + ( slot * width_ + block * ports ) * n_lanes;
  }

  //! Return the number of entries from a slot to the next.
  std::size_t
  stride() const
  {
    return width_ * n_lanes;
  }

  //! Return the number of time slots.
  std::size_t
  n_slots() const
  {
    return n_slots_;
  }

  //! Make deferred additions to the rows, and find those of the slice that begins at a time.
  void
  receive_spikes( nest::Time const& origin )
  {
    SpikeQueue::flush( rows_->thread );
    // The first of the blocks does this for all.
    if ( origin.get_tics() != origin_ )
    {
      origin_ = origin.get_tics();
      first_slot_ = RingSize::slot( origin.get_steps() );
    }
  }

  //! Return the slot of a step of the current slice.
  std::size_t
  slot( const long lag ) const
  {
    const std::size_t slot = first_slot_ + lag;
    return slot < n_slots_ ? slot : slot - n_slots_;
  }

  //! Return the number of slices between exchanges of spikes that the time slots span.
  std::size_t
  n_slices() const
  {
    return n_slices_;
  }

private:
  //! Rows of zeros.
  class Memory_
  {
  public:
    const std::size_t thread; //!< of the neurons

    Memory_( const std::size_t size, const std::size_t thread )
      : thread( thread )
      , bytes_( sizeof( double ) * size )
      // In large pages if there are so many that the processor cannot keep all addresses of pages.
      , in_large_pages_( SpikeQueue::accounted() > small_pages_ and bytes_ <= LargePages::largest )
      , values( static_cast< double* >(
          in_large_pages_ ? LargePages::take( bytes_ ) : ::operator new( bytes_, std::align_val_t( 64 ) ) ) )
    {
      std::fill_n( values, size, 0.0 );
      SpikeQueue::account( static_cast< long >( bytes_ ) );
    }

    Memory_( const Memory_& ) = delete;
    Memory_& operator=( const Memory_& ) = delete;

    ~Memory_()
    {
      SpikeQueue::flush( thread );
      SpikeQueue::account( -static_cast< long >( bytes_ ) );
      if ( in_large_pages_ )
      {
        LargePages::give_back( values );
      }
      else
      {
        ::operator delete( values, std::align_val_t( 64 ) );
      }
    }

  private:
    //! Memory of rows in bytes of which processors keep all addresses of pages: a thousand pages of 4 KiB.
    static constexpr long small_pages_ = 4194304;

    const std::size_t bytes_;
    const bool in_large_pages_;

  public:
    double* const values;
  };

  std::array< LaneBlock*, most_blocks > blocks_ {};
  std::size_t n_blocks_ = 0; //!< ever added
  std::atomic< std::size_t > n_alive_ = 0;
  std::unique_ptr< Memory_ > rows_;
  std::uint32_t width_ = 0; //!< rows of a slot
  std::uint32_t n_slots_ = 0;
  nest::tic_t origin_ = -1;          //!< of the current slice
  std::size_t first_slot_ = 0;       //!< of the current slice
  std::uint32_t n_slices_ = 0;
};

} // namespace nestml_optimised::inline v0_1_0

#endif // LANE_GROUP_H
