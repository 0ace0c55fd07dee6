/* The rate of VPMADDUBSW with an addition of 16-bit sums: what the AVX2 kernels repeat between two widenings. */
#include "kernels/cpu.h"
#include "kernels/peak.h"
#include "kernels/x86/chains.h"

#include <immintrin.h>

#define ROUNDS 128

static bool supported(void)
{
    return bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2");
}

static void run(void)
{
    const __m256i x = _mm256_set1_epi8(1), w = _mm256_set1_epi8(3);
    __m256i product;
    DECLARE(__m256i, _mm256_setzero_si256());
    for (int i = 0; i < ROUNDS; i++) {
#define X(sum)                                                                                                         \
    __asm__ volatile("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(x), "x"(w));
        ALL_CHAINS
#undef X
    }
}

const bdnn_peak bdnn_peak_avx2 = {.instruction = "VPMADDUBSW",
                                  .kernels = "avx2",
                                  .supported = supported,
                                  .multiply_adds = 32.0 * CHAINS * ROUNDS,
                                  .run = run};
