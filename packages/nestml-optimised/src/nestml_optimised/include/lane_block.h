/*
 *  lane_block.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef LANE_BLOCK_H
#define LANE_BLOCK_H

// C++ includes:
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

// Includes from NEST:
#include "kernel_manager.h"

#include "countdown.h"
#include "lane_group.h"
#include "spike_queue.h"
#include "vectorisation.h"

namespace nestml_optimised::inline v0_1_0
{

//! A set of lanes, one bit for each.
using LaneMask = std::uint8_t;

//! Return the set that consists of one lane.
constexpr LaneMask
lane_bit( const std::size_t lane )
{
  return static_cast< LaneMask >( 1u << lane );
}

//! A value of each lane. It is a plain array because compilers vectorise loops over these best.
template < typename Value >
struct Lanes
{
  alignas( 64 ) Value values[ n_lanes ];

  Value&
  operator[]( const std::size_t lane )
  {
    return values[ lane ];
  }

  const Value&
  operator[]( const std::size_t lane ) const
  {
    return values[ lane ];
  }
};

//! All lanes.
inline constexpr LaneMask all_lanes = 0xff;

//! The bit of each lane, for loops over lanes.
inline constexpr Lanes< long > lane_bits { { 1, 2, 4, 8, 16, 32, 64, 128 } };

/**
 * Return the first of two values if a condition is 1, and the second if it is 0.
 *
 * This is done by bits: compilers would turn the choice between a new and an old value into a conditional store, which
 * is slow on some processors.
 */
template < typename Value >
inline Value
choose( const long condition, const Value value, const Value otherwise )
{
  static_assert( sizeof( Value ) == sizeof( std::uint64_t ) );
  const std::uint64_t mask = -static_cast< std::uint64_t >( condition );
  return std::bit_cast< Value >(
    ( std::bit_cast< std::uint64_t >( value ) & mask ) | ( std::bit_cast< std::uint64_t >( otherwise ) & ~mask ) );
}

//! For timers, whose copies compilers do not vectorise.
inline Countdown
choose( const long condition, const Countdown& value, const Countdown& otherwise )
{
  return Countdown::of_steps( choose( condition, value.steps(), otherwise.steps() ) );
}

/**
 * Neurons of one model and thread that are updated together, one in each lane of vector registers.
 *
 * This is the part that does not depend on the model. A generated class adds state and parameters, as structures of
 * arrays. What a lane computes does not depend on the other lanes.
 *
 * Spikes arrive in rows, one for each port and time slot, with an entry for each lane.
 */
class LaneBlock
{
public:
  //! The largest number of steps that a lane can defer.
  static constexpr long most_deferred_steps = 255;

  LaneBlock() = default;
  LaneBlock( const LaneBlock& ) = delete;
  LaneBlock& operator=( const LaneBlock& ) = delete;

  virtual ~LaneBlock()
  {
    if ( group_ )
    {
      LaneGroup::remove( group_, number_ );
    }
  }

  //! Begin a group, or join that of the block before.
  void
  join_group( const LaneBlock* const before )
  {
    group_ = before and not before->group_->is_full() ? before->group_ : new LaneGroup;
    number_ = static_cast< std::uint32_t >( group_->add( *this ) );
  }

  //! Count one more neuron, or other owner.
  void
  acquire()
  {
    ++owners_;
  }

  //! Delete the block if its last owner releases it.
  static void
  release( LaneBlock* const block )
  {
    if ( block and --block->owners_ == 0 )
    {
      delete block;
    }
  }

  //! Return the number of neurons and other owners.
  std::size_t
  owners() const
  {
    return owners_;
  }

  //! Return whether all lanes have been taken.
  bool
  is_full() const
  {
    return n_taken_ == n_lanes;
  }

  //! Return the number of lanes that have been taken, which is that of the next one.
  std::size_t
  n_taken() const
  {
    return n_taken_;
  }

  //! Take a lane. Lanes are not taken twice.
  std::uint8_t
  take_lane()
  {
    return n_taken_++;
  }

  //! Let a neuron take part in the simulation.
  void
  join( const std::size_t lane )
  {
    live_ |= lane_bit( lane );
    changed_ = true;
    updated_until_ = -1;
  }

  //! Take the neuron of a lane out of the simulation.
  void
  leave( const std::size_t lane )
  {
    live_ &= ~lane_bit( lane );
    changed_ = true;
  }

  //! Return whether the block has not been updated yet for these steps.
  bool
  is_due( nest::Time const& origin, const long to ) const
  {
    return updated_until_ != end_( origin, to );
  }

  //! Create the rows that the delays of this simulation require, and return the number from a time slot to the next.
  std::size_t
  prepare_rows( const std::size_t ports, const std::size_t thread )
  {
    group_->prepare_rows( ports, thread );
    n_ports_ = static_cast< std::uint32_t >( ports );
    return group_->stride() / n_lanes;
  }

  //! Return the first row of a time slot.
  double*
  row( const std::size_t slot ) const
  {
    return group_->row( number_, n_ports_, slot );
  }

  //! Forget the input of a lane.
  void
  clear_lane( const std::size_t lane )
  {
    for ( std::size_t slot = 0; has_rows_() and slot < group_->n_slots(); ++slot )
    {
      for ( std::size_t port = 0; port < n_ports_; ++port )
      {
        row( slot )[ port * n_lanes + lane ] = 0.0;
      }
    }
  }

  LaneMask recorded = 0; //!< lanes with a recorder
  LaneMask driven = 0;   //!< lanes with a current

protected:
  //! A spike that its neuron emits in its own turn.
  struct Spike
  {
    std::uint8_t lane;
    long lag;
  };

  //! Successive rows of a slice.
  struct Piece
  {
    const double* row;
    long stride; //!< from one step to the next
    long end;    //!< the step behind the last
  };

  //! Begin the update over some steps.
  void
  begin_( nest::Time const& origin, const long to )
  {
    updated_until_ = end_( origin, to );
    spikes_.clear();
  }

  /**
   * Request the memory of a block that is updated soon, so that it arrives while this one is updated.
   *
   * Always inline, since compilers remove calls of functions that only request memory.
   *
   * @tparam Bytes  The bytes to request at the beginning of a block; the processor finds the rest.
   */
  template < std::size_t Bytes >
  [[gnu::always_inline]] inline void
  request_next_() const
  {
#if defined( __GNUC__ )
    const LaneBlock* const block = group_->find( number_ + 3 );
    for ( std::size_t byte = 0; block and byte < Bytes; byte += 64 )
    {
      __builtin_prefetch( reinterpret_cast< const char* >( block ) + byte, 1 );
    }
#endif
  }

  //! Look at the neurons again before the next update, because one has changed.
  void
  note_change_( const std::size_t lane )
  {
    changed_ = true;
    // Other neurons decide whether a block is updated, and so counts slices, while this neuron is frozen.
    quiet_slices_ |= quiet_limit << lane * 8;
  }

  //! Count the slices without input of each lane, and return the lanes that had none for some time.
  LaneMask
  count_quiet_slices_( const LaneMask with_input )
  {
    // Eight numbers of eight bits in one word, which stop at the limit.
    quiet_slices_ += ~quiet_slices_ / quiet_limit & of_each_lane_;
    const std::uint64_t bits = with_input * of_each_lane_ & 0x8040201008040201;
    const std::uint64_t chosen = ( ( bits + 0x7f7f7f7f7f7f7f7f ) | bits ) & 0x8080808080808080; // the first bit of each number
    quiet_slices_ &= ~( ( chosen >> 7 ) * 0xff );
    return static_cast< LaneMask >( ( quiet_slices_ / quiet_limit & of_each_lane_ ) * 0x0102040810204080 >> 56 );
  }

  //! Let all lanes defer steps, if there is no input, until one of them has enough.
  void
  begin_idleness_( const long steps )
  {
    long left = std::min( steps, most_deferred_steps );
    for ( std::size_t lane = 0; lane < n_lanes; ++lane )
    {
      const long of_lane = std::min( steps, most_deferred_steps ) - deferred_[ lane ];
      left = on_ & lane_bit( lane ) ? std::min( left, of_lane ) : left;
    }
    idle_left_ = left;
  }

  //! Let lanes that were idle together count their steps for themselves.
  void
  end_idleness_()
  {
    if ( idle_steps_ > 0 )
    {
      for ( std::size_t lane = 0; lane < n_lanes; ++lane )
      {
        deferred_[ lane ] += on_ & lane_bit( lane ) ? idle_steps_ : 0;
      }
    }
    idle_left_ = 0;
    idle_steps_ = 0;
  }

  //! Return the number of slices for which input can be pending.
  std::size_t
  n_slices_() const
  {
    return group_->n_slices();
  }

  //! Return whether there can be input.
  bool
  has_rows_() const
  {
    return n_ports_ > 0;
  }

  //! Make deferred additions to the rows, and find those of a slice.
  void
  receive_spikes_( nest::Time const& origin )
  {
    group_->receive_spikes( origin );
  }

  //! Return the rows from a step on, to another or to the end of the ring.
  Piece
  rows_from_( const long lag, const long to ) const
  {
    const long slot = group_->slot( lag );
    const long end = std::min< long >( to, lag + group_->n_slots() - slot );
    return { row( slot ), static_cast< long >( group_->stride() ), end };
  }

  /**
   * Return the lanes with input in some steps of the current slice.
   *
   * @tparam Ports  The number of rows of a block in each time slot.
   */
  template < std::size_t Ports >
  LaneMask
  find_input_( const long from, const long to ) const
  {
    // The shortest vector registers, so that this can be inlined. A sum that began at zero is never the negative zero.
    using Pair = long __attribute__( ( vector_size( 16 ), may_alias ) );
    using DoublePair = double __attribute__( ( vector_size( 16 ), may_alias ) );
    constexpr std::size_t pairs = n_lanes / 2;
    Pair bits[ pairs ] {};
    for ( long lag = from; lag < to; )
    {
      const Piece piece = rows_from_( lag, to );
      for ( const double* row = piece.row; lag < piece.end; ++lag, row += piece.stride )
      {
        for ( std::size_t i = 0; i < Ports * pairs; ++i )
        {
          bits[ i % pairs ] |= reinterpret_cast< const Pair* >( row )[ i ];
        }
      }
    }
    Pair found {};
    for ( std::size_t pair = 0; pair < pairs; ++pair )
    {
      const Pair lanes { lane_bits[ 2 * pair ], lane_bits[ 2 * pair + 1 ] };
      found |= ( reinterpret_cast< DoublePair& >( bits[ pair ] ) != DoublePair {} ) & lanes;
    }
    return static_cast< LaneMask >( found[ 0 ] | found[ 1 ] );
  }

  //! Clear the input of some steps that some lanes have taken.
  template < std::size_t Ports >
  void
  clear_rows_( const long from, const long to, const LaneMask lanes )
  {
    const bool all = static_cast< LaneMask >( lanes | ~live_ ) == all_lanes;
    for ( long lag = from; lag < to; )
    {
      const Piece piece = rows_from_( lag, to );
      double* entries = row( group_->slot( lag ) );
      for ( ; all and lag < piece.end; ++lag, entries += piece.stride )
      {
        std::fill_n( entries, Ports * n_lanes, 0.0 );
      }
      for ( ; lag < piece.end; ++lag, entries += piece.stride )
      {
        for ( std::size_t i = 0; i < Ports * n_lanes; ++i )
        {
          entries[ i ] = lanes & lane_bit( i % n_lanes ) ? 0.0 : entries[ i ];
        }
      }
    }
  }

  LaneMask live_ = 0;             //!< lanes whose neuron takes part in the simulation
  LaneMask on_ = 0;               //!< those of them that are not frozen
  LaneMask behind_ = 0;           //!< lanes that deferred steps
  bool changed_ = true;           //!< whether to look at the neurons again
  std::vector< Spike > spikes_;   //!< of the current slice, in the order of time
  long idle_left_ = 0;            //!< steps that all lanes can still defer without a look at each
  long idle_steps_ = 0;           //!< steps that they deferred in this way
  std::array< std::uint8_t, n_lanes > deferred_ {}; //!< steps that a lane is behind, without the idle ones

private:
  //! Return a number for the end of some steps. The ticks of two slices differ by more than their steps.
  static long
  end_( nest::Time const& origin, const long to )
  {
    return origin.get_tics() + to;
  }

  //! The number one of each lane.
  static constexpr std::uint64_t of_each_lane_ = 0x0101010101010101;

  //! The slices without input, a power of two, after which a lane may defer steps. Before, more input may be near.
  static constexpr std::uint64_t quiet_limit = 32;

  long updated_until_ = -1;
  std::uint64_t quiet_slices_ = quiet_limit * of_each_lane_; //!< of each lane, in eight bits
  LaneGroup* group_ = nullptr;
  std::uint32_t number_ = 0;  //!< of this block in its group
  std::uint32_t n_ports_ = 0; //!< zero without input
  std::uint8_t n_taken_ = 0;
  std::atomic< std::uint32_t > owners_ = 0;
};

/**
 * A neuron's share in its block.
 */
template < typename Block >
class BlockPointer
{
public:
  //! Take the next lane of a block.
  explicit BlockPointer( Block& block )
    : block_( &block )
    , lane_( block.take_lane() )
  {
    block.acquire();
  }

  BlockPointer( const BlockPointer& ) = delete;
  BlockPointer& operator=( const BlockPointer& ) = delete;

  ~BlockPointer()
  {
    block_->leave( lane_ );
    LaneBlock::release( block_ );
  }

  Block&
  operator*() const
  {
    return *block_;
  }

private:
  Block* const block_;
  const std::uint8_t lane_;
};

/**
 * Return the block that still has a lane for a new neuron of this thread.
 *
 * @tparam Block  The generated class.
 */
template < typename Block >
Block&
open_block()
{
  struct Open
  {
    Block* block = nullptr;

    ~Open()
    {
      LaneBlock::release( block );
    }
  };
  // Of each thread, so that all neurons of a block belong to one thread.
  thread_local Open open;
  if ( not open.block or open.block->is_full()
    or ( open.block->owners() == 1 and open.block->n_taken() > 0 ) )
  {
    auto* const block = new Block;
    // After a reset of NEST, the blocks before have no neurons.
    block->join_group( open.block and open.block->owners() > 1 ? open.block : nullptr );
    LaneBlock::release( open.block );
    open.block = block;
    block->acquire();
  }
  return *open.block;
}

} // namespace nestml_optimised::inline v0_1_0

#endif // LANE_BLOCK_H
