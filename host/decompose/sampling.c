/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled positions of an inner-product layer. */
#include "decompose/sampling.h"

#include "core/arithmetic.h"
#include "core/memory.h"
#include "decompose/codebook.h"
#include "kernels/rows.h"

int64_t *bdnn_sample_positions(const bdnn_inner_geometry *geometry, int64_t images, int64_t wanted, uint64_t seed,
                               int64_t *count)
{
    const int64_t places = geometry->out.size[0] * geometry->out.size[1] * geometry->out.size[2];
    const int64_t most = bdnn_min(places, wanted / images + 1);
    int64_t *positions = bdnn_alloc(bdnn_size(images * most), sizeof *positions);
    *count = 0;
    for (int64_t image = 0; positions && image < images; image++) {
        /* The first `wanted % images` images give one position more. Selection sampling (Knuth, volume 2, algorithm S).
         */
        int64_t left = wanted / images + (image < wanted % images);
        for (int64_t place = 0; place < places && left > 0; place++) {
            uint64_t random = bdnn_random(&seed);
            if ((int64_t)(random % (uint64_t)(places - place)) < left) {
                positions[(*count)++] = image * places + place;
                left--;
            }
        }
    }
    return positions;
}

void bdnn_gather_inputs(const bdnn_inner_geometry *geometry, const float *x, int64_t group, const int64_t *positions,
                        int64_t count, float *rows)
{
    bdnn_ip_shape shape;
    bdnn_ip_shape_of(geometry, &shape);
    for (int64_t r = 0; r < count; r++) {
        bdnn_ip_gather(&shape, x, sizeof *x, positions[r], 1, group, geometry->inner, rows + r * geometry->inner);
    }
}

void bdnn_add_outputs(const bdnn_inner_geometry *geometry, const float *y, float factor, int64_t group,
                      const int64_t *positions, int64_t count, float *rows)
{
    const int64_t filters = geometry->filters / geometry->groups;
    for (int64_t r = 0; r < count; r++) {
        const float *from = y + positions[r] * geometry->filters + group * filters;
        for (int64_t f = 0; f < filters; f++) {
            rows[r * filters + f] += factor * from[f];
        }
    }
}
