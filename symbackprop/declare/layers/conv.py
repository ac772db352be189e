"""Convolutions, as neural networks have them: cross-correlations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import ShapeError
from ...language.functions import Sum
from ...language.tensor import Dim, Tensor
from ...records import Equation
from ..equation import Block, equation
from .base import Names
from .checks import take, whole
from .shape import reshaped
from .weighted import Weighted, check_no_rows
from .windows import read, window_dims, windows


@dataclass(frozen=True, slots=True, repr=False)
class Convolution(Weighted):
    """z[n,o,i] = sum over c, u of W[o,c,u]*x[n, c, stride*i + dilation*u - padding] + b[o], x being 0 beyond its ends.

    PyTorch's definition, without turning the kernel around. W has shape (filters, channels/groups, *kernel); with
    `groups`, each group of filters sees its own group of channels (`groups=channels`: depthwise). `kernel`, `stride`,
    `padding` and `dilation` are integers or one for every axis; `padding="same"` keeps the size (stride 1 only).
    """

    filters: int
    kernel: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] | str = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    places: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.check()
        check_no_rows(self)
        whole(self.filters, "filters")
        whole(self.groups, "groups")
        windows(self.kernel, self.stride, self.padding, self.dilation, self.places)

    def convolve(self, names: Names, x: Tensor) -> Block:
        """The equations of z and a = f(z); with several groups also those that part and join them."""
        over = windows(self.kernel, self.stride, self.padding, self.dilation, self.places)
        channels = x.dims[1].size
        assert channels is not None
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"{self!r}: {channels} channels of {x.name} {x.shape_text} and {self.filters} filters are not both "
                f"divisible by {self.groups} groups"
            )
        number = names.layer()
        out = (Dim(f"c{number}", self.filters), *window_dims(self, x, over, "pq", number))
        kernel = tuple(Dim(f"{letter}{number}", w.size) for letter, w in zip("kl", over, strict=False))
        local = x.dims[1] if self.groups == 1 else Dim(f"m{number}", channels // self.groups)
        W = self.weight(names, (out[0], local, *kernel))
        fan_in = math.prod((channels // self.groups, *(w.size for w in over)))
        z = Tensor(f"z{number}", (x.dims[0], *out), adjoint=f"delta{number}")
        if self.groups == 1 or self.groups == channels == self.filters:
            return self.activated(names, number, self._plain(names, x, W, z, fan_in))
        return self.activated(names, number, *self._grouped(names, x, W, z, fan_in, number))

    def _plain(self, names: Names, x: Tensor, W: Tensor, z: Tensor, fan_in: int) -> Equation:
        """One equation: every filter sees all channels, or its own one."""
        n, o, c, i, u = self._indices()
        channel = c if self.groups == 1 else o
        over = windows(self.kernel, self.stride, self.padding, self.dilation, self.places)
        entry = read(x, (n, channel), over, tuple(zip(i, u, strict=True)))
        total = Sum(W[(o, c, *u)] * entry, c, *u)
        return equation(z[(n, o, *i)], self.plus_bias(names, total, o, z.dims[1], fan_in))

    def _grouped(self, names: Names, x: Tensor, W: Tensor, z: Tensor, fan_in: int, number: int) -> Sequence[Equation]:
        """Channels and filters as (group, place in the group), the convolution, and z with its filters in a row."""
        from ...language.nodes import Index

        g = Index("g")
        n, o, c, i, u = self._indices()
        group = Dim(f"g{number}", self.groups)
        filters = Dim(f"o{number}", self.filters // self.groups)
        xg = reshaped(x, (x.dims[0], group, W.dims[1], *x.dims[2:]), f"x{number}g")
        Wg = reshaped(W, (group, filters, *W.dims[1:]), f"W{number}g")
        zg = Tensor(f"z{number}g", (z.dims[0], group, filters, *z.dims[2:]))
        over = windows(self.kernel, self.stride, self.padding, self.dilation, self.places)
        entry = read(xg.lhs, (n, g, c), over, tuple(zip(i, u, strict=True)))
        apart = equation(zg[(n, g, o, *i)], Sum(Wg.lhs[(g, o, c, *u)] * entry, c, *u))
        row = reshaped(zg, z.dims, z.name)
        joined = Tensor(z.name, z.dims, adjoint=z.adjoint)
        bias = self.plus_bias(names, row.rhs, row.indices[1], z.dims[1], fan_in)
        return xg, Wg, apart, equation(joined[row.indices], bias)

    def _indices(self) -> tuple[Any, Any, Any, tuple[Any, ...], tuple[Any, ...]]:
        """n, o, c, the places of the output and those in the kernel."""
        from ...language.nodes import Index

        n, o, c = (Index(letter) for letter in "noc")
        i, u = (tuple(Index(letter) for letter in letters[: self.places]) for letters in ("ij", "uv"))
        return n, o, c, i, u


@dataclass(frozen=True, slots=True, repr=False)
class Conv1d(Convolution):
    """Convolution of (N, channels, length) to (N, filters, length'); see `Convolution`."""

    places: ClassVar[int] = 1

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations."""
        return self.convolve(names, take(self, inputs, "(N, channels, length)"))


@dataclass(frozen=True, slots=True, repr=False)
class Conv2d(Convolution):
    """Convolution of (N, channels, height, width) to (N, filters, height', width'); see `Convolution`."""

    places: ClassVar[int] = 2

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations."""
        return self.convolve(names, take(self, inputs, "(N, channels, height, width)"))
