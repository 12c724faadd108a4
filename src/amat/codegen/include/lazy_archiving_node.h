/*
 *  lazy_archiving_node.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef LAZY_ARCHIVING_NODE_H
#define LAZY_ARCHIVING_NODE_H

// C++ includes:
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <string>

// Includes from NEST:
#include "archiving_node.h"
#include "dict_util.h"
#include "dictionary.h"
#include "nest_names.h"
#include "nest_time.h"
#include "node.h"

namespace nestml
{

/**
 * A base class for neurons that behaves as nest::ArchivingNode, and takes its memory only when it is used.
 *
 * A nest::ArchivingNode adds 288 bytes to a node, and 576 more for the buffer of its spike history, even where no
 * synapse is plastic. This class adds 24 bytes: the time of the last spike, the calcium concentration and a pointer.
 * The first use of anything else (an STDP connection, structural plasticity, a parameter of either) creates a
 * nest::ArchivingNode, the archive, in the state that it would have if it had been there from the beginning. From
 * then on everything is handed to it. Results are the same to the last bit.
 *
 * Two numbers are enough for that state. As long as no STDP connection is registered, NEST keeps no spike history and
 * no STDP traces. As long as there are no synaptic elements, of structural plasticity only the calcium concentration
 * changes, and it is updated at spikes: the time of its last update is that of the last spike. What would break either
 * creates the archive first.
 *
 * Times are in ms, calcium concentrations without unit, as in NEST.
 *
 * Thread-safety is that of nest::ArchivingNode: a node is changed by the thread that owns it only; const member
 * functions change nothing and share nothing, copies may be made of one prototype by many threads.
 *
 * Not offered is the protected counter nest::ArchivingNode::n_incoming_.
 *
 * Source of the behaviour: nest::ArchivingNode, nest::StructuralPlasticityNode and nest::IgnoreAndSpikeMechanism of
 * NEST 3.10.
 */
class LazyArchivingNode : public nest::Node
{
public:
  LazyArchivingNode() = default;

  //! Copy a node, as a model's prototype to its instances, with the archive if it has one.
  LazyArchivingNode( const LazyArchivingNode& other )
    : nest::Node( other )
    , last_spike_( other.last_spike_ )
    , Ca_( other.Ca_ )
    , archive_( other.archive_ ? std::make_unique< Archive >( *other.archive_ ) : nullptr )
  {
  }

  //! Return the STDP trace just before time t (ms).
  double
  get_K_value( double t ) override
  {
    return archive_ ? archive_->get_K_value( t ) : 0.0;
  }

  //! Write the STDP traces just before time t (ms).
  void
  get_K_values( double t, double& Kminus, double& nearest_neighbor_Kminus, double& Kminus_triplet ) override
  {
    if ( archive_ )
    {
      archive_->get_K_values( t, Kminus, nearest_neighbor_Kminus, Kminus_triplet );
      return;
    }
    Kminus = nearest_neighbor_Kminus = Kminus_triplet = 0.0;
  }

  //! Point to the first spike after t1 (ms) and to the one past the last until t2 (ms).
  void
  get_history( double t1,
    double t2,
    std::deque< nest::histentry >::iterator* start,
    std::deque< nest::histentry >::iterator* finish ) override
  {
    archive().get_history( t1, t2, start, finish );
  }

  //! Keep the spike history for one more STDP synapse, which reads what comes after t_first_read (ms).
  void
  register_stdp_connection( double t_first_read, double delay ) override
  {
    archive().register_stdp_connection( t_first_read, delay );
  }

  //! Return the calcium concentration at its last update.
  double
  get_Ca_minus() const override
  {
    return archive_ ? archive_->get_Ca_minus() : Ca_;
  }

  //! Return the time constant (ms) of the calcium concentration.
  double
  get_tau_Ca() const
  {
    return archive_ ? archive_->get_tau_Ca() : default_tau_Ca;
  }

  //! Return the number of synaptic elements of a name.
  double
  get_synaptic_elements( std::string name ) const override
  {
    return archive_ ? archive_->get_synaptic_elements( name ) : 0.0;
  }

  //! Return the number of synaptic elements of a name that are free for a connection.
  int
  get_synaptic_elements_vacant( std::string name ) const override
  {
    return archive_ ? archive_->get_synaptic_elements_vacant( name ) : 0;
  }

  //! Return the number of synaptic elements of a name that are in a connection.
  int
  get_synaptic_elements_connected( std::string name ) const override
  {
    return archive_ ? archive_->get_synaptic_elements_connected( name ) : 0;
  }

  //! Return the numbers of all synaptic elements by their names.
  std::map< std::string, double >
  get_synaptic_elements() const override
  {
    return archive_ ? archive_->get_synaptic_elements() : std::map< std::string, double >();
  }

  //! Let the calcium concentration decay and the synaptic elements grow until time t (ms).
  void
  update_synaptic_elements( double t ) override
  {
    archive().update_synaptic_elements( t );
  }

  //! Let vacant synaptic elements decay.
  void
  decay_synaptic_elements_vacant() override
  {
    if ( archive_ )
    {
      archive_->decay_synaptic_elements_vacant();
    }
  }

  //! Change by n the number of synaptic elements of a name that are in a connection.
  void
  connect_synaptic_element( std::string name, int n ) override
  {
    if ( archive_ )
    {
      archive_->connect_synaptic_element( name, n );
    }
  }

  //! Return whether to emit a spike, which nest::IgnoreAndSpikeMechanism may decide regardless of the dynamics.
  bool
  spike_event_is_due( bool emit_dynamic_spike )
  {
    return archive_ ? archive_->spike_event_is_due( emit_dynamic_spike ) : emit_dynamic_spike;
  }

  //! Write the parameters and the state of archiving.
  void
  get_status( Dictionary& d ) const override
  {
    if ( archive_ )
    {
      archive_->get_status( d );
      return;
    }
    Archive( last_spike_, Ca_ ).get_status( d );
  }

  /**
   * Set parameters and state of archiving.
   *
   * @throws nest::BadProperty if NEST refuses a value; the neuron then behaves as before.
   */
  void
  set_status( const Dictionary& d ) override
  {
    Dictionary ours;
    for ( const std::string* const key : { &nest::names::tau_minus,
            &nest::names::tau_minus_triplet,
            &nest::names::Ca,
            &nest::names::tau_Ca,
            &nest::names::beta_Ca,
            &nest::names::clear,
            &nest::names::synaptic_elements,
            &nest::names::synaptic_elements_param,
            &nest::names::ignore_and_spike,
            &nest::names::ignore_and_spike_offset,
            &nest::names::ignore_and_spike_interval } )
    {
      if ( d.known( *key ) )
      {
        ours[ *key ] = d.at( *key );
      }
    }
    if ( ours.empty() )
    {
      return;
    }
    // Random and spatial parameters are those of this node: the archive has neither number nor position.
    for ( const std::string* const key :
      { &nest::names::ignore_and_spike_offset, &nest::names::ignore_and_spike_interval } )
    {
      double value;
      if ( nest::update_value_param( d, *key, value, this ) )
      {
        ours[ *key ] = value;
      }
    }
    archive().set_status( ours );
  }

protected:
  //! Record a spike at the time t_sp - offset; the offset is in ms.
  void
  set_spiketime( nest::Time const& t_sp, double offset = 0.0 )
  {
    if ( archive_ )
    {
      archive_->set_spiketime( t_sp, offset );
      return;
    }
    const double t_sp_ms = rounded( t_sp.get_ms() ) - offset;
    // Before the first spike the concentration is zero, and remains so whatever the time of its last update.
    Ca_ = rounded( Ca_ * std::exp( ( last_spike_ - t_sp_ms ) / default_tau_Ca ) ) + default_beta_Ca;
    last_spike_ = t_sp_ms;
  }

  //! Return the time of the last spike (ms), -1 before the first.
  double
  get_spiketime_ms() const
  {
    return archive_ ? archive_->get_spiketime_ms() : last_spike_;
  }

  //! Forget the spikes; the calcium concentration stays.
  void
  clear_history()
  {
    if ( archive_ or last_spike_ != never )
    {
      // with spikes forgotten, the last one's time is no longer that of the last update of the concentration
      archive().clear_history();
    }
  }

private:
  //! NEST's own class, made into an object that can stand beside a node.
  class Archive final : public nest::ArchivingNode
  {
  public:
    /**
     * Make what a nest::ArchivingNode would be without STDP connections and synaptic elements.
     *
     * @param last_spike  Time of the last spike in ms; never if there was none.
     * @param Ca          Calcium concentration at that time.
     */
    Archive( double last_spike, double Ca )
    {
      get_K_value( 0.0 ); // NEST leaves the recordable trace uninitialized until it is first read
      if ( last_spike != never )
      {
        set_spiketime( nest::Time(), -last_spike );
        Dictionary concentration;
        concentration[ nest::names::Ca ] = Ca;
        set_status( concentration );
      }
    }

    using nest::ArchivingNode::clear_history;
    using nest::ArchivingNode::get_spiketime_ms;
    using nest::ArchivingNode::set_spiketime;

    // An archive is no member of the network: these are never called.
    void
    pre_run_hook() override
    {
    }

    void
    update( nest::Time const&, const long, const long ) override
    {
    }
  };

  //! Return the archive, created if it is not there yet.
  Archive&
  archive()
  {
    if ( not archive_ )
    {
      archive_ = std::make_unique< Archive >( last_spike_, Ca_ );
    }
    return *archive_;
  }

  //! Keep the compiler from fusing a product with a following sum, which NEST's own code does not.
  static double
  rounded( double product )
  {
    const volatile double value = product;
    return value;
  }

  //! NEST's time of the last spike before the first, in ms.
  static constexpr double never = -1.0;

  //! NEST's default time constant (ms) of the calcium concentration, and its increment by a spike.
  static constexpr double default_tau_Ca = 10000.0;
  static constexpr double default_beta_Ca = 0.001;

  // The state until there is an archive; after that it is not used.
  double last_spike_ = never;
  double Ca_ = 0.0;

  std::unique_ptr< Archive > archive_;
};

} // namespace nestml

#endif // LAZY_ARCHIVING_NODE_H
