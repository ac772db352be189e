"""What a layer is, and the names that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import ShapeError
from ...language.tensor import Dim, Tensor
from ...records import Initializer
from ..equation import Block


class Layer:
    """A layer is a frozen record whose `build` writes its forward equations.

    A layer that is used twice has one set of parameters: it asks for them by `names.parameter(self, ...)`.
    """

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of the output, from tensors that exist already."""
        raise NotImplementedError


@dataclass
class Names:
    """Numbers the layers of a network as they are built: 1, 2, ..., and keeps each layer's parameters."""

    count: int = 0
    owned: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)

    def layer(self) -> int:
        """The number of the next use of a layer."""
        self.count += 1
        return self.count

    def parameter(
        self, layer: Any, stem: str, dims: Sequence[Dim], init: Initializer, *, decay: bool = False
    ) -> Tensor:
        """The layer's parameter, named by `stem` and the number of the layer's first use.

        `decay` says whether weight decay applies to it.
        """
        kind = "parameter" if getattr(layer, "trainable", True) else "state"
        traits = frozenset({"weight"} if decay else ())
        return self._own(layer, stem, Tensor(self._name(layer, stem), tuple(dims), kind, init, traits))

    def state(self, layer: Any, stem: str, dims: Sequence[Dim], init: Initializer) -> Tensor:
        """The layer's state, such as a running mean."""
        return self._own(layer, stem, Tensor(self._name(layer, stem), tuple(dims), "state", init))

    def _name(self, layer: Any, stem: str) -> str:
        return f"{stem}{self.numbers.setdefault(id(layer), self.count)}"

    def _own(self, layer: Any, stem: str, made: Tensor) -> Tensor:
        known = self.owned.setdefault((id(layer), stem), made)
        if known.sizes != made.sizes:
            raise ShapeError(
                f"{layer!r} is used twice: its {known.name} is {known.shape_text} from the first use, and the second "
                f"needs {made.shape_text}; layers that share weights need inputs of equal size"
            )
        return known
