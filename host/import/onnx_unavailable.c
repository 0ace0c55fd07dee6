/* SPDX-License-Identifier: BSD-2-Clause */
/* What a build without ONNX has instead of the importer. */
#include "import/import.h"

bdnn_status bdnn_import_onnx(const char *name, const uint8_t *data, size_t size, const bdnn_onnx_options *options,
                             bdnn_model **model, bdnn_error *err)
{
    (void)data;
    (void)size;
    (void)options;
    *model = NULL;
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: this build of bdnn lacks ONNX (BDNN_WITH_ONNX)", name);
}
