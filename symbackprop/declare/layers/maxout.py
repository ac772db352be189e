"""Maxout: the largest of several linear maps."""

from __future__ import annotations

from dataclasses import dataclass

from ...language.functions import MaxOver, Sum
from ...language.tensor import Dim, Tensor
from ..equation import Block, equation
from .base import Names
from .checks import take, whole
from .weighted import Weighted


@dataclass(frozen=True, slots=True, repr=False)
class Maxout(Weighted):
    """a[n,j] = the largest of z[n, pieces*j + p], p = 0 ... pieces - 1, z = x W^T + b: (N, ..., d) to (N, ..., width).

    W has shape (width*pieces, d). Of equal pieces the first gets the gradient.
    """

    width: int
    pieces: int = 2

    def __post_init__(self) -> None:
        self.check()
        whole(self.width, "width")
        whole(self.pieces, "pieces")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of z and its largest pieces, and of an activation if there is one."""
        from ...language.nodes import Index

        x = take(self, inputs, "(N, ..., d)")
        number, fan_in = names.layer(), x.dims[-1]
        assert fan_in.size is not None
        rows, out = Dim(f"r{number}", self.width * self.pieces), Dim(f"n{number}", self.width)
        W = self.weight(names, (rows, fan_in))
        z = Tensor(f"z{number}", (*x.dims[:-1], rows), adjoint=f"delta{number}")
        *lead, j, k = (Index(c) for c in "nmpqrs"[: len(x.dims) - 1] + "jk")
        total = self.plus_bias(names, Sum(W[j, k] * x[(*lead, k)], k), j, rows, fan_in.size)
        linear = equation(z[(*lead, j)], total)
        piece = Index("u", Dim(f"k{number}", self.pieces))
        h = Tensor(f"h{number}", (*x.dims[:-1], out))
        largest = equation(h[(*lead, j)], MaxOver(z[(*lead, self.pieces * j + piece)], piece))
        return self.activated(names, number, linear, largest)
