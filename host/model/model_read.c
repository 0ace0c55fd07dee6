/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the model file (docs/reference/model-file.md). The checksums catch accidents; every number is verified all
 * the same, because a hostile file can carry right checksums. The format has one encoding for one model - strings,
 * numbers and blobs lie in the order in which the records name them, without gaps - so nothing can be referred to
 * twice: what is allocated stays in proportion to the file, and overlaps need no search. */
#include "core/memory.h"
#include "model/model_file.h"
#include "model/record.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "blobs are used where they lie in the file, which is little-endian"
#endif

typedef struct section {
    const uint8_t *data;
    size_t size;
} section;

typedef struct reader {
    const char *name; /* of the file */
    const uint8_t *data;
    size_t size;
    section sections[BDNN_SECTION_COUNT];
    size_t string_at, number_at, blob_at; /* how much of these sections the records read so far have used */
    bdnn_model_record head;
    bdnn_model *model;
    bdnn_error *err;
} reader;

static const char *const section_names[BDNN_SECTION_COUNT] = {"model",   "values",  "layers",
                                                              "numbers", "strings", "blobs"};

static bdnn_status out_of_memory(const reader *r)
{
    return bdnn_fail(r->err, BDNN_ERROR_MEMORY, "%s: not enough memory to read the model", r->name);
}

/* ---- Header and section table ---- */

static bdnn_status check_header(const reader *r)
{
    uint8_t header[BDNN_FILE_FIRST_SECTION];
    if (r->size < 8 || memcmp(r->data, BDNN_FILE_MAGIC, 8) != 0) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: not a bdnn model file", r->name);
    }
    if (r->size < sizeof header) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: truncated: %zu bytes, the header alone takes %zu", r->name,
                         r->size, sizeof header);
    }
    if (bdnn_get32(r->data + 8) != BDNN_FILE_VERSION) {
        return bdnn_fail(r->err, BDNN_ERROR_UNSUPPORTED, "%s: model file version %u, this bdnn reads version %d",
                         r->name, bdnn_get32(r->data + 8), BDNN_FILE_VERSION);
    }
    memcpy(header, r->data, sizeof header);
    memset(header + BDNN_FILE_CHECKSUM_AT, 0, 8);
    if (XXH3_64bits(header, sizeof header) != bdnn_get64(r->data + BDNN_FILE_CHECKSUM_AT)) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: damaged: the header's checksum does not match", r->name);
    }
    if (bdnn_get32(r->data + 12) != BDNN_SECTION_COUNT) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %u sections, not %d", r->name, bdnn_get32(r->data + 12),
                         BDNN_SECTION_COUNT);
    }
    for (size_t i = 24; i < BDNN_FILE_CHECKSUM_AT; i++) {
        if (header[i]) {
            return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: reserved byte %zu is %u, not 0", r->name, i, header[i]);
        }
    }
    if (bdnn_get64(r->data + 16) != r->size) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s: %zu bytes, its header says %llu", r->name,
                         r->size < bdnn_get64(r->data + 16) ? "truncated" : "trailing data", r->size,
                         (unsigned long long)bdnn_get64(r->data + 16));
    }
    return BDNN_OK;
}

/* One entry of the section table; *end is where the section before it ends. */
static bdnn_status read_section(reader *r, uint32_t s, size_t *end)
{
    const uint8_t *entry = r->data + BDNN_FILE_HEADER + s * BDNN_FILE_SECTION;
    uint64_t offset = bdnn_get64(entry + 8), bytes = bdnn_get64(entry + 16);
    size_t begin = bdnn_round_up(*end, BDNN_FILE_ALIGNMENT);
    if (bdnn_get32(entry) != s + 1 || bdnn_get32(entry + 4) != 0) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: section %u is of kind %u, not %u (%s)", r->name, s + 1,
                         bdnn_get32(entry), s + 1, section_names[s]);
    }
    if (offset != begin || begin > r->size) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: section %s begins at %llu, expected %zu", r->name,
                         section_names[s], (unsigned long long)offset, begin);
    }
    if (bytes > r->size - begin) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: section %s takes %llu bytes, the file has %zu left", r->name,
                         section_names[s], (unsigned long long)bytes, r->size - begin);
    }
    for (size_t i = *end; i < begin; i++) {
        if (r->data[i]) {
            return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: byte %zu between sections is %u, not 0", r->name, i,
                             r->data[i]);
        }
    }
    r->sections[s].data = r->data + begin;
    r->sections[s].size = (size_t)bytes;
    if (XXH3_64bits(r->sections[s].data, r->sections[s].size) != bdnn_get64(entry + 24)) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: damaged: the checksum of section %s does not match", r->name,
                         section_names[s]);
    }
    *end = begin + (size_t)bytes;
    return BDNN_OK;
}

static bdnn_status read_sections(reader *r)
{
    size_t end = BDNN_FILE_FIRST_SECTION;
    for (uint32_t s = 0; s < BDNN_SECTION_COUNT; s++) {
        bdnn_status status = read_section(r, s, &end);
        if (status != BDNN_OK) {
            return status;
        }
    }
    return end == r->size
               ? BDNN_OK
               : bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %zu bytes of trailing data", r->name, r->size - end);
}

/* ---- What records refer to ---- */

/* The next string, which must be the one at `offset`. `what` and `index` name the record in messages. */
static bdnn_status next_string(reader *r, uint32_t offset, const char *what, size_t index, const char **text)
{
    const section *strings = &r->sections[BDNN_SECTION_STRINGS];
    const uint8_t *begin = strings->data + r->string_at, *end;
    if (offset != r->string_at) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s %zu: its name is at %u, expected %zu", r->name, what, index,
                         offset, r->string_at);
    }
    end = r->string_at < strings->size ? memchr(begin, 0, strings->size - r->string_at) : NULL;
    if (!end) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s %zu: its name at %u has no end", r->name, what, index,
                         offset);
    }
    *text = (const char *)begin;
    r->string_at += (size_t)(end - begin) + 1;
    return BDNN_OK;
}

static bdnn_status next_name(reader *r, uint32_t offset, const char *what, size_t index, const char **name)
{
    bdnn_status status = next_string(r, offset, what, index, name);
    if (status == BDNN_OK && !**name) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s %zu: its name is empty", r->name, what, index);
    }
    return status;
}

/* The next value number, in range. */
static bdnn_status next_number(reader *r, const char *what, size_t index, int32_t *number)
{
    const section *numbers = &r->sections[BDNN_SECTION_NUMBERS];
    uint32_t stored;
    if (r->number_at >= numbers->size / 4) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s %zu: needs more than the %zu value numbers there are",
                         r->name, what, index, numbers->size / 4);
    }
    stored = bdnn_get32(numbers->data + 4 * r->number_at++);
    if (stored >= r->head.values) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s %zu: value number %u of %u", r->name, what, index, stored,
                         r->head.values);
    }
    *number = (int32_t)stored;
    return BDNN_OK;
}

/* The next blob, which must be the one at `place`. */
static bdnn_status next_blob(reader *r, const bdnn_blob_place *place, const char *what, const char *owner,
                             bdnn_blob *blob)
{
    const section *blobs = &r->sections[BDNN_SECTION_BLOBS];
    size_t begin = bdnn_round_up(r->blob_at, BDNN_FILE_ALIGNMENT);
    if (!place->bytes) {
        return BDNN_OK;
    }
    if (place->offset != begin || begin > blobs->size || place->bytes > blobs->size - begin) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT,
                         "%s: '%s': %s at %llu, %llu bytes; expected at %zu, with %zu bytes left", r->name, owner, what,
                         (unsigned long long)place->offset, (unsigned long long)place->bytes, begin,
                         begin > blobs->size ? 0 : blobs->size - begin);
    }
    blob->data = blobs->data + begin;
    blob->bytes = (size_t)place->bytes;
    r->blob_at = begin + blob->bytes;
    return BDNN_OK;
}

/* Everything must have been referred to. */
static bdnn_status check_used_up(const reader *r)
{
    const size_t used[] = {r->number_at * 4, r->string_at, r->blob_at};
    for (int i = 0; i < 3; i++) {
        const int s = BDNN_SECTION_NUMBERS + i;
        if (used[i] != r->sections[s].size) {
            return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: section %s has %zu bytes, %zu of them used", r->name,
                             section_names[s], r->sections[s].size, used[i]);
        }
    }
    return BDNN_OK;
}

/* ---- Records ---- */

static bdnn_status check_record(const reader *r, const bdnn_record *record, const char *what, size_t index)
{
    return record->wrong ? bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %s %zu: impossible %s %lld", r->name, what, index,
                                     record->wrong, (long long)record->wrong_value)
                         : BDNN_OK;
}

static bdnn_status check_count(const reader *r, bdnn_section s, uint32_t count, size_t record)
{
    return r->sections[s].size % record || r->sections[s].size / record != count
               ? bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: section %s has %zu bytes, not %u records of %zu", r->name,
                           section_names[s], r->sections[s].size, count, record)
               : BDNN_OK;
}

static bdnn_status read_head(reader *r)
{
    bdnn_record record = {.in = r->sections[BDNN_SECTION_MODEL].data};
    bdnn_status status = check_count(r, BDNN_SECTION_MODEL, 1, BDNN_MODEL_RECORD);
    if (status != BDNN_OK) {
        return status;
    }
    bdnn_record_model(&record, &r->head);
    if ((status = check_record(r, &record, "model", 0)) != BDNN_OK ||
        (status = check_count(r, BDNN_SECTION_VALUES, r->head.values, BDNN_VALUE_RECORD)) != BDNN_OK ||
        (status = check_count(r, BDNN_SECTION_LAYERS, r->head.layers, BDNN_LAYER_RECORD)) != BDNN_OK) {
        return status;
    }
    if (r->head.values > INT32_MAX || r->head.layers > INT32_MAX || r->head.labels > BDNN_FILE_MAX_LABELS) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %u values, %u layers, %u labels: too many", r->name,
                         r->head.values, r->head.layers, r->head.labels);
    }
    return BDNN_OK;
}

static bdnn_status read_preprocess(reader *r)
{
    bdnn_preprocess *preprocess = &r->model->preprocess;
    size_t elements, bytes;
    bdnn_status status = next_blob(r, &r->head.mean_image, "mean image", "model", &r->model->mean_image);
    if (status != BDNN_OK) {
        return status;
    }
    *preprocess = r->head.preprocess;
    preprocess->mean_image = r->model->mean_image.data;
    if (preprocess->channels < 0 || preprocess->channels > 3 || preprocess->channels == 2 || preprocess->height < 0 ||
        preprocess->width < 0 || preprocess->resize_short < 0 || !preprocess->channels != !preprocess->height ||
        !preprocess->channels != !preprocess->width) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT,
                         "%s: impossible input image of %d channels, %d x %d, shorter side %d", r->name,
                         preprocess->channels, preprocess->height, preprocess->width, preprocess->resize_short);
    }
    if (r->model->mean_image.bytes &&
        (!bdnn_mul_size((size_t)preprocess->height, (size_t)preprocess->width, &elements) ||
         !bdnn_mul_size(elements, (size_t)preprocess->channels * sizeof(float), &bytes) ||
         bytes != r->model->mean_image.bytes)) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT,
                         "%s: the mean image has %zu bytes, not those of %d x %d x %d numbers", r->name,
                         r->model->mean_image.bytes, preprocess->channels, preprocess->height, preprocess->width);
    }
    return BDNN_OK;
}

static bdnn_status read_value(reader *r, size_t index)
{
    bdnn_record record = {.in = r->sections[BDNN_SECTION_VALUES].data + index * BDNN_VALUE_RECORD};
    bdnn_value_record from = {0};
    const char *name;
    bdnn_status status;
    int64_t elements;
    bdnn_blob *constant;
    bdnn_record_value(&record, &from);
    if ((status = check_record(r, &record, "value", index)) != BDNN_OK ||
        (status = next_name(r, from.name, "value", index, &name)) != BDNN_OK) {
        return status;
    }
    elements = bdnn_shape_elements(&from.shape);
    if (elements < 0) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: value '%s': impossible shape", r->name, name);
    }
    if (bdnn_graph_add_value(&r->model->graph, name, (bdnn_type)from.type, &from.shape) < 0) {
        return out_of_memory(r);
    }
    r->model->graph.values[index].format = from.format;
    constant = &r->model->graph.values[index].constant;
    if ((status = next_blob(r, &from.constant, "constant", name, constant)) != BDNN_OK) {
        return status;
    }
    if (constant->bytes && constant->bytes != (uint64_t)elements * bdnn_type_size((bdnn_type)from.type)) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT,
                         "%s: constant '%s' of type %u has %zu bytes, its shape %lld elements", r->name, name,
                         from.type, constant->bytes, (long long)elements);
    }
    return BDNN_OK;
}

static bdnn_status read_decomposed(reader *r, const bdnn_layer_record *from, bdnn_layer *layer)
{
    bdnn_decomposed *to;
    bdnn_status status;
    if (!from->is_decomposed) {
        return from->planes.bytes || from->scales.bytes || from->filter_scale.bytes
                   ? bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: layer '%s' has bases but is not decomposed", r->name,
                               layer->name)
                   : BDNN_OK;
    }
    to = bdnn_zalloc(1, sizeof *to);
    if (!to) {
        return out_of_memory(r);
    }
    layer->decomposed = to;
    *to = from->decomposed;
    if ((status = next_blob(r, &from->planes, "planes", layer->name, &to->planes)) != BDNN_OK ||
        (status = next_blob(r, &from->scales, "scales", layer->name, &to->scales)) != BDNN_OK) {
        return status;
    }
    return next_blob(r, &from->filter_scale, "filter scales", layer->name, &to->filter_scale);
}

/* The value numbers of layer `index`, still in the file's byte order and place, checked. */
static bdnn_status read_connections(reader *r, const bdnn_layer_record *from, size_t index, int32_t **numbers)
{
    const size_t left = r->sections[BDNN_SECTION_NUMBERS].size / 4 - r->number_at;
    const int64_t count = (int64_t)from->layer.input_count + from->layer.output_count;
    bdnn_status status = BDNN_OK;
    if (from->layer.input_count < 0 || from->layer.output_count < 0 || (uint64_t)count > left ||
        from->numbers != r->number_at) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT,
                         "%s: layer %zu: %d inputs and %d outputs at number %u; expected at %zu, with %zu numbers left",
                         r->name, index, from->layer.input_count, from->layer.output_count, from->numbers, r->number_at,
                         left);
    }
    *numbers = bdnn_alloc((size_t)count, sizeof **numbers);
    if (!*numbers) {
        return out_of_memory(r);
    }
    for (int64_t i = 0; status == BDNN_OK && i < count; i++) {
        status = next_number(r, "layer", index, &(*numbers)[i]);
    }
    return status;
}

static bdnn_status read_layer(reader *r, size_t index)
{
    bdnn_record record = {.in = r->sections[BDNN_SECTION_LAYERS].data + index * BDNN_LAYER_RECORD};
    bdnn_layer_record from;
    bdnn_layer *layer;
    int32_t *numbers = NULL;
    const char *name;
    bdnn_status status;
    memset(&from, 0, sizeof from);
    bdnn_record_layer(&record, &from);
    if ((status = check_record(r, &record, "layer", index)) != BDNN_OK ||
        (status = next_name(r, from.name, "layer", index, &name)) != BDNN_OK) {
        return status;
    }
    status = read_connections(r, &from, index, &numbers);
    if (status != BDNN_OK) {
        bdnn_free(numbers);
        return status;
    }
    layer = bdnn_graph_add_layer(&r->model->graph, from.layer.op, name, numbers, from.layer.input_count,
                                 numbers + from.layer.input_count, from.layer.output_count);
    bdnn_free(numbers);
    if (!layer) {
        return out_of_memory(r);
    }
    layer->attr = from.layer.attr;
    if ((status = next_blob(r, &from.weight, "weight", name, &layer->weight)) != BDNN_OK ||
        (status = next_blob(r, &from.bias, "bias", name, &layer->bias)) != BDNN_OK) {
        return status;
    }
    return read_decomposed(r, &from, layer);
}

static bdnn_status read_graph_ends(reader *r)
{
    bdnn_status status = BDNN_OK;
    int32_t number = -1;
    for (uint32_t i = 0; status == BDNN_OK && i < r->head.inputs; i++) {
        status = next_number(r, "network input", i, &number);
        if (status == BDNN_OK && !bdnn_graph_add_input(&r->model->graph, number)) {
            return out_of_memory(r);
        }
    }
    for (uint32_t i = 0; status == BDNN_OK && i < r->head.outputs; i++) {
        status = next_number(r, "network output", i, &number);
        if (status == BDNN_OK && !bdnn_graph_add_output(&r->model->graph, number)) {
            return out_of_memory(r);
        }
    }
    return status;
}

static bdnn_status read_labels(reader *r)
{
    const char **labels;
    bdnn_status status = BDNN_OK;
    if (r->head.labels > r->sections[BDNN_SECTION_STRINGS].size - r->string_at) {
        return bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: %u labels in %zu bytes", r->name, r->head.labels,
                         r->sections[BDNN_SECTION_STRINGS].size - r->string_at);
    }
    labels = bdnn_zalloc(r->head.labels, sizeof *labels);
    if (!labels) {
        return out_of_memory(r);
    }
    for (uint32_t i = 0; status == BDNN_OK && i < r->head.labels; i++) {
        status = next_string(r, (uint32_t)r->string_at, "label", i, &labels[i]);
    }
    if (status == BDNN_OK) {
        status = bdnn_model_set_labels(r->model, labels, r->head.labels, r->err);
    }
    bdnn_free(labels);
    return status;
}

/* ---- The whole ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names are what messages, settings and exports go by: each once. `stride` is the distance of the records' name
 * pointers. */
static bdnn_status check_unique(const reader *r, char *const *first, size_t stride, size_t count, const char *what)
{
    const char **names = bdnn_alloc(count, sizeof *names);
    bdnn_status status = BDNN_OK;
    if (!names) {
        return out_of_memory(r);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = *(char *const *)((const char *)first + i * stride);
    }
    if (count) {
        qsort(names, count, sizeof *names, compare_names);
    }
    for (size_t i = 1; status == BDNN_OK && i < count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            status = bdnn_fail(r->err, BDNN_ERROR_FORMAT, "%s: two %s are named '%s'", r->name, what, names[i]);
        }
    }
    bdnn_free(names);
    return status;
}

static bdnn_status read_all(reader *r)
{
    bdnn_graph *graph = &r->model->graph;
    bdnn_status status;
    if ((status = check_header(r)) != BDNN_OK || (status = read_sections(r)) != BDNN_OK ||
        (status = read_head(r)) != BDNN_OK || (status = read_preprocess(r)) != BDNN_OK ||
        (status = read_graph_ends(r)) != BDNN_OK) {
        return status;
    }
    for (size_t i = 0; status == BDNN_OK && i < r->head.values; i++) {
        status = read_value(r, i);
    }
    for (size_t i = 0; status == BDNN_OK && i < r->head.layers; i++) {
        status = read_layer(r, i);
    }
    if (status != BDNN_OK || (status = read_labels(r)) != BDNN_OK || (status = check_used_up(r)) != BDNN_OK) {
        return status;
    }
    if (graph->value_count && (status = check_unique(r, &graph->values[0].name, sizeof *graph->values,
                                                     graph->value_count, "values")) != BDNN_OK) {
        return status;
    }
    return graph->layer_count
               ? check_unique(r, &graph->layers[0].name, sizeof *graph->layers, graph->layer_count, "layers")
               : BDNN_OK;
}

bdnn_status bdnn_model_read(const char *name, bdnn_file_map *map, bdnn_model **model, bdnn_error *err)
{
    reader r = {.name = name, .data = map->data, .size = map->size, .err = err};
    bdnn_status status;
    *model = NULL;
    r.model = bdnn_model_new();
    if (!r.model) {
        return out_of_memory(&r);
    }
    status = read_all(&r);
    if (status != BDNN_OK) {
        bdnn_model_free(r.model);
        return status;
    }
    r.model->map = *map;
    memset(map, 0, sizeof *map);
    *model = r.model;
    return BDNN_OK;
}
