/* Sessions: preparing a network for a device and running it. */
#include "runtime/session.h"

#include "core/clock.h"
#include "core/finite.h"
#include "core/memory.h"
#include "layers/formats.h"

#include <string.h>

#define NO_VALUE (-1)

static bdnn_tensor tensor_of(const bdnn_session *s, int32_t value)
{
    const bdnn_blob *constant = &s->graph->values[value].constant;
    bdnn_tensor tensor = {.type = s->plan.info[value].type,
                          .format = bdnn_plan_format(&s->plan, value),
                          .shape = s->plan.info[value].shape};
    if (constant->data) {
        tensor.data = (void *)constant->data;
    } else if (s->plan.offset[value] != BDNN_NO_MEMORY) {
        tensor.data = s->arena + s->plan.offset[value];
    }
    return tensor;
}

static size_t float_bytes(const bdnn_session *s, int32_t value)
{
    return bdnn_round_up((size_t)bdnn_shape_elements(&s->plan.info[value].shape) * sizeof(float), BDNN_ALIGNMENT);
}

static void free_substitute(bdnn_layer *substitute)
{
    if (substitute) {
        bdnn_blob_free(&substitute->weight);
        bdnn_free(substitute);
    }
}

/* The float form of a decomposed layer: weights s_f W; all else is borrowed. */
static bdnn_status make_substitute(const bdnn_session *s, bdnn_step *step, bdnn_error *err)
{
    const bdnn_layer *layer = step->layer;
    const bdnn_decomposed *dec = layer->decomposed;
    bdnn_inner_geometry geometry;
    int64_t words;
    int8_t *decoded;
    float *w;
    bdnn_inner_geometry_of(layer, &s->plan.info[layer->inputs[0]].shape, &s->plan.info[layer->outputs[0]].shape,
                           &geometry);
    words = (geometry.inner + 63) / 64;
    step->substitute = bdnn_zalloc(1, sizeof *step->substitute);
    decoded = bdnn_alloc((size_t)geometry.inner, 1);
    if (step->substitute) {
        *step->substitute = *layer;
        step->substitute->decomposed = NULL;
        step->substitute->weight = bdnn_blob_copy(NULL, (size_t)(geometry.filters * geometry.inner) * sizeof *w);
    }
    if (!decoded || !step->substitute || !step->substitute->weight.data) {
        bdnn_free(decoded);
        return bdnn_fail_memory(err, (size_t)(geometry.filters * geometry.inner) * sizeof *w,
                                "a layer's float weights");
    }
    w = (float *)step->substitute->weight.data;
    for (int64_t f = 0; f < geometry.filters; f++) {
        bdnn_ip_decode((const uint64_t *)dec->planes.data + f * dec->bases * words,
                       (const int8_t *)dec->scales.data + f * dec->bases, dec->bases, geometry.inner, decoded);
        for (int64_t d = 0; d < geometry.inner; d++) {
            w[f * geometry.inner + d] = ((const float *)dec->filter_scale.data)[f] * (float)decoded[d];
        }
    }
    bdnn_free(decoded);
    return BDNN_OK;
}

/* An input that the layer reads in real units, but that is not kept so: de-quantised into scratch memory, before the
 * layer's own. */
static bool is_converted(const bdnn_session *s, const bdnn_step *step, int32_t input)
{
    const bdnn_type type = s->plan.info[step->layer->inputs[input]].type;
    return step->substitute || (step->floats && (type == BDNN_UINT8 || type == BDNN_INT16));
}

static size_t converted_bytes(const bdnn_session *s, const bdnn_step *step)
{
    size_t bytes = 0;
    for (int32_t i = 0; i < step->layer->input_count; i++) {
        bytes = bdnn_sum(bytes, is_converted(s, step, i) ? float_bytes(s, step->layer->inputs[i]) : 0);
    }
    return bytes;
}

static bdnn_status layer_scratch(bdnn_session *s, const bdnn_step *step, bdnn_error *err)
{
    const bdnn_layer *layer = step->substitute ? step->substitute : step->layer;
    const bdnn_layer_type *type = bdnn_layer_type_of(layer->op);
    const int32_t inputs = layer->input_count, count = inputs + layer->output_count;
    bdnn_value_info *info = bdnn_alloc((size_t)count, sizeof *info);
    size_t bytes;
    if (!info) {
        return bdnn_fail_memory(err, (size_t)count * sizeof *info, "a layer's shapes");
    }
    for (int32_t i = 0; i < count; i++) {
        info[i] = s->plan.info[i < inputs ? layer->inputs[i] : layer->outputs[i - inputs]];
    }
    bytes = type->scratch ? type->scratch(layer, info, info + inputs, bdnn_threads_count(s->threads)) : 0;
    bytes = bdnn_sum(bytes, converted_bytes(s, step));
    s->scratch_bytes = bytes > s->scratch_bytes ? bytes : s->scratch_bytes;
    bdnn_free(info);
    return BDNN_OK;
}

/* The only layer that reads `value`, an integer one, or NULL. */
static bdnn_step *only_reader(const bdnn_session *s, int32_t value)
{
    const int32_t reader =
        bdnn_plan_format(&s->plan, value).kind == BDNN_FORMAT_FLOAT ? -1 : bdnn_graph_only_reader(s->graph, value);
    return reader < 0 ? NULL : &s->steps[reader];
}

/* A sum of step's output and of what exists already when the step runs, kept where one of the two is. */
static bool can_add(const bdnn_session *s, const bdnn_step *step, const bdnn_step *next)
{
    const int32_t own = step->layer->outputs[0];
    int32_t other, sum;
    if (!next || next->layer->op != BDNN_OP_ADD || next->layer->input_count != 2 ||
        bdnn_plan_format(&s->plan, own).kind != BDNN_FORMAT_WIDE) {
        return false;
    }
    other = next->layer->inputs[next->layer->inputs[0] == own];
    sum = next->layer->outputs[0];
    return bdnn_graph_producer(s->graph, other) < (int32_t)(step - s->steps) &&
           (s->plan.offset[sum] == s->plan.offset[own] || s->plan.offset[sum] == s->plan.offset[other]);
}

/* What a decomposed layer can do while its sums become integers, in place of the steps after it: a residual sum, then a
 * clip; and writing the value that this makes as its reader reads it. */
static const bdnn_layer *absorb(bdnn_session *s, bdnn_step *step, int32_t *made)
{
    bdnn_step *next = only_reader(s, step->layer->outputs[0]);
    int32_t value = step->layer->outputs[0];
    if (can_add(s, step, next)) {
        step->addend = next->layer->inputs[next->layer->inputs[0] == value];
        step->result = value = next->layer->outputs[0];
        next->done_before = true;
        next = only_reader(s, value);
    }
    *made = value;
    if (next && next->layer->op == BDNN_OP_ACTIVATION &&
        s->plan.offset[value] == s->plan.offset[next->layer->outputs[0]]) {
        next->done_before = true;
        *made = next->layer->outputs[0];
        return next->layer;
    }
    return NULL;
}

/* Whether a wide input has been written by its maker as this layer reads it. */
static bool is_ready(const bdnn_session *s, const bdnn_layer *layer)
{
    const bdnn_layer *reader = bdnn_plan_reader(&s->plan, layer->inputs[0]);
    const bdnn_format own = bdnn_format_read_by(layer->decomposed);
    bdnn_format first;
    if (bdnn_plan_format(&s->plan, layer->inputs[0]).kind != BDNN_FORMAT_WIDE || !reader) {
        return false;
    }
    first = bdnn_format_read_by(reader->decomposed);
    return s->readable[layer->inputs[0]] && bdnn_format_equal(&first, &own);
}

static bdnn_status prepare_inner(bdnn_session *s, bdnn_step *step, bdnn_error *err)
{
    const bdnn_layer *layer = step->layer;
    const int32_t in = layer->inputs[0], out = layer->outputs[0];
    bdnn_inner_place place = {.in = &s->plan.info[in].shape,
                              .out = &s->plan.info[out].shape,
                              .in_format = bdnn_plan_format(&s->plan, in),
                              .out_format = bdnn_plan_format(&s->plan, out)};
    const bdnn_layer *reader;
    bdnn_status status;
    int32_t made;
    step->addend = step->read_result = NO_VALUE;
    step->result = out;
    step->reads_ready = is_ready(s, layer);
    if (step->reads_ready) {
        place.in_format = bdnn_format_read_by(layer->decomposed);
    }
    place.clip = absorb(s, step, &made);
    reader = bdnn_plan_reader(&s->plan, made);
    if (reader && s->plan.read_offset[made] != BDNN_NO_MEMORY) {
        step->read_result = made;
        s->readable[made] = true;
        place.reader = reader->decomposed;
    }
    status = bdnn_inner_prepare(&step->inner, s->backend, layer, &place, err);
    if (status == BDNN_OK) {
        const size_t bytes = bdnn_inner_scratch(&step->inner);
        s->scratch_bytes = bytes > s->scratch_bytes ? bytes : s->scratch_bytes;
    }
    return status;
}

static bdnn_status prepare_step(bdnn_session *s, bdnn_step *step, bdnn_error *err)
{
    const bdnn_layer *layer = step->layer;
    bdnn_status status;
    step->inputs = bdnn_zalloc(2 * (size_t)layer->input_count + (size_t)layer->output_count, sizeof *step->inputs);
    if (!step->inputs) {
        return bdnn_fail_memory(err, (size_t)layer->input_count * sizeof *step->inputs, "a layer's tensors");
    }
    step->read = step->inputs + layer->input_count;
    step->outputs = step->read + layer->input_count;
    if (layer->decomposed && s->backend) {
        return prepare_inner(s, step, err);
    }
    step->floats = bdnn_plan_format(&s->plan, layer->outputs[0]).kind == BDNN_FORMAT_FLOAT;
    status = layer->decomposed ? make_substitute(s, step, err) : BDNN_OK;
    return status == BDNN_OK ? layer_scratch(s, step, err) : status;
}

static bdnn_status prepare_steps(bdnn_session *s, bdnn_error *err)
{
    s->steps = bdnn_zalloc(s->graph->layer_count, sizeof *s->steps);
    s->readable = bdnn_zalloc(s->graph->value_count, sizeof *s->readable);
    if (!s->steps || !s->readable) {
        return bdnn_fail_memory(err, s->graph->layer_count * sizeof *s->steps, "the plan's steps");
    }
    for (size_t l = 0; l < s->graph->layer_count; l++) {
        s->steps[l].layer = &s->graph->layers[l];
    }
    for (size_t l = 0; l < s->graph->layer_count; l++) {
        bdnn_status status = prepare_step(s, &s->steps[l], err);
        if (status != BDNN_OK) {
            return bdnn_prefix(err, status, "layer '%s'", s->graph->layers[l].name);
        }
    }
    return BDNN_OK;
}

static bdnn_status allocate(bdnn_session *s, bdnn_error *err)
{
    s->arena = bdnn_alloc(s->plan.arena_bytes, 1);
    s->scratch = bdnn_alloc(s->scratch_bytes, 1);
    s->results = bdnn_zalloc(s->graph->output_count, sizeof *s->results);
    if (!s->arena || !s->scratch || !s->results) {
        return bdnn_fail_memory(err, bdnn_sum(s->plan.arena_bytes, s->scratch_bytes), "activations");
    }
    for (size_t l = 0; l < s->graph->layer_count; l++) {
        bdnn_step *step = &s->steps[l];
        for (int32_t i = 0; i < step->layer->input_count; i++) {
            step->inputs[i] = tensor_of(s, step->layer->inputs[i]);
        }
        for (int32_t o = 0; o < step->layer->output_count; o++) {
            step->outputs[o] = tensor_of(s, step->layer->outputs[o]);
        }
    }
    for (size_t i = 0; i < s->graph->output_count; i++) {
        const size_t count = (size_t)bdnn_shape_elements(&s->plan.info[s->graph->outputs[i]].shape);
        /* Integer outputs pass through it on their way to float. */
        s->results[i] = bdnn_alloc(count, sizeof(int64_t));
        if (!s->results[i]) {
            return bdnn_fail_memory(err, count * sizeof(int64_t), "an output");
        }
    }
    return BDNN_OK;
}

bdnn_status bdnn_session_create(const bdnn_model *model, const bdnn_session_options *options, bdnn_session **session,
                                bdnn_error *err)
{
    if (session) {
        *session = NULL;
    }
    if (!model || !session) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_session_options defaults = {0};
    const bdnn_session_options *o = options ? options : &defaults;
    bdnn_session *s = bdnn_zalloc(1, sizeof *s);
    bdnn_status status;
    *session = NULL;
    if (!s) {
        return bdnn_fail_memory(err, sizeof *s, "a session");
    }
    s->model = model;
    s->graph = &model->graph;
    s->allow_not_finite = o->allow_not_finite;
    s->threads = bdnn_threads_create(o->threads);
    status = s->threads ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_MEMORY, "cannot start %zu threads", o->threads);
    if (status == BDNN_OK && s->graph->input_count != 1) {
        status = bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the network has %zu inputs, not 1", s->graph->input_count);
    }
    if (status == BDNN_OK && o->batch > INT32_MAX) {
        status = bdnn_fail(err, BDNN_ERROR_ARGUMENT, "a batch of %zu", o->batch);
    }
    if (status == BDNN_OK) {
        status = bdnn_backend_open(o, s->threads, &s->backend, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_plan_create(&s->plan, s->graph, o->batch ? (int64_t)o->batch : 1, s->backend != NULL, err);
    }
    if (status == BDNN_OK) {
        status = prepare_steps(s, err);
    }
    if (status == BDNN_OK) {
        status = allocate(s, err);
    }
    if (status != BDNN_OK) {
        bdnn_session_free(s);
        return status;
    }
    *session = s;
    return BDNN_OK;
}

void bdnn_session_free(bdnn_session *s)
{
    if (!s) {
        return;
    }
    for (size_t l = 0; s->steps && l < s->graph->layer_count; l++) {
        if (s->steps[l].inner.backend) {
            bdnn_inner_release(&s->steps[l].inner);
        }
        free_substitute(s->steps[l].substitute);
        bdnn_free(s->steps[l].inputs);
    }
    for (size_t i = 0; s->results && i < s->graph->output_count; i++) {
        bdnn_free(s->results[i]);
    }
    bdnn_free(s->steps);
    bdnn_free(s->readable);
    bdnn_free(s->results);
    bdnn_free(s->nanoseconds);
    bdnn_free(s->arena);
    bdnn_free(s->scratch);
    if (s->backend) {
        s->backend->type->close(s->backend);
    }
    bdnn_plan_free(&s->plan);
    bdnn_threads_destroy(s->threads);
    bdnn_free(s);
}

/* Inputs in real units: what integers stand for, or on the device "float" what quantisation leaves of floats. */
static void convert_input(const bdnn_session *s, const bdnn_step *step, const bdnn_tensor *in, float *x)
{
    const size_t count = (size_t)bdnn_shape_elements(&in->shape);
    if (step->substitute) {
        const bdnn_decomposed *dec = step->layer->decomposed;
        bdnn_fake_quantize(in->data, count, dec->step, dec->zero_point, dec->bits, x);
    } else if (in->type == BDNN_UINT8) {
        bdnn_dequantize(in->data, count, in->format.step, in->format.zero_point, x, s->threads);
    } else {
        bdnn_dequantize_wide(in->data, count, in->format.step, x, s->threads);
    }
}

static void run_layer(const bdnn_session *s, const bdnn_step *step)
{
    const bdnn_layer *layer = step->substitute ? step->substitute : step->layer;
    bdnn_layer_call call = {.layer = layer, .outputs = step->outputs, .threads = s->threads};
    uint8_t *scratch = s->scratch;
    for (int32_t i = 0; i < layer->input_count; i++) {
        step->read[i] = step->inputs[i];
        if (is_converted(s, step, i)) {
            convert_input(s, step, &step->inputs[i], (float *)(void *)scratch);
            step->read[i].data = scratch;
            step->read[i].type = BDNN_FLOAT32;
            scratch += float_bytes(s, step->layer->inputs[i]);
        }
    }
    call.inputs = step->read;
    call.scratch = scratch;
    bdnn_layer_type_of(layer->op)->run(&call);
}

static bdnn_status run_step(bdnn_session *s, const bdnn_step *step, bdnn_error *err)
{
    if (step->inner.backend) {
        const bdnn_inner_data data = {
            .x = step->reads_ready ? s->arena + s->plan.read_offset[step->layer->inputs[0]] : step->inputs[0].data,
            .addend = step->addend == NO_VALUE ? NULL : tensor_of(s, step->addend).data,
            .y = tensor_of(s, step->result).data,
            .x_q = step->read_result == NO_VALUE ? NULL : s->arena + s->plan.read_offset[step->read_result]};
        return bdnn_inner_run(&step->inner, &data, s->scratch, s->threads, err);
    }
    if (!step->done_before) {
        run_layer(s, step);
    }
    return BDNN_OK;
}

static void fetch_result(bdnn_session *s, size_t index)
{
    const bdnn_tensor tensor = tensor_of(s, s->graph->outputs[index]);
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

/* ---- What is not finite
 * ------------------------------------------------------------------------------------------------------ */

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

/* Runs again, looking at what each layer makes: by now most of it has been overwritten. */
static bdnn_status name_overflow(bdnn_session *s, const float *input, bdnn_error *err)
{
    const bdnn_tensor tensor = tensor_of(s, s->graph->inputs[0]);
    bdnn_from_row_major_threaded(&tensor.shape, BDNN_FLOAT32, input, tensor.data, s->threads);
    for (size_t l = 0; l < s->graph->layer_count; l++) {
        const bdnn_step *step = &s->steps[l];
        const bdnn_status status = run_step(s, step, err);
        if (status != BDNN_OK) {
            return status;
        }
        for (int32_t o = 0; o < step->layer->output_count && !step->done_before; o++) {
            const bdnn_tensor made = tensor_of(s, step->inner.backend ? step->result : step->layer->outputs[o]);
            float x;
            if (!is_finite(&made, &x)) {
                return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                                 "layer '%s': an output is %g: this input leads beyond what float32 holds",
                                 step->layer->name, (double)x);
            }
        }
    }
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "an output of the network is not finite");
}

/* ---- Running
 * ----------------------------------------------------------------------------------------------------------------- */

bdnn_status bdnn_session_run(bdnn_session *s, const float *input, bdnn_error *err)
{
    if (!s || !input) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_tensor tensor = tensor_of(s, s->graph->inputs[0]);
    bool finite = true;
    bdnn_status status = s->allow_not_finite ? BDNN_OK : check_input(s, input, err);
    if (status != BDNN_OK) {
        return status;
    }
    bdnn_threads_hurry(s->threads);
    bdnn_from_row_major_threaded(&tensor.shape, BDNN_FLOAT32, input, tensor.data, s->threads);
    for (size_t l = 0; l < s->graph->layer_count && status == BDNN_OK; l++) {
        const uint64_t start = s->nanoseconds ? bdnn_clock() : 0;
        float x;
        /* A class among scores that are no numbers looks like any other. */
        finite = finite && (s->graph->layers[l].op != BDNN_OP_ARGMAX || is_finite(&s->steps[l].inputs[0], &x));
        status = run_step(s, &s->steps[l], err);
        if (s->nanoseconds) {
            s->nanoseconds[l] = s->steps[l].done_before ? 0 : bdnn_clock() - start;
        }
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "layer '%s'", s->graph->layers[l].name);
        }
    }
    for (size_t i = 0; i < s->graph->output_count && status == BDNN_OK; i++) {
        const bdnn_tensor result = tensor_of(s, s->graph->outputs[i]);
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

size_t bdnn_session_output_count(const bdnn_session *s)
{
    if (!s) {
        return 0;
    }
    return s->graph->output_count;
}

bdnn_status bdnn_session_output(const bdnn_session *s, size_t index, bdnn_result *result, bdnn_error *err)
{
    if (!s || !result) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_value_info *info;
    if (index >= s->graph->output_count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "output %zu of %zu", index, s->graph->output_count);
    }
    info = &s->plan.info[s->graph->outputs[index]];
    result->name = s->graph->values[s->graph->outputs[index]].name;
    result->rank = info->shape.rank;
    memcpy(result->shape, info->shape.dim, sizeof result->shape);
    result->data = s->results[index];
    return BDNN_OK;
}

void bdnn_session_memory(const bdnn_session *s, uint64_t *planned, uint64_t *without_reuse)
{
    if (planned) {
        *planned = s ? (uint64_t)s->plan.arena_bytes + s->scratch_bytes : 0;
    }
    if (without_reuse) {
        *without_reuse = s ? s->plan.total_bytes + s->scratch_bytes : 0;
    }
}
