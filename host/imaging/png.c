/* Decoding PNG files. By libpng itself: OpenCV's reader prints what it finds wrong and accepts files whose checksums do
 * not fit. */
#include "imaging/png.h"

#include "core/memory.h"
#include "imaging/header.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

/* What a call to libpng works on; its error handler jumps back to whoever set `failed`. */
struct reader {
    const uint8_t *data;
    size_t left;
    bdnn_image *image;
    png_bytep *rows;
    jmp_buf failed;
    char problem[128];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct reader *r = png_get_error_ptr(png);
    snprintf(r->problem, sizeof r->problem, "%s", text);
    longjmp(r->failed, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

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
    const png_byte colour = png_get_color_type(png, info);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    if (colour == PNG_COLOR_TYPE_PALETTE) {
        png_set_palette_to_rgb(png);
    } else if (colour == PNG_COLOR_TYPE_GRAY) {
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
        png_error(png, "out of memory");
    }
    for (int32_t y = 0; y < image->height; y++) {
        r->rows[y] = image->pixels + (size_t)y * png_get_rowbytes(png, info);
    }
    png_read_image(png, r->rows);
    png_read_end(png, NULL);
}

/* setjmp where no variable changes after it. */
static bool run(png_structp png, png_infop info, struct reader *r)
{
    if (setjmp(r->failed) != 0) {
        return false;
    }
    png_set_read_fn(png, r, read_bytes);
    read_image(png, info, r);
    return true;
}

bdnn_status bdnn_png_decode(const char *name, const uint8_t *data, size_t size, bdnn_image *image, bdnn_error *err)
{
    struct reader r = {.data = data, .left = size, .image = image, .problem = "out of memory"};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const bool read = info && run(png, info, &r);
    png_destroy_read_struct(&png, &info, NULL);
    bdnn_free(r.rows);
    return read ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged PNG: %s", name, r.problem);
}
