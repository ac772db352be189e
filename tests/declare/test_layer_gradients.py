"""The derived gradients of every layer, evaluated by definition, are JAX's of the hand-written forward formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")

import symbackprop as sb
from symbackprop.declare import layers as of
from symbackprop.derive.adjoint import differentiate
from symbackprop.language.tensor import Tensor
from symbackprop.simplify import simplify
from symbackprop.simplify.reuse import reuse_outputs
from tests.calculus.compare import assert_equal_gradients
from tests.declare.layer_cases import drawn, gradients, reference, system_of
from tests.table.rows_layers import CASES, Case


@pytest.mark.slow
@pytest.mark.parametrize("row", CASES, ids=lambda row: row.title)
def test_the_derived_gradients_are_those_of_jax(row: Case) -> None:
    system, tensors = system_of(row)
    values = drawn(row, tensors, np.random.default_rng(4))
    expected = reference(row, values, system)
    raw = differentiate(system, reuse_outputs)
    assert_equal_gradients(gradients(raw, values, row, computed=False), expected, "derived")
    simple = simplify(raw, None)
    text = "\n".join(f"{eq.lhs.name}{list(eq.indices)} = {eq.rhs}" for eq in (*simple.adjoints, *simple.gradients))
    assert_equal_gradients(gradients(simple, values, row, computed=False), expected, text)
    assert_equal_gradients(gradients(simple, values, row, computed=True), expected, f"computed\n{text}")


def scaled(x: Tensor) -> sb.Block:
    """A function layer h = x*P, that gives its input a gradient."""
    n, *i = sb.indices(" ".join("njkm"[: len(x.dims)]))
    P, h = sb.parameter("P", x.dims[1:]), sb.tensor("h", x.dims)
    return sb.layer(h, sb.equation(h[(n, *i)], x[(n, *i)] * P[tuple(i)]))


def input_gradient(layer: Any, values: Any, target: str) -> Any:
    """The gradient of the sum of the layer's outputs by its input, which is `values` in one channel."""
    P = np.array([values], float)
    net = sb.Network([sb.Input(P.shape), scaled, layer], loss=lambda h, y: h * y, reduction="sum")
    model = sb.compile(net, target=target, dtype="float64")
    model.parameters["P"] = P
    x = np.ones((1, *P.shape))
    return model.gradients(x, np.ones_like(model.predict(x)))["P"][0].tolist()


def test_of_equal_entries_the_first_has_the_gradient(target: str) -> None:
    assert input_gradient(of.MaxPool1d(2), [3, 3, 1, 4], target) == [1, 0, 0, 1]
    assert input_gradient(of.MaxPool1d(3, 1), [3, 3, 3, 3], target) == [1, 1, 0, 0]
    assert input_gradient(of.MaxPool1d(3, 2, 1), [-1, -1, -1, -1], target) == [1, 1, 0, 0]


def test_the_first_entry_is_that_of_the_first_row(target: str) -> None:
    assert input_gradient(of.MaxPool2d(2), [[0, 5], [5, 0]], target) == [[0, 1], [0, 0]]
    assert input_gradient(of.MaxPool2d(2), [[0, 1], [5, 5]], target) == [[0, 0], [1, 0]]
    assert input_gradient(of.MaxPool2d((2, 3), 1), [[0, 0, 5], [5, 0, 5]], target) == [[0, 0, 1], [0, 0, 0]]


def test_the_slope_of_prelu_at_0(target: str) -> None:
    assert input_gradient(of.PReLU(init=sb.init.constant(0.5)), [2, 0, -3], target) == [1, 0.5, 0.5]


def test_equal_pieces_of_maxout(target: str) -> None:
    """Both pieces of one unit are 1*P: the first one's weight and the input's gradient through it."""
    net = sb.Network([sb.Input(1), of.Maxout(1, 2, bias=False)], loss=lambda h, y: h * y, reduction="sum")
    model = sb.compile(net, target=target, dtype="float64")
    model.parameters["W1"] = np.array([[2.0], [2.0]])
    assert model.gradients(np.array([[3.0]]), np.array([[1.0]]))["W1"].tolist() == [[3], [0]]
