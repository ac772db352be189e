"""What a layer is, and the names that it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...errors import DeclarationError, ShapeError
from ...language.tensor import Dim, Tensor
from ...records import Initializer
from ..equation import Block
from ..handle import Handle, Node, brief


class Layer:
    """A layer is a frozen record whose `build` writes its forward equations.

    Called with handles, `sb.Dense(8)(x)`, it gives the handle of its output. A layer that is used twice has one set
    of parameters: it asks for them by `names.parameter(self, ...)`. `takes` is the number of its inputs, or
    (least, most), most being None for any number. `run_time` maps the stem of each run-time number to its field:
    `build` makes the hyper tensor named stem and number.
    """

    takes: ClassVar[Any] = 1
    run_time: ClassVar[dict[str, str]] = {}

    def __repr__(self) -> str:
        return brief(self)

    def __call__(self, *inputs: Handle, name: str | None = None) -> Node:
        """The handle of this layer's output, which is called `name` where one is given."""
        return Node(self, inputs, name)

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of the output, from tensors that exist already."""
        raise NotImplementedError


@dataclass
class Names:
    """Numbers the layers of a network as they are built: 1, 2, ..., and keeps each layer's parameters."""

    count: int = 0
    owned: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    makers: dict[Tensor, str] = field(default_factory=dict)

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

    def owned_by(self, layer: Any, stem: str, asker: Any) -> Tensor:
        """The parameter of another layer that this network has used before; `DeclarationError` if it has not."""
        if (id(layer), stem) not in self.owned:
            raise DeclarationError(
                f"{asker!r} takes {stem} of {layer!r}, which does not stand before it in this network; "
                "use the same layer object, and use it first"
            )
        return self.owned[id(layer), stem]

    def describe(self, tensor: Tensor) -> str:
        """A tensor's name, shape and maker, for messages."""
        maker = self.makers.get(tensor)
        return f"{tensor.name} {tensor.shape_text}" + (f" of {maker}" if maker else "")

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
