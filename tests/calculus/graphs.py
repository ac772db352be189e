"""Random networks of any wiring, mixing all kinds of layers, and JAX's gradients of what they declare.

A graph grows head by head: a random layer that fits is put on a random head, and heads are joined at the end. JAX
differentiates the declared forward equations themselves (`tests.interpreter`), so nothing of derive/, simplify/,
lower/ or emit/ is used for the reference.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

import symbackprop as sb
from symbackprop import streams
from symbackprop.records import System
from tests.interpreter import run

jax.config.update("jax_enable_x64", True)

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]
SMOOTH = ("tanh", "sigmoid", "softplus", "elu", "gelu", "silu", "softsign")
KINKED = ("relu", "leaky_relu", "hard_tanh")


@dataclass
class Graph:
    """A graph that grows; `heads` are the open ends with the shape of a sample, `kinds` the layers used."""

    rng: np.random.Generator
    heads: list[tuple[Any, Shape]] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    shared: dict[Shape, Any] = field(default_factory=dict)

    def int(self, low: int, high: int) -> int:
        """A whole number from low to high."""
        return int(self.rng.integers(low, high + 1))

    def choice(self, items: Any) -> Any:
        """One of several things."""
        items = list(items)
        return items[self.int(0, len(items) - 1)]

    def activation(self) -> Any:
        """The name of an activation, or none."""
        return self.choice((*SMOOTH, *KINKED, None))


Result = tuple[Any, Shape]
Grow = Callable[[Graph, Any, Shape], Result]
FAMILIES: dict[str, tuple[Callable[[Shape], bool], Grow]] = {}


def family(fits: Callable[[Shape], bool]) -> Callable[[Grow], Grow]:
    """List a way to grow, for shapes that it fits."""

    def add(grow: Grow) -> Grow:
        FAMILIES[grow.__name__] = (fits, grow)
        return grow

    return add


@family(lambda s: True)
def dense(g: Graph, h: Any, s: Shape) -> Result:
    width = g.int(2, 5)
    return sb.Dense(width, g.activation(), bias=bool(g.int(0, 1)))(h), (*s[:-1], width)


@family(lambda s: True)
def activation(g: Graph, h: Any, s: Shape) -> Result:
    return sb.Activation(g.choice((*SMOOTH, "softmax", "log_softmax", "sin", "gaussian")))(h), s


@family(lambda s: len(s) == 1)
def shared_dense(g: Graph, h: Any, s: Shape) -> Result:
    """The same layer wherever a head has this shape."""
    layer = g.shared.setdefault(s, sb.Dense(3, "tanh"))
    return layer(h), (3,)


@family(lambda s: len(s) == 1)
def tied(g: Graph, h: Any, s: Shape) -> Result:
    encoder = sb.Dense(g.int(2, 4), "tanh")
    return sb.layers.Tied(encoder)(encoder(h)), s


@family(lambda s: len(s) == 1)
def residual(g: Graph, h: Any, s: Shape) -> Result:
    return sb.Dense(s[0])(sb.Dense(g.int(2, 4), "tanh")(h)) + h, s


@family(lambda s: True)
def gate(g: Graph, h: Any, s: Shape) -> Result:
    return sb.Dense(s[-1], "sigmoid")(h) * h, s


@family(lambda s: True)
def concatenate(g: Graph, h: Any, s: Shape) -> Result:
    width = g.int(1, 3)
    return sb.layers.Concatenate()(h, sb.Dense(width)(h)), (*s[:-1], s[-1] + width)


@family(lambda s: True)
def dropout(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.Dropout(0.3, g.choice(("inverted", "at_inference")))(h), s


@family(lambda s: True)
def layer_norm(g: Graph, h: Any, s: Shape) -> Result:
    return g.choice((sb.layers.LayerNorm, sb.layers.RMSNorm))(affine=bool(g.int(0, 1)))(h), s


@family(lambda s: len(s) in (1, 2))
def batch_norm(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.BatchNorm1d()(h), s


@family(lambda s: len(s) == 3)
def batch_norm_2d(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.BatchNorm2d()(h), s


@family(lambda s: len(s) > 1 and s[0] % 2 == 0)
def group_norm(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.GroupNorm(2)(h), s


@family(lambda s: len(s) == 2 and s[1] > 2)
def conv1d(g: Graph, h: Any, s: Shape) -> Result:
    filters, stride, padding, kernel = g.int(1, 3), g.int(1, 2), g.int(0, 1), g.int(1, 3)
    layer = sb.layers.Conv1d(filters, kernel, stride=stride, padding=padding, activation=g.activation())
    return layer(h), (filters, (s[1] + 2 * padding - kernel) // stride + 1)


@family(lambda s: len(s) == 3 and min(s[1:]) > 2)
def conv2d(g: Graph, h: Any, s: Shape) -> Result:
    filters, stride, padding, kernel = g.int(1, 3), g.int(1, 2), g.int(0, 1), g.int(1, 3)
    groups = s[0] if g.int(0, 3) == 0 else 1
    layer = sb.layers.Conv2d(filters * groups, kernel, stride=stride, padding=padding, groups=groups)
    return layer(h), (filters * groups, *((n + 2 * padding - kernel) // stride + 1 for n in s[1:]))


@family(lambda s: len(s) == 3 and max(s[1:]) < 4)
def conv_transpose(g: Graph, h: Any, s: Shape) -> Result:
    filters, stride, kernel = g.int(1, 2), g.int(1, 2), g.int(1, 3)
    return sb.layers.ConvTranspose2d(filters, kernel, stride=stride)(h), (
        filters,
        *((n - 1) * stride + kernel for n in s[1:]),
    )


@family(lambda s: len(s) in (2, 3) and min(s[1:]) > 1)
def pool(g: Graph, h: Any, s: Shape) -> Result:
    layers = (sb.layers.MaxPool1d, sb.layers.AvgPool1d) if len(s) == 2 else (sb.layers.MaxPool2d, sb.layers.AvgPool2d)
    stride, padding = g.int(1, 2), g.int(0, 1)
    return g.choice(layers)(2, stride=stride, padding=padding)(h), (
        s[0],
        *((n + 2 * padding - 2) // stride + 1 for n in s[1:]),
    )


@family(lambda s: len(s) in (2, 3))
def global_pool(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.GlobalAvgPool()(h), s[:1]


@family(lambda s: len(s) > 1)
def flatten(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.Flatten()(h), (math.prod(s),)


@family(lambda s: len(s) == 2)
def transpose(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.Transpose((0, 2, 1))(h), s[::-1]


@family(lambda s: len(s) == 2 and math.prod(s) % 2 == 0)
def reshape(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.Reshape((2, math.prod(s) // 2))(h), (2, math.prod(s) // 2)


@family(lambda s: len(s) == 1)
def bilinear(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.Bilinear(3)(h, sb.Dense(2, "tanh")(h)), (3,)


@family(lambda s: len(s) == 1)
def radial(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.RBF(3)(h), (3,)


@family(lambda s: True)
def maxout(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.Maxout(3, pieces=2)(h), (*s[:-1], 3)


@family(lambda s: True)
def prelu(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.PReLU()(h), s


@family(lambda s: True)
def stopped(g: Graph, h: Any, s: Shape) -> Result:
    return sb.layers.StopGradient()(h) * h, s


def start(g: Graph) -> None:
    """One or two inputs: vectors, sequences, images or tokens."""
    for number in range(g.int(1, 2)):
        kind = g.choice(("vector", "sequence", "image", "tokens"))
        name = f"x{'ab'[number]}"
        if kind == "tokens":
            length, levels = g.int(2, 4), g.int(3, 6)
            x = sb.Input(length, name=name, levels=levels)
            g.inputs.append(x)
            g.heads.append((sb.layers.Embedding(levels, 3)(x), (length, 3)))
            g.kinds["embedding"] += 1
            continue
        shape = {"vector": (g.int(2, 5),), "sequence": (g.int(1, 3), g.int(4, 6))}.get(kind)
        shape = shape or (g.int(1, 2), g.int(3, 5), g.int(3, 5))
        x = sb.Input(shape, name=name)
        g.inputs.append(x)
        g.heads.append((x, shape))


def graph(seed: int, size: int = 6) -> tuple[sb.Network, Counter[str]]:
    """A network of about `size` random layers, and how often each family stands in it."""
    g = Graph(np.random.default_rng(seed))
    start(g)
    for _ in range(size):
        place = g.int(0, len(g.heads) - 1)
        h, s = g.heads[place]
        name = g.choice(n for n, (fits, _) in FAMILIES.items() if fits(s))
        made = FAMILIES[name][1](g, h, s)
        g.kinds[name] += 1
        if g.int(0, 3):
            g.heads[place] = made
        else:
            g.heads.append(made)
    vectors = [sb.layers.Flatten()(h) if len(s) > 1 else h for h, s in g.heads]
    joined = vectors[0] if len(vectors) == 1 else sb.layers.Concatenate()(*vectors)
    joined = sb.Activation("softsign")(joined)  # products of products grow; JAX's plain log of a softmax has its limits
    loss = g.choice(("mse", "huber", "log_cosh", "softmax_cross_entropy", "sigmoid_cross_entropy"))
    net = sb.Network(inputs=tuple(g.inputs), outputs=sb.Dense(3)(joined), loss=loss, weight_decay=0.01 * g.int(0, 1))
    return net, g.kinds


def draw(net: sb.Network, rows: int, seed: int) -> dict[sb.Tensor, Array]:
    """Values of everything that the equations read, of random tensors those of step 0."""
    rng = np.random.default_rng([seed, 1])
    system = net.system

    def value(t: sb.Tensor) -> Array:
        shape = tuple(rows if d.size is None else d.size for d in t.dims)
        if t.levels is not None:
            return rng.integers(0, t.levels, shape).astype(float)
        if "normalized" in t.traits:
            return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
        if "unit" in t.traits:
            return rng.integers(0, 2, shape).astype(float)
        return rng.normal(size=shape, scale=0.5 if t.kind == "parameter" else 1.0)

    values = {t: value(t) for t in (*system.inputs, *system.targets, *system.parameters)}
    values |= {t: np.array(t.value or 0.0) for t in system.hypers}
    for t in system.randoms:
        shape = tuple(rows if d.size is None else d.size for d in t.dims)
        values[t] = streams.tensor(0, 0, t.name, shape)
    return values


def jax_gradients(system: System, values: dict[sb.Tensor, Array], rows: int) -> dict[str, Array]:
    """JAX's gradients of the objective that the declared equations define."""

    def objective(parameters: list[Any]) -> Any:
        known = {**values, **dict(zip(system.parameters, parameters, strict=True))}
        return run((*system.forward, system.objective), known, rows, xp=jax.numpy)[system.objective.lhs]

    made = jax.jit(jax.grad(objective))([jax.numpy.asarray(values[t]) for t in system.parameters])
    return {t.name: np.asarray(g) for t, g in zip(system.parameters, made, strict=True)}
