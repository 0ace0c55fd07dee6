/* SPDX-License-Identifier: BSD-2-Clause */
/* Public calls that ask or change a model without computing anything. */
#include "core/finite.h"
#include "core/memory.h"
#include "model/graph.h"

#include <math.h>
#include <string.h>

const char *bdnn_version(void)
{
    return BDNN_VERSION;
}

int32_t bdnn_version_number(void)
{
    return BDNN_VERSION_NUMBER;
}

void bdnn_model_mapping(const bdnn_model *model, const void **address, size_t *size)
{
    const void *data = model && !model->map.copied ? model->map.data : NULL;
    if (address) {
        *address = data;
    }
    if (size) {
        *size = data ? model->map.size : 0;
    }
}

bdnn_status bdnn_model_check_file(const bdnn_model *model, bdnn_error *err)
{
    return bdnn_file_map_check(&model->map, model->file ? model->file : "the model", err);
}

int32_t bdnn_model_input_shape(const bdnn_model *model, int64_t shape[6])
{
    if (!model || !shape) {
        return 0;
    }
    const bdnn_graph *graph = &model->graph;
    const bdnn_shape *input;
    if (!graph->input_count) {
        return 0;
    }
    input = &graph->values[graph->inputs[0]].shape;
    for (int32_t i = 0; i < input->rank; i++) {
        shape[i] = input->dim[i];
    }
    return input->rank;
}

size_t bdnn_model_layer_count(const bdnn_model *model)
{
    if (!model) {
        return 0;
    }
    return model->graph.layer_count;
}

/* Whether the network takes images: N, C, H, W with one or three channels. */
static bool takes_images(const bdnn_model *model, int64_t shape[6])
{
    return bdnn_model_input_shape(model, shape) == 4 && (shape[1] == 1 || shape[1] == 3) && shape[2] > 0 &&
           shape[2] <= INT32_MAX && shape[3] > 0 && shape[3] <= INT32_MAX;
}

bdnn_preprocess bdnn_model_preprocess(const bdnn_model *model)
{
    if (!model) {
        return (bdnn_preprocess){0};
    }
    bdnn_preprocess preprocess = model->preprocess;
    int64_t shape[6];
    if (!preprocess.channels && takes_images(model, shape)) {
        preprocess.channels = (int32_t)shape[1];
        preprocess.height = (int32_t)shape[2];
        preprocess.width = (int32_t)shape[3];
        for (int i = 0; i < 3; i++) {
            preprocess.scale[i] = 1.0f;
        }
    }
    return preprocess;
}

bdnn_status bdnn_model_check_preprocess(const bdnn_model *model, const bdnn_preprocess *preprocess, bdnn_error *err)
{
    int64_t shape[6];
    if (!takes_images(model, shape)) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "the network does not take images of one or three channels");
    }
    if (preprocess->channels != shape[1] || preprocess->height != shape[2] || preprocess->width != shape[3]) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "pre-processing makes images of %d x %d x %d (C, H, W), the network takes %lld x %lld x %lld",
                         preprocess->channels, preprocess->height, preprocess->width, (long long)shape[1],
                         (long long)shape[2], (long long)shape[3]);
    }
    for (int32_t c = 0; c < preprocess->channels; c++) {
        if (!isfinite(preprocess->mean[c]) || !isfinite(preprocess->scale[c])) {
            return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "channel %d: mean %g, scale %g", c, (double)preprocess->mean[c],
                             (double)preprocess->scale[c]);
        }
    }
    if (preprocess->mean_image) {
        const size_t count = (size_t)preprocess->channels * (size_t)preprocess->height * (size_t)preprocess->width;
        const size_t at = bdnn_first_not_finite(preprocess->mean_image, count);
        if (at < count) {
            return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "the mean image's element %zu is %g", at,
                             (double)preprocess->mean_image[at]);
        }
    }
    if ((unsigned)preprocess->resize > BDNN_RESIZE_CROP) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "unknown kind of resizing %d", (int)preprocess->resize);
    }
    if (preprocess->resize == BDNN_RESIZE_CROP &&
        (preprocess->resize_short < preprocess->height || preprocess->resize_short < preprocess->width)) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "a shorter side of %d is less than the %d x %d that are cut out of it",
                         preprocess->resize_short, preprocess->height, preprocess->width);
    }
    return BDNN_OK;
}

bdnn_status bdnn_model_set_preprocess(bdnn_model *model, const bdnn_preprocess *preprocess, bdnn_error *err)
{
    if (!model || !preprocess) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_blob mean = {0};
    bdnn_status status = bdnn_model_check_preprocess(model, preprocess, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (preprocess->mean_image) {
        size_t elements = (size_t)preprocess->channels * (size_t)preprocess->height * (size_t)preprocess->width;
        mean = bdnn_blob_copy(preprocess->mean_image, elements * sizeof(float));
        if (!mean.data) {
            return bdnn_fail_memory(err, mean.bytes, "the mean image");
        }
    }
    bdnn_blob_free(&model->mean_image);
    model->mean_image = mean;
    model->preprocess = *preprocess;
    model->preprocess.mean_image = mean.data;
    return BDNN_OK;
}
