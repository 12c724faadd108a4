/*
 *  ring_size.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RING_SIZE_H
#define RING_SIZE_H

// C++ includes:
#include <atomic>
#include <cstdint>

namespace nestml_optimised::inline v0_1_0
{

/**
 * The number of time slots of all ring buffers, for which a simulation's delays decide, and the slot of each step.
 *
 * NEST has a table of slots for steps from the start of the current slice. But that start is a time whose conversion to
 * steps takes longer than all else that a spike needs.
 */
class RingSize
{
public:
  //! Set the number of slots, at least two. All threads set the same one at the start of a simulation.
  static void
  set( const std::uint64_t slots )
  {
    slots_.store( slots, std::memory_order_relaxed );
    reciprocal_.store( ~std::uint64_t { 0 } / slots + 1, std::memory_order_relaxed );
  }

  //! Return the slot of a step: the remainder of a division by the number of slots. Their product is below 2^64.
  static std::uint64_t
  slot( const std::uint64_t step )
  {
    __extension__ using Product = unsigned __int128;
    const std::uint64_t quotient = static_cast< Product >( step ) * reciprocal_.load( std::memory_order_relaxed ) >> 64;
    return step - quotient * slots_.load( std::memory_order_relaxed );
  }

private:
  inline static std::atomic< std::uint64_t > slots_ = 2;
  inline static std::atomic< std::uint64_t > reciprocal_ = 0x8000000000000000; //!< times 2^64, rounded up
};

} // namespace nestml_optimised::inline v0_1_0

#endif // RING_SIZE_H
