/* SPDX-License-Identifier: BSD-2-Clause */
/* Running a network that a fuzz target got hold of, if its layers together do little. */
#ifndef BDNN_TESTS_SMALL_NETWORK_H
#define BDNN_TESTS_SMALL_NETWORK_H

#include "core/memory.h"
#include "model/graph.h"

static inline void run_small_network(const bdnn_model *model)
{
    const bdnn_session_options options = {.struct_size = sizeof options, .threads = 1};
    int64_t work = 0, shape[6] = {0};
    bdnn_session *session;
    float *input;
    if (model->graph.input_count != 1 || bdnn_model_input_shape(model, shape) < 1 || shape[0] != 1) {
        return;
    }
    for (size_t v = 0; v < model->graph.value_count; v++) {
        work += bdnn_shape_elements(&model->graph.values[v].shape);
    }
    for (size_t l = 0; l < bdnn_model_layer_count(model); l++) {
        bdnn_layer_info info;
        if (bdnn_model_layer(model, l, &info, NULL) != BDNN_OK || info.multiply_adds > 1000000 || work > 100000) {
            return;
        }
    }
    input = bdnn_zalloc((size_t)bdnn_shape_elements(&model->graph.values[model->graph.inputs[0]].shape), sizeof *input);
    if (input && bdnn_session_create(model, &options, &session, NULL) == BDNN_OK) {
        bdnn_session_run(session, input, NULL);
        bdnn_session_free(session);
    }
    bdnn_free(input);
}

#endif
