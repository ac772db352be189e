"""The formulas of activations and losses once more, transcribed by hand into mpmath, and their derivatives.

Nothing here comes from symbackprop. Derivatives are central differences with a step of 2^-200. Numbers have 15,000
bits where it takes them: 1 - sigmoid(10^4) is 2^-14427, and its logarithm has to be right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np

Number = Any
Row = Sequence[Number]
MANY_BITS, ENOUGH_BITS, STEP_BITS = 15_000, 700, 200

RELATIVE, ABSOLUTE = 1e-5, 1e-37
"""What float32 is allowed: |value - true| <= RELATIVE*|true| + ABSOLUTE."""


def exact(x: float) -> Number:
    """A float as the number that it is."""
    ratio = Fraction(float(x))
    return mp.mpf(ratio.numerator) / ratio.denominator


def _softplus(z: Number) -> Number:
    return mp.log(1 + mp.exp(z))


def _sigmoid(z: Number) -> Number:
    return 1 / (1 + mp.exp(-z))


def _clip(z: Number, low: Number, high: Number) -> Number:
    return mp.mpf(low) if z < low else mp.mpf(high) if z > high else z


ALPHA, SCALE = exact(1.6732632423543772), exact(1.0507009873554805)

ACTIVATIONS: dict[str, Callable[[Number], Number]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": lambda z: (mp.exp(z) - mp.exp(-z)) / (mp.exp(z) + mp.exp(-z)),
    "relu": lambda z: z if z > 0 else mp.mpf(0),
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mp.exp(z) - 1,
    "softplus": _softplus,
    "mish": lambda z: z * mp.tanh(_softplus(z)),
    "relu6": lambda z: _clip(z, 0, 6),
    "selu": lambda z: SCALE * (z if z > 0 else ALPHA * (mp.exp(z) - 1)),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "gelu_tanh": lambda z: z * _sigmoid(2 * mp.sqrt(2 / mp.pi) * (z + mp.mpf("0.044715") * z**3)),
    "silu": lambda z: z * _sigmoid(z),
    "swish": lambda z: z * _sigmoid(z),
    "softsign": lambda z: z / (1 + abs(z)),
    "hard_sigmoid": lambda z: _clip((z + 3) / 6, 0, 1),
    "hard_tanh": lambda z: _clip(z, -1, 1),
    "hard_swish": lambda z: z * _clip((z + 3) / 6, 0, 1),
    "sin": mp.sin,
    "gaussian": lambda z: mp.exp(-(z**2)),
}


def softmax(z: Row) -> list[Number]:
    """e^z_j over their sum."""
    powers = [mp.exp(v) for v in z]
    return [e / mp.fsum(powers) for e in powers]


def _binary_cross_entropy(p: Number, y: Number) -> Number:
    # a label of 0 or 1 leaves one of the two terms, for 0 log 0 is 0
    return -(y * mp.log(p) if y else 0) - ((1 - y) * mp.log(1 - p) if y != 1 else 0)


def _cross_entropy(p: Row, y: Row) -> Number:
    return -mp.fsum(t * mp.log(q) for q, t in zip(p, y, strict=True) if t)


def _of_entries(loss: Callable[[Number, Number], Number]) -> Callable[[Row, Row], Number]:
    return lambda p, y: mp.fsum(loss(a, b) for a, b in zip(p, y, strict=True))


def _focal(z: Row, y: Row) -> Number:
    return -mp.fsum((1 - p) ** 2 * t * mp.log(p) for p, t in zip(softmax(z), y, strict=True) if t)


def _binary_focal(z: Number, y: Number) -> Number:
    p, share = (_sigmoid(z), mp.mpf(1) / 4) if y else (1 - _sigmoid(z), mp.mpf(3) / 4)
    return -share * (1 - p) ** 2 * mp.log(p)


def _multi_hinge(z: Row, y: Row) -> Number:
    right = y.index(1)
    return mp.fsum(max(0, 1 - z[right] + v) for j, v in enumerate(z) if j != right) / len(z)


def _norm(x: Row) -> Number:
    return mp.sqrt(mp.fsum(v**2 for v in x))


def cosine(a: Row, b: Row) -> Number:
    """Of the angle between two rows."""
    return mp.fsum(x * y for x, y in zip(a, b, strict=True)) / (_norm(a) * _norm(b))


LOSSES: dict[str, Callable[[Row, Row], Number]] = {
    "mse": _of_entries(lambda p, y: (p - y) ** 2),
    "half_mse": _of_entries(lambda p, y: (p - y) ** 2 / 2),
    "mae": _of_entries(lambda p, y: abs(p - y)),
    "huber": _of_entries(lambda p, y: (p - y) ** 2 / 2 if abs(p - y) < 1 else abs(p - y) - mp.mpf(1) / 2),
    "smooth_l1": _of_entries(lambda p, y: (p - y) ** 2 / 2 if abs(p - y) < 1 else abs(p - y) - mp.mpf(1) / 2),
    "cross_entropy": _cross_entropy,
    "softmax_cross_entropy": lambda z, y: _cross_entropy(softmax(z), y),
    "binary_cross_entropy": _of_entries(_binary_cross_entropy),
    "sigmoid_cross_entropy": _of_entries(lambda z, y: _binary_cross_entropy(_sigmoid(z), y)),
    "multilabel": _of_entries(lambda z, y: _binary_cross_entropy(_sigmoid(z), y)),
    "log_cosh": _of_entries(lambda p, y: mp.log(mp.cosh(y - p))),
    "hinge": _of_entries(lambda z, y: max(mp.mpf(0), 1 - z * y)),
    "squared_hinge": _of_entries(lambda z, y: max(mp.mpf(0), 1 - z * y) ** 2),
    "multi_hinge": _multi_hinge,
    "kl": lambda z, y: mp.fsum(t * (mp.log(t) - v) for v, t in zip(z, y, strict=True) if t),
    "kl_of_scores": lambda z, y: mp.fsum(t * (mp.log(t) - mp.log(p)) for p, t in zip(softmax(z), y, strict=True) if t),
    "poisson_nll": _of_entries(lambda z, y: mp.exp(z) - y * z),
    "focal": _focal,
    "binary_focal": _of_entries(_binary_focal),
    "cosine": lambda p, y: 1 - cosine(p, y),
    "chosen_softmax": lambda z, y: mp.fsum(p * t for p, t in zip(softmax(z), y, strict=True)),
    "chosen_log_softmax": lambda z, y: mp.fsum(mp.log(p) * t for p, t in zip(softmax(z), y, strict=True)),
}
"""Of one row of predictions and one of targets, summed."""


@cache
def activation(name: str, z: float) -> tuple[Number, Number]:
    """f(z) and f'(z)."""
    value, (slope,) = _value_and_gradient(lambda row: ACTIVATIONS[name](row[0]), (z,), ENOUGH_BITS)
    return value, slope


@cache
def loss(name: str, prediction: tuple[float, ...], target: tuple[float, ...]) -> tuple[Number, list[Number]]:
    """A loss of one row, and its gradient with respect to the prediction."""
    # with few bits 1 - sigmoid(10^4) would be 0, and its logarithm is taken
    bits = MANY_BITS if name in ("sigmoid_cross_entropy", "multilabel", "binary_focal") else ENOUGH_BITS
    y = [exact(t) for t in target]
    return _value_and_gradient(lambda row: LOSSES[name](row, y), prediction, bits)


def _value_and_gradient(function: Callable[[Row], Number], point: tuple[float, ...], bits: int) -> Any:
    with mp.workprec(bits):
        start, step = [exact(x) for x in point], mp.ldexp(1, -STEP_BITS)

        def moved(i: int, by: Number) -> Number:
            return function([x + by if i == j else x for j, x in enumerate(start)])

        slopes = [(moved(i, step) - moved(i, -step)) / (2 * step) for i in range(len(start))]
        return function(start), slopes


def excess(got: float, want: Number, absolute: float = ABSOLUTE) -> float:
    """|got - want| in units of what is allowed: at most 1 is right. Infinite when `got` is not finite."""
    if not np.isfinite(got):
        return float("inf")
    with mp.workprec(200):
        return float(abs(exact(got) - want) / (RELATIVE * abs(want) + absolute))
