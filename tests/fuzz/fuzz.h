/* SPDX-License-Identifier: BSD-2-Clause */
/* A fuzz target: one function that libFuzzer (or replay.c) calls on bytes. It must return, whatever they are;
 * sanitizers and assertions say when it does not. */
#ifndef BDNN_TESTS_FUZZ_H
#define BDNN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
