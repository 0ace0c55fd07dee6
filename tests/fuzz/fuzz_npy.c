/* SPDX-License-Identifier: BSD-2-Clause */
/* .npy: headers of any kind; elements are converted when there are not too many for a fuzzer's patience. */
#include "fuzz.h"

#include "core/memory.h"
#include "import/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bdnn_npy array;
    bdnn_error err;
    if (bdnn_npy_parse("input", data, size, &array, &err) == BDNN_OK) {
        const int64_t count = bdnn_shape_elements(&array.shape);
        float *out = bdnn_alloc((size_t)count, sizeof *out);
        if (out) {
            bdnn_npy_floats(&array, out);
        }
        bdnn_free(out);
    }
    return 0;
}
