/* SPDX-License-Identifier: BSD-2-Clause */
/* The decomposition of one layer in a folder of .npy files: decomposition/<layer>/basis_<K>/ with M.npy and c.npy as
 * the method's authors have them, and our files beside them, which hold what those two leave open
 * (docs/use/npy-folder.md).
 */
#define _POSIX_C_SOURCE 200809L
#include "import/bases.h"

#include "core/file.h"
#include "core/memory.h"
#include "import/npy.h"
#include "import/parameters.h"
#include "import/topology.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_BASES 8

char *bdnn_basis_path(const char *directory, const char *layer, int32_t bases, const char *file)
{
    char *escaped = bdnn_name_escape(layer), *path = NULL;
    size_t size;
    if (escaped) {
        size = strlen(directory) + strlen(escaped) + (file ? strlen(file) : 0) + 64;
        path = bdnn_alloc(size, 1);
    }
    if (path) {
        snprintf(path, size, "%s/decomposition/%s/basis_%d%s%s", directory, escaped, bases, file ? "/" : "",
                 file ? file : "");
    }
    bdnn_free(escaped);
    return path;
}

/* ---- Integer scales ---- */

/* Rounds c / step to g; false when the absolute values sum to more than 127. */
static bool round_scales(const float *c, int32_t count, double step, int32_t *g)
{
    int64_t sum = 0;
    for (int32_t k = 0; k < count; k++) {
        double value = rint((double)c[k] / step);
        if (!(fabs(value) <= 127)) {
            return false;
        }
        g[k] = (int32_t)value;
        sum += abs(g[k]);
    }
    return sum > 0 && sum <= 127;
}

float bdnn_scales_of_reals(const float *c, int32_t count, int8_t *g)
{
    double total = 0, best = INFINITY;
    float factor = 1;
    memset(g, 0, (size_t)count);
    for (int32_t k = 0; k < count; k++) {
        total += fabs((double)c[k]);
    }
    if (!(total > 0) || !isfinite(total)) {
        return factor;
    }
    /* Half steps too: rounding moves the sum, and the best sum may lie between two of them. */
    for (int half = 1; half <= 2 * 127 + MAX_BASES; half++) {
        int32_t tried[MAX_BASES];
        double product = 0, square = 0, error = 0, scale;
        if (!round_scales(c, count, total * 2 / half, tried)) {
            continue;
        }
        for (int32_t k = 0; k < count; k++) {
            product += (double)c[k] * tried[k];
            square += (double)tried[k] * tried[k];
        }
        scale = (float)(product / square);
        for (int32_t k = 0; k < count; k++) {
            error += ((double)c[k] - scale * tried[k]) * ((double)c[k] - scale * tried[k]);
        }
        if (error < best) {
            best = error;
            factor = (float)scale;
            for (int32_t k = 0; k < count; k++) {
                g[k] = (int8_t)tried[k];
            }
        }
    }
    return factor;
}

/* ---- Reading: the bases ---- */

/* Strides of M by what its axes mean, in bytes. */
typedef struct basis_axes {
    int64_t filter, basis, channel, position;
} basis_axes;

/* Whether dim[first..] multiply to channels * positions, either as one axis, as two, or as channels and kernel. */
static bool inner_axes(const bdnn_npy *array, const int64_t *strides, int32_t first, int32_t end,
                       const bdnn_weight_layout *layout, basis_axes *axes)
{
    const int64_t *dim = array->shape.dim;
    int64_t rest = 1;
    if (end - first == 1) {
        axes->position = strides[first];
        axes->channel = strides[first] * layout->positions;
        return dim[first] == layout->channels * layout->positions;
    }
    for (int32_t i = first + 1; i < end; i++) {
        rest *= dim[i];
        /* The kernel's axes are walked as one: they must lie as one, which those of a Fortran-order array do not. */
        if (i + 1 < end && strides[i] != strides[i + 1] * dim[i + 1]) {
            return false;
        }
    }
    axes->channel = strides[first];
    axes->position = strides[end - 1];
    return end - first > 1 && dim[first] == layout->channels && rest == layout->positions;
}

/* Finds out what the axes of M mean: [F][K][...] or [F][...][K], the first where both would do. */
static bool find_axes(const bdnn_npy *array, int32_t bases, const bdnn_weight_layout *layout, basis_axes *axes)
{
    const int32_t rank = array->shape.rank;
    int64_t strides[BDNN_MAX_RANK];
    if (rank < 3 || array->shape.dim[0] != layout->outer) {
        return false;
    }
    bdnn_npy_strides(array, strides);
    axes->filter = strides[0];
    if (array->shape.dim[1] == bases && inner_axes(array, strides, 2, rank, layout, axes)) {
        axes->basis = strides[1];
        return true;
    }
    axes->basis = strides[rank - 1];
    return array->shape.dim[rank - 1] == bases && inner_axes(array, strides, 1, rank - 1, layout, axes);
}

/* One basis of one filter, elements in memory order. False at an element that is no sign. */
static bool pack_basis(const bdnn_npy *array, const basis_axes *axes, const bdnn_weight_layout *layout, int64_t filter,
                       int64_t basis, uint64_t *words)
{
    const uint8_t *begin = array->data + filter * axes->filter + basis * axes->basis;
    const bool bits = array->type == BDNN_NPY_BOOL || array->type == BDNN_NPY_UINT8;
    int64_t d = 0;
    for (int64_t p = 0; p < layout->positions; p++) {
        for (int64_t c = 0; c < layout->channels; c++, d++) {
            const float value = bdnn_npy_element(array->type, begin + c * axes->channel + p * axes->position);
            if (value == (bits ? 0.0f : -1.0f)) {
                words[d / 64] &= ~((uint64_t)1 << d % 64);
            } else if (value != 1.0f) {
                return false;
            }
        }
    }
    return true;
}

static bdnn_status pack_planes(const bdnn_npy *array, const basis_axes *axes, const bdnn_weight_layout *layout,
                               bdnn_decomposed *decomposed, bdnn_error *err)
{
    const size_t words = (size_t)bdnn_words_of(layout->channels * layout->positions);
    uint64_t *planes;
    /* A bit for every element of the array, rounded up to 64 per basis: the array is there, so this is small. */
    decomposed->planes =
        bdnn_blob_copy(NULL, bdnn_product((size_t)layout->outer * (size_t)decomposed->bases, words * sizeof *planes));
    planes = (uint64_t *)decomposed->planes.data;
    if (!planes) {
        return bdnn_fail_memory(err, decomposed->planes.bytes, "bases");
    }
    memset(planes, 0xff, decomposed->planes.bytes);
    for (int64_t f = 0; f < layout->outer; f++) {
        for (int32_t k = 0; k < decomposed->bases; k++, planes += words) {
            if (!pack_basis(array, axes, layout, f, k, planes)) {
                return bdnn_fail(err, BDNN_ERROR_FORMAT,
                                 "M.npy: basis %d of filter %lld has an element that is no sign", k, (long long)f);
            }
        }
    }
    return BDNN_OK;
}

static bdnn_status read_planes(const char *path, const bdnn_graph *graph, bdnn_layer *layer,
                               bdnn_decomposed *decomposed, bdnn_error *err)
{
    int32_t *filters = layer->op == BDNN_OP_DENSE ? &layer->attr.dense.filters : &layer->attr.conv.filters;
    bdnn_weight_layout layout;
    basis_axes axes;
    bdnn_npy array;
    bdnn_file_map map;
    char text[160];
    bdnn_status status = bdnn_map_file(path, &map, err);
    if (status != BDNN_OK) {
        return status;
    }
    status = bdnn_npy_parse(path, map.data, map.size, &array, err);
    if (status == BDNN_OK) {
        if (!*filters && array.shape.rank && array.shape.dim[0] <= INT32_MAX) {
            *filters = (int32_t)array.shape.dim[0];
        }
        status = bdnn_weight_layout_of(graph, layer, &layout, err);
    }
    if (status == BDNN_OK && !find_axes(&array, decomposed->bases, &layout, &axes)) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT,
                           "%s is %s, expected %lld filters, %d bases, %lld channels x %lld positions", path,
                           bdnn_shape_text(&array.shape, text, sizeof text), (long long)layout.outer, decomposed->bases,
                           (long long)layout.channels, (long long)layout.positions);
    }
    if (status == BDNN_OK) {
        status = pack_planes(&array, &axes, &layout, decomposed, err);
    }
    bdnn_unmap_file(&map);
    return status;
}

/* ---- Reading: scales and input ---- */

typedef struct basis_folder {
    const char *directory, *layer;
    int32_t bases;
    bdnn_error *err;
} basis_folder;

static bdnn_status look_for(const basis_folder *folder, const char *file, bool *found)
{
    char *path = bdnn_basis_path(folder->directory, folder->layer, folder->bases, file);
    bdnn_status status = path ? BDNN_OK : bdnn_fail_memory(folder->err, strlen(folder->directory), "a file name");
    *found = path && bdnn_file_exists(path);
    bdnn_free(path);
    return status;
}

/* `count` floats of a file, whatever its axes, for bdnn_free. */
static bdnn_status read_numbers(const basis_folder *folder, const char *file, int64_t count, float **data)
{
    char *path = bdnn_basis_path(folder->directory, folder->layer, folder->bases, file), text[160];
    bdnn_shape shape;
    bdnn_status status =
        path ? bdnn_npy_load(path, &shape, data, folder->err) : bdnn_fail_memory(folder->err, 0, "a file name");
    if (status == BDNN_OK && bdnn_shape_elements(&shape) != count) {
        bdnn_free(*data);
        *data = NULL;
        status = bdnn_fail(folder->err, BDNN_ERROR_FORMAT, "%s is %s, expected %lld numbers", path,
                           bdnn_shape_text(&shape, text, sizeof text), (long long)count);
    }
    bdnn_free(path);
    return status;
}

static bdnn_status read_number(const basis_folder *folder, const char *file, float *number)
{
    float *data = NULL;
    bdnn_status status = read_numbers(folder, file, 1, &data);
    *number = status == BDNN_OK ? data[0] : 0;
    bdnn_free(data);
    return status;
}

static bdnn_status read_input(const basis_folder *folder, bdnn_decomposed *decomposed)
{
    float zero, bits;
    bdnn_status status;
    if ((status = read_number(folder, "input_step.npy", &decomposed->step)) != BDNN_OK ||
        (status = read_number(folder, "input_zero.npy", &zero)) != BDNN_OK ||
        (status = read_number(folder, "input_bits.npy", &bits)) != BDNN_OK) {
        return status;
    }
    if (!(bits >= 1 && bits <= 8 && bits == rintf(bits) && zero >= 0 && zero <= 255 && zero == rintf(zero))) {
        return bdnn_fail(folder->err, BDNN_ERROR_FORMAT, "input quantized to %g bits with zero point %g", (double)bits,
                         (double)zero);
    }
    decomposed->bits = (int32_t)bits;
    decomposed->zero_point = (int32_t)zero;
    return BDNN_OK;
}

/* The scales as integers and a factor a filter: from our two files, which must then agree with c.npy, or out of c.npy
 * alone. */
static bdnn_status settle_scales(const basis_folder *folder, int64_t filters, const float *c, const float *scales,
                                 float *factors, int8_t *g)
{
    const int32_t bases = folder->bases;
    for (int64_t f = 0; f < filters; f++) {
        int32_t sum = 0;
        if (!scales) {
            factors[f] = bdnn_scales_of_reals(c + f * bases, bases, g + f * bases);
            continue;
        }
        for (int32_t k = 0; k < bases; k++) {
            const float scale = scales[f * bases + k];
            if (!(fabsf(scale) <= 127 && scale == rintf(scale)) || (sum += abs((int32_t)scale)) > 127) {
                return bdnn_fail(folder->err, BDNN_ERROR_FORMAT,
                                 "scales.npy: filter %lld: scale %d is %g, or their sum exceeds 127", (long long)f, k,
                                 (double)scale);
            }
            g[f * bases + k] = (int8_t)scale;
            if (c[f * bases + k] != factors[f] * scale) {
                return bdnn_fail(folder->err, BDNN_ERROR_FORMAT,
                                 "filter %lld: c.npy says %.9g for scale %d, scales.npy and filter_scale.npy say %.9g",
                                 (long long)f, (double)c[f * bases + k], k, (double)(factors[f] * scale));
            }
        }
    }
    return BDNN_OK;
}

static bdnn_status read_scales(const basis_folder *folder, int64_t filters, bdnn_decomposed *decomposed)
{
    float *c = NULL, *scales = NULL, *factors = NULL;
    bool exact;
    bdnn_status status = look_for(folder, "scales.npy", &exact);
    if (status == BDNN_OK) {
        status = read_numbers(folder, "c.npy", filters * folder->bases, &c);
    }
    if (status == BDNN_OK && exact) {
        status = read_numbers(folder, "scales.npy", filters * folder->bases, &scales);
    }
    if (status == BDNN_OK && exact) {
        status = read_numbers(folder, "filter_scale.npy", filters, &factors);
    }
    if (status == BDNN_OK) {
        factors = factors ? factors : bdnn_zalloc((size_t)filters, sizeof *factors);
        decomposed->scales = bdnn_blob_copy(NULL, (size_t)(filters * folder->bases));
        if (!factors || !decomposed->scales.data) {
            status = bdnn_fail_memory(folder->err, (size_t)filters * sizeof *factors, "scales");
        } else {
            status = settle_scales(folder, filters, c, scales, factors, (int8_t *)decomposed->scales.data);
        }
    }
    if (status == BDNN_OK) {
        decomposed->filter_scale = (bdnn_blob){factors, (size_t)filters * sizeof *factors, true};
        factors = NULL;
    }
    bdnn_free(c);
    bdnn_free(scales);
    bdnn_free(factors);
    return status;
}

/* Sets folder->bases: the largest K whose folder says how the input is quantized; else the largest with bases at all,
 * *complete being false; else 0. */
static bdnn_status choose_bases(basis_folder *folder, bool *complete)
{
    int32_t any = 0;
    *complete = false;
    for (folder->bases = MAX_BASES; folder->bases > 0; folder->bases--) {
        bool found;
        bdnn_status status = look_for(folder, "M.npy", &found);
        if (status == BDNN_OK && found) {
            any = any ? any : folder->bases;
            status = look_for(folder, "input_step.npy", complete);
        }
        if (status != BDNN_OK || *complete) {
            return status;
        }
    }
    folder->bases = any;
    return BDNN_OK;
}

/* Bases whose input is not told stand aside for float weights; without those they are an error. */
static bdnn_status check_incomplete(const basis_folder *folder, bdnn_error *err)
{
    char *path = bdnn_folder_path(folder->directory, folder->layer, "_W.npy");
    const bool has_floats = path && bdnn_file_exists(path);
    bdnn_status status = path ? BDNN_OK : bdnn_fail_memory(err, strlen(folder->directory), "a file name");
    bdnn_free(path);
    return status != BDNN_OK || has_floats
               ? status
               : bdnn_fail(err, BDNN_ERROR_FORMAT,
                           "basis_%d says nothing about the input's quantization (input_step.npy, input_zero.npy, "
                           "input_bits.npy), and there are no float weights to use instead",
                           folder->bases);
}

bdnn_status bdnn_bases_load(const char *directory, const bdnn_graph *graph, bdnn_layer *layer, bool *found,
                            bdnn_error *err)
{
    basis_folder folder = {directory, layer->name, 0, err};
    bool complete;
    char *path;
    bdnn_status status;
    *found = false;
    status = choose_bases(&folder, &complete);
    if (status != BDNN_OK || !folder.bases) {
        return status;
    }
    if (!complete) {
        return check_incomplete(&folder, err);
    }
    *found = true;
    layer->decomposed = bdnn_zalloc(1, sizeof *layer->decomposed);
    path = bdnn_basis_path(directory, layer->name, folder.bases, "M.npy");
    if (!layer->decomposed || !path) {
        bdnn_free(path);
        return bdnn_fail_memory(err, sizeof *layer->decomposed, "a decomposition");
    }
    layer->decomposed->bases = folder.bases;
    status = read_planes(path, graph, layer, layer->decomposed, err);
    bdnn_free(path);
    if (status == BDNN_OK) {
        status = read_input(&folder, layer->decomposed);
    }
    return status == BDNN_OK
               ? read_scales(&folder, layer->op == BDNN_OP_DENSE ? layer->attr.dense.filters : layer->attr.conv.filters,
                             layer->decomposed)
               : status;
}

/* ---- Writing ---- */

static bdnn_status write_array(const basis_folder *folder, const char *file, bdnn_npy_type type,
                               const bdnn_shape *shape, const void *data)
{
    char *path = bdnn_basis_path(folder->directory, folder->layer, folder->bases, file);
    bdnn_status status =
        path ? bdnn_npy_save(path, type, shape, data, folder->err) : bdnn_fail_memory(folder->err, 0, "a file name");
    bdnn_free(path);
    return status;
}

/* decomposition/<layer>/basis_<K> and the folders above it. */
static bdnn_status make_folders(const basis_folder *folder)
{
    char *path = bdnn_basis_path(folder->directory, folder->layer, folder->bases, NULL);
    bdnn_status status = path ? BDNN_OK : bdnn_fail_memory(folder->err, 0, "a file name");
    for (char *slash = path ? path + strlen(folder->directory) + 1 : NULL; status == BDNN_OK && slash;) {
        slash = strchr(slash, '/');
        if (slash) {
            *slash = 0;
        }
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            status = bdnn_fail(folder->err, BDNN_ERROR_IO, "%s: cannot make this folder: %s", path, strerror(errno));
        }
        if (slash) {
            *slash++ = '/';
        }
    }
    bdnn_free(path);
    return status;
}

/* M as int8 [F][K][D], D in the order channels, kernel. */
static bdnn_status write_planes(const basis_folder *folder, const bdnn_weight_layout *layout,
                                const bdnn_decomposed *decomposed)
{
    const int64_t inner = layout->channels * layout->positions;
    const size_t words = (size_t)bdnn_words_of(inner), rows = (size_t)(layout->outer * folder->bases);
    const bdnn_shape shape = {3, {layout->outer, folder->bases, inner}};
    const uint64_t *planes = decomposed->planes.data;
    int8_t *signs = bdnn_alloc(rows, (size_t)inner), *to = signs;
    bdnn_status status;
    if (!signs) {
        return bdnn_fail_memory(folder->err, bdnn_product(rows, (size_t)inner), "M.npy");
    }
    for (size_t row = 0; row < rows; row++, planes += words) {
        for (int64_t c = 0; c < layout->channels; c++) {
            for (int64_t p = 0; p < layout->positions; p++) {
                const int64_t d = p * layout->channels + c;
                *to++ = planes[d / 64] >> d % 64 & 1 ? 1 : -1;
            }
        }
    }
    status = write_array(folder, "M.npy", BDNN_NPY_INT8, &shape, signs);
    bdnn_free(signs);
    return status;
}

static bdnn_status write_scales(const basis_folder *folder, int64_t filters, const bdnn_decomposed *decomposed)
{
    const bdnn_shape matrix = {2, {filters, folder->bases}}, vector = {1, {filters}};
    const float *factors = decomposed->filter_scale.data;
    const int8_t *g = decomposed->scales.data;
    float *c = bdnn_alloc((size_t)(filters * folder->bases), sizeof *c);
    bdnn_status status;
    if (!c) {
        return bdnn_fail_memory(folder->err, (size_t)filters, "c.npy");
    }
    for (int64_t i = 0; i < filters * folder->bases; i++) {
        c[i] = factors[i / folder->bases] * (float)g[i];
    }
    status = write_array(folder, "c.npy", BDNN_NPY_FLOAT32, &matrix, c);
    bdnn_free(c);
    if (status == BDNN_OK) {
        status = write_array(folder, "scales.npy", BDNN_NPY_INT8, &matrix, g);
    }
    return status == BDNN_OK ? write_array(folder, "filter_scale.npy", BDNN_NPY_FLOAT32, &vector, factors) : status;
}

bdnn_status bdnn_bases_save(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_decomposed *decomposed = layer->decomposed;
    const basis_folder folder = {directory, layer->name, decomposed->bases, err};
    const bdnn_shape scalar = {0, {0}};
    bdnn_weight_layout layout;
    bdnn_status status;
    if ((status = bdnn_weight_layout_of(graph, layer, &layout, err)) != BDNN_OK ||
        (status = make_folders(&folder)) != BDNN_OK ||
        (status = write_planes(&folder, &layout, decomposed)) != BDNN_OK ||
        (status = write_scales(&folder, layout.outer, decomposed)) != BDNN_OK ||
        (status = write_array(&folder, "input_step.npy", BDNN_NPY_FLOAT32, &scalar, &decomposed->step)) != BDNN_OK ||
        (status = write_array(&folder, "input_zero.npy", BDNN_NPY_INT32, &scalar, &decomposed->zero_point)) !=
            BDNN_OK) {
        return status;
    }
    return write_array(&folder, "input_bits.npy", BDNN_NPY_INT32, &scalar, &decomposed->bits);
}
