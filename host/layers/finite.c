/* SPDX-License-Identifier: BSD-2-Clause */
/* Parameters that no network is trained to have: infinities, and what is not a number. Apart from shape inference,
 * which every session repeats: this reads all weights, and is asked for once, when a model is loaded. */
#include "core/finite.h"

#include "layers/layer.h"

#include <math.h>

static bdnn_status check_blob(const bdnn_blob *blob, const char *what, bdnn_error *err)
{
    const float *x = blob->data;
    const size_t count = blob->bytes / sizeof *x, at = x ? bdnn_first_not_finite(x, count) : count;
    return at == count ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s %zu is %g", what, at, (double)x[at]);
}

static bdnn_status check_number(float x, const char *what, bdnn_error *err)
{
    return isfinite(x) ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s is %g", what, (double)x);
}

/* Infinity is what a clip without a bound has, and minus infinity what pooling's neutral padding is. */
static bdnn_status check_bound(float x, const char *what, bdnn_error *err)
{
    return isnan(x) ? bdnn_fail(err, BDNN_ERROR_FORMAT, "%s is not a number", what) : BDNN_OK;
}

static bdnn_status check_attributes(const bdnn_layer *layer, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    switch (layer->op) {
    case BDNN_OP_ACTIVATION:
        if (layer->attr.activation.kind == BDNN_ACT_LEAKY_RELU) {
            return check_number(layer->attr.activation.alpha, "the slope", err);
        }
        status = check_bound(layer->attr.activation.low, "the lower bound", err);
        return status == BDNN_OK ? check_bound(layer->attr.activation.high, "the upper bound", err) : status;
    case BDNN_OP_LRN:
        if ((status = check_number(layer->attr.lrn.alpha, "alpha", err)) == BDNN_OK &&
            (status = check_number(layer->attr.lrn.beta, "beta", err)) == BDNN_OK) {
            status = check_number(layer->attr.lrn.bias, "bias", err);
        }
        return status;
    case BDNN_OP_PAD:
        return check_bound(layer->attr.pad.value, "the padding", err);
    default:
        return BDNN_OK;
    }
}

bdnn_status bdnn_graph_check_finite(const bdnn_graph *graph, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t l = 0; l < graph->layer_count && status == BDNN_OK; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        if ((status = check_blob(&layer->weight, "weight", err)) == BDNN_OK &&
            (status = check_blob(&layer->bias, "bias", err)) == BDNN_OK) {
            status = check_attributes(layer, err);
        }
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "layer '%s'", layer->name);
        }
    }
    for (size_t v = 0; v < graph->value_count && status == BDNN_OK; v++) {
        const bdnn_value *value = &graph->values[v];
        if (value->constant.data && value->type == BDNN_FLOAT32) {
            status = check_blob(&value->constant, "element", err);
        }
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "constant '%s'", value->name);
        }
    }
    return status;
}
