"""A bilinear form of two inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum
from ...language.tensor import Dim, Tensor
from .. import initializers
from ..equation import Block, equation
from .base import Names
from .checks import check_form, whole
from .weighted import Weighted


@dataclass(frozen=True, slots=True, repr=False)
class Bilinear(Weighted):
    """z[n,o] = sum over j, k of x1[n,j]*W[o,j,k]*x2[n,k] + b[o], then the activation.

    Takes two tensors, (N, ..., d1) and (N, ..., d2), equal but for the last axis. W has shape (width, d1, d2); by
    default it and b are uniform on +-1/sqrt(d1), as PyTorch's.
    """

    width: int
    takes: ClassVar[Any] = 2

    def __post_init__(self) -> None:
        self.check()
        whole(self.width, "width")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of z and of a = f(z)."""
        from ...language.nodes import Index

        if len(inputs) != 2:
            raise DeclarationError(
                f"{self!r} takes two tensors, as in sb.layers.Bilinear(8)(x1, x2); got {len(inputs)}"
            )
        one, two = inputs
        for x in inputs:
            check_form(self, x, "(N, ..., d)")
        if one.sizes[:-1] != two.sizes[:-1]:
            raise ShapeError(
                f"{self!r}: {one.name} {one.shape_text} and {two.name} {two.shape_text} differ before their last axis"
            )
        number, d1, d2 = names.layer(), one.dims[-1], two.dims[-1]
        assert d1.size is not None
        out, limit = Dim(f"n{number}", self.width), 1 / d1.size**0.5
        init = self.init or initializers.uniform(-limit, limit)
        W = names.parameter(self, "W", (out, d1, d2), init, decay=True)
        z = Tensor(f"z{number}", (*one.dims[:-1], out), adjoint=f"delta{number}")
        *lead, o, j, k = (Index(c) for c in "nmpqrs"[: len(one.dims) - 1] + "ojk")
        total = Sum(one[(*lead, j)] * W[o, j, k] * two[(*lead, k)], j, k)
        return self.activated(names, number, equation(z[(*lead, o)], self.plus_bias(names, total, o, out, d1.size)))
