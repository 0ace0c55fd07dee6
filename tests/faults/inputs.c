/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that the scenarios read: networks of a few layers, pictures of a few pixels, every layout of a dataset. */
#define _GNU_SOURCE
#include "core/tensor.h"
#include "import/npy.h"
#include "scenario.h"
#include "unit/onnx_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static char root[128], out_part[64];

static const char *path_of(const char *part, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s/%s", root, part, name);
    return path;
}

const char *in(const char *name)
{
    return path_of("in", name);
}

const char *out(const char *name)
{
    return path_of(out_part, name);
}

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "faults: cannot prepare %s: %s\n", what, strerror(errno));
        exit(2);
    }
}

static void need_ok(bdnn_status status, const bdnn_error *err)
{
    if (status != BDNN_OK) {
        fprintf(stderr, "faults: cannot prepare: %s\n", err->message);
        exit(2);
    }
}

static void make_folders_of(const char *path)
{
    char folder[512];
    for (const char *slash = path; (slash = strchr(slash + 1, '/')) != NULL;) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        mkdir(folder, 0777);
    }
}

static void put(const char *name, const void *data, size_t size)
{
    const char *path = in(name);
    FILE *file;
    make_folders_of(path);
    file = fopen(path, "wb");
    need(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, path);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void put_gzip(const char *name, const void *data, unsigned size)
{
    gzFile file = gzopen(in(name), "wb");
    need(file && gzwrite(file, data, size) == (int)size && gzclose(file) == Z_OK, name);
}

/* A file of the fuzz targets' corpora. */
static void put_kept(const char *name, const char *kept)
{
    static char data[1 << 16];
    char path[512];
    size_t size;
    FILE *file;
    snprintf(path, sizeof path, BDNN_TEST_CORPUS "/%s", kept);
    file = fopen(path, "rb");
    need(file != NULL, path);
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    put(name, data, size);
}

/* ---- Networks ---- */

static const char classifier[] =
    "input x 1 3 8 8\n"
    "float w1 6 3 3 3\nfloat b1 6 = 0.1\n"
    "float scale 6 = 0.9 1.1\nfloat shift 6 = 0.01\nfloat mean 6 = 0.02\nfloat var 6 = 0.5\n"
    "float w2 6 3 3 3\nfloat b2 6 = 0.2\n"
    "float w3 5 96\nfloat b3 5 = 0.3 -0.1\n"
    "node Conv x,w1,b1 > a name=conv1 pads=[1,1,1,1]\n"
    "node BatchNormalization a,scale,shift,mean,var > b name=bn1\n"
    "node Relu b > c name=relu1\n"
    "node MaxPool c > d name=pool1 kernel_shape=[2,2] strides=[2,2]\n"
    "node Conv d,w2,b2 > e name=conv2 pads=[1,1,1,1] group=2\n"
    "node Relu e > f name=relu2\n"
    "node Add d,f > g name=add\n"
    "node Flatten g > h name=flat axis=1\n"
    "node Gemm h,w3,b3 > i name=fc transB=1\n"
    "node Softmax i > y name=prob axis=1\n"
    "output y 1 5\n";

static const char segmenter[] = "input x 1 3 8 8\n"
                                "float w1 6 3 3 3\nfloat b1 6 = 0.1\n"
                                "float w2 4 6 1 1\nfloat b2 4 = 0.2 0 -0.2\n"
                                "node Conv x,w1,b1 > a name=conv1 pads=[1,1,1,1]\n"
                                "node Relu a > b name=relu1\n"
                                "node Conv b,w2,b2 > y name=conv2\n"
                                "output y 1 4 8 8\n";

static void make_decomposed(const char *from, const char *to)
{
    static float inputs[4 * 3 * 8 * 8];
    bdnn_decompose_options options = BDNN_DECOMPOSE_OPTIONS_INIT;
    bdnn_model *model, *result;
    bdnn_error err;
    options.bases = 2;
    options.bits = 4;
    options.threads = 1;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        inputs[i] = text_noise();
    }
    need_ok(bdnn_model_load(in(from), NULL, &model, &err), &err);
    need_ok(bdnn_decompose(model, inputs, 4, &options, &result, NULL, NULL, &err), &err);
    need_ok(bdnn_model_save(result, in(to), &err), &err);
    bdnn_model_free(result);
    bdnn_model_free(model);
}

static void make_network(const char *text, const char *onnx, const char *file, const char *decomposed,
                         const char *labels)
{
    wire bytes = onnx_text(text, NULL);
    bdnn_load_options options = {.struct_size = sizeof options, .labels = in(labels)};
    bdnn_model *model;
    bdnn_error err;
    put(onnx, bytes.data, bytes.size);
    free(bytes.data);
    need_ok(bdnn_model_load(in(onnx), &options, &model, &err), &err);
    need_ok(bdnn_model_save(model, in(file), &err), &err);
    bdnn_model_free(model);
    make_decomposed(file, decomposed);
}

static void make_networks(void)
{
    static const char *const kept[] = {"arithmetic", "bn_spatial", "constants", "fold",     "lrn",
                                       "matmul",     "old",        "pad",       "pools",    "resize",
                                       "slice",      "transpose",  "unpool",    "upsample", "view"};
    static float mean[3 * 8 * 8];
    bdnn_model *model;
    bdnn_error err;
    const bdnn_shape shape = {3, {3, 8, 8}};
    put_text("labels.txt", "ant\nbee\ncat\ndog\neel\n");
    put_text("seglabels.txt", "background\nroad\nsky\ntree\n");
    make_network(classifier, "net.onnx", "net.bdnn", "dec.bdnn", "labels.txt");
    make_network(segmenter, "seg.onnx", "seg.bdnn", "segdec.bdnn", "seglabels.txt");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char from[64], to[64];
        snprintf(from, sizeof from, "onnx/%s.onnx", kept[i]);
        snprintf(to, sizeof to, "kept/%s.onnx", kept[i]);
        put_kept(to, from);
    }
    for (size_t i = 0; i < sizeof mean / sizeof *mean; i++) {
        mean[i] = (float)(i % 7);
    }
    need_ok(bdnn_npy_save(in("mean.npy"), BDNN_NPY_FLOAT32, &shape, mean, &err), &err);
    for (int i = 0; i < 2; i++) {
        need_ok(bdnn_model_load(in(i ? "dec.bdnn" : "net.bdnn"), NULL, &model, &err), &err);
        need_ok(bdnn_model_export_npy(model, in(i ? "decomposed-parameters" : "parameters"), &err), &err);
        bdnn_model_free(model);
    }
}

/* ---- Pictures and datasets ---- */

static void make_idx(void)
{
    static uint8_t images[16 + 6 * 64] = {0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, 8},
                                   maps[16 + 6 * 64] = {0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, 8};
    static const uint8_t classes[] = {0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 3, 4, 0};
    for (size_t i = 16; i < sizeof images; i++) {
        images[i] = (uint8_t)(i * 7 + i / 64 * 29);
        maps[i] = (uint8_t)(i / 5 % 4);
    }
    put("set/images-idx3-ubyte", images, sizeof images);
    put("set/labels-idx1-ubyte", classes, sizeof classes);
    put_gzip("set/zipped-images-idx3-ubyte.gz", images, sizeof images);
    put_gzip("set/zipped-labels-idx1-ubyte.gz", classes, sizeof classes);
    put_gzip("set/maps-images.idx3-ubyte.gz", images, sizeof images);
    put_gzip("set/maps-labels.idx3-ubyte.gz", maps, sizeof maps);
}

static void make_npy(void)
{
    static const char head[] = "\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': (2, 8, 8), }";
    static const char label_head[] = "\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
    char data[128 + 128];
    memset(data, ' ', 128);
    memcpy(data, head, sizeof head - 1);
    data[127] = '\n';
    for (int i = 0; i < 128; i++) {
        data[128 + i] = (char)(i * 5);
    }
    put("npy/images.npy", data, sizeof data);
    memset(data, ' ', 128);
    memcpy(data, label_head, sizeof label_head - 1);
    data[127] = '\n';
    memcpy(data + 128, "\1\3", 2);
    put("npy/labels.npy", data, 130);
}

static void make_gray(const char *name)
{
    uint8_t pixels[8 * 8];
    const bdnn_image image = {pixels, 8, 8, 1};
    bdnn_error err;
    for (int i = 0; i < 64; i++) {
        pixels[i] = (uint8_t)(i % 34);
    }
    make_folders_of(in(name));
    need_ok(bdnn_image_save(&image, in(name), &err), &err);
}

static void make_datasets(void)
{
    static const char *const formats[] = {"baseline.jpg", "progressive.jpg", "gray.jpg", "color.png", "palette.png",
                                          "deep.png",     "color.bmp",       "lzw.tiff", "color.ppm", "lossy.webp"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char from[64], to[64];
        snprintf(from, sizeof from, "image/%s", formats[i]);
        snprintf(to, sizeof to, "pictures/%s", formats[i]);
        put_kept(to, from);
    }
    put_kept("classes/ant/1.png", "image/color.png");
    put_kept("classes/ant/2.jpg", "image/baseline.jpg");
    put_kept("classes/bee/1.png", "image/palette.png");
    put_kept("flat/one.png", "image/color.png");
    put_kept("flat/two.jpg", "image/baseline.jpg");
    put_text("flat.txt", "one.png 2\ntwo.jpg 4\n");
    make_gray("city/leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png");
    make_gray("city/gtFine/val/ulm/ulm_000000_000019_gtFine_labelTrainIds.png");
    make_gray("city/leftImg8bit/val/bonn/bonn_000000_000019_leftImg8bit.png");
    make_gray("city/gtFine/val/bonn/bonn_000000_000019_gtFine_labelIds.png");
    make_idx();
    make_npy();
}

bool choose_out_folder(const char *name)
{
    char path[512];
    snprintf(out_part, sizeof out_part, "%s/out", name);
    snprintf(path, sizeof path, "%s/%s", root, name);
    return mkdir(path, 0777) == 0 && mkdir(out(""), 0777) == 0;
}

void make_inputs(const char *folder)
{
    snprintf(root, sizeof root, "%s", folder);
    mkdir(in(""), 0777);
    make_networks();
    make_datasets();
}
