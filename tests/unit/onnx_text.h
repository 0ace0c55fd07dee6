/* SPDX-License-Identifier: BSD-2-Clause */
/* ONNX models for tests, from text: one line a thing, bytes out. Knows as little as possible of what it writes, so that
 * it can also write nonsense.
 *
 *     opset 13
 *     input x 1 3 N W            sizes are numbers, or names
 *     float W 4 3 3 3 = 1 2      an initializer, its values repeated to fill the shape; noise without values
 *     int s 2 = 1 -1
 *     node Conv x,W > y name=conv1 pads=[1,1,1,1] mode="edge" alpha=0.5 group=1
 *     output y
 *
 * An input "-" is one left out. */
#ifndef BDNN_TESTS_ONNX_TEXT_H
#define BDNN_TESTS_ONNX_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct wire {
    uint8_t *data;
    size_t size, room;
} wire;

static inline void wire_bytes(wire *w, const void *data, size_t size)
{
    if (w->size + size >= w->room) {
        w->room = 2 * (w->size + size) + 64;
        w->data = realloc(w->data, w->room);
        if (!w->data) {
            abort();
        }
    }
    if (size) {
        memcpy(w->data + w->size, data, size);
    }
    w->size += size;
}

static inline void wire_varint(wire *w, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
        wire_bytes(w, &byte, 1);
        value >>= 7;
    } while (value);
}

static inline void wire_int(wire *w, unsigned field, int64_t value)
{
    wire_varint(w, field << 3);
    wire_varint(w, (uint64_t)value);
}

static inline void wire_float(wire *w, unsigned field, float value)
{
    wire_varint(w, field << 3 | 5);
    wire_bytes(w, &value, sizeof value);
}

static inline void wire_field(wire *w, unsigned field, const void *data, size_t size)
{
    wire_varint(w, field << 3 | 2);
    wire_varint(w, size);
    wire_bytes(w, data, size);
}

static inline void wire_text(wire *w, unsigned field, const char *text)
{
    wire_field(w, field, text, strlen(text));
}

/* A finished message as a field of another. */
static inline void wire_message(wire *w, unsigned field, wire *message)
{
    wire_field(w, field, message->data, message->size);
    free(message->data);
    *message = (wire){0};
}

/* Numbers of the fields, from onnx.proto. */
enum {
    MODEL_IR_VERSION = 1,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    OPSET_VERSION = 2,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP_TYPE = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_STRING = 4,
    ATTRIBUTE_TENSOR = 5,
    ATTRIBUTE_GRAPH = 6,
    ATTRIBUTE_FLOATS = 7,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_FLOATS = 4,
    TENSOR_INT32S = 5,
    TENSOR_INT64S = 7,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    TENSOR_DOUBLES = 10,
    TENSOR_EXTERNAL = 13
};

static inline float text_noise(void)
{
    static uint32_t seed = 11;
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

/* The next word of a line; NULL at its end. */
static inline char *text_word(char **at)
{
    char *start = *at + strspn(*at, " ");
    if (!*start) {
        return NULL;
    }
    *at = start + strcspn(start, " ");
    if (**at) {
        *(*at)++ = '\0';
    }
    return start;
}

static inline void text_value_info(wire *graph, unsigned field, char *at)
{
    wire info = {0}, type = {0}, tensor = {0}, shape = {0};
    char *word = text_word(&at);
    wire_text(&info, 1, word);
    while ((word = text_word(&at)) != NULL) {
        wire dim = {0};
        if (strspn(word, "-0123456789") == strlen(word)) {
            wire_int(&dim, 1, atoll(word));
        } else {
            wire_text(&dim, 2, word);
        }
        wire_message(&shape, 1, &dim);
    }
    wire_int(&tensor, 1, 1);
    wire_message(&tensor, 2, &shape);
    wire_message(&type, 1, &tensor);
    wire_message(&info, 2, &type);
    wire_message(graph, field, &info);
}

static inline void text_initializer(wire *graph, bool integers, char *at)
{
    wire tensor = {0}, raw = {0};
    char *name = text_word(&at), *word, *values;
    size_t count = 1;
    while ((word = text_word(&at)) != NULL && strcmp(word, "=") != 0) {
        wire_int(&tensor, TENSOR_DIMS, atoll(word));
        count *= (size_t)atoll(word);
    }
    values = word ? at : NULL;
    for (size_t i = 0; i < count; i++) {
        char *end = values;
        int64_t n = values && integers ? strtoll(values, &end, 10) : 0;
        float f = integers ? 0 : values ? strtof(values, &end) : text_noise();
        values = end && *(end + strspn(end, " ")) ? end : values ? at : NULL;
        wire_bytes(&raw, integers ? (const void *)&n : (const void *)&f, integers ? sizeof n : sizeof f);
    }
    wire_int(&tensor, TENSOR_TYPE, integers ? 7 : 1);
    wire_text(&tensor, TENSOR_NAME, name);
    wire_message(&tensor, TENSOR_RAW, &raw);
    wire_message(graph, GRAPH_INITIALIZER, &tensor);
}

static inline void text_attribute(wire *node, const char *name, const char *value)
{
    wire a = {0};
    bool list = *value == '[', floats = *value != '"' && strchr(value, '.') != NULL;
    wire_text(&a, ATTRIBUTE_NAME, name);
    if (*value == '"') {
        wire_field(&a, ATTRIBUTE_STRING, value + 1, strlen(value) - 2);
        wire_int(&a, ATTRIBUTE_TYPE, 3);
    } else if (!list) {
        floats ? wire_float(&a, ATTRIBUTE_FLOAT, strtof(value, NULL)) : wire_int(&a, ATTRIBUTE_INT, atoll(value));
        wire_int(&a, ATTRIBUTE_TYPE, floats ? 1 : 2);
    } else {
        for (const char *at = value + 1; *at && *at != ']'; at += strcspn(at, ",]"), at += *at == ',') {
            floats ? wire_float(&a, ATTRIBUTE_FLOATS, strtof(at, NULL)) : wire_int(&a, ATTRIBUTE_INTS, atoll(at));
        }
        wire_int(&a, ATTRIBUTE_TYPE, floats ? 6 : 7);
    }
    wire_message(node, NODE_ATTRIBUTE, &a);
}

static inline void text_names(wire *node, unsigned field, char *names)
{
    for (char *name = names; *name;) {
        size_t length = strcspn(name, ",");
        wire_field(node, field, name, length == 1 && *name == '-' ? 0 : length);
        name += length + (name[length] == ',');
    }
}

static inline void text_node(wire *graph, char *at)
{
    wire node = {0};
    unsigned field = NODE_INPUT;
    char *word;
    wire_text(&node, NODE_OP_TYPE, text_word(&at));
    while ((word = text_word(&at)) != NULL) {
        char *equals = strchr(word, '=');
        if (strcmp(word, ">") == 0) {
            field = NODE_OUTPUT;
        } else if (!equals) {
            text_names(&node, field, word);
        } else {
            *equals = '\0';
            if (strcmp(word, "name") == 0 || strcmp(word, "domain") == 0) {
                wire_text(&node, *word == 'n' ? NODE_NAME : NODE_DOMAIN, equals + 1);
            } else {
                text_attribute(&node, word, equals + 1);
            }
        }
    }
    wire_message(graph, GRAPH_NODE, &node);
}

/* A graph and operator set as a model. */
static inline wire text_model(wire *graph, int64_t version)
{
    wire model = {0}, opset = {0};
    wire_int(&model, MODEL_IR_VERSION, 8);
    wire_message(&model, MODEL_GRAPH, graph);
    wire_int(&opset, OPSET_VERSION, version);
    wire_message(&model, MODEL_OPSET, &opset);
    return model;
}

/* The model of a text, for free(data). *graph, if not NULL, holds more of the graph already. */
static inline wire onnx_text(const char *text, wire *graph)
{
    wire own = {0};
    int64_t version = 13;
    graph = graph ? graph : &own;
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *line = calloc(length + 1, 1), *at = line, *word;
        if (!line) {
            abort();
        }
        memcpy(line, text, length);
        text += length + (text[length] == '\n');
        word = text_word(&at);
        if (word && strcmp(word, "opset") == 0) {
            version = atoll(at);
        } else if (word && (strcmp(word, "input") == 0 || strcmp(word, "output") == 0)) {
            text_value_info(graph, *word == 'i' ? GRAPH_INPUT : GRAPH_OUTPUT, at);
        } else if (word && (strcmp(word, "float") == 0 || strcmp(word, "int") == 0)) {
            text_initializer(graph, *word == 'i', at);
        } else if (word && strcmp(word, "node") == 0) {
            text_node(graph, at);
        } else if (word) {
            abort();
        }
        free(line);
    }
    return text_model(graph, version);
}

#endif
