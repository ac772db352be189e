"""The derived gradients of every layer, evaluated by definition, are JAX's of the hand-written forward formula."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")
import jax

import symbackprop as sb
from symbackprop.declare import layers as of
from symbackprop.declare.equation import equation
from symbackprop.declare.layers.base import Names
from symbackprop.derive.adjoint import differentiate
from symbackprop.language.functions import Sum, indices
from symbackprop.language.tensor import Tensor, parameter
from symbackprop.records import Derivation, System
from symbackprop.simplify import simplify
from symbackprop.simplify.reuse import reuse_outputs
from tests.calculus.compare import assert_equal_gradients
from tests.declare.test_layers import drawn, inputs_of
from tests.interpreter import read_by, run
from tests.table.rows_layers import CASES, Case


def system_of(row: Case) -> tuple[System, tuple[Tensor, ...]]:
    """The layer on x*P for a parameter P of a sample's shape, so that its input has a gradient; L = sum (h - y)^2."""
    inputs, forward, fed = inputs_of(row), [], []
    for x in inputs:
        fed.append(x)
        if x.levels is None:
            i = indices(" ".join("njkmpqrs"[: len(x.dims)]))
            P = parameter(f"P{x.name}", x.dims[1:])
            fed[-1] = Tensor(f"fed{x.name}", x.dims)
            forward.append(equation(fed[-1][i], x[i] * P[i[1:]]))
    block = row.make().build(Names(), *fed)
    forward += block.equations
    h = block.output
    y, i = Tensor("y", h.dims, "target"), indices(" ".join("njkmpqrs"[: len(h.dims)]))
    objective = equation(Tensor("L")[()], Sum((h[i] - y[i]) ** 2, *i))
    read = read_by(forward)
    of_kind = {kind: tuple(t for t in read if t.kind == kind) for kind in ("parameter", "hyper", "state", "random")}
    system = System(
        tuple(forward), objective, inputs, (y,), (h,), of_kind["parameter"], of_kind["hyper"], None,
        states=of_kind["state"], randoms=of_kind["random"],
    )  # fmt: skip
    return system, (*inputs, y, *(t for kind in of_kind.values() for t in kind))


def reference(row: Case, values: dict[Tensor, Any], system: System) -> dict[str, Any]:
    """JAX's gradients by parameter name."""
    known = {t.name: v for t, v in values.items()}

    def objective(parameters: dict[str, Any]) -> Any:
        all_values = {**known, **parameters}
        fed = [all_values[x.name] * (1 if x.levels else all_values[f"P{x.name}"]) for x in system.inputs]
        stems = {name.rstrip("0123456789"): v for name, v in all_values.items()}
        return ((row.forward(stems, *fed, True) - all_values["y"]) ** 2).sum()

    return {
        name: np.asarray(g) for name, g in jax.grad(objective)({t.name: values[t] for t in system.parameters}).items()
    }


def gradients(derivation: Derivation, values: dict[Tensor, Any], row: Case, computed: bool) -> dict[str, Any]:
    """The derived gradients by parameter name."""
    d = derivation
    found = run((*d.forward, d.objective, *d.adjoints, *d.gradients), values, row.rows, computed)
    return {theta.name: found[eq.lhs] for theta, eq in zip(d.system.parameters, d.gradients, strict=True)}


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


def scaled(size: int) -> Any:
    """A function layer h = x*P, that gives its input a gradient."""

    def build(x: Tensor) -> sb.Block:
        n, c, i = sb.indices("n c i")
        P, h = sb.parameter("P", x.dims[1:]), sb.tensor("h", x.dims)
        assert x.sizes[-1] == size
        return sb.layer(h, sb.equation(h[n, c, i], x[n, c, i] * P[c, i]))

    return build


def input_gradient(layers: list[Any], values: list[float], target: str) -> list[float]:
    """The gradient of the sum of the outputs by P, for x = 1 and P = `values`."""
    net = sb.Network(
        [sb.Input((1, len(values))), scaled(len(values)), *layers], loss=lambda h, y: h * y, reduction="sum"
    )
    model = sb.compile(net, target=target, dtype="float64")
    model.parameters["P"] = np.array([values])
    out = model.predict(np.ones((1, 1, len(values))))
    found: list[float] = model.gradients(np.ones((1, 1, len(values))), np.ones_like(out))["P"][0].tolist()
    return found


def test_of_equal_entries_the_first_has_the_gradient(target: str) -> None:
    assert input_gradient([of.MaxPool1d(2)], [3, 3, 1, 4], target) == [1, 0, 0, 1]
    assert input_gradient([of.MaxPool1d(3, 1)], [3, 3, 3, 3], target) == [1, 1, 0, 0]
    assert input_gradient([of.MaxPool1d(3, 2, 1)], [-1, -1, -1, -1], target) == [1, 1, 0, 0]


def test_the_slope_of_prelu_at_0(target: str) -> None:
    assert input_gradient([of.PReLU(init=sb.init.constant(0.5))], [2, 0, -3], target) == [1, 0.5, 0.5]
