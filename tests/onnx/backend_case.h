/* SPDX-License-Identifier: BSD-2-Clause */
/* One case of ONNX's backend test suite: a model, inputs, the outputs they must give. */
#ifndef BDNN_TESTS_BACKEND_CASE_H
#define BDNN_TESTS_BACKEND_CASE_H

#include <stdbool.h>

typedef enum case_result { CASE_PASSED, CASE_FAILED, CASE_UNSUPPORTED } case_result;

typedef struct case_report {
    case_result result;
    bool folded;            /* passed with every input a constant, computed at import */
    bool operators_known;   /* every operator of the model has an importer */
    char operator_name[64]; /* the first that has none */
    char reason[512];       /* why not passed */
    double error;           /* the largest |found - expected| relative to what is allowed */
} case_report;

/* Runs the case in `directory` (model.onnx, test_data_set_<n>/{input,output}_<i>.pb), all its data sets.
 *
 * The first floating point input is the network's; the others become constants, since bdnn's networks have one input.
 * Where that cannot be imported, or there is no such input, all inputs become constants and the import itself computes
 * the outputs.
 *
 * Outputs must have the expected shape; floats must satisfy |found - expected| <= 1e-5 |expected| + 1e-6 max
 * |expected|, NaN and infinities must be the same, integers equal. */
void run_backend_case(const char *directory, case_report *report);

#endif
