"""The transposed convolution."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum
from ...language.tensor import Dim, Tensor
from ..equation import Block, equation
from .base import Names
from .checks import take, whole, wholes
from .weighted import Weighted, check_no_rows


@dataclass(frozen=True, slots=True, repr=False)
class ConvTranspose2d(Weighted):
    """z[n,o,i,j] = sum over c, u, v of W[c,o,u,v]*x[n, c, (i + padding - dilation*u)/stride, ...] + b[o].

    x counts as 0 beyond its ends and between its entries (at fractions): the adjoint of `Conv2d` in x, with the
    same W. Shape (N, channels, H, W) to (N, filters, H', W'), H' = (H - 1)*stride - 2*padding +
    dilation*(kernel - 1) + output_padding + 1. W has PyTorch's shape (channels, filters, *kernel), and so its default
    limits, 1/sqrt(filters*kernel area). No groups.
    """

    filters: int
    kernel: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0
    output_padding: int | tuple[int, int] = 0
    dilation: int | tuple[int, int] = 1

    def __post_init__(self) -> None:
        self.check()
        check_no_rows(self)
        whole(self.filters, "filters")
        for _, stride, _, extra, dilation in self._axes():
            if extra >= max(stride, dilation):
                raise DeclarationError(
                    f"output_padding must be less than stride or dilation; got {extra} with stride {stride} and "
                    f"dilation {dilation}"
                )

    def _axes(self) -> list[tuple[int, ...]]:
        """(kernel, stride, padding, output_padding, dilation) of both axes."""
        kernel, stride = wholes(self.kernel, 2, "kernel"), wholes(self.stride, 2, "stride")
        padding, extra = wholes(self.padding, 2, "padding", 0), wholes(self.output_padding, 2, "output_padding", 0)
        return list(zip(kernel, stride, padding, extra, wholes(self.dilation, 2, "dilation"), strict=True))

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of z and of a = f(z)."""
        from ...language.nodes import Index

        x = take(self, inputs, "(N, channels, height, width)")
        number, axes = names.layer(), self._axes()
        out = (Dim(f"c{number}", self.filters), *self._places(x, number))
        kernel = tuple(Dim(f"{letter}{number}", axis[0]) for letter, axis in zip("kl", axes, strict=True))
        W = self.weight(names, (x.dims[1], out[0], *kernel))
        z = Tensor(f"z{number}", (x.dims[0], *out), adjoint=f"delta{number}")
        n, o, c = (Index(letter) for letter in "noc")
        i, u = (tuple(Index(letter) for letter in letters) for letters in ("ij", "uv"))
        places = [(i[a] + p - d * u[a]) / s for a, (_, s, p, _, d) in enumerate(axes)]
        total = Sum(W[(c, o, *u)] * x.padded[(n, c, *places)], c, *u)
        fan_in = self.filters * axes[0][0] * axes[1][0]
        return self.activated(names, number, equation(z[(n, o, *i)], self.plus_bias(names, total, o, out[0], fan_in)))

    def _places(self, x: Tensor, number: int) -> list[Dim]:
        dims = []
        for axis, (kernel, stride, padding, extra, dilation) in enumerate(self._axes(), 2):
            length = x.dims[axis].size
            assert length is not None
            size = (length - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
            if size < 1:
                raise ShapeError(
                    f"{self!r}: from axis {axis} of {x.name} {x.shape_text}, {length} entries, it makes one of {size}; "
                    "take less padding"
                )
            dims.append(Dim(f"{'pq'[axis - 2]}{number}", size))
        return dims
