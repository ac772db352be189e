"""One row a regularizer on a layer's weights, biases and output, with every form that changes its formula."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

import symbackprop as sb
from symbackprop.declare.regularizers import L1, L2, ElasticNet, Orthogonal, Penalty
from tests.table.harness import Array, GradientRow

INPUTS, WIDTH, SAMPLES = 3, 4, 5


def _square(w: Array) -> Array:
    return (w**2).sum()


def _absolute(w: Array) -> Array:
    return jnp.abs(w).sum()


def _gram(w: Array) -> Array:
    return ((w @ w.T - jnp.eye(len(w))) ** 2).sum()


def _sum_of_fourths(theta: Any) -> Any:
    j, k = sb.indices("j k")
    return sb.Sum(theta[j, k] ** 4, j, k)


def _row(
    block: str,
    regularizer: Any,
    formula: Any,
    variant: str = "",
    on: tuple[str, ...] = ("W1", "b1", "output"),
    note: str = "",
) -> GradientRow:
    """`formula` is the penalty of one tensor, its strength included; on the output it is divided by the samples."""

    def forward(p: Any, d: Any) -> Array:
        output = jnp.tanh(d["x"] @ p["W1"].T + p["b1"])
        total = ((output - d["y"]) ** 2).mean()
        for name in on:
            share = formula(output if name == "output" else p[name])
            total = total + (share / SAMPLES if name == "output" or regularizer.over_n else share)
        return total

    fields = {"W1": "weight_regularizer", "b1": "bias_regularizer", "output": "activity_regularizer"}
    layer = sb.Dense(WIDTH, "tanh", **{fields[name]: regularizer for name in on})
    return GradientRow(
        "regularizer",
        block,
        lambda: sb.Network([sb.Input(INPUTS), layer], loss="mse"),
        forward,
        lambda draw: {"x": draw.normal(size=(SAMPLES, INPUTS)), "y": draw.normal(size=(SAMPLES, WIDTH))},
        variant,
        note,
    )


MATRIX = ("W1",)
ROWS = [
    _row("l2", L2(0.3), lambda w: 0.3 * _square(w) / 2, note="PyTorch's weight_decay"),
    _row("l2", L2(0.3, half=False), lambda w: 0.3 * _square(w), "half=False", note="Keras's"),
    _row("l2", L2(0.3, over_n=True), lambda w: 0.3 * _square(w) / 2, "over_n=True", ("W1", "b1")),
    _row("l1", L1(0.3), lambda w: 0.3 * _absolute(w), note="slope 0 at 0"),
    _row("l1", L1(0.3, over_n=True), lambda w: 0.3 * _absolute(w), "over_n=True", ("W1", "b1")),
    _row("elastic_net", ElasticNet(0.3, 0.2), lambda w: 0.3 * _absolute(w) + 0.1 * _square(w)),
    _row(
        "elastic_net",
        ElasticNet(0.3, 0.2, half=False, over_n=True),
        lambda w: 0.3 * _absolute(w) + 0.2 * _square(w),
        "half=False, over_n=True",
        ("W1", "b1"),
    ),
    _row("orthogonal", Orthogonal(0.3), lambda w: 0.3 * _gram(w), "", MATRIX),
    _row("orthogonal", Orthogonal(0.3, rows=False), lambda w: 0.3 * _gram(w.T), "rows=False", MATRIX),
    _row(
        "penalty",
        Penalty(lambda w: sb.log(1 + w**2), lam=0.3),
        lambda w: 0.3 * jnp.log(1 + w**2).sum(),
        "of an entry",
    ),
    _row("penalty", Penalty(tensor=_sum_of_fourths, lam=0.3), lambda w: 0.3 * (w**4).sum(), "of a tensor", MATRIX),
]
