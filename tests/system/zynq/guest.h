/* SPDX-License-Identifier: BSD-2-Clause */
/* What zynq_guest's checks share. Each prints a line. */
#ifndef BDNN_TESTS_SYSTEM_ZYNQ_GUEST_H
#define BDNN_TESTS_SYSTEM_ZYNQ_GUEST_H

#include "board.h"
#include "nodes.h"

extern const char *node, *direct_node;

__attribute__((format(printf, 2, 3))) void check(bool good, const char *format, ...);
/* What a system call returned, and which errno it must have left (0: none). */
void check_error(int result, int expected, const char *what);
/* Makes something go wrong in the run that is the `run`th from now on. */
void arm(enum board_fault fault, uint32_t run);

/* waits.c: threads that wait at once */
void check_waiters(const bdnn_device_array *array);

/* hostile.c: whatever order of calls, from two threads, for some seconds; and each allocation of each call failing,
 * where the kernel can do that (fault injection) */
void check_random_calls(const bdnn_device_array *array, unsigned seed, unsigned seconds);
void check_failing_allocations(const bdnn_device_array *array);

/* power.c: needs a clock that wakes */
void check_suspension(const bdnn_device_array *array);
/* Launches a run of many seconds through the direct node, and then starts more by its registers, for ever. */
void run_for_ever(const bdnn_device_array *array);

#endif
