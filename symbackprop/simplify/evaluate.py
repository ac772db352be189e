"""Numbers for an expression: in float32 or float64 as generated code computes them, and in high precision.

Nothing here compiles or evaluates text: both evaluators walk the steps of `tape.py`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mpf
from numpy.typing import DTypeLike, NDArray

from .reference import reference
from .tape import Step, Tape, compile_tape

__all__ = [
    "compare_at_random_points",
    "domain_of",
    "equal_at_random_points",
    "equal_where_defined",
    "evaluate",
    "orders",
    "reference",
    "run",
]

Array = NDArray[Any]

_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "exp": np.exp,
    "log": np.log,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan": np.arctan,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceiling": np.ceil,
    "power": np.power,
    "divide": np.divide,
    "not": np.logical_not,
    "copy": np.positive,
}
_FOLDS: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "multiply": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
}
_COMPARISONS: dict[str, Callable[..., Array]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}
_WIDE: dict[str, Callable[..., Array]] = {"erf": np.vectorize(math.erf), "erfc": np.vectorize(math.erfc)}

_SPANS = {
    "real": (-3.0, 3.0),
    "unit": (0.0, 1.0),
    "probability": (0.02, 0.98),
    "positive": (0.05, 3.0),
    "large": (3.0, 40.0),
    "nonnegative": (0.0, 3.0),
    "nonpositive": (-3.0, 0.0),
}
"""Where the points of an equality check lie, by domain."""


def evaluate(expr: sp.Expr, env: Mapping[sp.Symbol, Any], dtype: DTypeLike = np.float32) -> Array:
    """`expr` at the points of `env`, every operation rounded to `dtype`; arrays broadcast, warnings are off.

    Raises `UnknownNodeError` for a node outside the vocabulary and KeyError for a symbol without a value.
    """
    values = {symbol: np.asarray(value, dtype=dtype) for symbol, value in env.items()}
    result = run(compile_tape(expr), values, dtype)
    return np.broadcast_to(result, np.broadcast_shapes(result.shape, *(v.shape for v in values.values())))


def run(tape: Tape, values: Mapping[sp.Symbol, Array], dtype: DTypeLike, order: int = 0) -> Array:
    """The last step's value; `values` hold arrays of `dtype` already.

    `order` says how sums and products of three and more are added up: 0 as they stand, 1 from the other end,
    2 the last one first. Which of these a printer writes is its own business.
    """
    done: list[Array] = []
    with np.errstate(all="ignore"):
        for step in tape.steps:
            inputs = [done[i] for i in step.inputs]
            if order and len(inputs) > 2 and step.name in ("add", "multiply"):
                inputs = inputs[::-1] if order == 1 else inputs[-1:] + inputs[:-1]
            done.append(_apply(step, inputs, values, dtype))
    return done[-1]


def orders(tape: Tape) -> range:
    """The orders of `run` that can differ."""
    return range(3 if any(len(s.inputs) > 2 and s.name in ("add", "multiply") for s in tape.steps) else 1)


def _apply(step: Step, inputs: list[Array], values: Mapping[sp.Symbol, Array], dtype: DTypeLike) -> Array:
    name = step.name
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](*inputs)
    if name in _FOLDS:
        return reduce(_FOLDS[name], inputs)
    if name == "symbol":
        return values[step.value]
    if name == "constant":
        return np.asarray(float(step.value), dtype=dtype)
    if name == "truth":
        return np.asarray(step.value)
    if name == "compare":
        return _COMPARISONS[step.value](*inputs)
    if name == "integer power":
        return _integer_power(inputs[0], step.value)
    if name == "choose":
        return _choose(inputs, dtype)
    return np.asarray(_WIDE[name](inputs[0].astype(np.float64)), dtype=dtype)


def _integer_power(base: Array, n: int) -> Array:
    if n > 4:
        return np.asarray(np.power(base, n))
    return reduce(np.multiply, [base] * n)


def _choose(inputs: list[Array], dtype: DTypeLike) -> Array:
    chosen = np.asarray(math.nan, dtype=dtype)
    for condition, value in zip(reversed(inputs[::2]), reversed(inputs[1::2]), strict=True):
        chosen = np.where(condition, value, chosen)
    return chosen


def equal_at_random_points(
    a: sp.Expr,
    b: sp.Expr,
    domains: Mapping[sp.Symbol, str] | None = None,
    count: int = 6,
    tolerance: float = 1e-25,
    seed: int = 1,
) -> bool:
    """Whether `a` and `b` agree in high precision at `count` seeded random points of their symbols' domains.

    Points where `a` is undefined do not count; at least half of the points must.
    """
    return compare_at_random_points(a, b, domains or {}, count, tolerance, seed) is True


def equal_where_defined(a: sp.Expr, b: sp.Expr, domains: Mapping[sp.Symbol, str] | None = None, count: int = 6) -> bool:
    """As `equal_at_random_points`; where `a` is undefined in the domains, in the unit interval or further out."""
    given = domains or {}
    symbols = a.free_symbols | b.free_symbols
    for narrow in ("", "probability", "large"):
        kinds = {**dict.fromkeys(symbols, narrow), **given} if narrow else given
        verdict = compare_at_random_points(a, b, kinds, count)
        if verdict is not None:
            return verdict
    return False


def compare_at_random_points(
    a: sp.Expr,
    b: sp.Expr,
    domains: Mapping[sp.Symbol, str],
    count: int = 6,
    tolerance: float = 1e-25,
    seed: int = 1,
) -> bool | None:
    """As `equal_at_random_points`; None where `a` is undefined at too many points to tell."""
    points = random_points(a.free_symbols | b.free_symbols, domains, count, seed)
    digits = max(8, round(-math.log10(tolerance)) + 5)
    compared = 0
    for left, right in zip(reference(a, points, digits), reference(b, points, digits), strict=True):
        if left is not None:
            compared += 1
            if right is None or not _close(left, right, tolerance):
                return False
    return True if 2 * compared >= count else None


def _close(left: mpf, right: mpf, tolerance: float) -> bool:
    return bool(abs(left - right) <= tolerance * max(abs(left), abs(right), mpf("1e-15")))


def random_points(
    symbols: Iterable[sp.Symbol], domains: Mapping[sp.Symbol, str], count: int, seed: int
) -> dict[sp.Symbol, list[float]]:
    """`count` points, each symbol's spread evenly over its span and shuffled."""
    source = random.Random(seed)
    points: dict[sp.Symbol, list[float]] = {}
    for symbol in sorted(symbols, key=lambda s: (s.name, str(s.sort_key()))):
        low, high = _SPANS[domain_of(symbol, domains)]
        parts = [low + (high - low) * (i + source.random()) / count for i in range(count)]
        source.shuffle(parts)
        points[symbol] = [round(p * 1024) / 1024 + 2.0**-12 for p in parts]
    return points


def domain_of(symbol: sp.Symbol, domains: Mapping[sp.Symbol, str]) -> str:
    """The symbol's domain as given, else as its assumptions say, else 'real'."""
    given = domains.get(symbol, "real")
    if given != "real":
        return given
    if symbol.is_positive:
        return "positive"
    if symbol.is_nonnegative:
        return "nonnegative"
    return "nonpositive" if symbol.is_nonpositive else "real"
