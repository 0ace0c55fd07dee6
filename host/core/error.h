/* SPDX-License-Identifier: BSD-2-Clause */
/* Status and messages: how a failure travels from where it is found to whoever asked. */
#ifndef BDNN_CORE_ERROR_H
#define BDNN_CORE_ERROR_H

#include "bdnn.h"

#if defined(__GNUC__)
#define BDNN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define BDNN_PRINTF(f, a)
#endif

/* Stores `status` and the formatted message in `*err` (which may be NULL) and returns `status`, so that a failing
 * function ends with `return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: layer '%s': ...", ...)`. */
bdnn_status bdnn_fail(bdnn_error *err, bdnn_status status, const char *format, ...) BDNN_PRINTF(3, 4);

/* Puts "text: " before the message already in `*err` and returns its status: how a caller adds what only it knows, for
 * example the file's name. */
bdnn_status bdnn_prefix(bdnn_error *err, bdnn_status status, const char *format, ...) BDNN_PRINTF(3, 4);

/* bdnn_fail for a public call, __func__, that was given NULL where it may not be. */
bdnn_status bdnn_fail_null(bdnn_error *err, const char *call);

/* bdnn_fail for a failed allocation of `bytes` bytes for `what`. */
bdnn_status bdnn_fail_memory(bdnn_error *err, size_t bytes, const char *what);

#if defined(__clang_analyzer__)
/* clang's analyzer sees one file at a time, and would go on behind a failure as if it were none. */
#define bdnn_fail(err, status, ...)        (bdnn_fail(err, status, __VA_ARGS__), status)
#define bdnn_fail_memory(err, bytes, what) (bdnn_fail_memory(err, bytes, what), BDNN_ERROR_MEMORY)
#endif

#endif
