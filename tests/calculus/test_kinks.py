"""Derivatives exactly at kinks: the values of the table in derive/rules.py, in every target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

Array = np.ndarray[Any, Any]


def slopes(function: Any, at: list[float], target: str, loss: Any = None) -> Array:
    """The derivative of an elementwise function at each point: that of sum(f(w)) with respect to w."""
    net = sb.Network(
        [sb.Input(1), sb.Dense(len(at), function, bias=False)], loss=loss or (lambda p, t: p), reduction="sum"
    )
    model = sb.compile(net, target=target, dtype="float64")
    model.parameters["W1"] = np.array(at)[:, None]
    return np.asarray(model.gradients(np.ones((1, 1)), np.zeros((1, len(at))))["W1"])[:, 0]


KINKS: dict[str, tuple[Any, list[float], list[float]]] = {
    "relu": ("relu", [-1, 0, 1], [0, 0, 1]),
    "leaky relu": ("leaky_relu", [-1, 0, 1], [0.01, 0.01, 1]),
    "elu": ("elu", [-1, 0, 1], [np.exp(-1), 1, 1]),
    "elu, alpha 2": (lambda z: sb.where(z > 0, z, 2 * (sb.exp(z) - 1)), [0, 1], [2, 1]),
    "absolute": (sb.absolute, [-2, 0, 2], [-1, 0, 1]),
    "square of absolute": (lambda z: sb.absolute(z) ** 2, [-2, 0, 2], [-4, 0, 4]),
    "maximum, number first": (lambda z: sb.maximum(0, z), [-1, 0, 1], [0, 0, 1]),
    "maximum, number last": (lambda z: sb.maximum(z, 0), [-1, 0, 1], [0, 0, 1]),
    "maximum at another place": (lambda z: sb.maximum(z, 2), [1, 2, 3], [0, 0, 1]),
    "minimum, number first": (lambda z: sb.minimum(0, z), [-1, 0, 1], [1, 0, 0]),
    "minimum, number last": (lambda z: sb.minimum(z, 0), [-1, 0, 1], [1, 0, 0]),
    "clip": (lambda z: sb.minimum(1, sb.maximum(-1, z)), [-2, -1, 0, 1, 2], [0, 0, 1, 0, 0]),
    "where, strict": (lambda z: sb.where(z > 0, 3 * z, 5 * z), [-1, 0, 1], [5, 5, 3]),
    "where, not strict": (lambda z: sb.where(z >= 0, 3 * z, 5 * z), [-1, 0, 1], [5, 3, 3]),
    "where, the other way": (lambda z: sb.where(z < 0, 5 * z, 3 * z), [-1, 0, 1], [5, 3, 3]),
    "where over a jump": (lambda z: sb.where(z > 1, z**2, -z), [0, 1, 2], [-1, -1, 4]),
    "product with a kink": (lambda z: z * sb.maximum(0, z), [-1, 0, 2], [0, 0, 4]),
}


@pytest.mark.parametrize("name", KINKS)
def test_the_table_in_numpy(name: str) -> None:
    function, at, expected = KINKS[name]
    np.testing.assert_allclose(slopes(function, at, "numpy"), expected, rtol=1e-15, atol=0)


def test_the_table(target: str) -> None:
    """All kinks in one network, a layer's units each with a function of its own."""
    x = sb.indices("n"), sb.indices("j")

    def layer(t: sb.Tensor) -> sb.Block:
        n, j = x
        total: Any = 0
        for place, (function, at, _) in enumerate(KINKS.values()):
            theta = sb.parameter(f"w{place}", (len(at),))
            formula = NAMED.get(function, function)
            total = total + sb.Sum(formula(theta[j] * t[n, 0]), j)
        out = sb.tensor("out", (t.dim(0),))
        return sb.layer(out, sb.equation(out[n], total))

    net = sb.Network([sb.Input(1), layer], loss=lambda p, t: p, reduction="sum")
    model = sb.compile(net, target=target, dtype="float64")
    for place, (_, at, _) in enumerate(KINKS.values()):
        model.parameters[f"w{place}"] = np.array(at, float)
    got = model.gradients(np.ones((1, 1)), np.zeros(1))
    for place, (name, (_, _, expected)) in enumerate(KINKS.items()):
        np.testing.assert_allclose(got[f"w{place}"], expected, rtol=1e-15, atol=0, err_msg=name)


NAMED = {
    "relu": lambda z: sb.maximum(0, z),
    "leaky_relu": lambda z: sb.where(z > 0, z, z / 100),
    "elu": lambda z: sb.where(z > 0, z, sb.exp(z) - 1),
}
"""The named ones as expressions of one entry."""


def test_mae_where_prediction_and_target_are_equal(target: str) -> None:
    assert slopes(None, [-1.0, 0.0, 1.0], target, "mae").tolist() == [-1, 0, 1]


def test_l1_at_zero(target: str) -> None:
    net = sb.Network([sb.Input(3), sb.Dense(1, bias=False)], loss="mse", regularizers=[sb.L1(0.25)])
    model = sb.compile(net, target=target, dtype="float64")
    model.parameters["W1"] = np.array([[-2.0, 0.0, 3.0]])
    assert model.gradients(np.zeros((1, 3)), np.zeros((1, 1)))["W1"].tolist() == [[-0.25, 0, 0.25]]


def test_sign_is_flat() -> None:
    import sympy

    assert slopes(lambda z: z * sympy.sign(z), [-2.0, 0.0, 3.0], "numpy").tolist() == [-1, 0, 1]
    assert slopes(lambda z: z + sympy.floor(z), [-2.0, 0.5], "numpy").tolist() == [1, 1]


def test_two_equal_arguments_of_maximum() -> None:
    """Between two entries one of them takes the whole slope."""
    n, j = sb.indices("n j")

    def layer(t: sb.Tensor) -> sb.Block:
        A, B = sb.parameter("A", (3,)), sb.parameter("B", (3,))
        out = sb.tensor("out", (t.dim(0), A.dim(0)))
        return sb.layer(out, sb.equation(out[n, j], sb.maximum(A[j], B[j]) * t[n, 0]))

    net = sb.Network([sb.Input(1), layer], loss=lambda p, t: p, reduction="sum")
    model = sb.compile(net, target="numpy", dtype="float64")
    model.parameters.update({"A": np.array([1.0, 2.0, 3.0]), "B": np.array([1.0, 3.0, 2.0])})
    got = model.gradients(np.ones((1, 1)), np.zeros((1, 3)))
    assert (got["A"] + got["B"]).tolist() == [1, 1, 1]
    assert got["A"].tolist() == [1, 0, 1]
