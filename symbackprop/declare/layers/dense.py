"""A fully connected layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import NoneType
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum
from ...language.tensor import Dim, Tensor, as_dim
from ...records import Initializer
from .. import initializers
from ..activations import activate, check_activation
from ..equation import Block, equation
from .base import Layer, Names


@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """z = x W^T + b, then the activation. W has shape (width, inputs), b (width,).

    `activation` is a name, a function of one expression, or a SymPy expression in one symbol. An input with more
    than two axes is mapped along its last one. `init` and `bias_init` are initializers; by default both are
    uniform on +-1/sqrt(inputs), as PyTorch's.
    """

    width: int
    activation: Any = None
    bias: bool = True
    init: Initializer | None = None
    bias_init: Initializer | None = None

    def __post_init__(self) -> None:
        as_dim(self.width)
        check_activation(self.activation)
        for init in (self.init, self.bias_init):
            if not isinstance(init, (Initializer, NoneType)):
                raise DeclarationError(f"an initializer is made by sb.init, as sb.init.he_normal(); got {init!r}")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of z and of a = f(z)."""
        from ...language.nodes import Index

        (x,) = inputs
        if len(x.dims) < 2 or x.dims[-1].size is None:
            raise ShapeError(f"Dense({self.width}) maps the last axis of (N, ..., d); {x.name} is {x.shape_text}")
        number, fan_in = names.layer(), x.dims[-1]
        out = Dim(f"n{number}", as_dim(self.width).size)
        assert fan_in.size is not None
        limit = 1 / math.sqrt(fan_in.size)
        W = names.parameter(self, "W", (out, fan_in), self.init or initializers.fan_in_uniform(), decay=True)
        z = Tensor(f"z{number}", (*x.dims[:-1], out), adjoint=f"delta{number}")
        *lead, j, k = (Index(c) for c in "nmpqrs"[: len(x.dims) - 1] + "jk")
        total = Sum(W[j, k] * x[(*lead, k)], k)
        if self.bias:
            b = names.parameter(self, "b", (out,), self.bias_init or initializers.uniform(-limit, limit))
            total = total + b[j]
        linear = equation(z[(*lead, j)], total)
        if self.activation in (None, "identity"):
            return Block(z, (linear,))
        active = activate(self.activation, z, f"a{number}")
        return Block(active.lhs, (linear, active))
