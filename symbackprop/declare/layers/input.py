"""The input of a network."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DeclarationError
from ...language.tensor import BATCH, Dim, Tensor, as_dim, check_name
from ..handle import Handle


@dataclass(frozen=True, slots=True, eq=False)
class Input(Handle):
    """Data of shape (N, *shape), rows are samples. `shape`: an integer or a tuple of integers.

    With `levels` the data are whole numbers from 0 to levels - 1, to look up rows of a table
    (`sb.layers.Embedding`); the shape may be () then: one number a sample.
    """

    shape: int | tuple[int, ...]
    name: str = "x"
    levels: int | None = None

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str):
            given = tuple(s for s in (*self.sizes, name, self.levels) if s is not None)
            raise DeclarationError(f"the sizes of one sample stand in one tuple: sb.Input({given})")
        if not self.sizes and self.levels is None:
            raise DeclarationError("Input needs at least one size, as in sb.Input(64)")
        check_name(self.name, "input")
        if self.levels is not None:
            as_dim(self.levels)
        for size in self.sizes:
            if as_dim(size).size is None:
                raise DeclarationError("Input takes the sizes of one sample; the batch axis N stands before them")

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of one sample's axes."""
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    def tensor(self, batch: Dim = BATCH, stem: str = "n0") -> Tensor:
        """The input tensor (N, ...), its dimensions named `stem`."""
        sizes = [as_dim(size).size for size in self.sizes]
        names = [stem] if len(sizes) == 1 else [f"{stem}_{axis}" for axis in range(len(sizes))]
        dims = tuple(Dim(name, size) for name, size in zip(names, sizes, strict=True))
        levels = None if self.levels is None else as_dim(self.levels).size
        return Tensor(self.name, (batch, *dims), "input", levels=levels)


def input_tensor(name: str, shape: int | tuple[int, ...], *, levels: int | None = None) -> Tensor:
    """An input (N, *shape) as a tensor, for a network of plain equations; `levels` as in `Input`."""
    return Input(shape, name, levels).tensor(BATCH, f"n_{name}")
