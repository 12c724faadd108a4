/*
 *  numeric_integration.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef NUMERIC_INTEGRATION_H
#define NUMERIC_INTEGRATION_H

// C++ includes:
#include <array>
#include <cmath>
#include <cstddef>

#include "elementary_functions.h"
#include "vectorisation.h"

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

//! The values of a state in several lanes, each variable in a row.
template < std::size_t N, std::size_t Width >
struct StateRows
{
  alignas( Width * sizeof( double ) ) double rows[ N ][ Width ];

  //! Return the state of one lane.
  [[gnu::always_inline]] std::array< double, N >
  get( const std::size_t lane ) const
  {
    std::array< double, N > x;
#pragma GCC unroll 64
    for ( std::size_t i = 0; i < N; ++i )
    {
      x[ i ] = rows[ i ][ lane ];
    }
    return x;
  }

  [[gnu::always_inline]] void
  set( const std::size_t lane, const std::array< double, N >& x )
  {
#pragma GCC unroll 64
    for ( std::size_t i = 0; i < N; ++i )
    {
      rows[ i ][ lane ] = x[ i ];
    }
  }
};

//! The coefficients of the method of Cash and Karp (1990).
struct CashKarp
{
  static constexpr std::size_t n_stages = 6;
  static constexpr double stages[ n_stages ][ n_stages ] = {
    {},
    { 1.0 / 5.0 },
    { 3.0 / 40.0, 9.0 / 40.0 },
    { 3.0 / 10.0, -9.0 / 10.0, 6.0 / 5.0 },
    { -11.0 / 54.0, 5.0 / 2.0, -70.0 / 27.0, 35.0 / 27.0 },
    { 1631.0 / 55296.0, 175.0 / 512.0, 575.0 / 13824.0, 44275.0 / 110592.0, 253.0 / 4096.0 },
  };
  static constexpr double result[ n_stages ] = { 37.0 / 378.0, 0.0, 250.0 / 621.0, 125.0 / 594.0, 0.0, 512.0 / 1771.0 };
  //! Of the result from the embedded one of order 4.
  static constexpr double difference[ n_stages ] = { 37.0 / 378.0 - 2825.0 / 27648.0,
    0.0,
    250.0 / 621.0 - 18575.0 / 48384.0,
    125.0 / 594.0 - 13525.0 / 55296.0,
    -277.0 / 14336.0,
    512.0 / 1771.0 - 1.0 / 4.0 };
};

/**
 * The integration of x' = f( x ) over a time step h in several lanes by the embedded Runge-Kutta method of Cash and
 * Karp, of orders 5 and 4.
 *
 * The estimated error of each variable in a substep is at most 2e-7, plus 2e-7 times its absolute value. NESTML's
 * solver tolerates 1e-6, but each of its substeps is at most five times as long as the one before, even if the end of a
 * time step has shortened that one. With the smaller tolerance, the error is no larger than NESTML's in the neurons of
 * its library.
 *
 * Substeps become as short as the tolerance requires, in each lane by itself: what a lane computes does not depend on
 * the others. Each lane can begin its next time step while others are within one.
 */
template < std::size_t N, std::size_t Width >
struct Integration
{
  using Row = double[ Width ];

  StateRows< N, Width > x {};
  alignas( Width * sizeof( double ) ) Row left {}; //!< time until the end of the time step; zero in lanes that wait
  alignas( Width * sizeof( double ) ) Row substep {}; //!< the length of the next substep

  /**
   * Try one substep in all lanes that do not wait.
   *
   * @param f  A function f( lane, x, dxdt ), which computes the derivatives of a lane's state x.
   *
   * @return the lanes without a solution of this accuracy, as where the state grows beyond all bounds, one bit for each.
   */
  template < typename Function >
  [[gnu::always_inline]] unsigned
  try_substep( const double h, Function&& f )
  {
    constexpr double tolerance = 2e-7;
    constexpr double shortest = 1e-15; // substep, relative to h; the spike of an exponential neuron needs 1e-10
    constexpr double too_large = 1e300; // for an error, as is NaN

    alignas( Width * sizeof( double ) ) Row step;
    LOOP_OVER_LANES
    for ( std::size_t j = 0; j < Width; ++j )
    {
      step[ j ] = substep[ j ] < left[ j ] ? substep[ j ] : left[ j ];
    }
    StateRows< N, Width > k[ CashKarp::n_stages ] {};
    // Not unrolled: the function, which is inlined here, takes most of the time.
#pragma GCC unroll 1
    for ( std::size_t stage = 0; stage < CashKarp::n_stages; ++stage )
    {
      const double( &a )[ CashKarp::n_stages ] = CashKarp::stages[ stage ];
      StateRows< N, Width > at;
#pragma GCC unroll 1
      for ( std::size_t i = 0; i < N; ++i )
      {
        LOOP_OVER_LANES
        for ( std::size_t j = 0; j < Width; ++j )
        {
          // Derivatives of later stages are zero here.
          const double first = a[ 0 ] * k[ 0 ].rows[ i ][ j ] + a[ 1 ] * k[ 1 ].rows[ i ][ j ];
          const double second = a[ 2 ] * k[ 2 ].rows[ i ][ j ] + a[ 3 ] * k[ 3 ].rows[ i ][ j ];
          at.rows[ i ][ j ] = x.rows[ i ][ j ] + step[ j ] * ( first + ( second + a[ 4 ] * k[ 4 ].rows[ i ][ j ] ) );
        }
      }
      LOOP_OVER_LANES
      for ( std::size_t j = 0; j < Width; ++j )
      {
        std::array< double, N > dxdt;
        f( j, at.get( j ), dxdt );
        k[ stage ].set( j, dxdt );
      }
    }
    StateRows< N, Width > next;
    alignas( Width * sizeof( double ) ) Row error {}; // relative to the tolerance
#pragma GCC unroll 1
    for ( std::size_t i = 0; i < N; ++i )
    {
      LOOP_OVER_LANES
      for ( std::size_t j = 0; j < Width; ++j )
      {
        double change = 0.0;
        double estimate = 0.0;
#pragma GCC unroll 64
        for ( std::size_t stage = 0; stage < CashKarp::n_stages; ++stage )
        {
          change += CashKarp::result[ stage ] * k[ stage ].rows[ i ][ j ];
          estimate += CashKarp::difference[ stage ] * k[ stage ].rows[ i ][ j ];
        }
        const double value = x.rows[ i ][ j ] + step[ j ] * change;
        next.rows[ i ][ j ] = value;
        const double relative = std::abs( step[ j ] * estimate ) / ( tolerance + tolerance * std::abs( value ) );
        const double finite = relative < too_large ? relative : too_large;
        error[ j ] = error[ j ] > finite ? error[ j ] : finite;
      }
    }
    long partial = 0;
    LOOP_OVER_LANES
    for ( std::size_t j = 0; j < Width; ++j )
    {
      const bool whole = ( error[ j ] <= 1.0 ) & ( step[ j ] == h );
      partial |= static_cast< long >( ( left[ j ] > 0.0 ) & not whole );
    }
    alignas( Width * sizeof( double ) ) Row factor; // for the next substep
    LOOP_OVER_LANES
    for ( std::size_t j = 0; j < Width; ++j )
    {
      factor[ j ] = 1.0;
    }
    if ( partial )
    {
      LOOP_OVER_LANES
      for ( std::size_t j = 0; j < Width; ++j )
      {
        // With these, the next substep would have nine tenths of the tolerated error, or less.
        const bool accepted = error[ j ] <= 1.0;
        const double known = error[ j ] > 1e-5 ? error[ j ] : 1e-5;
        const double best = 0.9 * exp( ( accepted ? -0.2 : -0.25 ) * log( known ) );
        const double longer = best < 5.0 ? best : 5.0;
        const double shorter = best > 0.2 ? best : 0.2;
        const double for_rejected = error[ j ] < too_large ? shorter : 0.1;
        const double for_partial = accepted ? longer : for_rejected;
        factor[ j ] = ( accepted & ( step[ j ] == h ) ) ? 1.0 : for_partial;
      }
    }
    long failing = 0;
    LOOP_OVER_LANES
    for ( std::size_t j = 0; j < Width; ++j )
    {
      const bool active = left[ j ] > 0.0;
      const bool accepted = active & ( error[ j ] <= 1.0 );
      const bool last = accepted & ( step[ j ] == left[ j ] );
      const double proposed = step[ j ] * factor[ j ];
      // A short last substep says nothing about the next.
      const double longest = substep[ j ] > proposed ? substep[ j ] : proposed;
      const double kept = longest < h ? longest : h;
      const double following = last ? kept : proposed;
      substep[ j ] = active ? following : substep[ j ];
      left[ j ] = accepted ? left[ j ] - step[ j ] : left[ j ];
      failing |= static_cast< long >( active & not( following > shortest * h ) );
    }
#pragma GCC unroll 1
    for ( std::size_t i = 0; i < N; ++i )
    {
      LOOP_OVER_LANES
      for ( std::size_t j = 0; j < Width; ++j )
      {
        const bool accepted = ( step[ j ] > 0.0 ) & ( error[ j ] <= 1.0 );
        x.rows[ i ][ j ] = accepted ? next.rows[ i ][ j ] : x.rows[ i ][ j ];
      }
    }
    unsigned failed = 0;
    if ( failing )
    {
      for ( std::size_t j = 0; j < Width; ++j )
      {
        failed |= static_cast< unsigned >( left[ j ] > 0.0 and not( substep[ j ] > shortest * h ) ) << j;
      }
    }
    return failed;
  }
};

} // namespace nestml_optimised::inline v0_1_0

#endif // NUMERIC_INTEGRATION_H
