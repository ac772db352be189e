"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import DeclarationError, did_you_mean
from ...language.functions import where
from ...language.tensor import Tensor, hyper_tensor, random
from ..bounds import Bounds
from ..equation import Block, equation
from ..schedule import first_value
from .base import Layer, Names
from .checks import take

SCALINGS = ("inverted", "at_inference")
SHARE = Bounds(least=0.0, below=1.0)


@dataclass(frozen=True, slots=True, repr=False)
class Dropout(Layer):
    """h = x where u >= p, else 0, for u uniform in [0, 1) drawn anew at every step; shape (N, ...) kept.

    `p` is the probability to drop an entry, 0 <= p < 1; it stays a run-time number, drop1, drop2, ... by the layer's
    number, and may be a schedule. `scaling="inverted"` (PyTorch's) divides by 1 - p in training and changes nothing at
    inference; `"at_inference"` is the lectures' form: nothing in training, times 1 - p at inference (they multiply by
    "p" there, which is then the probability to keep).
    """

    p: Any = 0.5
    scaling: str = "inverted"
    run_time: ClassVar[dict[str, str]] = {"drop": "p"}

    def __post_init__(self) -> None:
        if not SHARE.holds(first_value(self.p, "Dropout's p, the probability to drop,")):
            raise DeclarationError(f"Dropout's p is the probability to drop, 0 <= p < 1; got {self.p!r}")
        if self.scaling not in SCALINGS:
            raise DeclarationError(f"unknown scaling {self.scaling!r}.{did_you_mean(self.scaling, SCALINGS)}")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of h, in both modes."""
        from ...language.nodes import Index

        x = take(self, inputs, "(N, ...)")
        number = names.layer()
        p = hyper_tensor(f"drop{number}", first_value(self.p), SHARE)
        u, h = random(f"u{number}", x.dims), Tensor(f"h{number}", x.dims)
        i = tuple(Index(c) for c in "njkmpqrs"[: len(x.dims)])
        kept: Any = x[i] * where(u[i] >= p[()], 1, 0)
        inverted = self.scaling == "inverted"
        training = equation(h[i], kept / (1 - p) if inverted else kept)
        inference = equation(h[i], x[i] if inverted else (1 - p) * x[i])
        return Block(h, (training,), (inference,))
