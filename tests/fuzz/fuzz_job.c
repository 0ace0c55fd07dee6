/* SPDX-License-Identifier: BSD-2-Clause */
/* The argument words of a job behind its addresses, missing ones 0: what the kernel module lets through stays within
 * the memory that it has computed. An access elsewhere is a signal. */
#include "fuzz.h"

#include "job_promise.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ADDRESSES = 2 * BDNN_HW_POINTERS };
    uint32_t words[BDNN_HW_ARGUMENT_WORDS] = {0};
    const size_t most = sizeof words - ADDRESSES * sizeof *words;
    const char *what;
    memcpy(words + ADDRESSES, data, size < most ? size : most);
    if (job_promise(words, 5000, 1, &what) == JOB_BROKEN) {
        abort();
    }
    return 0;
}
