/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn convert, bdnn export-npy, bdnn devices: the small subcommands. */
#include "cli/cli.h"

int cli_convert(int argc, char **argv)
{
    static const struct option options[] = {
        CLI_MODEL_OPTIONS, {"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    cli_model_options model_options = {0};
    const char *output = NULL, *inputs[3];
    bdnn_model *model;
    bdnn_error err;
    bdnn_status status;
    int option, code;
    while ((option = cli_option("convert", argc, argv, ":o:", options)) != -1) {
        if (option == 'o') {
            output = optarg;
        } else if (!cli_take_model_option("convert", option, optarg, &model_options)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 1 || !output) {
        return cli_usage("convert", "one network and -o OUT.bdnn are needed");
    }
    inputs[0] = argv[optind];
    inputs[1] = model_options.load.labels;
    inputs[2] = model_options.load.mean_image;
    code = cli_check_outputs("convert", &output, 1, inputs, 3);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_load(argv[optind], &model_options, &model, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    status = bdnn_model_save(model, output, &err);
    bdnn_model_free(model);
    return status == BDNN_OK ? CLI_OK : cli_fail(&err);
}

int cli_export_npy(int argc, char **argv)
{
    static const struct option options[] = {CLI_MODEL_OPTIONS, {NULL, 0, NULL, 0}};
    cli_model_options model_options = {0};
    bdnn_model *model;
    bdnn_error err;
    bdnn_status status;
    int option;
    while ((option = cli_option("export-npy", argc, argv, ":", options)) != -1) {
        if (!cli_take_model_option("export-npy", option, optarg, &model_options)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 2) {
        return cli_usage("export-npy", "a network and a folder are needed");
    }
    if (cli_load(argv[optind], &model_options, &model, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    status = bdnn_model_export_npy(model, argv[optind + 1], &err);
    bdnn_model_free(model);
    return status == BDNN_OK ? CLI_OK : cli_fail(&err);
}
