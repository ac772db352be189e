"""Pooling: the maximum or the mean of windows, or of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import DeclarationError
from ...language.functions import MaxOver, Sum
from ...language.tensor import Dim, Tensor
from ..equation import Block, equation
from .base import Layer, Names
from .checks import take, wholes
from .windows import Window, read, window_dims, windows

FORMS = {1: "(N, channels, length)", 2: "(N, channels, height, width)"}


@dataclass(frozen=True, slots=True, repr=False)
class Pool(Layer):
    """Windows of `size` entries, `stride` apart (default: size, side by side), along the last axes.

    `padding` entries may stand before and after, at most half a window (PyTorch's rule). A window that does not fit
    any more is left out. All are integers or one for every axis.
    """

    size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: int | tuple[int, ...] = 0
    places: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for window in self._windows():
            if 2 * window.before > window.size:
                raise DeclarationError(
                    f"a pooling window's padding is at most half its size; got {window.before} for {window.size}"
                )

    def _windows(self) -> tuple[Window, ...]:
        stride = self.size if self.stride is None else self.stride
        return windows(self.size, stride, wholes(self.padding, self.places, "padding", 0), 1, self.places)

    def pool(self, names: Names, inputs: tuple[Tensor, ...], beyond: str, take_over: Callable[..., Any]) -> Block:
        """The equation of h, `take_over(entry, u, ...)` being what is made of a window."""
        from ...language.nodes import Index

        x = take(self, inputs, FORMS[self.places])
        number, over = names.layer(), self._windows()
        h = Tensor(f"h{number}", (*x.dims[:2], *window_dims(self, x, over, "pq", number)))
        n, c, *i = (Index(letter) for letter in "ncij"[: 2 + self.places])
        u = [Index(letter, Dim(f"{k}{number}", w.size)) for letter, k, w in zip("uv", "kl", over, strict=False)]
        entry = read(x, (n, c), over, list(zip(i, u, strict=True)), beyond)
        return Block(h, (equation(h[(n, c, *i)], take_over(entry, *u)),))


@dataclass(frozen=True, slots=True, repr=False)
class MaxPool(Pool):
    """The largest entry of each window; of equal ones the first gets the gradient. Padding is never the largest."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of h."""
        return self.pool(names, inputs, "lowest", MaxOver)


@dataclass(frozen=True, slots=True, repr=False)
class AvgPool(Pool):
    """The mean of each window; padding counts as zeros (PyTorch's default, count_include_pad)."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of h."""
        area = 1
        for window in self._windows():
            area *= window.size
        return self.pool(names, inputs, "padded", lambda entry, *u: Sum(entry, *u) / area)


@dataclass(frozen=True, slots=True, repr=False)
class MaxPool1d(MaxPool):
    """Maximum over windows of (N, channels, length); see `Pool`."""

    places: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, repr=False)
class MaxPool2d(MaxPool):
    """Maximum over windows of (N, channels, height, width); see `Pool`."""

    places: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, repr=False)
class AvgPool1d(AvgPool):
    """Mean over windows of (N, channels, length); see `Pool`."""

    places: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, repr=False)
class AvgPool2d(AvgPool):
    """Mean over windows of (N, channels, height, width); see `Pool`."""

    places: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, repr=False)
class GlobalAvgPool(Layer):
    """The mean over all axes after the channels': (N, channels, ...) to (N, channels)."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of h."""
        from ...language.nodes import Index, Size

        x = take(self, inputs, "(N, channels, length)", "(N, channels, height, width, ...)")
        h = Tensor(f"h{names.layer()}", x.dims[:2])
        n, c, *over = (Index(letter) for letter in "ncijkmpq"[: len(x.dims)])
        mean: Any = Sum(x[(n, c, *over)], *over)
        for dim in x.dims[2:]:
            mean = mean / Size(dim)
        return Block(h, (equation(h[n, c], mean),))
