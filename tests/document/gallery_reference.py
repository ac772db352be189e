"""The gallery's networks once more: forward formulas by hand in jax.numpy, data, and JAX's derivatives of them.

Nothing here comes from symbackprop. A parameter's or pre-activation's name is that of the list below; `shifts` are
added to what carries a delta, so that JAX gives dL/dz, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402  (after the switch to float64)

Array = Any
Forward = Callable[[Mapping[str, Array], Mapping[str, Array], Mapping[str, Array]], Array]
"""(parameters, data, shifts) -> the loss."""
LAM = 0.1


@dataclass(frozen=True)
class Entry:
    """Shapes by name; `targets` says what y is drawn from; `mean`: whether the loss is divided by the samples."""

    data: dict[str, tuple[int, ...]]
    parameters: dict[str, tuple[int, ...]]
    shifted: dict[str, tuple[int, ...]]
    forward: Forward
    targets: str = "normal"
    mean: bool = True


def sigmoid(z: Array) -> Array:
    return 1 / (1 + jnp.exp(-z))


def softmax(z: Array) -> Array:
    powers = jnp.exp(z)
    return powers / powers.sum(1, keepdims=True)


def dense(x: Array, P: Mapping[str, Array], number: int, shifts: Mapping[str, Array]) -> Array:
    return x @ P[f"W{number}"].T + P[f"b{number}"] + shifts[f"z{number}"]


def two_class(p: Array, y: Array) -> Array:
    return -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


def linear(P: Any, D: Any, S: Any) -> Array:
    return jnp.mean((dense(D["x"], P, 1, S) - D["y"]) ** 2)


def logistic(P: Any, D: Any, S: Any) -> Array:
    return jnp.mean(two_class(sigmoid(dense(D["x"], P, 1, S)), D["y"]))


def xor(P: Any, D: Any, S: Any) -> Array:
    a = sigmoid(dense(D["x"], P, 1, S))
    return jnp.sum(two_class(sigmoid(dense(a, P, 2, S)), D["y"]))


def deep_mlp(P: Any, D: Any, S: Any) -> Array:
    a = D["x"]
    for number in (1, 2, 3):
        a = sigmoid(dense(a, P, number, S))
    rows = len(D["x"])
    penalty = sum(jnp.sum(P[f"W{number}"] ** 2) for number in (1, 2, 3))
    return jnp.sum((a - D["y"]) ** 2) / rows + LAM / (2 * rows) * penalty


def half_square_norm(P: Any, D: Any, S: Any) -> Array:
    return 0.5 * jnp.sum(((D["U"] @ P["V"] + S["X"]) @ P["W"]) ** 2)


def batch_norm(P: Any, D: Any, S: Any) -> Array:
    z = D["x"] @ P["W1"].T + S["z1"]
    mu = z.mean(0)
    var = ((z - mu) ** 2).mean(0)
    h = P["gamma2"] * (z - mu) / jnp.sqrt(var + 1e-5) + P["beta2"] + S["h2"]
    return jnp.mean((dense(jnp.maximum(h, 0), P, 4, S) - D["y"]) ** 2)


def softmax_regression(P: Any, D: Any, S: Any) -> Array:
    return -jnp.sum(D["y"] * jnp.log(softmax(dense(D["x"], P, 1, S)))) / len(D["x"])


def convolution(P: Any, D: Any, S: Any) -> Array:
    x, W = D["x"], P["W1"]
    windows = [[jnp.einsum("ncuv,ocuv->no", x[:, :, i : i + 3, j : j + 3], W) for j in range(4)] for i in range(4)]
    z = jnp.stack([jnp.stack(row, -1) for row in windows], -2) + P["b1"][:, None, None] + S["z1"]
    a = jnp.maximum(z, 0)
    h = jnp.maximum(
        jnp.maximum(a[..., ::2, ::2], a[..., ::2, 1::2]), jnp.maximum(a[..., 1::2, ::2], a[..., 1::2, 1::2])
    )
    flat = (h + S["h2"]).reshape(len(x), -1) + S["h3"]
    return -jnp.sum(D["y"] * jnp.log(softmax(dense(flat, P, 4, S)))) / len(x)


def small(P: Any, D: Any, S: Any) -> Array:
    return jnp.mean((dense(jnp.tanh(dense(D["x"], P, 1, S)), P, 2, S) - D["y"]) ** 2)


def layers(*widths: int) -> dict[str, tuple[int, ...]]:
    """Parameters of dense layers from 1 on."""
    made: dict[str, tuple[int, ...]] = {}
    for number, (inputs, outputs) in enumerate(pairwise(widths), 1):
        made |= {f"W{number}": (outputs, inputs), f"b{number}": (outputs,)}
    return made


ENTRIES = {
    "linear": Entry({"x": (6, 3), "y": (6, 1)}, layers(3, 1), {"z1": (6, 1)}, linear),
    "logistic": Entry({"x": (6, 2), "y": (6, 1)}, layers(2, 1), {"z1": (6, 1)}, logistic, "unit"),
    "xor": Entry({"x": (4, 2), "y": (4, 1)}, layers(2, 2, 1), {"z1": (4, 2), "z2": (4, 1)}, xor, "unit", mean=False),
    "deep_mlp": Entry(
        {"x": (6, 4), "y": (6, 3)},
        layers(4, 5, 4, 3),
        {"z1": (6, 5), "z2": (6, 4), "z3": (6, 3)},
        deep_mlp,
    ),
    "half_square_norm": Entry({"U": (5, 3)}, {"V": (3, 4), "W": (4, 2)}, {"X": (5, 4)}, half_square_norm, mean=False),
    "batch_norm": Entry(
        {"x": (6, 4), "y": (6, 2)},
        {"W1": (3, 4), "gamma2": (3,), "beta2": (3,), "W4": (2, 3), "b4": (2,)},
        {"z1": (6, 3), "h2": (6, 3), "z4": (6, 2)},
        batch_norm,
    ),
    "softmax_regression": Entry({"x": (6, 4), "y": (6, 3)}, layers(4, 3), {"z1": (6, 3)}, softmax_regression, "sum 1"),
    "convolution": Entry(
        {"x": (5, 1, 6, 6), "y": (5, 3)},
        {"W1": (2, 1, 3, 3), "b1": (2,), "W4": (3, 8), "b4": (3,)},
        {"z1": (5, 2, 4, 4), "h2": (5, 2, 2, 2), "h3": (5, 8), "z4": (5, 3)},
        convolution,
        "sum 1",
    ),
    "adam": Entry({"x": (6, 3), "y": (6, 1)}, layers(3, 2, 1), {"z1": (6, 2), "z2": (6, 1)}, small),
    "nesterov": Entry({"x": (6, 3), "y": (6, 1)}, layers(3, 2, 1), {"z1": (6, 2), "z2": (6, 1)}, small),
}


@dataclass(frozen=True)
class Reference:
    """Data, parameters, the loss, dL/d parameter and dL/d pre-activation, all with samples as rows."""

    data: dict[str, Array]
    parameters: dict[str, Array]
    loss: float
    gradients: dict[str, Array]
    deltas: dict[str, Array]


@cache
def reference(name: str) -> Reference:
    entry = ENTRIES[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    data = {key: rng.normal(size=shape) for key, shape in entry.data.items()}
    if entry.targets != "normal":
        y = rng.uniform(0.05, 0.95, entry.data["y"])
        data["y"] = y / y.sum(1, keepdims=True) if entry.targets == "sum 1" else y
    parameters = {key: rng.normal(size=shape) for key, shape in entry.parameters.items()}
    shifts = {key: np.zeros(shape) for key, shape in entry.shifted.items()}
    loss, (gradients, deltas) = jax.value_and_grad(lambda both: entry.forward(both[0], data, both[1]))(
        (parameters, shifts)
    )
    gradients, deltas = jax.tree_util.tree_map(np.asarray, (gradients, deltas))
    return Reference(data, parameters, float(loss), gradients, deltas)
