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
 * The buffers of a neuron for spikes that are on their way: one array for each port, where spikes can come.
 *
 * In a network, the time that spikes need is that of the cache lines that each of them touches at random. There are two
 * of them here: that of the neuron, and that of the slot. For that, this has to be the first base class of a neuron,
 * before nest::Node: the pointer to the arrays then lies just before the node's pointer to its virtual functions, which
 * an event has loaded already, and since memory comes in units of 16 bytes, both are in the same line. Arrays inside
 * the object would not save more, but their size would be fixed, and neurons without input would have them, too. One
 * array a port, not pairs, since most spikes are excitatory. The slot is not waited for: see spike_queue.h.
 *
 * Not safe for use by several threads; NEST delivers the spikes to a neuron on the neuron's own thread.
 *
 * @tparam Ports  How many arrays there are.
 */
template < std::size_t Ports >
class SpikeInput
{
public:
  // Virtual, so that the compiler keeps this base first; see above.
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

  //! Store what was put off, before a simulation ends or buffers are freed.
  void
  finish_spikes()
  {
    if ( slots_ )
    {
      SpikeQueue::flush();
    }
  }

  //! Take note that a connection is made.
  void
  expect_spikes()
  {
    expected_ = true;
  }

  /**
   * Make the arrays if spikes are expected, as long as the delays of this simulation require.
   *
   * When a simulation starts, so that those of consecutive neurons, which are updated and often reached one after
   * another, lie behind one another in memory.
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
      n_slots_ = static_cast< std::uint32_t >( slots ) & 0xffffff; // more would be gigabytes for a few neurons
      n_slices_ = static_cast< std::uint16_t >( std::min< long >( ( slots + min_delay - 1 ) / min_delay + quiet_slices, always ) );
      SpikeQueue::account( bytes_() );
    }
    SpikeQueue::prepare();
  }

  /**
   * Add to what arrives at a port.
   *
   * @param port   Of the Ports.
   * @param steps  Of arrival, from the start of the current slice.
   * @param weight
   */
  void
  add_spikes( const std::size_t port, const long steps, const double weight )
  {
    SpikeQueue::add( slots_[ port * n_slots_ + nest::kernel().event_delivery_manager.get_modulo( steps ) ], weight );
    if ( pending_slices_ != n_slices_ )
    {
      // Only the first spike in a slice has to write: it spares the others a cache line that is to be written back.
      pending_slices_ = n_slices_;
    }
  }

  //! Whether spikes may arrive in the current slice. If not, slots need not be looked at.
  bool
  spikes_pending() const
  {
    return pending_slices_ > quiet_slices;
  }

  //! Whether the last spike has come so recently that it does not pay to put steps off: the next may come soon.
  bool
  recent_spikes() const
  {
    return pending_slices_ > 0;
  }

  //! More steps than these cannot be put off.
  static constexpr long longest_nap = 255;

  //! Return how many steps were put off; it is kept here, where there is room, for the neuron.
  long
  nap() const
  {
    return nap_;
  }

  void
  set_nap( const long steps )
  {
    nap_ = static_cast< std::uint32_t >( steps ) & 0xff;
  }

  //! Take note that the current slice is over.
  void
  end_slice()
  {
    pending_slices_ -= pending_slices_ > 0 and pending_slices_ != always;
  }

  /**
   * Take what arrives in some steps of the current slice, in order. There must have been a spike.
   *
   * @param from,to  The steps, from the start of the slice.
   * @param advance  Called with the step and an array of the Ports weights that arrive in it.
   */
  template < typename Advance >
  [[gnu::always_inline]] inline void
  take_spikes( const long from, const long to, Advance&& advance )
  {
    SpikeQueue::flush();
    // The slots of a slice are one piece, or two where they reach the end of the arrays.
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
  //! With more slices than are counted, spikes are always taken to be pending.
  static constexpr std::uint16_t always = 32767;

  //! How long the last spike is recent, after all that has arrived is taken.
  static constexpr std::uint16_t quiet_slices = 8;

  //! Return what the arrays take.
  long
  bytes_() const
  {
    return static_cast< long >( sizeof( double ) * Ports * n_slots_ );
  }

  std::uint32_t n_slots_ : 24 = 0;   //!< of each port; NEST fixes the delays when a simulation starts
  std::uint32_t nap_ : 8 = 0;        //!< steps that were put off
  std::uint16_t n_slices_ : 15 = 0;  //!< which these span, and quiet ones
  std::uint16_t expected_ : 1 = 0;   //!< whether a connection was made
  std::uint16_t pending_slices_ = 0; //!< until all that has arrived is taken, and quiet ones
  std::unique_ptr< double[] > slots_;
};

} // namespace nestml_optimised::inline v0_1_0

#endif // SPIKE_INPUT_H
