"""Layers that only move entries: flatten, reshape, transpose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.functions import part
from ...language.tensor import Dim, Tensor
from ...records import Equation
from ..equation import Block, equation
from .base import Layer, Names
from .checks import take, whole

LETTERS = "njkmpqrs"


@dataclass(frozen=True, slots=True, repr=False)
class Flatten(Layer):
    """(N, d1, d2, ...) to (N, d1*d2*...), the last axis fastest."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of the row."""
        x = take(self, inputs, "(N, d, ...)")
        number = names.layer()
        length = Dim(f"n{number}", math.prod(_sizes(x)))
        moved = reshaped(x, (x.dims[0], length), f"h{number}")
        return Block(moved.lhs, (moved,))


@dataclass(frozen=True, slots=True, repr=False)
class Reshape(Layer):
    """(N, ...) to (N, *shape), entries in row-major order; one size may be -1: what is left."""

    shape: int | tuple[int, ...]

    def __post_init__(self) -> None:
        if not self._given or self._given.count(-1) > 1:
            raise DeclarationError(f"Reshape takes sizes of which one may be -1, as in (3, -1); got {self.shape!r}")
        for size in self._given:
            if size != -1:
                whole(size, "a size")

    @property
    def _given(self) -> tuple[int, ...]:
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of the moved entries."""
        x = take(self, inputs, "(N, ...)")
        number, entries = names.layer(), math.prod(_sizes(x))
        known = math.prod(s for s in self._given if s != -1)
        sizes = [entries // known if s == -1 else s for s in self._given]
        if math.prod(sizes) != entries:
            raise ShapeError(
                f"{self!r}: a sample of {x.name} {x.shape_text} has {entries} entries, which do not fill {self.shape}"
            )
        dims = tuple(Dim(f"n{number}_{axis}", size) for axis, size in enumerate(sizes))
        moved = reshaped(x, (x.dims[0], *dims), f"h{number}")
        return Block(moved.lhs, (moved,))


@dataclass(frozen=True, slots=True, repr=False)
class Transpose(Layer):
    """The axes in another order: axis a of the output is axis axes[a] of the input; axes[0] is 0, the batch."""

    axes: tuple[int, ...]

    def __post_init__(self) -> None:
        given: Any = self.axes
        if not isinstance(given, tuple) or given[:1] != (0,) or sorted(given) != list(range(len(given))):
            raise DeclarationError(
                f"Transpose takes all axes in their new order, the batch first, as (0, 2, 1); got {self.axes!r}"
            )

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of the moved entries."""
        from ...language.nodes import Index

        x = take(self, inputs, "(N, ...)")
        if len(x.dims) != len(self.axes):
            raise ShapeError(f"{self!r} takes {len(self.axes)} axes; {x.name} is {x.shape_text}")
        h = Tensor(f"h{names.layer()}", tuple(x.dims[a] for a in self.axes))
        i = tuple(Index(c) for c in LETTERS[: len(x.dims)])
        return Block(h, (equation(h[tuple(i[a] for a in self.axes)], x[i]),))


def reshaped(x: Tensor, dims: Sequence[Dim], name: str) -> Equation:
    """The equation of a tensor of other dimensions, from x's entries in row-major order.

    Both begin with the same axis where one has no size. Runs of axes of equal product are matched, so that an axis
    that stays keeps a plain index.
    """
    from sympy import Integer

    from ...language.nodes import Index

    h = Tensor(name, tuple(dims))
    i = tuple(Index(c) for c in LETTERS[: len(h.dims)])
    positions: list[Any] = [Integer(0)] * len(x.dims)
    skip = 1 if x.dims and x.dims[0].size is None else 0
    positions[:skip] = i[:skip]
    for old, new in _runs([d.size or 0 for d in x.dims], [d.size or 0 for d in h.dims], skip):
        flat: Any = Integer(0)
        for axis in new:
            flat = flat * h.dims[axis].size + i[axis]
        stride = math.prod(x.dims[axis].size or 0 for axis in old)
        for axis in old:
            size = x.dims[axis].size or 0
            stride //= size
            positions[axis] = flat if len(old) == 1 else part(flat, stride, size)
    return equation(h[i], x[tuple(positions)])


def _runs(old: Sequence[int], new: Sequence[int], skip: int) -> Iterator[tuple[list[int], list[int]]]:
    """The shortest runs of axes (those of size 1 left out) of both sides that have equal products."""
    left = [a for a in range(skip, len(old)) if old[a] != 1]
    right = [a for a in range(skip, len(new)) if new[a] != 1]
    while left:
        here, there = [left.pop(0)], [right.pop(0)]
        while (one := math.prod(old[a] for a in here)) != (two := math.prod(new[a] for a in there)):
            if one < two:
                here.append(left.pop(0))
            else:
                there.append(right.pop(0))
        yield here, there


def _sizes(x: Tensor) -> list[int]:
    return [d.size or 0 for d in x.dims[1:]]
