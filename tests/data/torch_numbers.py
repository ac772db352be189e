"""PyTorch's own numbers for tests/table/test_torch.py, in float64: values and gradients of every block that it has.

    pip install torch numpy
    python tests/data/torch_numbers.py > tests/data/torch_numbers.json

A case has parameters and data by name, the objective L and its gradient for each parameter. Layers and activations
stand behind a linear map of the last axis with the parameters W1, b1; their objective is the sum of the outputs times
the target y.
"""

import json
import sys
import zlib

import numpy as np
import torch
from torch.nn import functional as fn

torch.set_default_dtype(torch.float64)
CASES = {}


def case(name, shapes, data, objective):
    """Draw the parameters, run `objective(P, D)`, and keep all numbers."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    P = {n: torch.tensor(s(rng) if callable(s) else rng.normal(size=s), requires_grad=True) for n, s in shapes.items()}
    D = {n: torch.tensor(s(rng) if callable(s) else rng.normal(size=s)) for n, s in data.items()}
    value = objective(P, D)
    value.backward()
    CASES[name] = {
        "parameters": {n: p.detach().tolist() for n, p in P.items()},
        "data": {n: d.tolist() for n, d in D.items()},
        "L": value.item(),
        "gradients": {n: (torch.zeros_like(p) if p.grad is None else p.grad).tolist() for n, p in P.items()},
    }


def layer(name, x, f, shapes=None, n=4):
    """A layer behind a linear map."""
    d = x[-1]
    shapes = {"W1": (d, d), "b1": (d,)} | (shapes or {})
    with torch.no_grad():
        probe = {
            k: torch.tensor(np.abs(s(np.random.default_rng(0))) if callable(s) else np.ones(s))
            for k, s in shapes.items()
        }
        out = f(torch.ones((n, *x)), probe).shape
    case(
        name,
        shapes,
        {"x": (n, *x), "y": tuple(out)},
        lambda P, D: (f(fn.linear(D["x"], P["W1"], P["b1"]), P) * D["y"]).sum(),
    )


def layers():
    layer("Dense", (5,), lambda h, P: fn.linear(h, P["W2"], P["b2"]), {"W2": (3, 5), "b2": (3,)})
    layer(
        "BatchNorm1d",
        (3,),
        lambda h, P: fn.batch_norm(h, None, None, P["gamma2"], P["beta2"], True),
        {"gamma2": (3,), "beta2": (3,)},
    )
    layer(
        "BatchNorm1d length",
        (3, 4),
        lambda h, P: fn.batch_norm(h, None, None, P["gamma2"], P["beta2"], True),
        {"gamma2": (3,), "beta2": (3,)},
    )
    layer(
        "BatchNorm2d",
        (3, 2, 4),
        lambda h, P: fn.batch_norm(h, None, None, P["gamma2"], P["beta2"], True),
        {"gamma2": (3,), "beta2": (3,)},
    )
    layer(
        "LayerNorm", (5,), lambda h, P: fn.layer_norm(h, (5,), P["gamma2"], P["beta2"]), {"gamma2": (5,), "beta2": (5,)}
    )
    layer(
        "LayerNorm two axes",
        (3, 4),
        lambda h, P: fn.layer_norm(h, (3, 4), P["gamma2"], P["beta2"]),
        {"gamma2": (3, 4), "beta2": (3, 4)},
    )
    layer("RMSNorm", (5,), lambda h, P: fn.rms_norm(h, (5,), P["gamma2"], 1e-5), {"gamma2": (5,)})
    layer(
        "GroupNorm", (4, 3), lambda h, P: fn.group_norm(h, 2, P["gamma2"], P["beta2"]), {"gamma2": (4,), "beta2": (4,)}
    )
    layer(
        "GroupNorm no length",
        (6,),
        lambda h, P: fn.group_norm(h, 2, P["gamma2"], P["beta2"]),
        {"gamma2": (6,), "beta2": (6,)},
    )
    layer("Conv1d", (2, 7), lambda h, P: fn.conv1d(h, P["W2"], P["b2"], 2, 1), {"W2": (3, 2, 3), "b2": (3,)})
    layer(
        "Conv1d same even dilated",
        (2, 7),
        lambda h, P: fn.conv1d(h, P["W2"], P["b2"], 1, "same", 3),
        {"W2": (3, 2, 4), "b2": (3,)},
    )
    layer(
        "Conv2d",
        (2, 5, 6),
        lambda h, P: fn.conv2d(h, P["W2"], P["b2"], (2, 1), (1, 2), (1, 2)),
        {"W2": (3, 2, 3, 2), "b2": (3,)},
        2,
    )
    layer(
        "Conv2d groups",
        (4, 4, 5),
        lambda h, P: fn.conv2d(h, P["W2"], P["b2"], 1, 1, 1, 2),
        {"W2": (6, 2, 3, 3), "b2": (6,)},
        2,
    )
    layer(
        "Conv2d depthwise",
        (3, 4, 5),
        lambda h, P: fn.conv2d(h, P["W2"], P["b2"], 2, 1, 1, 3),
        {"W2": (3, 1, 3, 3), "b2": (3,)},
        2,
    )
    layer(
        "Conv2d depthwise doubled",
        (2, 4, 5),
        lambda h, P: fn.conv2d(h, P["W2"], None, 1, 0, 1, 2),
        {"W2": (4, 1, 2, 2)},
        2,
    )
    layer(
        "ConvTranspose2d",
        (2, 3, 4),
        lambda h, P: fn.conv_transpose2d(h, P["W2"], P["b2"], (2, 3), (1, 0), (1, 2), 1, (1, 2)),
        {"W2": (2, 3, 3, 2), "b2": (3,)},
        2,
    )
    layer("MaxPool1d", (2, 7), lambda h, P: fn.max_pool1d(h, 3, 2, 1))
    layer("MaxPool2d", (2, 5, 6), lambda h, P: fn.max_pool2d(h, (2, 3), (2, 1), (1, 0)), n=2)
    layer("AvgPool1d", (2, 7), lambda h, P: fn.avg_pool1d(h, 3, 2, 1))
    layer("AvgPool2d", (2, 5, 6), lambda h, P: fn.avg_pool2d(h, (2, 3), None, (1, 1)), n=2)
    layer("GlobalAvgPool", (2, 3, 4), lambda h, P: h.mean((2, 3)), n=2)
    layer("Flatten", (2, 3, 2), lambda h, P: fn.linear(h.flatten(1), P["W3"], P["b3"]), {"W3": (2, 12), "b3": (2,)}, 2)
    layer("Reshape", (2, 6), lambda h, P: h.reshape(-1, 3, 4))
    layer("Transpose", (2, 3, 4), lambda h, P: h.permute(0, 3, 1, 2), n=2)
    layer("Bilinear", (4,), lambda h, P: fn.bilinear(h, torch.tanh(h), P["W3"], P["b3"]), {"W3": (3, 4, 4), "b3": (3,)})
    layer("PReLU", (5,), lambda h, P: fn.prelu(h, P["alpha2"].reshape(1)), {"alpha2": ()})
    layer("PReLU channelwise", (3, 4), lambda h, P: fn.prelu(h, P["alpha2"]), {"alpha2": (3,)})
    layer(
        "RBF",
        (3,),
        lambda h, P: torch.exp(-(torch.cdist(h, P["C2"]) ** 2) / (2 * P["sigma2"] ** 2)),
        {"C2": (4, 3), "sigma2": lambda r: 1 + r.uniform(size=4)},
    )
    layer(
        "Maxout",
        (4,),
        lambda h, P: fn.linear(h, P["W2"], P["b2"]).reshape(-1, 2, 3).max(-1).values,
        {"W2": (6, 4), "b2": (6,)},
    )
    case(
        "Embedding",
        {"E1": (6, 3)},
        {"x": lambda r: r.integers(0, 6, (4, 5)), "y": (4, 5, 3)},
        lambda P, D: (fn.embedding(D["x"], P["E1"]) * D["y"]).sum(),
    )


def activations():
    names = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": fn.relu,
        "relu6": fn.relu6,
        "leaky_relu": fn.leaky_relu,
        "elu": fn.elu,
        "selu": fn.selu,
        "gelu": fn.gelu,
        "gelu_tanh": lambda z: fn.gelu(z, approximate="tanh"),
        "silu": fn.silu,
        "swish": fn.silu,
        "mish": fn.mish,
        "softplus": fn.softplus,
        "softsign": fn.softsign,
        "hard_sigmoid": fn.hardsigmoid,
        "hard_tanh": fn.hardtanh,
        "hard_swish": fn.hardswish,
        "sin": torch.sin,
        "gaussian": lambda z: torch.exp(-z * z),
        "identity": lambda z: z,
        "softmax": lambda z: fn.softmax(z, -1),
        "log_softmax": lambda z: fn.log_softmax(z, -1),
    }
    for name, f in names.items():
        layer(f"activation {name}", (4,), lambda h, P, f=f: f(3 * h))


def labels(*shape, classes=4):
    return lambda r: r.integers(0, classes, shape)


def classes():
    z = {"W1": (4, 3), "b1": (4,)}

    def row(name, f, y, n=(6,)):
        case(name, z, {"x": (*n, 3), "y": y}, lambda P, D: f(fn.linear(D["x"], P["W1"], P["b1"]), D["y"]))

    w = torch.tensor([0.5, 2.0, 1.0, 3.0])
    soft = lambda r: r.dirichlet(np.ones(4), 6)  # noqa: E731
    ignored = lambda r: np.array([0, 3, -100, 1, -100, 2])  # noqa: E731
    ce = fn.cross_entropy
    row("softmax_cross_entropy", ce, labels(6))
    row("softmax_cross_entropy sum", lambda z, y: ce(z, y, reduction="sum"), labels(6))
    row("softmax_cross_entropy soft", ce, soft)
    row("softmax_cross_entropy smoothed", lambda z, y: ce(z, y, label_smoothing=0.2), labels(6))
    row("softmax_cross_entropy weights", lambda z, y: ce(z, y, w), labels(6))
    row("softmax_cross_entropy weights sum", lambda z, y: ce(z, y, w, reduction="sum"), labels(6))
    row("softmax_cross_entropy weights smoothed", lambda z, y: ce(z, y, w, label_smoothing=0.2), labels(6))
    row("softmax_cross_entropy ignored", ce, ignored)
    row("softmax_cross_entropy ignored sum", lambda z, y: ce(z, y, reduction="sum"), ignored)
    row("softmax_cross_entropy all options", lambda z, y: ce(z, y, w, label_smoothing=0.2), ignored)
    row("softmax_cross_entropy places", lambda z, y: ce(z.movedim(-1, 1), y, reduction="sum") / 6, labels(6, 5), (6, 5))
    row("cross_entropy all options", lambda z, y: fn.nll_loss(fn.log_softmax(z, -1), y, w), ignored)
    row("multi_hinge", fn.multi_margin_loss, labels(6))
    row("multi_hinge margin sum", lambda z, y: fn.multi_margin_loss(z, y, margin=0.3, reduction="sum"), labels(6))
    row("kl", lambda z, y: fn.kl_div(fn.log_softmax(z, -1), y, reduction="batchmean"), soft)
    row("kl mean", lambda z, y: fn.kl_div(fn.log_softmax(z, -1), y, reduction="mean"), soft)

    def focal(z, y, gamma):
        p = fn.softmax(z, -1).gather(1, y[:, None])
        return (-((1 - p) ** gamma) * p.log()).mean()

    row("focal", lambda z, y: focal(z, y, 2), labels(6))
    row("focal 1.5", lambda z, y: focal(z, y, 1.5), labels(6))


def entries():
    z = {"W1": (3, 3), "b1": (3,)}
    zero_one = lambda r: r.integers(0, 2, (5, 3)).astype(float)  # noqa: E731
    signs = lambda r: 2.0 * r.integers(0, 2, (5, 3)) - 1  # noqa: E731
    counts = lambda r: r.poisson(2, (5, 3)).astype(float)  # noqa: E731
    real = (5, 3)

    def row(name, f, y):
        case(name, z, {"x": (5, 3), "y": y}, lambda P, D: f(fn.linear(D["x"], P["W1"], P["b1"]), D["y"]))

    row("mse", fn.mse_loss, real)
    row("mse sum", lambda z, y: fn.mse_loss(z, y, reduction="sum"), real)
    row("mse batch_mean", lambda z, y: fn.mse_loss(z, y, reduction="sum") / 5, real)
    row("mse none", lambda z, y: fn.mse_loss(z, y, reduction="none").sum(), real)
    row("mae", fn.l1_loss, real)
    row("huber", fn.huber_loss, real)
    row("huber 0.3", lambda z, y: fn.huber_loss(z, y, delta=0.3), real)
    row("smooth_l1", fn.smooth_l1_loss, real)
    row("smooth_l1 0.3", lambda z, y: fn.smooth_l1_loss(z, y, beta=0.3), real)
    row("binary_cross_entropy", lambda z, y: fn.binary_cross_entropy(torch.sigmoid(z), y), zero_one)
    row("sigmoid_cross_entropy", fn.binary_cross_entropy_with_logits, zero_one)
    row(
        "sigmoid_cross_entropy pos_weight",
        lambda z, y: fn.binary_cross_entropy_with_logits(z, y, pos_weight=torch.tensor(2.5)),
        zero_one,
    )
    row("multilabel", fn.multilabel_soft_margin_loss, zero_one)
    row("hinge", lambda z, y: fn.relu(1 - y * z).mean(), signs)
    row("squared_hinge", lambda z, y: (fn.relu(1 - y * z) ** 2).mean(), signs)
    row("poisson_nll", fn.poisson_nll_loss, counts)
    row("poisson_nll rate", lambda z, y: fn.poisson_nll_loss(fn.softplus(z), y, log_input=False), counts)
    row("cosine", lambda z, y: (1 - fn.cosine_similarity(z, y, -1)).mean(), real)
    row("log_cosh", lambda z, y: torch.log(torch.cosh(z - y)).mean(), real)


def pairs():
    z = {"W1": (3, 3), "b1": (3,), "W2": (3, 3), "b2": (3,)}
    signs = lambda r: 2.0 * r.integers(0, 2, 5) - 1  # noqa: E731

    def row(name, f, y=None, three=False):
        shapes = z | ({"W3": (3, 3), "b3": (3,)} if three else {})
        data = {"x": (5, 3)} | ({} if y is None else {"y": y})
        outs = "123" if three else "12"
        case(
            name,
            shapes,
            data,
            lambda P, D: f(
                *(fn.linear(D["x"], P["W" + k], P["b" + k]) for k in outs), *([D["y"]] if y is not None else [])
            ),
        )

    row("gaussian_nll", lambda m, s, y: fn.gaussian_nll_loss(m, y, fn.softplus(s)), (5, 3))
    row("cosine_embedding", fn.cosine_embedding_loss, signs)
    row("cosine_embedding margin", lambda a, b, y: fn.cosine_embedding_loss(a, b, y, 0.3), signs)
    row("triplet", fn.triplet_margin_loss, None, True)
    row("triplet margin", lambda a, p, n: fn.triplet_margin_loss(a, p, n, 0.2, reduction="sum"), None, True)

    def nce(q, k):
        s = fn.normalize(q, dim=-1, eps=1e-8) @ fn.normalize(k, dim=-1, eps=1e-8).T / 0.1
        return fn.cross_entropy(s, torch.arange(5))

    row("info_nce", nce)


def run(make, schedule=None, clip=None, steps=12, epochs=None):
    """Parameters after each step of training z = x W^T + b with mse on one batch."""
    rng = np.random.default_rng(5)
    x, y, W, b = (torch.tensor(rng.normal(size=s)) for s in ((8, 3), (8, 2), (2, 3), (2,)))
    W.requires_grad_(), b.requires_grad_()
    start = W.detach().clone(), b.detach().clone()
    optimizer = make([W, b])
    following = schedule(optimizer) if schedule else None
    rates, path = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = fn.mse_loss(fn.linear(x, W, b), y)
        loss.backward()
        if clip == "norm":
            torch.nn.utils.clip_grad_norm_([W, b], 0.4)
        if clip == "value":
            torch.nn.utils.clip_grad_value_([W, b], 0.1)
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        path.append({"W1": W.tolist(), "b1": b.tolist()})
        if following is not None:
            following.step(
                *([loss.item()] if isinstance(following, torch.optim.lr_scheduler.ReduceLROnPlateau) else [])
            )
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "start": {"W1": start[0].tolist(), "b1": start[1].tolist()},
        "path": path,
        "rates": rates,
    }


def optimizers():
    o, s = torch.optim, torch.optim.lr_scheduler
    slow = lambda p: o.SGD(p, 0.1)  # noqa: E731
    made = {
        "sgd": run(slow),
        "sgd decay": run(lambda p: o.SGD(p, 0.1, weight_decay=0.05)),
        "momentum": run(lambda p: o.SGD(p, 0.1, momentum=0.9)),
        "nesterov": run(lambda p: o.SGD(p, 0.1, momentum=0.9, nesterov=True)),
        "adagrad": run(o.Adagrad),
        "adadelta": run(o.Adadelta),
        "rmsprop": run(o.RMSprop),
        "rmsprop centered": run(lambda p: o.RMSprop(p, centered=True)),
        "adam": run(o.Adam),
        "adam large eps": run(lambda p: o.Adam(p, 0.1, (0.8, 0.95), 0.1)),
        "amsgrad": run(lambda p: o.Adam(p, 0.3, (0.5, 0.6), amsgrad=True)),
        "adamw": run(o.AdamW),
        "nadam": run(o.NAdam),
        "rprop": run(o.Rprop),
        "clip norm": run(slow, clip="norm"),
        "clip value": run(slow, clip="value"),
        "groups": run(lambda p: o.Adam([{"params": p[:1]}, {"params": p[1:], "lr": 0.1}])),
        "schedule step": run(slow, lambda a: s.StepLR(a, 3, 0.5)),
        "schedule exponential": run(slow, lambda a: s.ExponentialLR(a, 0.8)),
        "schedule cosine": run(slow, lambda a: s.CosineAnnealingLR(a, 12, 0.01)),
        "schedule one_cycle": run(slow, lambda a: s.OneCycleLR(a, 0.5, total_steps=12, cycle_momentum=False)),
        "schedule plateau": run(
            lambda p: o.SGD(p, 0.9), lambda a: s.ReduceLROnPlateau(a, factor=0.5, patience=1), steps=15
        ),
        "schedule warm_up": run(slow, lambda a: s.LinearLR(a, 1 / 4, 1.0, 3)),
    }
    CASES.update({f"run {name}": value for name, value in made.items()})


def running():
    """Batch norm's running statistics and its prediction after two training steps without an update."""
    rng = np.random.default_rng(7)
    norm = torch.nn.BatchNorm2d(2)
    x = torch.tensor(rng.normal(1, 2, (3, 2, 2, 3)))
    norm(x), norm(x)
    CASES["running statistics"] = {
        "x": x.tolist(),
        "mean": norm.running_mean.tolist(),
        "var": norm.running_var.tolist(),
        "predicted": norm.eval()(x).tolist(),
    }


for collect in (layers, activations, classes, entries, pairs, optimizers, running):
    collect()
json.dump(CASES, sys.stdout)
