/* SPDX-License-Identifier: BSD-2-Clause */
/* The model file: the checksums are made right first, or nothing behind them would ever be reached; then what can be
 * read is verified as loading does, and a network that passes and is small is run. */
#define _DEFAULT_SOURCE
#include "fuzz.h"

#include "layers/layer.h"
#include "model/model_file.h"
#include "model/record.h"
#include "small_network.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static void forge_checksums(uint8_t *file, size_t size)
{
    if (size < BDNN_FILE_FIRST_SECTION) {
        return;
    }
    memcpy(file, BDNN_FILE_MAGIC, 8);
    bdnn_put64(file + 16, size);
    for (int s = 0; s < BDNN_SECTION_COUNT; s++) {
        uint8_t *entry = file + BDNN_FILE_HEADER + s * BDNN_FILE_SECTION;
        const uint64_t offset = bdnn_get64(entry + 8), bytes = bdnn_get64(entry + 16);
        if (offset <= size && bytes <= size - offset) {
            bdnn_put64(entry + 24, XXH3_64bits(file + offset, (size_t)bytes));
        }
    }
    memset(file + BDNN_FILE_CHECKSUM_AT, 0, 8);
    bdnn_put64(file + BDNN_FILE_CHECKSUM_AT, XXH3_64bits(file, BDNN_FILE_FIRST_SECTION));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bdnn_file_map map = {.size = size};
    bdnn_model *model;
    bdnn_error err;
    void *copy;
    if (posix_memalign(&copy, BDNN_ALIGNMENT, size ? size : 1) != 0) {
        return 0;
    }
    memcpy(copy, data, size);
    forge_checksums(copy, size);
    map.data = copy;
    if (bdnn_model_read("input", &map, &model, &err) == BDNN_OK) {
        model->map = (bdnn_file_map){.data = NULL}; /* the bytes are ours, not a mapping to undo */
        if (bdnn_graph_infer(&model->graph, &err) == BDNN_OK) {
            run_small_network(model);
        }
        bdnn_model_free(model);
    }
    free(copy);
    return 0;
}
