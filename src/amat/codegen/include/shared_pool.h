/*
 *  shared_pool.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SHARED_POOL_H
#define SHARED_POOL_H

// C++ includes:
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>

namespace nestml
{

/**
 * Objects that are computed from a few parameters, one for all neurons that are equal in these.
 *
 * An object lives as long as a neuron uses it. Any number of threads may ask for objects and give them back.
 *
 * @tparam Object  With a base class or member type Key, made of members of eight bytes each, and a constructor from it.
 */
template < typename Object >
class SharedPool
{
public:
  using Key = typename Object::Key;

  //! The pool. It is never destroyed: NEST may delete neurons after the module's static objects.
  static SharedPool&
  instance()
  {
    static SharedPool& pool = *new SharedPool;
    return pool;
  }

  //! Return the object for a key, made if there is none.
  std::shared_ptr< Object >
  get( const Key& key )
  {
    const Bits bits = std::bit_cast< Bits >( key );
    const std::lock_guard lock( mutex_ );
    if ( const auto known = objects_.find( bits ); known != objects_.end() )
    {
      if ( auto object = known->second.lock() )
      {
        return object;
      }
    }
    const std::shared_ptr< Object > object(
      new Object( key ), [ bits ]( Object* last ) { instance().remove( bits, last ); } );
    objects_[ bits ] = object;
    return object;
  }

  //! Guards all objects while they are changed.
  std::mutex&
  mutex()
  {
    return mutex_;
  }

private:
  // As bits: parameters are compared for being the same, NaN included, not for their order.
  using Bits = std::array< std::uint64_t, sizeof( Key ) / sizeof( std::uint64_t ) >;
  static_assert( std::is_trivially_copyable_v< Key > and sizeof( Key ) % sizeof( std::uint64_t ) == 0 );

  void
  remove( const Bits& bits, Object* last )
  {
    {
      const std::lock_guard lock( mutex_ );
      const auto known = objects_.find( bits );
      // Meanwhile another thread may have put a new object in its place.
      if ( known != objects_.end() and known->second.expired() )
      {
        objects_.erase( known );
      }
    }
    delete last;
  }

  std::mutex mutex_;
  std::map< Bits, std::weak_ptr< Object > > objects_;
};

} // namespace nestml

#endif // SHARED_POOL_H
