/* Maps, x86-64 with AVX-512. */
#include "kernels/cpu.h"

#define MAPS      bdnn_maps_avx512
#define MAPS_NAME "maps__avx512"
#define MAPS_AVAILABLE                                                                                                 \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&   \
     __builtin_cpu_supports("avx512dq"))
#include "kernels/maps_template.h"
