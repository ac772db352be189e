"""Wrong arguments that a user is likely to try: each is an error that says what was wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop import losses
from symbackprop.errors import DeclarationError

of: Any = sb.layers
BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "sizes in a row": (lambda: sb.Input(1, 8, 8), r"stand in one tuple: sb.Input\(\(1, 8, 8\)\)"),
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
    "eta below 0": (lambda: sb.SGD(-0.1), r"SGD: eta must be a finite number >= 0; got -0\.1"),
    "eta from below 0": (lambda: sb.SGD(lambda t: t - 2), "the schedule <lambda> is -1 at the first step.*number >= 0"),
    "mu": (lambda: sb.optimizers.Momentum(mu=-1), "mu must be a finite number >= 0; got -1"),
    "beta1 of 1": (lambda: sb.Adam(beta1=1.0), r"Adam: beta1 must be a finite number in \[0, 1\); got 1"),
    "beta2 of 2": (lambda: sb.Adam(beta2=2.0), r"beta2 must be a finite number in \[0, 1\); got 2"),
    "eps": (lambda: sb.Adam(eps=-1e-8), "eps must be a finite number >= 0"),
    "decay": (lambda: sb.optimizers.AdamW(decay=-0.1), "decay must be a finite number >= 0"),
    "rho": (lambda: sb.optimizers.RMSProp(rho=-1), r"rho must be a finite number in \[0, 1\]; got -1"),
    "rho above 1": (lambda: sb.optimizers.Adadelta(rho=1.01), r"rho must be a finite number in \[0, 1\]; got 1.01"),
    "down": (lambda: sb.optimizers.Rprop(down=1), r"down must be a finite number in \(0, 1\); got 1"),
    "up": (lambda: sb.optimizers.Rprop(up=1), "up must be a finite number > 1; got 1"),
    "least above most": (lambda: sb.optimizers.Rprop(least=1, most=0.1), "least must not exceed most; got 1 and 0.1"),
    "in a group": (lambda: sb.SGD(groups={"b*": {"eta": -1}}), r"eta of group 'b\*' must be a finite number >= 0"),
    "clip_value from 0": (lambda: sb.SGD(clip_value=lambda t: t - 1), "clip_value must be > 0"),
    "a default": (lambda: sb.hyper("k", 2.0, most=1), "the default of k must be a finite number <= 1; got 2"),
    "a default below": (lambda: sb.hyper("k", 2.0, below=1), "the default of k must be a finite number < 1; got 2"),
    "a bound": (lambda: sb.hyper("k", 2.0, least=np.nan), "k: least must be a finite number; got nan"),
    "loss weight": (
        lambda: sb.Network([sb.Input(3), sb.Dense(1)], loss="mse", loss_weights=np.inf),
        "a loss weight must be a finite number; got inf",
    ),
    "a branch": (
        lambda: sb.SGD(lambda t: 0.1 if t < 3 else 0.01),
        r"schedule <lambda> takes arrays: np.where\(t < 3, 0.1, 0.01\).*truth value",
    ),
    "a named branch": (lambda: sb.SGD(falling), "the schedule falling takes arrays"),
    "one number's function": (lambda: sb.SGD(lambda t: math.exp(-t)), "takes arrays.*np.exp"),
}


def falling(t: Any, e: Any) -> Any:
    return 0.1 if e < 3 else 0.01


def test_numbers_at_their_bounds_are_taken() -> None:
    """Those that PyTorch takes."""
    assert sb.Adam(0, 0, 0, 0).hypers == {"eta": 0, "beta1": 0, "beta2": 0, "eps": 0}
    assert sb.optimizers.Adadelta(rho=1).hypers["rho"] == 1
    assert sb.hyper("k", 0.0, above=-1, below=1).bounds == (None, 1, -1, None)


def test_own_hyper_parameters_have_no_bounds() -> None:
    """Unless they are given."""

    class Mine(sb.Optimizer):
        eta, k = sb.hyper("eta", -1.0), sb.hyper("k", 0.5, least=0.5)

        def update(self, theta: Any, g: Any) -> dict[Any, Any]:
            return {theta: theta - self.k * self.eta * g}

    assert Mine(-1e9).hypers == {"eta": -1e9, "k": 0.5}
    with pytest.raises(DeclarationError, match=r"Mine: k must be a finite number >= 0.5; got 0.4"):
        Mine(1, 0.4)
    other: type[sb.Optimizer] = type("Mine", (sb.Optimizer,), {**vars(Mine), "k": sb.hyper("k", 0.5)})
    assert other().key != Mine().key, "the manifest that is cached holds the bounds"


def test_a_schedule_is_named_after_its_function() -> None:
    assert repr(sb.SGD(rate)) == "SGD(eta=rate)"


def rate(t: Any) -> Any:
    return 0.1 / t


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
