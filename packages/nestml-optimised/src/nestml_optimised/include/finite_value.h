/*
 *  finite_value.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef FINITE_VALUE_H
#define FINITE_VALUE_H

// C++ includes:
#include <cmath>
#include <sstream>
#include <string>
#include <type_traits>

// Includes from NEST:
#include "dict_util.h"
#include "dictionary.h"
#include "exceptions.h"
#include "node.h"

namespace nestml_optimised::inline v0_1_0
{

/**
 * Take the value of a parameter or state variable from a dictionary, if it is there.
 *
 * @param d         The dictionary.
 * @param name      The name of the parameter.
 * @param value     The value to change.
 * @param node      The neuron.
 * @param infinite  Whether the value may be infinite.
 *
 * @return Whether the name is in the dictionary.
 * @throws nest::BadProperty if the new value is not a finite number.
 */
template < typename Value >
bool
update_value( const Dictionary& d, const std::string& name, Value& value, nest::Node* node, const bool infinite = false )
{
  const bool found = nest::update_value_param( d, name, value, node );
  if constexpr ( std::is_floating_point_v< Value > )
  {
    if ( found and ( infinite ? std::isnan( value ) : not std::isfinite( value ) ) )
    {
      std::ostringstream message;
      message << name << " must be a finite number, but is " << value << ".";
      throw nest::BadProperty( message.str() );
    }
  }
  return found;
}

} // namespace nestml_optimised::inline v0_1_0

#endif // FINITE_VALUE_H
