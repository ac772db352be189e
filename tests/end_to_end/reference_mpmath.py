"""The formulas of activations and losses once more, transcribed by hand into mpmath, and their derivatives.

Nothing here comes from symbackprop. Derivatives are central differences with a step of 2^-200 in numbers of
15,000 bits: 1 - sigmoid(10^4) is 2^-14427, so its logarithm is still right to a hundred digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np

Number = Any
BITS, STEP_BITS = 15_000, 200

RELATIVE, ABSOLUTE = 1e-5, 1e-37


def exact(x: float) -> Number:
    """A float as the number that it is."""
    ratio = Fraction(float(x))
    return mp.mpf(ratio.numerator) / ratio.denominator


def _softplus(z: Number) -> Number:
    return mp.log(1 + mp.exp(z))


ACTIVATIONS: dict[str, Callable[[Number], Number]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": lambda z: (mp.exp(z) - mp.exp(-z)) / (mp.exp(z) + mp.exp(-z)),
    "relu": lambda z: z if z > 0 else mp.mpf(0),
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mp.exp(z) - 1,
    "softplus": _softplus,
    "mish": lambda z: z * mp.tanh(_softplus(z)),
}


def softmax(z: Sequence[Number]) -> list[Number]:
    """e^z_j over their sum."""
    powers = [mp.exp(v) for v in z]
    return [e / mp.fsum(powers) for e in powers]


def _binary_cross_entropy(p: Number, y: Number) -> Number:
    # by definition 0 log 0 = 0: a label of 0 or 1 leaves one of the two terms
    return -(y * mp.log(p) if y else 0) - ((1 - y) * mp.log(1 - p) if y != 1 else 0)


LOSSES: dict[str, Callable[[Number, Number], Number]] = {
    "mse": lambda p, y: (p - y) ** 2,
    "half_mse": lambda p, y: (p - y) ** 2 / 2,
    "mae": lambda p, y: abs(p - y),
    "cross_entropy": lambda p, y: -y * mp.log(p),
    "binary_cross_entropy": _binary_cross_entropy,
    "sigmoid_cross_entropy": lambda z, y: _binary_cross_entropy(ACTIVATIONS["sigmoid"](z), y),
    "log_cosh": lambda p, y: mp.log(mp.cosh(y - p)),
}
"""Of one entry."""


def softmax_cross_entropy(z: Sequence[Number], y: Sequence[Number]) -> Number:
    """Of one row of logits."""
    return -mp.fsum(t * mp.log(p) for t, p in zip(y, softmax(z), strict=True) if t)


def value_and_slope(function: Callable[[Number], Number], x: float) -> tuple[Number, Number]:
    """f(x) and f'(x)."""
    with mp.workprec(BITS):
        point, step = exact(x), mp.ldexp(1, -STEP_BITS)
        return +function(point), (function(point + step) - function(point - step)) / (2 * step)


def value_and_gradient(
    function: Callable[[Sequence[Number]], Number], point: Sequence[float]
) -> tuple[Number, list[Number]]:
    """f(x) and its partial derivatives for a function of a row."""
    with mp.workprec(BITS):
        start, step = [exact(x) for x in point], mp.ldexp(1, -STEP_BITS)

        def moved(i: int, by: Number) -> Number:
            return function([x + by if i == j else x for j, x in enumerate(start)])

        slopes = [(moved(i, step) - moved(i, -step)) / (2 * step) for i in range(len(start))]
        return +function(start), slopes


def error(got: float, want: Number) -> float:
    """|got - want| in units of what is allowed; inf when `got` is not finite."""
    if not np.isfinite(got):
        return float("inf")
    with mp.workprec(200):
        return float(abs(exact(got) - want) / (RELATIVE * abs(want) + ABSOLUTE))
