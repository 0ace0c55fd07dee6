/* SPDX-License-Identifier: BSD-2-Clause */
/* One case of ONNX's backend test suite, from its files to a verdict. */
#include "backend_case.h"

#include "core/memory.h"
#include "import/onnx_operators.h"
#include "import/onnx_tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_TENSORS = 16, MAX_PATH = 1024 };

/* The tensors of one data set, and what their memory hangs on. */
typedef struct data_set {
    Onnx__TensorProto *protos[2 * MAX_TENSORS];
    size_t proto_count;
    onnx_importer importer; /* owns the decoded tensors */
    onnx_operand *inputs[MAX_TENSORS], *outputs[MAX_TENSORS];
    size_t input_count, output_count;
} data_set;

typedef struct backend_case {
    case_report *report;
    bdnn_file_map file;
    Onnx__ModelProto *proto;
    const char *input_names[MAX_TENSORS]; /* graph inputs that are not initializers, in order */
    int32_t input_types[MAX_TENSORS];     /* as the model declares them */
    int32_t output_types[MAX_TENSORS];
    size_t input_count;
} backend_case;

static bool verdict(case_report *report, case_result result, const char *reason)
{
    report->result = result;
    snprintf(report->reason, sizeof report->reason, "%s", reason);
    return false;
}

static bool verdict_of(case_report *report, bdnn_status status, const char *message)
{
    return verdict(report, status == BDNN_ERROR_UNSUPPORTED ? CASE_UNSUPPORTED : CASE_FAILED, message);
}

/* ---- Files ---- */

/* The suite keeps bfloat16 as the 16-bit integers of its bits; the model's declared type says which are meant so. */
static bool read_tensor(case_report *report, const char *path, int32_t declared, data_set *set, onnx_operand **tensor)
{
    Onnx__TensorProto *proto;
    bdnn_error err;
    bdnn_file_map map;
    bdnn_status status = bdnn_map_file(path, &map, &err);
    if (status == BDNN_OK) {
        status = bdnn_onnx_unpack_tensor(map.data, map.size, &proto, &err);
        bdnn_unmap_file(&map);
    }
    if (status != BDNN_OK) {
        return verdict(report, CASE_FAILED, err.message);
    }
    set->protos[set->proto_count++] = proto;
    if (declared == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 &&
        proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT16) {
        proto->data_type = declared;
    }
    *tensor = bdnn_onnx_tensor(&set->importer, proto);
    return *tensor || verdict_of(report, set->importer.status, set->importer.error.message);
}

/* <directory>/<kind>_0.pb, _1.pb, ... as long as there are any. */
static bool read_tensors(case_report *report, const char *directory, const char *kind, const int32_t *declared,
                         data_set *set, onnx_operand **tensors, size_t *count)
{
    for (*count = 0; *count < MAX_TENSORS; ++*count) {
        char path[MAX_PATH + 64];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s_%zu.pb", directory, kind, *count);
        if (stat(path, &info) != 0) {
            break;
        }
        if (!read_tensor(report, path, declared[*count], set, &tensors[*count])) {
            return false;
        }
    }
    return true;
}

static void free_data_set(data_set *set)
{
    for (size_t i = 0; i < set->proto_count; i++) {
        bdnn_onnx_free(set->protos[i]);
    }
    bdnn_onnx_release(&set->importer);
}

static bool is_initializer(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++) {
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The first operator without an importer. */
static void find_unknown_operator(const Onnx__GraphProto *graph, case_report *report)
{
    report->operators_known = true;
    for (size_t i = 0; i < graph->n_node && report->operators_known; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        bool foreign = node->domain && node->domain[0];
        if (foreign || !bdnn_onnx_find(node->op_type)) {
            report->operators_known = false;
            snprintf(report->operator_name, sizeof report->operator_name, "%s%s%s", foreign ? node->domain : "",
                     foreign ? "." : "", node->op_type);
        }
    }
}

/* The element type of a tensor; 0 for sequences and the like. */
static int32_t declared_type(const Onnx__ValueInfoProto *info)
{
    const Onnx__TypeProto *type = info->type;
    return type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type->elem_type : 0;
}

static bool read_signature(backend_case *bc, const Onnx__GraphProto *graph)
{
    bool tensors = true;
    for (size_t i = 0; i < graph->n_input && bc->input_count < MAX_TENSORS; i++) {
        if (!is_initializer(graph, graph->input[i]->name)) {
            bc->input_types[bc->input_count] = declared_type(graph->input[i]);
            tensors = tensors && bc->input_types[bc->input_count];
            bc->input_names[bc->input_count++] = graph->input[i]->name;
        }
    }
    for (size_t i = 0; i < graph->n_output && i < MAX_TENSORS; i++) {
        bc->output_types[i] = declared_type(graph->output[i]);
        tensors = tensors && bc->output_types[i];
    }
    return tensors || verdict(bc->report, CASE_UNSUPPORTED, "a sequence, or an optional value");
}

static bool read_model(backend_case *bc, const char *directory)
{
    char path[MAX_PATH + 64];
    bdnn_error err;
    snprintf(path, sizeof path, "%s/model.onnx", directory);
    if (bdnn_map_file(path, &bc->file, &err) != BDNN_OK ||
        bdnn_onnx_unpack(bc->file.data, bc->file.size, &bc->proto, &err) != BDNN_OK) {
        return verdict(bc->report, CASE_FAILED, err.message);
    }
    find_unknown_operator(bc->proto->graph, bc->report);
    return read_signature(bc, bc->proto->graph);
}

/* ---- Comparing ---- */

static bool same_shape(case_report *report, size_t index, const bdnn_shape *found, const bdnn_shape *expected)
{
    char text[512], a[128], b[128];
    if (bdnn_shape_equal(found, expected)) {
        return true;
    }
    snprintf(text, sizeof text, "output %zu has shape [%s] instead of [%s]", index, bdnn_shape_text(found, a, sizeof a),
             bdnn_shape_text(expected, b, sizeof b));
    return verdict(report, CASE_FAILED, text);
}

static bool same_float(float found, float expected, double largest, double *error)
{
    double allowed = 1e-5 * fabs((double)expected) + 1e-6 * largest, difference;
    if (found == expected || (isnan(found) && isnan(expected))) {
        return true;
    }
    difference = fabs((double)found - (double)expected) / allowed;
    *error = difference > *error ? difference : *error;
    return difference <= 1.0;
}

static bool compare_floats(case_report *report, size_t index, const float *found, const onnx_operand *expected)
{
    const float *wanted = expected->data;
    int64_t count = bdnn_shape_elements(&expected->shape);
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++) {
        largest = isfinite(wanted[i]) && fabs((double)wanted[i]) > largest ? fabs((double)wanted[i]) : largest;
    }
    for (int64_t i = 0; i < count; i++) {
        if (!same_float(found[i], wanted[i], largest, &report->error)) {
            char text[256];
            snprintf(text, sizeof text, "output %zu, element %lld: %.9g instead of %.9g", index, (long long)i,
                     (double)found[i], (double)wanted[i]);
            return verdict(report, CASE_FAILED, text);
        }
    }
    return true;
}

/* `found` are integers, or floats that a session made of them. */
static bool compare_integers(case_report *report, size_t index, const int64_t *found, const float *as_float,
                             const onnx_operand *expected)
{
    const int64_t *wanted = expected->data;
    int64_t count = bdnn_shape_elements(&expected->shape);
    for (int64_t i = 0; i < count; i++) {
        if (found ? found[i] != wanted[i] : as_float[i] != (float)wanted[i]) {
            char text[256];
            snprintf(text, sizeof text, "output %zu, element %lld: %lld instead of %lld", index, (long long)i,
                     found ? (long long)found[i] : (long long)as_float[i], (long long)wanted[i]);
            return verdict(report, CASE_FAILED, text);
        }
    }
    return true;
}

/* ---- Running ---- */

/* An output that the import computed. */
static bool compare_constant(case_report *report, const bdnn_value *value, size_t index, const onnx_operand *expected)
{
    size_t count = (size_t)bdnn_shape_elements(&value->shape);
    void *row_major = bdnn_alloc(count, bdnn_type_size(value->type));
    bool same = same_shape(report, index, &value->shape, &expected->shape);
    if (same && value->type != expected->type) {
        same = verdict(report, CASE_FAILED, "integers instead of floats, or floats instead of integers");
    }
    if (same && !row_major) {
        same = verdict(report, CASE_FAILED, "memory is short");
    }
    if (same) {
        bdnn_to_row_major(&value->shape, value->type, value->constant.data, row_major);
        same = value->type == BDNN_FLOAT32 ? compare_floats(report, index, row_major, expected)
                                           : compare_integers(report, index, row_major, NULL, expected);
    }
    bdnn_free(row_major);
    return same;
}

static bool compare_result(case_report *report, const bdnn_session *session, size_t index, const onnx_operand *expected)
{
    bdnn_result result;
    bdnn_error err;
    bdnn_shape shape = {0};
    if (bdnn_session_output(session, index, &result, &err) != BDNN_OK) {
        return verdict(report, CASE_FAILED, err.message);
    }
    shape.rank = result.rank;
    memcpy(shape.dim, result.shape, sizeof shape.dim);
    if (!same_shape(report, index, &shape, &expected->shape)) {
        return false;
    }
    return expected->type == BDNN_FLOAT32 ? compare_floats(report, index, result.data, expected)
                                          : compare_integers(report, index, NULL, result.data, expected);
}

static bool run_model(case_report *report, const bdnn_model *model, const onnx_operand *input, const data_set *set)
{
    const bdnn_graph *graph = &model->graph;
    /* Some of its cases are about what IEEE 754 does with infinity. */
    bdnn_session_options options = {.struct_size = sizeof options,
                                    .batch = input && input->shape.rank ? (size_t)input->shape.dim[0] : 1,
                                    .allow_not_finite = true};
    bdnn_session *session = NULL;
    bdnn_error err;
    bdnn_status status = BDNN_OK;
    bool same = true;
    if (graph->output_count != set->output_count) {
        return verdict(report, CASE_FAILED, "another number of outputs");
    }
    if (graph->layer_count) {
        status = bdnn_session_create(model, &options, &session, &err);
        if (status == BDNN_OK) {
            status = bdnn_session_run(session, input->data, &err);
        }
    }
    if (status != BDNN_OK) {
        same = verdict_of(report, status, err.message);
    }
    for (size_t i = 0; same && i < set->output_count; i++) {
        const bdnn_value *value = &graph->values[graph->outputs[i]];
        same = value->constant.data ? compare_constant(report, value, i, set->outputs[i])
                                    : compare_result(report, session, i, set->outputs[i]);
    }
    bdnn_session_free(session);
    return same;
}

/* Imports and runs with graph input `network` left as the network's input, or all constants for one past the last. */
static bool attempt(backend_case *bc, const data_set *set, size_t network)
{
    bdnn_bound_input bound[MAX_TENSORS];
    const bdnn_onnx_options options = {.bound = bound, .bound_count = set->input_count};
    bdnn_error err;
    bdnn_model *model;
    bdnn_status status;
    bool same;
    for (size_t i = 0; i < set->input_count; i++) {
        bound[i] = (bdnn_bound_input){bc->input_names[i], set->inputs[i]->type, set->inputs[i]->shape,
                                      i == network ? NULL : set->inputs[i]->data};
    }
    bc->report->result = CASE_PASSED;
    status = bdnn_import_onnx("model.onnx", bc->file.data, bc->file.size, &options, &model, &err);
    if (status != BDNN_OK) {
        return verdict_of(bc->report, status, err.message);
    }
    same = run_model(bc->report, model, network < set->input_count ? set->inputs[network] : NULL, set);
    bdnn_model_free(model);
    return same;
}

/* The first floating point input that holds anything; the number of inputs when there is none. */
static size_t network_input(const backend_case *bc, const data_set *set)
{
    size_t i = 0;
    bdnn_type type;
    while (i < set->input_count && !(bdnn_onnx_type(bc->input_types[i], &type) && type == BDNN_FLOAT32 &&
                                     bdnn_shape_elements(&set->inputs[i]->shape) > 0)) {
        i++;
    }
    return i;
}

static void run_data_set(backend_case *bc, const data_set *set)
{
    size_t network = network_input(bc, set);
    if (set->input_count != bc->input_count) {
        verdict(bc->report, CASE_FAILED, "another number of inputs than the model has");
        return;
    }
    if (!attempt(bc, set, network) && bc->report->result == CASE_UNSUPPORTED && network < set->input_count &&
        bc->report->operators_known) {
        char reason[sizeof bc->report->reason];
        memcpy(reason, bc->report->reason, sizeof reason);
        network = set->input_count;
        if (!attempt(bc, set, network) && bc->report->result == CASE_UNSUPPORTED) {
            memcpy(bc->report->reason, reason, sizeof reason);
        }
    }
    bc->report->folded = bc->report->folded || (network == set->input_count && set->input_count > 0);
}

void run_backend_case(const char *directory, case_report *report)
{
    backend_case bc = {.report = report};
    memset(report, 0, sizeof *report);
    report->result = CASE_PASSED;
    if (read_model(&bc, directory)) {
        for (int n = 0; report->result == CASE_PASSED; n++) {
            char path[MAX_PATH + 32];
            data_set set = {.importer = {.graph = NULL}};
            struct stat info;
            snprintf(path, sizeof path, "%s/test_data_set_%d", directory, n);
            if (stat(path, &info) != 0) {
                if (n == 0) {
                    verdict(report, CASE_FAILED, "no data");
                }
                break;
            }
            if (read_tensors(report, path, "input", bc.input_types, &set, set.inputs, &set.input_count) &&
                read_tensors(report, path, "output", bc.output_types, &set, set.outputs, &set.output_count)) {
                run_data_set(&bc, &set);
            }
            free_data_set(&set);
        }
    }
    if (bc.proto) {
        bdnn_onnx_free(bc.proto);
    }
    bdnn_unmap_file(&bc.file);
}
