/* SPDX-License-Identifier: BSD-2-Clause */
/* NumPy's .npy files, format versions 1.0 to 3.0: one array of one number type. */
#ifndef BDNN_IMPORT_NPY_H
#define BDNN_IMPORT_NPY_H

#include "core/error.h"
#include "core/tensor.h"

typedef enum bdnn_npy_type {
    BDNN_NPY_FLOAT16, /* <f2 */
    BDNN_NPY_FLOAT32, /* <f4 */
    BDNN_NPY_FLOAT64, /* <f8 */
    BDNN_NPY_INT8,    /* |i1 */
    BDNN_NPY_UINT8,   /* |u1 */
    BDNN_NPY_INT32,   /* <i4 */
    BDNN_NPY_INT64,   /* <i8 */
    BDNN_NPY_BOOL,    /* |b1 */
    BDNN_NPY_TYPE_COUNT
} bdnn_npy_type;

/* A view of a .npy file in memory. */
typedef struct bdnn_npy {
    bdnn_npy_type type;
    bool fortran; /* the first axis runs fastest, instead of the last */
    bdnn_shape shape;
    const uint8_t *data; /* not aligned */
} bdnn_npy;

/* Parses the `size` bytes of a file; `name` stands for it in messages. Errors: BDNN_ERROR_FORMAT for a damaged header
 * or data whose size is not that of the shape; BDNN_ERROR_UNSUPPORTED for other number types (big-endian, complex,
 * records), a rank above BDNN_MAX_RANK or a newer format. */
bdnn_status bdnn_npy_parse(const char *name, const uint8_t *data, size_t size, bdnn_npy *array, bdnn_error *err);

/* The elements as float, in row-major order, into `out` of bdnn_shape_elements(&array->shape) floats. */
void bdnn_npy_floats(const bdnn_npy *array, float *out);

/* Bytes from one element to the next along each axis, and the element at `at`, a pointer into data. */
void bdnn_npy_strides(const bdnn_npy *array, int64_t strides[BDNN_MAX_RANK]);
float bdnn_npy_element(bdnn_npy_type type, const uint8_t *at);

/* A file whose elements are read when they are needed, with bdnn_read_at from `begin` on. */
typedef struct bdnn_npy_file {
    int fd;
    uint64_t begin;
    bdnn_npy array; /* without data */
} bdnn_npy_file;

/* Opens a file and parses its header. Errors: as of bdnn_open_file and bdnn_npy_parse; *file needs no closing then. */
bdnn_status bdnn_npy_open(const char *path, bdnn_npy_file *file, bdnn_error *err);
void bdnn_npy_close(bdnn_npy_file *file);

/* Reads a file: its shape and its elements as row-major floats, for bdnn_free. Errors: also an element that is not
 * finite as a float; *data is NULL then. */
bdnn_status bdnn_npy_load(const char *path, bdnn_shape *shape, float **data, bdnn_error *err);

/* Writes row-major elements (as they lie in memory: little-endian) in format 1.0. */
bdnn_status bdnn_npy_save(const char *path, bdnn_npy_type type, const bdnn_shape *shape, const void *data,
                          bdnn_error *err);

#endif
