/* SPDX-License-Identifier: BSD-2-Clause */
/* Tensors of the file as constants: every type to float or int64, every size checked against the bytes that are there.
 */
#include "import/onnx_tensor.h"

#include "core/memory.h"

#include <string.h>

enum {
    TYPE_FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
    TYPE_UINT8 = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8,
    TYPE_INT8 = ONNX__TENSOR_PROTO__DATA_TYPE__INT8,
    TYPE_UINT16 = ONNX__TENSOR_PROTO__DATA_TYPE__UINT16,
    TYPE_INT16 = ONNX__TENSOR_PROTO__DATA_TYPE__INT16,
    TYPE_INT32 = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
    TYPE_INT64 = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
    TYPE_BOOL = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
    TYPE_FLOAT16 = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16,
    TYPE_DOUBLE = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE,
    TYPE_UINT32 = ONNX__TENSOR_PROTO__DATA_TYPE__UINT32,
    TYPE_UINT64 = ONNX__TENSOR_PROTO__DATA_TYPE__UINT64,
    TYPE_BFLOAT16 = ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16
};

bool bdnn_onnx_type(int32_t onnx_type, bdnn_type *type)
{
    switch (onnx_type) {
    case TYPE_FLOAT:
    case TYPE_FLOAT16:
    case TYPE_BFLOAT16:
    case TYPE_DOUBLE:
        *type = BDNN_FLOAT32;
        return true;
    case TYPE_UINT8:
    case TYPE_INT8:
    case TYPE_UINT16:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_BOOL:
    case TYPE_UINT32:
    case TYPE_UINT64:
        *type = BDNN_INT64;
        return true;
    default:
        return false;
    }
}

const char *bdnn_onnx_type_name(int32_t onnx_type)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&onnx__tensor_proto__data_type__descriptor, onnx_type);
    return value ? value->name : "of an unknown type";
}

static size_t bytes_of(int32_t onnx_type)
{
    switch (onnx_type) {
    case TYPE_UINT8:
    case TYPE_INT8:
    case TYPE_BOOL:
        return 1;
    case TYPE_UINT16:
    case TYPE_INT16:
    case TYPE_FLOAT16:
    case TYPE_BFLOAT16:
        return 2;
    case TYPE_INT64:
    case TYPE_UINT64:
    case TYPE_DOUBLE:
        return 8;
    default:
        return 4;
    }
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, mantissa = half & 0x3ff;
    if (exponent == 31) {
        return float_of_bits(sign | 0x7f800000 | mantissa << 13);
    }
    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24, exact in float */
        float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

float bdnn_onnx_round_to(int32_t onnx_type, float value)
{
    uint32_t bits = bits_of_float(value), magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x7f800000) { /* infinity, NaN */
        return value;
    }
    if (onnx_type == TYPE_BFLOAT16) {
        return float_of_bits(bits & 0xffff0000);
    }
    if (onnx_type == TYPE_FLOAT16) {
        float absolute = float_of_bits(magnitude), rounded;
        if (absolute >= 65520.0f) {
            rounded = float_of_bits(0x7f800000);
        } else if (absolute < 0x1p-14f) { /* float's spacing at 0.5 is 2^-24, that of subnormal halves */
            volatile float shifted = absolute + 0.5f;
            rounded = shifted - 0.5f;
        } else {
            rounded = float_of_bits((magnitude + 0xfff + (magnitude >> 13 & 1)) & 0xffffe000);
        }
        return bits >> 31 ? -rounded : rounded;
    }
    return value;
}

/* The elements of one tensor, wherever the file keeps them. */
typedef struct tensor_source {
    int32_t type;
    const uint8_t *raw; /* little-endian; NULL: in `typed` */
    const Onnx__TensorProto *typed;
} tensor_source;

static uint64_t raw_bits(const uint8_t *at, size_t bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes; i++) {
        bits |= (uint64_t)at[i] << (8 * i);
    }
    return bits;
}

static float float_element(const tensor_source *source, size_t i)
{
    size_t size = bytes_of(source->type);
    uint64_t bits;
    double value;
    if (!source->raw && source->type == TYPE_FLOAT) {
        /* Their number was compared with the shape's. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        return source->typed->float_data[i];
    }
    if (!source->raw && source->type == TYPE_DOUBLE) {
        return (float)source->typed->double_data[i];
    }
    bits = source->raw ? raw_bits(source->raw + i * size, size) : (uint64_t)source->typed->int32_data[i];
    switch (source->type) {
    case TYPE_DOUBLE:
        memcpy(&value, &bits, sizeof value);
        return (float)value;
    case TYPE_FLOAT16:
        return from_half((uint16_t)bits);
    case TYPE_BFLOAT16:
        return float_of_bits((uint32_t)(uint16_t)bits << 16);
    default:
        return float_of_bits((uint32_t)bits);
    }
}

static int64_t int_element(const tensor_source *source, size_t i)
{
    size_t size = bytes_of(source->type);
    uint64_t bits, sign;
    if (!source->raw && source->type == TYPE_INT64) {
        return source->typed->int64_data[i];
    }
    if (!source->raw && (source->type == TYPE_UINT32 || source->type == TYPE_UINT64)) {
        return (int64_t)source->typed->uint64_data[i];
    }
    if (!source->raw) {
        return source->typed->int32_data[i];
    }
    bits = raw_bits(source->raw + i * size, size);
    if (source->type == TYPE_INT8 || source->type == TYPE_INT16 || source->type == TYPE_INT32) {
        sign = (uint64_t)1 << (8 * size - 1);
        return (int64_t)((bits ^ sign) - sign);
    }
    return (int64_t)bits;
}

/* How many elements the typed field of this type holds. */
static size_t typed_count(const Onnx__TensorProto *tensor)
{
    switch (tensor->data_type) {
    case TYPE_FLOAT:
        return tensor->n_float_data;
    case TYPE_DOUBLE:
        return tensor->n_double_data;
    case TYPE_INT64:
        return tensor->n_int64_data;
    case TYPE_UINT32:
    case TYPE_UINT64:
        return tensor->n_uint64_data;
    default:
        return tensor->n_int32_data;
    }
}

static bool tensor_shape(onnx_importer *im, const Onnx__TensorProto *tensor, const char *name, bdnn_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    if (tensor->n_dims > BDNN_MAX_RANK) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "tensor '%.80s' has rank %zu, more than %d", name, tensor->n_dims,
                       BDNN_MAX_RANK);
        return false;
    }
    shape->rank = (int32_t)tensor->n_dims;
    for (int32_t i = 0; i < shape->rank; i++) {
        shape->dim[i] = tensor->dims[i];
        if (shape->dim[i] < 0) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "tensor '%.80s' has dimension %lld", name, (long long)shape->dim[i]);
            return false;
        }
    }
    if (bdnn_shape_elements(shape) < 0) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "tensor '%.80s' has too many elements", name);
        return false;
    }
    return true;
}

/* Refuses tensors whose elements are elsewhere, of a type that has no place here, or not as many as the shape says. */
static bool tensor_source_of(onnx_importer *im, const Onnx__TensorProto *tensor, const char *name, int64_t count,
                             tensor_source *source, bdnn_type *type)
{
    size_t wanted = (size_t)count, found;
    if (tensor->n_external_data ||
        (tensor->has_data_location && tensor->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED,
                       "tensor '%.80s' keeps its data in another file; store the network in one file", name);
        return false;
    }
    if (!bdnn_onnx_type(tensor->data_type, type)) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "tensor '%.80s' is %s", name,
                       bdnn_onnx_type_name(tensor->data_type));
        return false;
    }
    source->type = tensor->data_type;
    source->typed = tensor;
    source->raw = tensor->has_raw_data && typed_count(tensor) == 0 ? tensor->raw_data.data : NULL;
    if (source->raw) {
        wanted *= bytes_of(source->type);
        found = tensor->raw_data.len;
    } else {
        found = typed_count(tensor);
    }
    if (found != wanted) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "tensor '%.80s' holds %zu %s where its shape needs %zu", name, found,
                       source->raw ? "bytes" : "elements", wanted);
        return false;
    }
    return true;
}

/* The file's own floats where they can be used as they are. */
static const float *borrowed_floats(const tensor_source *source)
{
    if (source->type != TYPE_FLOAT) {
        return NULL;
    }
    if (!source->raw) {
        return source->typed->float_data;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (uintptr_t)source->raw % sizeof(float) == 0 ? (const float *)(const void *)source->raw : NULL;
#else
    return NULL;
#endif
}

onnx_operand *bdnn_onnx_tensor(onnx_importer *im, const Onnx__TensorProto *tensor)
{
    const char *name = tensor->name ? tensor->name : "";
    tensor_source source;
    bdnn_shape shape;
    bdnn_type type;
    onnx_operand *x;
    void *data;
    int64_t count;
    if (im->status != BDNN_OK || !tensor_shape(im, tensor, name, &shape)) {
        return NULL;
    }
    count = bdnn_shape_elements(&shape);
    if (!tensor_source_of(im, tensor, name, count, &source, &type) || !(x = bdnn_onnx_operand(im, type, &shape))) {
        return NULL;
    }
    x->data = borrowed_floats(&source);
    if (x->data) {
        return x;
    }
    data = bdnn_alloc((size_t)count, bdnn_type_size(type));
    if (!data) {
        bdnn_onnx_short_of_memory(im);
        return NULL;
    }
    for (size_t i = 0; i < (size_t)count; i++) {
        if (type == BDNN_FLOAT32) {
            ((float *)data)[i] = float_element(&source, i);
        } else {
            ((int64_t *)data)[i] = int_element(&source, i);
        }
    }
    x->data = data;
    x->owned = true;
    return x;
}
