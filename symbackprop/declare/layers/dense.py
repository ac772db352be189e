"""A fully connected layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum
from ...language.tensor import Dim, Tensor, as_dim
from ...records import Initializer
from .. import initializers
from ..activations import check_activation
from ..equation import Block, equation
from ..regularizers import Regularizer, check_regularizer, penalized
from .base import Layer, Names
from .checks import check_initializers, take
from .weighted import activated

LETTERS = "nmpqrs"


@dataclass(frozen=True, slots=True, repr=False)
class Dense(Layer):
    """z = x W^T + b, then the activation. W has shape (width, inputs), b (width,).

    `activation` is a name, a function of one expression, or a SymPy expression in one symbol. An input with more
    than two axes is mapped along its last one. `init` and `bias_init` are initializers; by default both are
    uniform on +-1/sqrt(inputs), as PyTorch's. A layer that is not `trainable` keeps its first values. The
    regularizers are penalties on W, on b and on the layer's output.
    """

    width: int
    activation: Any = None
    bias: bool = True
    init: Initializer | None = None
    bias_init: Initializer | None = None
    trainable: bool = True
    weight_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None
    activity_regularizer: Regularizer | None = None

    def __post_init__(self) -> None:
        as_dim(self.width)
        check_activation(self.activation)
        check_initializers(self.init, self.bias_init)
        for what in ("weight_regularizer", "bias_regularizer", "activity_regularizer"):
            check_regularizer(getattr(self, what), what)
        if self.bias_regularizer is not None and not self.bias:
            raise DeclarationError(f"{self!r} has a bias_regularizer, but no bias; drop one of the two options")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of z and of a = f(z)."""
        from ...language.nodes import Index

        (x,) = inputs
        if len(x.dims) < 2 or x.dims[-1].size is None:
            raise ShapeError(f"Dense({self.width}) maps the last axis of (N, ..., d); {x.name} is {x.shape_text}")
        take(self, inputs, "(N, ..., d)")
        number, fan_in = names.layer(), x.dims[-1]
        out = Dim(f"n{number}", as_dim(self.width).size)
        assert fan_in.size is not None
        W = names.parameter(self, "W", (out, fan_in), self.init or initializers.fan_in_uniform(), decay=True)
        z = Tensor(f"z{number}", (*x.dims[:-1], out), adjoint=f"delta{number}")
        *lead, j, k = (Index(c) for c in LETTERS[: len(x.dims) - 1] + "jk")
        total, penalties = Sum(W[j, k] * x[(*lead, k)], k), penalized(self.weight_regularizer, W)
        if self.bias:
            limit = 1 / math.sqrt(fan_in.size)
            b = names.parameter(self, "b", (out,), self.bias_init or initializers.uniform(-limit, limit))
            total, penalties = total + b[j], (*penalties, *penalized(self.bias_regularizer, b))
        return activated(self, number, (equation(z[(*lead, j)], total),), penalties)
