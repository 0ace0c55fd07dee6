/* SPDX-License-Identifier: BSD-2-Clause */
/* Options: numbers, and what every command that loads a network takes. */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool cli_integer(const char *command, const char *option, const char *text, long long low, long long high,
                 long long *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (errno || end == text || *end || *value < low || *value > high) {
        cli_usage(command, "--%s %s: a whole number from %lld to %lld is needed", option, text, low, high);
        return false;
    }
    return true;
}

bool cli_number(const char *command, const char *option, const char *text, double low, double high, double *value)
{
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end || !(*value >= low && *value <= high)) {
        cli_usage(command, "--%s %s: a number from %g to %g is needed", option, text, low, high);
        return false;
    }
    return true;
}

int cli_option(const char *command, int argc, char **argv, const char *letters, const struct option *options)
{
    int option;
    opterr = 0;
    option = getopt_long(argc, argv, letters, options, NULL);
    if (option == ':') {
        cli_usage(command, "option '%s' needs a value", argv[optind - 1]);
    } else if (option == '?' && optopt > CHAR_MAX) {
        cli_usage(command, "option '%s' takes no value", argv[optind - 1]);
    } else if (option == '?' && optopt) {
        cli_usage(command, "unknown option '-%c'", optopt);
    } else if (option == '?') {
        cli_usage(command, "unknown or ambiguous option '%s'", argv[optind - 1]);
    }
    return option;
}

/* One number for all channels, or three with commas between. */
static bool take_triple(const char *command, const char *option, const char *text, float out[3])
{
    char copy[128], *rest = copy;
    int count = 0;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy) {
        cli_usage(command, "--%s %.40s...: one number or three are needed", option, text);
        return false;
    }
    for (char *part = rest; part && count < 3; count++) {
        double value;
        char *comma = strchr(part, ',');
        if (comma) {
            *comma = '\0';
        }
        if (!cli_number(command, option, part, -1e6, 1e6, &value)) {
            return false;
        }
        out[count] = (float)value;
        part = comma ? comma + 1 : NULL;
        rest = part;
    }
    if (rest || (count != 1 && count != 3)) {
        cli_usage(command, "--%s %s: one number or three are needed", option, text);
        return false;
    }
    for (; count < 3; count++) {
        out[count] = out[0];
    }
    return true;
}

bool cli_take_model_option(const char *command, int option, const char *text, cli_model_options *o)
{
    long long value;
    switch (option) {
    case CLI_ARCH:
        o->load.architecture = text;
        return true;
    case CLI_MEAN_IMAGE:
        o->load.mean_image = text;
        return true;
    case CLI_LABELS:
        o->load.labels = text;
        return true;
    case CLI_NO_EXIF:
        o->load.ignore_exif = true;
        return true;
    case CLI_KEEP_BN:
        o->load.keep_batch_norm = true;
        return true;
    case CLI_MEAN:
        o->has_mean = true;
        return take_triple(command, "mean", text, o->mean);
    case CLI_STD:
        o->has_std = true;
        if (!take_triple(command, "std", text, o->std)) {
            return false;
        }
        for (int c = 0; c < 3; c++) {
            if (!(o->std[c] > 0)) {
                cli_usage(command, "--std %s: must be above 0", text);
                return false;
            }
        }
        return true;
    case CLI_UNIT:
        o->unit = true;
        return true;
    case CLI_ORDER:
        o->has_order = true;
        o->bgr = strcmp(text, "bgr") == 0;
        if (!o->bgr && strcmp(text, "rgb") != 0) {
            cli_usage(command, "--order %s: rgb or bgr is needed", text);
            return false;
        }
        return true;
    case CLI_RESIZE_SHORT:
        if (!cli_integer(command, "resize-short", text, 1, 16384, &value)) {
            return false;
        }
        o->resize_short = (int32_t)value;
        return true;
    default: /* cli_option has said what is wrong */
        return false;
    }
}

bdnn_status cli_load(const char *path, const cli_model_options *o, bdnn_model **model, bdnn_error *err)
{
    bdnn_load_options load = o->load;
    bdnn_preprocess p;
    bdnn_status status;
    load.struct_size = sizeof load;
    cli_loading(path);
    status = bdnn_model_load(path, &load, model, err);
    if (status == BDNN_OK) {
        cli_loaded(path, *model);
    }
    cli_loading(NULL);
    if (status != BDNN_OK || (!o->has_mean && !o->has_std && !o->has_order && !o->resize_short && !o->unit)) {
        return status;
    }
    p = bdnn_model_preprocess(*model);
    for (int c = 0; c < 3; c++) {
        const double unit = o->unit ? 255 : 1;
        p.mean[c] = o->has_mean ? (float)(o->mean[c] * unit) : p.mean[c];
        p.scale[c] = o->has_std || o->unit ? (float)(1 / ((o->has_std ? (double)o->std[c] : 1) * unit)) : p.scale[c];
    }
    p.bgr = o->has_order ? o->bgr : p.bgr;
    if (o->resize_short) {
        p.resize = BDNN_RESIZE_CROP;
        p.resize_short = o->resize_short;
    }
    status = bdnn_model_set_preprocess(*model, &p, err);
    if (status != BDNN_OK) {
        bdnn_model_free(*model);
        *model = NULL;
    }
    return status;
}
