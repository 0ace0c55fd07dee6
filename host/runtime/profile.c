/* What the layers of a session cost. */
#include "core/memory.h"
#include "runtime/session.h"

#include <string.h>

bdnn_status bdnn_session_profile(bdnn_session *s, bdnn_error *err)
{
    if (!s) {
        return bdnn_fail_null(err, __func__);
    }
    if (!s->nanoseconds) {
        s->nanoseconds = bdnn_zalloc(s->graph->layer_count, sizeof *s->nanoseconds);
    }
    if (s->backend) {
        s->backend->counting = true;
    }
    return s->nanoseconds ? BDNN_OK : bdnn_fail_memory(err, s->graph->layer_count * sizeof *s->nanoseconds, "timing");
}

/* Bytes of the feature maps among these values; constants are counted as weights. */
static uint64_t map_bytes(const bdnn_session *s, const int32_t *values, int32_t count)
{
    uint64_t bytes = 0;
    for (int32_t i = 0; i < count; i++) {
        bytes += s->graph->values[values[i]].constant.data ? 0 : bdnn_plan_bytes(&s->plan, values[i]);
    }
    return bytes;
}

static uint64_t constant_bytes(const bdnn_session *s, const bdnn_step *step)
{
    uint64_t bytes = step->substitute ? step->substitute->weight.bytes : step->layer->weight.bytes;
    for (int32_t i = 0; i < step->layer->input_count; i++) {
        bytes += s->graph->values[step->layer->inputs[i]].constant.bytes;
    }
    return bytes;
}

bdnn_status bdnn_session_layer(const bdnn_session *s, size_t index, bdnn_layer_cost *cost, bdnn_error *err)
{
    if (!s || !cost) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_step *step;
    memset(cost, 0, sizeof *cost);
    if (index >= s->graph->layer_count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "layer %zu of a network of %zu", index, s->graph->layer_count);
    }
    step = &s->steps[index];
    if (step->done_before) {
        cost->kernel = "fused";
        return BDNN_OK;
    }
    cost->nanoseconds = s->nanoseconds ? s->nanoseconds[index] : 0;
    cost->input_bytes = step->reads_ready ? (uint64_t)bdnn_shape_elements(&s->plan.info[step->layer->inputs[0]].shape)
                                          : map_bytes(s, step->layer->inputs, step->layer->input_count);
    cost->output_bytes = map_bytes(s, step->layer->outputs, step->layer->output_count);
    if (step->inner.backend && step->read_result >= 0) {
        cost->output_bytes += (uint64_t)bdnn_shape_elements(&s->plan.info[step->read_result].shape);
    }
    if (step->inner.backend) {
        cost->kernel = s->backend->type->describe(s->backend, step->inner.resident, &cost->weight_bytes);
        if (s->backend->type->cost) {
            s->backend->type->cost(s->backend, step->inner.resident, &cost->accelerator);
        }
        cost->input_bytes += step->addend < 0 ? 0 : map_bytes(s, &step->addend, 1);
    } else {
        cost->kernel = step->floats || !s->backend ? "float" : "integers";
        cost->weight_bytes = constant_bytes(s, step);
    }
    return BDNN_OK;
}
