"""An activation as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError
from ...language.tensor import Tensor
from ..activations import activate, check_activation
from ..equation import Block
from .base import Layer, Names


@dataclass(frozen=True, slots=True)
class Activation(Layer):
    """a = f(x) elementwise (or along the last axis, as softmax)."""

    function: Any

    def __post_init__(self) -> None:
        if self.function is None:
            raise DeclarationError('Activation needs a function, as in sb.Activation("relu")')
        check_activation(self.function)

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equation of a."""
        (x,) = inputs
        active = activate(self.function, x, f"a{names.layer()}")
        return Block(active.lhs, (active,))
