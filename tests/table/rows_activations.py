"""One row an activation; `KINKS` has its slopes exactly at its kinks."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import symbackprop as sb
from tests.table.harness import Array, GradientRow

UNITS = 6
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + jnp.exp(-z))


def _softplus(z: Array) -> Array:
    return jnp.log(1 + jnp.exp(z))


def _hard_sigmoid(z: Array) -> Array:
    return jnp.where(z <= -3, 0.0, jnp.where(z >= 3, 1.0, z / 6 + 0.5))


def _softmax(z: Array) -> Array:
    e = jnp.exp(z)
    return e / e.sum(-1, keepdims=True)


FORMULAS: dict[str, Any] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": jnp.tanh,
    "relu": lambda z: jnp.where(z > 0, z, 0.0),
    "relu6": lambda z: jnp.clip(z, 0, 6),
    "leaky_relu": lambda z: jnp.where(z > 0, z, 0.01 * z),
    "elu": lambda z: jnp.where(z > 0, z, jnp.exp(z) - 1),
    "selu": lambda z: SELU_SCALE * jnp.where(z > 0, z, SELU_ALPHA * (jnp.exp(z) - 1)),
    "gelu": lambda z: z / 2 * (1 + jax.scipy.special.erf(z / np.sqrt(2))),
    "gelu_tanh": lambda z: z / 2 * (1 + jnp.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z * _sigmoid(z),
    "swish": lambda z: z * _sigmoid(z),
    "mish": lambda z: z * jnp.tanh(_softplus(z)),
    "softplus": _softplus,
    "softsign": lambda z: z / (1 + jnp.abs(z)),
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": lambda z: jnp.where(z < -1, -1.0, jnp.where(z > 1, 1.0, z)),
    "hard_swish": lambda z: z * _hard_sigmoid(z),
    "sin": jnp.sin,
    "gaussian": lambda z: jnp.exp(-(z**2)),
    "softmax": _softmax,
    "log_softmax": lambda z: z - jnp.log(jnp.exp(z).sum(-1, keepdims=True)),
}
CHOSEN: dict[str, tuple[str, Any, Any]] = {
    "slope=0.2": ("leaky_relu", sb.activations.leaky_relu(slope=0.2), lambda z: jnp.where(z > 0, z, 0.2 * z)),
    "alpha=1.5": ("elu", sb.activations.elu(alpha=1.5), lambda z: jnp.where(z > 0, z, 1.5 * (jnp.exp(z) - 1))),
}
"""Variants with numbers of their own: block, what is declared, the formula."""
NOTES = {
    "hard_swish": "slope 0 at -3 and 1 at 3",
    "elu": "slope alpha at 0, the left one",
    "selu": "slope scale*alpha at 0, the left one",
}
KINKS: dict[str, dict[float, float]] = {
    "relu": {0: 0},
    "relu6": {0: 0, 6: 0},
    "leaky_relu": {0: 0.01},
    "elu": {0: 1},
    "selu": {0: SELU_SCALE * SELU_ALPHA},
    "softsign": {0: 1},
    "hard_sigmoid": {-3: 0, 3: 0},
    "hard_tanh": {-1: 0, 1: 0},
    "hard_swish": {-3: 0, 3: 1},
}
SMOOTH = {
    *("identity", "sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "swish", "mish", "softplus", "sin", "gaussian"),
    *("softmax", "log_softmax"),
}
"""Activations without a kink: with `KINKS` these are all."""


def _row(block: str, declared: Any, formula: Any, variant: str = "") -> GradientRow:
    def forward(p: Any, d: Any) -> Array:
        first, last = (p[name] for name in sorted(p) if name.startswith("W"))
        return ((formula(d["x"] @ first.T + p["b1"]) @ last.T - d["y"]) ** 2).sum()

    # Dense leaves out the identity, so activations stand by themselves
    layers = [sb.Input(4), sb.Dense(UNITS), sb.Activation(declared), sb.Dense(2, bias=False)]
    return GradientRow(
        "activation",
        block,
        lambda: sb.Network(layers, loss="mse", reduction="sum"),
        forward,
        # wide enough for every branch to be taken by some entry
        lambda draw: {"x": 2 * draw.normal(size=(7, 4)), "y": draw.normal(size=(7, 2))},
        variant,
        NOTES.get(block, ""),
    )


ROWS = [
    *(_row(name, name, formula) for name, formula in FORMULAS.items()),
    *(_row(block, declared, formula, variant) for variant, (block, declared, formula) in CHOSEN.items()),
]
