/* Maps, x86-64 with AVX2. */
#include "kernels/cpu.h"

#define MAPS           bdnn_maps_avx2
#define MAPS_NAME      "maps__avx2"
#define MAPS_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))
#include "kernels/maps_template.h"
