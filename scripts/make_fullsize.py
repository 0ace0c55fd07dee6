#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the four networks at full size as ONNX files with random weights: for size, memory, speed and comparison with other
runtimes, where what the weights say does not matter. Needs python3-numpy and python3-onnx.

usage: make_fullsize.py [-h] [--network NAME] [--seed N] [--segnet-size HxW] DIRECTORY

Weights are normal with the variance of He et al. 2015 (2 / inputs), so that activations keep the scale of the pixels (-128..127)
from layer to layer; the last layer divides that out, so that the softmax does not saturate. The same seed gives the same bytes.

    alexnet.onnx    Caffe's bvlc_alexnet: 227 x 227, LRN, conv2/4/5 in two groups, overlapping pooling     61.0 million parameters
    vgg16.onnx      configuration D: 224 x 224                                                             138.4
    resnet152.onnx  as torchvision's (stride in the 3x3 convolution), batch normalizations as nodes          60.2 and 0.15 statistics
    segnet.onnx     13 + 13 convolutions, pooling indices, unpooling, batch normalizations: 360 x 480      29.4
"""
import argparse
import os
import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """An ONNX graph under construction; each method adds a node after the last and returns its output's name."""

    def __init__(self, name, shape, seed):
        self.name, self.shape = name, shape
        self.random = np.random.default_rng(seed)
        self.nodes, self.parameters = [], []
        self.last = "data"

    def parameter(self, name, array):
        self.parameters.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def normal(self, shape, deviation):
        return self.random.standard_normal(shape, dtype=np.float32) * np.float32(deviation)

    def node(self, operator, name, inputs=None, outputs=None, **attributes):
        outputs = outputs or [name]
        self.nodes.append(helper.make_node(operator, inputs or [self.last], outputs, name=name, **attributes))
        self.last = outputs[0]
        return self.last

    def conv(self, name, source, channels, filters, kernel, stride=1, pad=0, groups=1, gain=1.0, bias=True):
        inner = channels // groups * kernel * kernel
        shape = (filters, channels // groups, kernel, kernel)
        inputs = [source or self.last, self.parameter(name + "_W", self.normal(shape, gain * (2 / inner) ** 0.5))]
        if bias:
            inputs.append(self.parameter(name + "_b", self.normal((filters,), 0.1 * gain)))
        return self.node("Conv", name, inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def dense(self, name, inner, filters, gain=1.0):
        return self.node("Gemm", name, [self.last,
                                        self.parameter(name + "_W", self.normal((filters, inner), gain * (2 / inner) ** 0.5)),
                                        self.parameter(name + "_b", self.normal((filters,), 0.1 * gain))], transB=1)

    def batch_norm(self, name, channels, gain=1.0):
        """Statistics that are not trivial, and a scale that undoes them on average."""
        variance = self.random.uniform(0.5, 1.5, channels).astype(np.float32)
        scale = np.sqrt(variance) * self.random.uniform(0.9, 1.1, channels).astype(np.float32) * np.float32(gain)
        return self.node("BatchNormalization", name,
                         [self.last, self.parameter(name + "_scale", scale),
                          self.parameter(name + "_bias", self.normal((channels,), 0.1)),
                          self.parameter(name + "_mean", self.normal((channels,), 0.1)),
                          self.parameter(name + "_var", variance)], epsilon=1e-5)

    def relu(self, name):
        return self.node("Relu", name)

    def pool(self, name, kernel, stride, pad=0):
        return self.node("MaxPool", name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def save(self, directory, output_shape):
        shape = helper.make_tensor_value_info("data", TensorProto.FLOAT, self.shape)
        output = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, output_shape)
        graph = helper.make_graph(self.nodes, self.name, [shape], [output], self.parameters)
        model = helper.make_model(graph, producer_name="bdnn make_fullsize.py", opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 7
        path = os.path.join(directory, self.name + ".onnx")
        onnx.save(model, path + ".part")
        onnx.checker.check_model(path + ".part")
        os.rename(path + ".part", path)
        count = sum(int(np.prod(p.dims)) for p in self.parameters)
        print(f"{path}: {count / 1e6:.1f} million parameters, {os.path.getsize(path) / 1e6:.0f} MB")


LAST = 1 / 64  # gain of the layer before a softmax


def alexnet(seed):
    net = Network("alexnet", [1, 3, 227, 227], seed)
    normalize = {"size": 5, "alpha": 1e-4, "beta": 0.75, "bias": 1.0}
    net.conv("conv1", None, 3, 96, 11, stride=4)
    net.relu("relu1")
    net.node("LRN", "norm1", **normalize)
    net.pool("pool1", 3, 2)
    net.conv("conv2", None, 96, 256, 5, pad=2, groups=2)
    net.relu("relu2")
    net.node("LRN", "norm2", **normalize)
    net.pool("pool2", 3, 2)
    net.conv("conv3", None, 256, 384, 3, pad=1)
    net.relu("relu3")
    net.conv("conv4", None, 384, 384, 3, pad=1, groups=2)
    net.relu("relu4")
    net.conv("conv5", None, 384, 256, 3, pad=1, groups=2)
    net.relu("relu5")
    net.pool("pool5", 3, 2)
    classifier(net, 256 * 6 * 6)
    return net


def classifier(net, inner):
    """The three fully connected layers that AlexNet and VGG share."""
    net.node("Flatten", "flatten", axis=1)
    net.dense("fc6", inner, 4096)
    net.relu("relu6")
    net.dense("fc7", 4096, 4096)
    net.relu("relu7")
    net.dense("fc8", 4096, 1000, gain=LAST)
    net.node("Softmax", "prob", axis=1)


VGG_BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]  # convolutions, filters


def vgg16(seed):
    net = Network("vgg16", [1, 3, 224, 224], seed)
    channels = 3
    for block, (count, filters) in enumerate(VGG_BLOCKS, 1):
        for i in range(1, count + 1):
            net.conv(f"conv{block}_{i}", None, channels, filters, 3, pad=1)
            net.relu(f"relu{block}_{i}")
            channels = filters
        net.pool(f"pool{block}", 2, 2)
    classifier(net, 512 * 7 * 7)
    return net


def bottleneck(net, name, channels, width, stride):
    """1x1, 3x3 with the stride, 1x1, and the sum. The branch is scaled down: 50 sums of equal terms would grow 2^25-fold."""
    source = net.last
    net.conv(name + ".conv1", source, channels, width, 1, bias=False)
    net.batch_norm(name + ".bn1", width)
    net.relu(name + ".relu1")
    net.conv(name + ".conv2", None, width, width, 3, stride=stride, pad=1, bias=False)
    net.batch_norm(name + ".bn2", width)
    net.relu(name + ".relu2")
    net.conv(name + ".conv3", None, width, 4 * width, 1, bias=False)
    branch = net.batch_norm(name + ".bn3", 4 * width, gain=0.3)
    if stride != 1 or channels != 4 * width:
        net.conv(name + ".downsample.0", source, channels, 4 * width, 1, stride=stride, gain=0.5 ** 0.5, bias=False)
        source = net.batch_norm(name + ".downsample.1", 4 * width)
    net.node("Add", name + ".add", [branch, source])
    net.relu(name + ".relu")


def resnet152(seed):
    net = Network("resnet152", [1, 3, 224, 224], seed)
    net.conv("conv1", None, 3, 64, 7, stride=2, pad=3, bias=False)
    net.batch_norm("bn1", 64)
    net.relu("relu")
    net.pool("maxpool", 3, 2, pad=1)
    channels = 64
    for stage, (blocks, width) in enumerate([(3, 64), (8, 128), (36, 256), (3, 512)], 1):
        for i in range(blocks):
            bottleneck(net, f"layer{stage}.{i}", channels, width, 2 if i == 0 and stage > 1 else 1)
            channels = 4 * width
    net.node("GlobalAveragePool", "avgpool")
    net.node("Flatten", "flatten", axis=1)
    net.dense("fc", 2048, 1000, gain=LAST / 8)  # 50 sums have made the values 10 times larger
    net.node("Softmax", "prob", axis=1)
    return net


def segnet(seed, height, width):
    net = Network("segnet", [1, 3, height, width], seed)
    channels, sizes = 3, []
    for block, (count, filters) in enumerate(VGG_BLOCKS, 1):
        for i in range(1, count + 1):
            segnet_conv(net, f"conv{block}_{i}", channels, filters)
            channels = filters
        sizes.append((height, width))
        height, width = (height + 1) // 2, (width + 1) // 2
        net.node("MaxPool", f"pool{block}", outputs=[f"pool{block}", f"pool{block}_mask"], kernel_shape=[2, 2], strides=[2, 2],
                 ceil_mode=1)
    for block in range(5, 0, -1):
        count, filters = VGG_BLOCKS[block - 1]
        inputs = [net.last, f"pool{block}_mask"]
        if any(size % 2 for size in sizes[block - 1]):
            # What the windows cover is larger by one than what was pooled.
            shape = np.array([1, filters, *sizes[block - 1]], dtype=np.int64)
            inputs.append(net.parameter(f"upsample{block}_shape", shape))
        net.node("MaxUnpool", f"upsample{block}", inputs, kernel_shape=[2, 2], strides=[2, 2])
        for i in range(count, 0, -1):
            name = f"conv{block}_{i}_D"
            if i == 1 and block == 1:
                net.conv(name, None, filters, 11, 3, pad=1, gain=LAST / 2)
                break
            after = filters if i > 1 else VGG_BLOCKS[block - 2][1]
            # Three of four values after unpooling are zero.
            segnet_conv(net, name, filters, after, gain=2.0 if i == count else 1.0)
    net.node("Softmax", "prob", axis=1)
    return net


def segnet_conv(net, name, channels, filters, gain=1.0):
    net.conv(name, None, channels, filters, 3, pad=1, gain=gain)
    net.batch_norm(name + "_bn", filters)
    net.relu(name + "_relu")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    makers = {"alexnet": alexnet, "vgg16": vgg16, "resnet152": resnet152, "segnet": segnet}
    parser.add_argument("directory", metavar="DIRECTORY", help="where the files go; made if it is not there")
    parser.add_argument("--network", choices=makers, action="append", help="only this one (may be given several times)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--segnet-size", default="360x480", metavar="HxW",
                        help="360x480 is the published one; multiples of 32 need no odd sizes on the way")
    arguments = parser.parse_args()
    size = re.fullmatch(r"(\d+)x(\d+)", arguments.segnet_size)
    if not size or min(int(size[1]), int(size[2])) < 32:
        parser.error("--segnet-size takes HEIGHTxWIDTH, both at least 32")
    os.makedirs(arguments.directory, exist_ok=True)
    for name in arguments.network or makers:
        if name == "segnet":
            height, width = int(size[1]), int(size[2])
            segnet(arguments.seed, height, width).save(arguments.directory, [1, 11, height, width])
        else:
            makers[name](arguments.seed).save(arguments.directory, [1, 1000])


if __name__ == "__main__":
    main()
