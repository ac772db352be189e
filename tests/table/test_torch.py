"""Every block that PyTorch has, against PyTorch's own numbers (tests/data/torch_numbers.json) in float64."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop import losses, optimizers, schedules
from symbackprop.declare.activations import ACTIVATIONS, ROW_ACTIVATIONS
from tests.calculus.programs import fresh_model

of: Any = sb.layers
CASES: dict[str, Any] = json.loads((Path(__file__).parent.parent / "data/torch_numbers.json").read_text())
TOLERANCE = 1e-10
COARSE = {"activation hard_sigmoid": 1e-7}
"""Where PyTorch itself is not exact: its derivative of hard_sigmoid is 1/6 of float32."""

Make = Callable[[], sb.Network]


def product(prediction: Any, target: Any) -> Any:
    """The objective of the layers."""
    return prediction * target


def behind(shape: tuple[int, ...], *layers: Any) -> Make:
    """Layers behind a linear map of the last axis."""
    stack = [sb.Input(shape), sb.Dense(shape[-1]), *layers]
    return lambda: sb.Network(stack, loss=product, reduction="sum")


def bilinear() -> sb.Network:
    x = sb.Input(4)
    h = sb.Dense(4)(x)
    return sb.Network(inputs=x, outputs=of.Bilinear(3)(h, sb.Activation("tanh")(h)), loss=product, reduction="sum")


LAYERS: dict[str, Make] = {
    "Dense": behind((5,), sb.Dense(3)),
    "BatchNorm1d": behind((3,), of.BatchNorm1d()),
    "BatchNorm1d length": behind((3, 4), of.BatchNorm1d()),
    "BatchNorm2d": behind((3, 2, 4), of.BatchNorm2d()),
    "LayerNorm": behind((5,), of.LayerNorm()),
    "LayerNorm two axes": behind((3, 4), of.LayerNorm((1, 2))),
    "RMSNorm": behind((5,), of.RMSNorm()),
    "GroupNorm": behind((4, 3), of.GroupNorm(2)),
    "GroupNorm no length": behind((6,), of.GroupNorm(2)),
    "Conv1d": behind((2, 7), of.Conv1d(3, 3, 2, 1)),
    "Conv1d same even dilated": behind((2, 7), of.Conv1d(3, 4, padding="same", dilation=3)),
    "Conv2d": behind((2, 5, 6), of.Conv2d(3, (3, 2), (2, 1), (1, 2), (1, 2))),
    "Conv2d groups": behind((4, 4, 5), of.Conv2d(6, 3, padding=1, groups=2)),
    "Conv2d depthwise": behind((3, 4, 5), of.Conv2d(3, 3, 2, 1, groups=3)),
    "Conv2d depthwise doubled": behind((2, 4, 5), of.Conv2d(4, 2, groups=2, bias=False)),
    "ConvTranspose2d": behind((2, 3, 4), of.ConvTranspose2d(3, (3, 2), (2, 3), (1, 0), (1, 2), (1, 2))),
    "MaxPool1d": behind((2, 7), of.MaxPool1d(3, 2, 1)),
    "MaxPool2d": behind((2, 5, 6), of.MaxPool2d((2, 3), (2, 1), (1, 0))),
    "AvgPool1d": behind((2, 7), of.AvgPool1d(3, 2, 1)),
    "AvgPool2d": behind((2, 5, 6), of.AvgPool2d((2, 3), padding=(1, 1))),
    "GlobalAvgPool": behind((2, 3, 4), of.GlobalAvgPool()),
    "Flatten": behind((2, 3, 2), of.Flatten(), sb.Dense(2)),
    "Reshape": behind((2, 6), of.Reshape((3, 4))),
    "Transpose": behind((2, 3, 4), of.Transpose((0, 3, 1, 2))),
    "Bilinear": bilinear,
    "PReLU": behind((5,), of.PReLU()),
    "PReLU channelwise": behind((3, 4), of.PReLU(channelwise=True)),
    "RBF": behind((3,), of.RBF(4)),
    "Maxout": behind((4,), of.Maxout(2, 3)),
    "Embedding": lambda: sb.Network([sb.Input(5, levels=6), of.Embedding(6, 3)], loss=product, reduction="sum"),
}


def scaled(h: Any) -> Any:
    """3h, as an equation."""
    n, j = sb.indices("n j")
    tripled = sb.tensor("tripled", h.dims)
    return sb.layer(tripled, sb.equation(tripled[n, j], 3 * h[n, j]))


ACTIVATED: dict[str, Make] = {
    f"activation {name}": behind((4,), scaled, sb.Activation(name)) for name in (*ACTIVATIONS, *ROW_ACTIVATIONS)
}


def rows(loss: Any, reduction: str | None = None, *, shape: Any = 3, last: Any = None) -> Make:
    last = (sb.Dense(4),) if last is None else last
    return lambda: sb.Network([sb.Input(shape), *last], loss=loss, reduction=reduction)


W = (0.5, 2.0, 1.0, 3.0)
CE = losses.softmax_cross_entropy
SIGMOID, SOFTPLUS = (sb.Dense(3, "sigmoid"),), (sb.Dense(3, "softplus"),)
CLASSES: dict[str, Make] = {
    "softmax_cross_entropy": rows(CE()),
    "softmax_cross_entropy sum": rows(CE(), "sum"),
    "softmax_cross_entropy soft": rows(CE()),
    "softmax_cross_entropy smoothed": rows(CE(label_smoothing=0.2)),
    "softmax_cross_entropy weights": rows(CE(W)),
    "softmax_cross_entropy weights sum": rows(CE(W), "sum"),
    "softmax_cross_entropy weights smoothed": rows(CE(W, 0.2)),
    "softmax_cross_entropy ignored": rows(CE(ignore_index=-100)),
    "softmax_cross_entropy ignored sum": rows(CE(ignore_index=-100), "sum"),
    "softmax_cross_entropy all options": rows(CE(W, 0.2, -100)),
    "softmax_cross_entropy places": rows(CE(), shape=(5, 3)),
    "cross_entropy all options": rows(losses.cross_entropy(W, 0.0, -100), last=(sb.Dense(4, "softmax"),)),
    "multi_hinge": rows("multi_hinge"),
    "multi_hinge margin sum": rows(losses.multi_hinge(0.3), "sum"),
    "kl": rows("kl", last=(sb.Dense(4, "log_softmax"),)),
    "kl mean": rows("kl", "mean", last=(sb.Dense(4, "log_softmax"),)),
    "focal": rows("focal"),
    "focal 1.5": rows(losses.focal(1.5)),
}
REAL = (sb.Dense(3),)
ENTRIES: dict[str, Make] = {
    "mse": rows("mse", last=REAL),
    "mse sum": rows("mse", "sum", last=REAL),
    "mse batch_mean": rows("mse", "batch_mean", last=REAL),
    "mse none": rows("mse", "none", last=REAL),
    "mae": rows("mae", last=REAL),
    "huber": rows("huber", last=REAL),
    "huber 0.3": rows(losses.huber(0.3), last=REAL),
    "smooth_l1": rows("smooth_l1", last=REAL),
    "smooth_l1 0.3": rows(losses.smooth_l1(0.3), last=REAL),
    "binary_cross_entropy": rows("binary_cross_entropy", last=SIGMOID),
    "sigmoid_cross_entropy": rows("sigmoid_cross_entropy", last=REAL),
    "sigmoid_cross_entropy pos_weight": rows(losses.sigmoid_cross_entropy(2.5), last=REAL),
    "multilabel": rows("multilabel", last=REAL),
    "hinge": rows("hinge", last=REAL),
    "squared_hinge": rows("squared_hinge", last=REAL),
    "poisson_nll": rows("poisson_nll", last=REAL),
    "poisson_nll rate": rows(losses.poisson_nll(log_input=False), last=SOFTPLUS),
    "cosine": rows("cosine", last=REAL),
    "log_cosh": rows("log_cosh", last=REAL),
}


def several(loss: Any, *layers: Any, reduction: str | None = None) -> Make:
    def make() -> sb.Network:
        x = sb.Input(3)
        outputs = tuple(layer(x) for layer in layers)
        return sb.Network(inputs=x, outputs=outputs, loss=loss, reduction=reduction)

    return make


PAIRS: dict[str, Make] = {
    "gaussian_nll": several("gaussian_nll", sb.Dense(3), sb.Dense(3, "softplus")),
    "cosine_embedding": several("cosine_embedding", sb.Dense(3), sb.Dense(3)),
    "cosine_embedding margin": several(losses.cosine_embedding(0.3), sb.Dense(3), sb.Dense(3)),
    "triplet": several("triplet", sb.Dense(3), sb.Dense(3), sb.Dense(3)),
    "triplet margin": several(losses.triplet(0.2), sb.Dense(3), sb.Dense(3), sb.Dense(3), reduction="sum"),
    "info_nce": several("info_nce", sb.Dense(3), sb.Dense(3)),
}
NETWORKS = LAYERS | ACTIVATED | CLASSES | ENTRIES | PAIRS
RUNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (sb.SGD(0.1), {}),
    "sgd decay": (sb.SGD(0.1), {"regularizers": [sb.L2(0.05, biases=True)]}),
    "momentum": (sb.Momentum(0.1), {}),
    "nesterov": (sb.Nesterov(0.1), {}),
    "adagrad": (sb.Adagrad(), {}),
    "adadelta": (optimizers.Adadelta(), {}),
    "rmsprop": (sb.RMSProp(), {}),
    "rmsprop centered": (sb.RMSProp(form="centered"), {}),
    "adam": (sb.Adam(), {}),
    "adam large eps": (sb.Adam(0.1, 0.8, 0.95, 0.1), {}),
    "amsgrad": (sb.Adam(0.3, 0.5, 0.6, form="amsgrad"), {}),
    "adamw": (optimizers.AdamW(), {}),
    "nadam": (optimizers.NAdam(), {}),
    "rprop": (optimizers.Rprop(), {}),
    "clip norm": (sb.SGD(0.1, clip_norm=0.4), {}),
    "clip value": (sb.SGD(0.1, clip_value=0.1), {}),
    "groups": (sb.Adam(groups={"b*": {"eta": 0.1}}), {}),
    "schedule step": (sb.SGD(schedules.step(0.1, 0.5, 3)), {}),
    "schedule exponential": (sb.SGD(schedules.exponential(0.1, 0.8)), {}),
    "schedule cosine": (sb.SGD(schedules.cosine(0.1, epochs=12, minimum=0.01)), {}),
    "schedule one_cycle": (sb.SGD(schedules.one_cycle(0.5, steps=12)), {}),
    "schedule plateau": (sb.SGD(schedules.reduce_on_plateau(0.9, 0.5, 1)), {}),
    "schedule warm_up": (sb.SGD(schedules.warm_up(0.1, steps=4)), {}),
}


def far(got: Any, wanted: Any) -> float:
    """The largest difference, in parts of the largest number."""
    a, b = np.asarray(got, float), np.asarray(wanted, float)
    assert a.shape == b.shape
    return float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-3))


def test_all_numbers_are_compared() -> None:
    """A case of the file that nothing reads shows nothing."""
    runs = {f"run {name}" for name in RUNS}
    assert set(CASES) == set(NETWORKS) | runs | {"running statistics"}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients(name: str) -> None:
    """Objective and gradients of all parameters."""
    case = CASES[name]
    model = fresh_model(NETWORKS[name]())
    model.parameters = {n: np.array(p) for n, p in case["parameters"].items()}
    X, y = np.array(case["data"]["x"]), (np.array(case["data"]["y"]) if "y" in case["data"] else None)
    got = model.gradients(X, y)
    assert set(got) == set(case["gradients"])
    scale = max(np.abs(g).max() for g in case["gradients"].values())
    errors = {n: np.abs(got[n] - g).max() / scale for n, g in case["gradients"].items()}
    if "BatchNorm" not in name:  # evaluation is in the other mode there
        errors["L"] = far(model.evaluate(X, y)["loss"], case["L"])
    assert max(errors.values()) <= COARSE.get(name, TOLERANCE), errors


@pytest.mark.parametrize("name", RUNS)
def test_optimizers(name: str) -> None:
    """Parameters after each step, and the learning rates of schedules."""
    case, (optimizer, options) = CASES[f"run {name}"], RUNS[name]
    model = fresh_model(sb.Network([sb.Input(3), sb.Dense(2)], loss="mse", **options), optimizer=optimizer)
    model.parameters = {n: np.array(p) for n, p in case["start"].items()}
    X, y = np.array(case["x"]), np.array(case["y"])
    for rate, wanted in zip(case["rates"], case["path"], strict=True):
        model.fit(X, y, epochs=1, batch_size=8, verbose=False)
        if name.startswith("schedule"):
            assert model.hypers["eta"] == pytest.approx(rate, rel=1e-9)
        errors = {n: far(model.parameters[n], p) for n, p in wanted.items()}
        assert max(errors.values()) <= 1e-9, (model.step, errors)


def test_running_statistics() -> None:
    """Two steps that move no parameter, then the prediction."""
    case = CASES["running statistics"]
    model = fresh_model(sb.Network([sb.Input((2, 2, 3)), of.BatchNorm2d()], loss="mse"), optimizer=sb.SGD(0.0))
    X = np.array(case["x"])
    model.fit(X, X, epochs=2, batch_size=3, verbose=False)
    assert far(model.states["running_mean1"], case["mean"]) <= TOLERANCE
    assert far(model.states["running_var1"], case["var"]) <= TOLERANCE
    assert far(model.predict(X), case["predicted"]) <= TOLERANCE


SLOPES = {
    "relu": {0.0: 0.0},
    "relu6": {0.0: 0.0, 6.0: 0.0},
    "leaky_relu": {0.0: 0.01},
    "elu": {0.0: 1.0},
    "selu": {0.0: 1.7580993408473766},
    "softsign": {0.0: 1.0},
    "hard_sigmoid": {-3.0: 0.0, 3.0: 0.0},
    "hard_tanh": {-1.0: 0.0, 1.0: 0.0},
    "hard_swish": {-3.0: 0.0, 3.0: 1.0},
}
"""PyTorch 2.13's derivatives at kinks."""


@pytest.mark.parametrize("name", SLOPES)
def test_kinks(name: str) -> None:
    """The same choice at every kink."""
    net = sb.Network([sb.Input(1), sb.Dense(1, name, bias=False)], loss=product, reduction="sum")
    model, one = fresh_model(net), np.ones((1, 1))
    for place, slope in SLOPES[name].items():
        model.parameters["W1"] = np.array([[place]])
        assert model.gradients(one, one)["W1"].item() == pytest.approx(slope, rel=1e-15)
