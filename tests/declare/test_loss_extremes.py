"""Losses whose labels are weighted or ignored, far from where the softmax is moderate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop import losses

SCORES = np.array([0.0, 20.0, 90.0, 120.0, 1e4, -20.0, -90.0, -120.0, -1e4])
CE = losses.softmax_cross_entropy


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "loss", [CE((1, 2, 3)), CE(ignore_index=-1), CE((1, 2, 3), 0.1, -1), losses.focal(2.0, (1, 2, 3))]
)
def test_gradients_are_finite_and_right(loss: Any, dtype: str) -> None:
    """Of single rows, where y/p alone would be infinite; against sums of exponentials in extended precision."""
    draw = np.random.default_rng(0)
    X, y = draw.choice(SCORES, size=(30, 3)), draw.integers(0, 3, 30)
    net = sb.Network([sb.Input(3), sb.Dense(3, bias=False)], loss=loss)
    model = sb.compile(net, target="numpy", dtype=dtype)
    model.parameters["W1"] = np.eye(3)
    for row, label in zip(X, y, strict=True):
        got = model.gradients(row[None], np.array([label]))["W1"]
        wanted = np.outer(slope(loss, row, label), row)
        assert np.allclose(got, wanted, rtol=1e-5, atol=1e-6 * np.abs(row).max()), (row, label)


def slope(loss: Any, z: np.ndarray, label: int) -> np.ndarray:
    """The loss's derivative in the scores of one sample, whose weight cancels."""
    e = np.exp((z - z.max()).astype(np.longdouble))
    p, hot = e / e.sum(), np.eye(3)[label]
    s = loss.label_smoothing
    if loss.squash == "log_softmax":
        rest, own = 1 - p[label], z[label] - z.max() - np.log(e.sum())
        factor = rest**2 - 2 * rest * p[label] * own
        return np.asarray(factor * (p - hot), float)
    w = np.array(loss.class_weights or (1, 1, 1))
    q = w * ((1 - s) * hot + s / 3)
    return np.asarray((p * q.sum() - q) / w[label], float)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["softplus", "relu", "elu"])
def test_log_cosh_is_finite_behind_an_activation(activation: str, dtype: str) -> None:
    """log cosh of an activation that grows without bound is |a - y| - log 2 far out."""
    net = sb.Network([sb.Input(1), sb.Dense(1, activation, bias=False)], loss="log_cosh")
    model = sb.compile(net, target="numpy", dtype=dtype)
    model.parameters["W1"] = np.ones((1, 1))
    meaning = {
        "softplus": lambda z: np.logaddexp(0, z),
        "relu": lambda z: max(z, 0.0),
        "elu": lambda z: z if z > 0 else np.expm1(z),
    }
    for z in SCORES:
        a = meaning[activation](z)
        for y in (0.0, -90.0, 1e4):
            got = model.evaluate(np.array([[z]]), np.array([[y]]))["loss"]
            assert got == pytest.approx(np.logaddexp(a - y, y - a) - np.log(2), rel=1e-5, abs=1e-6), (z, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "loss",
    [
        CE(),
        CE(ignore_index=-1),
        CE((1, 2, 3)),
        CE((1, 2, 3), ignore_index=-1),
        CE((1, 2, 3), reduction="sum"),
        losses.focal(1.0),
    ],
)
def test_tiny_gradients_keep_their_digits(loss: Any, dtype: str) -> None:
    """A label's own p - 1 is right relatively, whatever it is weighted with or divided by."""
    net = sb.Network([sb.Input(3), sb.Dense(3)], loss=loss)
    model = sb.compile(net, target="numpy", dtype=dtype)
    model.parameters["W1"], model.parameters["b1"] = np.eye(3), np.zeros(3)
    for top in (5.0, 12.0, 20.0, 30.0):
        got = model.gradients(np.array([[0.0, 0.0, top]]), np.array([2]))["b1"]
        others = 2 * np.exp(-top)
        rest = others / (1 + others)
        share = rest + np.log1p(others) / (1 + others) if loss == losses.focal(1.0) else 1.0
        weight = 3.0 if loss.reduction == "sum" else 1.0
        wanted = weight * share * rest * np.array([0.5, 0.5, -1.0])
        assert np.allclose(got, wanted, rtol=1e-5, atol=0), top
