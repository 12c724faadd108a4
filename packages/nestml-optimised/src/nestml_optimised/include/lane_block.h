/*
 *  lane_block.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef LANE_BLOCK_H
#define LANE_BLOCK_H

// C++ includes:
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

// Includes from NEST:
#include "kernel_manager.h"

#include "spike_queue.h"

// Loops over lanes are compiled for three kinds of processors, and the right one is chosen when the module is loaded.
// Sanitizers do not support this, because the choice is made before they start.
#if defined( __x86_64__ ) && defined( __gnu_linux__ ) && defined( __GNUC__ ) && !defined( __clang__ ) \
  && !defined( __SANITIZE_ADDRESS__ ) && !defined( __SANITIZE_THREAD__ )
#define LANE_CLONES __attribute__( ( target_clones( "arch=x86-64-v4", "arch=x86-64-v3", "default" ) ) )
#else
#define LANE_CLONES
#endif

// GCC would move what only one branch of a condition needs into that branch, and could not vectorise the loop then.
#if defined( __GNUC__ ) && !defined( __clang__ )
#define VECTORISED __attribute__( ( optimize( "no-trapping-math", "no-tree-sink" ) ) )
#define LOOP_OVER_LANES _Pragma( "GCC ivdep" )
#else
#define VECTORISED
#define LOOP_OVER_LANES
#endif

namespace nestml_optimised::inline v0_1_0
{

/**
 * The number of neurons in a block.
 *
 * It is that of doubles in the longest vector registers (AVX-512) and in a cache line.
 */
inline constexpr std::size_t n_lanes = 8;

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

/**
 * Neurons of one model and thread that are updated together, one in each lane of vector registers.
 *
 * This is the part that does not depend on the model. A generated class adds state and parameters, as structures of
 * arrays. What a lane computes does not depend on the other lanes.
 *
 * Spikes arrive in rows, one for each port and time slot, with an entry for each lane. The rows form a ring buffer.
 */
class LaneBlock
{
public:
  //! The first step of a lane that takes none.
  static constexpr long never = std::numeric_limits< long >::max();

  //! The number of slices without input after which a lane begins to defer steps. Otherwise, the next spike may be near.
  static constexpr long quiet_slices = 8;

  //! The largest number of steps that a lane can defer.
  static constexpr long most_deferred_steps = 255;

  LaneBlock()
  {
    std::fill_n( quiet.values, n_lanes, quiet_slices );
  }

  LaneBlock( const LaneBlock& ) = delete;
  LaneBlock& operator=( const LaneBlock& ) = delete;

  virtual ~LaneBlock()
  {
    free_rows_();
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

  /**
   * Create the rows, of the number that the delays of this simulation require.
   *
   * @return the entry of a lane in the first row.
   */
  double*
  prepare_rows( const std::size_t ports, const std::size_t slots, const std::size_t lane )
  {
    if ( n_slots_ != slots )
    {
      free_rows_();
      n_slots_ = slots;
      n_ports_ = ports;
      rows_ = new ( std::align_val_t( 64 ) ) double[ slots * ports * n_lanes ]();
      SpikeQueue::account( bytes_() );
    }
    return rows_ + lane;
  }

  //! Forget the input of a lane.
  void
  clear_lane( const std::size_t lane )
  {
    for ( std::size_t row = 0; row < n_slots_ * n_ports_; ++row )
    {
      rows_[ row * n_lanes + lane ] = 0.0;
    }
  }

  //! Return the number of time slots, zero without rows.
  std::size_t
  n_slots() const
  {
    return n_slots_;
  }

  Lanes< long > quiet;                             //!< slices without input, up to quiet_slices
  Lanes< long > deferred {};                       //!< steps that a lane is behind
  LaneMask live = 0;                               //!< lanes whose neuron takes part in the simulation
  LaneMask recorded = 0;                           //!< lanes with a recorder
  LaneMask driven = 0;                             //!< lanes with a current
  LaneMask spiking = 0;                            //!< lanes with a spike in the current slice
  bool changed = true;                             //!< whether the lanes may no longer have the same quantities

  LaneMask idle = 0;                               //!< lanes that all defer steps, if no others take part
  long idle_left = 0;                              //!< steps until one of them has enough
  long idle_steps = 0;                             //!< steps that they deferred in addition to those above

  //! The step until which the block is updated.
  long updated_until = -1;

protected:
  //! Let lanes that were idle together count their steps for themselves.
  void
  end_idleness_()
  {
    for ( std::size_t lane = 0; lane < n_lanes; ++lane )
    {
      deferred[ lane ] += idle & lane_bit( lane ) ? idle_steps : 0;
    }
    idle = 0;
    idle_steps = 0;
  }

  //! What lanes do in a slice: each entry is 0 or 1.
  struct Plan
  {
    Lanes< long > test;    //!< test whether a spike is possible
    Lanes< long > advance; //!< advance over the slice and the deferred steps at once, unless the test fails
    Lanes< long > passed;  //!< no spike is possible
    long tests = 0;        //!< how many lanes do either
  };

  /**
   * Choose the lanes that may skip or defer steps.
   *
   * @param steps      Of the slice.
   * @param on         The lanes that take part, by 1.
   * @param disturbed  The lanes with input, by 1.
   * @param enough     The number of steps that each lane can skip at once.
   */
  LANE_CLONES void
  make_plan_( const long steps,
    const Lanes< long >& __restrict__ on,
    const Lanes< long >& __restrict__ disturbed,
    const Lanes< long >& __restrict__ enough,
    Plan& __restrict__ plan )
  {
    long tests = 0;
    for ( std::size_t lane = 0; lane < n_lanes; ++lane )
    {
      const long behind = deferred[ lane ] + steps;
      const long free = on[ lane ] & ( disturbed[ lane ] ^ 1 );
      const long first = deferred[ lane ] == 0; // a lane that deferred steps has passed the test
      const long most = enough[ lane ] < most_deferred_steps + 1 ? enough[ lane ] : most_deferred_steps + 1;
      const long defers = free & static_cast< long >( behind < most );
      const long is_quiet = quiet[ lane ] == quiet_slices;
      plan.advance[ lane ] = free & static_cast< long >( behind == enough[ lane ] );
      plan.passed[ lane ] = defers & ( first ^ 1 );
      plan.test[ lane ] = first & ( plan.advance[ lane ] | ( defers & is_quiet ) );
      tests += plan.test[ lane ] | plan.advance[ lane ];
      const long longer = quiet[ lane ] < quiet_slices ? quiet[ lane ] + 1 : quiet_slices;
      const long now = disturbed[ lane ] ? 0 : longer;
      quiet[ lane ] = on[ lane ] ? now : quiet[ lane ];
    }
    plan.tests = tests;
  }

  /**
   * Carry out a plan after the tests.
   *
   * @param start  On return, the first step of each lane.
   *
   * @return the smallest number of steps that a lane, if all lanes defer steps, can defer in addition, or zero.
   */
  LANE_CLONES long
  follow_plan_( const long from,
    const long steps,
    const Lanes< long >& __restrict__ on,
    const Lanes< long >& __restrict__ enough,
    const Lanes< long >& __restrict__ had_passed,
    const Plan& __restrict__ plan,
    Lanes< long >& __restrict__ start )
  {
    long left = most_deferred_steps;
    for ( std::size_t lane = 0; lane < n_lanes; ++lane )
    {
      const long advances = plan.advance[ lane ] & plan.passed[ lane ];
      const long defers = had_passed[ lane ] | ( plan.test[ lane ] & plan.passed[ lane ] & ( plan.advance[ lane ] ^ 1 ) );
      const long waits = advances | defers | ( on[ lane ] ^ 1 );
      start[ lane ] = waits ? never : from - deferred[ lane ];
      const long behind = defers ? deferred[ lane ] + steps : 0;
      deferred[ lane ] = on[ lane ] ? behind : deferred[ lane ];
      const long most = enough[ lane ] < most_deferred_steps ? enough[ lane ] : most_deferred_steps;
      const long rest = defers ? most - behind : 0;
      const long of_lane = on[ lane ] ? rest : most_deferred_steps;
      left = of_lane < left ? of_lane : left;
    }
    return left;
  }

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

  //! Return the rows from a step on, to another or to the end of the ring.
  Piece
  rows_from_( const long lag, const long to ) const
  {
    const long slot = nest::kernel().event_delivery_manager.get_modulo( lag );
    const long end = std::min< long >( to, lag + n_slots_ - slot );
    return { rows_ + slot * n_ports_ * n_lanes, static_cast< long >( n_ports_ * n_lanes ), end };
  }

  //! Mark the lanes with input in some steps of the current slice, by 1.
  void
  find_input_( const long from, const long to, Lanes< long >& disturbed ) const
  {
    Lanes< std::uint64_t > bits {};
    for ( long lag = from; lag < to; )
    {
      const Piece piece = rows_from_( lag, to );
      collect_bits_( piece.row, piece.row + ( piece.end - lag ) * piece.stride, bits );
      lag = piece.end;
    }
    for ( std::size_t lane = 0; lane < n_lanes; ++lane )
    {
      disturbed[ lane ] |= bits[ lane ] != 0;
    }
  }

  //! Collect the bits of all entries of some rows, without the sign, which zero may have.
  LANE_CLONES static void
  collect_bits_( const double* row, const double* const end, Lanes< std::uint64_t >& bits )
  {
    Lanes< std::uint64_t > found = bits;
    for ( ; row < end; row += n_lanes )
    {
      for ( std::size_t lane = 0; lane < n_lanes; ++lane )
      {
        found[ lane ] |= std::bit_cast< std::uint64_t >( row[ lane ] ) << 1;
      }
    }
    bits = found;
  }

  //! Clear the input of some steps that some lanes have taken.
  void
  clear_rows_( const long from, const long to, const LaneMask lanes )
  {
    for ( long lag = from; lag < to; )
    {
      const Piece piece = rows_from_( lag, to );
      double* const start = rows_ + ( piece.row - rows_ );
      const std::size_t size = ( piece.end - lag ) * piece.stride;
      if ( static_cast< LaneMask >( lanes | ~live ) == 0xff )
      {
        std::memset( start, 0, size * sizeof( double ) );
      }
      else
      {
        for ( std::size_t i = 0; i < size; ++i )
        {
          start[ i ] = lanes & lane_bit( i % n_lanes ) ? 0.0 : start[ i ];
        }
      }
      lag = piece.end;
    }
  }

  std::vector< Spike > spikes_; //!< of the current slice, in the order of time

private:
  //! Return the memory of the rows in bytes.
  long
  bytes_() const
  {
    return static_cast< long >( sizeof( double ) * n_slots_ * n_ports_ * n_lanes );
  }

  void
  free_rows_()
  {
    if ( rows_ )
    {
      SpikeQueue::flush();
      SpikeQueue::account( -bytes_() );
      ::operator delete[]( rows_, std::align_val_t( 64 ) );
      rows_ = nullptr;
      n_slots_ = 0;
    }
  }

  double* rows_ = nullptr;
  std::uint32_t n_slots_ = 0;
  std::uint32_t n_ports_ = 0;
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
    block_->live &= ~lane_bit( lane_ );
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
    LaneBlock::release( open.block );
    open.block = new Block;
    open.block->acquire();
  }
  return *open.block;
}

} // namespace nestml_optimised::inline v0_1_0

#endif // LANE_BLOCK_H
