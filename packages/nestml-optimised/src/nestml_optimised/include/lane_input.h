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

// Includes from NEST:
#include "event.h"
#include "kernel_manager.h"
#include "nest_time.h"

#include "lane_block.h"
#include "lane_group.h"
#include "ring_size.h"
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
    : lane_( lane & ( n_lanes - 1 ) )
  {
  }

  //! Forget all spikes.
  void
  clear_spikes( LaneBlock& block )
  {
    finish_spikes();
    block.clear_lane( lane_ );
  }

  //! Store deferred additions, before a simulation ends or buffers are freed.
  void
  finish_spikes()
  {
    if ( input_ )
    {
      SpikeQueue::flush( thread_ );
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
  prepare_spikes( LaneBlock& block, const std::size_t thread )
  {
    thread_ = static_cast< std::uint16_t >( thread );
    if ( expected_ )
    {
      stride_ = static_cast< std::uint16_t >( block.prepare_rows( Ports, thread ) );
      input_ = block.row( 0 ) + lane_;
    }
  }

  //! Return the step in which a spike arrives, from the time zero.
  static std::uint64_t
  arrival( nest::SpikeEvent& event )
  {
    // NEST gives the steps from another time. It knows those of infinity without conversion.
    const nest::Time infinity = nest::Time::pos_inf();
    return event.get_rel_delivery_steps( infinity ) + infinity.get_steps();
  }

  /**
   * Add a weight to the input of a port.
   *
   * @param port   The number of the port.
   * @param step   The step of arrival, from the time zero.
   * @param weight
   */
  void
  add_spikes( const std::size_t port, const std::uint64_t step, const double weight )
  {
    if ( last_slice_ != current_slice() )
    {
      // Only the first spike in a slice writes, so that the others leave the cache line clean.
      last_slice_ = current_slice();
    }
    const std::size_t row = RingSize::slot( step ) * stride_ + port;
    SpikeQueue::add( input_[ row * n_lanes ], weight );
  }

  //! Expect input at any time, as after a spike.
  void
  expect_input()
  {
    last_slice_ = current_slice();
  }

  //! Return the slices since the last spike. The number begins again at zero after the largest.
  std::uint16_t
  slices_without_spikes() const
  {
    return current_slice() - last_slice_;
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

  //! Return whether there are spikes to emit.
  bool
  has_spikes() const
  {
    return spikes_;
  }

  //! Forget the spikes to emit.
  void
  forget_spikes()
  {
    spikes_ = false;
  }

  //! Return the neuron's lane.
  std::size_t
  lane() const
  {
    return lane_;
  }

private:
  //! Return the number of the current slice, which begins again at zero after the largest.
  static std::uint16_t
  current_slice()
  {
    return static_cast< std::uint16_t >( nest::kernel().simulation_manager.get_slice() );
  }

  static_assert( LaneGroup::most_blocks * Ports < 65536 );

  const std::uint8_t lane_ : 3;
  bool expected_ : 1 = false;        //!< whether a connection was made
  bool asks_ : 1 = true;             //!< for an update of its block
  bool spikes_ : 1 = false;          //!< to emit
  std::uint16_t thread_ = 0;
  std::uint16_t stride_ = 0;         //!< rows from a slot to the next
  std::uint16_t last_slice_ = 0;     //!< with a spike
  double* input_ = nullptr;          //!< the entry in the first row
};

} // namespace nestml_optimised::inline v0_1_0

#endif // LANE_INPUT_H
