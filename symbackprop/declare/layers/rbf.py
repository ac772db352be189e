"""Radial basis functions."""

from __future__ import annotations

from dataclasses import dataclass

from ...language.functions import Sum, exp
from ...language.tensor import Dim, Tensor
from ...records import Initializer
from .. import initializers
from ..equation import Block, equation
from .base import Layer, Names
from .checks import check_initializers, positive, take, whole


@dataclass(frozen=True, slots=True, repr=False)
class RBF(Layer):
    """a[n,j] = exp(-d[n,j]/(2 sigma[j]^2)), d[n,j] = sum over k of (x[n,k] - C[j,k])^2: (N, d) to (N, width).

    The centers C (width, d), by default N(0, 1), and the radii sigma (width,), at first `radius`, are trained.
    """

    width: int
    radius: float = 1.0
    init: Initializer | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        whole(self.width, "width")
        positive(self.radius, "radius")
        check_initializers(self.init)

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of d and a."""
        from ...language.nodes import Index

        x = take(self, inputs, "(N, d)")
        number = names.layer()
        out = Dim(f"n{number}", self.width)
        C = names.parameter(self, "C", (out, x.dims[1]), self.init or initializers.normal(0, 1))
        sigma = names.parameter(self, "sigma", (out,), initializers.constant(self.radius))
        n, j, k = (Index(c) for c in "njk")
        d, a = Tensor(f"d{number}", (x.dims[0], out)), Tensor(f"a{number}", (x.dims[0], out))
        distance = equation(d[n, j], Sum((x[n, k] - C[j, k]) ** 2, k))
        return Block(a, (distance, equation(a[n, j], exp(-d[n, j] / (2 * sigma[j] ** 2)))))
