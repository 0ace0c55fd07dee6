/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the loops over contiguous elements, one table a family; included by one file per instruction set, which
 * defines VECTORS(family) (a table's symbol), VECTORS_ISA (its name) and VECTORS_AVAILABLE (an expression), and
 * VECTORS_DECODE where it has a `decode` of its own. Plain C that compilers vectorize with that file's flags: all
 * instruction sets return the same bits. */
#include <stdbool.h>

static bool supported(void)
{
    return VECTORS_AVAILABLE;
}

#include "kernels/decode_template.h"
#include "kernels/elementwise_template.h"
#include "kernels/pooling_template.h"
#include "kernels/quantization_template.h"
