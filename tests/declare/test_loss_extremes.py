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
