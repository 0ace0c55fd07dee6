/* Template of max pooling over elements of one type; included by pool.c, which defines ELEMENT (the type), LOWEST (what
 * no window element is below) and NAMED (a name with the type's suffix). */
static void NAMED(max_tap)(const struct pool *p, int64_t image, int64_t d, int64_t h, int64_t v, ELEMENT *restrict y,
                           int64_t *restrict indices)
{
    const int64_t channels = p->in.channels;
    const ELEMENT *restrict x = (const ELEMENT *)p->call->inputs[0].data +
                                (((image * p->in.size[0] + d) * p->in.size[1] + h) * p->in.size[2] + v) * channels;
    if (!indices) {
        for (int64_t c = 0; c < channels; c++) {
            y[c] = x[c] > y[c] ? x[c] : y[c];
        }
    } else {
        const int64_t first = index_of(p, image, 0, d, h, v), step = p->in.size[0] * p->in.size[1] * p->in.size[2];
        for (int64_t c = 0; c < channels; c++) {
            const bool take = x[c] > y[c] || indices[c] < 0;
            y[c] = take ? x[c] : y[c];
            indices[c] = take ? first + c * step : indices[c];
        }
    }
}

static void NAMED(max_position)(void *context, size_t position)
{
    const struct pool *p = context;
    const bdnn_window *w = &p->window;
    const int64_t channels = p->in.channels;
    ELEMENT *y = (ELEMENT *)p->call->outputs[0].data + (int64_t)position * channels;
    int64_t *indices = NULL, image;
    struct span s[BDNN_SPATIAL];
    if (p->call->layer->output_count > 1 && p->call->outputs[1].data) {
        indices = (int64_t *)p->call->outputs[1].data + (int64_t)position * channels;
    }
    for (int64_t c = 0; c < channels; c++) {
        y[c] = LOWEST;
    }
    for (int64_t c = 0; c < channels && indices; c++) {
        indices[c] = -1;
    }
    spans_of(p, position, s, &image);
    for (int64_t kd = s[0].first; kd < s[0].last; kd++) {
        for (int64_t kh = s[1].first; kh < s[1].last; kh++) {
            for (int64_t kw = s[2].first; kw < s[2].last; kw++) {
                NAMED(max_tap)
                (p, image, s[0].begin + kd * w->dilation[0], s[1].begin + kh * w->dilation[1],
                 s[2].begin + kw * w->dilation[2], y, indices);
            }
        }
    }
}

#undef ELEMENT
#undef LOWEST
#undef NAMED
