"""What expressions have in common that differ in names only, as the layers of a deep network do.

`instance_of` takes an expression apart: into its `Shape`, which is the same for all expressions of one structure, and
the tensors, indices and dimensions that stand in it, in order of appearance. It walks an expression once; afterwards,
to compare two structures or to ask what a structure says costs the same for long and for short expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields, is_dataclass
from operator import attrgetter, methodcaller
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sympy import Basic, Expr

from .nodes import Index, Size, TensorRef
from .rebuild import Program
from .tensor import Dim, Tensor

Answer = TypeVar("Answer")

MOST = 1 << 16
"""Expressions that are remembered; beyond it all are forgotten, and walked again when they are met."""

Names = tuple[tuple[Tensor, ...], tuple[Index, ...], tuple[Dim, ...]]


class Shape:
    """The structure of an expression; one object a structure, unless what is remembered was forgotten meanwhile."""

    __slots__ = ("code", "facts", "first", "key", "names", "program", "sizes")

    def __init__(self, key: Hashable, first: Basic | Tensor, names: Names, sizes: tuple[int, ...]) -> None:
        self.key, self.code = key, hash(key)
        self.first, self.names = first, names  # the first expression of the structure, and what stands in it
        self.sizes = sizes  # which of the dimensions stand in it as numbers
        self.facts: dict[Hashable, Any] = {}
        self.program: Program | None = None

    def __hash__(self) -> int:
        return self.code

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Shape) and self.key == other.key)


class Instance(NamedTuple):
    """An expression as its shape and what stands in it; equal for equal expressions."""

    shape: Shape
    tensors: tuple[Tensor, ...]
    indices: tuple[Index, ...]
    dims: tuple[Dim, ...]

    def expression(self) -> Basic:
        """The expression, put together as the first one of its structure is; nothing is evaluated."""
        shape, tensors, indices, dims = self
        if shape.program is None:
            shape.program = Program(shape.first, *shape.names)
        made = shape.program(tensors, indices, dims)
        _remember(made, self)
        return made


Form: TypeAlias = Basic | Instance
"""An expression, put together or not."""

_instances: dict[int, tuple[object, Instance]] = {}  # by identity; the object is held, so that its id stays its own
_shapes: dict[Hashable, Shape] = {}


def instance_of(item: Form | Tensor) -> Instance:
    """The structure of an expression, or of a tensor by itself, and the names in it."""
    if isinstance(item, Instance):
        return item
    known = _instances.get(id(item))
    if known is not None:
        return known[1]
    assert isinstance(item, (Basic, Tensor))
    walk = _Walk()
    walk.add(item)
    names = (tuple(walk.tensors), tuple(walk.indices), tuple(walk.dims))
    key = tuple(walk.key)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = Shape(key, item, names, tuple(walk.sizes))
    found = Instance(shape, *names)
    _remember(item, found)
    return found


def _remember(item: object, found: Instance) -> None:
    if len(_instances) >= MOST:
        _instances.clear()
        _shapes.clear()
    _instances[id(item)] = (item, found)


def expression_of(form: Form) -> Expr:
    """The expression itself."""
    return form.expression() if isinstance(form, Instance) else form


def asked(question: Callable[[Expr], Answer], form: Form) -> Answer:
    """`question(expression)`, asked once a structure: the answer must not depend on names."""
    shape = instance_of(form).shape
    if question not in shape.facts:
        shape.facts[question] = question(shape.first)
    return shape.facts[question]  # type: ignore[no-any-return]


def tensors_of(form: Form) -> tuple[Tensor, ...]:
    """The tensors in an expression, in order of appearance."""
    return instance_of(form).tensors


class _Walk:
    """An expression as a flat key in which tensors, indices and dimensions are numbers, in order of appearance."""

    def __init__(self) -> None:
        self.key: list[Hashable] = []
        self.tensors: dict[Tensor, int] = {}
        self.indices: dict[Index, int] = {}
        self.dims: dict[Dim, int] = {}
        self.sizes: dict[int, None] = {}

    def add(self, e: Basic | Tensor) -> None:
        if isinstance(e, TensorRef):
            self._tensor(e.tensor)
        elif isinstance(e, Index):
            if e not in self.indices:
                self.indices[e] = len(self.indices)
                self.key += ("index", e.name, -1 if e.dim is None else self._dim(e.dim))
            self.key.append(("index", self.indices[e]))  # a bare number would be equal to an integer in an expression
        elif isinstance(e, Size):
            number = self._dim(e.dim)
            self.sizes[number] = None
            self.key.append(("size", number))
        elif isinstance(e, Tensor):
            self.key.append("tensor")
            self._tensor(e)
        elif not e.args:
            self.key.append(("atom", e))
        else:
            self.key += (e.func, len(e.args))
            for a in e.args:
                self.add(a)

    def _tensor(self, t: Tensor) -> None:
        if t not in self.tensors:
            self.tensors[t] = len(self.tensors)
            self.key += (t.kind, t.traits, t.levels, t.adjoint is None, len(t.dims), *map(self._dim, t.dims))
        self.key.append(("tensor", self.tensors[t]))

    def _dim(self, d: Dim) -> int:
        if d not in self.dims:
            self.dims[d] = len(self.dims)
            self.key.append(("dim", d.size))
        return self.dims[d]


_name = attrgetter("name")
_rank = methodcaller("_hashable_content")


class Signature:
    """Several expressions as one key, in which what they have in common has one number."""

    __slots__ = ("dims", "indices", "key", "sizes", "tensors")

    def __init__(self, items: Iterable[Form | Tensor] = ()) -> None:
        self.key: list[Hashable] = []
        self.tensors: dict[Tensor, int] = {}
        self.indices: dict[Index, int] = {}
        self.dims: dict[Dim, int] = {}
        self.sizes: set[Dim] = set()
        self.add(items)

    def add(self, items: Iterable[Form | Tensor]) -> None:
        """Append expressions, and tensors and indices by themselves."""
        key, tensors, indices, dims = self.key, self.tensors, self.indices, self.dims
        for item in items:
            if isinstance(item, Index) and item in indices:
                key.append(indices[item])
                continue
            if isinstance(item, Tensor) and item in tensors:
                key.append(~tensors[item])  # no index has a number below 0
                continue
            shape, its_tensors, its_indices, its_dims = instance_of(item)
            key.append(shape)
            key += [tensors.setdefault(t, len(tensors)) for t in its_tensors]
            key += [indices.setdefault(i, len(indices)) for i in its_indices]
            key += [dims.setdefault(d, len(dims)) for d in its_dims]
            if shape.sizes:
                self.sizes.update(its_dims[k] for k in shape.sizes)

    def record(self, item: Any) -> None:
        """Append a record, tuple or value made of expressions, tensors and indices."""
        if isinstance(item, (Basic, Tensor)):
            self.add((item,))
        elif isinstance(item, tuple):
            self.key.append(len(item))
            for part in item:
                self.record(part)
        elif is_dataclass(item) and not isinstance(item, type):
            self.key.append(type(item))
            for f in fields(item):
                self.record(getattr(item, f.name))
        else:
            self.key.append(item)

    def order(self) -> tuple[Hashable, ...]:
        """How the names sort: SymPy orders the terms of sums, and the factors of products, by them."""
        tensors, indices = self.tensors, self.indices
        return (
            tuple([tensors[t] for t in sorted(tensors, key=_name)]) if len(tensors) > 1 else (),
            tuple([indices[i] for i in sorted(indices, key=_rank)]) if len(indices) > 1 else (),
            tuple([self.dims[d] for d in sorted(self.sizes, key=_name)]) if len(self.sizes) > 1 else (),
        )
