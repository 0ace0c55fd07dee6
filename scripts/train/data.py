# SPDX-License-Identifier: BSD-2-Clause
"""Fashion-MNIST access, and the composite segmentation set made from it.

All networks take float input x = (pixel / 255 - MEAN) / STD, shape [N,1,H,W].
"""
import gzip
import struct
import numpy as np
from PIL import Image

ROOT = "/usr/share/datasets/fashion-mnist"
MEAN, STD = 0.2860, 0.3530
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
SEG_SIZE, SEG_TEST_N, SEG_TEST_SEED = 64, 1000, 20170914
HELD_OUT = 5000  # the last training images: never trained on, so that choices can be made without the test set


def read_idx(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        magic = f.read(4)
        shape = struct.unpack(">%dI" % magic[3], f.read(4 * magic[3]))
        return np.frombuffer(f.read(), np.uint8).reshape(shape)


def write_idx(path, array):
    with open(path, "wb") as f:
        f.write(bytes([0, 0, 8, array.ndim]))
        f.write(struct.pack(">%dI" % array.ndim, *array.shape))
        f.write(np.ascontiguousarray(array, np.uint8).tobytes())


def fashion(split):
    """split: 'train', 'held-out' or 't10k'.  Returns uint8 images [N,28,28], labels [N]."""
    name = "t10k" if split == "t10k" else "train"
    images = read_idx(f"{ROOT}/{name}-images-idx3-ubyte.gz")
    labels = read_idx(f"{ROOT}/{name}-labels-idx1-ubyte.gz")
    part = {"train": slice(0, -HELD_OUT), "held-out": slice(-HELD_OUT, None), "t10k": slice(None)}[split]
    return images[part], labels[part]


def normalize(images):
    """uint8 [N,H,W] -> float32 [N,1,H,W]."""
    return ((images.astype(np.float32) / 255 - MEAN) / STD)[:, None]


def _background(rng):
    """Smooth random shading, a few bars, blocks and item-free speckle."""
    coarse = rng.integers(0, 90, (5, 5)).astype(np.uint8)
    canvas = np.asarray(Image.fromarray(coarse).resize((SEG_SIZE, SEG_SIZE), Image.BICUBIC), np.float32).copy()
    for _ in range(rng.integers(2, 7)):
        y, x = rng.integers(0, SEG_SIZE, 2)
        if rng.random() < 0.5:
            h, w = rng.integers(3, 14, 2)
        else:
            h, w = (rng.integers(1, 3), rng.integers(10, 50))[:: rng.choice([1, -1])]
        canvas[y:y + h, x:x + w] = rng.integers(0, 200)
    return canvas + rng.normal(0, 10, canvas.shape)


def composite(rng, images, labels, n):
    """n canvases of 1..4 items.  Returns uint8 images, uint8 label maps (0 = background)."""
    out = np.zeros((n, SEG_SIZE, SEG_SIZE), np.uint8)
    target = np.zeros_like(out)
    for i in range(n):
        canvas, mask = _background(rng), target[i]
        for _ in range(rng.integers(1, 5)):
            k = rng.integers(len(images))
            size = int(rng.integers(20, 41))
            item = np.asarray(Image.fromarray(images[k]).resize((size, size), Image.BILINEAR))
            if rng.random() < 0.5:
                item = item[:, ::-1]
            y, x = rng.integers(-size // 5, SEG_SIZE - size + size // 5 + 1, 2)
            ys, xs = max(0, -y), max(0, -x)
            item = item[ys:SEG_SIZE - y, xs:SEG_SIZE - x]
            y, x = y + ys, x + xs
            opaque = item > 16
            region = (slice(y, y + item.shape[0]), slice(x, x + item.shape[1]))
            canvas[region][opaque] = item[opaque]
            mask[region][opaque] = labels[k] + 1
        out[i] = np.clip(canvas, 0, 255)
    return out, target


def seg_test():
    images, labels = fashion("t10k")
    return composite(np.random.default_rng(SEG_TEST_SEED), images, labels, SEG_TEST_N)
