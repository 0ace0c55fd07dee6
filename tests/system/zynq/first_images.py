#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the first images, or labels, of an IDX file, which may be gzip-compressed: first_images.py IN OUT COUNT."""
import gzip
import struct
import sys

source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with (gzip.open if source.endswith(".gz") else open)(source, "rb") as file:
    magic, items = struct.unpack(">2I", file.read(8))
    shape = file.read(4 * (magic - 0x801))  # height and width, or nothing
    size = 1
    for extent in struct.unpack(f">{len(shape) // 4}I", shape):
        size *= extent
    count = min(count, items)
    values = file.read(count * size)
if magic not in (0x801, 0x803) or len(values) != count * size:
    sys.exit(f"{source}: no IDX file of 8-bit images or labels, or a cut one")
with open(target, "wb") as file:
    file.write(struct.pack(">2I", magic, count) + shape + values)
