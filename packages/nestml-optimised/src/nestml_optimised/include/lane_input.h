/*
 *  lane_input.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef LANE_INPUT_H
#define LANE_INPUT_H

// C++ includes:
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

// Includes from NEST:
#include "kernel_manager.h"

#include "lane_block.h"
#include "spike_queue.h"

namespace nestml_optimised::inline v0_1_0
{

/**
 * A neuron's lane in a block, its entries in the rows of input, and what it has to do in its turn.
 *
 * In a network, the time for a spike is that of the cache lines that it touches in random places. Here these are two:
 * that of the neuron and that of the row. To this end, this has to be the first base class of a neuron, before
 * nest::Node: the pointer to the row is then just before the node's pointer to its virtual functions, which an event
 * has loaded already; since memory is allocated in units of 16 bytes, both are in the same line. The pointer to the
 * block would not be; the neuron has it behind the node. Spikes do not wait for the row: see spike_queue.h.
 *
 * Not thread-safe; NEST delivers the spikes to a neuron on the neuron's thread.
 *
 * @tparam Ports  The number of rows for each time slot.
 */
template < std::size_t Ports >
class LaneInput
{
public:
  LaneInput( const LaneInput& ) = delete;
  LaneInput& operator=( const LaneInput& ) = delete;

  // Virtual, so that the compiler places this base first; see above.
  virtual ~LaneInput()
  {
    finish_spikes();
  }

protected:
  explicit LaneInput( const std::size_t lane )
    : lane_( static_cast< std::uint8_t >( lane ) )
  {
  }

  //! Forget all spikes.
  void
  clear_spikes( LaneBlock& block )
  {
    finish_spikes();
    block.clear_lane( lane_ );
    pending_slices_ = 0;
  }

  //! Store deferred additions, before a simulation ends or buffers are freed.
  void
  finish_spikes()
  {
    if ( input_ )
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

  //! Create the rows at the start of a simulation if spikes are expected.
  void
  prepare_spikes( LaneBlock& block )
  {
    const long min_delay = nest::kernel().connection_manager.get_min_delay();
    const long slots = min_delay + nest::kernel().connection_manager.get_max_delay();
    if ( expected_ )
    {
      double* const input = block.prepare_rows( Ports, slots, lane_ );
      const auto slices = static_cast< std::uint16_t >( std::min< long >( ( slots + min_delay - 1 ) / min_delay, always ) );
      if ( input != input_ or slices != n_slices_ )
      {
        pending_slices_ = std::min( pending_slices_, slices );
        input_ = input;
        n_slices_ = slices;
      }
    }
    SpikeQueue::prepare();
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
    const std::size_t row = nest::kernel().event_delivery_manager.get_modulo( steps ) * Ports + port;
    SpikeQueue::add( input_[ row * n_lanes ], weight );
    if ( pending_slices_ != n_slices_ )
    {
      // Only the first spike in a slice writes, so that the others leave the cache line clean.
      pending_slices_ = n_slices_;
    }
  }

  //! Return whether spikes may arrive in the current slice. If not, the neuron's entries are zero.
  bool
  spikes_pending() const
  {
    return pending_slices_ > 0;
  }

  //! Count the end of the current slice if an update reached it.
  void
  end_slice( const long to )
  {
    if ( spikes_pending() and to == nest::kernel().connection_manager.get_min_delay() )
    {
      pending_slices_ -= pending_slices_ != always;
    }
  }

  //! Let the neuron ask its block for an update in its turn, or not.
  void
  set_asking( const bool asks )
  {
    asks_ = asks;
  }

  //! Return whether the neuron asks its block for an update in its turn.
  bool
  is_asking() const
  {
    return asks_;
  }

  //! Remember that there are spikes to emit.
  void
  note_spikes()
  {
    spikes_ = true;
  }

  //! Return whether there are spikes to emit, and forget that.
  bool
  take_spikes()
  {
    return spikes_ and std::exchange( spikes_, false );
  }

  //! Return the neuron's lane.
  std::size_t
  lane() const
  {
    return lane_;
  }

private:
  //! The value for more slices than can be counted; spikes then always count as pending.
  static constexpr std::uint16_t always = 65535;

  const std::uint8_t lane_;
  bool expected_ = false;            //!< whether a connection was made
  std::uint16_t n_slices_ = 0;       //!< that the rows span
  std::uint16_t pending_slices_ = 0; //!< until all spikes are taken
  bool asks_ = true;                 //!< for an update of its block
  bool spikes_ = false;              //!< to emit
  double* input_ = nullptr;          //!< the entry in the first row
};

} // namespace nestml_optimised::inline v0_1_0

#endif // LANE_INPUT_H
