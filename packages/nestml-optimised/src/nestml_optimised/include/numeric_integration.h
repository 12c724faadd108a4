/*
 *  numeric_integration.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef NUMERIC_INTEGRATION_H
#define NUMERIC_INTEGRATION_H

// C++ includes:
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace nestml_optimised::inline v0_1_0
{

/**
 * Advance x' = f( x ) by one step of Heun's method: a step with the derivative at the start, then one with the mean of
 * the derivatives at both ends.
 *
 * @param x  The state.
 * @param h  The step.
 * @param f  A function f( x, dxdt ), which computes the derivatives of x.
 */
template < std::size_t N, typename Function >
[[gnu::always_inline]] inline void
advance_by_heun( std::array< double, N >& x, const double h, Function&& f )
{
  std::array< double, N > at_start;
  std::array< double, N > at_end;
  f( x, at_start );
  std::array< double, N > end = x;
  for ( std::size_t i = 0; i < N; ++i )
  {
    end[ i ] += h * at_start[ i ];
  }
  f( end, at_end );
  for ( std::size_t i = 0; i < N; ++i )
  {
    x[ i ] += 0.5 * h * ( at_start[ i ] + at_end[ i ] );
  }
}

/**
 * Advance x' = f( x ) by a time h with the embedded Runge-Kutta method of Cash and Karp (1990), of orders 5 and 4.
 *
 * The estimated error of each variable in a substep is at most 1e-6, plus 1e-6 times its absolute value; these are the
 * tolerances of NESTML's solver. Substeps become as short as that requires.
 *
 * @param x        The state.
 * @param h        The time.
 * @param substep  The length of the first substep, or zero for h; on return, the length to start with next time.
 * @param f        A function f( x, dxdt ), which computes the derivatives of x.
 *
 * @return false if there is no solution with this accuracy, as where the state grows beyond all bounds.
 */
template < std::size_t N, typename Function >
[[gnu::always_inline]] inline bool
advance_by_cash_karp( std::array< double, N >& x, const double h, double& substep, Function&& f )
{
  using State = std::array< double, N >;
  constexpr double tolerance = 1e-6;
  constexpr double shortest = 1e-15; // substep, relative to h; the spike of an exponential neuron needs 1e-10
  // Coefficients of the stages, of the result, and of the difference from the embedded result of order 4.
  constexpr double stages[ 6 ][ 5 ] = {
    {},
    { 1.0 / 5.0 },
    { 3.0 / 40.0, 9.0 / 40.0 },
    { 3.0 / 10.0, -9.0 / 10.0, 6.0 / 5.0 },
    { -11.0 / 54.0, 5.0 / 2.0, -70.0 / 27.0, 35.0 / 27.0 },
    { 1631.0 / 55296.0, 175.0 / 512.0, 575.0 / 13824.0, 44275.0 / 110592.0, 253.0 / 4096.0 },
  };
  constexpr double result[ 6 ] = { 37.0 / 378.0, 0.0, 250.0 / 621.0, 125.0 / 594.0, 0.0, 512.0 / 1771.0 };
  constexpr double difference[ 6 ] = { 37.0 / 378.0 - 2825.0 / 27648.0,
    0.0,
    250.0 / 621.0 - 18575.0 / 48384.0,
    125.0 / 594.0 - 13525.0 / 55296.0,
    -277.0 / 14336.0,
    512.0 / 1771.0 - 1.0 / 4.0 };

  double left = h;
  double dt = substep > 0.0 ? substep : h;
  while ( true )
  {
    const bool last = dt >= left;
    const double step = last ? left : dt;
    State k[ 6 ];
    // Not unrolled: the function, which is inlined here, takes most of the time.
#pragma GCC unroll 1
    for ( std::size_t stage = 0; stage < 6; ++stage )
    {
      State at;
      for ( std::size_t i = 0; i < N; ++i )
      {
        double sum = 0.0;
        for ( std::size_t j = 0; j < stage; ++j )
        {
          sum += stages[ stage ][ j ] * k[ j ][ i ];
        }
        at[ i ] = x[ i ] + step * sum;
      }
      f( at, k[ stage ] );
    }
    State next;
    double error = 0.0; // relative to the tolerance
    bool finite = true;
    for ( std::size_t i = 0; i < N; ++i )
    {
      double change = 0.0;
      double estimate = 0.0;
      for ( std::size_t j = 0; j < 6; ++j )
      {
        change += result[ j ] * k[ j ][ i ];
        estimate += difference[ j ] * k[ j ][ i ];
      }
      next[ i ] = x[ i ] + step * change;
      const double relative = std::abs( step * estimate ) / ( tolerance + tolerance * std::abs( next[ i ] ) );
      finite = finite and relative < 1e300; // false for NaN
      error = std::max( error, relative );
    }
    if ( finite and error <= 1.0 )
    {
      x = next;
      if ( not last or step < h )
      {
        // The next substep would have nine tenths of the tolerated error.
        dt = step * std::min( 5.0, 0.9 * std::pow( std::max( error, 1e-5 ), -0.2 ) );
      }
      if ( last )
      {
        // A short last substep says nothing about the next.
        substep = std::min( h, std::max( dt, step ) );
        return true;
      }
      left -= step;
    }
    else
    {
      dt = step * ( finite ? std::max( 0.2, 0.9 * std::pow( error, -0.25 ) ) : 0.1 );
      if ( not( dt > shortest * h ) )
      {
        return false;
      }
    }
  }
}

} // namespace nestml_optimised::inline v0_1_0

#endif // NUMERIC_INTEGRATION_H
