/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers by a logarithm and an exponential whose every step is one IEEE 754 operation. */
#include "kernels/power.h"

#include <math.h>

/* Natural logarithm of a positive, finite number: 2 artanh((m - 1) / (m + 1)) of its mantissa m in [sqrt(1/2),
 * sqrt(2)), whose series converges by a factor of 34 a term. */
static double logarithm(double x)
{
    int exponent;
    double m = frexp(x, &exponent), s, square, sum = 0;
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    s = (m - 1) / (m + 1);
    square = s * s;
    for (int i = 21; i >= 1; i -= 2) {
        sum = sum * square + 1.0 / i;
    }
    return 2 * s * sum + exponent * 0.69314718055994531;
}

/* e^x: 2^k times the Taylor series at a remainder of at most ln 2 / 2. */
static double exponential(double x)
{
    const double k = rint(x * 1.4426950408889634),
                 r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10;
    double sum = 1;
    for (int i = 16; i >= 1; i--) {
        sum = sum * r / i + 1;
    }
    return ldexp(sum, (int)k);
}

float bdnn_power(float base, float exponent)
{
    double power;
    if (!(base > 0 && base < INFINITY) || !(exponent > -INFINITY && exponent < INFINITY)) {
        return powf(base, exponent); /* exact by definition: a NaN, 0, 1 or infinity */
    }
    power = logarithm(base) * exponent;
    power = power < -1000 ? -1000 : power > 1000 ? 1000 : power;
    return (float)exponential(power);
}
