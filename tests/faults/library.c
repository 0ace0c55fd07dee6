/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios on the library's public interface. */
#include "scenario.h"

#include <string.h>

static bdnn_status load(const char *path, const bdnn_load_options *options, bdnn_model **model, bdnn_error *err)
{
    return bdnn_model_load(path, options, model, err);
}

static void add_model(uint64_t *digest, const bdnn_model *model)
{
    size_t count;
    const char *const *labels = bdnn_model_labels(model, &count);
    for (size_t i = 0; i < count; i++) {
        digest_add(digest, labels[i], strlen(labels[i]));
    }
    for (size_t i = 0; i < bdnn_model_layer_count(model); i++) {
        bdnn_layer_info info = {0};
        bdnn_model_layer(model, i, &info, NULL);
        digest_add(digest, info.name, strlen(info.name));
        digest_add(digest, &info.parameter_bytes, sizeof info.parameter_bytes);
        digest_add(digest, info.output_shape, (size_t)info.output_rank * sizeof *info.output_shape);
    }
}

static bdnn_status load_and_save(const char *path, const bdnn_load_options *options, const char *to, uint64_t *digest,
                                 bdnn_error *err)
{
    bdnn_model *model;
    bdnn_status status = load(path, options, &model, err);
    if (status == BDNN_OK) {
        add_model(digest, model);
        status = to ? bdnn_model_save(model, to, err) : BDNN_OK;
        bdnn_model_free(model);
    }
    return status;
}

static bdnn_status import_onnx(uint64_t *digest, bdnn_error *err)
{
    const bdnn_load_options options = {
        .struct_size = sizeof options, .labels = in("labels.txt"), .mean_image = in("mean.npy")};
    return load_and_save(in("net.onnx"), &options, out("result.bdnn"), digest, err);
}

static bdnn_status import_kept(uint64_t *digest, bdnn_error *err)
{
    static const char *const names[] = {"arithmetic", "bn_spatial", "constants", "fold",     "lrn",
                                        "matmul",     "old",        "pad",       "pools",    "resize",
                                        "slice",      "transpose",  "unpool",    "upsample", "view"};
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == BDNN_OK; i++) {
        char name[64] = "kept/";
        strcat(strcat(name, names[i]), ".onnx");
        status = load_and_save(in(name), NULL, NULL, digest, err);
    }
    return status;
}

static bdnn_status import_folder(uint64_t *digest, bdnn_error *err)
{
    bdnn_status status = load_and_save(in("parameters"), NULL, NULL, digest, err);
    return status == BDNN_OK ? load_and_save(in("decomposed-parameters"), NULL, out("result.bdnn"), digest, err)
                             : status;
}

static bdnn_status export_folder(uint64_t *digest, bdnn_error *err)
{
    bdnn_model *model;
    bdnn_status status = load(in("dec.bdnn"), NULL, &model, err);
    (void)digest;
    if (status == BDNN_OK) {
        status = bdnn_model_export_npy(model, out("parameters"), err);
        bdnn_model_free(model);
    }
    return status;
}

/* ---- Running ---- */

static void fill(float *input, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        input[i] = (float)(i * 37 % 101) / 101 - 0.5f;
    }
}

static bdnn_status run_session(const bdnn_model *model, const char *device, uint64_t *digest, bdnn_error *err)
{
    static float input[2 * 3 * 8 * 8];
    const bdnn_session_options options = {.struct_size = sizeof options, .device = device, .threads = 2, .batch = 2};
    bdnn_session *session;
    bdnn_result result;
    bdnn_status status = bdnn_session_create(model, &options, &session, err);
    if (status != BDNN_OK) {
        return status;
    }
    fill(input, sizeof input / sizeof *input);
    status = bdnn_session_profile(session, err);
    if (status == BDNN_OK) {
        status = bdnn_session_run(session, input, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_session_output(session, 0, &result, err);
    }
    if (status == BDNN_OK) {
        size_t count = 1;
        for (int32_t a = 0; a < result.rank; a++) {
            count *= (size_t)result.shape[a];
        }
        digest_add(digest, result.data, count * sizeof *result.data);
    }
    bdnn_session_free(session);
    return status;
}

static bdnn_status run_networks(uint64_t *digest, bdnn_error *err)
{
    static const char *const devices[] = {"cpu", "reference", "float"}, *const files[] = {"dec.bdnn", "segdec.bdnn",
                                                                                          "net.bdnn"};
    bdnn_status status = BDNN_OK;
    for (int f = 0; f < 3 && status == BDNN_OK; f++) {
        bdnn_model *model;
        status = load(in(files[f]), NULL, &model, err);
        for (int d = 0; d < 3 && status == BDNN_OK; d++) {
            status = run_session(model, devices[d], digest, err);
        }
        bdnn_model_free(model);
    }
    return status;
}

/* ---- Decomposing ---- */

static bdnn_status decompose(bdnn_method method, bdnn_range range, uint64_t *digest, bdnn_error *err)
{
    static float inputs[4 * 3 * 8 * 8];
    bdnn_decompose_options options = BDNN_DECOMPOSE_OPTIONS_INIT;
    bdnn_model *model, *result;
    bdnn_layer_report *report = NULL;
    size_t count;
    bdnn_status status = load(in("net.bdnn"), NULL, &model, err);
    fill(inputs, sizeof inputs / sizeof *inputs);
    options.method = method;
    options.range = range;
    options.bases = 2;
    options.bits = 4;
    options.threads = 2;
    options.restarts = 1;
    if (status == BDNN_OK) {
        status = bdnn_decompose(model, inputs, 4, &options, &result, &report, &count, err);
    }
    if (status == BDNN_OK) {
        for (size_t i = 0; i < count; i++) {
            digest_add(digest, &report[i].output_snr_db, sizeof report[i].output_snr_db);
            digest_add(digest, &report[i].weight_error, sizeof report[i].weight_error);
        }
        status = bdnn_model_save(result, out("result.bdnn"), err);
        bdnn_model_free(result);
    }
    bdnn_report_free(report);
    bdnn_model_free(model);
    return status;
}

static bdnn_status decompose_by_data(uint64_t *digest, bdnn_error *err)
{
    return decompose(BDNN_METHOD_DATA, BDNN_RANGE_OUTPUT, digest, err);
}

static bdnn_status decompose_by_paper(uint64_t *digest, bdnn_error *err)
{
    return decompose(BDNN_METHOD_PAPER, BDNN_RANGE_PERCENTILE, digest, err);
}

/* ---- Images ---- */

static bdnn_status decode(const char *name, uint64_t *digest, bdnn_error *err)
{
    const bdnn_preprocess p = {
        .channels = 3, .height = 8, .width = 8, .resize = BDNN_RESIZE_CROP, .resize_short = 10, .scale = {1, 1, 1}};
    static float input[3 * 8 * 8];
    bdnn_image image;
    bdnn_status status = bdnn_image_load(in(name), 8, 8, &image, err);
    if (status == BDNN_OK) {
        digest_add(digest, image.pixels, (size_t)image.width * (size_t)image.height * (size_t)image.channels);
        status = bdnn_image_preprocess(&image, &p, input, err);
        digest_add(digest, input, sizeof input);
    }
    bdnn_image_free(&image);
    return status;
}

static bdnn_status decode_images(uint64_t *digest, bdnn_error *err)
{
    static const char *const names[] = {"baseline.jpg", "progressive.jpg", "gray.jpg", "color.png", "palette.png",
                                        "deep.png",     "color.bmp",       "lzw.tiff", "color.ppm", "lossy.webp"};
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == BDNN_OK; i++) {
        char name[64] = "pictures/";
        status = decode(strcat(name, names[i]), digest, err);
    }
    return status;
}

static bdnn_status draw(uint64_t *digest, bdnn_error *err)
{
    static const char *const labels[] = {"background", "road", "sky"};
    static const int32_t map[4] = {0, 1, 2, 1};
    bdnn_image image, overlay = {0};
    bdnn_status status = bdnn_image_load(in("pictures/color.png"), 0, 0, &image, err);
    if (status == BDNN_OK) {
        status = bdnn_image_overlay(&image, map, 2, 2, labels, 3, &overlay, err);
    }
    if (status == BDNN_OK) {
        digest_add(digest, overlay.pixels, (size_t)overlay.width * (size_t)overlay.height * 3);
        status = bdnn_image_save(&overlay, out("overlay.png"), err);
    }
    if (status == BDNN_OK) {
        status = bdnn_image_save(&image, out("image.png"), err);
    }
    bdnn_image_free(&overlay);
    bdnn_image_free(&image);
    return status;
}

/* ---- Datasets and metrics ---- */

static bdnn_status read_item(const bdnn_dataset *set, size_t index, uint64_t *digest, bdnn_error *err)
{
    const bdnn_preprocess p = {.channels = 3, .height = 8, .width = 8, .scale = {1, 1, 1}};
    static float input[3 * 8 * 8];
    static int32_t map[8 * 8];
    bdnn_class_counts counts[36] = {{0}};
    const bdnn_label_kind kind = bdnn_dataset_label_kind(set);
    double iou[36];
    bdnn_status status = bdnn_dataset_input(set, index, &p, input, err);
    digest_add(digest, input, sizeof input);
    digest_add(digest, &kind, sizeof kind);
    if (status == BDNN_OK && kind == BDNN_LABEL_CLASS) {
        status = bdnn_dataset_class(set, index, map, err);
        digest_add(digest, map, sizeof *map);
    } else if (status == BDNN_OK && kind == BDNN_LABEL_CLASS_MAP) {
        status = bdnn_dataset_class_map(set, index, 8, 8, map, err);
        if (status == BDNN_OK) {
            double mean;
            status = bdnn_class_counts_add(counts, 36, map, map, 64, err);
            mean = bdnn_mean_iou(counts, 36, iou);
            digest_add(digest, &mean, sizeof mean);
        }
        digest_add(digest, map, sizeof map);
    }
    return status;
}

static bdnn_status read_set(const char *path, const char *labels, uint64_t *digest, bdnn_error *err)
{
    bdnn_dataset *set;
    char name[512];
    bdnn_status status = bdnn_dataset_open(path, labels, &set, err);
    if (status != BDNN_OK) {
        return status;
    }
    for (size_t i = 0; i < bdnn_dataset_count(set) && status == BDNN_OK; i++) {
        status = read_item(set, i, digest, err);
        bdnn_dataset_name(set, i, name, sizeof name);
        digest_add(digest, name, strlen(name));
    }
    bdnn_dataset_free(set);
    return status;
}

static bdnn_status read_datasets(uint64_t *digest, bdnn_error *err)
{
    static const struct {
        const char *path, *labels;
    } sets[] = {{"classes", NULL},
                {"flat", "flat.txt"},
                {"flat", NULL},
                {"city", NULL},
                {"set/images-idx3-ubyte", NULL},
                {"set/zipped-images-idx3-ubyte.gz", NULL},
                {"set/maps-images.idx3-ubyte.gz", NULL},
                {"npy/images.npy", NULL}};
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < sizeof sets / sizeof *sets && status == BDNN_OK; i++) {
        status = read_set(in(sets[i].path), sets[i].labels ? in(sets[i].labels) : NULL, digest, err);
    }
    return status;
}

const scenario library_scenarios[] = {
    {.name = "import_onnx", .run = import_onnx, .outputs = {"result.bdnn"}},
    {.name = "import_kept", .run = import_kept},
    {.name = "import_folder", .run = import_folder, .outputs = {"result.bdnn"}},
    {.name = "export_folder", .run = export_folder},
    {.name = "run", .run = run_networks},
    {.name = "decompose_data", .run = decompose_by_data, .outputs = {"result.bdnn"}},
    {.name = "decompose_paper", .run = decompose_by_paper, .outputs = {"result.bdnn"}},
    {.name = "decode", .run = decode_images},
    {.name = "draw", .run = draw, .outputs = {"overlay.png", "image.png"}},
    {.name = "datasets", .run = read_datasets},
    {.name = NULL},
};
