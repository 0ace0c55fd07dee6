/* SPDX-License-Identifier: BSD-2-Clause */
/* The codebook of one filter - the 2^K values that K scales and signs can form - and the decomposition of a vector by
 * its values alone (Kamiya et al. 2017, section 3: greedy residual bases, then alternation of a least-squares step for
 * the scales and an exhaustive choice of each element's sign pattern). */
#ifndef BDNN_DECOMPOSE_CODEBOOK_H
#define BDNN_DECOMPOSE_CODEBOOK_H

#include <stdint.h>

#define BDNN_MAX_BASES 8
#define BDNN_MAX_CODES (1 << BDNN_MAX_BASES)

/* A K x K matrix over the bases. */
typedef double bdnn_basis_gram[BDNN_MAX_BASES][BDNN_MAX_BASES];

/* A code is a sign pattern: bit k set means that basis k is +1. */
typedef struct bdnn_codebook {
    int32_t bases;
    double scale[BDNN_MAX_BASES];
    float level[BDNN_MAX_CODES];  /* value of each code */
    float sorted[BDNN_MAX_CODES]; /* the levels in rising order, */
    uint8_t code[BDNN_MAX_CODES]; /* the code of each, */
    float middle[BDNN_MAX_CODES]; /* and the middles between neighbors; the last is infinity */
} bdnn_codebook;

/* Fills the codebook in from `bases` scales. */
void bdnn_codebook_set(bdnn_codebook *book, int32_t bases, const double *scale);

/* The code whose level is nearest to v: an exhaustive choice over the 2^K sign patterns, by bisection. */
uint8_t bdnn_codebook_nearest(const bdnn_codebook *book, float v);

/* Solves the K x K system gram c = rhs (gram symmetric; both are overwritten). Directions that the system leaves open -
 * bases that repeat another - get the value 0. */
void bdnn_solve_scales(int32_t bases, bdnn_basis_gram gram, double *rhs, double *c);

/* How a decomposition starts. */
typedef enum bdnn_start { BDNN_START_GREEDY, BDNN_START_UNIFORM, BDNN_START_RANDOM } bdnn_start;

/* A list of starts, each followed by at most so many rounds of alternation; the best result counts. */
typedef struct bdnn_start_rule {
    const bdnn_start *starts;
    int count;
    int iterations;
    uint64_t seed; /* for BDNN_START_RANDOM */
} bdnn_start_rule;

/* Decomposes t[n] by its values: writes codes[n] and the codebook, returns the squared error. spare: scratch of n
 * bytes. */
double bdnn_decompose_vector(const float *t, int64_t n, int32_t bases, const bdnn_start_rule *rule, bdnn_codebook *book,
                             uint8_t *codes, uint8_t *spare);

/* The integer codebook nearest to `book` under a K x K metric: scales g with sum |g| <= 127 and a factor s that
 * minimize (c - s g)' gram (c - s g), by trying every total sum |g| from 127 down to 64. gram = M'M makes it the error
 * of the vector, M'HM that of the layer's output. Scales come out >= 0: signs move into *flip, a mask to exclusive-or
 * into every code. */
void bdnn_integer_scales(const bdnn_codebook *book, bdnn_basis_gram gram, int8_t *g, double *s, uint8_t *flip);

/* gram = M'M of a vector's codes. */
void bdnn_code_gram(const uint8_t *codes, int64_t n, int32_t bases, bdnn_basis_gram gram);

/* The generator behind every random choice: splitmix64 (Steele, Lea, Flood 2014). */
uint64_t bdnn_random(uint64_t *state);

#endif
