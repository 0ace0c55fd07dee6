/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing the model file. The small sections are made in memory; the blobs, which are nearly all of a file, are read
 * twice where they lie: once for the checksum, which comes before them, and once to be written. */
#include "core/memory.h"
#include "core/output.h"
#include "model/model_file.h"
#include "model/record.h"

#include <string.h>
#include <xxhash.h>

/* A section that grows in memory. */
typedef struct buffer {
    uint8_t *data;
    size_t size, room;
} buffer;

typedef struct writer {
    const bdnn_model *model;
    buffer sections[BDNN_SECTION_BLOBS];
    const bdnn_blob **blobs;
    size_t blob_count, blob_room;
    size_t blob_bytes;
    bool short_of_memory;
} writer;

/* Makes room for `count` more elements in an array of `*room` elements. */
static bool reserve(void **array, size_t used, size_t *room, size_t count, size_t size)
{
    size_t wanted = used + count;
    void *larger;
    if (wanted <= *room) {
        return true;
    }
    wanted = wanted < 2 * *room ? 2 * *room : wanted;
    larger = bdnn_zalloc(wanted, size);
    if (!larger) {
        return false;
    }
    if (*array) {
        memcpy(larger, *array, used * size);
    }
    bdnn_free(*array);
    *array = larger;
    *room = wanted;
    return true;
}

/* `count` zeroed bytes at the end of a section; NULL when memory is short. */
static uint8_t *append(writer *w, bdnn_section section, size_t count)
{
    buffer *to = &w->sections[section];
    if (w->short_of_memory || !reserve((void **)&to->data, to->size, &to->room, count, 1)) {
        w->short_of_memory = true;
        return NULL;
    }
    to->size += count;
    return to->data + to->size - count;
}

static uint32_t add_string(writer *w, const char *text)
{
    size_t at = w->sections[BDNN_SECTION_STRINGS].size, bytes = strlen(text) + 1;
    uint8_t *to = append(w, BDNN_SECTION_STRINGS, bytes);
    if (to) {
        memcpy(to, text, bytes);
    }
    return (uint32_t)at;
}

static uint32_t add_numbers(writer *w, const int32_t *numbers, size_t count)
{
    size_t at = w->sections[BDNN_SECTION_NUMBERS].size / 4;
    for (size_t i = 0; i < count; i++) {
        uint8_t *to = append(w, BDNN_SECTION_NUMBERS, 4);
        if (to) {
            bdnn_put32(to, (uint32_t)numbers[i]);
        }
    }
    return (uint32_t)at;
}

static bdnn_blob_place add_blob(writer *w, const bdnn_blob *blob)
{
    bdnn_blob_place place = {0, 0};
    if (!blob->bytes) {
        return place;
    }
    if (!reserve((void **)&w->blobs, w->blob_count, &w->blob_room, 1, sizeof *w->blobs)) {
        w->short_of_memory = true;
        return place;
    }
    w->blobs[w->blob_count++] = blob;
    place.offset = bdnn_round_up(w->blob_bytes, BDNN_FILE_ALIGNMENT);
    place.bytes = blob->bytes;
    w->blob_bytes = (size_t)place.offset + blob->bytes;
    return place;
}

static void add_model(writer *w)
{
    const bdnn_model *model = w->model;
    bdnn_model_record from = {.values = (uint32_t)model->graph.value_count,
                              .layers = (uint32_t)model->graph.layer_count,
                              .inputs = (uint32_t)model->graph.input_count,
                              .outputs = (uint32_t)model->graph.output_count,
                              .labels = (uint32_t)model->label_count,
                              .preprocess = model->preprocess,
                              .mean_image = add_blob(w, &model->mean_image)};
    bdnn_record record = {.out = append(w, BDNN_SECTION_MODEL, BDNN_MODEL_RECORD)};
    if (record.out) {
        bdnn_record_model(&record, &from);
    }
    add_numbers(w, model->graph.inputs, model->graph.input_count);
    add_numbers(w, model->graph.outputs, model->graph.output_count);
}

static void add_value(writer *w, const bdnn_value *value)
{
    bdnn_value_record from = {.name = add_string(w, value->name),
                              .type = value->type,
                              .shape = value->shape,
                              .constant = add_blob(w, &value->constant),
                              .format = value->format};
    bdnn_record record = {.out = append(w, BDNN_SECTION_VALUES, BDNN_VALUE_RECORD)};
    if (record.out) {
        bdnn_record_value(&record, &from);
    }
}

static void add_layer(writer *w, const bdnn_layer *layer)
{
    bdnn_layer_record from = {.layer = *layer, .is_decomposed = layer->decomposed != NULL};
    bdnn_record record = {.out = append(w, BDNN_SECTION_LAYERS, BDNN_LAYER_RECORD)};
    from.name = add_string(w, layer->name);
    from.numbers = add_numbers(w, layer->inputs, (size_t)layer->input_count);
    add_numbers(w, layer->outputs, (size_t)layer->output_count);
    from.weight = add_blob(w, &layer->weight);
    from.bias = add_blob(w, &layer->bias);
    if (layer->decomposed) {
        from.decomposed = *layer->decomposed;
        from.planes = add_blob(w, &layer->decomposed->planes);
        from.scales = add_blob(w, &layer->decomposed->scales);
        from.filter_scale = add_blob(w, &layer->decomposed->filter_scale);
    }
    if (record.out) {
        bdnn_record_layer(&record, &from);
    }
}

static const uint8_t zeros[BDNN_FILE_ALIGNMENT];

/* Calls `take` on the blob section's bytes, blob by blob with the zeros between. */
static void each_blob(const writer *w, void (*take)(void *to, const void *data, size_t bytes), void *to)
{
    size_t at = 0;
    for (size_t i = 0; i < w->blob_count; i++) {
        take(to, zeros, bdnn_round_up(at, BDNN_FILE_ALIGNMENT) - at);
        take(to, w->blobs[i]->data, w->blobs[i]->bytes);
        at = bdnn_round_up(at, BDNN_FILE_ALIGNMENT) + w->blobs[i]->bytes;
    }
}

static void take_checksum(void *to, const void *data, size_t bytes)
{
    XXH3_64bits_update(to, data, bytes);
}

static void take_stream(void *to, const void *data, size_t bytes)
{
    /* A failed write stays in the stream's error flag until bdnn_output_commit looks at it. */
    if (bytes) {
        fwrite(data, 1, bytes, to);
    }
}

static bool blob_checksum(const writer *w, uint64_t *checksum)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state) {
        return false;
    }
    XXH3_64bits_reset(state);
    each_blob(w, take_checksum, state);
    *checksum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return true;
}

static bool make_header(const writer *w, uint8_t header[BDNN_FILE_FIRST_SECTION])
{
    size_t end = BDNN_FILE_FIRST_SECTION;
    memset(header, 0, BDNN_FILE_FIRST_SECTION);
    for (uint32_t s = 0; s < BDNN_SECTION_COUNT; s++) {
        uint8_t *entry = header + BDNN_FILE_HEADER + s * BDNN_FILE_SECTION;
        const buffer *from = s < BDNN_SECTION_BLOBS ? &w->sections[s] : NULL;
        size_t begin = bdnn_round_up(end, BDNN_FILE_ALIGNMENT), bytes = from ? from->size : w->blob_bytes;
        uint64_t checksum;
        if (from) {
            checksum = XXH3_64bits(from->data ? from->data : zeros, bytes);
        } else if (!blob_checksum(w, &checksum)) {
            return false;
        }
        bdnn_put32(entry, s + 1);
        bdnn_put64(entry + 8, begin);
        bdnn_put64(entry + 16, bytes);
        bdnn_put64(entry + 24, checksum);
        end = begin + bytes;
    }
    memcpy(header, BDNN_FILE_MAGIC, 8);
    bdnn_put32(header + 8, BDNN_FILE_VERSION);
    bdnn_put32(header + 12, BDNN_SECTION_COUNT);
    bdnn_put64(header + 16, end);
    bdnn_put64(header + BDNN_FILE_CHECKSUM_AT, XXH3_64bits(header, BDNN_FILE_FIRST_SECTION));
    return true;
}

static bdnn_status write_file(writer *w, const char *path, bdnn_error *err)
{
    uint8_t header[BDNN_FILE_FIRST_SECTION];
    bdnn_output output;
    bdnn_status status;
    size_t at = sizeof header;
    if (w->short_of_memory || !make_header(w, header)) {
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: not enough memory to write the model", path);
    }
    if (w->sections[BDNN_SECTION_STRINGS].size > UINT32_MAX || w->sections[BDNN_SECTION_NUMBERS].size > UINT32_MAX) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: the names take %zu bytes, more than a model file holds",
                         path, w->sections[BDNN_SECTION_STRINGS].size);
    }
    if ((status = bdnn_output_open(&output, path, err)) != BDNN_OK) {
        return status;
    }
    take_stream(output.stream, header, sizeof header);
    for (int s = 0; s < BDNN_SECTION_BLOBS; s++) {
        take_stream(output.stream, w->sections[s].data, w->sections[s].size);
        at += w->sections[s].size;
        take_stream(output.stream, zeros, bdnn_round_up(at, BDNN_FILE_ALIGNMENT) - at);
        at = bdnn_round_up(at, BDNN_FILE_ALIGNMENT);
    }
    each_blob(w, take_stream, output.stream);
    if ((status = bdnn_model_check_file(w->model, err)) != BDNN_OK) {
        bdnn_output_discard(&output);
        return status;
    }
    return bdnn_output_commit(&output, err);
}

bdnn_status bdnn_model_write(const bdnn_model *model, const char *path, bdnn_error *err)
{
    writer w = {.model = model};
    bdnn_status status;
    if (model->label_count > BDNN_FILE_MAX_LABELS) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: %zu labels, at most %d can be stored", path,
                         model->label_count, BDNN_FILE_MAX_LABELS);
    }
    add_model(&w);
    for (size_t i = 0; i < model->graph.value_count; i++) {
        add_value(&w, &model->graph.values[i]);
    }
    for (size_t i = 0; i < model->graph.layer_count; i++) {
        add_layer(&w, &model->graph.layers[i]);
    }
    for (size_t i = 0; i < model->label_count; i++) {
        add_string(&w, model->labels[i]);
    }
    status = write_file(&w, path, err);
    for (int s = 0; s < BDNN_SECTION_BLOBS; s++) {
        bdnn_free(w.sections[s].data);
    }
    bdnn_free(w.blobs);
    return status;
}

bdnn_status bdnn_model_save(const bdnn_model *model, const char *path, bdnn_error *err)
{
    if (!model || !path) {
        return bdnn_fail_null(err, __func__);
    }
    return bdnn_model_write(model, path, err);
}
