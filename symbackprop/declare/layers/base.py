"""What a layer is: a record with `build`, and the names it hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ...language.tensor import Tensor
from ..equation import Block


@dataclass
class Names:
    """Numbers the layers of a network as they are built: 1, 2, ..."""

    count: int = field(default=0)

    def layer(self) -> int:
        """The number of the next layer."""
        self.count += 1
        return self.count


class Layer(Protocol):
    """A plain record that turns a tensor into a block of equations."""

    def build(self, x: Tensor, names: Names) -> Block:
        """The layer's equations on `x`."""
