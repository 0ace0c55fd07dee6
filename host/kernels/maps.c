/* The table of maps and the choice from it. */
#include "kernels/maps.h"

#if defined(__x86_64__)
extern const bdnn_map_kernel bdnn_maps_avx2, bdnn_maps_avx512;
#endif
extern const bdnn_map_kernel bdnn_maps_portable;

const bdnn_map_kernel *const bdnn_map_kernels[] = {
#if defined(__x86_64__)
    &bdnn_maps_avx512,
    &bdnn_maps_avx2,
#endif
    &bdnn_maps_portable,
    NULL,
};

const bdnn_map_kernel *bdnn_map_choose(void)
{
    size_t i = 0;
    while (bdnn_map_kernels[i + 1] && !bdnn_map_kernels[i]->supported()) { /* the last runs everywhere */
        i++;
    }
    return bdnn_map_kernels[i];
}
