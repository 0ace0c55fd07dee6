/* The rate of VPDPBUSD over 256 bits in AVX's encoding. */
#include "kernels/cpu.h"
#include "kernels/peak.h"
#include "kernels/x86/chains.h"

#include <immintrin.h>

#define ROUNDS 128

static bool supported(void)
{
    return bdnn_cpu_allows(BDNN_CPU_AVXVNNI) && bdnn_cpu_has_avxvnni();
}

static void run(void)
{
    const __m256i x = _mm256_set1_epi8(1), w = _mm256_set1_epi8(3);
    DECLARE(__m256i, _mm256_setzero_si256());
    for (int i = 0; i < ROUNDS; i++) {
#define X(sum) __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w));
        ALL_CHAINS
#undef X
    }
}

const bdnn_peak bdnn_peak_avxvnni = {.instruction = "VPDPBUSD ymm",
                                     .kernels = "avxvnni",
                                     .supported = supported,
                                     .multiply_adds = 32.0 * CHAINS * ROUNDS,
                                     .run = run};
