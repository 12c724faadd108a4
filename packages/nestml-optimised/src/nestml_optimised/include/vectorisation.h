/*
 *  vectorisation.h
 *
 *  SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef VECTORISATION_H
#define VECTORISATION_H

// Loops over lanes are compiled for three kinds of processors, and the right one is chosen when the module is loaded.
// Sanitizers do not support this, because the choice is made before they start.
#if defined( __x86_64__ ) && defined( __gnu_linux__ ) && defined( __GNUC__ ) && !defined( __clang__ ) \
  && !defined( __SANITIZE_ADDRESS__ ) && !defined( __SANITIZE_THREAD__ )
#define LANE_CLONES __attribute__( ( target_clones( "arch=x86-64-v4", "arch=x86-64-v3", "default" ) ) )
#else
#define LANE_CLONES
#endif

// GCC would move what only one branch of a condition needs into that branch, or replace a short loop by eight copies of
// its body, and could not vectorise the loop then.
#if defined( __GNUC__ ) && !defined( __clang__ )
#define VECTORISED __attribute__( ( optimize( "no-trapping-math", "no-tree-sink" ) ) )
#define LOOP_OVER_LANES _Pragma( "GCC ivdep" ) _Pragma( "GCC unroll 1" )
#else
#define VECTORISED
#define LOOP_OVER_LANES
#endif

// GCC vectorises the conjunction of conditions as bits, of which clang warns. Conditions have no side effects.
#if defined( __clang__ )
#pragma clang diagnostic ignored "-Wbitwise-instead-of-logical"
#endif

#endif // VECTORISATION_H
