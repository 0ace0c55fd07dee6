/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: the input in each form that callers have it, into the network's own memory order. */
#include "core/pixels.h"
#include "runtime/session.h"

#include <string.h>

struct pixels {
    const bdnn_preprocess *preprocess;
    const uint8_t *from;
    float *to;
    int64_t row_pixels;
};

/* One row of one image. */
static void normalize_row(void *context, size_t row)
{
    const struct pixels *p = context;
    const bdnn_preprocess *pre = p->preprocess;
    const size_t height = (size_t)pre->height, y = row % height, plane = height * (size_t)p->row_pixels;
    const size_t first = row * (size_t)p->row_pixels * (size_t)pre->channels;
    const uint8_t *from = p->from + first;
    float *to = p->to + first;
    for (int64_t x = 0; x < p->row_pixels; x++) {
        for (int32_t c = 0; c < pre->channels; c++) {
            const float mean = pre->mean_image
                                   ? pre->mean_image[(size_t)c * plane + y * (size_t)p->row_pixels + (size_t)x]
                                   : pre->mean[c];
            *to++ = bdnn_normalize_pixel(*from++, mean, pre->scale[c]);
        }
    }
}

void bdnn_session_put_input(const bdnn_session *s, const bdnn_session_input *input)
{
    const bdnn_tensor tensor = bdnn_session_tensor(s, s->graph->inputs[0]);
    const bdnn_preprocess preprocess = bdnn_model_preprocess(s->model);
    switch (input->kind) {
    case BDNN_INPUT_ROW_MAJOR:
        bdnn_from_row_major_threaded(&tensor.shape, BDNN_FLOAT32, input->data, tensor.data, s->threads);
        break;
    case BDNN_INPUT_NHWC:
        memcpy(tensor.data, input->data, (size_t)bdnn_shape_elements(&tensor.shape) * sizeof(float));
        break;
    case BDNN_INPUT_PIXELS: {
        struct pixels pixels = {&preprocess, input->data, tensor.data, preprocess.width};
        bdnn_parallel(s->threads, normalize_row, &pixels, (size_t)(tensor.shape.dim[0] * preprocess.height));
        break;
    }
    }
}
