/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of sums of floats and the choice from them. */
#include "kernels/floats.h"

#include <stdatomic.h>

#if defined(__x86_64__)
extern const bdnn_float_kernel bdnn_floats_avx2, bdnn_floats_avx512;
#endif
extern const bdnn_float_kernel bdnn_floats_portable;

const bdnn_float_kernel *const bdnn_float_kernels[] = {
#if defined(__x86_64__)
    &bdnn_floats_avx512,
    &bdnn_floats_avx2,
#endif
    &bdnn_floats_portable,
    NULL,
};

const bdnn_float_kernel *bdnn_float_choose(void)
{
    /* Asked for in inner loops. Threads that find it empty at once all find the same answer. */
    static _Atomic(const bdnn_float_kernel *) chosen;
    const bdnn_float_kernel *kernel = atomic_load_explicit(&chosen, memory_order_acquire);
    if (!kernel) {
        size_t i = 0;
        /* The portable one always is. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        while (!bdnn_float_kernels[i]->supported()) {
            i++;
        }
        kernel = bdnn_float_kernels[i];
        atomic_store_explicit(&chosen, kernel, memory_order_release);
    }
    return kernel;
}
