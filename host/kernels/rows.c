/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a convolution's matrix form. */
#include "kernels/rows.h"

#include <string.h>

bool bdnn_ip_is_dense(const bdnn_ip_shape *s)
{
    bool dense = s->groups == 1;
    for (int a = 0; a < 3; a++) {
        dense = dense && s->out_size[a] == 1 && s->kernel[a] == s->in_size[a] && s->pad_begin[a] == 0 &&
                s->dilation[a] == 1;
    }
    return dense;
}

bool bdnn_ip_rows_in_place(const bdnn_ip_shape *s)
{
    bool direct = s->groups == 1;
    for (int a = 0; a < 3; a++) {
        direct =
            direct && s->kernel[a] == 1 && s->stride[a] == 1 && s->pad_begin[a] == 0 && s->out_size[a] == s->in_size[a];
    }
    return direct || bdnn_ip_is_dense(s);
}

/* memcpy for the few bytes that taps have: the ends of the two halves may overlap. */
static inline void copy_taps(uint8_t *to, const uint8_t *from, size_t n)
{
    size_t i = 0;
    if (n > 128) {
        memcpy(to, from, n);
    } else if (n >= 16) {
        for (; i + 16 <= n; i += 16) {
            memcpy(to + i, from + i, 16);
        }
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else {
        for (; i < n; i++) {
            to[i] = from[i];
        }
    }
}

/* One row of taps along the width: the part inside the image is copied tap by tap, or at once where the taps touch in
 * memory. Counts in bytes: `pixel` from one pixel to the next, `bytes` of one group's channels. */
static inline void gather_width(const bdnn_ip_shape *s, const uint8_t *line, int64_t first, int64_t pixel,
                                int64_t bytes, uint8_t *row)
{
    const int64_t step = s->dilation[2];
    if (first >= 0 && step == 1 && bytes == pixel && first + s->kernel[2] <= s->in_size[2]) {
        copy_taps(row, line + first * pixel, (size_t)(s->kernel[2] * bytes));
        return;
    }
    for (int32_t kw = 0; kw < s->kernel[2]; kw++, row += bytes) {
        const int64_t at = first + kw * step;
        if (at >= 0 && at < s->in_size[2]) {
            copy_taps(row, line + at * pixel, (size_t)bytes);
        } else {
            memset(row, s->zero_point, (size_t)bytes);
        }
    }
}

/* Where a position of the batch is: its item and its place on each axis. */
struct place {
    int64_t item, out[3];
};

static struct place place_of(const bdnn_ip_shape *s, int64_t position)
{
    struct place p;
    for (int a = 2; a >= 0; a--) {
        p.out[a] = position % s->out_size[a];
        position /= s->out_size[a];
    }
    p.item = position;
    return p;
}

static void step_on(const bdnn_ip_shape *s, struct place *p)
{
    for (int a = 2; a >= 0; a--) {
        if (++p->out[a] < s->out_size[a]) {
            return;
        }
        p->out[a] = 0;
    }
    p->item++;
}

void bdnn_ip_gather(const bdnn_ip_shape *s, const void *x, size_t element, int64_t first, int64_t count, int64_t group,
                    int64_t stride, void *rows)
{
    const int64_t size = (int64_t)element, pixel = s->channels * size, bytes = pixel / s->groups,
                  width = s->kernel[2] * bytes;
    struct place p = place_of(s, first);
    for (int64_t r = 0; r < count; r++, step_on(s, &p)) {
        uint8_t *row = (uint8_t *)rows + r * stride * size;
        for (int32_t kd = 0; kd < s->kernel[0]; kd++) {
            const int64_t d = p.out[0] * s->stride[0] - s->pad_begin[0] + (int64_t)kd * s->dilation[0];
            for (int32_t kh = 0; kh < s->kernel[1]; kh++, row += width) {
                const int64_t h = p.out[1] * s->stride[1] - s->pad_begin[1] + (int64_t)kh * s->dilation[1];
                if (d < 0 || d >= s->in_size[0] || h < 0 || h >= s->in_size[1]) {
                    memset(row, s->zero_point, (size_t)width);
                } else {
                    const int64_t line = ((p.item * s->in_size[0] + d) * s->in_size[1] + h) * s->in_size[2];
                    gather_width(s, (const uint8_t *)x + line * pixel + group * bytes,
                                 p.out[2] * s->stride[2] - s->pad_begin[2], pixel, bytes, row);
                }
            }
        }
    }
}
