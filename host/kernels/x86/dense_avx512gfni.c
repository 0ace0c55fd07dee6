/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, x86-64 with AVX-512 VNNI, VBMI and GFNI: GF2P8AFFINEQB transposes 8 x 8 bits,
 * which makes codes of 8 bytes of eight planes, or twice as many of 4 bits of four planes; VPERMB looks them up. */
#include "kernels/x86/zmm.h"

#define DENSE_KERNEL bdnn_ip_dense_avx512gfni
#define DENSE_NAME   "dense_1x8__avx512gfni"
#define DENSE_AVAILABLE                                                                                                \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && \
     __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("gfni"))

#define DENSE_TABLES 4

/* Unpacking bytes, words and dwords goes by 128 bits: vectors 2 m and 2 m + 1 hold bytes 16 L + 4 m .. 16 L + 4 m + 3
 * of the planes for each such lane L, two of them each. */
static int64_t element_at(int32_t bases, int64_t vector, int64_t byte)
{
    const int64_t lane = byte / 16, half = byte / 8 % 2, bit = byte % 8, pair = vector % 2;
    const int64_t of_four = bases <= 4 ? 2 * half + pair : 2 * pair + half;
    return (16 * lane + vector / 2 * 4 + of_four) * 8 + bit;
}

/* The weights of codes 64 i..64 i + 63, for up to six bases of all codes; a code's bits from K on do not matter. */
static void tables_of(const int8_t *scales, int32_t bases, vec tables[DENSE_TABLES])
{
    static const uint64_t ones[6] = {0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0,
                                     0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000};
    for (int i = 0; i < (bases <= 6 ? 1 : DENSE_TABLES); i++) {
        tables[i] = zero();
        for (int32_t k = 0; k < bases; k++) {
            const uint64_t plus = k < 6 ? ones[k] : i >> (k - 6) & 1 ? UINT64_MAX : 0;
            const vec g = fill(scales[k]);
            tables[i] = _mm512_mask_add_epi8(_mm512_sub_epi8(tables[i], g), plus, tables[i], g);
        }
    }
}

/* The bits of each 8 bytes transposed, the last byte's becoming the lowest ones. */
static inline __attribute__((always_inline)) vec transpose(vec bytes)
{
    return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((int64_t)0x8040201008040201), bytes, 0);
}

/* Bytes of a, b, c and d one after the other. */
static inline __attribute__((always_inline)) void interleave(vec a, vec b, vec c, vec d, vec out[4])
{
    const vec ab[2] = {_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b)},
              cd[2] = {_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d)};
    for (int i = 0; i < 2; i++) {
        out[2 * i] = _mm512_unpacklo_epi16(ab[i], cd[i]);
        out[2 * i + 1] = _mm512_unpackhi_epi16(ab[i], cd[i]);
    }
}

static inline __attribute__((always_inline)) vec look_up(int planes, vec code, const vec tables[DENSE_TABLES])
{
    if (planes <= 6) {
        return _mm512_permutexvar_epi8(code, tables[0]);
    }
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(code), _mm512_permutex2var_epi8(tables[0], code, tables[1]),
                                  _mm512_permutex2var_epi8(tables[2], code, tables[3]));
}

static inline __attribute__((always_inline)) void decode(int planes, const vec bits[8], const vec tables[DENSE_TABLES],
                                                         vec w[8])
{
    const vec none = zero();
    vec low[4], high[4];
    interleave(bits[3], bits[2], bits[1], bits[0], low);
    if (planes == 4) {
        /* Two codes a byte; the tables repeat after sixteen, so that what lies above a code does not matter. */
        for (int m = 0; m < 4; m++) {
            const vec codes = transpose(low[m]);
            w[2 * m] = look_up(4, _mm512_srli_epi16(codes, 4), tables);
            w[2 * m + 1] = look_up(4, codes, tables);
        }
        return;
    }
    if (planes == 6) {
        interleave(none, none, bits[5], bits[4], high);
    } else {
        interleave(bits[7], bits[6], bits[5], bits[4], high);
    }
    for (int m = 0; m < 4; m++) {
        w[2 * m] = look_up(planes, transpose(_mm512_unpacklo_epi32(high[m], low[m])), tables);
        w[2 * m + 1] = look_up(planes, transpose(_mm512_unpackhi_epi32(high[m], low[m])), tables);
    }
}

#include "kernels/dense_codebook.h"
