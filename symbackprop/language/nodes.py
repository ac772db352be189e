"""The nodes of index notation that SymPy has not: typed indices, tensor entries, sums that cannot capture.

Every bound index is an `Index` with an identity of its own. `Sum` gives its indices fresh identities when it
is built, and `substitute` (in `indices.py`) is the only substitution.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sympy import Atom, AtomicExpr, Basic, Expr, Integer, oo, sympify
from sympy.core.logic import fuzzy_bool

from ..errors import DeclarationError, ShapeError
from .tensor import Dim, Tensor

_fresh = itertools.count(1)


class Index(AtomicExpr):  # type: ignore[misc]
    """An index: a name for people, an identity for the program, and (once known) its dimension."""

    is_integer = True
    is_real = True
    is_nonnegative = True
    is_commutative = True
    __slots__ = ("_content", "dim", "name", "uid")

    name: str
    uid: Any
    dim: Dim | None
    _content: tuple[Any, ...] | None

    def __new__(cls, name: str, dim: Dim | None = None, uid: Any = None) -> Index:
        """A node of the expression tree; equal arguments make equal nodes."""
        self = AtomicExpr.__new__(cls)
        self.name, self.dim = name, dim
        self.uid = next(_fresh) if uid is None else uid
        self._content = None
        return self  # type: ignore[no-any-return]

    def _hashable_content(self) -> tuple[Any, ...]:
        if self._content is None:  # text only: SymPy orders atoms by comparing these
            self._content = (self.name, self._order, str(self.dim), str(self.dim and self.dim.name))
        return self._content

    @property
    def _order(self) -> str:
        """The identity as text that sorts by age, whatever was made before in this process."""
        return f"1{self.uid:015d}" if isinstance(self.uid, int) else f"0{self.uid}"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.name, self.dim, self.uid)

    def _sympystr(self, printer: Any) -> str:
        return self.name

    def _sympyrepr(self, printer: Any) -> str:
        return f"{self.name}:{self.uid}:{self.dim}"

    def sort_key(self, order: Any = None) -> tuple[Any, ...]:
        """SymPy's canonical order."""
        key = (1, (f"{self.name}:{self._order}",))
        return self.class_key(), key, Integer(1).sort_key(), Integer(1)

    def fresh(self, dim: Dim | None = None) -> Index:
        """An index of the same name and dimension with a new identity."""
        return Index(self.name, dim or self.dim)


class TensorRef(Atom):  # type: ignore[misc]
    """A tensor inside a SymPy expression."""

    __slots__ = ("tensor",)
    tensor: Tensor

    def __new__(cls, tensor: Tensor) -> TensorRef:
        """A node of the expression tree; equal arguments make equal nodes."""
        self = Atom.__new__(cls)
        self.tensor = tensor
        return self  # type: ignore[no-any-return]

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.tensor.name, id(self.tensor))

    def _sympystr(self, printer: Any) -> str:
        return self.tensor.name

    _sympyrepr = _sympystr

    def sort_key(self, order: Any = None) -> tuple[Any, ...]:
        """SymPy's canonical order."""
        return self.class_key(), (1, (self.tensor.name,)), Integer(1).sort_key(), Integer(1)


@lru_cache(maxsize=1 << 16)
def reference(tensor: Tensor) -> TensorRef:
    """The node of a tensor, one object each."""
    return TensorRef(tensor)


class Entry(Expr):  # type: ignore[misc]
    """One entry of a tensor, `W[j, k]`; with no indices, a scalar."""

    is_commutative = True
    is_real = True
    is_finite = True
    outside: Expr | None = None  # the value beyond the tensor's ends; None: it is never read there

    def __new__(cls, tensor: Tensor | TensorRef, *indices: Any) -> Entry:
        """A node of the expression tree; equal arguments make equal nodes."""
        ref = tensor if isinstance(tensor, TensorRef) else reference(tensor)
        checked = tuple(map(as_index, indices))
        return Expr.__new__(cls, ref, *checked)  # type: ignore[no-any-return]

    @property
    def tensor(self) -> Tensor:
        """The tensor that this is an entry of."""
        ref = self.args[0]
        assert isinstance(ref, TensorRef)
        return ref.tensor

    @property
    def indices(self) -> tuple[Expr, ...]:
        """An index or an integer for every axis."""
        return tuple(self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        inner = ", ".join(printer._print(i) for i in self.indices)
        return f"{self.tensor.name}[{inner}]" if inner else self.tensor.name

    def _eval_is_integer(self) -> bool | None:
        return True if self.tensor.levels is not None else None

    def _eval_derivative(self, symbol: Any) -> Expr:
        raise DeclarationError(
            f"{self} was differentiated directly; use net.derive() or derive.partials, which know its indices"
        )


class NextEntry(Entry):
    """The new value of an entry, inside the update that gives it."""


class Padded(Entry):
    """An entry that is 0 where an index lies beyond its axis or is no whole number: `x.padded[n, i + u - 1]`."""

    outside = Integer(0)


class Lowest(Entry):
    """An entry that is minus infinity beyond its axis: what a maximum never takes."""

    is_finite = None  # type: ignore[assignment]
    is_extended_real = True
    is_real = None  # type: ignore[assignment]
    outside = -oo


class Size(AtomicExpr):  # type: ignore[misc]
    """The size of a dimension as a symbol: N, the number of samples, or n1, kept nominal until lowering."""

    is_integer = True
    is_positive = True
    is_commutative = True
    __slots__ = ("dim",)
    dim: Dim

    def __new__(cls, dim: Dim) -> Size:
        """A node of the expression tree; equal arguments make equal nodes."""
        self = AtomicExpr.__new__(cls)
        self.dim = dim
        return self  # type: ignore[no-any-return]

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.dim.name, self.dim.size)

    def _sympystr(self, printer: Any) -> str:
        return self.dim.name

    def _sympyrepr(self, printer: Any) -> str:
        return f"Size({self.dim.name}={self.dim.size})"

    def sort_key(self, order: Any = None) -> tuple[Any, ...]:
        """SymPy's canonical order."""
        return self.class_key(), (1, (self.dim.name,)), Integer(1).sort_key(), Integer(1)


@lru_cache(maxsize=1 << 16)
def size_of(dim: Dim) -> Size:
    """The node of a dimension's size, one object each."""
    return Size(dim)


@lru_cache(maxsize=1 << 16)
def index_named(name: str, dim: Dim | None, uid: Any) -> Index:
    """The index of an identity that is known, one object each."""
    return Index(name, dim, uid)


class Over(Expr):  # type: ignore[misc]
    """A scalar made from a body by running over bound indices: `Sum`, `MaxOver`, `ArgMax`.

    `args` is (body, index, ...). Indices given by the user are replaced by fresh ones, so that no later
    substitution can capture them.
    """

    is_commutative = True
    is_real = True

    def __new__(cls, body: Any, *bound: Index) -> Expr:
        """A node of the expression tree; equal arguments make equal nodes."""
        for index in bound:
            if not isinstance(index, Index):
                raise DeclarationError(f"{cls.__name__} runs over indices made by sb.indices; got {index!r}")
        fresh = {index: index.fresh() for index in bound}
        return cls.raw(sympify_number(body).xreplace(fresh), tuple(fresh.values()))

    @classmethod
    def raw(cls, body: Expr, bound: Iterable[Index]) -> Expr:
        """The node as it stands, for code that has made its indices fresh itself."""
        return Expr.__new__(cls, body, *bound)

    @property
    def body(self) -> Expr:
        """What is summed or compared."""
        return self.args[0]

    @property
    def bound(self) -> tuple[Index, ...]:
        """The indices it runs over."""
        return tuple(self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        inner = ", ".join(printer._print(a) for a in self.args)
        return f"{type(self).__name__}({inner})"

    def _eval_derivative(self, symbol: Any) -> Expr:
        raise DeclarationError(f"{self} was differentiated directly; derive.partials knows its indices")


class Sum(Over):
    """Sum of the body over its bound indices."""


class MaxOver(Over):
    """The largest value of the body over its bound index; ties: the first index."""


class ArgMax(Over):
    """The index at which the body is largest; ties: the first index."""

    is_integer = True
    is_nonnegative = True


class Held(Over):
    """A value computed once, by itself: no index, and no algebra takes it apart."""


class Detached(Expr):  # type: ignore[misc]
    """A value that differentiation takes for a constant."""

    is_commutative = True
    is_real = True

    def _sympystr(self, printer: Any) -> str:
        return f"stop_gradient({printer._print(self.args[0])})"


def sympify_number(value: Any) -> Expr:
    """A SymPy expression from an expression or a number; text is refused, it is never evaluated."""
    if isinstance(value, Basic):
        return value
    if isinstance(value, str):
        raise DeclarationError(f"an expression was expected, but text was given: {value!r}")
    if isinstance(value, Tensor):
        if value.dims:
            raise DeclarationError(
                f"{value.name} {value.shape_text} stands without indices; write {value.name}[...] with "
                f"{len(value.dims)} of them"
            )
        return Entry(value)
    if isinstance(value, (int, float)):
        return sympify(value, strict=True)
    raise DeclarationError(f"an expression was expected; got {type(value).__name__} {value!r}")


def as_index(value: Any) -> Expr:
    """An index or a number of an entry, else a `ShapeError`."""
    if isinstance(value, Index) or (isinstance(value, Expr) and fuzzy_bool(value.is_rational)):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Integer(value)
    raise ShapeError(f"an index is made by sb.indices or is an integer; got {value!r}")
