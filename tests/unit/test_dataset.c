/* SPDX-License-Identifier: BSD-2-Clause */
/* Every layout of docs/use/datasets.md, made here a few pixels large: counts, kinds, inputs and labels by hand; damaged
 * files are refused with the file and the number that is wrong. */
#define _GNU_SOURCE
#include "bdnn_data.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* Takes pixels as they are. */
static bdnn_preprocess plain(int32_t channels, int32_t height, int32_t width)
{
    return (bdnn_preprocess){.channels = channels, .height = height, .width = width, .scale = {1, 1, 1}};
}

static bdnn_dataset *open_set(const char *path, const char *labels, size_t count, bdnn_label_kind kind)
{
    bdnn_dataset *set;
    bdnn_error err;
    if (bdnn_dataset_open(path, labels, &set, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(bdnn_dataset_count(set), count);
    assert_int_equal(bdnn_dataset_label_kind(set), kind);
    return set;
}

static void expect_refusal(const char *path, const char *labels, bdnn_status status, const char *file,
                           const char *words)
{
    bdnn_dataset *set;
    bdnn_error err;
    assert_int_equal(bdnn_dataset_open(path, labels, &set, &err), status);
    assert_null(set);
    if (!strstr(err.message, file) || !strstr(err.message, words)) {
        fail_msg("'%s' does not name '%s' and '%s'", err.message, file, words);
    }
}

static void expect_input(const bdnn_dataset *set, size_t index, const bdnn_preprocess *p, const uint8_t *expected)
{
    const size_t size = (size_t)p->channels * (size_t)p->height * (size_t)p->width;
    float *input = calloc(size, sizeof *input);
    bdnn_error err;
    if (bdnn_dataset_input(set, index, p, input, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    for (size_t i = 0; i < size; i++) {
        assert_true(input[i] == expected[i]);
    }
    free(input);
}

static void expect_class(const bdnn_dataset *set, size_t index, int32_t expected)
{
    int32_t label = -1;
    assert_int_equal(bdnn_dataset_class(set, index, &label, NULL), BDNN_OK);
    assert_int_equal(label, expected);
}

static void expect_name(const bdnn_dataset *set, size_t index, const char *end)
{
    char name[512];
    const size_t length = strlen(bdnn_dataset_name(set, index, name, sizeof name));
    assert_true(length >= strlen(end));
    assert_string_equal(name + length - strlen(end), end);
}

/* ---- IDX ---- */

static const uint8_t idx_images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,  0,
                                     0, 3, 1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
static const uint8_t idx_classes[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};
static const uint8_t idx_maps[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 255, 4};

static const char *write_gzip(const char *name, const void *data, unsigned size)
{
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, data, size), size);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

static void check_classes(const char *path, const char *labels)
{
    bdnn_dataset *set = open_set(path, labels, 2, BDNN_LABEL_CLASS);
    const bdnn_preprocess p = plain(1, 2, 3), rgb = plain(3, 2, 3);
    float input[6];
    int32_t label;
    bdnn_error err;
    expect_input(set, 0, &p, idx_images + 16);
    expect_input(set, 1, &p, idx_images + 22);
    expect_input(set, 1, &rgb,
                 (const uint8_t[]){10, 20, 30, 40, 50, 60, 10, 20, 30, 40, 50, 60, 10, 20, 30, 40, 50, 60});
    expect_class(set, 0, 7);
    expect_class(set, 1, 3);
    expect_name(set, 1, ": image 1");
    assert_int_equal(bdnn_dataset_input(set, 2, &p, input, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "2 of 2"));
    assert_int_equal(bdnn_dataset_class_map(set, 0, 1, 1, &label, &err), BDNN_ERROR_ARGUMENT);
    bdnn_dataset_free(set);
}

static void idx_files_are_read(void **state)
{
    const char *images = scratch_write("a/t10k-images-idx3-ubyte", idx_images, sizeof idx_images);
    const char *labels = scratch_write("a/t10k-labels-idx1-ubyte", idx_classes, sizeof idx_classes);
    (void)state;
    check_classes(images, NULL);
    assert_int_equal(rename(labels, scratch_path("a/classes")), 0);
    bdnn_dataset_free(open_set(images, NULL, 2, BDNN_LABEL_NONE));
    check_classes(images, scratch_path("a/classes"));
    images = write_gzip("a/t10k-images-idx3-ubyte.gz", idx_images, sizeof idx_images);
    labels = write_gzip("a/t10k-labels-idx1-ubyte.gz", idx_classes, sizeof idx_classes);
    check_classes(images, NULL);
    check_classes(images, labels);
}

static void idx_class_maps_are_read(void **state)
{
    const char *images = write_gzip("segtest-images.idx3-ubyte.gz", idx_images, sizeof idx_images);
    bdnn_dataset *set;
    int32_t class_map[8];
    (void)state;
    write_gzip("segtest-labels.idx3-ubyte.gz", idx_maps, sizeof idx_maps);
    set = open_set(images, NULL, 2, BDNN_LABEL_CLASS_MAP);
    assert_int_equal(bdnn_dataset_class_map(set, 0, 2, 4, class_map, NULL), BDNN_OK); /* by nearest neighbor */
    assert_memory_equal(class_map, ((const int32_t[]){1, 1, 2, 2, 1, 1, 2, 2}), sizeof class_map);
    assert_int_equal(bdnn_dataset_class_map(set, 1, 1, 2, class_map, NULL), BDNN_OK); /* 255: not judged */
    assert_memory_equal(class_map, ((const int32_t[]){-1, 4}), 2 * sizeof *class_map);
    assert_int_equal(bdnn_dataset_class(set, 0, class_map, NULL), BDNN_ERROR_ARGUMENT);
    bdnn_dataset_free(set);
}

static void damaged_idx_files_are_refused(void **state)
{
    const char *good = "b/images-idx3", *path = NULL;
    uint8_t file[64];
    (void)state;
    scratch_write(good, idx_images, sizeof idx_images);
    for (size_t size = 0; size < sizeof idx_images; size++) {
        path = scratch_write("b/cut", idx_images, size);
        expect_refusal(path, NULL, BDNN_ERROR_FORMAT, "b/cut", "");
    }
    expect_refusal(path, NULL, BDNN_ERROR_FORMAT, "b/cut", "12 bytes");
    memcpy(file, idx_images, sizeof idx_images);
    path = scratch_write("b/long", file, sizeof idx_images + 1);
    expect_refusal(path, NULL, BDNN_ERROR_FORMAT, "b/long", "more data than the 12 bytes");
    memset(file + 4, 0xff, 12); /* more than memory can hold, in 28 bytes */
    path = scratch_write("b/bomb", file, sizeof idx_images);
    expect_refusal(path, NULL, BDNN_ERROR_FORMAT, "b/bomb", "4294967295");
    file[2] = 0x0d;
    path = scratch_write("b/floats", file, sizeof idx_images);
    expect_refusal(path, NULL, BDNN_ERROR_UNSUPPORTED, "b/floats", "0x0d");
    memcpy(file, idx_classes, sizeof idx_classes);
    file[7] = 1;
    path = scratch_write("b/labels", file, sizeof idx_classes - 1);
    expect_refusal(scratch_path(good), path, BDNN_ERROR_FORMAT, "b/labels", "1 labels for the 2 images");
    expect_refusal(path, NULL, BDNN_ERROR_FORMAT, "b/labels", "1 dimensions");
    expect_refusal(scratch_path(good), scratch_path("b/none"), BDNN_ERROR_IO, "b/none", "");
    expect_refusal(scratch_path("b/none"), NULL, BDNN_ERROR_IO, "b/none", "");
}

/* Every bit and every length of the compressed file. */
static void damaged_gzip_files_do_no_harm(void **state)
{
    const bdnn_preprocess p = plain(1, 2, 3);
    uint8_t file[256];
    bdnn_dataset *set;
    const char *path = write_gzip("c.gz", idx_images, sizeof idx_images);
    FILE *stream = fopen(path, "rb");
    const size_t size = fread(file, 1, sizeof file, stream);
    (void)state;
    fclose(stream);
    for (size_t i = 0; i < size; i++) {
        expect_refusal(scratch_write("cut.gz", file, i), NULL, BDNN_ERROR_FORMAT, "cut.gz", "");
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (bdnn_dataset_open(scratch_write("flip.gz", file, size), NULL, &set, NULL) == BDNN_OK) {
            expect_input(set, 1, &p, idx_images + 22); /* a time or a bit of padding */
            bdnn_dataset_free(set);
        }
        file[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void fashion_mnist_is_read(void **state)
{
    static const char path[] = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
    bdnn_dataset *set;
    size_t of_class[10] = {0};
    (void)state;
    if (access(path, R_OK) != 0) {
        skip();
    }
    set = open_set(path, NULL, 10000, BDNN_LABEL_CLASS);
    for (size_t i = 0; i < 10000; i++) {
        int32_t label;
        assert_int_equal(bdnn_dataset_class(set, i, &label, NULL), BDNN_OK);
        assert_in_range(label, 0, 9);
        of_class[label]++;
    }
    for (int c = 0; c < 10; c++) {
        assert_int_equal(of_class[c], 1000);
    }
    expect_class(set, 0, 9); /* the first is an ankle boot */
    bdnn_dataset_free(set);
}

/* ---- Folders ---- */

/* A gray PGM of one row. */
static void write_pgm(const char *name, const uint8_t *pixels, int width)
{
    char file[128];
    const int head = snprintf(file, sizeof file, "P5 %d 1 255\n", width);
    memcpy(file + head, pixels, (size_t)width);
    scratch_write(name, file, (size_t)(head + width));
}

static bool with_images(void)
{
    bdnn_image image;
    const bool with = bdnn_image_decode("", (const uint8_t *)"P5 1 1 255\n ", 12, 0, 0, &image, NULL) == BDNN_OK;
    bdnn_image_free(&image);
    return with;
}

static void folders_of_images_are_read(void **state)
{
    bdnn_dataset *set;
    float input[2];
    bdnn_error err;
    const bdnn_preprocess p = plain(1, 1, 2);
    (void)state;
    write_pgm("flat/b.pgm", (const uint8_t *)"\3\4", 2);
    write_pgm("flat/a.PGM", (const uint8_t *)"\1\2", 2);
    scratch_write("flat/readme.txt", "no image", 8);
    scratch_write("flat/c.jpg", "\xff\xd8\xff\xe0", 4);
    set = open_set(scratch_path("flat"), NULL, 3, BDNN_LABEL_NONE);
    expect_name(set, 1, "flat/b.pgm");
    if (with_images()) {
        expect_input(set, 0, &p, (const uint8_t *)"\1\2");
        expect_input(set, 1, &p, (const uint8_t *)"\3\4");
        assert_int_equal(bdnn_dataset_input(set, 2, &p, input, &err), BDNN_ERROR_FORMAT);
        assert_non_null(strstr(err.message, "flat/c.jpg"));
    }
    bdnn_dataset_free(set);
    scratch_write("empty/readme.txt", "", 0);
    expect_refusal(scratch_path("empty"), NULL, BDNN_ERROR_IO, "empty", "no images");
}

static void folders_of_classes_are_read(void **state)
{
    bdnn_dataset *set;
    (void)state;
    write_pgm("tree/dog/1.pgm", (const uint8_t *)"\1", 1);
    write_pgm("tree/cat/2.pgm", (const uint8_t *)"\2", 1);
    write_pgm("tree/cat/1.pgm", (const uint8_t *)"\3", 1);
    set = open_set(scratch_path("tree"), NULL, 3, BDNN_LABEL_CLASS);
    expect_name(set, 0, "tree/cat/1.pgm");
    expect_class(set, 0, 0);
    expect_class(set, 1, 0);
    expect_class(set, 2, 1);
    bdnn_dataset_free(set);
}

static void label_files_are_read(void **state)
{
    static const char by_name[] =
        "ILSVRC2012_val_00000002.pgm 65\r\n\nwith space.pgm\t970 \nILSVRC2012_val_00000001.pgm 3",
                      by_order[] = "5\n6\n7\n";
    const char *labels;
    bdnn_dataset *set;
    (void)state;
    write_pgm("val/ILSVRC2012_val_00000001.pgm", (const uint8_t *)"\1", 1);
    write_pgm("val/ILSVRC2012_val_00000002.pgm", (const uint8_t *)"\2", 1);
    write_pgm("val/with space.pgm", (const uint8_t *)"\3", 1);
    labels = scratch_write("val.txt", by_name, sizeof by_name - 1);
    set = open_set(scratch_path("val"), labels, 3, BDNN_LABEL_CLASS);
    expect_class(set, 0, 3);
    expect_class(set, 1, 65);
    expect_class(set, 2, 970);
    bdnn_dataset_free(set);
    labels = scratch_write("order.txt", by_order, sizeof by_order - 1);
    set = open_set(scratch_path("val"), labels, 3, BDNN_LABEL_CLASS);
    expect_class(set, 0, 5);
    expect_class(set, 2, 7);
    bdnn_dataset_free(set);
}

static void wrong_label_files_are_refused(void **state)
{
    static const struct {
        const char *text, *words;
    } wrong[] = {{"5\n6\n7\n8\n", "line 4"},
                 {"5\n6\n", "with space.pgm"},
                 {"5\nsix\n7\n", "line 2: 'six'"},
                 {"5\n-6\n7\n", "line 2: '-6'"},
                 {"5\n\n99999999999999999999\n", "line 3"},
                 {"nowhere.pgm 5\n", "line 1: no image 'nowhere.pgm'"},
                 {"with space.pgm five\n", "line 1: 'five'"},
                 {"", "no label for"}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *labels = scratch_write("wrong.txt", wrong[i].text, strlen(wrong[i].text));
        expect_refusal(scratch_path("val"), labels, BDNN_ERROR_FORMAT, "wrong.txt", wrong[i].words);
    }
    expect_refusal(scratch_path("val"), scratch_path("none.txt"), BDNN_ERROR_IO, "none.txt", "");
}

/* ---- Cityscapes ---- */

static void write_png(const char *name, const uint8_t *pixels, int32_t width)
{
    const bdnn_image image = {(uint8_t *)pixels, width, 1, 1};
    scratch_write(name, "", 0); /* for its folders */
    assert_int_equal(bdnn_image_save(&image, scratch_path(name), NULL), BDNN_OK);
}

static void cityscapes_is_read(void **state)
{
    static const uint8_t ids[] = {7, 33, 0, 26, 34, 255}, train_ids[] = {0, 18, 19, 255, 254, 13};
    const bdnn_preprocess p = plain(1, 1, 6);
    bdnn_dataset *set;
    int32_t class_map[6];
    bdnn_error err;
    (void)state;
    if (!with_images()) {
        skip();
    }
    write_png("city/leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png", ids, 6);
    write_png("city/leftImg8bit/val/bonn/bonn_000000_000019_leftImg8bit.png", ids, 6);
    write_png("city/gtFine/val/ulm/ulm_000000_000019_gtFine_labelTrainIds.png", train_ids, 6);
    write_png("city/gtFine/val/bonn/bonn_000000_000019_gtFine_labelIds.png", ids, 6);
    write_png("city/leftImg8bit/train/jena/jena_000000_000019_leftImg8bit.png", ids, 6);
    set = open_set(scratch_path("city"), NULL, 2, BDNN_LABEL_CLASS_MAP);
    expect_name(set, 0, "bonn_000000_000019_leftImg8bit.png");
    expect_input(set, 0, &p, ids);
    assert_int_equal(bdnn_dataset_class_map(set, 0, 1, 6, class_map, NULL), BDNN_OK);
    assert_memory_equal(class_map, ((const int32_t[]){0, 18, -1, 13, -1, -1}), sizeof class_map);
    assert_int_equal(bdnn_dataset_class_map(set, 1, 1, 6, class_map, NULL), BDNN_OK);
    assert_memory_equal(class_map, ((const int32_t[]){0, 18, -1, -1, -1, 13}), sizeof class_map);
    assert_int_equal(unlink(scratch_path("city/gtFine/val/ulm/ulm_000000_000019_gtFine_labelTrainIds.png")), 0);
    assert_int_equal(bdnn_dataset_class_map(set, 1, 1, 6, class_map, &err), BDNN_ERROR_IO);
    assert_non_null(strstr(err.message, "gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png"));
    bdnn_dataset_free(set);
    set = open_set(scratch_path("city/leftImg8bit/train"), NULL, 1, BDNN_LABEL_NONE); /* for calibration */
    bdnn_dataset_free(set);
    expect_refusal(scratch_path("city"), scratch_path("val.txt"), BDNN_ERROR_ARGUMENT, "city", "val.txt");
}

/* ---- .npy ---- */

static const char *write_npy(const char *name, const char *type, const char *shape, const void *data, size_t size)
{
    char file[1024];
    const int text = snprintf(file + 10, 119, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    memcpy(file, "\x93NUMPY\1\0\x76\0", 10);
    memset(file + 10 + text, ' ', (size_t)(118 - text));
    file[127] = '\n';
    memcpy(file + 128, data, size);
    return scratch_write(name, file, 128 + size);
}

static void npy_pairs_are_read(void **state)
{
    static const int64_t classes[] = {4, 2};
    static const int8_t negative[] = {4, -2};
    static const float numbers[] = {0.5f, -1, 2, 3};
    const uint8_t *pixels = idx_images + 16;
    const bdnn_preprocess gray = plain(1, 2, 3), rgb = plain(3, 1, 2), two = plain(2, 1, 1);
    bdnn_dataset *set;
    float input[4];
    int32_t label;
    bdnn_error err;
    (void)state;
    write_npy("images.npy", "|u1", "2, 2, 3", pixels, 12);
    write_npy("labels.npy", "<i8", "2,", classes, sizeof classes);
    set = open_set(scratch_path("images.npy"), NULL, 2, BDNN_LABEL_CLASS);
    expect_input(set, 1, &gray, pixels + 6);
    expect_class(set, 0, 4);
    expect_class(set, 1, 2);
    expect_name(set, 1, "images.npy: image 1");
    bdnn_dataset_free(set);
    set = open_set(write_npy("last.npy", "|u1", "2, 1, 2, 3", pixels, 12), NULL, 2, BDNN_LABEL_NONE);
    expect_input(set, 0, &rgb, (const uint8_t[]){1, 4, 2, 5, 3, 6});
    bdnn_dataset_free(set);
    set = open_set(write_npy("first.npy", "|u1", "2, 3, 1, 2", pixels, 12), NULL, 2, BDNN_LABEL_NONE);
    expect_input(set, 0, &rgb, (const uint8_t[]){1, 2, 3, 4, 5, 6});
    bdnn_dataset_free(set);
    set = open_set(write_npy("floats.npy", "<f4", "2, 2, 1, 1", numbers, sizeof numbers), NULL, 2, BDNN_LABEL_NONE);
    assert_int_equal(bdnn_dataset_input(set, 1, &two, input, NULL), BDNN_OK);
    assert_true(input[0] == 2 && input[1] == 3);
    assert_int_equal(bdnn_dataset_input(set, 1, &rgb, input, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "2 x 1 x 1"));
    bdnn_dataset_free(set);
    set =
        open_set(scratch_path("images.npy"), write_npy("negative.npy", "|i1", "2,", negative, 2), 2, BDNN_LABEL_CLASS);
    expect_class(set, 0, 4);
    assert_int_equal(bdnn_dataset_class(set, 1, &label, &err), BDNN_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "negative.npy: label number 1 is -2"));
    bdnn_dataset_free(set);
}

static void npy_class_maps_are_read(void **state)
{
    static const uint8_t class_maps[] = {0, 1, 255, 3};
    const char *images = write_npy("pictures.npy", "|u1", "2, 2, 3", idx_images + 16, 12);
    bdnn_dataset *set = open_set(images, write_npy("maps.npy", "|u1", "2, 1, 2", class_maps, sizeof class_maps), 2,
                                 BDNN_LABEL_CLASS_MAP);
    int32_t class_map[4];
    (void)state;
    assert_int_equal(bdnn_dataset_class_map(set, 1, 2, 2, class_map, NULL), BDNN_OK);
    assert_memory_equal(class_map, ((const int32_t[]){-1, 3, -1, 3}), sizeof class_map);
    bdnn_dataset_free(set);
    expect_refusal(images, write_npy("one.npy", "|u1", "1, 1, 2", class_maps, 2), BDNN_ERROR_FORMAT, "one.npy",
                   "1x1x2");
    expect_refusal(write_npy("cut.npy", "|u1", "2, 2, 3", class_maps, 4), NULL, BDNN_ERROR_FORMAT, "cut.npy", "");
    expect_refusal(write_npy("doubles.npy", "<f8", "1, 1, 1", idx_images, 8), NULL, BDNN_ERROR_UNSUPPORTED,
                   "doubles.npy", "1x1x1");
    expect_refusal(write_npy("five.npy", "|u1", "1, 2, 2, 5", idx_images, 20), NULL, BDNN_ERROR_UNSUPPORTED, "five.npy",
                   "2 channels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_files_are_read),
        cmocka_unit_test(idx_class_maps_are_read),
        cmocka_unit_test(damaged_idx_files_are_refused),
        cmocka_unit_test(damaged_gzip_files_do_no_harm),
        cmocka_unit_test(fashion_mnist_is_read),
        cmocka_unit_test(folders_of_images_are_read),
        cmocka_unit_test(folders_of_classes_are_read),
        cmocka_unit_test(label_files_are_read),
        cmocka_unit_test(wrong_label_files_are_refused),
        cmocka_unit_test(cityscapes_is_read),
        cmocka_unit_test(npy_pairs_are_read),
        cmocka_unit_test(npy_class_maps_are_read),
    };
    return cmocka_run_group_tests_name("dataset", tests, scratch_make, scratch_remove);
}
