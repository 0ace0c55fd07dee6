/* SPDX-License-Identifier: BSD-2-Clause */
/* The panel of the kernels that multiply four neighboring elements at once: [F / LANES][padded D / QUAD][LANES
 * filters][QUAD elements] int8, with LANES and QUAD from the file that includes this. */
static void store(const int8_t *w, int64_t f, int64_t inner, int64_t padded_inner, void *panel)
{
    int8_t *block = (int8_t *)panel + f / LANES * LANES * padded_inner + f % LANES * QUAD;
    int64_t d = 0;
    for (; d + QUAD <= inner; d += QUAD) {
        memcpy(block + d * LANES, w + d, QUAD);
    }
    for (; d < inner; d++) {
        block[d / QUAD * QUAD * LANES + d % QUAD] = w[d];
    }
}
