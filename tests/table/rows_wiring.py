"""One row a way of joining, sharing or cutting: two branches of one input, and the block where they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import symbackprop as sb
from symbackprop.declare import layers as of
from tests.table.harness import Array, GradientRow

INPUTS, WIDTH, SAMPLES = 3, 4, 5


def _row(
    block: str, join: Callable[..., Any], formula: Callable[..., Array], variant: str = "", lead: tuple[int, ...] = ()
) -> GradientRow:
    """`formula(a, b)` of the branches a = tanh(dense 1) and b = sin(dense 2); `lead` are axes before the last one."""

    def declare() -> sb.Network:
        x = sb.Input((*lead, INPUTS))
        a, b = sb.Dense(WIDTH, "tanh")(x), sb.Dense(WIDTH, "sin")(x)
        return sb.Network(inputs=x, outputs=sb.Dense(2, bias=False)(join(a, b)), loss="mse", reduction="sum")

    def forward(p: Any, d: Any) -> Array:
        w1, w2, last = (p[name] for name in sorted(p) if name.startswith("W"))
        b1, b2 = (p[name] for name in sorted(p) if name.startswith("b"))
        joined = formula(jnp.tanh(d["x"] @ w1.T + b1), jnp.sin(d["x"] @ w2.T + b2))
        return ((joined @ last.T - d["y"]) ** 2).sum()

    return GradientRow(
        "wiring",
        block,
        declare,
        forward,
        lambda draw: {
            "x": draw.normal(size=(SAMPLES, *lead, INPUTS)),
            "y": draw.normal(size=(SAMPLES, *(2 * size for size in lead), 2)),
        },
        variant,
    )


def _tied() -> GradientRow:
    """An autoencoder whose decoder has the encoder's weights."""

    def declare() -> sb.Network:
        x = sb.Input(INPUTS)
        encoder = sb.Dense(WIDTH, "tanh")
        h = encoder(x)
        return sb.Network(inputs=x, outputs=of.Tied(encoder, "sigmoid")(h), loss="mse", reduction="sum")

    def forward(p: Any, d: Any) -> Array:
        (w,) = (p[name] for name in p if name.startswith("W"))
        b1, b2 = (p[name] for name in sorted(p) if name.startswith("b"))
        z = jnp.tanh(d["x"] @ w.T + b1) @ w + b2
        return ((1 / (1 + jnp.exp(-z)) - d["y"]) ** 2).sum()

    return GradientRow(
        "wiring",
        "Tied",
        declare,
        forward,
        lambda draw: {"x": draw.normal(size=(SAMPLES, INPUTS)), "y": draw.uniform(size=(SAMPLES, INPUTS))},
    )


ROWS = [
    _row("Add", of.Add(), lambda a, b: a + b),
    _row("Add", lambda a, b: of.Add()(a, b, a), lambda a, b: 2 * a + b, "one tensor twice"),
    _row("Subtract", of.Subtract(), lambda a, b: a - b),
    _row("Multiply", of.Multiply(), lambda a, b: a * b),
    _row("Concatenate", of.Concatenate(), lambda a, b: jnp.concatenate([a, b], -1)),
    _row("Concatenate", of.Concatenate(1), lambda a, b: jnp.concatenate([a, b], 1), "axis=1", (2,)),
    _row(
        "StopGradient",
        lambda a, b: of.Add()(of.Multiply()(a, of.StopGradient()(b)), b),
        lambda a, b: a * jax.lax.stop_gradient(b) + b,
    ),
    _row(
        "StopGradient",
        lambda a, b: of.Multiply()(of.StopGradient()(a), of.Add()(a, b)),
        lambda a, b: jax.lax.stop_gradient(a) * (a + b),
        "beside a live path",
    ),
    _tied(),
]
