"""Work done once for expressions that differ only in their tensors' names: the layers of a deep network.

`Memo` keys a result by the structure of what it was made from; the same structure with other tensors, indices and
dimensions gets the same result with these put in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

from sympy import Add, Basic, Expr, Max, Min, Mul, Piecewise
from sympy.core.relational import Relational

from .nodes import Entry, Index, Over, Size, TensorRef
from .tensor import Dim, Tensor

Result = TypeVar("Result")


@dataclass
class Signature:
    """Expressions as a flat key in which tensors, indices and dimensions are numbers, in order of appearance."""

    key: list[Hashable] = field(default_factory=list)
    tensors: dict[Tensor, int] = field(default_factory=dict)
    indices: dict[Index, int] = field(default_factory=dict)
    dims: dict[Dim, int] = field(default_factory=dict)

    def add(self, e: Basic) -> None:
        """Append one expression."""
        if isinstance(e, TensorRef):
            self._tensor(e.tensor)
        elif isinstance(e, Index):
            if e not in self.indices:
                self.indices[e] = len(self.indices)
                self.key += ("index", e.name, -1 if e.dim is None else self._dim(e.dim))
            self.key.append(("index", self.indices[e]))  # a bare number would be equal to an integer in an expression
        elif isinstance(e, Size):
            self.key.append(("size", self._dim(e.dim)))
        elif not e.args:
            self.key.append(("atom", e))
        else:
            self.key += (e.func, len(e.args))
            for a in e.args:
                self.add(a)

    def record(self, item: Any, skip: tuple[str, ...] = ()) -> None:
        """Append a record, tuple, set or value made of expressions, tensors and indices, without some of its fields."""
        if isinstance(item, Basic):
            self.add(item)
        elif isinstance(item, Tensor):
            self._tensor(item)
        elif isinstance(item, tuple):
            self.key.append(len(item))
            for part in item:
                self.record(part, skip)
        elif is_dataclass(item) and not isinstance(item, type):
            self.key.append(type(item))
            for f in fields(item):
                if f.name not in skip:
                    self.record(getattr(item, f.name), skip)
        elif isinstance(item, frozenset):
            self.key.append(frozenset(self.tensors[t] for t in item))
        else:
            self.key.append(item)

    def _tensor(self, t: Tensor) -> None:
        if t not in self.tensors:
            self.tensors[t] = len(self.tensors)
            self.key += (t.kind, t.traits, t.levels, t.adjoint is None, *map(self._dim, t.dims))
        self.key.append(("tensor", self.tensors[t]))

    def _dim(self, d: Dim) -> int:
        if d not in self.dims:
            self.dims[d] = len(self.dims)
            self.key.append(d.size)
        return self.dims[d]

    def order(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How the names sort: SymPy orders the terms of sums by them."""
        tensors = sorted(self.tensors, key=lambda t: t.name)
        indices = sorted(self.indices, key=lambda i: (i.name, i._order))
        return tuple(self.tensors[t] for t in tensors), tuple(self.indices[i] for i in indices)


@dataclass
class Memo:
    """Results by structure; lives for one derivation."""

    known: dict[Hashable, tuple[Signature, Any]] = field(default_factory=dict)

    def __call__(self, what: Hashable, inputs: Sequence[Basic], make: Callable[[], Result]) -> Result:
        """`make()`, or an earlier result for inputs of one structure, renamed.

        `what` says what is made; the result is made of expressions, tensors, records and tuples of them, and depends
        on nothing but `what` and the structure of `inputs`.
        """
        signature = Signature()
        for e in inputs:
            signature.add(e)
        key = (what, tuple(signature.key), signature.order())
        found = self.known.get(key)
        if found is None:
            result = make()
            self.known[key] = (signature, result)
            return result
        before, result = found
        renaming = Renaming(
            dict(zip(before.tensors, signature.tensors, strict=True)),
            dict(zip(before.indices, signature.indices, strict=True)),
            dict(zip(before.dims, signature.dims, strict=True)),
        )
        return renaming(result)  # type: ignore[no-any-return]


@dataclass
class Renaming:
    """New tensors, indices and dimensions for old ones. Nothing is evaluated again: the form is the same."""

    tensors: dict[Tensor, Tensor]
    indices: dict[Index, Index]
    dims: dict[Dim, Dim]
    done: dict[Basic, Basic] = field(default_factory=dict)

    def __call__(self, item: Any) -> Any:
        """An expression, tensor, record or tuple of them with the new names."""
        if isinstance(item, Basic):
            return self._expression(item)
        if isinstance(item, Tensor):
            return self.tensors.get(item, item)
        if isinstance(item, tuple):
            return tuple(map(self, item))
        if is_dataclass(item) and not isinstance(item, type):
            return replace(item, **{f.name: self(getattr(item, f.name)) for f in fields(item)})
        return item

    def _expression(self, e: Basic) -> Basic:
        if e in self.done:
            return self.done[e]
        if isinstance(e, TensorRef):
            made: Basic = TensorRef(self.tensors.get(e.tensor, e.tensor))
        elif isinstance(e, Index):
            made = self._index(e)
        elif isinstance(e, Size):
            made = Size(self.dims.get(e.dim, e.dim))
        elif not e.args:
            made = e
        else:
            made = _rebuilt(e, tuple(map(self._expression, e.args)))
        self.done[e] = made
        return made

    def _index(self, index: Index) -> Index:
        known = self.indices.get(index)
        if known is not None or index.dim is None:
            return index if known is None else known
        return Index(index.name, self.dims.get(index.dim, index.dim), index.uid)


def _rebuilt(e: Basic, args: tuple[Basic, ...]) -> Basic:
    """The node with other arguments, as it stands."""
    if isinstance(e, (Add, Mul)):
        return e.func._from_args(args)
    if isinstance(e, (Entry, Over)):
        return Expr.__new__(type(e), *args)
    if isinstance(e, (Relational, Piecewise, Max, Min)):
        return e.func(*args, evaluate=False)
    return e.func(*args)
