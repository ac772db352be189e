"""A function of tensors as a layer, for the functional style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import DeclarationError
from ...language.tensor import Tensor
from ..equation import Block
from ..handle import Handle, Node
from .base import Layer, Names


@dataclass(frozen=True, slots=True, repr=False)
class Function(Layer):
    """A function of tensors that returns `sb.layer(output, equation, ...)`: `sb.layers.Function(f)(a, b)`.

    In a list of layers the function may stand as it is.
    """

    function: Callable[..., Any]
    takes: ClassVar[Any] = (0, None)

    def __post_init__(self) -> None:
        given: Any = self.function
        if not callable(given) or isinstance(given, (type, Layer)):
            raise DeclarationError(f"sb.layers.Function takes a function of tensors; got {self.function!r}")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """What the function returns for the inputs."""
        made: Block = self.function(*inputs)
        return made


def apply(function: Callable[..., Any], *inputs: Handle, name: str | None = None) -> Node:
    """The handle of `function(tensor, ...)`, which returns `sb.layer(...)`: `Function(function)(...)` in short."""
    return Function(function)(*inputs, name=name)
