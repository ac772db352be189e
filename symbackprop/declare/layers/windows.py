"""Windows that slide over the last axes of a tensor: where they read, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import DeclarationError, ShapeError
from ...language.tensor import Dim, Tensor
from .checks import wholes

if TYPE_CHECKING:
    from sympy import Expr

    from ...language.nodes import Index


@dataclass(frozen=True, slots=True)
class Window:
    """A window along one axis: it reads `size` entries, `dilation` apart, from `stride*i - before` on."""

    size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Entries from the first one that it reads to the last."""
        return self.dilation * (self.size - 1) + 1

    def count(self, length: int) -> int:
        """How many windows fit on an axis; less than 1: none."""
        return (length + self.before + self.after - self.reach) // self.stride + 1

    def position(self, i: Index, u: Index) -> Expr:
        """The place that window i reads with its entry u."""
        return self.stride * i + self.dilation * u - self.before

    def leaves(self, length: int) -> bool:
        """Whether a window reads beyond the axis."""
        last = self.stride * (self.count(length) - 1) - self.before + self.reach
        return self.before > 0 or last > length


def windows(size: Any, stride: Any, padding: Any, dilation: Any, axes: int) -> tuple[Window, ...]:
    """One window for every axis; `padding` is "same" for as many windows as entries (only with stride 1)."""
    sizes, strides = wholes(size, axes, "the size of a window"), wholes(stride, axes, "stride")
    dilations = wholes(dilation, axes, "dilation")
    if isinstance(padding, str):
        if padding != "same":
            raise DeclarationError(f'padding is an integer, a tuple of {axes} or "same"; got {padding!r}')
        if any(s != 1 for s in strides):
            raise DeclarationError(f'padding="same" needs stride 1; got stride={stride!r}')
        totals = [d * (k - 1) for d, k in zip(dilations, sizes, strict=True)]
        pads = [(t // 2, t - t // 2) for t in totals]
    else:
        pads = [(p, p) for p in wholes(padding, axes, "padding", 0)]
    rows = zip(sizes, strides, pads, dilations, strict=True)
    return tuple(Window(k, s, before, after, d) for k, s, (before, after), d in rows)


def window_dims(layer: Any, x: Tensor, over: Sequence[Window], names: str, number: int) -> tuple[Dim, ...]:
    """The dimensions of the windows' numbers along the last axes of x; `ShapeError` where no window fits."""
    dims = []
    first = len(x.dims) - len(over)
    for axis, (window, letter) in enumerate(zip(over, names, strict=False), first):
        length = x.dims[axis].size
        assert length is not None
        if window.count(length) < 1:
            padded = length + window.before + window.after
            shape = ", ".join(str(w.size) for w in over)
            raise ShapeError(
                f"{layer!r}: its window ({shape}) reaches over {window.reach} entries of axis {axis} of {x.name} "
                f"{x.shape_text}, which has {length}, {padded} with its padding; take a smaller window or more padding"
            )
        dims.append(Dim(f"{letter}{number}", window.count(length)))
    return tuple(dims)


def read(x: Tensor, lead: Sequence[Any], over: Sequence[Window], at: Sequence[Any], beyond: str = "padded") -> Any:
    """The entry of x that windows read, `at` being the pairs (i, u); `beyond` is padded or lowest."""
    lengths = [d.size for d in x.dims[len(lead) :]]
    places = tuple(w.position(i, u) for w, (i, u) in zip(over, at, strict=True))
    outside = any(w.leaves(length or 0) for w, length in zip(over, lengths, strict=True))
    return (getattr(x, beyond) if outside else x)[(*lead, *places)]
