/* Maps with the instructions that the compiler takes for granted. */
#define MAPS           bdnn_maps_portable
#define MAPS_NAME      "maps__portable"
#define MAPS_AVAILABLE true
#include "kernels/maps_template.h"
