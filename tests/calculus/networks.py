"""Random networks as plain data, the same networks declared to symbackprop, and data for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import symbackprop as sb
from tests.calculus import reference_jax as ref

Array = np.ndarray[Any, Any]

NAMED_LOSSES = (
    "mse",
    "half_mse",
    "mae",
    "cross_entropy",
    "softmax_cross_entropy",
    "binary_cross_entropy",
    "sigmoid_cross_entropy",
)
USER_LOSSES = ("log_cosh", "cauchy", "quartic")
NAMED_ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "softmax")
USER_ACTIVATIONS = tuple(sorted(set(ref.ACTIVATIONS) - set(NAMED_ACTIVATIONS)))
DEFAULT_REDUCTION = {"cross_entropy": "batch_mean", "softmax_cross_entropy": "batch_mean"}
PROBABILITIES = {"cross_entropy": ("softmax", "sigmoid"), "binary_cross_entropy": ("sigmoid", "softmax")}
"""Losses that take probabilities, and the last activations that give them."""
ROWS_SUM_TO_ONE = ("cross_entropy", "softmax_cross_entropy")
UNIT_TARGETS = ("binary_cross_entropy", "sigmoid_cross_entropy")
KINK_DISTANCE = 1e-6


def expression(name: str) -> Any:
    """A user's activation as a SymPy expression in one symbol, None where it is written as a function only."""
    import sympy

    z = sympy.Symbol("z")
    return {
        "gauss": sympy.exp(-(z**2)),
        "mish": z * sympy.tanh(sympy.log(1 + sympy.exp(z))),
        "swish": z / (1 + sympy.exp(-z)),
        "gelu": z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
        "snake": z + sympy.sin(z) ** 2,
        "root": z / sympy.sqrt(1 + z**2),
        "tanh": sympy.tanh(z),
        "sigmoid": 1 / (1 + sympy.exp(-z)),
        "softplus": sympy.log(1 + sympy.exp(z)),
    }.get(name)


FUNCTIONS: dict[str, Any] = {
    "steep_leaky_relu": lambda z: sb.where(z > 0, z, 0.2 * z),
    "mish": lambda z: z * sb.tanh(sb.log(1 + sb.exp(z))),
    "swish": lambda z: z / (1 + sb.exp(-z)),
    "gelu": lambda z: z * (1 + sb.erf(z / sb.sqrt(2))) / 2,
    "gauss": lambda z: sb.exp(-(z**2)),
    "snake": lambda z: z + sb.sin(z) ** 2,
    "hard_tanh": lambda z: sb.minimum(1, sb.maximum(-1, z)),
    "root": lambda z: z / sb.sqrt(1 + z**2),
    "relu": lambda z: sb.maximum(0, z),
}
"""Activations as a user would write them as functions."""


def loss_formula(name: str) -> Any:
    """What `sb.Network` takes for a loss of this name: the name, or a user's function or expression."""
    import sympy

    prediction, target = sympy.symbols("prediction target")
    users = {
        "log_cosh": lambda p, t: sb.log(sb.cosh(t - p)),
        "cauchy": lambda p, t: sb.log(1 + (p - t) ** 2),
        "quartic": (prediction - target) ** 4 + prediction * target,
    }
    return users.get(name, name)


def declare(net: ref.Network) -> sb.Network:
    """The network in symbackprop's words."""
    layers: list[Any] = [sb.Input(net.inputs if len(net.inputs) > 1 else net.inputs[0])]
    for layer in net.layers:
        activation: Any = layer.activation
        if layer.form == "function":
            activation = FUNCTIONS[activation]
        elif layer.form == "expression":
            activation = expression(activation)
        if layer.width is None:
            layers.append(sb.Activation(activation))
        else:
            layers.append(sb.Dense(layer.width, activation, bias=layer.bias))
    default = DEFAULT_REDUCTION.get(net.loss, "mean")
    return sb.Network(
        layers,
        loss=loss_formula(net.loss),
        reduction=None if net.reduction == default else net.reduction,
        regularizers=[_regularizer(p) for p in net.penalties],
    )


def _regularizer(p: ref.Penalty) -> Any:
    if p.kind == "l1":
        return sb.L1(p.lam, over_n=p.over_n, biases=p.biases)
    return sb.L2(p.lam, half=p.half, over_n=p.over_n, biases=p.biases)


def forms(activation: str) -> list[str]:
    """The forms in which an activation can be declared."""
    known = ["name"] if activation in NAMED_ACTIVATIONS else []
    known += ["function"] if activation in FUNCTIONS else []
    return known + (["expression"] if expression(activation) is not None else [])


@st.composite
def layers(draw: st.DrawFn, loss: str) -> tuple[ref.Layer, ...]:
    """One to six dense layers of one to seventy units, perhaps an activation of its own, an output fit for the loss."""
    made: list[ref.Layer] = []
    depth = draw(st.integers(1, 6))
    for place in range(depth):
        last = place == depth - 1
        choices: tuple[str, ...] = tuple(x for x in NAMED_ACTIVATIONS + USER_ACTIVATIONS if x != "hard_tanh")
        if last and loss in PROBABILITIES:
            choices = PROBABILITIES[loss]
        elif last and loss in ("softmax_cross_entropy", "sigmoid_cross_entropy"):
            choices = ("identity", "tanh", "softplus", "elu", "mish", "leaky_relu")
        activation = draw(st.sampled_from(choices))
        # over one class every cross-entropy is the constant 0; log(1 - p) needs p < 1
        least = 2 if last and (loss in ROWS_SUM_TO_ONE or activation == "softmax") else 1
        width = draw(st.integers(least, 70))
        form, bias = draw(st.sampled_from(forms(activation))), draw(st.integers(0, 4)) > 0
        if draw(st.integers(0, 5)) == 0:
            made += [ref.Layer(width, "identity", bias), ref.Layer(None, activation, form=form)]
        else:
            made.append(ref.Layer(width, activation, bias, form))
    return tuple(made)


penalties = st.lists(
    st.builds(
        ref.Penalty,
        kind=st.sampled_from(("l1", "l2")),
        lam=st.sampled_from((0.0, 1e-3, 0.3)),
        half=st.booleans(),
        over_n=st.booleans(),
        biases=st.booleans(),
    ).map(lambda p: ref.Penalty("l1", p.lam, False, p.over_n, p.biases) if p.kind == "l1" else p),
    max_size=2,
).map(tuple)


@st.composite
def networks(draw: st.DrawFn, losses: tuple[str, ...] = NAMED_LOSSES + USER_LOSSES) -> ref.Network:
    """A random network; one in eight has rows of vectors as its samples."""
    loss = draw(st.sampled_from(losses))
    inputs = (draw(st.integers(1, 70)),)
    if draw(st.integers(0, 7)) == 0:
        inputs = (draw(st.integers(1, 5)), *inputs)
    reductions = ("mean", "batch_mean", "sum")
    return ref.Network(inputs, draw(layers(loss)), loss, draw(st.sampled_from(reductions)), draw(penalties))


batches = st.one_of(st.just(1), st.integers(1, 40))


def parameters(net: ref.Network, rng: np.random.Generator) -> dict[str, Array]:
    """Weights that keep arguments of activations of the size of one."""
    made, fan_in = {}, net.inputs[-1]
    for number, layer in enumerate(net.layers, 1):
        if layer.width is None:
            continue
        made[f"W{number}"] = rng.normal(size=(layer.width, fan_in)) / np.sqrt(fan_in)
        if layer.bias:
            made[f"b{number}"] = rng.normal(scale=0.5, size=layer.width)
        fan_in = layer.width
    return made


def data(net: ref.Network, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Inputs, and targets such as the loss takes."""
    width = next(layer.width for layer in reversed(net.layers) if layer.width is not None)
    X = rng.normal(size=(rows, *net.inputs))
    shape = (rows, *net.inputs[:-1], width)
    if net.loss in ROWS_SUM_TO_ONE:
        if rng.random() < 0.5:
            return X, np.eye(width)[rng.integers(0, width, shape[:-1])]
        return X, rng.dirichlet(np.ones(width), shape[:-1])
    if net.loss in UNIT_TARGETS:
        return X, rng.random(shape) if rng.random() < 0.5 else rng.integers(0, 2, shape).astype(float)
    return X, rng.normal(size=shape)


@st.composite
def cases(draw: st.DrawFn, **options: Any) -> tuple[ref.Network, int, int]:
    """A network, a number of rows, and a seed for its numbers."""
    return draw(networks(**options)), draw(batches), draw(st.integers(0, 2**32 - 1))
