"""A layer that takes the weights of another one, transposed: the decoder of a tied autoencoder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum
from ...language.tensor import Tensor
from ...records import Initializer
from .. import initializers
from ..activations import check_activation
from ..equation import Block, equation
from ..regularizers import Penalized, Regularizer, check_regularizer, penalized
from .base import Layer, Names
from .checks import check_initializers
from .dense import LETTERS, Dense
from .weighted import activated


@dataclass(frozen=True, slots=True, repr=False)
class Tied(Layer):
    """z = x W + b for the W (width, inputs) of a `Dense` layer used before it, then the activation; b is its own."""

    layer: Dense
    activation: Any = None
    bias: bool = True
    bias_init: Initializer | None = None
    trainable: bool = True
    bias_regularizer: Regularizer | None = None
    activity_regularizer: Regularizer | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Dense):
            raise DeclarationError(f"Tied takes the sb.Dense layer whose weights it shares; got {self.layer!r}")
        check_activation(self.activation)
        check_initializers(self.bias_init)
        check_regularizer(self.bias_regularizer, "bias_regularizer")
        check_regularizer(self.activity_regularizer, "activity_regularizer")
        if self.bias_regularizer is not None and not self.bias:
            raise DeclarationError(f"{self!r} has a bias_regularizer, but no bias; drop one of the two options")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of z and of a = f(z)."""
        from ...language.nodes import Index

        (x,) = inputs
        W, number = names.owned_by(self.layer, "W", self), names.layer()
        width, out = W.dims
        if len(x.dims) < 2 or x.dims[-1].size != width.size:
            raise ShapeError(
                f"{self!r} takes (N, ..., {width}), for {W.name} is {W.shape_text}; got {names.describe(x)}"
            )
        z = Tensor(f"z{number}", (*x.dims[:-1], out), adjoint=f"delta{number}")
        *lead, j, k = (Index(c) for c in LETTERS[: len(x.dims) - 1] + "jk")
        total = Sum(W[k, j] * x[(*lead, k)], k)
        penalties: tuple[Penalized, ...] = ()
        if self.bias:
            assert width.size is not None
            limit = 1 / math.sqrt(width.size)
            b = names.parameter(self, "b", (out,), self.bias_init or initializers.uniform(-limit, limit))
            total, penalties = total + b[j], penalized(self.bias_regularizer, b)
        return activated(self, number, (equation(z[(*lead, j)], total),), penalties)
