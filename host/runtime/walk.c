/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: walking the steps of a plan. */
#include "runtime/session.h"

#include "core/clock.h"
#include "core/finite.h"
#include "runtime/float_form.h"

#include <string.h>

/* ---- Steps ---- */

/* Inputs in real units: what integers stand for, or on the device "float" what quantization leaves of floats. */
static void convert_input(const bdnn_session *s, const bdnn_layer *form, const bdnn_layer *layer, const bdnn_tensor *in,
                          float *x)
{
    const size_t count = (size_t)bdnn_shape_elements(&in->shape);
    if (form) {
        bdnn_float_form_input(layer, in->data, count, x);
    } else if (in->type == BDNN_UINT8) {
        bdnn_dequantize(in->data, count, in->format.step, in->format.zero_point, x, s->threads);
    } else {
        bdnn_dequantize_wide(in->data, count, in->format.step, x, s->threads);
    }
}

static void run_layer(const bdnn_session *s, size_t index)
{
    const int32_t number = s->plan.steps[index].layer;
    const bdnn_layer *own = &s->graph->layers[number], *form = s->layers[number].form, *layer = form ? form : own;
    const bdnn_ready_step *step = &s->steps[index];
    bdnn_layer_call call = {.layer = layer, .outputs = step->outputs, .threads = s->threads};
    uint8_t *scratch = s->scratch;
    for (int32_t i = 0; i < layer->input_count; i++) {
        step->read[i] = step->inputs[i];
        if (bdnn_session_converts(s, index, i)) {
            convert_input(s, form, own, &step->inputs[i], (float *)(void *)scratch);
            step->read[i].data = scratch;
            step->read[i].type = BDNN_FLOAT32;
            scratch += bdnn_session_float_bytes(s, own->inputs[i]);
        }
    }
    call.inputs = step->read;
    call.scratch = scratch;
    bdnn_layer_type_of(layer->op)->run(&call);
}

static const bdnn_feature_map *map_of(const bdnn_session *s, int32_t number)
{
    return number < 0 ? NULL : &s->plan.maps[number];
}

static bdnn_operands operands_of(const bdnn_session *s, size_t first, size_t count)
{
    bdnn_operands operands = {.input = NULL};
    for (size_t i = first; i < first + count; i++) {
        const bdnn_step *step = &s->plan.steps[i];
        const bdnn_feature_map *input = map_of(s, step->input), *output = map_of(s, step->output);
        switch (step->kind) {
        case BDNN_STEP_TO_DEVICE:
            operands.send = input;
            break;
        case BDNN_STEP_FROM_DEVICE:
            operands.output = input;
            operands.fetch = output;
            break;
        default:
            operands.input = input;
            operands.output = output;
        }
        operands.addend = step->addend < 0 ? operands.addend : map_of(s, step->addend);
        operands.next = step->next < 0 ? operands.next : map_of(s, step->next);
    }
    return operands;
}

bdnn_status bdnn_session_run_steps(bdnn_session *s, size_t first, size_t *count, bdnn_error *err)
{
    const bdnn_step *step = &s->plan.steps[first];
    const bdnn_inner *inner = &s->layers[step->layer].inner;
    *count = bdnn_plan_together(&s->plan, first);
    if (step->kind == BDNN_STEP_LAYER) {
        run_layer(s, first);
        return BDNN_OK;
    }
    const bdnn_operands operands = operands_of(s, first, *count);
    return step->kind == BDNN_STEP_FROM_DEVICE ? bdnn_inner_fetch(inner, &operands, s->scratch, err)
                                               : bdnn_inner_run(inner, &operands, s->scratch, s->threads, err);
}

/* ---- Results ---- */

static void fetch_result(bdnn_session *s, size_t index)
{
    const bdnn_tensor tensor = bdnn_session_tensor(s, s->graph->outputs[index]);
    bdnn_to_row_major_threaded(&tensor.shape, tensor.type, tensor.data, s->results[index], s->threads);
    if (tensor.type == BDNN_INT64) {
        const char *integers = (const char *)s->results[index];
        const int64_t count = bdnn_shape_elements(&tensor.shape);
        for (int64_t i = 0; i < count; i++) {
            int64_t v;
            memcpy(&v, integers + i * (int64_t)sizeof v, sizeof v);
            s->results[index][i] = (float)v;
        }
    }
}

/* ---- What is not finite ---- */

static bdnn_status check_input(const bdnn_session *s, const float *input, bdnn_error *err)
{
    const bdnn_shape *shape = &s->plan.info[s->graph->inputs[0]].shape;
    const size_t count = (size_t)bdnn_shape_elements(shape), at = bdnn_first_not_finite(input, count);
    char text[160];
    return at == count ? BDNN_OK
                       : bdnn_fail(err, BDNN_ERROR_ARGUMENT, "the input's element %zu of %s is %g", at,
                                   bdnn_shape_text(shape, text, sizeof text), (double)input[at]);
}

/* Whether a float tensor has all its elements finite; `x` becomes the first that is not. */
static bool is_finite(const bdnn_tensor *tensor, float *x)
{
    const size_t count = (size_t)bdnn_shape_elements(&tensor->shape);
    const size_t at = tensor->type == BDNN_FLOAT32 && tensor->data ? bdnn_first_not_finite(tensor->data, count) : count;
    *x = at < count ? ((const float *)tensor->data)[at] : 0;
    return at == count;
}

/* Whether a step's outputs on the host are finite; `x` becomes an element that is not. */
static bool made_finite(const bdnn_session *s, const bdnn_step *step, float *x)
{
    const bdnn_layer *layer = &s->graph->layers[step->layer];
    bool finite = true;
    for (int32_t o = 0; o < layer->output_count && step->kind == BDNN_STEP_LAYER && finite; o++) {
        const bdnn_tensor made = bdnn_session_tensor(s, layer->outputs[o]);
        finite = is_finite(&made, x);
    }
    if (step->kind != BDNN_STEP_LAYER && s->plan.maps[step->output].place == BDNN_PLACE_HOST) {
        const bdnn_tensor made = bdnn_feature_map_tensor(&s->plan.maps[step->output]);
        finite = is_finite(&made, x);
    }
    return finite;
}

/* Runs again, looking at what each layer makes: by now most of it has been overwritten. */
static bdnn_status name_overflow(bdnn_session *s, const bdnn_session_input *input, bdnn_error *err)
{
    bdnn_session_put_input(s, input);
    for (size_t i = 0, count; i < s->plan.step_count; i += count) {
        const bdnn_status status = bdnn_session_run_steps(s, i, &count, err);
        const bdnn_step *last = &s->plan.steps[i + count - 1];
        float x;
        if (status != BDNN_OK) {
            return status;
        }
        if (!made_finite(s, last, &x)) {
            return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                             "layer '%s': an output is %g: this input leads beyond what float32 holds",
                             s->graph->layers[last->layer].name, (double)x);
        }
    }
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "an output of the network is not finite");
}

/* ---- Running ---- */

static bdnn_status run(bdnn_session *s, const bdnn_session_input *input, bdnn_error *err)
{
    bool finite = true;
    bdnn_status status = BDNN_OK;
    bdnn_threads_hurry(s->threads);
    bdnn_session_put_input(s, input);
    for (size_t i = 0, count; i < s->plan.step_count && status == BDNN_OK; i += count) {
        const bdnn_layer *layer = &s->graph->layers[s->plan.steps[i].layer];
        const uint64_t start = s->nanoseconds ? bdnn_clock() : 0;
        float x;
        /* A class among scores that are no numbers looks like any other. */
        finite = finite && (layer->op != BDNN_OP_ARGMAX || is_finite(&s->steps[i].inputs[0], &x));
        status = bdnn_session_run_steps(s, i, &count, err);
        if (s->nanoseconds) {
            s->nanoseconds[i] = bdnn_clock() - start;
        }
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "layer '%s'", layer->name);
        }
    }
    for (size_t i = 0; i < s->graph->output_count && status == BDNN_OK; i++) {
        const bdnn_tensor result = bdnn_session_tensor(s, s->graph->outputs[i]);
        float x;
        fetch_result(s, i);
        finite = finite && is_finite(&result, &x);
    }
    if (status == BDNN_OK && !finite && !s->allow_not_finite) {
        status = name_overflow(s, input, err);
    }
    bdnn_threads_rest(s->threads);
    /* Weights are read where they lie in the file: one that somebody wrote to meanwhile made wrong results. */
    return status == BDNN_OK ? bdnn_model_check_file(s->model, err) : status;
}

/* Floats that a caller hands over are looked at first. */
static bdnn_status run_floats(bdnn_session *s, bdnn_input_kind kind, const float *floats, const char *call,
                              bdnn_error *err)
{
    if (!s || !floats) {
        return bdnn_fail_null(err, call);
    }
    const bdnn_session_input input = {kind, floats};
    const bdnn_status status = s->allow_not_finite ? BDNN_OK : check_input(s, floats, err);
    return status == BDNN_OK ? run(s, &input, err) : status;
}

bdnn_status bdnn_session_run(bdnn_session *s, const float *input, bdnn_error *err)
{
    return run_floats(s, BDNN_INPUT_ROW_MAJOR, input, __func__, err);
}

bdnn_status bdnn_session_run_nhwc(bdnn_session *s, const float *input, bdnn_error *err)
{
    return run_floats(s, BDNN_INPUT_NHWC, input, __func__, err);
}

bdnn_status bdnn_session_run_pixels(bdnn_session *s, const uint8_t *pixels, bdnn_error *err)
{
    if (!s || !pixels) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_session_input input = {BDNN_INPUT_PIXELS, pixels};
    return bdnn_model_preprocess(s->model).channels
               ? run(s, &input, err)
               : bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the network takes no images");
}
