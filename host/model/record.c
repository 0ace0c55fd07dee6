/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the model file, field by field, in both directions. */
#include "model/record.h"

#include <string.h>

uint32_t bdnn_get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint64_t bdnn_get64(const uint8_t *bytes)
{
    return bdnn_get32(bytes) | (uint64_t)bdnn_get32(bytes + 4) << 32;
}

void bdnn_put32(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(number >> 8 * i);
    }
}

void bdnn_put64(uint8_t *bytes, uint64_t number)
{
    bdnn_put32(bytes, (uint32_t)number);
    bdnn_put32(bytes + 4, (uint32_t)(number >> 32));
}

static void refuse(bdnn_record *record, const char *field, int64_t value)
{
    if (!record->wrong) {
        record->wrong = field;
        record->wrong_value = value;
    }
}

static void field_u32(bdnn_record *record, uint32_t *number)
{
    if (record->out) {
        bdnn_put32(record->out + record->at, *number);
    } else {
        *number = bdnn_get32(record->in + record->at);
    }
    record->at += 4;
}

static void field_u64(bdnn_record *record, uint64_t *number)
{
    if (record->out) {
        bdnn_put64(record->out + record->at, *number);
    } else {
        *number = bdnn_get64(record->in + record->at);
    }
    record->at += 8;
}

static void field_i32(bdnn_record *record, int32_t *number)
{
    uint32_t bits = (uint32_t)*number;
    field_u32(record, &bits);
    memcpy(number, &bits, sizeof bits);
}

static void field_i64(bdnn_record *record, int64_t *number)
{
    uint64_t bits = (uint64_t)*number;
    field_u64(record, &bits);
    memcpy(number, &bits, sizeof bits);
}

static void field_float(bdnn_record *record, float *number)
{
    uint32_t bits;
    memcpy(&bits, number, sizeof bits);
    field_u32(record, &bits);
    memcpy(number, &bits, sizeof bits);
}

/* An enumeration or flag: what is stored is less than `limit`. */
static uint32_t field_choice(bdnn_record *record, uint32_t choice, uint32_t limit, const char *name)
{
    field_u32(record, &choice);
    if (choice >= limit) {
        refuse(record, name, choice);
        return 0;
    }
    return choice;
}

static void field_flag(bdnn_record *record, bool *flag, const char *name)
{
    *flag = field_choice(record, *flag, 2, name) != 0;
}

static void field_i32s(bdnn_record *record, int32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        field_i32(record, &numbers[i]);
    }
}

static void field_i64s(bdnn_record *record, int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        field_i64(record, &numbers[i]);
    }
}

static void field_floats(bdnn_record *record, float *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        field_float(record, &numbers[i]);
    }
}

static void field_place(bdnn_record *record, bdnn_blob_place *place)
{
    field_u64(record, &place->offset);
    field_u64(record, &place->bytes);
    if (!place->bytes && place->offset) {
        refuse(record, "offset of an empty blob", (int64_t)place->offset);
    }
}

/* Rank, four bytes of zero, six dimensions, zero beyond the rank. */
static void field_shape(bdnn_record *record, bdnn_shape *shape)
{
    uint32_t reserved = 0;
    field_i32(record, &shape->rank);
    field_u32(record, &reserved);
    if (reserved) {
        refuse(record, "reserved field", reserved);
    }
    if (shape->rank < 0 || shape->rank > BDNN_MAX_RANK) {
        refuse(record, "rank", shape->rank);
        shape->rank = 0;
    }
    for (int32_t i = 0; i < BDNN_MAX_RANK; i++) {
        int64_t dim = i < shape->rank ? shape->dim[i] : 0;
        field_i64(record, &dim);
        shape->dim[i] = dim;
        if (i >= shape->rank && dim) {
            refuse(record, "dimension beyond the rank", dim);
        }
    }
}

/* The rest of the record up to `end` is zero: room for later versions, and no place to hide anything in. */
static void fill(bdnn_record *record, size_t end)
{
    for (; record->at < end; record->at++) {
        if (record->in && record->in[record->at]) {
            refuse(record, "reserved byte", record->in[record->at]);
        }
    }
}

static void field_window(bdnn_record *record, bdnn_window *window)
{
    field_i32s(record, window->kernel, BDNN_SPATIAL);
    field_i32s(record, window->stride, BDNN_SPATIAL);
    field_i32s(record, window->dilation, BDNN_SPATIAL);
    field_i32s(record, window->pad_begin, BDNN_SPATIAL);
    field_i32s(record, window->pad_end, BDNN_SPATIAL);
}

static void conv_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_window(record, &layer->attr.conv.window);
    field_i32(record, &layer->attr.conv.groups);
    field_i32(record, &layer->attr.conv.filters);
    field_i32s(record, layer->attr.conv.output_pad, BDNN_SPATIAL);
}

static void pool_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_window(record, &layer->attr.pool.window);
    field_flag(record, &layer->attr.pool.global, "global flag");
    field_flag(record, &layer->attr.pool.ceil_mode, "ceiling flag");
    field_flag(record, &layer->attr.pool.count_include_pad, "padding flag");
    field_flag(record, &layer->attr.pool.column_major, "index order flag");
    field_shape(record, &layer->attr.pool.output_shape);
}

static void activation_attributes(bdnn_record *record, bdnn_layer *layer)
{
    layer->attr.activation.kind =
        field_choice(record, layer->attr.activation.kind, BDNN_ACT_SIGMOID + 1, "kind of activation");
    field_float(record, &layer->attr.activation.low);
    field_float(record, &layer->attr.activation.high);
    field_float(record, &layer->attr.activation.alpha);
}

static void axis_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_i32(record, &layer->attr.axis.axis);
    field_flag(record, &layer->attr.axis.flatten, "flatten flag");
    field_flag(record, &layer->attr.axis.keep_dims, "kept dimensions flag");
    field_flag(record, &layer->attr.axis.select_last, "last index flag");
}

static void resize_attributes(bdnn_record *record, bdnn_layer *layer)
{
    layer->attr.resize.interpolation =
        field_choice(record, layer->attr.resize.interpolation, BDNN_LINEAR + 1, "interpolation");
    layer->attr.resize.coordinates =
        field_choice(record, layer->attr.resize.coordinates, BDNN_COORD_ASYMMETRIC + 1, "coordinate mapping");
    layer->attr.resize.nearest = field_choice(record, layer->attr.resize.nearest, BDNN_ROUND_CEIL + 1, "rounding");
    field_floats(record, layer->attr.resize.scale, BDNN_MAX_RANK);
    field_i64s(record, layer->attr.resize.size, BDNN_MAX_RANK);
}

static void pad_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_i64s(record, layer->attr.pad.begin, BDNN_MAX_RANK);
    field_i64s(record, layer->attr.pad.end, BDNN_MAX_RANK);
    layer->attr.pad.mode = field_choice(record, layer->attr.pad.mode, BDNN_PAD_EDGE + 1, "padding mode");
    field_float(record, &layer->attr.pad.value);
}

static void dense_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_i32(record, &layer->attr.dense.filters);
}

static void lrn_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_i32(record, &layer->attr.lrn.size);
    field_float(record, &layer->attr.lrn.alpha);
    field_float(record, &layer->attr.lrn.beta);
    field_float(record, &layer->attr.lrn.bias);
}

static void reshape_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_shape(record, &layer->attr.reshape.shape);
}

static void transpose_attributes(bdnn_record *record, bdnn_layer *layer)
{
    field_i32s(record, layer->attr.transpose.permutation, BDNN_MAX_RANK);
}

static void no_attributes(bdnn_record *record, bdnn_layer *layer)
{
    (void)record;
    (void)layer;
}

static void attributes(bdnn_record *record, bdnn_layer *layer)
{
#define ENTRY(identifier, name, number, part, traits) [number] = part##_attributes,
    static void (*const of_operator[BDNN_OP_COUNT])(bdnn_record *, bdnn_layer *) = {BDNN_OPERATORS(ENTRY)};
#undef ENTRY
    of_operator[layer->op](record, layer);
}

void bdnn_record_model(bdnn_record *record, bdnn_model_record *model)
{
    bdnn_preprocess *preprocess = &model->preprocess;
    field_u32(record, &model->values);
    field_u32(record, &model->layers);
    field_u32(record, &model->inputs);
    field_u32(record, &model->outputs);
    field_u32(record, &model->labels);
    field_i32(record, &preprocess->channels);
    field_i32(record, &preprocess->height);
    field_i32(record, &preprocess->width);
    preprocess->resize = field_choice(record, preprocess->resize, BDNN_RESIZE_CROP + 1, "kind of resizing");
    field_i32(record, &preprocess->resize_short);
    field_flag(record, &preprocess->bgr, "channel order");
    field_floats(record, preprocess->mean, 3);
    field_floats(record, preprocess->scale, 3);
    fill(record, 72);
    field_place(record, &model->mean_image);
    fill(record, BDNN_MODEL_RECORD);
}

void bdnn_record_value(bdnn_record *record, bdnn_value_record *value)
{
    field_u32(record, &value->name);
    value->type = field_choice(record, value->type, BDNN_INT64 + 1, "element type");
    field_shape(record, &value->shape);
    field_place(record, &value->constant);
    value->format.kind = field_choice(record, value->format.kind, BDNN_FORMAT_WIDE + 1, "format");
    field_float(record, &value->format.step);
    field_i32(record, &value->format.zero_point);
    field_i32(record, &value->format.bits);
}

void bdnn_record_layer(bdnn_record *record, bdnn_layer_record *layer)
{
    layer->layer.op = field_choice(record, layer->layer.op, BDNN_OP_COUNT, "operator");
    field_u32(record, &layer->name);
    field_u32(record, &layer->numbers);
    field_i32(record, &layer->layer.input_count);
    field_i32(record, &layer->layer.output_count);
    field_flag(record, &layer->is_decomposed, "decomposed flag");
    field_i32(record, &layer->decomposed.bases);
    field_i32(record, &layer->decomposed.bits);
    field_float(record, &layer->decomposed.step);
    field_i32(record, &layer->decomposed.zero_point);
    fill(record, 48);
    field_place(record, &layer->weight);
    field_place(record, &layer->bias);
    field_place(record, &layer->planes);
    field_place(record, &layer->scales);
    field_place(record, &layer->filter_scale);
    attributes(record, &layer->layer);
    fill(record, BDNN_LAYER_RECORD);
}
