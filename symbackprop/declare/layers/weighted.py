"""What layers with a weight, a bias and an activation have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError
from ...language.tensor import Dim, Tensor
from ...records import Equation, Initializer
from .. import initializers
from ..activations import ROW_ACTIVATIONS, activate, check_activation
from ..equation import Block
from ..regularizers import Regularizer, check_regularizer, penalized
from .base import Layer, Names
from .checks import check_initializers


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Weighted(Layer):
    """z made with a weight, plus a bias, then the activation a = f(z).

    `init` and `bias_init` are initializers; by default both are uniform on +-1/sqrt(fan-in), as PyTorch's. A layer
    that is not `trainable` keeps its first values. The regularizers are penalties on W, on b and on the output.
    """

    activation: Any = None
    bias: bool = True
    init: Initializer | None = None
    bias_init: Initializer | None = None
    trainable: bool = True
    weight_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None
    activity_regularizer: Regularizer | None = None

    def check(self) -> None:
        """Raise `DeclarationError` for a wrong activation or initializer."""
        check_activation(self.activation)
        check_initializers(self.init, self.bias_init)
        for what in ("weight_regularizer", "bias_regularizer", "activity_regularizer"):
            check_regularizer(getattr(self, what), what)

    def weight(self, names: Names, dims: tuple[Dim, ...]) -> Tensor:
        """W, its first axis being the outputs."""
        return names.parameter(self, "W", dims, self.init or initializers.fan_in_uniform(), decay=True)

    def plus_bias(self, names: Names, total: Any, j: Any, dim: Dim, fan_in: int) -> Any:
        """`total` with b[j] added where the layer has a bias."""
        if not self.bias:
            return total
        limit = 1 / math.sqrt(fan_in)
        return total + names.parameter(self, "b", (dim,), self.bias_init or initializers.uniform(-limit, limit))[j]

    def activated(self, names: Names, number: int, *equations: Equation) -> Block:
        """The equations, the last of which gives z, and that of a = f(z); with the penalties on W, b and the output."""
        penalties = [*penalized(self.weight_regularizer, names.owned_by(self, "W", self))]
        if self.bias:
            penalties += penalized(self.bias_regularizer, names.owned_by(self, "b", self))
        return activated(self, number, equations, penalties)


def activated(layer: Any, number: int, equations: Sequence[Equation], penalties: Sequence[Any]) -> Block:
    """The equations, the last of which gives z, and that of the layer's a = f(z); with `penalties` and the output's."""
    made = list(equations)
    if layer.activation not in (None, "identity"):
        made.append(activate(layer.activation, made[-1].lhs, f"a{number}"))
    output = made[-1].lhs
    activity = penalized(layer.activity_regularizer, output, activity=True)
    return Block(output, tuple(made), penalties=(*penalties, *activity))


def check_no_rows(layer: Weighted) -> None:
    """Raise `DeclarationError` for an activation along the last axis, where that is a place and no feature."""
    if isinstance(layer.activation, str) and layer.activation in ROW_ACTIVATIONS:
        raise DeclarationError(
            f"{type(layer).__name__}: {layer.activation} runs along the last axis, which is a place here, not the "
            "channels; flatten first, or write it with sb.equation"
        )
