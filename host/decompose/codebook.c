/* SPDX-License-Identifier: BSD-2-Clause */
/* The codebook of one filter and the decomposition of a vector by its values alone. */
#include "decompose/codebook.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t bdnn_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline double sign_of(unsigned code, int k)
{
    return code >> k & 1 ? 1.0 : -1.0;
}

void bdnn_codebook_set(bdnn_codebook *book, int32_t bases, const double *scale)
{
    int codes = 1 << bases;
    book->bases = bases;
    for (int k = 0; k < bases; k++) {
        book->scale[k] = scale[k];
    }
    for (int c = 0; c < codes; c++) {
        double level = 0;
        int place = c;
        for (int k = 0; k < bases; k++) {
            level += sign_of((unsigned)c, k) * scale[k];
        }
        book->level[c] = (float)level;
        /* Insertion sort: at most 256 levels, stable, and the order of codes is close to the order of levels. */
        while (place > 0 && book->sorted[place - 1] > book->level[c]) {
            book->sorted[place] = book->sorted[place - 1];
            book->code[place] = book->code[place - 1];
            place--;
        }
        book->sorted[place] = book->level[c];
        book->code[place] = (uint8_t)c;
    }
    for (int c = 0; c + 1 < codes; c++) {
        book->middle[c] = 0.5f * (book->sorted[c] + book->sorted[c + 1]);
    }
    book->middle[codes - 1] = INFINITY;
}

uint8_t bdnn_codebook_nearest(const bdnn_codebook *book, float v)
{
    int low = 0;
    for (int half = 1 << (book->bases - 1); half > 0; half >>= 1) {
        low += v > book->middle[low + half - 1] ? half : 0;
    }
    return book->code[low];
}

void bdnn_solve_scales(int32_t bases, bdnn_basis_gram gram, double *rhs, double *c)
{
    /* Cholesky with the square roots left out (L D L'), skipping dependent columns. */
    double pivot[BDNN_MAX_BASES], largest = 0;
    for (int i = 0; i < bases; i++) {
        largest = fmax(largest, gram[i][i]);
    }
    for (int j = 0; j < bases; j++) {
        pivot[j] = gram[j][j];
        for (int k = 0; k < j; k++) {
            pivot[j] -= gram[j][k] * gram[j][k] * pivot[k];
        }
        if (!(pivot[j] > 1e-9 * largest)) {
            pivot[j] = 0;
        }
        for (int i = j + 1; i < bases; i++) {
            double sum = gram[i][j];
            for (int k = 0; k < j; k++) {
                sum -= gram[i][k] * gram[j][k] * pivot[k];
            }
            gram[i][j] = pivot[j] > 0 ? sum / pivot[j] : 0;
        }
    }
    for (int i = 0; i < bases; i++) {
        for (int k = 0; k < i; k++) {
            rhs[i] -= gram[i][k] * rhs[k];
        }
    }
    for (int i = bases - 1; i >= 0; i--) {
        /* The first loop has set all pivots below `bases`.
         * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        c[i] = pivot[i] > 0 ? rhs[i] / pivot[i] : 0;
        for (int k = i + 1; k < bases && pivot[i] > 0; k++) {
            c[i] -= gram[k][i] * c[k];
        }
    }
}

/* The sufficient statistics of codes for the least-squares step: how often each code occurs and the sum of t over it.
 * M'M and M't follow from 2^K numbers instead of n. */
struct histogram {
    double count[BDNN_MAX_CODES], sum[BDNN_MAX_CODES];
};

static void gram_of(const struct histogram *h, int32_t bases, bdnn_basis_gram gram, double *rhs)
{
    memset(gram, 0, sizeof(bdnn_basis_gram));
    memset(rhs, 0, (size_t)bases * sizeof *rhs);
    for (unsigned c = 0; c < 1u << bases; c++) {
        if (h->count[c] > 0) {
            for (int k = 0; k < bases; k++) {
                rhs[k] += sign_of(c, k) * h->sum[c];
                for (int l = 0; l < bases; l++) {
                    gram[k][l] += sign_of(c, k) * sign_of(c, l) * h->count[c];
                }
            }
        }
    }
}

void bdnn_code_gram(const uint8_t *codes, int64_t n, int32_t bases, bdnn_basis_gram gram)
{
    struct histogram h;
    double rhs[BDNN_MAX_BASES];
    memset(&h, 0, sizeof h);
    for (int64_t i = 0; i < n; i++) {
        h.count[codes[i]] += 1;
    }
    gram_of(&h, bases, gram, rhs);
}

/* The scale of each basis is the mean magnitude of what the bases before it left. Only the scales are kept: the first
 * assignment follows from them. The residual is computed anew from the signs chosen so far, so that no memory of size n
 * is needed. */
static void start_greedy(const float *t, int64_t n, int32_t bases, double *scale)
{
    for (int k = 0; k < bases; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            double rest = t[i];
            for (int l = 0; l < k; l++) {
                rest -= rest >= 0 ? scale[l] : -scale[l];
            }
            sum += fabs(rest);
        }
        scale[k] = sum / (double)n;
    }
}

/* Powers of two: evenly spaced levels out to a few standard deviations (more for more levels, about where a uniform
 * quantizer of a normal variable does best), or to the maximum where that is nearer. */
static void start_uniform(const float *t, int64_t n, int32_t bases, double *scale)
{
    double square = 0, largest = 0, reach;
    for (int64_t i = 0; i < n; i++) {
        square += (double)t[i] * t[i];
        largest = fmax(largest, fabs((double)t[i]));
    }
    reach = fmin(largest, (0.5 + 0.6 * bases) * sqrt(square / (double)n));
    for (int k = 0; k < bases; k++) {
        scale[k] = reach * (1 << k) / (double)((1 << bases) - 1);
    }
}

/* The greedy scales, each in a random proportion. */
static void start_random(const float *t, int64_t n, int32_t bases, uint64_t *state, double *scale)
{
    start_greedy(t, n, bases, scale);
    for (int k = 0; k < bases; k++) {
        scale[k] *= 0.5 + (double)(bdnn_random(state) >> 11) * 0x1p-53;
    }
}

static double assign(const float *t, int64_t n, const bdnn_codebook *book, uint8_t *codes, struct histogram *h)
{
    double error = 0;
    memset(h, 0, sizeof *h);
    for (int64_t i = 0; i < n; i++) {
        uint8_t code = bdnn_codebook_nearest(book, t[i]);
        double d = t[i] - book->level[code];
        codes[i] = code;
        h->count[code] += 1;
        h->sum[code] += t[i];
        error += d * d;
    }
    return error;
}

/* One start and its alternation. */
static double alternate(const float *t, int64_t n, int32_t bases, bdnn_start start, const bdnn_start_rule *rule,
                        uint64_t seed, bdnn_codebook *book, uint8_t *codes)
{
    double scale[BDNN_MAX_BASES], rhs[BDNN_MAX_BASES], error, before = DBL_MAX;
    bdnn_basis_gram gram;
    struct histogram h;
    if (start == BDNN_START_GREEDY) {
        start_greedy(t, n, bases, scale);
    } else if (start == BDNN_START_UNIFORM) {
        start_uniform(t, n, bases, scale);
    } else {
        start_random(t, n, bases, &seed, scale);
    }
    bdnn_codebook_set(book, bases, scale);
    error = assign(t, n, book, codes, &h);
    for (int i = 0; i < rule->iterations && error < before * (1 - 1e-6); i++) {
        before = error;
        gram_of(&h, bases, gram, rhs);
        bdnn_solve_scales(bases, gram, rhs, scale);
        bdnn_codebook_set(book, bases, scale);
        error = assign(t, n, book, codes, &h);
    }
    return error;
}

double bdnn_decompose_vector(const float *t, int64_t n, int32_t bases, const bdnn_start_rule *rule, bdnn_codebook *book,
                             uint8_t *codes, uint8_t *spare)
{
    double best = alternate(t, n, bases, rule->starts[0], rule, rule->seed, book, codes);
    for (int i = 1; i < rule->count; i++) {
        bdnn_codebook other;
        double error = alternate(t, n, bases, rule->starts[i], rule, rule->seed + (uint64_t)i, &other, spare);
        if (error < best) {
            best = error;
            *book = other;
            memcpy(codes, spare, (size_t)n);
        }
    }
    return best;
}

/* Error (c - s g)' gram (c - s g) with the best s, which is stored. */
static double integer_error(const double *c, const int *g, int32_t bases, bdnn_basis_gram gram, double *s)
{
    double cc = 0, cg = 0, gg = 0;
    for (int k = 0; k < bases; k++) {
        for (int l = 0; l < bases; l++) {
            cc += c[k] * gram[k][l] * c[l];
            cg += c[k] * gram[k][l] * g[l];
            gg += g[k] * gram[k][l] * g[l];
        }
    }
    *s = gg > 0 && cg > 0 ? cg / gg : 0;
    return cc - *s * cg;
}

void bdnn_integer_scales(const bdnn_codebook *book, bdnn_basis_gram gram, int8_t *g, double *s, uint8_t *flip)
{
    int32_t bases = book->bases;
    double total = 0, best = INFINITY;
    *flip = 0;
    *s = 0;
    memset(g, 0, (size_t)bases);
    for (int k = 0; k < bases; k++) {
        total += fabs(book->scale[k]);
        *flip |= book->scale[k] < 0 ? (uint8_t)(1 << k) : 0;
    }
    for (int sum = 127; total > 0 && sum >= 64; sum--) {
        int rounded[BDNN_MAX_BASES], used = 0;
        double factor, error;
        for (int k = 0; k < bases; k++) {
            rounded[k] = (int)rint(book->scale[k] * sum / total);
            used += abs(rounded[k]);
        }
        if (used > 127) {
            continue;
        }
        error = integer_error(book->scale, rounded, bases, gram, &factor);
        if (error < best && factor > 0) {
            best = error;
            *s = factor;
            for (int k = 0; k < bases; k++) {
                g[k] = (int8_t)abs(rounded[k]);
            }
        }
    }
}
