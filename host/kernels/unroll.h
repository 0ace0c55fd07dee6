/* SPDX-License-Identifier: BSD-2-Clause */
/* UNROLL before a loop whose count the compiler knows: unrolled whole, and early enough that arrays indexed by its
 * variable are kept in registers. gcc 12 does so for a count of at least the loop's, clang 14 when it is told "full";
 * left alone, both keep such arrays in memory, which costs the panel kernels a factor of 3 to 4. */
#ifndef BDNN_KERNELS_UNROLL_H
#define BDNN_KERNELS_UNROLL_H

#if defined(BDNN_INSTRUMENTED) /* sanitizers: whole loops with their checks take clang minutes to compile */
#define UNROLL
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#endif
