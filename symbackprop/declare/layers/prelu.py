"""PReLU: a ReLU with a trained slope."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ShapeError
from ...language.functions import where
from ...language.tensor import Tensor
from ...records import Initializer
from .. import initializers
from ..equation import Block, equation
from .base import Layer, Names
from .checks import check_initializers, take


@dataclass(frozen=True, slots=True, repr=False)
class PReLU(Layer):
    """a = x where x > 0, else alpha*x; derivative alpha at 0. Shape (N, ...) kept.

    One slope, or with `channelwise` one for every entry of axis 1 (PyTorch's `num_parameters`). alpha starts at 0.25,
    and weight decay leaves it alone.
    """

    channelwise: bool = False
    init: Initializer | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        check_initializers(self.init)

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of a."""
        from ...language.nodes import Index

        x = take(self, inputs, "(N, ...)")
        if self.channelwise and len(x.dims) < 2:
            raise ShapeError(f"{self!r} has a slope for every entry of axis 1; {x.name} is {x.shape_text}")
        number = names.layer()
        dims = x.dims[1:2] if self.channelwise else ()
        alpha = names.parameter(self, "alpha", dims, self.init or initializers.constant(0.25))
        i = tuple(Index(c) for c in "njkmpqrs"[: len(x.dims)])
        a = Tensor(f"a{number}", x.dims)
        slope = alpha[i[1:2] if self.channelwise else ()]
        return Block(a, (equation(a[i], where(x[i] > 0, x[i], slope * x[i])),))
