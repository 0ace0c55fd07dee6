/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of max pooling over elements of one type; included by pool.c, which defines ELEMENT (the type), LOWEST (what
 * no window element is below), MAX and MAX_TAP (the members of the table of pooling kernels; MAX_TAP only where
 * integers are pooled) and NAMED (a name with the type's suffix). */

/* Indices as ONNX counts them. */
static void NAMED(max_index)(const ELEMENT *restrict x, int64_t channels, int64_t first, int64_t step,
                             ELEMENT *restrict y, int64_t *restrict indices)
{
    for (int64_t c = 0; c < channels; c++) {
        const bool take = x[c] > y[c] || indices[c] < 0;
        y[c] = take ? x[c] : y[c];
        indices[c] = take ? first + c * step : indices[c];
    }
}

static void NAMED(max_position)(void *context, size_t position)
{
    const struct pool *p = context;
    const bdnn_window *w = &p->window;
    const bdnn_pooling_kernel *kernel = bdnn_pooling_choose();
    const int64_t channels = p->in.channels, step = p->in.size[0] * p->in.size[1] * p->in.size[2];
    const size_t at = position * (size_t)channels;
    ELEMENT *y = (ELEMENT *)p->call->outputs[0].data + at;
    struct span s[BDNN_SPATIAL];
    int64_t image;
    for (int64_t c = 0; c < channels; c++) {
        y[c] = LOWEST;
    }
    for (int64_t c = 0; c < channels && p->indices; c++) {
        p->indices[at + (size_t)c] = -1;
    }
    if (p->taps) {
        memset(p->taps + at, 0, (size_t)channels);
    }
    spans_of(p, position, s, &image);
    for (int64_t kd = s[0].first; kd < s[0].last; kd++) {
        for (int64_t kh = s[1].first; kh < s[1].last; kh++) {
            for (int64_t kw = s[2].first; kw < s[2].last; kw++) {
                const int64_t d = s[0].begin + kd * w->dilation[0], h = s[1].begin + kh * w->dilation[1],
                              v = s[2].begin + kw * w->dilation[2];
                const ELEMENT *x = (const ELEMENT *)p->call->inputs[0].data +
                                   (((image * p->in.size[0] + d) * p->in.size[1] + h) * p->in.size[2] + v) * channels;
                if (p->indices) {
                    NAMED(max_index)(x, channels, index_of(p, image, 0, d, h, v), step, y, p->indices + at);
#ifdef MAX_TAP
                } else if (p->taps) {
                    kernel->MAX_TAP(x, (size_t)channels, (uint8_t)((kd * w->kernel[1] + kh) * w->kernel[2] + kw), y,
                                    p->taps + at);
#endif
                } else {
                    kernel->MAX(x, (size_t)channels, y);
                }
            }
        }
    }
}

#undef ELEMENT
#undef LOWEST
#undef MAX
#undef MAX_TAP
#undef NAMED
