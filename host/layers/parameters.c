/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the parameters of inner-product layers. */
#include "layers/parameters.h"

#include <math.h>
#include <stdlib.h>

static bdnn_status check_bytes(const bdnn_blob *blob, uint64_t count, uint64_t size, const char *what, bdnn_error *err)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || blob->bytes != bytes || (bytes && !blob->data)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s take %zu bytes, where %llu elements of %llu bytes are needed",
                         what, blob->bytes, (unsigned long long)count, (unsigned long long)size);
    }
    return BDNN_OK;
}

bdnn_status bdnn_check_floats(const bdnn_blob *blob, int64_t count, const char *what, bdnn_error *err)
{
    return check_bytes(blob, (uint64_t)count, sizeof(float), what, err);
}

static bdnn_status check_numbers(const bdnn_decomposed *dec, int64_t inner, bdnn_error *err)
{
    if (dec->bases < 1 || dec->bases > 8 || dec->bits < 1 || dec->bits > 8) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%d bases and %d bits: both must be 1 to 8", dec->bases, dec->bits);
    }
    if (!(dec->step > 0) || !isfinite(dec->step)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "the input's step is %g", (double)dec->step);
    }
    if (dec->zero_point < 0 || dec->zero_point >= 1 << dec->bits) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "zero point %d of an input of %d bits", dec->zero_point, dec->bits);
    }
    if (inner > BDNN_IP_MAX_INNER) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "inner products of %lld elements; 32-bit sums hold at most %d",
                         (long long)inner, BDNN_IP_MAX_INNER);
    }
    return BDNN_OK;
}

static bdnn_status check_decomposed(const bdnn_decomposed *dec, int64_t filters, int64_t inner, bdnn_error *err)
{
    const uint64_t words = (uint64_t)bdnn_words_of(inner), rows = (uint64_t)filters * (uint64_t)dec->bases;
    bdnn_status status = check_numbers(dec, inner, err);
    if (status == BDNN_OK) {
        status = check_bytes(&dec->planes, rows, words * sizeof(uint64_t), "bases", err);
    }
    if (status == BDNN_OK) {
        status = check_bytes(&dec->scales, rows, 1, "scales", err);
    }
    if (status == BDNN_OK) {
        status = bdnn_check_floats(&dec->filter_scale, filters, "filter scales", err);
    }
    for (int64_t f = 0; f < filters && status == BDNN_OK; f++) {
        int sum = 0;
        for (int32_t k = 0; k < dec->bases; k++) {
            sum += abs(bdnn_decomposed_scales(dec, f)[k]);
        }
        if (sum > 127) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "the scales of filter %lld add up to %d; at most 127 is allowed",
                             (long long)f, sum);
        }
        if (!isfinite(((const float *)dec->filter_scale.data)[f])) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "the scale of filter %lld is not finite", (long long)f);
        }
    }
    for (uint64_t r = 0; r < rows && status == BDNN_OK && inner % 64; r++) {
        if (((const uint64_t *)dec->planes.data)[r * words + words - 1] >> inner % 64 != UINT64_MAX >> inner % 64) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "basis %llu has filler bits of 0 beyond its %lld elements",
                             (unsigned long long)r, (long long)inner);
        }
    }
    return status;
}

bdnn_status bdnn_check_inner_product(const bdnn_layer *layer, int64_t filters, int64_t inner, bdnn_error *err)
{
    bdnn_status status;
    int64_t count;
    if (inner < 1 || inner > INT32_MAX || filters < 1 || __builtin_mul_overflow(filters, inner, &count) ||
        count > BDNN_MAX_ELEMENTS) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%lld filters of %lld elements", (long long)filters, (long long)inner);
    }
    if (layer->bias.data || layer->bias.bytes) {
        status = bdnn_check_floats(&layer->bias, filters, "biases", err);
        if (status != BDNN_OK) {
            return status;
        }
    }
    if (!layer->decomposed) {
        return bdnn_check_floats(&layer->weight, count, "weights", err);
    }
    if (layer->weight.data) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%zu bytes of float weights beside bases", layer->weight.bytes);
    }
    return check_decomposed(layer->decomposed, filters, inner, err);
}
