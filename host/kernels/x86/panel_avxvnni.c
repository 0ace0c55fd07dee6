/* Panel kernel, x86-64 with AVX-VNNI: VPDPBUSD on vectors of 256 bits, for processors without AVX-512. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"
#include "kernels/panel.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

/* A register tile: 12 sums, 2 vectors of weights and one of inputs in 16 registers. */
#define ROWS   6
#define BLOCKS 2
#define LANES  8
#define QUAD   4

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return bdnn_cpu_allows(BDNN_CPU_AVXVNNI) && bdnn_cpu_has_avxvnni();
}

/* rows x blocks known at compile time: every sum stays in a register. Unrolled by request, because gcc 12 otherwise
 * unrolls too late to see that no sum needs its place in memory, and stores all of them in every step. */
static inline __attribute__((always_inline)) void tile(int rows, int blocks, const uint8_t *x, int64_t row_stride,
                                                       const int8_t *w, int64_t padded_inner, int32_t *acc,
                                                       int64_t acc_stride)
{
    __m256i sum[ROWS][BLOCKS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            sum[r][b] = _mm256_setzero_si256();
        }
    }
    for (int64_t d = 0; d < padded_inner; d += QUAD) {
        __m256i weights[BLOCKS];
        UNROLL
        for (int b = 0; b < blocks; b++) {
            weights[b] = _mm256_load_si256((const __m256i *)(const void *)(w + b * LANES * padded_inner + d * LANES));
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            int32_t quad;
            __m256i inputs;
            memcpy(&quad, x + r * row_stride + d, sizeof quad);
            inputs = _mm256_set1_epi32(quad);
            UNROLL
            for (int b = 0; b < blocks; b++) {
                sum[r][b] = _mm256_dpbusd_avx_epi32(sum[r][b], inputs, weights[b]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            _mm256_storeu_si256((__m256i *)(void *)(acc + r * acc_stride + b * LANES), sum[r][b]);
        }
    }
}

#define CASE(r, b)                                                                                                     \
    case (r)*4 + (b):                                                                                                  \
        tile(r, b, x, row_stride, w, padded_inner, acc, acc_stride);                                                   \
        break;
#define CASES(r) CASE(r, 1) CASE(r, 2)

static void any_tile(int64_t rows, int64_t blocks, const uint8_t *x, int64_t row_stride, const int8_t *w,
                     int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    switch (rows * 4 + blocks) {
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
        const int64_t blocks = filters - f <= LANES ? 1 : BLOCKS;
        for (int64_t r = 0; r < count; r += ROWS) {
            any_tile(count - r < ROWS ? count - r : ROWS, blocks, (const uint8_t *)rows + r * row_stride, row_stride,
                     (const int8_t *)panel + f * padded_inner, padded_inner, acc + r * acc_stride + f, acc_stride);
        }
    }
}

#include "kernels/quad_store.h"

static const bdnn_panel_kernel panel = {
    .inner_multiple = QUAD,
    .filter_multiple = LANES,
    .weight_bytes = 1,
    .row_bytes = 1,
    .store = store,
    .multiply = multiply,
};

#include "kernels/panel_entry.h"

const bdnn_ip_kernel bdnn_ip_panel_avxvnni = PANEL_ENTRY("panel_6x16__avxvnni");
