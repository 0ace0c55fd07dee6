/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding for dense_codebook.h by PSHUFB or TBL: each vector of four planes holds the bits of 8 weights a byte, which
 * are interleaved to eight vectors of codes, vector j those of the weights at bit order[j] of every byte. More than
 * four planes go through a second table of sixteen, whose bytes are added. On vectors: fill (of a byte), table (16
 * bytes in memory to every 128 bits), both (and), differing (exclusive or), left and right (shifts of 16-bit elements
 * by a constant), shuffle, add8. */
#define DENSE_TABLES 2

static int64_t element_at(int32_t bases, int64_t vector, int64_t byte)
{
    static const int order[VECTORS] = {0, 4, 2, 6, 1, 5, 3, 7};
    (void)bases;
    return byte * 8 + order[vector];
}

/* The weight of each code of up to four bases: bit k of the code is a bit of basis k. */
static void tables_of(const int8_t *scales, int32_t bases, vec tables[DENSE_TABLES])
{
    for (int t = 0; t < DENSE_TABLES; t++) {
        int8_t weights[16];
        for (int code = 0; code < 16; code++) {
            int weight = 0;
            for (int32_t k = 4 * t; k < 4 * t + 4 && k < bases; k++) {
                weight += code >> (k - 4 * t) & 1 ? scales[k] : -scales[k];
            }
            weights[code] = (int8_t)weight;
        }
        tables[t] = table(weights);
    }
}

/* Swaps what lies `shift` bits above the mask's bits in a with what lies at the mask's bits in b: of even and odd bits
 * of two planes that makes pairs, of pairs codes of four. */
#define INTERLEAVE(a, b, shift, mask)                                                                                  \
    do {                                                                                                               \
        const vec swapped = both(mask, differing(right(a, shift), b));                                                 \
        b = differing(b, swapped);                                                                                     \
        a = differing(a, left(swapped, shift));                                                                        \
    } while (0)

INLINE void codes_of_four(vec a, vec b, vec c, vec d, vec code[VECTORS])
{
    const vec bits = fill(0x55), pairs = fill(0x33), low = fill(0x0f);
    INTERLEAVE(a, b, 1, bits);
    INTERLEAVE(c, d, 1, bits);
    INTERLEAVE(a, c, 2, pairs);
    INTERLEAVE(b, d, 2, pairs);
    code[0] = both(low, a);
    code[1] = both(low, right(a, 4));
    code[2] = both(low, c);
    code[3] = both(low, right(c, 4));
    code[4] = both(low, b);
    code[5] = both(low, right(b, 4));
    code[6] = both(low, d);
    code[7] = both(low, right(d, 4));
}

INLINE void codes_of_two(vec a, vec b, vec code[VECTORS])
{
    const vec bits = fill(0x55), low = fill(0x03);
    INTERLEAVE(a, b, 1, bits);
    code[0] = both(low, a);
    code[1] = both(low, right(a, 4));
    code[2] = both(low, right(a, 2));
    code[3] = both(low, right(a, 6));
    code[4] = both(low, b);
    code[5] = both(low, right(b, 4));
    code[6] = both(low, right(b, 2));
    code[7] = both(low, right(b, 6));
}

INLINE void decode(int planes, const vec bits[8], const vec tables[DENSE_TABLES], vec w[VECTORS])
{
    vec code[VECTORS];
    codes_of_four(bits[0], bits[1], bits[2], bits[3], code);
    UNROLL
    for (int i = 0; i < VECTORS; i++) {
        w[i] = shuffle(tables[0], code[i]);
    }
    if (planes == 6) {
        codes_of_two(bits[4], bits[5], code);
    } else if (planes == 8) {
        codes_of_four(bits[4], bits[5], bits[6], bits[7], code);
    }
    UNROLL
    for (int i = 0; i < VECTORS && planes > 4; i++) {
        w[i] = add8(w[i], shuffle(tables[1], code[i]));
    }
}
