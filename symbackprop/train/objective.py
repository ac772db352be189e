"""The objective over all rows of a data set, regularizers included, whatever its size.

The objective is defined on one batch of all rows, so one call on all rows is right by definition. That is
what is done as long as the call's tensors fit `MEMORY`. Beyond that it is put together from parts.

Let f(S) be the objective on the rows S, n their number (or, where labels are weighted or ignored, the sum of the
labels' weights, by which such a mean is divided), and F(S) = f(S) n^r. Wherever a loss is a sum (r = 0) or a mean
(r = 1) over rows, plus a penalty that does not depend on the rows, F is additive up to a constant:
F(A) + F(B) - F(A and B) = q, so over K parts f = (sum F - (K - 1) q) / n^r. It is so for a penalty divided by n
with a mean too. Both q and r are measured, on two pairs of parts of other sizes which must agree; an objective that
is not of this kind (rows that act on each other) is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ..errors import DataError
from ..runtime import Module
from .blocks import Array, Blocks, fixed_views

MEMORY = 1 << 30
"""Bytes that the tensors of one call may take."""

SMALL = 4096
"""Rows that are always done in one call."""


def objective(module: Module, blocks: Blocks, data: tuple[Array, ...]) -> float:
    """The objective on all rows of `data`: one call, or parts of bounded memory for very many rows.

    Raises `DataError` for so many rows when the objective cannot be put together from parts.
    """
    rows = len(data[0])
    if rows <= SMALL:
        return _loss(module, blocks, data)
    part = max(SMALL // 4, MEMORY // _row_bytes(module, blocks, data))
    return _loss(module, blocks, data) if rows <= part else _from_parts(module, blocks, data, part // 2)


def _loss(module: Module, blocks: Blocks, data: tuple[Array, ...]) -> float:
    with np.errstate(all="ignore"):
        return float(module.loss(blocks.params, blocks.hypers, data))


def _row_bytes(module: Module, blocks: Blocks, data: tuple[Array, ...]) -> int:
    """By how many bytes a row all tensors of a call grow up to all rows; more for more rows where pairs of rows act."""

    def size(rows: int) -> int:
        with np.errstate(all="ignore"):
            trace = module.trace(blocks.params, blocks.hypers, tuple(a[:rows] for a in data))
        return sum(np.asarray(t).nbytes for t in trace.values()) + sum(a[:rows].nbytes for a in data)

    one, two, three = map(size, (1, 2, 3))
    pair = max(0, three - 2 * two + one) // 2
    return max(1, two - one - 3 * pair + pair * len(data[0]))


def _from_parts(module: Module, blocks: Blocks, data: tuple[Array, ...], part: int) -> float:
    rows, half = len(data[0]), part // 2
    count = _counts(module, blocks, data)

    def f(first: int, last: int) -> float:
        made = _loss(module, blocks, tuple(a[first:last] for a in data))
        return made if count(first, last) or math.isfinite(made) else 0.0  # 0/0 of no label that counts

    cuts = [*range(0, rows, part), rows]
    parts = list(pairwise(cuts))
    values = [f(i, j) for i, j in parts]
    if not all(map(math.isfinite, values)):
        return math.fsum(values) if math.inf not in values or -math.inf not in values else math.nan
    equal = (count(0, part), values[0], count(part, 2 * part), values[1], f(0, 2 * part))
    other = (count(0, half), f(0, half), count(half, half + part), f(half, half + part), f(0, half + part))
    power = min((0, 1), key=lambda r: _difference(r, equal, other))
    if _difference(power, equal, other) > math.sqrt(np.finfo(blocks.params.dtype).eps):
        raise DataError(
            f"{rows} rows need more than {MEMORY >> 20} MiB in one call, and this objective is neither a sum "
            "nor a mean over rows, so it cannot be put together from parts; evaluate fewer rows"
        )
    total = math.fsum(count(i, j) ** power * value for (i, j), value in zip(parts, values, strict=True))
    whole = count(0, rows) ** power
    return float((total - (len(parts) - 1) * _constant(power, equal)) / whole) if whole else math.nan


def _counts(module: Module, blocks: Blocks, data: tuple[Array, ...]) -> Callable[[int, int], float]:
    """How much the rows from one place to another count in a mean: their number, or the sum of their labels' weights.

    The latter for one loss of weighted or ignored labels; it is the divisor in `declare.losses.classification`.
    """
    manifest = module.manifest
    ports = [p for p in zip(manifest.targets, data[len(manifest.inputs) :], strict=True) if p[0].role != "weight"]
    weights = fixed_views(manifest, blocks.params).get("class_weight")
    if len(ports) != 1 or ports[0][0].role != "one_hot" or (weights is None and ports[0][0].ignore is None):
        return lambda first, last: last - first
    labels = ports[0][1]
    by_class = np.ones(labels.shape[-1]) if weights is None else weights.astype(np.float64)
    each = (labels @ by_class).reshape(len(labels), -1).sum(axis=1)
    return lambda first, last: float(each[first:last].sum())


Pair = tuple[float, float, float, float, float]
"""Two parts that follow each other: count and f of the first, of the second, f of both."""


def _constant(power: int, pair: Pair) -> float:
    """q = F(A) + F(B) - F(A and B)."""
    m, first, n, second, both = pair
    return float(m**power * first + n**power * second - (m + n) ** power * both)


def _difference(power: int, one: Pair, two: Pair) -> float:
    """How far the q of two pairs are apart, relative to the largest F."""
    sizes = [(m + n) ** power * max(abs(first), abs(second), abs(both)) for m, first, n, second, both in (one, two)]
    return float(abs(_constant(power, one) - _constant(power, two)) / max(*sizes, 5e-324))
