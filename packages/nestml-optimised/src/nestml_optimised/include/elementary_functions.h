/*
 *  elementary_functions.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ELEMENTARY_FUNCTIONS_H
#define ELEMENTARY_FUNCTIONS_H

// C++ includes:
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace nestml_optimised::inline v0_1_0
{

/**
 * @file
 * Functions without branches or tables, so that compilers vectorise loops that call them.
 *
 * The largest errors, in units of the last place of the result (ulp):
 *
 * | function                  | error (ulp) |
 * |---------------------------|-------------|
 * | exp, log                  | 1           |
 * | log10, expm1              | 2           |
 * | tanh                      | 2.5         |
 * | pow with a real exponent  | 1 for results from 1e-10 to 1e10, 16 for all |
 *
 * These hold for all arguments, subnormal numbers included; exp and pow return zero for results below e^-708.
 * Infinities, NaN, overflow and arguments outside the domain have the results of the standard library, apart from the
 * sign of zero and from error flags.
 *
 * The coefficients of polynomials interpolate the functions at Chebyshev nodes.
 */

namespace elementary
{

inline constexpr double infinity = std::numeric_limits< double >::infinity();
inline constexpr double not_a_number = std::numeric_limits< double >::quiet_NaN();

// The first part of ln 2 has 33 bits, so that its products with exponents are exact.
inline constexpr double ln2_head = 0x1.62e42fefp-1;
inline constexpr double ln2_tail = 7.440617110012397e-11;

//! Added to a number below 2^51, it rounds to an integer, which is then in the last bits.
inline constexpr double rounder = 0x1.8p52;

//! Return 2^n for a whole number n from -1022 to 1023.
[[gnu::always_inline]] inline double
power_of_two( const double n )
{
  return std::bit_cast< double >( ( std::bit_cast< std::uint64_t >( n + rounder ) + 1023u ) << 52 );
}

//! Return the leading 26 bits, so that products of two such numbers are exact.
[[gnu::always_inline]] inline double
head( const double x )
{
  return std::bit_cast< double >( std::bit_cast< std::uint64_t >( x ) & 0xfffffffff8000000u );
}

//! Return ( e^r - 1 - r ) / r^2 for r from -ln( 2 ) / 2 to ln( 2 ) / 2.
[[gnu::always_inline]] inline double
exp_polynomial( const double r )
{
  double q = 2.0914686968086876e-09;
  q = q * r + 2.5105217004720745e-08;
  q = q * r + 2.75572736431103e-07;
  q = q * r + 2.7557255400206422e-06;
  q = q * r + 2.4801587325547743e-05;
  q = q * r + 0.00019841269874820627;
  q = q * r + 0.0013888888888883748;
  q = q * r + 0.008333333333326136;
  q = q * r + 0.04166666666666667;
  q = q * r + 0.1666666666666667;
  return q * r + 0.5;
}

//! Return e^( x + tail ), where the tail is tiny.
[[gnu::always_inline]] inline double
exp_of_sum( const double x, const double tail )
{
  // Beyond these limits, the result is infinity or zero.
  const double below = x > 710.0 ? 710.0 : x;
  const double bounded = below < -708.0 ? -708.0 : below;
  const double n = bounded * 1.4426950408889634 + rounder - rounder;
  const double r = bounded - n * ln2_head - n * ln2_tail + tail;
  const double p = 1.0 + ( r + r * r * exp_polynomial( r ) );
  // Half of the power, because 2^n may be out of range where the result is not.
  const double value = 2.0 * ( p * power_of_two( n - 1.0 ) );
  return x < -708.0 ? 0.0 : value;
}

//! A positive number as fraction and exponent of two.
struct Split
{
  double fraction; //!< minus one; from sqrt( 1 / 2 ) - 1 to sqrt( 2 ) - 1
  double exponent;
};

[[gnu::always_inline]] inline Split
split( const double x )
{
  constexpr double smallest = std::numeric_limits< double >::min();
  const bool subnormal = x < smallest;
  const double scaled = subnormal ? x * 0x1p54 : x;
  const std::uint64_t bits = std::bit_cast< std::uint64_t >( scaled );
  const std::uint64_t root_half = 0x3fe6a09e667f3bcdu; // bits of sqrt( 1 / 2 )
  const std::uint64_t one = 0x3ff0000000000000u;
  const std::uint64_t biased = ( bits + ( one - root_half ) ) >> 52;
  const double number = std::bit_cast< double >( biased | 0x4330000000000000u ) - 0x1p52;
  const double fraction = std::bit_cast< double >( bits - ( biased << 52 ) + one );
  return { fraction - 1.0, number - ( subnormal ? 1077.0 : 1023.0 ) };
}

//! Return ( ln( ( 1 + s ) / ( 1 - s ) ) / s - 2 ) / z for z = s^2 and fractions as above.
[[gnu::always_inline]] inline double
log_polynomial( const double z )
{
  double q = 0.13086767009948175;
  q = q * z + 0.13268759668560612;
  q = q * z + 0.15386240205813478;
  q = q * z + 0.18181795630884753;
  q = q * z + 0.2222222239180047;
  q = q * z + 0.2857142857080323;
  q = q * z + 0.4000000000000088;
  return q * z + 0.6666666666666666;
}

} // namespace elementary

[[gnu::always_inline]] inline double
exp( const double x )
{
  return elementary::exp_of_sum( x, 0.0 );
}

[[gnu::always_inline]] inline double
expm1( const double x )
{
  using namespace elementary;
  const double below = x > 710.0 ? 710.0 : x;
  const double bounded = below < -50.0 ? -50.0 : below;
  const double n = bounded * 1.4426950408889634 + rounder - rounder;
  const double r = bounded - n * ln2_head - n * ln2_tail;
  const double q = r + r * r * exp_polynomial( r );
  // Half of the power, because 2^n may be out of range where the result is not.
  const double half = power_of_two( n - 1.0 );
  const double scaled = 2.0 * ( half * q + ( half - 0.5 ) );
  return n == 0.0 ? q : scaled;
}

[[gnu::always_inline]] inline double
tanh( const double x )
{
  const double size = std::abs( x );
  const double e = expm1( 2.0 * ( size > 20.0 ? 20.0 : size ) );
  return std::copysign( e / ( e + 2.0 ), x );
}

//! Return the natural logarithm.
[[gnu::always_inline]] inline double
log( const double x )
{
  using namespace elementary;
  const auto [ f, n ] = split( x );
  const double s = f / ( 2.0 + f );
  const double z = s * s;
  // ln( 1 + f ) = 2 s + s z q, and 2 s = f - f^2 / 2 + s f^2 / 2.
  const double half_square = 0.5 * f * f;
  const double tail = s * ( half_square + z * log_polynomial( z ) ) + n * ln2_tail;
  const double value = n * ln2_head + ( f - ( half_square - tail ) );
  const double of_others = x == 0.0 ? -infinity : not_a_number;
  const double positive = x < infinity ? value : x;
  return x > 0.0 ? positive : of_others;
}

[[gnu::always_inline]] inline double
log10( const double x )
{
  return log( x ) * 0.4342944819032518;
}

//! Return x to the power n by multiplications, of which there are at most 2 log2( n ).
template < int n >
constexpr double
pow( const double x, std::integral_constant< int, n > )
{
  if constexpr ( n < 0 )
  {
    return 1.0 / pow( x, std::integral_constant< int, -n >() );
  }
  else if constexpr ( n == 0 )
  {
    return 1.0;
  }
  else
  {
    const double root = pow( x, std::integral_constant< int, n / 2 >() );
    return n % 2 ? x * ( root * root ) : root * root;
  }
}

//! Return x to the power y.
[[gnu::always_inline]] inline double
pow( const double x, const double y )
{
  using namespace elementary;
  const double base = std::abs( x );
  const double most = 1e300;
  // Beyond these limits, the power of every number other than one is infinity or zero.
  const double below = y > most ? most : y;
  const double exponent = below < -most ? -most : below;

  // The logarithm of the base as a sum of two numbers.
  const auto [ f, n ] = split( base );
  const double divisor = 2.0 + f;
  const double divisor_head = head( divisor );
  const double divisor_tail = f - ( divisor - 2.0 );
  const double s_head = head( f / divisor );
  const double rest = f - s_head * divisor_head - s_head * ( divisor - divisor_head ) - s_head * divisor_tail;
  const double s_tail = rest / divisor;
  const double s = s_head + s_tail;
  const double z = s * s;
  const double whole = n * ln2_head;
  const double sum = whole + 2.0 * s_head;
  const double lost = 2.0 * s_head - ( sum - whole );
  const double small = lost + ( 2.0 * s_tail + s * z * log_polynomial( z ) + n * ln2_tail );
  const double log_head = head( sum + small );
  const double log_tail = ( sum - log_head ) + small;

  // Its product with the exponent, and the exponential of that.
  const double exponent_head = head( exponent );
  const double product = exponent_head * log_head;
  const double tail = exponent * log_tail + ( exponent - exponent_head ) * log_head;
  const bool in_range = std::abs( product ) < 1000.0;
  double size = exp_of_sum( product, in_range ? tail : 0.0 );

  // Bases without a logarithm.
  const double vanishing = y > 0.0 ? 0.0 : infinity;
  const double growing = y > 0.0 ? infinity : 0.0;
  size = base == 0.0 ? vanishing : size;
  size = base == infinity ? growing : size;
  // A negative base has powers only for whole exponents. Those beyond 2^51 count as even.
  const double limited = std::abs( y ) < 0x1p51 ? y : 0.0;
  const double rounded = limited + rounder;
  const bool whole_exponent = rounded - rounder == limited;
  const std::uint64_t sign = ( std::bit_cast< std::uint64_t >( rounded ) << 63 ) & std::bit_cast< std::uint64_t >( x );
  const double signed_size = std::bit_cast< double >( std::bit_cast< std::uint64_t >( size ) | sign );
  const double with_sign = whole_exponent ? signed_size : size;
  const bool undefined = ( x < 0.0 ) & ( x > -infinity ) & not whole_exponent;
  const double defined = undefined ? not_a_number : with_sign;
  const double number = ( ( x != x ) | ( y != y ) ) ? not_a_number : defined;
  return ( ( x == 1.0 ) | ( y == 0.0 ) ) ? 1.0 : number;
}

} // namespace nestml_optimised::inline v0_1_0

#endif // ELEMENTARY_FUNCTIONS_H
