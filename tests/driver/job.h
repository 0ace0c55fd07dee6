/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest job of the library's, for the module's test. */
#ifndef BDNN_TESTS_DRIVER_JOB_H
#define BDNN_TESTS_DRIVER_JOB_H

#include <stddef.h>
#include <stdint.h>

/* The arguments of one, on an array whose registers are these; bytes[BDNN_HW_POINTERS]: what it reaches from each
 * of its pointers. */
void job_make(uint32_t sizes, uint32_t word, uint32_t buffers, uint32_t *words, size_t *bytes);

#endif
