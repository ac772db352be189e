"""Functions as they are defined in books."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.document.judge.lines import UnreadableError
from tests.document.judge.values import COLUMN, MATRIX, SCALAR, Value

Array = Any
ENTRYWISE: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "log": np.log,
    "ln": np.log,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sin": np.sin,
    "cos": np.cos,
    "arctan": np.arctan,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "sign": np.sign,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "sigma": lambda z: 1 / (1 + np.exp(-z)),
}
CHOICES: dict[str, Callable[[Array, Array], Array]] = {"max": np.maximum, "min": np.minimum}
COMPARE: dict[str, Callable[[Array, Array], Array]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "=": np.equal,
    "!=": np.not_equal,
}


def of_matrix(name: str, made: Value, samples: int) -> Value:
    """Functions of a whole matrix. `samples`: the axis along which the samples stand."""
    if made.open:
        raise UnreadableError(f"{name} of what has no size")
    data = made.data
    if name == "norm_1":
        return Value(SCALAR, np.sum(np.abs(data)))
    if name == "norm":
        return Value(SCALAR, np.sqrt(np.sum(data**2)))
    if name == "diag" and made.kind == COLUMN:
        return Value(MATRIX, np.diag(data))
    if made.kind != MATRIX:
        raise UnreadableError(f"{name} of a {made.kind}")
    if name == "softmax":
        powers = np.exp(data)
        return Value(MATRIX, powers / powers.sum(axis=1 - samples, keepdims=True))
    if name in {"rowsum", "sum_1"}:
        return Value(COLUMN, data.sum(axis=1))
    if name == "sum_0":
        return Value(COLUMN, data.sum(axis=0))
    if name == "tr" and data.shape[0] == data.shape[1]:
        return Value(SCALAR, np.trace(data))
    raise UnreadableError(f"{name} of {data.shape}")
