/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the families of loops over contiguous elements (vectors_template.h), and the choice from each. */
#include "kernels/decode.h"
#include "kernels/elementwise.h"
#include "kernels/pooling.h"
#include "kernels/quantization.h"

#if defined(__x86_64__)
#define NATIVE(TABLE, family) TABLE(family, avx512) TABLE(family, avx2)
#else
#define NATIVE(TABLE, family)
#endif
#define ALL(TABLE, family)       NATIVE(TABLE, family) TABLE(family, portable)
#define DECLARATION(family, isa) extern const bdnn_##family##_kernel bdnn_##family##_##isa;
#define ENTRY(family, isa)       &bdnn_##family##_##isa,

/* The last of a table runs everywhere. */
#define FAMILY(family)                                                                                                 \
    ALL(DECLARATION, family)                                                                                           \
    const bdnn_##family##_kernel *const bdnn_##family##_kernels[] = {ALL(ENTRY, family) NULL};                         \
    const bdnn_##family##_kernel *bdnn_##family##_choose(void)                                                         \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        while (bdnn_##family##_kernels[i + 1] && !bdnn_##family##_kernels[i]->supported()) {                           \
            i++;                                                                                                       \
        }                                                                                                              \
        return bdnn_##family##_kernels[i];                                                                             \
    }

FAMILY(decode)
FAMILY(elementwise)
FAMILY(pooling)
FAMILY(quantization)
