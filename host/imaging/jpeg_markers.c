/* SPDX-License-Identifier: BSD-2-Clause */
/* EXIF's orientation and Adobe's marker. Read here, and not by a library for EXIF, because all that is wanted is one
 * number of the first directory: such a library parses every directory, thumbnails and makers' own notes, which is what
 * a hostile file hopes for. Segments: ITU-T T.81, B.1.1; EXIF: JEITA CP-3451, 4.6. */
#include "imaging/jpeg_markers.h"

#include "imaging/bytes.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3

/* The orientation in a TIFF structure: a header, then a directory of entries of 12 bytes at the place that it tells. */
static int orientation_of(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size, size > 0 && data[0] == 'M'};
    size_t directory, entries;
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0)) {
        return 1;
    }
    directory = number(&b, 4, 4);
    if (directory > size) {
        return 1;
    }
    entries = number(&b, directory, 2);
    for (size_t i = 0; i < entries && directory + 2 + 12 * (i + 1) <= size; i++) {
        const size_t entry = directory + 2 + 12 * i;
        const uint32_t value = number(&b, entry + 8, 2);
        if (number(&b, entry, 2) == TAG_ORIENTATION) {
            return number(&b, entry + 2, 2) == TYPE_SHORT && number(&b, entry + 4, 4) == 1 && value >= 1 && value <= 8
                       ? (int)value
                       : 1;
        }
    }
    return 1;
}

bdnn_jpeg_markers bdnn_jpeg_read_markers(const uint8_t *data, size_t size)
{
    const struct bytes b = {data, size, true};
    bdnn_jpeg_markers markers = {.orientation = 1};
    bool seen = false; /* the first EXIF segment counts */
    size_t at = 2;
    if (size < 4 || data[0] != 0xff || data[1] != 0xd8) {
        return markers;
    }
    while (at + 4 <= size && data[at] == 0xff) {
        const uint8_t marker = data[at + 1];
        const size_t length = number(&b, at + 2, 2), payload = at + 4;
        if (marker == 0xff) { /* fill */
            at++;
            continue;
        }
        /* The scan, the end, and markers without a length, which have no place here. */
        if (marker == 0xda || marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9) || length < 2 ||
            length > size - at - 2) {
            break;
        }
        if (marker == 0xe1 && !seen && length >= 8 && memcmp(data + payload, "Exif\0\0", 6) == 0) {
            markers.orientation = orientation_of(data + payload + 6, length - 8);
            seen = true;
        }
        markers.adobe = markers.adobe || (marker == 0xee && length >= 14 && memcmp(data + payload, "Adobe", 5) == 0);
        at += 2 + length;
    }
    return markers;
}
