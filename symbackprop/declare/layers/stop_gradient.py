"""A tensor that differentiation takes for a constant."""

from __future__ import annotations

from dataclasses import dataclass

from ...language.functions import stop_gradient
from ...language.tensor import Tensor
from ..equation import Block, equation
from .base import Layer, Names
from .join import LETTERS


@dataclass(frozen=True, slots=True, repr=False)
class StopGradient(Layer):
    """h = x, and no gradient goes back through it."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of h."""
        from ...language.nodes import Index

        (x,) = inputs
        h = Tensor(f"h{names.layer()}", x.dims, traits=x.traits)
        at = tuple(Index(letter) for letter in LETTERS[: len(x.dims)])
        return Block(h, (equation(h[at], stop_gradient(x[at])),))
