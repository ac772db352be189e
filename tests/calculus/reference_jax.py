"""The forward formulas once more, transcribed by hand into jax.numpy, and JAX's gradients of them.

Nothing here comes from symbackprop: a network is plain data, and the formulas are written from their definitions.
All arithmetic is float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402  (after the switch to float64)

Array = Any
Arrays = dict[str, Array]
FAST_COMPILE = {"xla_backend_optimization_level": 1}
"""Each network is compiled once and run once, so its compile time is all that counts. Level 0 gives wrong NaNs."""


@dataclass(frozen=True)
class Layer:
    """A dense layer, or an activation alone where `width` is None. `form` is how it is declared, see networks.py."""

    width: int | None
    activation: str
    bias: bool = True
    form: str = "name"


@dataclass(frozen=True)
class Penalty:
    """lam times the sum of |w| ("l1") or w^2 ("l2"), halved, divided by the samples, with biases or without."""

    kind: str
    lam: float
    half: bool = False
    over_n: bool = False
    biases: bool = False


@dataclass(frozen=True)
class Network:
    """An input of shape (N, *inputs), layers, a loss with its reduction, and penalties."""

    inputs: tuple[int, ...]
    layers: tuple[Layer, ...]
    loss: str
    reduction: str
    penalties: tuple[Penalty, ...] = ()


def _softmax(z: Array) -> Array:
    e = jnp.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + jnp.exp(-z))


def _softplus(z: Array) -> Array:
    return jnp.log(1 + jnp.exp(z))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": jnp.tanh,
    "relu": lambda z: jnp.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: jnp.where(z > 0, z, 0.01 * z),
    "elu": lambda z: jnp.where(z > 0, z, jnp.exp(jnp.where(z > 0, 0.0, z)) - 1),
    "softplus": _softplus,
    "softmax": _softmax,
    # no names of the library, but formulas that a user might write
    "steep_leaky_relu": lambda z: jnp.where(z > 0, z, 0.2 * z),
    "mish": lambda z: z * jnp.tanh(_softplus(z)),
    "swish": lambda z: z * _sigmoid(z),
    "gelu": lambda z: z * (1 + jax.scipy.special.erf(z / np.sqrt(2))) / 2,
    "gauss": lambda z: jnp.exp(-(z**2)),
    "snake": lambda z: z + jnp.sin(z) ** 2,
    "hard_tanh": lambda z: jnp.clip(z, -1, 1),
    "root": lambda z: z / jnp.sqrt(1 + z**2),
}
KINKS: dict[str, tuple[float, ...]] = {
    "relu": (0.0,),
    "leaky_relu": (0.0,),
    "elu": (0.0,),
    "steep_leaky_relu": (0.0,),
    "hard_tanh": (-1.0, 1.0),
}


def _cross_entropy(p: Array, y: Array) -> Array:
    return -y * jnp.log(p)


def _binary_cross_entropy(p: Array, y: Array) -> Array:
    return -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "mse": lambda p, y: (p - y) ** 2,
    "half_mse": lambda p, y: (p - y) ** 2 / 2,
    "mae": lambda p, y: jnp.abs(p - y),
    "cross_entropy": _cross_entropy,
    "softmax_cross_entropy": lambda z, y: _cross_entropy(_softmax(z), y),
    "binary_cross_entropy": _binary_cross_entropy,
    "sigmoid_cross_entropy": lambda z, y: _binary_cross_entropy(_sigmoid(z), y),
    "log_cosh": lambda p, y: jnp.log(jnp.cosh(y - p)),
    "cauchy": lambda p, y: jnp.log(1 + (p - y) ** 2),
    "quartic": lambda p, y: (p - y) ** 4 + p * y,
}
"""Of one entry, before the reduction."""


def layers_forward(layers: tuple[Layer, ...], parameters: Arrays, x: Array) -> tuple[Array, Array]:
    """The output, and how near an activation's argument came to one of its kinks (inf: it has none)."""
    a, margin = x, jnp.inf
    for number, layer in enumerate(layers, 1):
        z = a
        if layer.width is not None:
            z = jnp.einsum("...k,jk->...j", a, parameters[f"W{number}"])
            z = z + parameters[f"b{number}"] if layer.bias else z
        for kink in KINKS.get(layer.activation, ()):
            margin = jnp.minimum(margin, jnp.abs(z - kink).min())
        a = ACTIVATIONS[layer.activation](z)
    return a, margin


def reduce(entries: Array, reduction: str) -> Array:
    """Over all entries, over samples, or not at all divided."""
    divisor = {"mean": entries.size, "batch_mean": entries.shape[0], "sum": 1}[reduction]
    return entries.sum() / divisor


def penalize(penalty: Penalty, parameters: Arrays, samples: int) -> Array:
    """One penalty over all parameters it applies to."""
    chosen = [w for name, w in parameters.items() if penalty.biases or not name.startswith("b")]
    total = sum(jnp.abs(w).sum() if penalty.kind == "l1" else (w**2).sum() for w in chosen)
    return penalty.lam * total / (2 if penalty.half else 1) / (samples if penalty.over_n else 1)


def objective(net: Network, parameters: Arrays, x: Array, y: Array) -> tuple[Array, Array]:
    """The whole objective, and the distance to the nearest kink."""
    output, margin = layers_forward(net.layers, parameters, x)
    if net.loss == "mae":
        margin = jnp.minimum(margin, jnp.abs(output - y).min())
    total = reduce(LOSSES[net.loss](output, y), net.reduction)
    for penalty in net.penalties:
        total = total + penalize(penalty, parameters, x.shape[0])
    return total, margin


def value_and_gradients(
    function: Callable[[Arrays], tuple[Array, Array]], parameters: Arrays
) -> tuple[float, Arrays, float]:
    """Value, gradients by name and kink margin of `function(parameters) -> (value, margin)`, compiled once."""
    compiled = jax.jit(jax.value_and_grad(function, has_aux=True), compiler_options=FAST_COMPILE)
    (value, margin), gradients = compiled(parameters)
    assert all(np.isfinite(g).all() for g in (value, *gradients.values())), "the reference itself is not finite"
    return float(value), {name: np.asarray(g) for name, g in gradients.items()}, float(margin)


def network_gradients(net: Network, parameters: Arrays, x: Array, y: Array) -> tuple[float, Arrays, float]:
    """Objective, its gradient by parameter name, and the distance to the nearest kink."""
    return value_and_gradients(lambda p: objective(net, p, x, y), parameters)
