/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of a panel kernel's table entry, for a file that has defined `panel` and `supported`. */
static size_t packed_bytes(const bdnn_ip_shape *shape)
{
    return bdnn_panel_packed_bytes(&panel, shape);
}

static void pack(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads)
{
    bdnn_panel_pack(&panel, shape, weights, packed, threads);
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    return bdnn_panel_scratch_bytes(&panel, shape, threads);
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    (void)weights;
    bdnn_panel_run(&panel, shape, packed, x_q, sink, scratch, threads);
}

#define PANEL_ENTRY(text)                                                                                              \
    {                                                                                                                  \
        .name = text, .supported = supported, .packed_bytes = packed_bytes, .pack = pack,                              \
        .scratch_bytes = scratch_bytes, .run = run                                                                     \
    }
