#!/usr/bin/env python3
"""Writes the first images of an IDX file, which may be gzip-compressed: first_images.py IN OUT COUNT."""
import gzip
import struct
import sys

source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with (gzip.open if source.endswith(".gz") else open)(source, "rb") as file:
    magic, images, height, width = struct.unpack(">4I", file.read(16))
    count = min(count, images)
    pixels = file.read(count * height * width)
if magic != 0x803 or len(pixels) != count * height * width:
    sys.exit(f"{source}: no IDX file of 8-bit images, or a cut one")
with open(target, "wb") as file:
    file.write(struct.pack(">4I", magic, count, height, width) + pixels)
