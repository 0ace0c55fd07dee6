/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn info: what a network consists of. */
#include "cli/transfers.h"

#include <cjson/cJSON.h>
#include <string.h>

struct totals {
    uint64_t parameters, floats;
    int64_t multiply_adds;
};

static void shape_text(const bdnn_layer_info *layer, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int32_t a = 1; a < layer->output_rank && used < size; a++) {
        used += (size_t)snprintf(text + used, size - used, a > 1 ? "x%lld" : "%lld", (long long)layer->output_shape[a]);
    }
}

static void add_row(cli_table *table, const bdnn_layer_info *layer)
{
    char shape[64], format[32], bases[48] = "", sizes[96] = "||";
    shape_text(layer, shape, sizeof shape);
    if (layer->output_bits) {
        snprintf(format, sizeof format, "uint8, %d bits", layer->output_bits);
    } else {
        snprintf(format, sizeof format, "%s", layer->output_step > 0 ? "int16" : "float");
    }
    if (layer->decomposed) {
        snprintf(bases, sizeof bases, "%d|%d|%.4g|%d", layer->bases, layer->bits, (double)layer->step,
                 layer->zero_point);
    } else {
        snprintf(bases, sizeof bases, "%s|||", layer->has_weights ? "float" : "");
    }
    if (layer->parameter_bytes) {
        snprintf(sizes, sizeof sizes, "%lld|%llu|%.1f %%", (long long)layer->multiply_adds,
                 (unsigned long long)layer->parameter_bytes,
                 layer->float_bytes ? 100.0 - 100.0 * (double)layer->parameter_bytes / (double)layer->float_bytes : 0);
    }
    cli_table_row(table, "%.60s|%s|%s|%s|%s|%s", layer->name, layer->operation, shape, format, bases, sizes);
}

static cJSON *json_of(const bdnn_layer_info *layer)
{
    cJSON *json = cJSON_CreateObject(), *shape = cJSON_AddArrayToObject(json, "output_shape");
    cli_json_text(json, "name", layer->name);
    cli_json_text(json, "operation", layer->operation);
    cJSON_AddNumberToObject(json, "parameter_bytes", (double)layer->parameter_bytes);
    cJSON_AddNumberToObject(json, "float_bytes", (double)layer->float_bytes);
    cJSON_AddNumberToObject(json, "multiply_adds", (double)layer->multiply_adds);
    cli_json_text(json, "output_format", layer->output_format);
    if (layer->output_step > 0) {
        cJSON_AddNumberToObject(json, "output_step", (double)layer->output_step);
    }
    for (int32_t a = 0; a < layer->output_rank; a++) {
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)layer->output_shape[a]));
    }
    if (layer->has_weights) {
        cJSON_AddNumberToObject(json, "filters", (double)layer->filters);
        cJSON_AddNumberToObject(json, "inner", (double)layer->inner);
        cJSON_AddNumberToObject(json, "groups", (double)layer->groups);
    }
    if (layer->decomposed) {
        cJSON_AddNumberToObject(json, "bases", layer->bases);
        cJSON_AddNumberToObject(json, "bits", layer->bits);
        cJSON_AddNumberToObject(json, "step", (double)layer->step);
        cJSON_AddNumberToObject(json, "zero_point", layer->zero_point);
    }
    return json;
}

static double compression(const struct totals *t)
{
    return t->floats ? 100.0 - 100.0 * (double)t->parameters / (double)t->floats : 0;
}

/* One number a channel: as they are, or, of the scales, what pixels are divided by. */
static void print_numbers(const char *what, const bdnn_preprocess *p, const float *numbers, const char *otherwise)
{
    printf("%s%s%s", what, numbers ? "" : "  ", numbers ? "" : otherwise);
    for (int32_t c = 0; numbers && c < p->channels; c++) {
        printf("%s%g", c ? ", " : "  ", numbers == p->scale ? 1 / (double)numbers[c] : (double)numbers[c]);
    }
    printf("\n");
}

static void print_head(const bdnn_model *model)
{
    int64_t shape[6];
    const int32_t rank = bdnn_model_input_shape(model, shape);
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    size_t labels;
    bdnn_model_labels(model, &labels);
    printf("input      ");
    for (int32_t a = 0; a < rank; a++) {
        printf(a ? "x%lld" : "%lld", (long long)shape[a]);
    }
    printf("\nimages     ");
    if (!p.channels) {
        printf("not taken\n");
    } else {
        printf("%d x %d, %s, %s", p.width, p.height,
               p.channels == 1 ? "gray"
               : p.bgr         ? "BGR"
                               : "RGB",
               p.resize == BDNN_RESIZE_CROP ? "central crop" : "stretched");
        if (p.resize == BDNN_RESIZE_CROP) {
            printf(" of a shorter side of %d", p.resize_short);
        }
        printf(", (pixel - mean) / deviation\n");
        print_numbers("mean     ", &p, p.mean_image ? NULL : p.mean, "an image of its own");
        print_numbers("deviation", &p, p.scale, NULL);
    }
    printf("labels     %zu\n\n", labels);
}

static void add_head(cJSON *json, const bdnn_model *model)
{
    int64_t shape[6];
    const int32_t rank = bdnn_model_input_shape(model, shape);
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    cJSON *input = cJSON_AddArrayToObject(json, "input_shape"), *labels, *pre;
    size_t count;
    const char *const *names = bdnn_model_labels(model, &count);
    for (int32_t a = 0; a < rank; a++) {
        cJSON_AddItemToArray(input, cJSON_CreateNumber((double)shape[a]));
    }
    if (p.channels) {
        pre = cJSON_AddObjectToObject(json, "preprocess");
        cJSON_AddNumberToObject(pre, "channels", p.channels);
        cJSON_AddNumberToObject(pre, "height", p.height);
        cJSON_AddNumberToObject(pre, "width", p.width);
        cli_json_text(pre, "order", p.channels == 1 ? "gray" : p.bgr ? "bgr" : "rgb");
        if (p.resize == BDNN_RESIZE_CROP) {
            cJSON_AddNumberToObject(pre, "resize_short", p.resize_short);
        }
        cJSON_AddBoolToObject(pre, "mean_image", p.mean_image != NULL);
        cJSON_AddItemToObject(pre, "mean", cJSON_CreateFloatArray(p.mean, p.channels));
        cJSON_AddItemToObject(pre, "scale", cJSON_CreateFloatArray(p.scale, p.channels));
    }
    labels = cJSON_AddArrayToObject(json, "labels");
    for (size_t i = 0; i < count; i++) {
        cli_json_add_text(labels, names[i]);
    }
}

/* `session`: on the device whose transfers are shown; NULL for none. */
static int print_info(const bdnn_model *model, const bdnn_session *session, bool as_json, bdnn_error *err)
{
    struct totals totals = {0};
    cli_table table = {0};
    cJSON *json = cJSON_CreateObject(), *layers;
    add_head(json, model);
    layers = cJSON_AddArrayToObject(json, "layers");
    cli_table_row(&table, "layer|operation|output|kept as|K|Q|step|zero|multiply-adds|bytes|saved");
    for (size_t i = 0; i < bdnn_model_layer_count(model); i++) {
        bdnn_layer_info layer;
        if (bdnn_model_layer(model, i, &layer, err) != BDNN_OK) {
            cli_table_free(&table);
            cJSON_Delete(json);
            return cli_fail(err);
        }
        totals.parameters += layer.parameter_bytes;
        totals.floats += layer.float_bytes;
        totals.multiply_adds += layer.multiply_adds;
        add_row(&table, &layer);
        cJSON_AddItemToArray(layers, json_of(&layer));
    }
    cli_table_row(&table, "total|||||||| %lld|%llu|%.1f %%", (long long)totals.multiply_adds,
                  (unsigned long long)totals.parameters, compression(&totals));
    if (as_json) {
        cJSON_AddNumberToObject(json, "parameter_bytes", (double)totals.parameters);
        cJSON_AddNumberToObject(json, "float_bytes", (double)totals.floats);
        cJSON_AddNumberToObject(json, "multiply_adds", (double)totals.multiply_adds);
        cJSON_AddNumberToObject(json, "compression_percent", compression(&totals));
        cli_add_transfers(json, session);
        cli_table_free(&table);
        return cli_print_json(json);
    }
    print_head(model);
    cli_table_print(&table, stdout);
    cli_print_transfers(session, 1);
    cli_table_free(&table);
    cJSON_Delete(json);
    return CLI_OK;
}

int cli_info(int argc, char **argv)
{
    static const struct option options[] = {
        CLI_MODEL_OPTIONS, CLI_DEVICE_OPTIONS, {"json", no_argument, NULL, CLI_COMMAND_OPTION}, {NULL, 0, NULL, 0}};
    cli_model_options model_options = {0};
    bool as_json = false;
    cli_device device = {0};
    cli_session session = {0};
    bdnn_model *model;
    bdnn_error err;
    int option, code;
    while ((option = cli_option("info", argc, argv, ":", options)) != -1) {
        if (option == CLI_COMMAND_OPTION) {
            as_json = true;
        } else if (cli_is_device_option(option)) {
            if (!cli_take_device_option("info", option, optarg, &device)) {
                return CLI_USAGE;
            }
        } else if (!cli_take_model_option("info", option, optarg, &model_options)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 1) {
        return cli_usage("info", "one network is needed");
    }
    if (cli_load(argv[optind], &model_options, &model, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    code = device.name && cli_session_open(&session, model, &device, 1, 1, &err) != BDNN_OK
               ? cli_fail(&err)
               : print_info(model, session.session, as_json, &err);
    cli_session_close(&session);
    bdnn_model_free(model);
    return code;
}
