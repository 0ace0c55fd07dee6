/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kinds of datasets share. */
#include "datasets/kind.h"

#include "core/memory.h"

#include <string.h>

void bdnn_resize_class_map(const uint8_t *from, int32_t from_height, int32_t from_width, const int32_t *to_class,
                           int32_t height, int32_t width, int32_t *class_map)
{
    for (int32_t y = 0; y < height; y++) {
        const uint8_t *row = from + (int64_t)y * from_height / height * from_width;
        for (int32_t x = 0; x < width; x++) {
            const uint8_t stored = row[(int64_t)x * from_width / width];
            *class_map++ = to_class ? to_class[stored] : stored == BDNN_LABEL_VOID ? -1 : stored;
        }
    }
}

bdnn_status bdnn_replace_last(const char *text, const char *from, const char *to, char **result, bdnn_error *err)
{
    const char *found = NULL, *next = text;
    size_t before;
    *result = NULL;
    while ((next = strstr(next, from)) != NULL) {
        found = next++;
    }
    if (!found) {
        return BDNN_OK;
    }
    before = (size_t)(found - text);
    *result = bdnn_zalloc(strlen(text) + strlen(to) + 1, 1);
    if (!*result) {
        return bdnn_fail_memory(err, strlen(text), "a file name");
    }
    memcpy(*result, text, before);
    strcpy(*result + before, to);
    strcat(*result, found + strlen(from));
    return BDNN_OK;
}
