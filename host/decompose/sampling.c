/* Sampled positions of an inner-product layer. */
#include "decompose/sampling.h"

#include "core/memory.h"
#include "decompose/codebook.h"

#include <string.h>

static bdnn_position position_of(const bdnn_inner_geometry *geometry, int64_t image, int64_t place)
{
    const int64_t *size = geometry->out.size;
    bdnn_position p = {.image = (int32_t)image};
    p.at[2] = (int32_t)(place % size[2]);
    p.at[1] = (int32_t)(place / size[2] % size[1]);
    p.at[0] = (int32_t)(place / size[2] / size[1]);
    return p;
}

bdnn_position *bdnn_sample_positions(const bdnn_inner_geometry *geometry, int64_t images, int64_t wanted, uint64_t seed,
                                     int64_t *count)
{
    const int64_t places = geometry->out.size[0] * geometry->out.size[1] * geometry->out.size[2];
    const int64_t most = places > wanted / images + 1 ? wanted / images + 1 : places;
    bdnn_position *positions = bdnn_alloc((size_t)(images * most), sizeof *positions);
    *count = 0;
    if (!positions) {
        return NULL;
    }
    for (int64_t image = 0; image < images; image++) {
        /* The first `wanted % images` images give one position more. Selection sampling (Knuth, volume 2, algorithm S).
         */
        int64_t left = wanted / images + (image < wanted % images);
        for (int64_t place = 0; place < places && left > 0; place++) {
            uint64_t random = bdnn_random(&seed);
            if ((int64_t)(random % (uint64_t)(places - place)) < left) {
                positions[(*count)++] = position_of(geometry, image, place);
                left--;
            }
        }
    }
    return positions;
}

void bdnn_gather_inputs(const bdnn_inner_geometry *geometry, const float *x, int64_t group,
                        const bdnn_position *positions, int64_t count, float *rows)
{
    const bdnn_window *w = &geometry->window;
    const bdnn_extent *in = &geometry->in;
    const int64_t channels = in->channels / geometry->groups,
                  item = in->size[0] * in->size[1] * in->size[2] * in->channels;
    for (int64_t r = 0; r < count; r++) {
        const float *image = x + positions[r].image * item + group * channels;
        for (int32_t kd = 0; kd < w->kernel[0]; kd++) {
            int64_t d = (int64_t)positions[r].at[0] * w->stride[0] - w->pad_begin[0] + (int64_t)kd * w->dilation[0];
            for (int32_t kh = 0; kh < w->kernel[1]; kh++) {
                int64_t h = (int64_t)positions[r].at[1] * w->stride[1] - w->pad_begin[1] + (int64_t)kh * w->dilation[1];
                for (int32_t kw = 0; kw < w->kernel[2]; kw++, rows += channels) {
                    int64_t v =
                        (int64_t)positions[r].at[2] * w->stride[2] - w->pad_begin[2] + (int64_t)kw * w->dilation[2];
                    if (d < 0 || d >= in->size[0] || h < 0 || h >= in->size[1] || v < 0 || v >= in->size[2]) {
                        memset(rows, 0, (size_t)channels * sizeof *rows);
                    } else {
                        memcpy(rows, image + ((d * in->size[1] + h) * in->size[2] + v) * in->channels,
                               (size_t)channels * sizeof *rows);
                    }
                }
            }
        }
    }
}

void bdnn_add_outputs(const bdnn_inner_geometry *geometry, const float *y, float factor, int64_t group,
                      const bdnn_position *positions, int64_t count, float *rows)
{
    const int64_t filters = geometry->filters / geometry->groups, *size = geometry->out.size;
    for (int64_t r = 0; r < count; r++) {
        const bdnn_position *p = &positions[r];
        const int64_t place = ((p->image * size[0] + p->at[0]) * size[1] + p->at[1]) * size[2] + p->at[2];
        const float *from = y + place * geometry->filters + group * filters;
        for (int64_t f = 0; f < filters; f++) {
            rows[r * filters + f] += factor * from[f];
        }
    }
}
