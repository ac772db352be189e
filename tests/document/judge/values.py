"""Scalars, columns, rows and matrices, and what may be done with them; what does not fit is not made to fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.document.judge.lines import UnreadableError

Array = Any
SCALAR, COLUMN, ROW, MATRIX = "scalar", "column", "row", "matrix"


@dataclass(frozen=True)
class Value:
    """Columns and rows are 1-D arrays. `open` are the axes along which it is constant, and as long as it must be.

    A scalar in index notation has an axis for every letter in sight.
    """

    kind: str
    data: Array
    open: frozenset[int] = frozenset()

    @property
    def flat(self) -> Array:
        """As a matrix."""
        return self.data[:, None] if self.kind == COLUMN else self.data[None, :] if self.kind == ROW else self.data

    @property
    def free(self) -> frozenset[int]:
        """The open axes as those of a matrix."""
        return frozenset({1}) if self.kind == ROW and self.open else self.open


@dataclass(frozen=True)
class Spreading:
    """Which axis of a matrix a column beside it stands along: 1 where samples are rows, 0 where they are columns.

    None: it must be said with a column of ones.
    """

    axis: int | None = None


NOWHERE = Spreading()


def value(array: Array) -> Value:
    """An array as it stands in a formula: vectors are columns."""
    made = np.asarray(array, float)
    if made.ndim > 2:
        raise UnreadableError("a tensor of more than two axes without indices")
    return Value((SCALAR, COLUMN, MATRIX)[made.ndim], made)


ONES = Value(COLUMN, np.ones(1), frozenset({0}))


def transposed(made: Value) -> Value:
    if made.kind == SCALAR:
        raise UnreadableError("a scalar is transposed")
    if made.kind == MATRIX:
        return Value(MATRIX, made.data.T, frozenset(1 - axis for axis in made.open))
    return replace(made, kind=ROW if made.kind == COLUMN else COLUMN)


def times(left: Value, right: Value) -> Value:
    """What stands side by side."""
    if SCALAR in {left.kind, right.kind}:
        other = right if left.kind == SCALAR else left
        return Value(other.kind, left.data * right.data, other.open)
    if left.kind == right.kind != MATRIX:
        raise UnreadableError(f"a {left.kind} beside a {right.kind}, which is no product")
    a, b = left.flat, right.flat
    if 1 in left.free and 0 in right.free:
        raise UnreadableError("nothing says how long the columns of ones are")
    if 1 in left.free:
        a = np.broadcast_to(a, (a.shape[0], b.shape[0]))
    if 0 in right.free:
        b = np.broadcast_to(b, (a.shape[1], b.shape[1]))
    if a.shape[1] != b.shape[0]:
        raise UnreadableError(f"a product of {a.shape} and {b.shape}")
    made, still = a @ b, (left.free & {0}) | (right.free & {1})
    if left.kind == ROW and right.kind == COLUMN:
        return Value(SCALAR, made[0, 0])
    if left.kind == ROW and right.kind == MATRIX:
        return Value(ROW, made[0], frozenset({0}) if still else frozenset())
    if left.kind == MATRIX and right.kind == COLUMN:
        return Value(COLUMN, made[:, 0], still)
    return Value(MATRIX, made, still)


def entrywise(left: Value, right: Value, function: Callable[..., Array], spreading: Spreading) -> Value:
    """A function of entries that stand in the same place; a scalar stands for every entry."""
    if left.kind == right.kind == SCALAR:
        return Value(SCALAR, function(left.data, right.data))
    if SCALAR in {left.kind, right.kind}:
        other = right if left.kind == SCALAR else left
        return Value(other.kind, function(left.data, right.data), other.open)
    if {left.kind, right.kind} == {COLUMN, MATRIX}:
        left, right = (_spread(v, spreading) for v in (left, right))
    if left.kind != right.kind:
        raise UnreadableError(f"a {left.kind} beside a {right.kind}")
    for axis in range(left.data.ndim):
        sizes = {v.data.shape[axis] for v in (left, right) if axis not in v.open}
        if len(sizes) > 1:
            raise UnreadableError(f"{left.data.shape} beside {right.data.shape}")
    return Value(left.kind, function(left.data, right.data), left.open & right.open)


def _spread(made: Value, spreading: Spreading) -> Value:
    if made.kind == MATRIX:
        return made
    if spreading.axis is None or made.open:
        raise UnreadableError("a column beside a matrix, without a column of ones")
    axis = 1 - spreading.axis
    return Value(MATRIX, np.expand_dims(made.data, axis), frozenset({axis}))


def closed(made: Value, shape: tuple[int, ...] | None = None, spreading: Spreading = NOWHERE) -> Array:
    """The array of a whole right side; the left side's shape, where it is known, says how long columns of ones are."""
    if made.kind == COLUMN and shape is not None and len(shape) == 2 and spreading.axis is not None:
        made = _spread(made, spreading)
    if not made.open:
        return made.data
    fits = shape is not None and len(shape) == made.data.ndim
    if not fits or any(made.data.shape[axis] != shape[axis] for axis in range(len(shape)) if axis not in made.open):
        raise UnreadableError("nothing says how long the columns of ones are")
    return np.broadcast_to(made.data, shape)


def mapped(made: Value, function: Callable[[Array], Array]) -> Value:
    return replace(made, data=function(made.data))
