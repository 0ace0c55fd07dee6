/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a topology text, and names that are safe in it and in file names. */
#define _POSIX_C_SOURCE 200809L
#include "core/memory.h"
#include "import/topology_table.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* ---- Names ---- */

static bool is_plain(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           (c == '.' && !first);
}

char *bdnn_name_escape(const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    char *escaped = bdnn_alloc(strlen(name) + 1, 3), *to = escaped;
    if (!escaped) {
        return NULL;
    }
    for (const char *from = name; *from; from++) {
        if (is_plain(*from, from == name)) {
            *to++ = *from;
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*from >> 4];
            *to++ = digits[(unsigned char)*from & 15];
        }
    }
    *to = 0;
    return escaped;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

bool bdnn_name_unescape(char *name)
{
    char *to = name;
    for (const char *from = name; *from; from++) {
        int byte = (unsigned char)*from;
        if (*from == '%') {
            int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
            byte = high * 16 + low;
            if (low < 0 || !byte) {
                return false;
            }
            from += 2;
        }
        *to++ = (char)byte;
    }
    *to = 0;
    return to > name;
}

/* ---- Attributes ---- */

typedef struct printer {
    const bdnn_graph *graph;
    FILE *stream;
    bool short_of_memory;
} printer;

static void print_name(printer *p, const char *before, const char *name)
{
    char *escaped = bdnn_name_escape(name);
    p->short_of_memory |= !escaped;
    fprintf(p->stream, "%s%s", before, escaped ? escaped : "");
    bdnn_free(escaped);
}

static double number_at(const bdnn_attribute *attribute, const void *field, int32_t i)
{
    switch (attribute->kind) {
    case BDNN_ATTRIBUTE_FLOATS:
        return ((const float *)field)[i];
    case BDNN_ATTRIBUTE_LONGS:
        return (double)((const int64_t *)field)[i];
    case BDNN_ATTRIBUTE_SHAPE:
        return (double)((const bdnn_shape *)field)->dim[i];
    case BDNN_ATTRIBUTE_FLAG:
        return *(const bool *)field;
    default:
        return ((const int32_t *)field)[i];
    }
}

static void print_number(printer *p, const bdnn_attribute *attribute, const void *field, int32_t i)
{
    switch (attribute->kind) {
    case BDNN_ATTRIBUTE_FLOATS:
        fprintf(p->stream, "%.9g", (double)((const float *)field)[i]);
        break;
    case BDNN_ATTRIBUTE_LONGS:
        fprintf(p->stream, "%" PRId64, ((const int64_t *)field)[i]);
        break;
    case BDNN_ATTRIBUTE_SHAPE:
        fprintf(p->stream, "%" PRId64, ((const bdnn_shape *)field)->dim[i]);
        break;
    default:
        fprintf(p->stream, "%" PRId32, ((const int32_t *)field)[i]);
    }
}

/* " key=1,2,3" without the numbers at the end that are what they would be anyway; nothing when all are. */
static void print_attribute(printer *p, const bdnn_attribute *attribute, const void *base)
{
    const void *field = (const char *)base + attribute->offset;
    int32_t count = attribute->kind == BDNN_ATTRIBUTE_SHAPE ? ((const bdnn_shape *)field)->rank : attribute->count,
            first = 0;
    if (attribute->kind == BDNN_ATTRIBUTE_FLAG) {
        fprintf(p->stream, "%s%s", *(const bool *)field ? " " : "", *(const bool *)field ? attribute->key : "");
        return;
    }
    if (attribute->kind == BDNN_ATTRIBUTE_CHOICE) {
        const int32_t choice = *(const int32_t *)field;
        if (choice) {
            fprintf(p->stream, " %s=%s", attribute->key, attribute->choices[choice]);
        }
        return;
    }
    if (attribute->kind == BDNN_ATTRIBUTE_WINDOW) {
        const int32_t *window = field;
        if (window[0] == attribute->fallback && window[1] == attribute->fallback && window[2] == attribute->fallback) {
            return;
        }
        first = window[0] != attribute->fallback ? 0 : window[1] != window[2] ? 1 : 2;
    } else if (attribute->kind != BDNN_ATTRIBUTE_SHAPE) {
        /* Not equal, rather than different: a NaN is to be written. */
        while (count && number_at(attribute, field, count - 1) == (double)(float)attribute->fallback) {
            count--;
        }
    }
    for (int32_t i = first; i < count; i++) {
        if (i == first) {
            fprintf(p->stream, " %s=", attribute->key);
        } else {
            fputc(',', p->stream);
        }
        print_number(p, attribute, field, i);
    }
}

static void print_attributes(printer *p, const bdnn_attribute *attributes, const void *base)
{
    for (; attributes->key; attributes++) {
        print_attribute(p, attributes, base);
    }
}

/* ---- Lines ---- */

static const bdnn_word *word_of(const bdnn_layer *layer)
{
    for (size_t i = 0; i < bdnn_word_count; i++) {
        if (bdnn_words[i].op == layer->op &&
            (layer->op != BDNN_OP_ACTIVATION || bdnn_words[i].activation == (int32_t)layer->attr.activation.kind)) {
            return &bdnn_words[i];
        }
    }
    return NULL;
}

static void print_values(printer *p, const char *key, const int32_t *values, int32_t count)
{
    fputs(key, p->stream);
    for (int32_t i = 0; i < count; i++) {
        print_name(p, i ? "," : "=", p->graph->values[values[i]].name);
    }
}

static void print_layer(printer *p, const bdnn_layer *layer, bool after_last)
{
    const bdnn_word *word = word_of(layer);
    const bool has_bias =
        layer->op == BDNN_OP_CONV || layer->op == BDNN_OP_CONV_TRANSPOSE || layer->op == BDNN_OP_DENSE;
    fputs(word->text, p->stream);
    print_name(p, " ", layer->name);
    if (!after_last || layer->input_count != 1) {
        print_values(p, " in", layer->inputs, layer->input_count);
    }
    if (layer->output_count != 1 || strcmp(p->graph->values[layer->outputs[0]].name, layer->name) != 0) {
        print_values(p, " out", layer->outputs, layer->output_count);
    }
    print_attributes(p, word->attributes, layer);
    fputs(has_bias && !layer->bias.bytes ? " no_bias\n" : "\n", p->stream);
}

static void print_value(printer *p, const char *kind, const bdnn_value *value)
{
    print_name(p, kind, value->name);
    for (int32_t i = 0; i < value->shape.rank; i++) {
        fprintf(p->stream, " %" PRId64, value->shape.dim[i]);
    }
    fputc('\n', p->stream);
}

static bdnn_status print_graph(printer *p, const bdnn_model *model, bdnn_error *err)
{
    const bdnn_graph *graph = &model->graph;
    int32_t last = graph->input_count ? graph->inputs[graph->input_count - 1] : -1;
    for (size_t i = 0; i < graph->input_count; i++) {
        const bdnn_value *value = &graph->values[graph->inputs[i]];
        if (value->type != BDNN_FLOAT32) {
            return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "input '%s' is not float: a topology cannot say that",
                             value->name);
        }
        print_value(p, "input ", value);
    }
    if (model->preprocess.channels) {
        fputs("image", p->stream);
        print_attributes(p, bdnn_image_attributes, &model->preprocess);
        fputc('\n', p->stream);
    }
    for (size_t i = 0; i < graph->value_count; i++) {
        if (graph->values[i].constant.bytes) {
            print_value(p, "constant ", &graph->values[i]);
        }
    }
    for (size_t i = 0; i < graph->layer_count; i++) {
        const bdnn_layer *layer = &graph->layers[i];
        print_layer(p, layer, layer->input_count && layer->inputs[0] == last);
        last = layer->outputs[0];
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        print_name(p, "output ", graph->values[graph->outputs[i]].name);
        fputc('\n', p->stream);
    }
    return p->short_of_memory ? bdnn_fail_memory(err, 0, "the topology's names") : BDNN_OK;
}

bdnn_status bdnn_topology_print(const bdnn_model *model, FILE *stream, bdnn_error *err)
{
    printer p = {.graph = &model->graph, .stream = stream};
    bdnn_status status;
    /* Decimal points are points, whatever the program's language. */
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before;
    if (!plain) {
        return bdnn_fail_memory(err, 0, "a locale");
    }
    before = uselocale(plain);
    fputs("# The layers of this network (docs/use/npy-folder.md); parameters are in the .npy files beside this one.\n",
          stream);
    status = print_graph(&p, model, err);
    uselocale(before);
    freelocale(plain);
    return status;
}
