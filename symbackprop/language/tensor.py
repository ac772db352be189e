"""Dimensions and tensors: plain records, usable without SymPy.

A tensor is indexed to make an expression, `W[j, k]`; only then is SymPy imported.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, ShapeError

if TYPE_CHECKING:
    from ..records import Initializer
    from .nodes import Entry

KINDS = ("input", "target", "parameter", "state", "intermediate", "adjoint", "gradient", "hyper")


@dataclass(frozen=True, slots=True)
class Dim:
    """A named dimension. `size` is None for the batch, which is known at run time only."""

    name: str
    size: int | None = None

    def __str__(self) -> str:
        return self.name if self.size is None else str(self.size)


def as_dim(value: Dim | int) -> Dim:
    """A dimension from itself or from a positive integer."""
    if isinstance(value, Dim):
        return value
    try:
        size = operator.index(value)
    except TypeError:
        size = None
    if size is None or isinstance(value, bool):
        raise DeclarationError(f"a dimension is a positive integer or a Dim; got {value!r}")
    if size < 1:
        raise DeclarationError(f"a dimension must be at least 1; got {size}")
    return Dim(f"d{size}", size)


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A real tensor in index notation; compared by identity, printed by name.

    `traits` holds what is known of the values: "unit" (entries in [0, 1]), "normalized" (the entries
    of the last axis sum to 1), "weight" (a parameter that weight decay applies to).
    `adjoint` is the printed name of dL/dT where convention has one (delta for a pre-activation).
    """

    name: str
    dims: tuple[Dim, ...] = ()
    kind: str = "intermediate"
    init: Initializer | None = None
    traits: frozenset[str] = frozenset()
    adjoint: str | None = None
    value: float | None = None

    def __getitem__(self, indices: Any) -> Entry:
        from .nodes import Entry

        if not isinstance(indices, tuple):
            indices = (indices,)
        if len(indices) != len(self.dims):
            raise ShapeError(
                f"{self.name} has {len(self.dims)} axes {self.shape_text}, but {len(indices)} indices were given: "
                f"{self.name}[{', '.join(map(str, indices))}]"
            )
        return Entry(self, *indices)

    def _sympy_(self) -> Entry:
        """A scalar may stand in an expression as it is; any other tensor needs its indices."""
        if self.dims:
            raise ShapeError(
                f"{self.name} {self.shape_text} stands without indices; write {self.name}[...] with {len(self.dims)} of them"
            )
        return self[()]

    def dim(self, axis: int) -> Dim:
        """The dimension of one axis."""
        if not -len(self.dims) <= axis < len(self.dims):
            raise ShapeError(f"{self.name} has {len(self.dims)} axes {self.shape_text}; there is no axis {axis}")
        return self.dims[axis]

    @property
    def shape_text(self) -> str:
        """The shape as people write it: `(N, 64)`, `(10,)`, `()`."""
        inner = ", ".join(map(str, self.dims))
        return f"({inner},)" if len(self.dims) == 1 else f"({inner})"

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """Sizes of the axes; None for the batch."""
        return tuple(d.size for d in self.dims)

    @property
    def entries(self) -> int:
        """Number of entries of a tensor without a batch axis."""
        if any(d.size is None for d in self.dims):
            raise DeclarationError(
                f"{self.name} {self.shape_text} has a batch axis: its size is known at run time only"
            )
        return math.prod(d.size for d in self.dims if d.size is not None)

    def __str__(self) -> str:
        return self.name


def check_name(name: object, what: str) -> str:
    """`name` if it can stand in formulas, NumPy and C alike, else a `DeclarationError`."""
    import keyword

    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise DeclarationError(
            f"{name!r} cannot name a {what}: a name is a letter followed by letters, digits or underscores, "
            "and no Python keyword"
        )
    return name


def tensor(name: str, dims: Sequence[Dim | int] = (), *, traits: Sequence[str] = ()) -> Tensor:
    """An intermediate tensor, to be defined by an equation. `dims`: dimensions or sizes."""
    return Tensor(check_name(name, "tensor"), tuple(map(as_dim, dims)), traits=frozenset(traits))


def parameter(
    name: str, dims: Sequence[Dim | int] = (), *, init: Initializer | None = None, decay: bool = True
) -> Tensor:
    """A trainable tensor of fixed size.

    `init` is an initializer (`sb.init.normal(0, 1)`; default: uniform by the last axis, PyTorch's);
    `decay=False` keeps weight decay away from it, as biases have it.
    """
    fixed = tuple(map(as_dim, dims))
    for axis, dim in enumerate(fixed):
        if dim.size is None:
            raise ShapeError(
                f"parameter {name}: axis {axis} is the batch dimension {dim.name}, whose size is known at run time "
                "only; a parameter needs fixed sizes"
            )
    traits = frozenset({"weight"}) if decay else frozenset()
    return Tensor(check_name(name, "parameter"), fixed, "parameter", init, traits)


def hyper_tensor(name: str, value: float) -> Tensor:
    """A run-time scalar (a learning rate, a penalty's strength)."""
    return Tensor(name, (), "hyper", value=value)
