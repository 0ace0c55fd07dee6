/* SPDX-License-Identifier: BSD-2-Clause */
/* ONNX: whatever can be imported is a network, and is run when it is small. Batch normalizations are kept of files of
 * odd size. */
#include "fuzz.h"

#include "import/import.h"
#include "small_network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bdnn_onnx_options options = {.keep_batch_norm = size & 1};
    bdnn_model *model;
    bdnn_error err;
    if (bdnn_import_onnx("input", data, size, &options, &model, &err) == BDNN_OK) {
        run_small_network(model);
        bdnn_model_free(model);
    }
    return 0;
}
