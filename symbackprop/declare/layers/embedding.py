"""Embedding: a row of a table for each whole number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.tensor import Dim, Tensor
from ...records import Initializer
from .. import initializers
from ..equation import Block, equation
from ..regularizers import Regularizer, check_regularizer, penalized
from .base import Layer, Names
from .checks import check_initializers, whole


@dataclass(frozen=True, slots=True, repr=False)
class Embedding(Layer):
    """h[n, t, j] = E[tok[n, t], j]: (N, ...) of whole numbers 0 to vocabulary - 1 to (N, ..., width).

    The tokens are an input with levels, `sb.Input(8, levels=100)`. E is (vocabulary, width), by default N(0, 1) as
    PyTorch's.
    """

    vocabulary: int
    width: int
    init: Initializer | None = None
    trainable: bool = True
    weight_regularizer: Regularizer | None = None

    def __post_init__(self) -> None:
        whole(self.vocabulary, "vocabulary")
        whole(self.width, "width")
        check_initializers(self.init)
        check_regularizer(self.weight_regularizer, "weight_regularizer")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of h."""
        from ...language.nodes import Index

        tok = self._tokens(inputs)
        number = names.layer()
        rows, width = Dim(f"v{number}", self.vocabulary), Dim(f"n{number}", self.width)
        E = names.parameter(self, "E", (rows, width), self.init or initializers.normal(0, 1), decay=True)
        h = Tensor(f"h{number}", (*tok.dims, width))
        *i, j = (Index(letter) for letter in "ntpqrs"[: len(tok.dims)] + "j")
        rows_read = equation(h[(*i, j)], E[tok[tuple(i)], j])
        return Block(h, (rows_read,), penalties=penalized(self.weight_regularizer, E))

    def _tokens(self, inputs: tuple[Tensor, ...]) -> Tensor:
        if len(inputs) != 1:
            raise DeclarationError(f"{self!r} takes one tensor; got {len(inputs)}")
        (tok,) = inputs
        where: Any = f"{tok.name} {tok.shape_text}"
        if tok.levels is None:
            raise DeclarationError(
                f"{self!r} looks rows up by whole numbers, but {where} holds real ones; "
                f"declare them as sb.Input(..., levels={self.vocabulary})"
            )
        if tok.levels > self.vocabulary:
            raise ShapeError(
                f"{self!r}: labels outside the vocabulary: {where} holds whole numbers 0 to {tok.levels - 1}, and E "
                f"({self.vocabulary}, {self.width}) has rows 0 to {self.vocabulary - 1}"
            )
        return tok
