/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a topology text: one statement a line, words separated by blanks, # begins a comment.
 *
 *     input NAME DIMENSIONS...     image ATTRIBUTES...     constant NAME DIMENSIONS...     output NAME
 *     OPERATOR NAME [in=VALUE,...] [out=VALUE,...] ATTRIBUTES...
 *
 * A layer without `in` reads the first output of the layer before it (or the last input); one without `out` makes a
 * value of its own name. */
#define _POSIX_C_SOURCE 200809L
#include "core/memory.h"
#include "import/names.h"
#include "import/topology_table.h"
#include "layers/layer.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES  (1 << 18) /* far above any network */
#define MAX_WORDS  32
#define MAX_VALUES 64 /* inputs or outputs of one layer */

typedef struct parser {
    const char *name; /* of the text */
    size_t line;
    const bdnn_parameter_source *source;
    bdnn_model *model;
    bdnn_names bindings; /* names that lines may use for a value, borrowed from the text; layers that are left out give
                            their output's name to their input */
    bdnn_names layers;   /* names of layers, likewise */
    int32_t last;        /* what a layer without `in` reads */
    char *words[MAX_WORDS];
    size_t word_count;
    bdnn_error *err;
} parser;

static bdnn_status out_of_memory(const parser *p)
{
    return bdnn_fail(p->err, BDNN_ERROR_MEMORY, "%s: not enough memory for the network", p->name);
}

/* Adds file and line to the message of a call that failed. */
static bdnn_status at_line(const parser *p, bdnn_status status)
{
    return status == BDNN_OK ? status : bdnn_prefix(p->err, status, "%s: line %zu", p->name, p->line);
}

/* ---- Names ---- */

static int32_t find(const parser *p, const char *name)
{
    const size_t *value = bdnn_names_find(&p->bindings, name);
    return value ? (int32_t)*value : -1;
}

static bdnn_status bind(parser *p, const char *name, int32_t value)
{
    if (find(p, name) >= 0) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: a second value named '%s'", p->name, p->line, name);
    }
    if (p->bindings.count == MAX_NAMES) {
        return bdnn_fail(p->err, BDNN_ERROR_UNSUPPORTED, "%s: line %zu: more than %d values", p->name, p->line,
                         MAX_NAMES);
    }
    return bdnn_names_add(&p->bindings, name, (size_t)value) ? BDNN_OK : out_of_memory(p);
}

static bdnn_status new_value(parser *p, const char *name, const bdnn_shape *shape, int32_t *value)
{
    bdnn_status status = bind(p, name, (int32_t)p->model->graph.value_count);
    if (status != BDNN_OK) {
        return status;
    }
    *value = bdnn_graph_add_value(&p->model->graph, name, BDNN_FLOAT32, shape);
    return *value < 0 ? out_of_memory(p) : BDNN_OK;
}

/* ---- Attributes ---- */

static bdnn_status bad_number(const parser *p, const char *key, const char *text)
{
    return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: %s: '%.40s' is no number that it can have", p->name,
                     p->line, key, text);
}

/* One number of a list into element `i` of the field; *end is behind it. */
static bdnn_status parse_number(parser *p, const bdnn_attribute *attribute, void *field, int32_t i, const char *text,
                                char **end)
{
    long long number;
    errno = 0;
    if (attribute->kind == BDNN_ATTRIBUTE_FLOATS) {
        ((float *)field)[i] = strtof(text, end);
        return *end == text ? bad_number(p, attribute->key, text) : BDNN_OK;
    }
    number = strtoll(text, end, 10);
    if (*end == text || errno) {
        return bad_number(p, attribute->key, text);
    }
    if (attribute->kind == BDNN_ATTRIBUTE_LONGS) {
        ((int64_t *)field)[i] = number;
    } else if (attribute->kind == BDNN_ATTRIBUTE_SHAPE) {
        ((bdnn_shape *)field)->dim[i] = number;
    } else if (number < INT32_MIN || number > INT32_MAX) {
        return bad_number(p, attribute->key, text);
    } else {
        ((int32_t *)field)[i] = (int32_t)number;
    }
    return BDNN_OK;
}

/* "n" is n,n (height and width), two numbers are height and width: moves them to where depth, height, width expect
 * them. */
static void settle_window(int32_t *window, int32_t given, int32_t fallback)
{
    if (given < BDNN_SPATIAL) {
        window[2] = window[given - 1];
        window[1] = window[0];
        window[0] = fallback;
    }
}

static bdnn_status parse_list(parser *p, const bdnn_attribute *attribute, void *field, const char *text)
{
    const char *at = text;
    int32_t given = 0;
    for (;; at++) {
        char *end;
        bdnn_status status;
        if (given == attribute->count) {
            return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: %s: more than %d numbers", p->name, p->line,
                             attribute->key, attribute->count);
        }
        status = parse_number(p, attribute, field, given, at, &end);
        if (status != BDNN_OK) {
            return status;
        }
        given++;
        at = end;
        if (!*at) {
            break;
        }
        if (*at != ',') {
            return bad_number(p, attribute->key, text);
        }
    }
    if (attribute->kind == BDNN_ATTRIBUTE_SHAPE) {
        ((bdnn_shape *)field)->rank = given;
    } else if (attribute->kind == BDNN_ATTRIBUTE_WINDOW) {
        settle_window(field, given, (int32_t)attribute->fallback);
    }
    return BDNN_OK;
}

static bdnn_status parse_attribute(parser *p, const bdnn_attribute *attribute, void *base, const char *text)
{
    void *field = (char *)base + attribute->offset;
    if (attribute->kind == BDNN_ATTRIBUTE_FLAG) {
        if (text) {
            return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: %s takes no value", p->name, p->line,
                             attribute->key);
        }
        *(bool *)field = true;
        return BDNN_OK;
    }
    if (!text) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: %s needs a value", p->name, p->line, attribute->key);
    }
    if (attribute->kind != BDNN_ATTRIBUTE_CHOICE) {
        return parse_list(p, attribute, field, text);
    }
    for (int32_t i = 0; i < attribute->count; i++) {
        if (strcmp(attribute->choices[i], text) == 0) {
            memcpy(field, &i, sizeof i);
            return BDNN_OK;
        }
    }
    return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: %s: unknown choice '%.40s'", p->name, p->line,
                     attribute->key, text);
}

static void set_fallbacks(const bdnn_attribute *attributes, void *base)
{
    for (; attributes->key; attributes++) {
        void *field = (char *)base + attributes->offset;
        for (int32_t i = 0; i < attributes->count; i++) {
            if (attributes->kind == BDNN_ATTRIBUTE_FLOATS) {
                ((float *)field)[i] = (float)attributes->fallback;
            } else if (attributes->kind == BDNN_ATTRIBUTE_INT || attributes->kind == BDNN_ATTRIBUTE_WINDOW) {
                ((int32_t *)field)[i] = (int32_t)attributes->fallback;
            }
        }
    }
}

static const bdnn_attribute *find_attribute(const bdnn_attribute *attributes, const char *key)
{
    for (; attributes->key; attributes++) {
        if (strcmp(attributes->key, key) == 0) {
            return attributes;
        }
    }
    return NULL;
}

/* The statement's word `key` or `key=text`, cut in two; *text is NULL for the former. */
static char *cut_word(char *word, char **text)
{
    *text = strchr(word, '=');
    if (*text) {
        *(*text)++ = 0;
    }
    return word;
}

/* One attribute of `attributes` (or the short form pad= of two) into `base`; *known tells whether there is one of that
 * name. */
static bdnn_status parse_word(parser *p, const bdnn_attribute *attributes, void *base, const char *key,
                              const char *text, bool *known)
{
    const bdnn_attribute *attribute = find_attribute(attributes, key), *begin, *end;
    bdnn_status status;
    *known = true;
    if (attribute) {
        return parse_attribute(p, attribute, base, text);
    }
    begin = find_attribute(attributes, "pad_begin");
    end = find_attribute(attributes, "pad_end");
    if (strcmp(key, "pad") == 0 && begin && end) {
        status = parse_attribute(p, begin, base, text);
        return status == BDNN_OK ? parse_attribute(p, end, base, text) : status;
    }
    *known = false;
    return BDNN_OK;
}

static bdnn_status unknown_word(const parser *p, const char *word)
{
    return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: '%.40s' does not belong to '%.40s'", p->name, p->line,
                     word, p->words[0]);
}

/* ---- Layers ---- */

typedef struct statement {
    const char *name;
    bdnn_layer layer; /* op and attributes */
    bdnn_parameter_rules rules;
    char *in, *out;
} statement;

static bdnn_status parse_statement(parser *p, const bdnn_word *word, statement *s)
{
    memset(s, 0, sizeof *s);
    s->name = p->words[1];
    s->layer.op = word->op;
    set_fallbacks(word->attributes, &s->layer);
    if (word->op == BDNN_OP_ACTIVATION) {
        s->layer.attr.activation.kind = (bdnn_activation)word->activation;
    }
    for (size_t i = 2; i < p->word_count; i++) {
        char *text, *key = cut_word(p->words[i], &text);
        bool known = true;
        bdnn_status status = BDNN_OK;
        if (strcmp(key, "in") == 0 && text) {
            s->in = text;
        } else if (strcmp(key, "out") == 0 && text) {
            s->out = text;
        } else if ((status = parse_word(p, word->attributes, &s->layer, key, text, &known)) == BDNN_OK && !known) {
            status = parse_word(p, bdnn_rule_attributes, &s->rules, key, text, &known);
        }
        if (status != BDNN_OK || !known) {
            return status != BDNN_OK ? status : unknown_word(p, key);
        }
    }
    return BDNN_OK;
}

/* Cuts a list of names at its commas, calls `each` on every name, and counts them. */
static bdnn_status each_name(parser *p, char *list, int32_t *values, int32_t *count,
                             bdnn_status (*each)(parser *p, char *name, int32_t *value))
{
    bdnn_status status = BDNN_OK;
    char *next = list;
    for (*count = 0; next && status == BDNN_OK; ++*count) {
        char *name = next;
        next = strchr(name, ',');
        if (next) {
            *next++ = 0;
        }
        if (*count == MAX_VALUES) {
            return bdnn_fail(p->err, BDNN_ERROR_UNSUPPORTED, "%s: line %zu: more than %d values", p->name, p->line,
                             MAX_VALUES);
        }
        if (!bdnn_name_unescape(name)) {
            return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: an impossible name", p->name, p->line);
        }
        status = each(p, name, &values[*count]);
    }
    return status;
}

static bdnn_status input_named(parser *p, char *name, int32_t *value)
{
    *value = find(p, name);
    return *value < 0 ? bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: no value named '%.80s' so far", p->name,
                                  p->line, name)
                      : BDNN_OK;
}

static bdnn_status output_named(parser *p, char *name, int32_t *value)
{
    return new_value(p, name, NULL, value);
}

static bdnn_status connect_inputs(parser *p, statement *s, int32_t *inputs)
{
    if (s->in) {
        return each_name(p, s->in, inputs, &s->layer.input_count, input_named);
    }
    inputs[0] = p->last;
    s->layer.input_count = 1;
    return p->last < 0 ? bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: there is no input yet", p->name, p->line)
                       : BDNN_OK;
}

static bdnn_status connect_outputs(parser *p, statement *s, int32_t *outputs)
{
    if (s->out) {
        return each_name(p, s->out, outputs, &s->layer.output_count, output_named);
    }
    s->layer.output_count = 1;
    return new_value(p, s->name, NULL, outputs);
}

/* Verifies the layer and learns its outputs' shapes. */
static bdnn_status infer(parser *p, const bdnn_layer *layer)
{
    const bdnn_layer_type *type = bdnn_layer_type_of(layer->op);
    bdnn_value *values = p->model->graph.values;
    bdnn_value_info in[MAX_VALUES], out[MAX_VALUES];
    bdnn_status status;
    if (layer->input_count < type->min_inputs || layer->input_count > type->max_inputs ||
        layer->output_count > type->max_outputs) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%d inputs and %d outputs", layer->input_count,
                         layer->output_count);
    }
    for (int32_t i = 0; i < layer->input_count; i++) {
        in[i].type = values[layer->inputs[i]].type;
        in[i].shape = values[layer->inputs[i]].shape;
    }
    status = type->infer(layer, in, out, p->err);
    for (int32_t i = 0; status == BDNN_OK && i < layer->output_count; i++) {
        if (bdnn_shape_elements(&out[i].shape) < 0) {
            return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "its output is too large");
        }
        values[layer->outputs[i]].type = out[i].type;
        values[layer->outputs[i]].shape = out[i].shape;
    }
    return status;
}

/* A layer without parameters is left out: whoever reads its output reads its input. */
static bdnn_status leave_out(parser *p, const statement *s, int32_t input)
{
    const char *name = s->out ? s->out : s->name;
    p->last = input;
    if (s->out && (strchr(s->out, ',') || !bdnn_name_unescape(s->out))) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: an optional layer has one output", p->name, p->line);
    }
    return bind(p, name, input);
}

static bdnn_status add_layer(parser *p, statement *s)
{
    int32_t inputs[MAX_VALUES], outputs[MAX_VALUES];
    bdnn_graph *graph = &p->model->graph;
    bdnn_layer *layer;
    bdnn_status status = connect_inputs(p, s, inputs);
    if (status != BDNN_OK) {
        return status;
    }
    if (s->rules.optional && s->layer.op == BDNN_OP_AFFINE && !p->source->present(p->source->user, s->name)) {
        return leave_out(p, s, inputs[0]);
    }
    if ((status = connect_outputs(p, s, outputs)) != BDNN_OK) {
        return status;
    }
    if (bdnn_names_find(&p->layers, s->name)) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: a second layer named '%s'", p->name, p->line,
                         s->name);
    }
    if (!bdnn_names_add(&p->layers, s->name, graph->layer_count)) {
        return out_of_memory(p);
    }
    layer =
        bdnn_graph_add_layer(graph, s->layer.op, s->name, inputs, s->layer.input_count, outputs, s->layer.output_count);
    if (!layer) {
        return out_of_memory(p);
    }
    layer->attr = s->layer.attr;
    p->last = outputs[0];
    status = p->source->load(p->source->user, graph, layer, &s->rules, p->err);
    status = status == BDNN_OK ? infer(p, layer) : status;
    return status == BDNN_OK ? status
                             : bdnn_prefix(p->err, status, "%s: line %zu: layer '%s'", p->name, p->line, s->name);
}

static bdnn_status parse_layer(parser *p)
{
    statement s;
    bdnn_status status;
    for (size_t i = 0; i < bdnn_word_count; i++) {
        if (strcmp(bdnn_words[i].text, p->words[0]) == 0) {
            status = parse_statement(p, &bdnn_words[i], &s);
            return status == BDNN_OK ? add_layer(p, &s) : status;
        }
    }
    return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: unknown operator '%.40s'", p->name, p->line,
                     p->words[0]);
}

/* ---- Other lines ---- */

static bdnn_status parse_shape(parser *p, bdnn_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    if (p->word_count - 2 > BDNN_MAX_RANK) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: more than %d dimensions", p->name, p->line,
                         BDNN_MAX_RANK);
    }
    for (size_t i = 2; i < p->word_count; i++) {
        char *end;
        long long dimension = strtoll(p->words[i], &end, 10);
        if (*end || dimension < 1 || dimension > BDNN_MAX_ELEMENTS) {
            return bad_number(p, p->words[1], p->words[i]);
        }
        shape->dim[shape->rank++] = dimension;
    }
    if (bdnn_shape_elements(shape) < 0) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: too many elements", p->name, p->line);
    }
    return BDNN_OK;
}

static bdnn_status parse_input(parser *p)
{
    bdnn_shape shape;
    bdnn_status status = parse_shape(p, &shape);
    if (status != BDNN_OK || (status = new_value(p, p->words[1], &shape, &p->last)) != BDNN_OK) {
        return status;
    }
    return bdnn_graph_add_input(&p->model->graph, p->last) ? BDNN_OK : out_of_memory(p);
}

static bdnn_status parse_constant(parser *p)
{
    bdnn_shape shape;
    int32_t value;
    bdnn_status status = parse_shape(p, &shape);
    if (status != BDNN_OK || (status = new_value(p, p->words[1], &shape, &value)) != BDNN_OK) {
        return status;
    }
    return at_line(p, p->source->constant(p->source->user, &p->model->graph.values[value], p->err));
}

static bdnn_status parse_output(parser *p)
{
    int32_t value;
    bdnn_status status = input_named(p, p->words[1], &value);
    if (status == BDNN_OK && !bdnn_graph_add_output(&p->model->graph, value)) {
        return out_of_memory(p);
    }
    return status;
}

static bdnn_status parse_image(parser *p)
{
    bdnn_preprocess preprocess = bdnn_model_preprocess(p->model);
    set_fallbacks(bdnn_image_attributes, &preprocess);
    for (size_t i = 1; i < p->word_count; i++) {
        char *text, *key = cut_word(p->words[i], &text);
        bool known;
        bdnn_status status = parse_word(p, bdnn_image_attributes, &preprocess, key, text, &known);
        if (status != BDNN_OK || !known) {
            return status != BDNN_OK ? status : unknown_word(p, key);
        }
    }
    return at_line(p, bdnn_model_set_preprocess(p->model, &preprocess, p->err));
}

static bdnn_status parse_line(parser *p)
{
    static const struct {
        const char *word;
        bdnn_status (*parse)(parser *p);
    } kinds[] = {{"input", parse_input}, {"constant", parse_constant}, {"output", parse_output}};
    if (strcmp(p->words[0], "image") == 0) {
        return parse_image(p);
    }
    if (p->word_count < 2 || !bdnn_name_unescape(p->words[1])) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: '%.40s' needs a name", p->name, p->line,
                         p->words[0]);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].word, p->words[0]) == 0) {
            return kinds[i].parse(p);
        }
    }
    return parse_layer(p);
}

/* ---- The text ---- */

/* Cuts the line at `text`, which a zero byte ends, into words. */
static bdnn_status cut_words(parser *p, char *text)
{
    char *rest = NULL;
    text[strcspn(text, "#")] = 0;
    p->word_count = 0;
    for (char *word = strtok_r(text, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
        if (p->word_count == MAX_WORDS) {
            return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: more than %d words", p->name, p->line,
                             MAX_WORDS);
        }
        p->words[p->word_count++] = word;
    }
    return BDNN_OK;
}

static bdnn_status parse_text(parser *p, char *text, size_t size)
{
    bdnn_status status = BDNN_OK;
    for (size_t at = 0; status == BDNN_OK && at < size; p->line++) {
        char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        text[at + length] = 0;
        if (strlen(text + at) != length) {
            return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: line %zu: a zero byte", p->name, p->line);
        }
        status = cut_words(p, text + at);
        if (status == BDNN_OK && p->word_count) {
            status = parse_line(p);
        }
        at += length + 1;
    }
    if (status == BDNN_OK && (!p->model->graph.input_count || !p->model->graph.output_count)) {
        return bdnn_fail(p->err, BDNN_ERROR_FORMAT, "%s: no %s line", p->name,
                         p->model->graph.input_count ? "output" : "input");
    }
    return status;
}

bdnn_status bdnn_topology_parse(const char *name, const char *text, size_t size, const bdnn_parameter_source *source,
                                bdnn_model *model, bdnn_error *err)
{
    parser p = {.name = name, .line = 1, .source = source, .model = model, .last = -1, .err = err};
    char *copy = bdnn_alloc(size + 1, 1);
    /* Decimal points are points, whatever the program's language. */
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = (locale_t)0;
    bdnn_status status;
    if (copy && plain) {
        memcpy(copy, size ? text : "", size); /* an empty file has no text */
        before = uselocale(plain);
        status = parse_text(&p, copy, size);
        uselocale(before);
    } else {
        status = out_of_memory(&p);
    }
    if (plain) {
        freelocale(plain);
    }
    bdnn_names_free(&p.bindings);
    bdnn_names_free(&p.layers);
    bdnn_free(copy);
    return status;
}
