# SPDX-License-Identifier: BSD-2-Clause
"""Makes of a float ONNX network what other runtimes need: the same network quantized (QDQ form) and a list of its layers.

QDQ: QuantizeLinear and DequantizeLinear around each Conv, Gemm, Add and pooling, as ONNX Runtime's optimizer fuses them: uint8 inputs
(zero point 0 after a ReLU), int8 weights with one scale a filter, int32 biases. Batch normalizations are folded into the convolution
before them first. Ranges of the activations are measured ones."""
import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

QUANTIZED = {"Conv", "Gemm", "Add", "MaxPool", "GlobalAveragePool", "Flatten", "LRN", "MaxUnpool"}
KEEPS_RANGE = {"MaxPool", "Flatten", "MaxUnpool"}  # whose outputs have the scale of their inputs


def attribute(node, name, default):
    for a in node.attribute:
        if a.name == name:
            return helper.get_attribute_value(a)
    return default


class Network:
    """A graph whose parameters can be looked up and replaced by name."""

    def __init__(self, path):
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self.parameters = {p.name: p for p in self.graph.initializer}

    def array(self, name):
        return numpy_helper.to_array(self.parameters[name])

    def add(self, name, array):
        self.parameters[name] = numpy_helper.from_array(np.array(array, order="C"), name)
        return name

    def readers(self, value):
        return [n for n in self.graph.node if value in n.input]

    def finish(self, path, nodes):
        used = {i for n in nodes for i in n.input}
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(nodes)
        self.graph.initializer.extend(p for name, p in self.parameters.items() if name in used)
        onnx.save(self.model, path)

    def fold_batch_norms(self):
        """y = scale (conv(x) - mean) / sqrt(var + eps) + bias becomes the convolution's own weights and bias."""
        producer = {o: n for n in self.graph.node for o in n.output}
        kept = []
        for node in self.graph.node:
            conv = producer.get(node.input[0]) if node.op_type == "BatchNormalization" else None
            if conv is None or conv.op_type != "Conv":
                kept.append(node)
                continue
            scale, bias, mean, variance = (self.array(i) for i in node.input[1:5])
            factor = scale / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
            weights = self.array(conv.input[1])
            old = self.array(conv.input[2]) if len(conv.input) > 2 else 0
            inputs = [conv.input[0], self.add(conv.name + "_folded_W", weights * factor.reshape(-1, 1, 1, 1)),
                      self.add(conv.name + "_folded_b", ((old - mean) * factor + bias).astype(np.float32))]
            del conv.input[:]
            conv.input.extend(inputs)
            conv.output[0] = node.output[0]
        del self.graph.node[:]
        self.graph.node.extend(kept)


def write_folded(source, target):
    net = Network(source)
    net.fold_batch_norms()
    net.finish(target, list(net.graph.node))


def quantized_values(net):
    """Values that are kept as integers: the input, and outputs of the operators above but for the network's own. A value that only a
    ReLU reads is not; the ReLU's output is."""
    outputs = {o.name for o in net.graph.output}
    values = [net.graph.input[0].name]
    for node in net.graph.node:
        readers = net.readers(node.output[0])
        fused = node.op_type != "Relu" and len(readers) == 1 and readers[0].op_type == "Relu"
        after = {r.op_type for r in readers}
        wanted = after & QUANTIZED or node.op_type == "Conv" and after  # a Gemm can give floats, a convolution cannot
        if node.op_type in QUANTIZED | {"Relu"} and not fused and node.output[0] not in outputs and wanted:
            values.append(node.output[0])
    return values


def write_probe(folded, target):
    """The network with every value of interest as an output, for measuring ranges."""
    net = Network(folded)
    known = {o.name for o in net.graph.output}
    for value in quantized_values(net)[1:]:
        if value not in known:
            net.graph.output.append(helper.make_empty_tensor_value_info(value))
    net.finish(target, list(net.graph.node))


class Quantizer:
    def __init__(self, folded, ranges):
        self.net = Network(folded)
        self.ranges = ranges
        self.scales, self.renamed, self.nodes = {}, {}, []

    def pair(self, value, scale, zero):
        """QuantizeLinear and DequantizeLinear of a value; who read it reads the pair's output."""
        self.scales[value] = (scale, zero)
        inputs = [self.net.add(value + "_scale", np.float32(scale)), self.net.add(value + "_zero", np.uint8(zero))]
        self.nodes.append(helper.make_node("QuantizeLinear", [value, *inputs], [value + "_q"], name=value + "_Q"))
        self.nodes.append(helper.make_node("DequantizeLinear", [value + "_q", *inputs], [value + "_dq"], name=value + "_DQ"))
        self.renamed[value] = value + "_dq"

    def quantize_value(self, value, like=None):
        if like in self.scales:
            return self.pair(value, *self.scales[like])
        low, high = self.ranges[value]
        low, high = min(low, 0.0), max(high, 1e-6)
        scale = (high - low) / 255
        return self.pair(value, scale, round(-low / scale))

    def parameter(self, name, array, scales):
        """An integer parameter and its DequantizeLinear, one scale a filter."""
        inputs = [self.net.add(name + "_i", array), self.net.add(name + "_s", scales.astype(np.float32)),
                  self.net.add(name + "_z", np.zeros(len(scales), array.dtype))]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name + "_f"], name=name + "_DQ", axis=0))
        return name + "_f"

    def inner_product(self, node):
        if node.op_type == "Gemm" and not attribute(node, "transB", 0):
            raise SystemExit(f"{node.name}: a Gemm without transB")
        weights = self.net.array(node.input[1])
        scales = np.maximum(np.abs(weights.reshape(len(weights), -1)).max(axis=1) / 127, 1e-9)
        rows = scales.reshape(-1, *[1] * (weights.ndim - 1))
        input_scale = self.scales[node.input[0]][0]
        inputs = [self.renamed[node.input[0]],
                  self.parameter(node.name + "_W", np.rint(weights / rows).astype(np.int8), scales)]
        if len(node.input) > 2:
            bias = np.rint(self.net.array(node.input[2]) / (scales * input_scale)).clip(-2**31 + 1, 2**31 - 1)
            inputs.append(self.parameter(node.name + "_b", bias.astype(np.int32), scales * input_scale))
        return inputs

    def write(self, target):
        graph = self.net.graph
        wanted = set(quantized_values(self.net))
        self.quantize_value(graph.input[0].name)
        for node in list(graph.node):
            inputs = (self.inner_product(node) if node.op_type in ("Conv", "Gemm")
                      else [self.renamed.get(i, i) for i in node.input])
            like = node.input[0] if node.op_type in KEEPS_RANGE else None
            del node.input[:]
            node.input.extend(inputs)
            self.nodes.append(node)
            if node.output[0] in wanted:
                self.quantize_value(node.output[0], like)
        self.net.finish(target, self.nodes)


def write_quantized(folded, ranges, target):
    Quantizer(folded, ranges).write(target)


def operators(path):
    """How often each operator occurs."""
    counts = {}
    for node in onnx.load(path).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


def write_layers(folded, target):
    """A line for each convolution and fully connected layer, as onednn.c reads it."""
    net = Network(folded)
    inferred = shape_inference.infer_shapes(net.model)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
              for v in [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]}
    with open(target, "w") as file:
        for node in net.graph.node:
            if node.op_type not in ("Conv", "Gemm"):
                continue
            source, result = (shapes[v] + [1] * (4 - len(shapes[v])) for v in (node.input[0], node.output[0]))
            relu = any(r.op_type == "Relu" for r in net.readers(node.output[0]))
            numbers = [attribute(node, "group", 1), *source[1:], *result[1:], *attribute(node, "kernel_shape", [1, 1]),
                       *attribute(node, "strides", [1, 1]), *attribute(node, "pads", [0] * 4), int(relu)]
            print(node.name, *numbers, file=file)
