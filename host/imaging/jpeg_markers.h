/* SPDX-License-Identifier: BSD-2-Clause */
/* What the markers before a JPEG's pixels say that its decoder does not tell. */
#ifndef BDNN_IMAGING_JPEG_MARKERS_H
#define BDNN_IMAGING_JPEG_MARKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bdnn_jpeg_markers {
    int orientation; /* EXIF's, 1 (as stored) to 8; 1 where it says nothing or nonsense */
    bool adobe;      /* Adobe's marker: the numbers of a file in CMYK are 255 without ink */
} bdnn_jpeg_markers;

/* Any bytes will do; what is no JPEG has no markers. */
bdnn_jpeg_markers bdnn_jpeg_read_markers(const uint8_t *data, size_t size);

#endif
