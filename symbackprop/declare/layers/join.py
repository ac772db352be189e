"""Joins entry by entry: the sum, the difference and the product of tensors of one shape."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import ShapeError
from ...language.tensor import Tensor
from ..equation import Block, equation
from .base import Layer, Names

LETTERS = "njkmpqrs"


@dataclass(frozen=True, slots=True, repr=False)
class Join(Layer):
    """What joins have in common: at least two inputs of one shape, which the output has too."""

    takes: ClassVar[Any] = (2, None)
    combine: ClassVar[Callable[[Any, Any], Any]]
    stem: ClassVar[str] = "s"

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of the output; raises `ShapeError` unless all shapes are equal."""
        from ...language.nodes import Index

        first = inputs[0]
        for other in inputs[1:]:
            if other.sizes != first.sizes:
                raise ShapeError(
                    f"{self!r} joins tensors of one shape; got {names.describe(first)} and {names.describe(other)}; "
                    "bring one to the other's shape first, as with sb.Dense or sb.layers.Reshape, or use "
                    "sb.layers.Concatenate"
                )
        joined = Tensor(f"{self.stem}{names.layer()}", first.dims)
        at = tuple(Index(letter) for letter in LETTERS[: len(first.dims)])
        total: Any = first[at]
        for other in inputs[1:]:
            total = type(self).combine(total, other[at])
        return Block(joined, (equation(joined[at], total),))


@dataclass(frozen=True, slots=True, repr=False)
class Add(Join):
    """s = a + b + ..., entry by entry: residual and skip connections. `a + b` of handles is the same."""

    combine: ClassVar[Callable[[Any, Any], Any]] = operator.add


@dataclass(frozen=True, slots=True, repr=False)
class Subtract(Join):
    """s = a - b, entry by entry. `a - b` of handles is the same."""

    takes: ClassVar[Any] = 2
    combine: ClassVar[Callable[[Any, Any], Any]] = operator.sub


@dataclass(frozen=True, slots=True, repr=False)
class Multiply(Join):
    """m = a*b*..., entry by entry: gates. `a * b` of handles is the same."""

    combine: ClassVar[Callable[[Any, Any], Any]] = operator.mul
    stem: ClassVar[str] = "m"
