/* The backends of this build. */
#include "runtime/backend.h"

#include <string.h>

const bdnn_backend_type *bdnn_backend_find(const char *name)
{
    static const bdnn_backend_type *const types[] = {&bdnn_backend_cpu, &bdnn_backend_reference};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i]->name, name) == 0) {
            return types[i];
        }
    }
    return NULL;
}
