/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes of inner products: by hand, and at random with a taste for what tiles do not divide. */
#include "problem.h"

#include <stdio.h>

bool shape_finish(bdnn_ip_shape *s, const int32_t pad_end[3])
{
    for (int a = 0; a < 3; a++) {
        const int64_t reach = (int64_t)(s->kernel[a] - 1) * s->dilation[a] + 1;
        const int64_t room = s->in_size[a] + s->pad_begin[a] + pad_end[a] - reach;
        if (room < 0) {
            return false;
        }
        s->out_size[a] = room / s->stride[a] + 1;
    }
    return true;
}

bdnn_ip_shape shape_image(int64_t size, int64_t channels, int64_t filters, int32_t kernel, int32_t stride, int32_t pad)
{
    bdnn_ip_shape s = {.batch = 1,
                       .in_size = {1, size, size},
                       .channels = channels,
                       .filters = filters,
                       .groups = 1,
                       .kernel = {1, kernel, kernel},
                       .stride = {1, stride, stride},
                       .dilation = {1, 1, 1},
                       .pad_begin = {0, pad, pad},
                       .bases = 6,
                       .bits = 6,
                       .zero_point = 0};
    const int32_t pad_end[3] = {0, pad, pad};
    shape_finish(&s, pad_end);
    return s;
}

bdnn_ip_shape shape_dense(int64_t batch, int64_t inner, int64_t filters)
{
    bdnn_ip_shape s = shape_image(1, inner, filters, 1, 1, 0);
    s.batch = batch;
    return s;
}

static int64_t random_of(const int64_t *choices, int64_t count)
{
    return choices[random_in(0, count - 1)];
}
#define RANDOM_OF(...)                                                                                                 \
    random_of((const int64_t[]){__VA_ARGS__}, (int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static void random_axis(bdnn_ip_shape *s, int32_t pad_end[3], int a, bool used, bool dense)
{
    s->in_size[a] = used ? random_in(1, 13) : 1;
    s->kernel[a] = dense ? (int32_t)s->in_size[a] : used ? (int32_t)random_in(1, 5) : 1;
    s->stride[a] = used ? (int32_t)random_in(1, 4) : 1;
    s->dilation[a] = used && !dense ? (int32_t)random_in(1, 3) : 1;
    s->pad_begin[a] = pad_end[a] = 0;
    if (used && !dense && random_in(0, 2)) {
        s->pad_begin[a] = (int32_t)random_in(0, 9);
        pad_end[a] = (int32_t)random_in(0, 9);
    }
}

bdnn_ip_shape shape_random(void)
{
    bdnn_ip_shape s;
    int32_t pad_end[3];
    do {
        const int64_t axes = RANDOM_OF(1, 2, 2, 2, 2, 3);
        const bool dense = random_in(0, 4) == 0, depthwise = random_in(0, 7) == 0;
        s = (bdnn_ip_shape){.batch = RANDOM_OF(1, 1, 2, 3, 8, 9), .groups = dense ? 1 : RANDOM_OF(1, 1, 1, 2, 3, 7)};
        for (int a = 0; a < 3; a++) {
            random_axis(&s, pad_end, a, a >= 3 - axes, dense);
        }
        s.channels = s.groups * (depthwise ? 1 : RANDOM_OF(1, 2, 3, 4, 5, 8, 16, 24, 31, 48, 63, 64, 65, 130));
        s.filters = s.groups * RANDOM_OF(1, 1, 2, 3, 4, 5, 10, 15, 16, 17, 24, 33, 48, 63, 64, 65, 81);
        s.bases = (int32_t)random_in(1, 8);
        s.bits = (int32_t)random_in(1, 8);
        s.zero_point = (int32_t)random_in(0, (1 << s.bits) - 1);
    } while (!shape_finish(&s, pad_end) || shape_multiply_adds(&s) > 3e5);
    return s;
}

void shape_print(const bdnn_ip_shape *s)
{
    printf("batch %lld, %lldx%lldx%lldx%lld -> %lldx%lldx%lldx%lld, groups %lld, kernel %dx%dx%d, stride %dx%dx%d, "
           "dilation %dx%dx%d, pads %d,%d,%d, K %d, Q %d, zero point %d",
           (long long)s->batch, (long long)s->in_size[0], (long long)s->in_size[1], (long long)s->in_size[2],
           (long long)s->channels, (long long)s->out_size[0], (long long)s->out_size[1], (long long)s->out_size[2],
           (long long)s->filters, (long long)s->groups, s->kernel[0], s->kernel[1], s->kernel[2], s->stride[0],
           s->stride[1], s->stride[2], s->dilation[0], s->dilation[1], s->dilation[2], s->pad_begin[0], s->pad_begin[1],
           s->pad_begin[2], s->bases, s->bits, s->zero_point);
}
