"""Wrong arguments that a user is likely to try: each is an error that says what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop import losses
from symbackprop.errors import DeclarationError

of: Any = sb.layers
BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "weights by class": (lambda: losses.softmax_cross_entropy({0: 1.0, 1: 2.0}), "in the order of the classes.*dict"),
    "one weight": (lambda: losses.softmax_cross_entropy(2.0), "in the order of the classes.*float 2.0"),
    "a word for weights": (lambda: losses.focal(class_weights="balanced"), "in the order of the classes.*str"),
    "a weight a label": (lambda: losses.sigmoid_cross_entropy(np.array([1.0, 2.0])), "pos_weight must be a finite"),
    "label in words": (lambda: losses.softmax_cross_entropy(ignore_index="no"), "ignore_index is a whole number"),
    "a negative share": (lambda: of.Dropout(-0.1), "0 <= p < 1; got -0.1"),
    "all dropped": (lambda: of.Dropout(1), "0 <= p < 1; got 1"),
    "softmax twice": (
        lambda: sb.Network([sb.Input(3), sb.Dense(3, "softmax")], loss="focal"),
        "applies log_softmax itself, but the last layer ends in softmax",
    ),
    "too many loss weights": (
        lambda: sb.Network([sb.Input(3), sb.Dense(1)], loss="mse", loss_weights=(1, 2)),
        "loss_weights has 2 numbers; loss= has 1",
    ),
    "too few outputs": (
        lambda: sb.Network([sb.Input(3), sb.Dense(1)], loss="triplet"),
        "takes 3 output.*give the network 3 outputs",
    ),
    "the batch's axis": (
        lambda: sb.Network([sb.Input((3, 8)), of.LayerNorm((0, 1)), sb.Dense(1)], loss="mse").system,
        "an axis is an integer >= 1; got 0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_error(name: str) -> None:
    declare, message = BAD[name]
    with pytest.raises(DeclarationError, match=message):
        declare()


def test_numbers_of_numpy_are_taken() -> None:
    """As they come from the data."""
    loss = losses.softmax_cross_entropy(np.array([0.5, 2.0]), ignore_index=np.int64(-1))
    assert (loss.class_weights, loss.ignore_index) == ((0.5, 2.0), -1)


def test_axes_may_be_a_list() -> None:
    """As they may be a tuple."""
    nets = [
        sb.Network([sb.Input((3, 8)), of.LayerNorm(a), of.Flatten(), sb.Dense(1)], loss="mse") for a in ([1, 2], (1, 2))
    ]
    one, two = (str(net.derive()) for net in nets)
    assert one == two


def test_no_label_counts() -> None:
    """There is no share of right ones then."""
    net = sb.Network([sb.Input(3), sb.Dense(2)], loss=losses.softmax_cross_entropy(ignore_index=-100))
    told = sb.compile(net, target="numpy").evaluate(np.ones((2, 3)), np.full(2, -100))
    assert np.isnan(told["accuracy"]) and np.isnan(told["loss"])


@pytest.mark.parametrize(
    ("shape", "cure"),
    [
        ((4, 8, 9, 3), r"np.moveaxis\(X, -1, 1\)"),
        ((4, 8, 9, 1), "expected .* one row a sample$"),
        ((4, 216), r"X.reshape\(\(-1, 3, 8, 9\)\)"),
        ((4, 3, 72), "one row a sample$"),
        ((4, 1, 3, 8, 9), r"X.reshape\(\(-1, 3, 8, 9\)\)"),
    ],
)
def test_axes_in_another_order(shape: tuple[int, ...], cure: str) -> None:
    """A reshape is proposed only where it keeps every entry at its place."""
    net = sb.Network([sb.Input((3, 8, 9)), of.Flatten(), sb.Dense(2)], loss="mse")
    with pytest.raises(sb.SymbackpropError, match=cure):
        sb.compile(net, target="numpy").predict(np.zeros(shape))
