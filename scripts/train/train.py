# SPDX-License-Identifier: BSD-2-Clause
"""Trains one network:  train.py NET [FIRST_STAGE]   (NET: alexnet vgg resnet segnet).

AdamW, one-cycle learning rate, batch 128 (SegNet 32); augmentation is a horizontal flip and a shift of up to
2 pixels for the classifiers; SegNet sees freshly composed canvases each epoch.  One thread, seed 0.

Later stages are sharpness-aware: they find weights around which the loss stays flat, so that
whatever moves the weights a little afterwards (such as decomposing them) costs less.  There, half of the images
have fewer gray levels than 256.

Writes ../ckpt/NET.STAGE.pt (state dict) after each stage; FIRST_STAGE takes up the training after an earlier one.
"""
import os
import sys
import time
from collections import namedtuple
import numpy as np
import torch
import torch.nn.functional as F
import data
from nets import NETS
from metrics import accuracy, mean_iou

# rho: radius of the sharpness-aware step, 0 for none.  average: end with the moving average of the weights.
Stage = namedtuple("Stage", "epochs peak_lr rho average", defaults=(0, False))
STAGES = {
    "alexnet": [Stage(26, 1.2e-3), Stage(10, 6e-4, 0.2), Stage(10, 3e-4, 0.3, True)],
    "vgg": [Stage(8, 1.2e-3), Stage(5, 6e-4, 0.2, True)],
    "resnet": [Stage(6, 4e-3), Stage(5, 1e-3, 0.2, True)],
    "segnet": [Stage(40, 4e-3), Stage(24, 1.5e-3, 0.5), Stage(18, 1.5e-3, 1.0, True)],
}
SEG_PER_EPOCH = 8000
AVERAGE_RATE = 0.001


def augment(x, rng):
    n, _, h, w = x.shape
    flip = torch.from_numpy(rng.random(n) < 0.5)
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    p = F.pad(x, (2, 2, 2, 2), value=float(x.min()))
    dy, dx = rng.integers(0, 5, 2)
    return p[:, :, dy:dy + h, dx:dx + w]


def posterize(images, rng):
    """Half of the images with 16, 32 or 64 gray levels instead of 256."""
    levels = rng.choice([0, 0, 0, 16, 32, 64], len(images))
    step = np.where(levels > 0, 255 / np.maximum(levels - 1, 1), 1)[:, None, None].astype(np.float32)
    return np.rint(np.rint(images / step) * step).astype(np.uint8)


def epochs_of(name, stage, rng):
    """Yields, per epoch, (input tensor, target tensor)."""
    images, labels = data.fashion("train")
    for _ in range(stage.epochs):
        x, y = data.composite(rng, images, labels, SEG_PER_EPOCH) if name == "segnet" else (images, labels)
        x = posterize(x, rng) if stage.rho else x
        yield torch.from_numpy(data.normalize(x)), torch.from_numpy(y.astype(np.int64))


def batches_of(name, x, y, rng):
    """Yields one epoch's batches in random order, augmented."""
    for index in torch.from_numpy(rng.permutation(len(x))).split(32 if name == "segnet" else 128):
        xb = x[index] if name == "segnet" else augment(x[index], rng)
        yield xb.contiguous(memory_format=torch.channels_last), y[index]


def sharpest_move(net, rho):
    """Moves the weights within radius rho to where the loss is greatest, filter by filter in proportion to the filter's
    norm (adaptive sharpness-aware minimization, Kwon et al. 2021, arXiv 2102.11600).  Returns what was added, by weight."""
    weights = [p for p in net.parameters() if p.dim() > 1 and p.grad is not None]
    norms = [p.detach().flatten(1).norm(dim=1).view(-1, *[1] * (p.dim() - 1)) for p in weights]
    total = torch.sqrt(sum(((n * p.grad) ** 2).sum() for n, p in zip(norms, weights))) + 1e-12
    moves = [rho * n * n * p.grad / total for n, p in zip(norms, weights)]
    for p, move in zip(weights, moves):
        p.data.add_(move)
    return list(zip(weights, moves))


def step(net, optimizer, x, y, rho):
    """One step of the optimizer; with rho, by the gradient at the sharpest point near the weights.  Returns the loss."""
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    if rho:
        norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        moves = sharpest_move(net, rho)
        optimizer.zero_grad()
        for m in norms:  # the moved weights' statistics are nobody's
            m.momentum = 0
        F.cross_entropy(net(x), y).backward()
        for m in norms:
            m.momentum = 0.1
        for p, move in moves:
            p.data.sub_(move)
    optimizer.step()
    return loss.item()


def renew_statistics(net, name, x, y, rng):
    """Batch normalization's means and variances of the weights as they are now."""
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # a plain average
    net.train()
    with torch.no_grad():
        for xb, _ in batches_of(name, x, y, rng):
            net(xb)


def train(net, name, stage, rng):
    x, y = next(epochs_of(name, stage._replace(epochs=1), np.random.default_rng(1)))
    total = stage.epochs * -(-len(x) // (32 if name == "segnet" else 128))
    optimizer = torch.optim.AdamW(net.parameters(), stage.peak_lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, stage.peak_lr, total, pct_start=0.2)
    average = [p.detach().clone() for p in net.parameters()]
    start = time.time()
    for epoch, (x, y) in enumerate(epochs_of(name, stage, rng)):
        net.train()
        losses = []
        for xb, yb in batches_of(name, x, y, rng):
            losses.append(step(net, optimizer, xb, yb, stage.rho))
            schedule.step()
            with torch.no_grad():
                for a, p in zip(average, net.parameters()):
                    a.lerp_(p, AVERAGE_RATE)
        print(f"{name} epoch {epoch + 1}/{stage.epochs} loss {np.mean(losses):.4f} {time.time() - start:.0f}s", flush=True)
    if stage.average:
        for a, p in zip(average, net.parameters()):
            p.data.copy_(a)
        renew_statistics(net, name, x, y, rng)


def main(name, first=0):
    torch.manual_seed(first)
    torch.set_num_threads(1)
    rng = np.random.default_rng(first)
    net = NETS[name]().to(memory_format=torch.channels_last)
    for m in net.modules():
        if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.bias is not None:
                torch.nn.init.zeros_(m.bias)
    if first:
        net.load_state_dict(torch.load(f"../ckpt/{name}.{first - 1}.pt"))
    os.makedirs("../ckpt", exist_ok=True)
    for number, stage in enumerate(STAGES[name][first:], first):
        print(f"{name} stage {number}: {stage}", flush=True)
        train(net, name, stage, rng)
        torch.save({k: v.contiguous() for k, v in net.state_dict().items()}, f"../ckpt/{name}.{number}.pt")
        net.eval()
        if name == "segnet":
            print("test pixel accuracy %.4f mIoU %.4f" % mean_iou(net, *data.seg_test()), flush=True)
        else:
            print("test accuracy %.4f" % accuracy(net, *data.fashion("t10k")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
