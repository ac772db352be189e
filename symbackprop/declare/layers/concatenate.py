"""Tensors one after the other along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import DeclarationError, ShapeError
from ...language.tensor import Dim, Tensor
from ..equation import Block, equation
from .base import Layer, Names
from .join import LETTERS


@dataclass(frozen=True, slots=True, repr=False)
class Concatenate(Layer):
    """c = the inputs one after the other along `axis` (the batch is axis 0 and cannot be it); other axes are equal."""

    axis: int = -1
    takes: ClassVar[Any] = (2, None)

    def __post_init__(self) -> None:
        if type(self.axis) is not int or self.axis == 0:
            raise DeclarationError(f"Concatenate's axis is an integer other than 0, the batch; got {self.axis!r}")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of c: every input is read where it stands, and is 0 beyond its ends."""
        from ...language.nodes import Index

        axis, number = self._axis(names, inputs), names.layer()
        lengths = [x.sizes[axis] or 0 for x in inputs]
        dims = list(inputs[0].dims)
        dims[axis] = Dim(f"n{number}", sum(lengths))
        joined = Tensor(f"c{number}", tuple(dims))
        at = tuple(Index(letter) for letter in LETTERS[: len(dims)])
        total: Any = 0
        for place, x in enumerate(inputs):
            shifted: list[Any] = list(at)
            shifted[axis] = at[axis] - sum(lengths[:place])
            total = total + x.padded[tuple(shifted)]
        return Block(joined, (equation(joined[at], total),))

    def _axis(self, names: Names, inputs: tuple[Tensor, ...]) -> int:
        """The axis counted from 0; raises `ShapeError` where the shapes do not fit."""
        first = inputs[0]
        axis = self.axis + len(first.dims) if self.axis < 0 else self.axis
        if not 0 < axis < len(first.dims):
            raise ShapeError(f"{self!r}: {names.describe(first)} has no axis {self.axis} behind the batch")
        for other in inputs[1:]:
            rest = [sizes[:axis] + sizes[axis + 1 :] for sizes in (first.sizes, other.sizes)]
            if len(other.dims) != len(first.dims) or rest[0] != rest[1]:
                raise ShapeError(
                    f"{self!r} joins tensors whose axes but axis {axis} are equal; got {names.describe(first)} and "
                    f"{names.describe(other)}; reshape one of them, or join along another axis"
                )
        return axis
