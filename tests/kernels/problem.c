/* SPDX-License-Identifier: BSD-2-Clause */
/* Inner products to try kernels on, and their results by direct arithmetic. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATTERN 0xa5

fence fence_make(size_t bytes, size_t alignment)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (bytes + alignment - 1) / alignment * alignment;
    fence f = {.bytes = bytes};
    /* A whole page before the data too, for writes that begin too early. */
    f.mapped = (used + page - 1) / page * page + 2 * page;
    f.pages = mmap(NULL, f.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f.pages == MAP_FAILED || mprotect(f.pages + f.mapped - page, page, PROT_NONE) != 0) {
        perror("mmap");
        exit(1);
    }
    f.data = f.pages + f.mapped - page - used;
    fence_fill(&f);
    return f;
}

void fence_fill(fence *f)
{
    memset(f->pages, PATTERN, f->mapped - (size_t)sysconf(_SC_PAGESIZE));
}

bool fence_intact(const fence *f)
{
    const uint8_t *data = f->data, *end = f->pages + f->mapped - sysconf(_SC_PAGESIZE);
    for (const uint8_t *at = f->pages; at < end; at++) {
        if ((at < data || at >= data + f->bytes) && *at != PATTERN) {
            return false;
        }
    }
    return true;
}

void fence_free(fence *f)
{
    munmap(f->pages, f->mapped);
}

static uint64_t random_state;

void random_seed(uint64_t seed)
{
    /* splitmix64's finalizer (Steele, Lea, Flood 2014): neighboring seeds give unrelated states. */
    seed += 0x9e3779b97f4a7c15u;
    seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ seed >> 27) * 0x94d049bb133111ebu;
    seed ^= seed >> 31;
    random_state = seed ? seed : 1;
}

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

int64_t random_in(int64_t low, int64_t high)
{
    return low + (int64_t)(random_bits() % (uint64_t)(high - low + 1));
}

int64_t shape_positions(const bdnn_ip_shape *s)
{
    return s->batch * s->out_size[0] * s->out_size[1] * s->out_size[2];
}

double shape_multiply_adds(const bdnn_ip_shape *s)
{
    return (double)shape_positions(s) * (double)s->filters * (double)bdnn_ip_inner(s);
}

static void fill_inputs(problem *p)
{
    uint8_t *x = p->x_q.data;
    const int64_t most = (1 << p->shape.bits) - 1;
    for (size_t i = 0; i < p->x_q.bytes; i++) {
        switch (p->filling) {
        case FILL_HIGHEST:
        case FILL_LOWEST:
        case FILL_BRINK:
            x[i] = (uint8_t)most;
            break;
        case FILL_OPPOSED:
            x[i] = (uint8_t)(i % 2 ? most : 0);
            break;
        case FILL_ZERO:
            x[i] = 0;
            break;
        default:
            x[i] = (uint8_t)random_in(0, most);
        }
    }
}

/* A run of 2 T weights, the sum of whose products with inputs 2^Q - 1 is the last that 16 bits hold or the first that
 * they do not; each weight is base + 1 or base - 1. What one 16-bit lane of a vector adds up in T steps when it takes
 * neighboring pairs out of every four elements. T is 1, 2, 4... for K = 2, 3, 4... Weights are at most 127, so where T
 * and Q are small, no run reaches that far. */
struct brink {
    int64_t run;
    int base;
    int64_t raised; /* how many of the run are base + 1 */
};

static struct brink brink_of(const problem *p, int64_t f)
{
    const int64_t held = INT16_MAX / ((1 << p->shape.bits) - 1), even = held / 2 * 2;
    struct brink b = {.run = 2 << (p->shape.bases + 6) % 8};
    int64_t sum = f % 2 ? even : even + 2;
    sum = sum < b.run * 126 ? sum : b.run * 126;
    b.base = (int)(sum / b.run);
    b.raised = (b.run + sum - b.run * b.base) / 2;
    return b;
}

static void brink_scales(const problem *p, int64_t f, int8_t *scales)
{
    const struct brink b = brink_of(p, f);
    memset(scales, 0, (size_t)p->shape.bases);
    scales[0] = (int8_t)(f / 2 % 2 ? -b.base : b.base);
    if (p->shape.bases > 1) {
        scales[1] = f / 2 % 2 ? -1 : 1;
    }
}

/* One word of a basis: all ones but where the second scale must be taken away. */
static uint64_t brink_bits(const problem *p, int64_t f, int32_t k, int64_t word)
{
    const struct brink b = brink_of(p, f);
    uint64_t bits = UINT64_MAX;
    for (int64_t d = word * 64; d < word * 64 + 64 && k == 1; d++) {
        const int64_t at = d % (2 * b.run), in_lane = at / 4 * 2 + at % 2;
        bits ^= (uint64_t)(in_lane >= b.raised) << d % 64;
    }
    return bits;
}

static void fill_scales(problem *p, int8_t *scales)
{
    const int32_t bases = p->shape.bases;
    int left = 127;
    for (int32_t k = 0; k < bases; k++) {
        const bool last = k == bases - 1;
        int g;
        if (p->filling == FILL_ONE_BASIS) {
            g = k == 0 ? 127 : 0;
        } else if (p->filling == FILL_RANDOM) {
            g = (int)random_in(0, left);
        } else if (p->filling == FILL_TRAINED) {
            g = last ? left : (left * 2 + 2) / 5;
        } else {
            g = last ? left : 127 / bases;
        }
        left -= g;
        scales[k] = (int8_t)((p->filling == FILL_LOWEST || (p->filling != FILL_HIGHEST && random_in(0, 1))) ? -g : g);
    }
}

static void fill_planes(problem *p)
{
    const int64_t inner = bdnn_ip_inner(&p->shape), words = (inner + 63) / 64;
    uint64_t *planes = p->planes.data;
    for (int64_t i = 0; i < p->shape.filters * p->shape.bases * words; i++) {
        const int64_t word = i % words;
        uint64_t bits = random_bits();
        if (p->filling == FILL_HIGHEST || p->filling == FILL_LOWEST) {
            bits = UINT64_MAX;
        } else if (p->filling == FILL_BRINK) {
            bits = brink_bits(p, i / words / p->shape.bases, (int32_t)(i / words % p->shape.bases), word);
        } else if (p->filling == FILL_OPPOSED) {
            bits = 0xaaaaaaaaaaaaaaaau;
        }
        if (word == words - 1 && inner % 64) {
            bits |= UINT64_MAX << inner % 64;
        }
        planes[i] = bits;
    }
}

int problem_weight(const problem *p, int64_t f, int64_t d)
{
    const int64_t words = (bdnn_ip_inner(&p->shape) + 63) / 64;
    int w = 0;
    for (int32_t k = 0; k < p->shape.bases; k++) {
        const uint64_t word = p->weights.planes[(f * p->shape.bases + k) * words + d / 64];
        const int g = p->weights.scales[f * p->shape.bases + k];
        w += word >> d % 64 & 1 ? g : -g;
    }
    return w;
}

/* The input under one tap of the window, or the zero point outside the image. */
static int input_at(const problem *p, int64_t n, const int64_t at[3], int64_t channel)
{
    const bdnn_ip_shape *s = &p->shape;
    int64_t pixel = n;
    for (int a = 0; a < 3; a++) {
        if (at[a] < 0 || at[a] >= s->in_size[a]) {
            return s->zero_point;
        }
        pixel = pixel * s->in_size[a] + at[a];
    }
    return ((const uint8_t *)p->x_q.data)[pixel * s->channels + channel];
}

/* The D inputs of one position and group, in the order of the weights. */
static void inputs_of(const problem *p, int64_t position, int64_t group, int *x)
{
    const bdnn_ip_shape *s = &p->shape;
    const int64_t channels = s->channels / s->groups;
    int64_t rest = position, out[3];
    for (int a = 2; a >= 0; a--) {
        out[a] = rest % s->out_size[a];
        rest /= s->out_size[a];
    }
    for (int64_t d = 0; d < bdnn_ip_inner(s); d++) {
        int64_t tap = d / channels, at[3];
        for (int a = 2; a >= 0; a--) {
            at[a] = out[a] * s->stride[a] - s->pad_begin[a] + tap % s->kernel[a] * s->dilation[a];
            tap /= s->kernel[a];
        }
        x[d] = input_at(p, rest, at, group * channels + d % channels);
    }
}

static void solve(problem *p)
{
    const bdnn_ip_shape *s = &p->shape;
    const int64_t inner = bdnn_ip_inner(s), positions = shape_positions(s), filters = s->filters / s->groups;
    int *w = malloc((size_t)(s->filters * inner) * sizeof *w), *x = malloc((size_t)inner * sizeof *x);
    p->expected = malloc((size_t)(positions * s->filters) * sizeof *p->expected);
    if (!w || !x || !p->expected) {
        perror("malloc");
        exit(1);
    }
    for (int64_t i = 0; i < s->filters * inner; i++) {
        w[i] = problem_weight(p, i / inner, i % inner);
    }
    for (int64_t position = 0; position < positions; position++) {
        for (int64_t f = 0; f < s->filters; f++) {
            int64_t acc = 0;
            if (f % filters == 0) {
                inputs_of(p, position, f / filters, x);
            }
            for (int64_t d = 0; d < inner; d++) {
                acc += (int64_t)w[f * inner + d] * x[d];
            }
            p->expected[position * s->filters + f] = (int32_t)acc;
            if (acc != (int32_t)acc) {
                fprintf(stderr, "a sum of %lld does not fit 32 bits\n", (long long)acc);
                exit(1);
            }
        }
    }
    free(w);
    free(x);
}

problem problem_make(const bdnn_ip_shape *shape, enum filling filling, bool solved)
{
    const size_t filters = (size_t)shape->filters, bases = (size_t)shape->bases;
    const size_t words = (size_t)(bdnn_ip_inner(shape) + 63) / 64;
    problem p = {.shape = *shape, .filling = filling};
    p.planes = fence_make(filters * bases * words * sizeof(uint64_t), sizeof(uint64_t));
    p.scales = fence_make(filters * bases, 1);
    p.x_q = fence_make((size_t)(shape->batch * shape->in_size[0] * shape->in_size[1] * shape->in_size[2]) *
                               (size_t)shape->channels +
                           (size_t)(random_in(0, 1) ? random_in(0, 63) : 0),
                       1);
    p.weights = (bdnn_ip_weights){p.planes.data, p.scales.data};
    fill_inputs(&p);
    fill_planes(&p);
    for (size_t f = 0; f < filters; f++) {
        int8_t *scales = (int8_t *)p.scales.data + f * bases;
        if (filling == FILL_BRINK) {
            brink_scales(&p, (int64_t)f, scales);
        } else {
            fill_scales(&p, scales);
        }
    }
    if (solved) {
        solve(&p);
    }
    return p;
}

void problem_free(problem *p)
{
    fence_free(&p->planes);
    fence_free(&p->scales);
    fence_free(&p->x_q);
    free(p->expected);
}
