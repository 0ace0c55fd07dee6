/* SPDX-License-Identifier: BSD-2-Clause */
/* Every kernel of the table, forced in turn, against direct arithmetic, the definition among them; and with --bench
 * how fast each is.
 *
 *     kernels [--kernel NAME] [--seed N] [--cases N]
 *     kernels --quick [--kernel NAME]
 *     kernels --bench [--kernel NAME] [--shape TEXT] [--bases K] [--bits Q]
 *
 * A failure prints the seed of its case: `kernels --seed N --cases 1` repeats it alone. --quick takes few of the cases,
 * for processors that are emulated. */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */

#include "problem.h"

#include "core/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define MAX_KERNELS 32

/* Odd, so that strides over K and Q, counted in eights, meet all of both. */
#define QUICK_STEP 7

struct tally {
    const bdnn_ip_kernel *kernel;
    bool runs; /* on this processor */
    unsigned tried, failed;
};

static struct tally tallies[MAX_KERNELS];
static size_t kernel_count;
static bdnn_threads *pool;
static const char *case_name;
static uint64_t case_seed;

static void *allocate(size_t bytes)
{
    void *memory = bdnn_alloc(bytes, 1);
    if (!memory) {
        fprintf(stderr, "%zu bytes cannot be had\n", bytes);
        exit(1);
    }
    return memory;
}

/* Prints where and how a result first differs. */
static bool matches(const problem *p, const struct tally *t, const fence *acc, size_t threads)
{
    const int32_t *got = acc->data;
    const size_t count = acc->bytes / sizeof *got;
    size_t i = 0;
    while (i < count && got[i] == p->expected[i]) {
        i++;
    }
    if (i == count && fence_intact(acc)) {
        return true;
    }
    printf("FAILED %s, %s, %zu threads, seed %" PRIu64 ": ", t->kernel->name, case_name, threads, case_seed);
    shape_print(&p->shape);
    if (i < count) {
        printf(": position %zu, filter %zu: %d instead of %d\n", i / (size_t)p->shape.filters,
               i % (size_t)p->shape.filters, got[i], p->expected[i]);
    } else {
        printf(": written before or behind the result\n");
    }
    return false;
}

static bool run_fenced(const problem *p, const struct tally *t, const void *packed, bdnn_threads *threads)
{
    const bdnn_ip_shape *s = &p->shape;
    const size_t count = bdnn_threads_count(threads);
    fence acc = fence_make((size_t)(shape_positions(s) * s->filters) * sizeof(int32_t), sizeof(int32_t));
    fence scratch = fence_make(t->kernel->scratch_bytes(s, count), BDNN_ALIGNMENT);
    const bdnn_sink sink = {.kind = BDNN_SINK_ACCUMULATORS, .y = acc.data, .filters = s->filters};
    bool ok;
    t->kernel->run(s, &p->weights, packed, p->x_q.data, &sink, scratch.data, threads);
    ok = matches(p, t, &acc, count);
    if (!fence_intact(&scratch)) {
        printf("FAILED %s, %s, seed %" PRIu64 ": scratch memory exceeded\n", t->kernel->name, case_name, case_seed);
        ok = false;
    }
    fence_free(&acc);
    fence_free(&scratch);
    return ok;
}

static void try_kernel(const problem *p, struct tally *t)
{
    fence packed;
    bool ok;
    if (!t->runs || !t->kernel->supported(&p->shape)) {
        return;
    }
    packed = fence_make(t->kernel->packed_bytes(&p->shape), BDNN_ALIGNMENT);
    t->kernel->pack(&p->shape, &p->weights, packed.data, pool);
    ok = fence_intact(&packed);
    if (!ok) {
        printf("FAILED %s, %s, seed %" PRIu64 ": packed weights exceeded\n", t->kernel->name, case_name, case_seed);
    }
    ok = run_fenced(p, t, packed.data, NULL) && ok;
    ok = run_fenced(p, t, packed.data, pool) && ok;
    fence_free(&packed);
    t->tried++;
    t->failed += !ok;
}

/* bdnn_ip_decode against the weights taken bit by bit. */
static bool decodes(const problem *p)
{
    const int64_t inner = bdnn_ip_inner(&p->shape), words = (inner + 63) / 64, f = random_in(0, p->shape.filters - 1);
    fence w = fence_make((size_t)inner, 1);
    const int8_t *decoded = w.data;
    bool ok = true;
    bdnn_ip_decode(p->weights.planes + f * p->shape.bases * words, p->weights.scales + f * p->shape.bases,
                   p->shape.bases, inner, w.data);
    for (int64_t d = 0; d < inner && ok; d++) {
        ok = decoded[d] == problem_weight(p, f, d);
    }
    ok = ok && fence_intact(&w);
    fence_free(&w);
    if (!ok) {
        printf("FAILED bdnn_ip_decode, %s, seed %" PRIu64 "\n", case_name, case_seed);
    }
    return ok;
}

static unsigned other_failures;

/* Of the cases of a list, every how many-th is tried. */
static unsigned case_step = 1;

static void try_shape(const char *name, const bdnn_ip_shape *shape, enum filling filling)
{
    const bdnn_ip_kernel *chosen = bdnn_ip_choose(shape);
    problem p;
    case_name = name;
    p = problem_make(shape, filling, true);
    if (!chosen->supported(shape)) {
        printf("FAILED bdnn_ip_choose: %s does not take its shape\n", chosen->name);
        other_failures++;
    }
    other_failures += !decodes(&p);
    for (size_t i = 0; i < kernel_count; i++) {
        try_kernel(&p, &tallies[i]);
    }
    problem_free(&p);
}

/* Shapes that tiles, words and registers do not divide, each with every filling. */
static void try_odd_shapes(void)
{
    const struct {
        const char *name;
        bdnn_ip_shape shape;
    } cases[] = {
        {"one of everything", shape_dense(1, 1, 1)},
        {"longest inner product", shape_dense(2, BDNN_IP_MAX_INNER, 3)},
        {"longest inner product, batch 9", shape_dense(9, BDNN_IP_MAX_INNER, 1)},
        {"longest inner product of a convolution", shape_image(2, BDNN_IP_MAX_INNER, 2, 1, 1, 0)},
        {"word and one", shape_dense(8, 65, 65)},
        {"gray image", shape_image(28, 1, 24, 5, 1, 2)},
        {"color image, stride 4", shape_image(35, 3, 33, 11, 4, 2)},
        {"24 to 48", shape_image(14, 24, 48, 3, 1, 1)},
        {"pads beyond the image", shape_image(2, 5, 7, 3, 2, 9)},
        {"tiles of 192 positions and one", shape_image(193, 4, 5, 1, 1, 0)},
        {"1x1", shape_image(15, 20, 17, 1, 1, 0)},
        {"1x1, stride 2", shape_image(15, 20, 17, 1, 2, 0)},
        {"1x1 with pads", shape_image(5, 20, 17, 1, 1, 1)},
        {"64 channels", shape_image(7, 64, 35, 3, 1, 1)},
        {"64 channels, wide pads", shape_image(5, 64, 5, 5, 1, 4)},
        {"64 channels, no pads", shape_image(9, 64, 17, 3, 1, 0)},
        {"64 channels, stride 2", shape_image(9, 64, 17, 3, 2, 1)},
        {"128 channels, 1x1", shape_image(6, 128, 40, 1, 1, 0)},
        {"64 channels, 1x1, one pixel", shape_image(1, 64, 15, 1, 1, 0)},
        {"dense over an image", shape_image(6, 11, 10, 6, 1, 0)},
        {"dense over an image, pads", shape_image(6, 11, 10, 6, 1, 1)},
    };
    const int filling_step = case_step > 1 ? 2 : 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int filling = FILL_RANDOM; filling < FILL_KINDS; filling += filling_step) {
            bdnn_ip_shape s = cases[i].shape;
            s.bases = s.bits = 8;
            s.zero_point = filling == FILL_RANDOM ? 100 : filling == FILL_ZERO ? 0 : 255;
            random_seed(case_seed = i);
            try_shape(cases[i].name, &s, (enum filling)filling);
        }
    }
}

/* Whole words of channels, or almost, in groups, dilated, strided, for several images: rows that may be read where they
 * lie, by few or by many filters. */
static void try_wide_channels(void)
{
    for (unsigned i = 0; i < 80; i += case_step) {
        bdnn_ip_shape s = {.batch = 0};
        const int32_t no_pads[3] = {0, 0, 0};
        random_seed(case_seed = i);
        s.batch = random_in(1, 3);
        s.groups = random_in(1, 2);
        s.channels = s.groups * (64 * random_in(1, 2) - (i % 4 ? 0 : random_in(1, 20)));
        s.filters = s.groups * random_in(1, i % 8 ? 40 : 600);
        s.bases = (int32_t)random_in(1, 8);
        s.bits = (int32_t)random_in(1, 8);
        s.zero_point = (int32_t)random_in(0, (1 << s.bits) - 1);
        for (int a = 0; a < 3; a++) {
            s.in_size[a] = a ? random_in(1, 12) : 1;
            s.kernel[a] = a ? (int32_t)random_in(1, 3) : 1;
            s.dilation[a] = a ? (int32_t)random_in(1, 2) : 1;
            s.stride[a] = a ? (int32_t)random_in(1, i % 2 ? 1 : 3) : 1;
            s.pad_begin[a] = a ? (int32_t)random_in(0, 3) : 0;
        }
        if (shape_finish(&s, i % 2 ? s.pad_begin : no_pads)) {
            try_shape("wide channels", &s, FILL_RANDOM);
        }
    }
}

/* All K and Q with the lowest and highest zero point, for a padded convolution in two groups and a dense layer. */
static void try_all_codes(void)
{
    for (int32_t code = 0; code < 8 * 8 * 2; code += (int32_t)case_step) {
        bdnn_ip_shape conv = shape_image(5, 6, 10, 3, 2, 1), dense = shape_dense(2, 100, 18);
        conv.groups = 2;
        conv.bases = dense.bases = 1 + code % 8;
        conv.bits = dense.bits = 1 + code / 8 % 8;
        conv.zero_point = dense.zero_point = code >= 64 ? (1 << conv.bits) - 1 : 0;
        random_seed(case_seed = (uint64_t)code);
        try_shape("all K and Q, convolution", &conv, FILL_RANDOM);
        try_shape("all K and Q, dense", &dense, FILL_RANDOM);
        try_shape("all K and Q, largest", &conv, FILL_HIGHEST);
    }
}

/* Sums of products at the limits of 16 bits, for every Q and runs of 2 to 32 products, both signs; and beyond it, all
 * weights +-127 and all inputs 2^Q - 1. */
static void try_brinks(void)
{
    for (int32_t code = 0; code < 8 * 5; code += (int32_t)case_step) {
        bdnn_ip_shape conv = shape_image(3, 131, 40, 1, 1, 0), dense = shape_dense(3, 700, 40);
        conv.bases = dense.bases = code / 8 + 2;
        conv.bits = dense.bits = 1 + code % 8;
        random_seed(case_seed = (uint64_t)code);
        try_shape("16-bit limits, convolution", &conv, FILL_BRINK);
        try_shape("16-bit limits, dense", &dense, FILL_BRINK);
        try_shape("16-bit limits, highest", &conv, FILL_HIGHEST);
        try_shape("16-bit limits, lowest", &conv, FILL_LOWEST);
    }
}

static void try_random_shapes(uint64_t seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bdnn_ip_shape s;
        random_seed(case_seed = seed + i);
        s = shape_random();
        try_shape("random shape", &s, random_in(0, 3) ? FILL_RANDOM : (enum filling)random_in(0, FILL_KINDS - 1));
    }
}

static int report(void)
{
    unsigned failed = other_failures;
    for (size_t i = 0; i < kernel_count; i++) {
        const struct tally *t = &tallies[i];
        if (t->runs) {
            printf("%-34s %6u shapes, %u failed\n", t->kernel->name, t->tried, t->failed);
            failed += t->failed + (t->tried == 0);
        } else {
            printf("%-34s not on this processor\n", t->kernel->name);
        }
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Cycles of the processor's time stamp counter, which runs at one rate whatever the core does; 0 where there is none to
 * read. */
static double cycles(void)
{
#if defined(__x86_64__)
    return (double)__rdtsc();
#else
    return 0;
#endif
}

struct timing {
    double seconds, cycles;
};

/* Shortest of the runs that fit half a second, at least one; one thread. */
static struct timing time_kernel(const problem *p, const bdnn_ip_kernel *k)
{
    const bdnn_ip_shape *s = &p->shape;
    void *packed = allocate(k->packed_bytes(s)), *scratch = allocate(k->scratch_bytes(s, 1)),
         *acc = allocate((size_t)(shape_positions(s) * s->filters) * sizeof(int32_t));
    const bdnn_sink sink = {.kind = BDNN_SINK_ACCUMULATORS, .y = acc, .filters = s->filters};
    struct timing best = {.seconds = 1e9};
    double begin;
    k->pack(s, &p->weights, packed, NULL);
    begin = now();
    do {
        const double start = now(), count = cycles();
        double seconds;
        k->run(s, &p->weights, packed, p->x_q.data, &sink, scratch, NULL);
        seconds = now() - start;
        if (seconds < best.seconds) {
            best = (struct timing){seconds, cycles() - count};
        }
    } while (now() - begin < 0.5);
    bdnn_free(packed);
    bdnn_free(scratch);
    bdnn_free(acc);
    return best;
}

static void bench_shape(const char *name, const bdnn_ip_shape *shape)
{
    problem p = problem_make(shape, FILL_TRAINED, false);
    const double work = shape_multiply_adds(shape) * 1e-9;
    const struct timing definition = time_kernel(&p, &bdnn_ip_xnor_scalar);
    printf("%s, K %d, Q %d, batch %lld, one thread\n", name, shape->bases, shape->bits, (long long)shape->batch);
    for (size_t i = 0; i < kernel_count; i++) {
        const bdnn_ip_kernel *k = tallies[i].kernel;
        if (tallies[i].runs && k->supported(shape)) {
            const struct timing t = k == &bdnn_ip_xnor_scalar ? definition : time_kernel(&p, k);
            printf("    %-34s %13.0f cycles %9.3f ms %8.2f GMAC/s %8.1f x scalar%s\n", k->name, t.cycles,
                   t.seconds * 1e3, work / t.seconds, definition.seconds / t.seconds,
                   k == bdnn_ip_choose(shape) ? "  (chosen)" : "");
            fflush(stdout);
        }
    }
    problem_free(&p);
}

static int bench(const char *only, int32_t bases, int32_t bits)
{
    const struct {
        const char *name;
        bdnn_ip_shape shape;
    } cases[] = {
        {"VGG conv4_2, 28x28, 256 -> 512, 3x3", shape_image(28, 256, 512, 3, 1, 1)},
        {"VGG conv1_1, 224x224, 3 -> 64, 3x3", shape_image(224, 3, 64, 3, 1, 1)},
        {"ResNet 14x14, 1024 -> 256, 1x1", shape_image(14, 1024, 256, 1, 1, 0)},
        {"small network, 28x28, 24 -> 48, 3x3", shape_image(28, 24, 48, 3, 1, 1)},
        {"small network, 28x28, 1 -> 24, 3x3", shape_image(28, 1, 24, 3, 1, 1)},
        {"ResNet fc, 2048 -> 1000", shape_dense(1, 2048, 1000)},
        {"AlexNet fc6, 9216 -> 4096", shape_dense(1, 9216, 4096)},
        {"AlexNet fc6, 9216 -> 4096", shape_dense(8, 9216, 4096)},
        {"AlexNet fc6, 9216 -> 4096", shape_dense(16, 9216, 4096)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bdnn_ip_shape shape = cases[i].shape;
        shape.bases = bases;
        shape.bits = bits;
        random_seed(i);
        if (!only || strstr(cases[i].name, only)) {
            bench_shape(cases[i].name, &shape);
        }
    }
    return EXIT_SUCCESS;
}

static bool list_kernels(const char *only)
{
    for (const bdnn_ip_kernel *const *k = bdnn_ip_kernels; *k && kernel_count < MAX_KERNELS; k++) {
        if (!only || strcmp(only, (*k)->name) == 0) {
            tallies[kernel_count++] = (struct tally){.kernel = *k, .runs = (*k)->supported(NULL)};
        }
    }
    return kernel_count > 0;
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--quick] [--kernel NAME] [--seed N] [--cases N]\n"
            "       %s --bench [--kernel NAME] [--shape TEXT] [--bases K] [--bits Q]\n",
            program, program);
    return 2;
}

/* 1..8, or 6 when nothing is given; 0 for anything else. */
static int32_t bit_count(const char *text)
{
    return !text ? 6 : text[0] >= '1' && text[0] <= '8' && !text[1] ? text[0] - '0' : 0;
}

int main(int argc, char **argv)
{
    enum { KERNEL, SEED, CASES, SHAPE, BASES, BITS, OPTIONS };
    const char *const names[OPTIONS] = {"--kernel", "--seed", "--cases", "--shape", "--bases", "--bits"};
    const char *values[OPTIONS] = {NULL};
    bool benchmark = false, quick = false;
    for (int i = 1; i < argc; i++) {
        int option = 0;
        while (option < OPTIONS && strcmp(argv[i], names[option]) != 0) {
            option++;
        }
        if (strcmp(argv[i], "--bench") == 0) {
            benchmark = true;
        } else if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
        } else if (option < OPTIONS && i + 1 < argc) {
            values[option] = argv[++i];
        } else {
            return usage(argv[0]);
        }
    }
    if (!bit_count(values[BASES]) || !bit_count(values[BITS])) {
        return usage(argv[0]);
    }
    if (!list_kernels(values[KERNEL])) {
        fprintf(stderr, "no kernel is named %s\n", values[KERNEL]);
        return 2;
    }
    if (benchmark) {
        return bench(values[SHAPE], bit_count(values[BASES]), bit_count(values[BITS]));
    }
    case_step = quick ? QUICK_STEP : 1;
    pool = bdnn_threads_create(3);
    if (!values[SEED]) {
        try_odd_shapes();
        try_all_codes();
        try_brinks();
        try_wide_channels();
    }
    try_random_shapes(values[SEED] ? strtoull(values[SEED], NULL, 10) : 1,
                      values[CASES] ? (unsigned)strtoul(values[CASES], NULL, 10) : 1200 / case_step);
    bdnn_threads_destroy(pool);
    return report();
}
