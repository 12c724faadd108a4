/*
 *  spike_input.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SPIKE_INPUT_H
#define SPIKE_INPUT_H

// C++ includes:
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

// Includes from NEST:
#include "kernel_manager.h"

#include "spike_queue.h"

namespace nestml_optimised::inline v0_1_0
{

/**
 * The buffers of a neuron for spikes to come: one array per port, created if there are connections.
 *
 * In a network, the time for a spike is that of the cache lines that it touches in random places. Here these are two:
 * that of the neuron and that of the slot. To this end, this has to be the first base class of a neuron, before
 * nest::Node. The pointer to the arrays is then just before the node's pointer to its virtual functions, which an event
 * has loaded already; since memory is allocated in units of 16 bytes, both are in the same line. Arrays inside the
 * object would save no more time, would have a fixed size, and would take memory in neurons without input. There is one
 * array per port, and not one of pairs, because most spikes are excitatory. Spikes do not wait for the slot: see
 * spike_queue.h.
 *
 * Not thread-safe; NEST delivers the spikes to a neuron on the neuron's thread.
 *
 * @tparam Ports  The number of arrays.
 */
template < std::size_t Ports >
class SpikeInput
{
public:
  // Virtual, so that the compiler places this base first; see above.
  virtual ~SpikeInput()
  {
    clear_spikes();
  }

protected:
  SpikeInput() = default;

  //! A copy of a neuron starts without input.
  SpikeInput( const SpikeInput& )
    : SpikeInput()
  {
  }

  SpikeInput& operator=( const SpikeInput& ) = delete;

  //! Forget all spikes.
  void
  clear_spikes()
  {
    finish_spikes();
    slots_.reset();
    SpikeQueue::account( -bytes_() );
    n_slots_ = 0;
    pending_slices_ = 0;
  }

  //! Store deferred additions, before a simulation ends or buffers are freed.
  void
  finish_spikes()
  {
    if ( slots_ )
    {
      SpikeQueue::flush();
    }
  }

  //! Remember that there is a connection.
  void
  expect_spikes()
  {
    expected_ = true;
  }

  /**
   * Create the arrays if spikes are expected, of the length that the delays of this simulation require.
   *
   * This is done at the start of a simulation, so that the arrays of consecutive neurons, which are updated one after
   * another, are next to each other in memory.
   */
  void
  prepare_spikes()
  {
    const long min_delay = nest::kernel().connection_manager.get_min_delay();
    const long slots = min_delay + nest::kernel().connection_manager.get_max_delay();
    if ( expected_ and n_slots_ != slots )
    {
      clear_spikes();
      slots_ = std::make_unique< double[] >( Ports * slots );
      n_slots_ = static_cast< std::uint32_t >( slots ) & 0xffffff; // more would take gigabytes for a few neurons
      n_slices_ = static_cast< std::uint16_t >( std::min< long >( ( slots + min_delay - 1 ) / min_delay + quiet_slices, always ) );
      SpikeQueue::account( bytes_() );
    }
  }

  /**
   * Add a weight to the input of a port.
   *
   * @param port   The number of the port.
   * @param steps  The step of arrival, from the start of the current slice.
   * @param weight
   */
  void
  add_spikes( const std::size_t port, const long steps, const double weight )
  {
    SpikeQueue::add( slots_[ port * n_slots_ + nest::kernel().event_delivery_manager.get_modulo( steps ) ], weight );
    if ( pending_slices_ != n_slices_ )
    {
      // Only the first spike in a slice writes, so that the others leave the cache line clean.
      pending_slices_ = n_slices_;
    }
  }

  //! Return whether spikes may arrive in the current slice. If not, the slots are empty.
  bool
  spikes_pending() const
  {
    return pending_slices_ > quiet_slices;
  }

  //! Return whether the last spike is recent. Deferring steps does not pay then, because the next may follow soon.
  bool
  recent_spikes() const
  {
    return pending_slices_ > 0;
  }

  //! The largest number of steps that can be deferred.
  static constexpr long max_deferred_steps = 255;

  //! Return the number of steps that the neuron has deferred. It is stored here because there is room.
  long
  deferred_steps() const
  {
    return deferred_steps_;
  }

  void
  set_deferred_steps( const long steps )
  {
    deferred_steps_ = static_cast< std::uint32_t >( steps ) & 0xff;
  }

  //! Count the end of the current slice.
  void
  end_slice()
  {
    pending_slices_ -= pending_slices_ > 0 and pending_slices_ != always;
  }

  /**
   * Take the input of some steps of the current slice, in order. There must have been a spike.
   *
   * @param from,to  The range of steps, from the start of the slice.
   * @param advance  Called with each step and an array of the weights that arrive in it, one per port.
   */
  template < typename Advance >
  [[gnu::always_inline]] inline void
  take_spikes( const long from, const long to, Advance&& advance )
  {
    SpikeQueue::flush();
    // The slots of a slice are contiguous, or in two pieces if they extend over the end of the arrays.
    for ( long start = from; start < to; )
    {
      double* const piece = &slots_[ nest::kernel().event_delivery_manager.get_modulo( start ) ];
      const long steps = std::min< long >( to - start, n_slots_ - ( piece - slots_.get() ) );
      for ( long i = 0; i < steps; ++i )
      {
        std::array< double, Ports > weights;
        for ( std::size_t port = 0; port < Ports; ++port )
        {
          weights[ port ] = std::exchange( piece[ port * n_slots_ + i ], 0.0 );
        }
        advance( start + i, weights );
      }
      start += steps;
    }
  }

private:
  //! The value for more slices than can be counted; spikes then always count as pending.
  static constexpr std::uint16_t always = 32767;

  //! The number of slices for which the last spike counts as recent after it was taken.
  static constexpr std::uint16_t quiet_slices = 8;

  //! Return the memory of the arrays in bytes.
  long
  bytes_() const
  {
    return static_cast< long >( sizeof( double ) * Ports * n_slots_ );
  }

  std::uint32_t n_slots_ : 24 = 0;   //!< of each port; NEST fixes the delays when a simulation starts
  std::uint32_t deferred_steps_ : 8 = 0;
  std::uint16_t n_slices_ : 15 = 0;  //!< that the slots span, plus quiet ones
  std::uint16_t expected_ : 1 = 0;   //!< whether a connection was made
  std::uint16_t pending_slices_ = 0; //!< until all spikes are taken, plus quiet ones
  std::unique_ptr< double[] > slots_;
};

} // namespace nestml_optimised::inline v0_1_0

#endif // SPIKE_INPUT_H
