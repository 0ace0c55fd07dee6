/* The rate of VPDPBUSD over 512 bits. */
#include "kernels/cpu.h"
#include "kernels/peak.h"
#include "kernels/x86/chains.h"

#include <immintrin.h>

#define ROUNDS 128

static bool supported(void)
{
    return bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni");
}

static void run(void)
{
    const __m512i x = _mm512_set1_epi8(1), w = _mm512_set1_epi8(3);
    DECLARE(__m512i, _mm512_setzero_si512());
    for (int i = 0; i < ROUNDS; i++) {
#define X(sum) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
        ALL_CHAINS
#undef X
    }
}

const bdnn_peak bdnn_peak_avx512vnni = {.instruction = "VPDPBUSD",
                                        .kernels = "avx512vnni",
                                        .supported = supported,
                                        .multiply_adds = 64.0 * CHAINS * ROUNDS,
                                        .run = run};
