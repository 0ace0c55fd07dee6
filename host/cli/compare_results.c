/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures that follow from what was measured. */
#include "cli/compare_results.h"

double compare_products(const compare_results *c, size_t layer)
{
    const bdnn_layer_info *info = &c->info[layer];
    return (double)info->multiply_adds * (double)c->batch * info->bases * info->bits;
}

double compare_products_of(const compare_results *c, const compare_device *device)
{
    double products = 0;
    for (size_t l = 0; l < c->layers; l++) {
        products += device->cells[l].cost.accelerator.jobs ? compare_products(c, l) : 0;
    }
    return products;
}

double compare_array(const compare_device *device)
{
    return (double)device->info.rows * device->info.columns * device->info.word_bits;
}

double compare_clock(const compare_results *c, const compare_device *device)
{
    return c->clock_mhz > 0 ? c->clock_mhz : device->info.clock_mhz;
}

double compare_predicted(const compare_results *c, const compare_device *device)
{
    const double cycles = (double)device->total.cost.accelerator.longest_cycles;
    return cycles > 0 ? 1e6 * compare_clock(c, device) * (double)c->batch / cycles : 0;
}
