/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of parameters (docs/use/npy-folder.md): the input's first lines, up to an empty one, are arrays, PATH TYPE
 * VALUE DIMENSIONS..., of which all elements are VALUE (TYPE m: 1 and -1 by turns); the rest is topology.txt. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "bdnn.h"
#include "import/npy.h"
#include "tree.h"

#include <math.h>

#define MAX_ELEMENTS 65536

static union {
    float f[MAX_ELEMENTS];
    double d[MAX_ELEMENTS];
    int8_t b[MAX_ELEMENTS];
    uint8_t u[MAX_ELEMENTS];
    int32_t i[MAX_ELEMENTS];
} elements;

/* False for what is no type. */
static bool fill(char type, double value, size_t count, bdnn_npy_type *kind)
{
    const int32_t whole = (int32_t)fmax(fmin(value, 1e9), -1e9);
    *kind = type == 'f'   ? BDNN_NPY_FLOAT32
            : type == 'd' ? BDNN_NPY_FLOAT64
            : type == 'u' ? BDNN_NPY_UINT8
            : type == 'i' ? BDNN_NPY_INT32
                          : BDNN_NPY_INT8;
    for (size_t i = 0; i < count; i++) {
        switch (type) {
        case 'f':
            elements.f[i] = fabs(value) < 1e38 ? (float)value : INFINITY;
            break;
        case 'd':
            elements.d[i] = value;
            break;
        case 'u':
            elements.u[i] = (uint8_t)whole;
            break;
        case 'i':
            elements.i[i] = whole;
            break;
        case 'm':
            elements.b[i] = i % 2 ? -1 : 1;
            break;
        default:
            elements.b[i] = (int8_t)whole;
        }
    }
    return strchr("fduibm", type) != NULL;
}

static void make_array(const char *text, size_t length)
{
    char line[512], path[200], place[512], type, *at;
    bdnn_shape shape = {0};
    bdnn_npy_type kind;
    int64_t count = 1;
    double value;
    int used = 0;
    bdnn_error err;
    snprintf(line, sizeof line, "%.*s", (int)length, text);
    if (sscanf(line, "%199s %c %lf%n", path, &type, &value, &used) != 3 || !is_harmless(path, strlen(path))) {
        return;
    }
    for (at = line + used; *at == ' ' && shape.rank < BDNN_MAX_RANK; shape.rank++) {
        const long long dim = strtoll(at, &at, 10);
        shape.dim[shape.rank] = dim;
        count = dim < 0 || dim > MAX_ELEMENTS || count * dim > MAX_ELEMENTS ? MAX_ELEMENTS + 1 : count * dim;
    }
    if (count <= MAX_ELEMENTS && fill(type, value, (size_t)count, &kind)) {
        make_place(path, strlen(path), place);
        bdnn_npy_save(place, kind, &shape, &elements, &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char place[512];
    size_t at = 0;
    bdnn_model *model;
    bdnn_error err;
    FILE *file;
    enter();
    for (int files = 0; at < size && text[at] != '\n'; files++) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        if (files < MAX_FILES) {
            make_array(text + at, length);
        }
        at += length + (end != NULL);
    }
    make_place("topology.txt", 12, place);
    file = fopen(place, "wb");
    if (file) { /* else an array has the place */
        fwrite(data + at, 1, size - at, file);
        fclose(file);
    }
    if (bdnn_model_load(root, NULL, &model, &err) == BDNN_OK) {
        bdnn_model_free(model);
    }
    clear();
    return 0;
}
