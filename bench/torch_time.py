"""Times a Caffe prototxt in PyTorch: the peer of `gocaffe time` in `make bench`.

    python3 bench/torch_time.py train_val.prototxt --iterations 10 [--phase TEST] [--batch 1] [--threads 2] [--precision bf16]
    [--device cuda]

Prints one line of JSON: the version and the milliseconds of one pass in NCHW and
in channels-last order. In TRAIN a pass is forward and backward, in TEST it is
forward without gradients; with --device cuda a pass in TRAIN also updates the
weights by SGD with momentum, as `gocaffe train` does. BatchNorm and the Scale behind it become one
BatchNorm2d, as somebody who ports the net would write it.
"""

import argparse
import json
import os
import re
import time

import torch
from torch import nn
from torch.nn import functional as F

TOKEN = re.compile(r'"[^"]*"|[{}:]|[^\s{}:"]+')


def parse(text):
    """parse gives the message as a dict of lists, one entry a field."""
    tokens = TOKEN.findall(re.sub(r"#.*", "", text))
    at = 0

    def message(nested):
        nonlocal at
        fields = {}
        while at < len(tokens):
            name = tokens[at]
            at += 1
            if name == "}":
                if not nested:
                    raise ValueError("a '}' too many")
                return fields
            if tokens[at] == ":":
                at += 1
            if tokens[at] == "{":
                at += 1
                value = message(True)
            else:
                value = scalar(tokens[at])
                at += 1
            fields.setdefault(name, []).append(value)
        return fields

    return message(False)


def scalar(token):
    if token.startswith('"'):
        return token[1:-1]
    if token in ("true", "false"):
        return token == "true"
    try:
        return int(token)
    except ValueError:
        pass
    try:
        return float(token)
    except ValueError:
        return token


def one(fields, name, default=None):
    return fields.get(name, [default])[0]


def included(layer, phase, stage):
    """included applies Caffe's include rules for a phase and one stage."""
    rules = layer.get("include", [])
    if not rules:
        return True
    return any(
        one(r, "phase", phase) == phase
        and all(s == stage for s in r.get("stage", []))
        and stage not in r.get("not_stage", [])
        for r in rules
    )


class Pool(nn.Module):
    """Caffe's pooling: sizes round up and a window starts inside of the padded picture."""

    def __init__(self, p):
        super().__init__()
        self.globally = one(p, "global_pooling", False)
        self.max = one(p, "pool", "MAX") == "MAX"
        self.args = dict(kernel_size=one(p, "kernel_size"), stride=one(p, "stride", 1), padding=one(p, "pad", 0), ceil_mode=True)

    def forward(self, x):
        if self.globally:
            return F.adaptive_max_pool2d(x, 1) if self.max else F.adaptive_avg_pool2d(x, 1)
        return F.max_pool2d(x, **self.args) if self.max else F.avg_pool2d(x, **self.args)


class Flat(nn.Module):
    def __init__(self, features, outputs, bias):
        super().__init__()
        self.linear = nn.Linear(features, outputs, bias)

    def forward(self, x):
        return self.linear(x.flatten(1))


class Net(nn.Module):
    """Net runs the layers of a prototxt in order on a dict of blobs."""

    def __init__(self, fields, phase, stage, batch):
        super().__init__()
        layers = [l for l in fields["layer"] if included(l, phase, stage)]
        self.steps, self.losses, self.shapes, self.labels = [], [], {}, set()
        self.module_list = nn.ModuleList()
        index = 0
        while index < len(layers):
            layer = layers[index]
            kind = one(layer, "type")
            following = layers[index + 1] if index + 1 < len(layers) else {}
            folded = kind == "BatchNorm" and one(following, "type") == "Scale"
            self.add(layer, kind, one(following if folded else layer, "top"), batch)
            index += 2 if folded else 1

    def add(self, layer, kind, top, batch):
        bottoms = layer.get("bottom", [])
        if kind == "DummyData":
            for name, shape in zip(layer["top"], one(layer, "dummy_data_param")["shape"]):
                dims = [batch or shape["dim"][0], *shape["dim"][1:]]
                self.shapes[name] = dims
                if len(dims) == 1:
                    self.labels.add(name)
            return
        if kind == "Accuracy":
            return
        if kind == "SoftmaxWithLoss":
            self.losses.append((bottoms[0], bottoms[1], one(layer, "loss_weight", 1)))
            return
        module, shape = self.module(layer, kind, [self.shapes[b] for b in bottoms])
        self.module_list.append(module)
        self.steps.append((module, bottoms, top))
        self.shapes[top] = shape

    def module(self, layer, kind, shapes):
        """module gives the module of one layer and the shape that it makes."""
        n, c, *spatial = shapes[0]
        if kind == "Convolution":
            p = one(layer, "convolution_param")
            stride, pad = one(p, "stride", 1), one(p, "pad", 0)
            m = nn.Conv2d(c, one(p, "num_output"), one(p, "kernel_size"), stride, pad, groups=one(p, "group", 1), bias=one(p, "bias_term", True))
        elif kind == "Pooling":
            m = Pool(one(layer, "pooling_param"))
        elif kind == "InnerProduct":
            p = one(layer, "inner_product_param")
            features = c
            for d in spatial:
                features *= d
            m = Flat(features, one(p, "num_output"), one(p, "bias_term", True))
        elif kind == "BatchNorm":
            m = nn.BatchNorm2d(c)
        elif kind == "LRN":
            p = one(layer, "lrn_param", {})
            m = nn.LocalResponseNorm(one(p, "local_size", 5), one(p, "alpha", 1.0), one(p, "beta", 0.75), one(p, "k", 1.0))
        elif kind in ("ReLU", "Dropout", "Softmax"):
            ratio = one(one(layer, "dropout_param", {}), "dropout_ratio", 0.5)
            return {"ReLU": nn.ReLU(inplace=True), "Dropout": nn.Dropout(ratio), "Softmax": nn.Softmax(1)}[kind], shapes[0]
        elif kind == "Concat":
            return Concat(), [n, sum(s[1] for s in shapes), *spatial]
        elif kind == "Eltwise":
            return Add(), shapes[0]
        else:
            raise SystemExit(f"layer {one(layer, 'name')}: no PyTorch module for type {kind}")
        with torch.no_grad():
            return m, list(m.eval()(torch.zeros(shapes[0])).shape)

    def forward(self, blobs):
        for module, bottoms, top in self.steps:
            blobs[top] = module(*[blobs[b] for b in bottoms])
        if not self.losses:
            return blobs[self.steps[-1][2]]
        return sum(w * F.cross_entropy(blobs[x].flatten(1).float(), blobs[t]) for x, t, w in self.losses)


class Concat(nn.Module):
    def forward(self, *xs):
        return torch.cat(xs, 1)


class Add(nn.Module):
    def forward(self, *xs):
        return sum(xs[1:], xs[0])


def measure(net, training, memory_format, iterations, precision, device):
    """measure gives the milliseconds of one pass, after two that warm up."""
    net = net.to(device=device, memory_format=memory_format).train(training)
    on_gpu = device == "cuda"
    update = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4) if on_gpu and training else None

    def once():
        blobs = {}
        for name, shape in net.shapes.items():
            if name in inputs:
                blobs[name] = inputs[name]
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            out = net(blobs)
        if training:
            net.zero_grad(set_to_none=True)
            out.backward()
            if update:
                update.step()

    def wait():
        if on_gpu:
            torch.cuda.synchronize()

    inputs = {}
    produced = {top for _, _, top in net.steps}
    for name, shape in net.shapes.items():
        if name in net.labels:
            inputs[name] = torch.ones(shape, dtype=torch.long, device=device)
        elif name not in produced:
            x = torch.full(shape, 0.5, device=device)
            inputs[name] = x.contiguous(memory_format=memory_format) if x.dim() == 4 else x
    with torch.set_grad_enabled(training):
        for _ in range(2):
            once()
        wait()
        start = time.perf_counter()
        for _ in range(iterations):
            once()
        wait()
    return (time.perf_counter() - start) / iterations * 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--phase", default="TRAIN")
    parser.add_argument("--batch", type=int, default=0, help="instead of the prototxt's")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.precision == "tf32"
    torch.set_num_threads(args.threads)
    with open(args.model, encoding="utf-8") as f:
        net = Net(parse(f.read()), args.phase, "dummy", args.batch)
    result = {"version": torch.__version__}
    for name, order in (("nchw_ms", torch.contiguous_format), ("channels_last_ms", torch.channels_last)):
        result[name] = measure(net, args.phase == "TRAIN", order, args.iterations, args.precision, args.device)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
