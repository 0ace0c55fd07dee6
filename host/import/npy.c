/* SPDX-License-Identifier: BSD-2-Clause */
/* .npy files. The header is the text of a Python dictionary, {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3),
 * }, of which exactly this form (keys in any order) is understood: a parser of Python is not needed, and is what a
 * hostile file hopes for. */
#include "import/npy.h"

#include "core/file.h"
#include "core/finite.h"
#include "core/memory.h"
#include "core/output.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char magic[] = "\x93NUMPY";

static const struct number_type {
    const char *descr;
    size_t size;
} types[BDNN_NPY_TYPE_COUNT] = {
    [BDNN_NPY_FLOAT16] = {"<f2", 2}, [BDNN_NPY_FLOAT32] = {"<f4", 4}, [BDNN_NPY_FLOAT64] = {"<f8", 8},
    [BDNN_NPY_INT8] = {"|i1", 1},    [BDNN_NPY_UINT8] = {"|u1", 1},   [BDNN_NPY_INT32] = {"<i4", 4},
    [BDNN_NPY_INT64] = {"<i8", 8},   [BDNN_NPY_BOOL] = {"|b1", 1},
};

/* ---- The header's text ---- */

typedef struct text {
    const char *name; /* of the file */
    const char *at, *end;
    bdnn_error *err;
} text;

static void skip_space(text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r')) {
        t->at++;
    }
}

static bool take(text *t, const char *token)
{
    size_t length = strlen(token);
    skip_space(t);
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, token, length) != 0) {
        return false;
    }
    t->at += length;
    return true;
}

static bdnn_status expected(text *t, const char *what)
{
    int left = t->end - t->at > 16 ? 16 : (int)(t->end - t->at);
    char found[17];
    for (int i = 0; i < left; i++) {
        found[i] = t->at[i] >= ' ' && t->at[i] <= '~' ? t->at[i] : '?';
    }
    found[left] = 0;
    return bdnn_fail(t->err, BDNN_ERROR_FORMAT, "%s: expected %s in the .npy header, found \"%s\"", t->name, what,
                     found);
}

static bdnn_status take_type(text *t, bdnn_npy_type *type)
{
    const char *begin;
    size_t length;
    bool quoted = take(t, "'");
    if (!quoted && !take(t, "\"")) {
        /* A list of fields, for one. */
        return bdnn_fail(t->err, BDNN_ERROR_UNSUPPORTED, "%s: the number type is not a simple one", t->name);
    }
    begin = t->at;
    while (t->at < t->end && *t->at != '\'' && *t->at != '"') {
        t->at++;
    }
    length = (size_t)(t->at - begin);
    if (!take(t, quoted ? "'" : "\"")) {
        return expected(t, "the end of the number type");
    }
    for (int i = 0; i < BDNN_NPY_TYPE_COUNT; i++) {
        /* The byte order of one-byte types means nothing: '<', '|' and '=' are all met. */
        if (length == 3 && memcmp(types[i].descr + 1, begin + 1, 2) == 0 &&
            (types[i].size == 1 ? strchr("<|=>", begin[0]) != NULL : begin[0] == '<')) {
            *type = (bdnn_npy_type)i;
            return BDNN_OK;
        }
    }
    return bdnn_fail(t->err, BDNN_ERROR_UNSUPPORTED, "%s: number type '%.*s'", t->name, length > 16 ? 16 : (int)length,
                     begin);
}

static bdnn_status take_number(text *t, int64_t *number)
{
    const char *begin;
    skip_space(t);
    begin = t->at;
    *number = 0;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
        *number = *number * 10 + (*t->at++ - '0');
        if (*number > BDNN_MAX_ELEMENTS) {
            return bdnn_fail(t->err, BDNN_ERROR_FORMAT, "%s: a dimension exceeds %" PRId64, t->name, BDNN_MAX_ELEMENTS);
        }
    }
    return t->at > begin ? BDNN_OK : expected(t, "a dimension");
}

static bdnn_status take_shape(text *t, bdnn_shape *shape)
{
    bdnn_status status;
    memset(shape, 0, sizeof *shape);
    if (!take(t, "(")) {
        return expected(t, "'('");
    }
    while (!take(t, ")")) {
        if (shape->rank == BDNN_MAX_RANK) {
            return bdnn_fail(t->err, BDNN_ERROR_UNSUPPORTED, "%s: more than %d dimensions", t->name, BDNN_MAX_RANK);
        }
        if ((status = take_number(t, &shape->dim[shape->rank])) != BDNN_OK) {
            return status;
        }
        shape->rank++;
        take(t, "L"); /* Python 2 wrote long integers like this */
        if (!take(t, ",")) {
            if (!take(t, ")")) {
                return expected(t, "',' or ')'");
            }
            break;
        }
    }
    if (bdnn_shape_elements(shape) < 0) {
        return bdnn_fail(t->err, BDNN_ERROR_FORMAT, "%s: more than %" PRId64 " elements", t->name, BDNN_MAX_ELEMENTS);
    }
    return BDNN_OK;
}

static bdnn_status take_flag(text *t, bool *flag)
{
    *flag = take(t, "True");
    return *flag || take(t, "False") ? BDNN_OK : expected(t, "True or False");
}

/* One `key: value` of the dictionary; bit n of *seen is set for the key that was read. */
static bdnn_status take_entry(text *t, bdnn_npy *array, unsigned *seen)
{
    static const char *const keys[3][2] = {
        {"'descr'", "\"descr\""}, {"'fortran_order'", "\"fortran_order\""}, {"'shape'", "\"shape\""}};
    int key = 0;
    while (key < 3 && !take(t, keys[key][0]) && !take(t, keys[key][1])) {
        key++;
    }
    if (key == 3 || *seen & 1u << key) {
        return expected(t, "one each of 'descr', 'fortran_order' and 'shape'");
    }
    *seen |= 1u << key;
    if (!take(t, ":")) {
        return expected(t, "':'");
    }
    return key == 0   ? take_type(t, &array->type)
           : key == 1 ? take_flag(t, &array->fortran)
                      : take_shape(t, &array->shape);
}

static bdnn_status parse_header(text *t, bdnn_npy *array)
{
    unsigned seen = 0;
    bdnn_status status;
    if (!take(t, "{")) {
        return expected(t, "'{'");
    }
    while (!take(t, "}")) {
        if ((status = take_entry(t, array, &seen)) != BDNN_OK) {
            return status;
        }
        if (!take(t, ",")) {
            if (!take(t, "}")) {
                return expected(t, "',' or '}'");
            }
            break;
        }
    }
    skip_space(t);
    return seen == 7 && t->at == t->end
               ? BDNN_OK
               : expected(t, seen == 7 ? "nothing more" : "all of 'descr', 'fortran_order' and 'shape'");
}

/* ---- Reading ---- */

/* The header, of which `data` holds `known` bytes of the file's `size`; *begin is where the elements begin. */
static bdnn_status read_header(const char *name, const uint8_t *data, size_t known, uint64_t size, bdnn_npy *array,
                               size_t *begin, bdnn_error *err)
{
    text t = {.name = name, .err = err};
    size_t header, length;
    uint64_t bytes;
    bdnn_status status;
    memset(array, 0, sizeof *array);
    if (known < 12 || memcmp(data, magic, 6) != 0) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: not a .npy file (%llu bytes)", name, (unsigned long long)size);
    }
    if (data[6] < 1 || data[6] > 3 || data[7] != 0) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: .npy format version %d.%d", name, data[6], data[7]);
    }
    length = data[8] | (size_t)data[9] << 8;
    header = 10;
    if (data[6] > 1) {
        length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
        header = 12;
    }
    if (length > known - header) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: a header of %zu bytes in a file of %llu", name, length,
                         (unsigned long long)size);
    }
    t.at = (const char *)data + header;
    t.end = t.at + length;
    if ((status = parse_header(&t, array)) != BDNN_OK) {
        return status;
    }
    *begin = header + length;
    bytes = (uint64_t)bdnn_shape_elements(&array->shape) * types[array->type].size; /* at most 2^43 */
    if (size - *begin != bytes) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %llu bytes of data, the shape asks for %llu", name,
                         (unsigned long long)(size - *begin), (unsigned long long)bytes);
    }
    return BDNN_OK;
}

bdnn_status bdnn_npy_parse(const char *name, const uint8_t *data, size_t size, bdnn_npy *array, bdnn_error *err)
{
    size_t begin;
    bdnn_status status = read_header(name, data, size, size, array, &begin, err);
    array->data = status == BDNN_OK ? data + begin : NULL;
    return status;
}

/* NumPy pads its headers to a multiple of 64 bytes; six dimensions take two hundred. */
#define MAX_HEADER 65536

bdnn_status bdnn_npy_open(const char *path, bdnn_npy_file *file, bdnn_error *err)
{
    uint64_t size;
    uint8_t *head;
    size_t known, begin = 0;
    bdnn_status status = bdnn_open_file(path, &file->fd, &size, err);
    memset(&file->array, 0, sizeof file->array);
    if (status != BDNN_OK) {
        return status;
    }
    known = size < MAX_HEADER ? (size_t)size : MAX_HEADER;
    head = bdnn_alloc(known, 1);
    status = head ? bdnn_read_at(file->fd, path, 0, head, known, err) : bdnn_fail_memory(err, known, path);
    if (status == BDNN_OK) {
        status = read_header(path, head, known, size, &file->array, &begin, err);
    }
    bdnn_free(head);
    file->begin = begin;
    if (status != BDNN_OK) {
        bdnn_npy_close(file);
    }
    return status;
}

void bdnn_npy_close(bdnn_npy_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

static float half_to_float(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ff;
    uint32_t bits;
    float value;
    if (exponent == 0) {
        value = (float)mantissa / 16777216.0f; /* subnormal: 2^-24 each */
        memcpy(&bits, &value, sizeof bits);
    } else {
        bits = (exponent == 31 ? 255 : exponent + 112) << 23 | mantissa << 13;
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float bdnn_npy_element(bdnn_npy_type type, const uint8_t *at)
{
    union {
        uint16_t u16;
        float f32;
        double f64;
        int32_t i32;
        int64_t i64;
    } number;
    memcpy(&number, at, types[type].size);
    switch (type) {
    case BDNN_NPY_FLOAT16:
        return half_to_float(number.u16);
    case BDNN_NPY_FLOAT32:
        return number.f32;
    case BDNN_NPY_FLOAT64:
        return (float)number.f64;
    case BDNN_NPY_INT8:
        return (int8_t)*at;
    case BDNN_NPY_UINT8:
        return *at;
    case BDNN_NPY_INT32:
        return (float)number.i32;
    case BDNN_NPY_INT64:
        return (float)number.i64;
    case BDNN_NPY_BOOL:
    case BDNN_NPY_TYPE_COUNT:
        break;
    }
    return *at != 0;
}

void bdnn_npy_strides(const bdnn_npy *array, int64_t strides[BDNN_MAX_RANK])
{
    const int32_t rank = array->shape.rank;
    int64_t step = (int64_t)types[array->type].size;
    for (int32_t i = 0; i < rank; i++) {
        const int32_t axis = array->fortran ? i : rank - 1 - i;
        strides[axis] = step;
        step *= array->shape.dim[axis];
    }
}

void bdnn_npy_floats(const bdnn_npy *array, float *out)
{
    const int64_t count = bdnn_shape_elements(&array->shape);
    int64_t strides[BDNN_MAX_RANK], index[BDNN_MAX_RANK] = {0};
    const uint8_t *at = array->data;
    bdnn_npy_strides(array, strides);
    for (int64_t i = 0; i < count; i++) {
        out[i] = bdnn_npy_element(array->type, at);
        for (int32_t axis = array->shape.rank - 1; axis >= 0; axis--) {
            /* Set for each axis that there is. NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
            at += strides[axis];
            if (++index[axis] < array->shape.dim[axis]) {
                break;
            }
            at -= strides[axis] * index[axis];
            index[axis] = 0;
        }
    }
}

/* Elements that are no row-major floats: all of them as they are, then turned. */
static bdnn_status convert_elements(const char *path, const bdnn_npy_file *file, float *out, bdnn_error *err)
{
    bdnn_npy array = file->array;
    const size_t bytes = (size_t)bdnn_shape_elements(&array.shape) * types[array.type].size;
    uint8_t *data = bdnn_alloc(bytes, 1);
    bdnn_status status = data ? bdnn_read_at(file->fd, path, file->begin, data, bytes, err)
                              : bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: not enough memory for its numbers", path);
    if (status == BDNN_OK) {
        array.data = data;
        bdnn_npy_floats(&array, out);
    }
    bdnn_free(data);
    return status;
}

static bdnn_status check_finite(const char *path, const bdnn_shape *shape, const float *data, bdnn_error *err)
{
    const size_t count = (size_t)bdnn_shape_elements(shape), at = bdnn_first_not_finite(data, count);
    char shown[160];
    return at == count ? BDNN_OK
                       : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: element %zu of %s is %g", path, at,
                                   bdnn_shape_text(shape, shown, sizeof shown), (double)data[at]);
}

bdnn_status bdnn_npy_load(const char *path, bdnn_shape *shape, float **data, bdnn_error *err)
{
    bdnn_npy_file file;
    bdnn_status status = bdnn_npy_open(path, &file, err);
    *data = NULL;
    if (status != BDNN_OK) {
        return status;
    }
    *shape = file.array.shape;
    *data = bdnn_alloc((size_t)bdnn_shape_elements(shape), sizeof **data);
    if (!*data) {
        status = bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: not enough memory for its numbers", path);
    } else if (file.array.type == BDNN_NPY_FLOAT32 && !file.array.fortran) {
        status =
            bdnn_read_at(file.fd, path, file.begin, *data, (size_t)bdnn_shape_elements(shape) * sizeof **data, err);
    } else {
        status = convert_elements(path, &file, *data, err);
    }
    bdnn_npy_close(&file);
    if (status == BDNN_OK) {
        status = check_finite(path, shape, *data, err);
    }
    if (status != BDNN_OK) {
        bdnn_free(*data);
        *data = NULL;
    }
    return status;
}

/* ---- Writing ---- */

bdnn_status bdnn_npy_save(const char *path, bdnn_npy_type type, const bdnn_shape *shape, const void *data,
                          bdnn_error *err)
{
    char header[256] = "";
    size_t used, padded, bytes = (size_t)bdnn_shape_elements(shape) * types[type].size;
    bdnn_output output;
    bdnn_status status;
    used = (size_t)snprintf(header, sizeof header, "%s%c%c%c%c{'descr': '%s', 'fortran_order': False, 'shape': (",
                            magic, 1, 0, 0, 0, types[type].descr);
    for (int32_t i = 0; i < shape->rank; i++) {
        used += (size_t)snprintf(header + used, sizeof header - used, "%s%" PRId64 "%s", i ? " " : "", shape->dim[i],
                                 i + 1 < shape->rank || shape->rank == 1 ? "," : "");
    }
    used += (size_t)snprintf(header + used, sizeof header - used, "), }");
    padded = bdnn_round_up(used + 1, 64);
    memset(header + used, ' ', padded - used);
    header[padded - 1] = '\n';
    header[8] = (char)((padded - 10) & 255);
    header[9] = (char)((padded - 10) >> 8);
    if ((status = bdnn_output_open(&output, path, err)) != BDNN_OK) {
        return status;
    }
    fwrite(header, 1, padded, output.stream);
    if (bytes) {
        fwrite(data, 1, bytes, output.stream);
    }
    return bdnn_output_commit(&output, err);
}
