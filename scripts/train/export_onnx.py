# SPDX-License-Identifier: BSD-2-Clause
"""Writes the ONNX files and per-layer weights of the trained networks.

  ../NET.onnx         BatchNormalization folded into the convolutions
  ../NET_bn.onnx      (resnet, segnet) BatchNormalization kept as nodes
  ../weights/NET/LAYER.{weight,bias}.npy   the folded weights, [out, in/groups, kh, kw] or [out, in]

vgg and resnet come from torch's exporter (opset 12).  alexnet and segnet are built with onnx.helper, since torch
decomposes LRN into many nodes and cannot export max_unpool2d.
"""
import os
import sys
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
import data
from nets import NETS, fold_all
from train import STAGES

OPSET = 12


class Graph:
    """A chain of nodes; every method appends one node and returns its output name."""

    def __init__(self, size):
        self.nodes, self.weights, self.size = [], [], size

    def tensor(self, name, value):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value.detach().numpy(), np.float32), name))
        return name

    def add(self, op, name, inputs, outputs=None, **attrs):
        self.nodes.append(helper.make_node(op, inputs, outputs or [name], name=name, **attrs))
        return name

    def conv(self, name, x, m):
        ins = [x, self.tensor(name + ".weight", m.weight)]
        if m.bias is not None:
            ins.append(self.tensor(name + ".bias", m.bias))
        p = m.padding
        return self.add("Conv", name, ins, kernel_shape=list(m.kernel_size), strides=list(m.stride),
                        pads=[p[0], p[1], p[0], p[1]], dilations=[1, 1], group=m.groups)

    def gemm(self, name, x, m):
        return self.add("Gemm", name, [x, self.tensor(name + ".weight", m.weight), self.tensor(name + ".bias", m.bias)],
                        alpha=1.0, beta=1.0, transB=1)

    def bn(self, name, x, m):
        if isinstance(m, torch.nn.Identity):
            return x
        parts = [self.tensor(f"{name}.{k}", v) for k, v in (("scale", m.weight), ("B", m.bias),
                 ("mean", m.running_mean), ("var", m.running_var))]
        return self.add("BatchNormalization", name, [x, *parts], epsilon=m.eps)

    def save(self, path, out, out_shape):
        info = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, os.path.basename(path)[:-5],
                                  [info("input", TensorProto.FLOAT, ["N", 1, self.size, self.size])],
                                  [info(out, TensorProto.FLOAT, ["N", *out_shape])], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=7,
                                  producer_name="bdnn")
        onnx.checker.check_model(model)
        onnx.save(model, path)


def alexnet(net, path):
    g, x, conv, fc, pool, norm = Graph(28), "input", 0, 5, 0, 0
    relu = lambda x, n: g.add("Relu", n, [x])
    for m in net:
        kind = type(m).__name__
        if kind == "Conv2d":
            conv += 1
            x = relu(g.conv(f"conv{conv}", x, m), f"relu{conv}")
        elif kind == "MaxPool2d":
            pool += 1
            x = g.add("MaxPool", f"pool{pool}", [x], kernel_shape=[3, 3], strides=[2, 2])
        elif kind == "LRN":
            norm += 1
            x = g.add("LRN", f"norm{norm}", [x], size=5, alpha=m.alpha, beta=0.75, bias=1.0)
        elif kind == "Flatten":
            x = g.add("Flatten", "flatten", [x], axis=1)
        elif kind == "Linear":
            fc += 1
            x = g.gemm(f"fc{fc + 0}", x, m)
            if fc < 8:
                x = relu(x, f"relu{fc}")
    g.save(path, x, [10])


def segnet(net, path):
    g, x, indices = Graph(data.SEG_SIZE), "input", []

    def unit(name, x, u):
        return g.add("Relu", name + "_relu", [g.bn(name + "_bn", g.conv(name, x, u["conv"]), u["bn"])])

    for s, stage in enumerate(net.enc, 1):
        for k, u in enumerate(stage, 1):
            x = unit(f"enc{s}_{k}", x, u)
        g.add("MaxPool", f"pool{s}", [x], [f"pool{s}", f"pool{s}_indices"], kernel_shape=[2, 2], strides=[2, 2])
        x = f"pool{s}"
        indices.append(f"pool{s}_indices")
    for s, stage in zip(range(len(net.dec), 0, -1), net.dec):
        x = g.add("MaxUnpool", f"unpool{s}", [x, indices.pop()], kernel_shape=[2, 2], strides=[2, 2])
        for k, u in enumerate(stage, 1):
            x = unit(f"dec{s}_{k}", x, u)
    g.save(path, g.conv("classify", x, net.classify), [11, data.SEG_SIZE, data.SEG_SIZE])


def with_torch(net, path):
    mode = torch.onnx.TrainingMode.PRESERVE if path.endswith("_bn.onnx") else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(net.requires_grad_(False), torch.zeros(1, 1, 28, 28), path, opset_version=OPSET, input_names=["input"],
                      output_names=["output"], dynamic_axes={"input": {0: "N"}, "output": {0: "N"}}, training=mode)
    model = onnx.load(path)
    graph = model.graph
    # torch 1.13 merges equal initializers and hands them on through Identity nodes, which OpenCV 4.6 cannot import.
    value = {t.name: t for t in graph.initializer}
    for n in [n for n in graph.node if n.op_type == "Identity" and n.input[0] in value]:
        copy = TensorProto()
        copy.CopyFrom(value[n.input[0]])
        copy.name = n.output[0]
        graph.initializer.append(copy)
        graph.node.remove(n)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def load(name):
    net = NETS[name]()
    net.load_state_dict(torch.load(f"../ckpt/{name}.{len(STAGES[name]) - 1}.pt"))
    return net.eval().requires_grad_(False)


def main(names):
    for name in names:
        write = {"alexnet": alexnet, "segnet": segnet}.get(name, with_torch)
        net = load(name)
        if name in ("resnet", "segnet"):
            write(net, f"../{name}_bn.onnx")
            net = fold_all(net).requires_grad_(False)
        write(net, f"../{name}.onnx")
        os.makedirs(f"../weights/{name}", exist_ok=True)
        for n, m in net.named_modules():
            if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
                np.save(f"../weights/{name}/{n}.weight.npy", m.weight.numpy())
                np.save(f"../weights/{name}/{n}.bias.npy", m.bias.numpy())


if __name__ == "__main__":
    main(sys.argv[1:] or list(NETS))
