/* SPDX-License-Identifier: BSD-2-Clause */
/* The fixed-size records of the model file (docs/reference/model-file.md), each described by one function that both
 * writes and reads it, so that the two directions cannot drift apart. */
#ifndef BDNN_MODEL_RECORD_H
#define BDNN_MODEL_RECORD_H

#include "model/graph.h"

#include <stddef.h>
#include <stdint.h>

#define BDNN_FILE_VERSION     2
#define BDNN_FILE_HEADER      64 /* bytes of the header */
#define BDNN_FILE_ALIGNMENT   64 /* of each section and each blob in it */
#define BDNN_FILE_SECTION     32 /* bytes of one entry of the section table, which follows the header */
#define BDNN_FILE_CHECKSUM_AT 56 /* where the header's own checksum lies; zero while it is computed */
#define BDNN_FILE_MAX_LABELS  1048576
#define BDNN_MODEL_RECORD     128
#define BDNN_VALUE_RECORD     96
#define BDNN_LAYER_RECORD     320

/* Sections, in the order in which they lie in the file. */
typedef enum bdnn_section {
    BDNN_SECTION_MODEL,
    BDNN_SECTION_VALUES,
    BDNN_SECTION_LAYERS,
    BDNN_SECTION_NUMBERS,
    BDNN_SECTION_STRINGS,
    BDNN_SECTION_BLOBS,
    BDNN_SECTION_COUNT
} bdnn_section;
#define BDNN_FILE_FIRST_SECTION (BDNN_FILE_HEADER + BDNN_SECTION_COUNT * BDNN_FILE_SECTION)

/* A place in the blob section; bytes 0: no blob. */
typedef struct bdnn_blob_place {
    uint64_t offset, bytes;
} bdnn_blob_place;

typedef struct bdnn_model_record {
    uint32_t values, layers, inputs, outputs, labels;
    bdnn_preprocess preprocess; /* mean_image is not stored here */
    bdnn_blob_place mean_image;
} bdnn_model_record;

typedef struct bdnn_value_record {
    uint32_t name; /* offset into the strings */
    uint32_t type;
    bdnn_shape shape;
    bdnn_blob_place constant;
    bdnn_format format;
} bdnn_value_record;

typedef struct bdnn_layer_record {
    uint32_t name;
    uint32_t numbers; /* index of the first input's number; the outputs' follow */
    bdnn_layer layer; /* op, counts and attributes; pointers and blobs unused */
    bool is_decomposed;
    bdnn_decomposed decomposed; /* blobs unused */
    bdnn_blob_place weight, bias, planes, scales, filter_scale;
} bdnn_layer_record;

/* A record being read (`out` NULL) or written (`in` NULL). `wrong` names the first field whose stored value is
 * impossible. */
typedef struct bdnn_record {
    const uint8_t *in;
    uint8_t *out; /* zeroed by the caller */
    size_t at;
    const char *wrong;
    int64_t wrong_value;
} bdnn_record;

void bdnn_record_model(bdnn_record *record, bdnn_model_record *model);
void bdnn_record_value(bdnn_record *record, bdnn_value_record *value);
void bdnn_record_layer(bdnn_record *record, bdnn_layer_record *layer);

/* Little-endian numbers. */
uint32_t bdnn_get32(const uint8_t *bytes);
uint64_t bdnn_get64(const uint8_t *bytes);
void bdnn_put32(uint8_t *bytes, uint32_t number);
void bdnn_put64(uint8_t *bytes, uint64_t number);

#endif
