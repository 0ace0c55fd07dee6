/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of the topology text: operators and their attributes as tables that both the parser and the printer go by.
 */
#ifndef BDNN_IMPORT_TOPOLOGY_TABLE_H
#define BDNN_IMPORT_TOPOLOGY_TABLE_H

#include "import/topology.h"

typedef enum bdnn_attribute_kind {
    BDNN_ATTRIBUTE_INT,    /* int32 */
    BDNN_ATTRIBUTE_FLAG,   /* bool: the bare key sets it */
    BDNN_ATTRIBUTE_FLOATS, /* float [count] */
    BDNN_ATTRIBUTE_INTS,   /* int32 [count] */
    BDNN_ATTRIBUTE_LONGS,  /* int64 [count] */
    BDNN_ATTRIBUTE_WINDOW, /* int32 [BDNN_SPATIAL]: n is n,n; two numbers are height and width */
    BDNN_ATTRIBUTE_SHAPE,  /* bdnn_shape */
    BDNN_ATTRIBUTE_CHOICE, /* an enumeration's names */
} bdnn_attribute_kind;

/* One attribute, at `offset` of what it describes: a bdnn_layer, a bdnn_preprocess or bdnn_parameter_rules. */
typedef struct bdnn_attribute {
    const char *key;
    bdnn_attribute_kind kind;
    size_t offset;
    int32_t count;   /* of numbers, or of choices */
    double fallback; /* each number's value when it is not given */
    const char *const *choices;
    bool required;
} bdnn_attribute;

typedef struct bdnn_word {
    const char *text;
    bdnn_op op;
    int32_t activation;           /* bdnn_activation of an ACTIVATION */
    bdnn_attribute attributes[9]; /* up to a NULL key */
} bdnn_word;

extern const bdnn_word bdnn_words[];
extern const size_t bdnn_word_count;
extern const bdnn_attribute bdnn_rule_attributes[];  /* of bdnn_parameter_rules, up to a NULL key */
extern const bdnn_attribute bdnn_image_attributes[]; /* of bdnn_preprocess */

#endif
