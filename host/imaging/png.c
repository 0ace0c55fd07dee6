/* SPDX-License-Identifier: BSD-2-Clause */
/* PNG files. By libpng itself: OpenCV's reader and writer print what goes wrong, and the reader accepts files whose
 * checksums do not fit. */
#include "imaging/png.h"

#include "core/memory.h"
#include "imaging/header.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

/* What libpng does when it fails: it jumps back to whoever set `failed`. Its words do not always say that memory was
 * short. */
struct trouble {
    jmp_buf failed;
    bool short_of_memory;
    char problem[128];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct trouble *t = png_get_error_ptr(png);
    snprintf(t->problem, sizeof t->problem, "%s", text);
    longjmp(t->failed, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    struct trouble *t = png_get_mem_ptr(png);
    void *memory = bdnn_alloc(size, 1);
    t->short_of_memory = t->short_of_memory || !memory;
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    bdnn_free(memory);
}

/* ---- Reading ---- */

struct reader {
    const uint8_t *data;
    size_t left;
    bdnn_image *image;
    png_bytep *rows;
    struct trouble trouble;
};

static void read_bytes(png_structp png, png_bytep to, size_t count)
{
    struct reader *r = png_get_io_ptr(png);
    if (count > r->left) {
        png_error(png, "the file ends too early");
    }
    memcpy(to, r->data, count);
    r->data += count;
    r->left -= count;
}

static void ask_for_8_bits(png_structp png, png_infop info)
{
    const png_byte color = png_get_color_type(png, info);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    if (color == PNG_COLOR_TYPE_PALETTE) {
        png_set_palette_to_rgb(png);
    } else if (color == PNG_COLOR_TYPE_GRAY) {
        png_set_expand_gray_1_2_4_to_8(png);
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static void read_image(png_structp png, png_infop info, struct reader *r)
{
    bdnn_image *image = r->image;
    png_read_info(png, info);
    ask_for_8_bits(png, info);
    image->width = (int32_t)png_get_image_width(png, info);
    image->height = (int32_t)png_get_image_height(png, info);
    image->channels = png_get_channels(png, info);
    if (bdnn_image_check_size("", image->width, image->height, NULL) != BDNN_OK ||
        png_get_rowbytes(png, info) != (size_t)image->width * (size_t)image->channels) {
        png_error(png, "its sizes contradict each other");
    }
    image->pixels = bdnn_alloc((size_t)image->height, png_get_rowbytes(png, info));
    r->rows = bdnn_alloc((size_t)image->height, sizeof *r->rows);
    if (!image->pixels || !r->rows) {
        r->trouble.short_of_memory = true;
        png_error(png, "out of memory");
    }
    for (int32_t y = 0; y < image->height; y++) {
        r->rows[y] = image->pixels + (size_t)y * png_get_rowbytes(png, info);
    }
    png_read_image(png, r->rows);
    png_read_end(png, NULL);
}

/* setjmp where no variable changes after it. */
static bool run_reader(png_structp png, png_infop info, struct reader *r)
{
    if (setjmp(r->trouble.failed) != 0) {
        return false;
    }
    png_set_read_fn(png, r, read_bytes);
    read_image(png, info, r);
    return true;
}

bdnn_status bdnn_png_decode(const char *name, const uint8_t *data, size_t size, bdnn_image *image, bdnn_error *err)
{
    struct reader r = {.data = data, .left = size, .image = image};
    struct trouble *t = &r.trouble;
    png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, t, on_error, on_warning, t, allocate, release);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const bool read = info && run_reader(png, info, &r);
    png_destroy_read_struct(&png, &info, NULL);
    bdnn_free(r.rows);
    if (!read && (!info || t->short_of_memory)) {
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory for its picture", name);
    }
    return read ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged PNG: %s", name, t->problem);
}

/* ---- Writing ---- */

struct writer {
    const bdnn_image *image;
    uint8_t *data;
    size_t used, room;
    struct trouble trouble;
};

static void write_bytes(png_structp png, png_bytep from, size_t count)
{
    struct writer *w = png_get_io_ptr(png);
    if (count > w->room - w->used) {
        const size_t room = 2 * (w->room + count);
        uint8_t *larger = bdnn_alloc(room, 1);
        if (!larger) {
            png_error(png, "out of memory");
        }
        if (w->used) {
            memcpy(larger, w->data, w->used);
        }
        bdnn_free(w->data);
        w->data = larger;
        w->room = room;
    }
    memcpy(w->data + w->used, from, count);
    w->used += count;
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

/* As run_reader. */
static bool run_writer(png_structp png, png_infop info, struct writer *w)
{
    const bdnn_image *image = w->image;
    if (setjmp(w->trouble.failed) != 0) {
        return false;
    }
    png_set_write_fn(png, w, write_bytes, flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int32_t y = 0; y < image->height; y++) {
        png_write_row(png, image->pixels + (size_t)y * (size_t)image->width * (size_t)image->channels);
    }
    png_write_end(png, NULL);
    return true;
}

bdnn_status bdnn_png_encode(const char *name, const bdnn_image *image, uint8_t **data, size_t *size, bdnn_error *err)
{
    struct writer w = {.image = image};
    struct trouble *t = &w.trouble;
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, t, on_error, on_warning, t, allocate, release);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const bool written = info && run_writer(png, info, &w);
    png_destroy_write_struct(&png, &info);
    *data = written ? w.data : NULL;
    *size = w.used;
    if (!written) {
        bdnn_free(w.data);
        /* Pixels that are there and sides that fit leave nothing else to go wrong. */
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory for a PNG of %d x %d pixels", name, image->width,
                         image->height);
    }
    return BDNN_OK;
}
