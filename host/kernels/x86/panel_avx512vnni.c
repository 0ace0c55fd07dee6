/* Panel kernel, x86-64 with AVX-512 VNNI: VPDPBUSD adds four products of unsigned and signed bytes to each of 16 sums,
 * exactly. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"
#include "kernels/panel.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

/* A register tile: ROWS x BLOCKS of 16 filters, 24 sums. */
#define ROWS   6
#define BLOCKS 4
#define LANES  16
#define QUAD   4

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

#include "kernels/quad_store.h"

/* As inline assembly because gcc 12 spills an accumulator when it allocates 24 of them through the intrinsic. */
static inline __attribute__((always_inline)) void dot(__m512i *sum, __m512i x, __m512i w)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(w));
}

/* rows x blocks known at compile time: every sum stays in a register. Unrolled by request, because gcc 12 otherwise
 * unrolls too late to see that no sum needs its place in memory, and stores all of them in every step. */
static inline __attribute__((always_inline)) void tile(int rows, int blocks, const uint8_t *x, int64_t row_stride,
                                                       const int8_t *w, int64_t padded_inner, __mmask16 last,
                                                       int32_t *acc, int64_t acc_stride)
{
    __m512i sum[ROWS][BLOCKS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            sum[r][b] = _mm512_setzero_si512();
        }
    }
    for (int64_t d = 0; d < padded_inner; d += QUAD) {
        __m512i weights[BLOCKS];
        UNROLL
        for (int b = 0; b < blocks; b++) {
            weights[b] = _mm512_load_si512(w + b * LANES * padded_inner + d * LANES);
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            int32_t quad;
            __m512i inputs;
            memcpy(&quad, x + r * row_stride + d, sizeof quad);
            inputs = _mm512_set1_epi32(quad);
            UNROLL
            for (int b = 0; b < blocks; b++) {
                dot(&sum[r][b], inputs, weights[b]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b + 1 < blocks; b++) {
            _mm512_storeu_si512(acc + r * acc_stride + b * LANES, sum[r][b]);
        }
        _mm512_mask_storeu_epi32(acc + r * acc_stride + (blocks - 1) * LANES, last, sum[r][blocks - 1]);
    }
}

#define CASE(r, b)                                                                                                     \
    case (r)*8 + (b):                                                                                                  \
        tile(r, b, x, row_stride, w, padded_inner, last, acc, acc_stride);                                             \
        break;
#define CASES(r) CASE(r, 1) CASE(r, 2) CASE(r, 3) CASE(r, 4)

static void any_tile(int64_t rows, int64_t blocks, const uint8_t *x, int64_t row_stride, const int8_t *w,
                     int64_t padded_inner, __mmask16 last, int32_t *acc, int64_t acc_stride)
{
    switch (rows * 8 + blocks) {
        CASES(1)
        CASES(2)
        CASES(3)
        CASES(4)
        CASES(5)
        CASES(6)
    default:
        break;
    }
}

static void multiply(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride)
{
    (void)notes;
    for (int64_t f = 0; f < filters; f += BLOCKS * LANES) {
        const int64_t left = filters - f < BLOCKS * LANES ? filters - f : BLOCKS * LANES;
        const int64_t blocks = (left + LANES - 1) / LANES;
        const __mmask16 last = (__mmask16)((1u << (left - (blocks - 1) * LANES)) - 1);
        for (int64_t r = 0; r < count; r += ROWS) {
            any_tile(count - r < ROWS ? count - r : ROWS, blocks, (const uint8_t *)rows + r * row_stride, row_stride,
                     (const int8_t *)panel + f * padded_inner, padded_inner, last, acc + r * acc_stride + f,
                     acc_stride);
        }
    }
}

static const bdnn_panel_kernel panel = {
    .inner_multiple = QUAD,
    .filter_multiple = LANES,
    .weight_bytes = 1,
    .row_bytes = 1,
    .store = store,
    .multiply = multiply,
};

#include "kernels/panel_entry.h"

const bdnn_ip_kernel bdnn_ip_panel_avx512vnni = PANEL_ENTRY("panel_6x64__avx512vnni");
