/*
 *  power.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef POWER_H
#define POWER_H

// C++ includes:
#include <type_traits>

namespace nestml_optimised::inline v0_1_0
{

//! Return x to the power n by multiplications, of which there are at most 2 log2( n ).
template < int n >
constexpr double
pow( const double x, std::integral_constant< int, n > )
{
  static_assert( n >= 0 );
  if constexpr ( n == 0 )
  {
    return 1.0;
  }
  else
  {
    const double root = pow( x, std::integral_constant< int, n / 2 >() );
    return n % 2 ? x * ( root * root ) : root * root;
  }
}

} // namespace nestml_optimised::inline v0_1_0

#endif // POWER_H
