"""The input of a network."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import DeclarationError
from ...language.tensor import Dim, Tensor, as_dim, check_name


@dataclass(frozen=True, slots=True)
class Input:
    """Data of shape (N, *shape), rows are samples. `shape`: an integer or a tuple of integers."""

    shape: int | tuple[int, ...]
    name: str = "x"

    def __post_init__(self) -> None:
        if not self._sizes:
            raise DeclarationError("Input needs at least one size, as in sb.Input(64)")
        check_name(self.name, "input")
        for size in self._sizes:
            if as_dim(size).size is None:
                raise DeclarationError("Input takes the sizes of one sample; the batch axis N stands before them")

    @property
    def _sizes(self) -> tuple[int, ...]:
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    def tensor(self, batch: Dim) -> Tensor:
        """The input tensor (N, ...)."""
        sizes = [as_dim(size).size for size in self._sizes]
        names = ["n0"] if len(sizes) == 1 else [f"n0_{axis}" for axis in range(len(sizes))]
        dims = tuple(Dim(name, size) for name, size in zip(names, sizes, strict=True))
        return Tensor(self.name, (batch, *dims), "input")
