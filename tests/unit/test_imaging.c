/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding, pre-processing and overlays. Lossless pictures come back exactly; damaged files are refused or, where only
 * their tail is missing, come back whole; sizes and the pre-processing are compared with computations by hand. */
#define _GNU_SOURCE
#include "bdnn_data.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <cmocka.h>

/* The picture of the files below: red 60 x, green 80 y, blue 7 + x y. */
enum { WIDTH = 4, HEIGHT = 3 };

static const uint8_t bmp[] = {66, 77,  90,  0,  0,   0,   0,  0,   0,   0,  54,  0,   0, 0,  40,  0, 0,  0,
                              4,  0,   0,   0,  3,   0,   0,  0,   1,   0,  24,  0,   0, 0,  0,   0, 0,  0,
                              0,  0,   0,   0,  0,   0,   0,  0,   0,   0,  0,   0,   0, 0,  0,   0, 0,  0,
                              7,  160, 0,   9,  160, 60,  11, 160, 120, 13, 160, 180, 7, 80, 0,   8, 80, 60,
                              9,  80,  120, 10, 80,  180, 7,  0,   0,   7,  0,   60,  7, 0,  120, 7, 0,  180};
static const uint8_t webp[] = {82,  73, 70,  70,  64,  0,  0,   0,   87,  69,  66, 80,  86,  80,  56,  76,  52,  0,
                               0,   0,  47,  3,   128, 0,  0,   95,  48,  80,  2,  129, 100, 176, 240, 7,   83,  208,
                               182, 13, 147, 238, 242, 71, 156, 249, 15,  125, 0,  192, 154, 101, 89,  3,   133, 66,
                               1,   65, 0,   137, 66,  44, 57,  204, 178, 210, 44, 147, 70,  244, 63,  176, 217, 1};
static const uint8_t tiff[] = {
    73, 73,  42, 0,   44,  0,  0,  0, 0,   0, 7,  60,  0, 7,   120, 0,  7,   180, 0,  7,  0, 80, 7, 60, 80,
    8,  120, 80, 9,   180, 80, 10, 0, 160, 7, 60, 160, 9, 120, 160, 11, 180, 160, 13, 11, 0, 0,  1, 3,  0,
    1,  0,   0,  0,   4,   0,  0,  0, 1,   1, 3,  0,   1, 0,   0,   0,  3,   0,   0,  0,  2, 1,  3, 0,  3,
    0,  0,   0,  182, 0,   0,  0,  3, 1,   3, 0,  1,   0, 0,   0,   1,  0,   0,   0,  6,  1, 3,  0, 1,  0,
    0,  0,   2,  0,   0,   0,  17, 1, 4,   0, 1,  0,   0, 0,   8,   0,  0,   0,   21, 1,  3, 0,  1, 0,  0,
    0,  3,   0,  0,   0,   22, 1,  3, 0,   1, 0,  0,   0, 3,   0,   0,  0,   23,  1,  4,  0, 1,  0, 0,  0,
    36, 0,   0,  0,   28,  1,  3,  0, 1,   0, 0,  0,   1, 0,   0,   0,  83,  1,   3,  0,  3, 0,  0, 0,  188,
    0,  0,   0,  0,   0,   0,  0,  8, 0,   8, 0,  8,   0, 1,   0,   1,  0,   1,   0};

/* A file in memory. */
struct sample {
    const char *name;
    uint8_t *data;
    size_t size;
};

static void fill_picture(uint8_t *rgb)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++, rgb += 3) {
            rgb[0] = (uint8_t)(60 * x);
            rgb[1] = (uint8_t)(80 * y);
            rgb[2] = (uint8_t)(7 + x * y);
        }
    }
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static size_t put_chunk(uint8_t *to, const char *type, const uint8_t *data, size_t size)
{
    put32(to, (uint32_t)size);
    memcpy(to + 4, type, 4);
    if (size) {
        memcpy(to + 8, data, size);
    }
    put32(to + 8 + size, (uint32_t)crc32(0, to + 4, (uInt)(size + 4)));
    return size + 12;
}

/* A PNG of any kind; rows hold a filter byte and then the pixels as the kind has them. */
static size_t make_png(uint8_t *to, uint32_t width, uint32_t height, uint8_t depth, uint8_t color, const uint8_t *rows,
                       size_t row_bytes)
{
    uint8_t head[13] = {0}, packed[1024];
    uLongf packed_size = sizeof packed;
    size_t size = 8;
    put32(head, width);
    put32(head + 4, height);
    head[8] = depth;
    head[9] = color;
    assert_int_equal(compress(packed, &packed_size, rows, row_bytes), Z_OK);
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    size += put_chunk(to + size, "IHDR", head, sizeof head);
    size += put_chunk(to + size, "IDAT", packed, packed_size);
    return size + put_chunk(to + size, "IEND", NULL, 0);
}

static struct sample sample_png(void)
{
    uint8_t rgb[HEIGHT * WIDTH * 3], rows[HEIGHT][1 + WIDTH * 3];
    struct sample s = {"png", malloc(2048), 0};
    fill_picture(rgb);
    for (int y = 0; y < HEIGHT; y++) {
        rows[y][0] = 0;
        memcpy(rows[y] + 1, rgb + y * WIDTH * 3, WIDTH * 3);
    }
    s.size = make_png(s.data, WIDTH, HEIGHT, 8, 2, rows[0], sizeof rows);
    return s;
}

static struct sample sample_ppm(void)
{
    struct sample s = {"ppm", malloc(256), 0};
    s.size = (size_t)sprintf((char *)s.data, "P6 # a comment\n%d %d 255\n", WIDTH, HEIGHT);
    fill_picture(s.data + s.size);
    s.size += WIDTH * HEIGHT * 3;
    return s;
}

static struct sample copy_of(const char *name, const uint8_t *data, size_t size)
{
    struct sample s = {name, malloc(size), size};
    memcpy(s.data, data, size);
    return s;
}

enum { LOSSLESS = 5, SAMPLES = 6, JPEG_WIDTH = 64, JPEG_HEIGHT = 48 };

/* A smooth picture, which JPEG keeps within a few gray levels. */
static uint8_t smooth(int x, int y, int c)
{
    return (uint8_t)(c == 0 ? 3 * x : c == 1 ? 4 * y : 200 - x - y);
}

static struct sample sample_jpeg(int format, int subsampling)
{
    static uint8_t pixels[JPEG_HEIGHT][JPEG_WIDTH][4];
    struct sample s = {"jpeg", NULL, 0};
    unsigned char *data = NULL;
    unsigned long size = 0;
    tjhandle encoder = tjInitCompress();
    for (int y = 0; y < JPEG_HEIGHT; y++) {
        for (int x = 0; x < JPEG_WIDTH; x++) {
            for (int c = 0; c < tjPixelSize[format]; c++) {
                (&pixels[0][0][0])[(y * JPEG_WIDTH + x) * tjPixelSize[format] + c] = smooth(x, y, c);
            }
        }
    }
    assert_int_equal(tjCompress2(encoder, &pixels[0][0][0], JPEG_WIDTH, 0, JPEG_HEIGHT, format, &data, &size,
                                 subsampling, 98, TJFLAG_ACCURATEDCT),
                     0);
    s = copy_of("jpeg", data, size);
    tjFree(data);
    tjDestroy(encoder);
    return s;
}

static void make_samples(struct sample samples[SAMPLES])
{
    samples[0] = sample_png();
    samples[1] = sample_ppm();
    samples[2] = copy_of("bmp", bmp, sizeof bmp);
    samples[3] = copy_of("webp", webp, sizeof webp);
    samples[4] = copy_of("tiff", tiff, sizeof tiff);
    samples[5] = sample_jpeg(TJPF_RGB, TJSAMP_444);
}

static void free_samples(struct sample samples[SAMPLES])
{
    for (int i = 0; i < SAMPLES; i++) {
        free(samples[i].data);
    }
}

static void lossless_files_come_back_exactly(void **state)
{
    struct sample samples[SAMPLES];
    uint8_t picture[HEIGHT * WIDTH * 3];
    (void)state;
    make_samples(samples);
    fill_picture(picture);
    for (int i = 0; i < LOSSLESS; i++) {
        bdnn_image image;
        bdnn_error err;
        /* A wanted size scales nothing but JPEGs. */
        if (bdnn_image_decode(samples[i].name, samples[i].data, samples[i].size, 1, 1, &image, &err) != BDNN_OK) {
            fail_msg("%s", err.message);
        }
        assert_int_equal(image.width, WIDTH);
        assert_int_equal(image.height, HEIGHT);
        assert_int_equal(image.channels, 3);
        assert_memory_equal(image.pixels, picture, sizeof picture);
        bdnn_image_free(&image);
        assert_null(image.pixels);
    }
    free_samples(samples);
}

static void what_is_saved_comes_back(void **state)
{
    (void)state;
    for (int32_t channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[5 * 2 * 3];
        const bdnn_image image = {pixels, 5, 2, channels};
        bdnn_image read;
        for (int i = 0; i < 5 * 2 * channels; i++) {
            pixels[i] = (uint8_t)(i * 37);
        }
        assert_int_equal(bdnn_image_save(&image, scratch_path("saved.png"), NULL), BDNN_OK);
        assert_int_equal(bdnn_image_load(scratch_path("saved.png"), 0, 0, &read, NULL), BDNN_OK);
        assert_int_equal(read.width, 5);
        assert_int_equal(read.height, 2);
        assert_int_equal(read.channels, channels);
        assert_memory_equal(read.pixels, pixels, (size_t)(5 * 2 * channels));
        bdnn_image_free(&read);
    }
}

/* 16 bits keep their upper byte; an alpha channel is left out, without blending. */
static void deep_and_transparent_files_are_reduced(void **state)
{
    static const uint8_t deep[] = {0, 0xab, 0xcd, 0x12, 0x34}, clear[] = {0, 10, 20, 30, 0, 40, 50, 60, 128};
    uint8_t file[2048];
    bdnn_image image;
    size_t size = make_png(file, 2, 1, 16, 0, deep, sizeof deep);
    (void)state;
    assert_int_equal(bdnn_image_decode("deep", file, size, 0, 0, &image, NULL), BDNN_OK);
    assert_int_equal(image.channels, 1);
    assert_memory_equal(image.pixels, "\xab\x12", 2);
    bdnn_image_free(&image);
    size = make_png(file, 2, 1, 8, 6, clear, sizeof clear);
    assert_int_equal(bdnn_image_decode("clear", file, size, 0, 0, &image, NULL), BDNN_OK);
    assert_int_equal(image.channels, 3);
    assert_memory_equal(image.pixels, "\x0a\x14\x1e\x28\x32\x3c", 6);
    bdnn_image_free(&image);
}

static void jpegs_are_decoded_and_scaled(void **state)
{
    const struct sample color = sample_jpeg(TJPF_RGB, TJSAMP_444), gray = sample_jpeg(TJPF_GRAY, TJSAMP_GRAY);
    /* Wanted sizes and those of the smallest of the scales 1/8 ... 8/8 that still covers them. */
    static const int32_t sizes[][4] = {{0, 0, 64, 48},   {64, 48, 64, 48}, {80, 80, 64, 48}, {20, 15, 24, 18},
                                       {24, 18, 24, 18}, {8, 7, 16, 12},   {1, 1, 8, 6}};
    bdnn_image image;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int32_t *s = sizes[i];
        assert_int_equal(bdnn_image_decode("color", color.data, color.size, s[0], s[1], &image, NULL), BDNN_OK);
        assert_int_equal(image.width, s[2]);
        assert_int_equal(image.height, s[3]);
        for (int p = 0; p < s[2] * s[3] * 3; p++) {
            const int x = p / 3 % s[2], y = p / 3 / s[2], step = JPEG_WIDTH / s[2];
            const int expected = smooth(x * JPEG_WIDTH / s[2] + step / 2, y * JPEG_HEIGHT / s[3] + step / 2, p % 3);
            assert_in_range(image.pixels[p] + 16 - expected, 16 - 8, 16 + 8);
        }
        bdnn_image_free(&image);
    }
    assert_int_equal(bdnn_image_decode("gray", gray.data, gray.size, 0, 0, &image, NULL), BDNN_OK);
    assert_int_equal(image.channels, 1);
    assert_in_range(image.pixels[JPEG_WIDTH * 20 + 30], 3 * 30 - 3, 3 * 30 + 3);
    bdnn_image_free(&image);
    free(color.data);
    free(gray.data);
}

/* A JPEG with a segment put in after its first marker. */
static struct sample with_segment(const struct sample *s, uint8_t marker, const uint8_t *data, size_t size)
{
    struct sample out = {s->name, malloc(s->size + size + 4), s->size + size + 4};
    const uint8_t head[4] = {0xff, marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)};
    memcpy(out.data, s->data, 2);
    memcpy(out.data + 2, head, 4);
    memcpy(out.data + 6, data, size);
    memcpy(out.data + 6 + size, s->data + 2, s->size - 2);
    return out;
}

/* EXIF of two entries, the second the orientation, in either order of bytes. */
enum { EXIF = 6 + 8 + 2 + 24 };
static void make_exif(uint8_t exif[EXIF], bool big, uint8_t orientation)
{
    static const uint8_t little_endian[EXIF] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,
                                                2,    0,   0,   1,   4, 0, 1,   0,   0,  0, 9, 0, 0, 0,
                                                0x12, 1,   3,   0,   1, 0, 0,   0,   0,  0, 0, 0};
    static const uint8_t big_endian[EXIF] = {'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42,   0, 0, 0, 8, 0, 2, 1, 0, 0, 4,
                                             0,   0,   0,   1,   0, 0, 0,   9,   1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0};
    memcpy(exif, big ? big_endian : little_endian, EXIF);
    exif[big ? EXIF - 3 : EXIF - 4] = orientation;
}

/* Where a stored pixel is seen, from the words of the standard: which side of the seen picture the stored first row
 * and first column are. */
static void seen_at(int orientation, int x, int y, int width, int height, int *seen_x, int *seen_y)
{
    const struct {
        int x, y;
    } places[9] = {{0, 0},
                   {x, y},
                   {width - 1 - x, y},
                   {width - 1 - x, height - 1 - y},
                   {x, height - 1 - y},
                   {y, x},
                   {height - 1 - y, x},
                   {height - 1 - y, width - 1 - x},
                   {y, width - 1 - x}};
    *seen_x = places[orientation].x;
    *seen_y = places[orientation].y;
}

static void expect_turned(const bdnn_image *stored, const bdnn_image *seen, int orientation)
{
    const int channels = stored->channels;
    assert_int_equal(seen->width, orientation < 5 ? stored->width : stored->height);
    assert_int_equal(seen->height, orientation < 5 ? stored->height : stored->width);
    for (int y = 0; y < stored->height; y++) {
        for (int x = 0; x < stored->width; x++) {
            int at_x, at_y;
            seen_at(orientation, x, y, stored->width, stored->height, &at_x, &at_y);
            assert_memory_equal(stored->pixels + (y * stored->width + x) * channels,
                                seen->pixels + (at_y * seen->width + at_x) * channels, (size_t)channels);
        }
    }
}

static void photographs_are_turned(void **state)
{
    const struct sample samples[2] = {sample_jpeg(TJPF_RGB, TJSAMP_444), sample_jpeg(TJPF_GRAY, TJSAMP_GRAY)};
    bdnn_preprocess p = {.channels = 3, .height = 18, .width = 24};
    (void)state;
    for (int i = 0; i < 2 * 2 * 11; i++) {
        const int orientation = i / 4; /* 0, 9 and 10 mean nothing */
        const bool sane = orientation >= 1 && orientation <= 8, swaps = sane && orientation >= 5;
        uint8_t exif[EXIF];
        struct sample s;
        bdnn_image stored, seen;
        make_exif(exif, i % 2, (uint8_t)orientation);
        s = with_segment(&samples[i / 2 % 2], 0xe1, exif, EXIF);
        assert_int_equal(
            bdnn_image_decode("plain", samples[i / 2 % 2].data, samples[i / 2 % 2].size, 0, 0, &stored, NULL), BDNN_OK);
        assert_int_equal(bdnn_image_decode("turned", s.data, s.size, 0, 0, &seen, NULL), BDNN_OK);
        expect_turned(&stored, &seen, sane ? orientation : 1);
        bdnn_image_free(&stored);
        bdnn_image_free(&seen);
        /* The scale is that of the picture as it is seen: 18 of 48 or 64 are 3/8. */
        assert_int_equal(bdnn_image_decode("scaled", s.data, s.size, swaps ? 18 : 24, swaps ? 24 : 18, &seen, NULL),
                         BDNN_OK);
        assert_int_equal(seen.width, swaps ? 18 : 24);
        assert_int_equal(seen.height, swaps ? 24 : 18);
        bdnn_image_free(&seen);
        scratch_write("turned.jpg", s.data, s.size);
        p.ignore_exif = true;
        assert_int_equal(bdnn_image_load_for(scratch_path("turned.jpg"), &p, &seen, NULL), BDNN_OK);
        assert_int_equal(seen.width, 24);
        bdnn_image_free(&seen);
        p.ignore_exif = false;
        assert_int_equal(bdnn_image_load_for(scratch_path("turned.jpg"), &p, &seen, NULL), BDNN_OK);
        assert_int_equal(seen.width, 24); /* on its side 24 x 32, which covers 24 x 18 */
        assert_int_equal(seen.height, swaps ? 32 : 18);
        bdnn_image_free(&seen);
        free(s.data);
    }
    free(samples[0].data);
    free(samples[1].data);
}

/* Each byte of the EXIF data with each value, and each end: the picture comes, turned or not, and nothing is read
 * beyond (the copies end where their allocation does). */
static void hostile_exif_does_no_harm(void **state)
{
    const struct sample plain = sample_jpeg(TJPF_GRAY, TJSAMP_GRAY);
    uint8_t exif[EXIF];
    (void)state;
    for (int big = 0; big < 2; big++) {
        for (size_t at = 0; at < EXIF; at++) {
            for (int value = 0; value < 256; value += at % 4 == 1 ? 1 : 51) {
                struct sample s;
                bdnn_image image;
                make_exif(exif, big, 6);
                exif[at] = (uint8_t)value;
                s = with_segment(&plain, 0xe1, exif, value % 2 ? at : EXIF);
                assert_int_equal(bdnn_image_decode("hostile", s.data, s.size, 8, 8, &image, NULL), BDNN_OK);
                assert_true(image.width * image.height > 0);
                bdnn_image_free(&image);
                free(s.data);
            }
        }
    }
    free(plain.data);
}

/* Of Adobe's CMYK and YCCK: what paper reflects through the ink, by the decoder's own CMYK and arithmetic in floats. */
static void expect_cmyk(const uint8_t *data, size_t size)
{
    tjhandle decoder = tjInitDecompress();
    int width, height, subsampling, colors;
    bdnn_image image;
    uint8_t *cmyk;
    assert_int_equal(tjDecompressHeader3(decoder, data, (unsigned long)size, &width, &height, &subsampling, &colors),
                     0);
    assert_true(colors == TJCS_CMYK || colors == TJCS_YCCK);
    cmyk = malloc((size_t)(width * height) * 4);
    assert_int_equal(
        tjDecompress2(decoder, data, (unsigned long)size, cmyk, width, 0, height, TJPF_CMYK, TJFLAG_ACCURATEDCT), 0);
    assert_int_equal(bdnn_image_decode("print.jpg", data, size, 0, 0, &image, NULL), BDNN_OK);
    assert_int_equal(image.channels, 3);
    assert_int_equal(image.width, width);
    for (int i = 0; i < width * height * 3; i++) {
        const double reflected = cmyk[i / 3 * 4 + i % 3] / 255.0, black = cmyk[i / 3 * 4 + 3] / 255.0;
        assert_int_equal(image.pixels[i], (int)(255 * reflected * black + 0.5));
    }
    bdnn_image_free(&image);
    free(cmyk);
    tjDestroy(decoder);
}

static void cmyk_becomes_rgb(void **state)
{
    struct sample s = sample_jpeg(TJPF_CMYK, TJSAMP_444), file = {0}; /* turbojpeg makes it YCCK */
    FILE *stream = fopen(BDNN_TEST_DATA "/../fuzz/corpus/image/cmyk.jpg", "rb");
    uint8_t *adobe;
    bdnn_image image;
    bdnn_error err;
    (void)state;
    expect_cmyk(s.data, s.size);
    assert_non_null(stream);
    file.data = malloc(65536);
    file.size = fread(file.data, 1, 65536, stream);
    fclose(stream);
    expect_cmyk(file.data, file.size);
    adobe = memmem(s.data, s.size, "Adobe", 5);
    assert_non_null(adobe);
    memcpy(adobe, "Abode", 5);
    assert_int_equal(bdnn_image_decode("print.jpg", s.data, s.size, 0, 0, &image, &err), BDNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "print.jpg"));
    assert_non_null(strstr(err.message, "Adobe's marker"));
    free(s.data);
    free(file.data);
}

/* Every prefix is refused with the file's name, unless it holds the whole picture. The copy ends where the prefix does,
 * so that a sanitizer sees what is read beyond it. */
static void cut_files_are_refused(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (int i = 0; i < SAMPLES; i++) {
        bdnn_image whole;
        assert_int_equal(bdnn_image_decode("whole", samples[i].data, samples[i].size, 0, 0, &whole, NULL), BDNN_OK);
        for (size_t size = 0; size < samples[i].size; size++) {
            uint8_t *cut = malloc(size ? size : 1);
            bdnn_image image;
            bdnn_error err;
            memcpy(cut, samples[i].data, size);
            if (bdnn_image_decode("cut.file", cut, size, 0, 0, &image, &err) != BDNN_OK) {
                assert_non_null(strstr(err.message, "cut.file"));
                assert_null(image.pixels);
            } else if (i == SAMPLES - 1 || image.width != WIDTH || image.height != HEIGHT ||
                       memcmp(image.pixels, whole.pixels, WIDTH * HEIGHT * 3) != 0) {
                fail_msg("%zu of %zu bytes of a %s give a picture", size, samples[i].size, samples[i].name);
            }
            bdnn_image_free(&image);
            free(cut);
        }
        bdnn_image_free(&whole);
    }
    free_samples(samples);
}

static void flipped_bits_do_no_harm(void **state)
{
    struct sample samples[SAMPLES];
    (void)state;
    make_samples(samples);
    for (int i = 0; i < SAMPLES; i++) {
        for (size_t bit = 0; bit < 8 * samples[i].size; bit++) {
            bdnn_image image;
            samples[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (bdnn_image_decode("flipped", samples[i].data, samples[i].size, 16, 16, &image, NULL) == BDNN_OK) {
                assert_in_range(image.width, 1, 16384);
                assert_in_range(image.height, 1, 16384);
                assert_true(image.channels == 1 || image.channels == 3);
            }
            bdnn_image_free(&image);
            samples[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    free_samples(samples);
}

static void expect_refusal(const void *data, size_t size, const char *words)
{
    bdnn_image image;
    bdnn_error err;
    assert_int_equal(bdnn_image_decode("bomb", data, size, 0, 0, &image, &err), BDNN_ERROR_FORMAT);
    if (!strstr(err.message, words) || !strstr(err.message, "bomb")) {
        fail_msg("'%s' does not say '%s'", err.message, words);
    }
}

static void claims_beyond_the_limits_are_refused(void **state)
{
    uint8_t file[2048], row[2] = {0, 0};
    struct sample jpeg = sample_jpeg(TJPF_RGB, TJSAMP_444);
    size_t size;
    (void)state;
    size = make_png(file, 20000, 2, 8, 0, row, sizeof row);
    expect_refusal(file, size, "20000 x 2");
    size = make_png(file, 8192, 8193, 8, 0, row, sizeof row);
    expect_refusal(file, size, "8192 x 8193");
    size = make_png(file, 8000, 8000, 8, 0, row, sizeof row); /* within the limits, but not in so few bytes */
    expect_refusal(file, size, "8000 x 8000");
    memcpy(file, bmp, sizeof bmp);
    memcpy(file + 18, "\x30\x75\0\0", 4);
    expect_refusal(file, sizeof bmp, "30000 x 3");
    memcpy(file, tiff, sizeof tiff);
    memcpy(file + 54, "\xff\xff", 2);
    expect_refusal(file, sizeof tiff, "65535 x 3");
    memcpy(file, "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff", 30);
    expect_refusal(file, 30, "16777216 x 16777216");
    expect_refusal("P5 4294967297 3 255\n", 20, "4294967297 x 3");
    memcpy(file, webp, sizeof webp); /* which OpenCV would give to GDAL */
    memset(file + sizeof webp, 0, sizeof file - sizeof webp);
    memcpy(file + 140, "DTED", 4);
    expect_refusal(file, 200, "no JPEG, PNG");
    expect_refusal("NITF\x16\0\0\0WEBPVP8X", 16, "no JPEG, PNG");
    expect_refusal("P5#\n1 1 255\n ", 13, "no JPEG, PNG");
    expect_refusal("GIF89a\1\0\1\0", 10, "no JPEG, PNG, BMP, TIFF, PNM or WebP");
    for (size_t i = 0; i + 9 < jpeg.size; i++) {
        if (jpeg.data[i] == 0xff && jpeg.data[i + 1] == 0xc0) { /* start of frame: length, precision, height, width */
            memcpy(jpeg.data + i + 5, "\x20\0\x20\0", 4);
        }
    }
    expect_refusal(jpeg.data, jpeg.size, "8192 x 8192");
    free(jpeg.data);
}

static void missing_files_are_named(void **state)
{
    bdnn_image image = {.width = 1};
    bdnn_error err;
    (void)state;
    assert_int_equal(bdnn_image_load(scratch_path("nowhere.jpg"), 0, 0, &image, &err), BDNN_ERROR_IO);
    assert_non_null(strstr(err.message, "nowhere.jpg"));
    assert_null(image.pixels);
    assert_int_equal(bdnn_image_load(scratch_write("empty.jpg", "", 0), 0, 0, &image, &err), BDNN_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "empty.jpg"));
}

static void assert_floats(const float *actual, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (actual[i] != expected[i]) {
            fail_msg("number %zu is %g, not %g", i, (double)actual[i], (double)expected[i]);
        }
    }
}

/* A picture that has the size already is not touched: order of the channels, mean and scale by hand. */
static void pixels_become_numbers(void **state)
{
    uint8_t pixels[] = {1, 2, 3, 10, 20, 30};
    const bdnn_image rgb = {pixels, 2, 1, 3}, gray = {pixels, 2, 1, 1};
    bdnn_preprocess p = {.channels = 3, .height = 1, .width = 2, .mean = {1, 2, 4}, .scale = {2, 1, 0.5f}};
    const float means[] = {1, 1, 1, 1, 0, 8};
    float input[6];
    (void)state;
    assert_int_equal(bdnn_image_preprocess(&rgb, &p, input, NULL), BDNN_OK);
    assert_floats(input, (const float[]){0, 18, 0, 18, -0.5f, 13}, 6);
    p.bgr = true;
    assert_int_equal(bdnn_image_preprocess(&rgb, &p, input, NULL), BDNN_OK);
    assert_floats(input, (const float[]){4, 58, 0, 18, -1.5f, 3}, 6);
    p.mean_image = means;
    assert_int_equal(bdnn_image_preprocess(&rgb, &p, input, NULL), BDNN_OK);
    assert_floats(input, (const float[]){4, 58, 1, 19, 0.5f, 1}, 6);
    p.mean_image = NULL;
    assert_int_equal(bdnn_image_preprocess(&gray, &p, input, NULL), BDNN_OK);
    assert_floats(input, (const float[]){0, 2, -1, 0, -1.5f, -1}, 6);
    p.channels = 1; /* luma: (4899 r + 9617 g + 1868 b) / 16384, rounded */
    assert_int_equal(bdnn_image_preprocess(&rgb, &p, input, NULL), BDNN_OK);
    assert_floats(input, (const float[]){2 * (2 - 1), 2 * (18 - 1)}, 2);
    p.channels = 2;
    assert_int_equal(bdnn_image_preprocess(&rgb, &p, input, NULL), BDNN_ERROR_UNSUPPORTED);
}

static void pictures_are_resized(void **state)
{
    uint8_t pixels[] = {0, 4, 100, 104, 4, 8, 104, 108, 20, 24, 200, 204, 24, 28, 204, 208}, pair[] = {0, 100};
    const bdnn_image image = {pixels, 4, 4, 1}, small = {pair, 2, 1, 1};
    bdnn_preprocess p = {.channels = 1, .height = 2, .width = 2, .scale = {1}};
    float input[4];
    (void)state;
    assert_int_equal(bdnn_image_preprocess(&image, &p, input, NULL), BDNN_OK); /* means of areas */
    assert_floats(input, (const float[]){4, 104, 24, 204}, 4);
    p.height = 1;
    p.width = 4;
    assert_int_equal(bdnn_image_preprocess(&small, &p, input, NULL), BDNN_OK); /* linear between the pixels' centers */
    assert_floats(input, (const float[]){0, 25, 75, 100}, 4);
}

static void the_middle_is_cropped(void **state)
{
    uint8_t pixels[4 * 6], thin[300] = {0};
    const bdnn_image image = {pixels, 6, 4, 1}, line = {thin, 300, 1, 1};
    bdnn_preprocess p = {
        .channels = 1, .height = 2, .width = 2, .resize = BDNN_RESIZE_CROP, .resize_short = 4, .scale = {1}};
    float input[4];
    bdnn_error err;
    (void)state;
    for (int i = 0; i < 24; i++) {
        pixels[i] = (uint8_t)i;
    }
    assert_int_equal(bdnn_image_preprocess(&image, &p, input, NULL),
                     BDNN_OK); /* nothing to resize: rows 1, 2, columns 2, 3 */
    assert_floats(input, (const float[]){8, 9, 14, 15}, 4);
    p.resize_short = INT32_MAX;
    assert_int_equal(bdnn_image_preprocess(&line, &p, input, &err), BDNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "300 x 1"));
}

static void overlays_tint_and_explain(void **state)
{
    static const char *const labels[] = {"background", "shirt", "shoe"};
    uint8_t pixels[400 * 100];
    const bdnn_image image = {pixels, 400, 100, 1};
    const int32_t map[] = {0, 1, -1, 7};
    bdnn_image overlay;
    size_t ink = 0;
    (void)state;
    memset(pixels, 200, sizeof pixels);
    assert_int_equal(bdnn_image_overlay(&image, map, 1, 4, labels, 3, &overlay, NULL), BDNN_OK);
    assert_true(overlay.width > 400);
    assert_true(overlay.height >= 100);
    assert_int_equal(overlay.channels, 3);
    assert_memory_equal(overlay.pixels + 50 * 3, "\xc8\xc8\xc8", 3);      /* background */
    assert_memory_not_equal(overlay.pixels + 150 * 3, "\xc8\xc8\xc8", 3); /* a shirt */
    assert_memory_equal(overlay.pixels + 99 * 3, "\xc8\xc8\xc8", 3);      /* its border */
    assert_memory_not_equal(overlay.pixels + 100 * 3, "\xc8\xc8\xc8", 3);
    assert_memory_equal(overlay.pixels + 250 * 3, "\xc8\xc8\xc8", 3); /* not judged */
    assert_memory_equal(overlay.pixels + 350 * 3, "\xc8\xc8\xc8", 3); /* no class of the network */
    for (int32_t y = 0; y < overlay.height; y++) {
        for (int32_t x = 400; x < overlay.width; x++) {
            ink += overlay.pixels[(y * overlay.width + x) * 3] != 255;
        }
    }
    assert_true(ink > 50);
    bdnn_image_free(&overlay);
}

/* Whatever the picture's shape and the number of classes, each class that occurs has its line. */
static void overlays_of_odd_shapes_are_drawn(void **state)
{
    static const int32_t sizes[][2] = {{1, 1}, {1, 16384}, {16384, 1}, {3, 400}};
    const char *labels[256];
    int32_t map[256];
    uint8_t *pixels = calloc(16384, 1);
    (void)state;
    for (int i = 0; i < 256; i++) {
        labels[i] = "a class with a name that is longer than a legend is wide, but which is drawn all the same";
        map[i] = i;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const bdnn_image image = {pixels, sizes[i][0], sizes[i][1], 1};
        bdnn_image overlay;
        assert_int_equal(bdnn_image_overlay(&image, map, 1, 256, labels, 256, &overlay, NULL), BDNN_OK);
        assert_in_range(overlay.width, sizes[i][0], 16384 + 1000);
        assert_in_range(overlay.height, sizes[i][1], 16384 + 1000);
        bdnn_image_free(&overlay);
        assert_int_equal(bdnn_image_overlay(&image, map, 256, 1, NULL, 0, &overlay, NULL), BDNN_OK);
        bdnn_image_free(&overlay);
    }
    free(pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_files_come_back_exactly),
        cmocka_unit_test(what_is_saved_comes_back),
        cmocka_unit_test(deep_and_transparent_files_are_reduced),
        cmocka_unit_test(jpegs_are_decoded_and_scaled),
        cmocka_unit_test(cmyk_becomes_rgb),
        cmocka_unit_test(photographs_are_turned),
        cmocka_unit_test(hostile_exif_does_no_harm),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(claims_beyond_the_limits_are_refused),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(pixels_become_numbers),
        cmocka_unit_test(pictures_are_resized),
        cmocka_unit_test(the_middle_is_cropped),
        cmocka_unit_test(overlays_tint_and_explain),
        cmocka_unit_test(overlays_of_odd_shapes_are_drawn),
    };
    return cmocka_run_group_tests_name("imaging", tests, scratch_make, scratch_remove);
}
