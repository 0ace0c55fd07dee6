/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes of the kernels in plain C, and reading where the processor has no reader of its own. */
#include "kernels/peak.h"

#define CHAINS 4
#define ROUNDS 512

/* How a bit's product is counted without an instruction for it, as the compiler sees fit. */
static void count_bits(void)
{
    uint64_t a = 0x0123456789abcdef, b = 0xfedcba9876543210;
    int64_t sum[CHAINS] = {0};
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 4
        for (int c = 0; c < CHAINS; c++) {
            __asm__ volatile("" : "+r"(a), "+r"(b)); /* as unknown as what a kernel loads */
            sum[c] += __builtin_popcountll(a & b);
        }
    }
    __asm__ volatile("" : : "r"(sum[0] + sum[1] + sum[2] + sum[3]));
}

static const bdnn_probe probe_popcount = {
    .instruction = "popcount in C", .products = 64.0 * CHAINS * ROUNDS, .binary = true, .run = count_bits};

const bdnn_probe_entry bdnn_probes_portable[] = {
    {&bdnn_ip_popcount_portable, &probe_popcount},
    {&bdnn_ip_xnor_scalar, &probe_popcount},
    {NULL, NULL},
};

#if !defined(__x86_64__)
const bdnn_probe_entry bdnn_probes_native[] = {{NULL, NULL}};

static void read_words(const void *at, size_t stripe, size_t bytes)
{
    const uint64_t *words = at;
    uint64_t sum[8] = {0};
    stripe /= sizeof *words;
    for (size_t i = 0; i < bytes / sizeof *words; i += 8) {
        for (size_t s = 0; s < 4; s++) {
            for (size_t w = 0; w < 8; w++) {
                sum[w] += words[s * stripe + i + w];
            }
        }
    }
    __asm__ volatile("" : : "r"(sum) : "memory");
}

bdnn_reader *bdnn_reader_native(void)
{
    return read_words;
}
#endif
