/*
 *  spike_queue.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SPIKE_QUEUE_H
#define SPIKE_QUEUE_H

// C++ includes:
#include <array>
#include <cstddef>

// Includes from NEST:
#include "kernel_manager.h"

namespace nestml
{

/**
 * Additions to memory that is not in the cache yet.
 *
 * Spikes come in no order of their targets, so that in a network each has to wait for memory. Here, the memory is asked
 * for when a spike comes, and is added to a few spikes later, when it has arrived: the waiting times of several spikes
 * overlap. Additions are made in the order in which they came, with the same result as without a queue.
 *
 * There is one queue for each of NEST's threads, for the neurons of that thread.
 */
class SpikeQueue
{
public:
  //! The queue of the calling thread, or nullptr if there are more threads than queues.
  static SpikeQueue*
  of_this_thread()
  {
    const nest::VPManager& threads = nest::kernel().vp_manager;
    const std::size_t thread = threads.get_num_threads() == 1 ? 0 : threads.get_thread_id();
    return thread < queues_.size() ? &queues_[ thread ] : nullptr;
  }

  //! Add a weight to a slot, now or later.
  static void
  add( double& slot, const double weight )
  {
    if ( SpikeQueue* const queue = of_this_thread() ) [[likely]]
    {
      queue->push_( slot, weight );
    }
    else
    {
      slot += weight;
    }
  }

  //! Make all additions that this thread has put off. Has to be called before slots are read, or freed.
  static void
  flush()
  {
    if ( SpikeQueue* const queue = of_this_thread() ) [[likely]]
    {
      queue->flush_();
    }
  }

private:
  struct Addition
  {
    double* slot;
    double weight;
  };

  void
  push_( double& slot, const double weight )
  {
#if defined( __GNUC__ )
    __builtin_prefetch( &slot, 1 );
#endif
    additions_[ size_ ] = { &slot, weight };
    if ( ++size_ == additions_.size() ) [[unlikely]]
    {
      flush_();
    }
  }

  void
  flush_()
  {
    for ( std::size_t i = 0; i < size_; ++i )
    {
      *additions_[ i ].slot += additions_[ i ].weight;
    }
    size_ = 0;
  }

  // More than a processor can wait for at a time, so that the first ones have arrived when the last ones come.
  std::array< Addition, 128 > additions_;
  std::size_t size_ = 0;

  // Of a fixed number, so that no thread has to wait while another makes a queue; what is not used takes no memory.
  static std::array< SpikeQueue, 512 > queues_;
};

inline std::array< SpikeQueue, 512 > SpikeQueue::queues_;

} // namespace nestml

#endif // SPIKE_QUEUE_H
