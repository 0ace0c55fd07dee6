"""Trains one network:  train.py NET [EPOCHS]   (NET: alexnet vgg resnet segnet).

AdamW, one-cycle learning rate, batch 128 (SegNet 32); augmentation is a horizontal flip and a shift of up to
2 pixels for the classifiers; SegNet sees freshly composed canvases each epoch.  One thread, seed 0.
Writes ../ckpt/NET.pt (state dict).
"""
import os
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F
import data
from nets import NETS
from metrics import accuracy, mean_iou

EPOCHS = {"alexnet": 26, "vgg": 8, "resnet": 4, "segnet": 40}
PEAK_LR = {"alexnet": 1.2e-3, "vgg": 1.2e-3, "resnet": 4e-3, "segnet": 4e-3}
SEG_PER_EPOCH = 8000


def augment(x, rng):
    n, _, h, w = x.shape
    flip = torch.from_numpy(rng.random(n) < 0.5)
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    p = F.pad(x, (2, 2, 2, 2), value=float(x.min()))
    dy, dx = rng.integers(0, 5, 2)
    return p[:, :, dy:dy + h, dx:dx + w]


def epochs_of(name, count, rng):
    """Yields, per epoch, (input tensor, target tensor)."""
    images, labels = data.fashion("train")
    if name != "segnet":
        x, y = torch.from_numpy(data.normalise(images)), torch.from_numpy(labels.astype(np.int64))
        for _ in range(count):
            yield x, y
    else:
        for _ in range(count):
            a, b = data.composite(rng, images, labels, SEG_PER_EPOCH)
            yield torch.from_numpy(data.normalise(a)), torch.from_numpy(b.astype(np.int64))


def main(name, count):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    net = NETS[name]().to(memory_format=torch.channels_last)
    for m in net.modules():
        if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.bias is not None:
                torch.nn.init.zeros_(m.bias)
    batch = 32 if name == "segnet" else 128
    images = SEG_PER_EPOCH if name == "segnet" else len(data.fashion("train")[0])
    total = count * -(-images // batch)
    opt = torch.optim.AdamW(net.parameters(), PEAK_LR[name], weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, PEAK_LR[name], total, pct_start=0.2)
    start = time.time()
    for epoch, (x, y) in enumerate(epochs_of(name, count, rng)):
        net.train()
        order, losses = torch.from_numpy(rng.permutation(len(x))), []
        for idx in order.split(batch):
            xb, yb = x[idx], y[idx]
            if name != "segnet":
                xb = augment(xb, rng)
            loss = F.cross_entropy(net(xb.contiguous(memory_format=torch.channels_last)), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
            losses.append(loss.item())
        print(f"{name} epoch {epoch + 1}/{count} loss {np.mean(losses):.4f} {time.time() - start:.0f}s", flush=True)
    net.eval()
    os.makedirs("../ckpt", exist_ok=True)
    torch.save({k: v.contiguous() for k, v in net.state_dict().items()}, f"../ckpt/{name}.pt")
    if name == "segnet":
        images, labels = data.seg_test()
        print("test pixel accuracy %.4f mIoU %.4f" % mean_iou(net, images, labels))
    else:
        print("test accuracy %.4f" % accuracy(net, *data.fashion("t10k")))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else EPOCHS[sys.argv[1]])
