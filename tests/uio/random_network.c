/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks at random. */
#include "random_network.h"

#include "../unit/networks.h"

#include "layers/formats.h"

/* The value that is built on, and how many channels and rows it has. */
struct end {
    int32_t value;
    int32_t channels, side;
};

static struct end add_random_conv(bdnn_model *model, struct end end, bool same)
{
    static const int32_t counts[] = {1, 3, 10, 48, 64, 65, 96, 128};
    const int32_t kernel = 1 + 2 * (int32_t)below(end.side > 4 ? 3 : 2),
                  groups = end.channels % 2 ? 1 : 1 + (int32_t)below(2);
    const int32_t filters = same ? end.channels : groups * counts[below(8)], stride = same ? 1 : 1 + (int32_t)below(2);
    const int32_t out = add_conv(model, end.value, end.channels, groups, filters, kernel);
    bdnn_window *window = &model->graph.layers[model->graph.layer_count - 1].attr.conv.window;
    window->stride[1] = window->stride[2] = stride;
    return (struct end){out, filters, (end.side - 1) / stride + 1};
}

static struct end add_random_pool(bdnn_model *model, struct end end)
{
    bdnn_layer *layer;
    const int32_t out = add_layer(model, BDNN_OP_MAX_POOL, &end.value, 1, &layer), kernel = 2 + (int32_t)below(2);
    const int32_t pad = kernel == 3 ? (int32_t)below(2) : 0;
    layer->attr.pool.ceil_mode = below(2);
    layer->attr.pool.window = (bdnn_window){.kernel = {1, kernel, kernel},
                                            .stride = {1, 2, 2},
                                            .dilation = {1, 1, 1},
                                            .pad_begin = {0, pad, pad},
                                            .pad_end = {0, pad, pad}};
    const int32_t room = end.side + 2 * pad - kernel;
    return (struct end){out, end.channels, (layer->attr.pool.ceil_mode ? (room + 1) / 2 : room / 2) + 1};
}

/* x + conv(relu(conv(x))), the way of residual networks. */
static struct end add_residual(bdnn_model *model, struct end end)
{
    bdnn_layer *layer;
    struct end inner = add_random_conv(model, end, true);
    inner.value = add_relu(model, inner.value);
    inner = add_random_conv(model, inner, true);
    const int32_t pair[2] = {inner.value, end.value}, turned[2] = {end.value, inner.value};
    end.value = add_layer(model, BDNN_OP_ADD, below(2) ? pair : turned, 2, &layer);
    return end;
}

static struct end add_concat(bdnn_model *model, struct end end)
{
    bdnn_layer *layer;
    const struct end other = add_random_conv(model, end, true);
    const int32_t pair[2] = {end.value, other.value};
    end.value = add_layer(model, BDNN_OP_CONCAT, pair, 2, &layer);
    layer->attr.axis.axis = 1;
    end.channels *= 2;
    return end;
}

static struct end add_step(bdnn_model *model, struct end end)
{
    switch (below(6)) {
    case 0:
        return end.side > 2 ? add_random_pool(model, end) : add_random_conv(model, end, false);
    case 1:
        return add_residual(model, end);
    case 2:
        return end.channels <= 64 ? add_concat(model, end) : add_random_conv(model, end, false);
    default:
        end = add_random_conv(model, end, false);
        end.value = below(4) ? add_relu(model, end.value) : end.value;
        return end;
    }
}

bdnn_model *random_network(void)
{
    struct end end = {0, 1 + (int32_t)below(4), 5 + (int32_t)below(9)};
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, end.channels, end.side, end.side}});
    bdnn_layer *layer;
    bdnn_error err;
    for (int64_t left = 2 + below(6); left > 0; left--) {
        end = add_step(model, end);
    }
    /* A pooling down to one position, and the axes that are left. */
    if (end.side > 1 && below(3) == 0) {
        end.value = add_layer(model, BDNN_OP_MAX_POOL, &end.value, 1, &layer);
        layer->attr.pool.global = true;
        end.side = 1;
    }
    if (end.side == 1 && below(2)) {
        end.value = add_layer(model, BDNN_OP_RESHAPE, &end.value, 1, &layer);
        layer->attr.reshape.shape = (bdnn_shape){2, {-2, end.channels}};
    }
    if (below(3)) {
        const int32_t scores = 1 + (int32_t)below(70);
        end.value = add_layer(model, BDNN_OP_DENSE, &end.value, 1, &layer);
        layer->attr.dense.filters = scores;
        layer->decomposed = random_decomposed(scores, (int64_t)end.channels * end.side * end.side);
    } else {
        end.value = add_layer(model, BDNN_OP_SOFTMAX, &end.value, 1, &layer);
        layer->attr.axis.axis = 1;
    }
    finish(model, end.value);
    if (bdnn_formats_choose(&model->graph, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}
