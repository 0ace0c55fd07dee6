/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of the kernels that multiply decoded weights with gathered rows: what differs between them is the type of a
 * weight panel and of a row, and the inner loop over a tile of rows. */
#ifndef BDNN_KERNELS_PANEL_H
#define BDNN_KERNELS_PANEL_H

#include "kernels/rows.h"

#include <stddef.h>

typedef struct bdnn_panel_kernel {
    int64_t inner_multiple;  /* D is padded to a multiple of this, with weights of 0 */
    int64_t filter_multiple; /* F of a group likewise */
    size_t weight_bytes;     /* of one decoded weight in the panel */
    size_t row_bytes;        /* of one element of a row */
    /* Puts the D decoded weights of filter f (of its group) into the group's panel. */
    void (*store)(const int8_t *w, int64_t f, int64_t inner, int64_t padded_inner, void *panel);
    /* A byte that multiply wants to know about filter w for Q-bit inputs; NULL: nothing. */
    uint8_t (*note)(const int8_t *w, int64_t inner, int32_t bits);
    /* acc[count][filters], from rows[count][padded_inner] of bytes or wider elements and the panel and the notes (NULL:
     * none) of these filters. acc's rows lie acc_stride apart, which leaves room for filters up to filter_multiple;
     * what is put there is not read. */
    void (*multiply)(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride);
    /* Widens a row of bytes to row_bytes each; NULL when rows stay bytes. */
    void (*widen)(const uint8_t *from, int64_t count, void *to);
} bdnn_panel_kernel;

size_t bdnn_panel_packed_bytes(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape);
void bdnn_panel_pack(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                     void *packed, bdnn_threads *threads);
size_t bdnn_panel_scratch_bytes(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape, size_t threads);
void bdnn_panel_run(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape, const void *packed, const uint8_t *x_q,
                    const bdnn_sink *sink, void *scratch, bdnn_threads *threads);

#endif
