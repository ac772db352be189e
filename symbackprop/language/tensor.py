"""Dimensions and tensors: plain records, usable without SymPy.

A tensor is indexed to make an expression, `W[j, k]`; only then is SymPy imported.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, ShapeError, did_you_mean

if TYPE_CHECKING:
    from ..records import Initializer
    from .nodes import Entry

TRAITS = ("unit", "normalized", "weight")


@dataclass(frozen=True, slots=True)
class Dim:
    """A named dimension. `size` is None for the batch, which is known at run time only."""

    name: str
    size: int | None = None

    def __str__(self) -> str:
        return self.name if self.size is None else str(self.size)


BATCH = Dim("N")


def as_dim(value: Dim | int) -> Dim:
    """A dimension from itself or from a positive integer; the only one without a size is the batch."""
    if isinstance(value, Dim) and value.size is None:
        if value != BATCH:
            raise DeclarationError(
                f"the dimension {value.name} has no size; only the batch has none, take it from x.dim(0)"
            )
        return value
    if isinstance(value, Dim):
        return Dim(check_name(value.name, "dimension"), as_dim(value.size).size)  # type: ignore[arg-type]
    try:
        size = operator.index(value)
    except TypeError:
        size = None
    if size is None or isinstance(value, bool):
        raise DeclarationError(f"a dimension is a positive integer or a Dim; got {value!r}")
    if size < 1:
        raise DeclarationError(f"a dimension must be at least 1; got {size}")
    return Dim(f"d{size}", size)


class Arithmetic:
    """The operators of a tensor without axes: it stands in an expression as it is; others need their indices."""

    __slots__ = ()

    def _sympy_(self) -> Any:
        raise NotImplementedError

    def __add__(self, other: Any) -> Any:
        return self._sympy_() + other

    def __radd__(self, other: Any) -> Any:
        return other + self._sympy_()

    def __sub__(self, other: Any) -> Any:
        return self._sympy_() - other

    def __rsub__(self, other: Any) -> Any:
        return other - self._sympy_()

    def __mul__(self, other: Any) -> Any:
        return self._sympy_() * other

    def __rmul__(self, other: Any) -> Any:
        return other * self._sympy_()

    def __truediv__(self, other: Any) -> Any:
        return self._sympy_() / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self._sympy_()

    def __pow__(self, other: Any) -> Any:
        return self._sympy_() ** other

    def __neg__(self) -> Any:
        return -self._sympy_()


@dataclass(frozen=True, slots=True, eq=False)
class Tensor(Arithmetic):
    """A real tensor in index notation; compared by identity, printed by name.

    `kind`: input, target, parameter, state, intermediate, random, adjoint, gradient or hyper. A random tensor has
    entries uniform in [0, 1), drawn anew at every training step. A tensor with `levels` holds whole numbers from 0
    to levels - 1 and may stand as an index.
    `traits` holds what is known of the values: "unit" (entries in [0, 1]), "normalized" (the entries
    of the last axis sum to 1), "weight" (a parameter that weight decay applies to).
    `adjoint` is the printed name of dL/dT where convention has one (delta for a pre-activation).
    `bounds` are those of a hyper's numbers, as `declare.bounds.Bounds` has them; () for none.
    """

    name: str
    dims: tuple[Dim, ...] = ()
    kind: str = "intermediate"
    init: Initializer | None = None
    traits: frozenset[str] = frozenset()
    adjoint: str | None = None
    value: float | None = None
    levels: int | None = None
    bounds: tuple[float | None, ...] = ()

    def __getitem__(self, indices: Any) -> Entry:
        from .nodes import Entry

        return Entry(self, *self._checked(indices))

    @property
    def padded(self) -> Outside:
        """This tensor continued by 0 beyond its ends: `x.padded[n, i + u - 1]`."""
        from .nodes import Padded

        return Outside(self, Padded)

    @property
    def lowest(self) -> Outside:
        """This tensor continued by minus infinity beyond its ends, for maxima."""
        from .nodes import Lowest

        return Outside(self, Lowest)

    def _checked(self, indices: Any) -> tuple[Any, ...]:
        given = indices if isinstance(indices, tuple) else (indices,)
        if len(given) != len(self.dims):
            raise ShapeError(
                f"{self.name} has {len(self.dims)} axes {self.shape_text}, but {len(given)} indices were given: "
                f"{self.name}[{', '.join(map(str, given))}]"
            )
        return given

    def _sympy_(self) -> Entry:
        """The scalar's entry; SymPy asks for it."""
        if self.dims:
            raise ShapeError(
                f"{self.name} {self.shape_text} stands without indices; write {self.name}[...] with "
                f"{len(self.dims)} of them"
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


@dataclass(frozen=True, slots=True)
class Outside:
    """A tensor that may be read beyond its ends; `entry` is the kind of entry that says with which value."""

    tensor: Tensor
    entry: type[Entry]

    def __getitem__(self, indices: Any) -> Entry:
        return self.entry(self.tensor, *self.tensor._checked(indices))


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
    return Tensor(check_name(name, "tensor"), tuple(map(as_dim, _axes(dims))), traits=check_traits(traits))


def check_traits(traits: Sequence[str]) -> frozenset[str]:
    """The traits as a set, or a `DeclarationError` for one that means nothing."""
    for trait in [traits] if isinstance(traits, str) else traits:
        if trait not in TRAITS:
            raise DeclarationError(f"unknown trait {trait!r}.{did_you_mean(trait, TRAITS)}")
    return frozenset([traits] if isinstance(traits, str) else traits)


def _axes(dims: Sequence[Dim | int] | Dim | int) -> Sequence[Dim | int]:
    return dims if isinstance(dims, (tuple, list)) else (dims,)


def parameter(
    name: str,
    dims: Sequence[Dim | int] = (),
    *,
    init: Initializer | None = None,
    decay: bool = True,
    trainable: bool = True,
) -> Tensor:
    """A trainable tensor of fixed size.

    `init` is an initializer (`sb.init.normal(0, 1)`; default: uniform by the last axis, PyTorch's);
    `decay=False` keeps weight decay away from it, as biases have it; one that is not `trainable` keeps its values.
    """
    traits = frozenset({"weight"}) if decay else frozenset()
    return Tensor(
        check_name(name, "parameter"), _fixed(name, dims), "parameter" if trainable else "state", init, traits
    )


def state(name: str, dims: Sequence[Dim | int] = (), *, init: Initializer) -> Tensor:
    """A tensor kept with the parameters that no gradient is taken of, such as a running mean."""
    return Tensor(check_name(name, "state"), _fixed(name, dims), "state", init)


def random(name: str, dims: Sequence[Dim | int]) -> Tensor:
    """A tensor of numbers uniform in [0, 1), drawn anew at every training step."""
    return Tensor(check_name(name, "random tensor"), tuple(map(as_dim, _axes(dims))), "random")


def _fixed(name: str, dims: Sequence[Dim | int]) -> tuple[Dim, ...]:
    fixed = tuple(map(as_dim, _axes(dims)))
    for axis, dim in enumerate(fixed):
        if dim.size is None:
            raise ShapeError(
                f"parameter {name}: axis {axis} is the batch dimension {dim.name}, whose size is known at run time "
                "only; a parameter needs fixed sizes"
            )
    return fixed


def hyper_tensor(name: str, value: float, bounds: tuple[float | None, ...] = ()) -> Tensor:
    """A run-time scalar (a learning rate, a penalty's strength), which stays within its `bounds`."""
    return Tensor(name, (), "hyper", value=value, bounds=bounds)
