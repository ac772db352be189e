"""Work done once for expressions that differ only in their tensors' names: the layers of a deep network.

`Memo` keys a result by the structure of what it was made from; the same structure with other tensors, indices and
dimensions gets the same result with these put in their places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from sympy import Basic

from .nodes import Index, Size, TensorRef, index_named
from .structure import Form, Instance, Signature, expression_of, instance_of
from .tensor import Dim, Tensor

Result = TypeVar("Result")
Inputs = Sequence[Form | Tensor]


@dataclass
class Memo:
    """Results by structure; lives for one derivation."""

    known: dict[Hashable, _Found] = field(default_factory=dict)

    def __call__(self, what: Hashable, inputs: Inputs, make: Callable[[], Result]) -> Result:
        """`make()`, or an earlier result for inputs of one structure, renamed.

        `what` says what is made; the result is made of expressions, tensors, records and tuples of them, and depends
        on nothing but `what` and the structure of `inputs`. An earlier result has `Instance`s in the place of its
        expressions, but for those in records.
        """
        signature = Signature(inputs)
        key = (what, *signature.key, *signature.order())
        found = self.known.get(key)
        if found is not None:
            return found.renamed(signature, inputs)  # type: ignore[no-any-return]
        result = make()
        self.known[key] = _Found(signature, inputs, result)
        return result


@dataclass
class _Names:
    """What stands in the places of a result: the tensors, indices and dimensions of its inputs, then its own ones."""

    inputs: Inputs
    tensors: list[Tensor]
    indices: list[Index]
    dims: list[Dim]

    def instance(self, shape: Any, tensors: Places, indices: Places, dims: Places) -> Instance:
        """An expression of a structure with the names at some places."""
        mine, own, sizes = self.tensors, self.indices, self.dims
        return Instance(
            shape, tuple([mine[k] for k in tensors]), tuple([own[k] for k in indices]), tuple([sizes[k] for k in dims])
        )


Places = tuple[int, ...]
Fill = Callable[[_Names], Any]


class _Found:
    """A result, and how it is made again from other names."""

    def __init__(self, signature: Signature, inputs: Inputs, result: Any) -> None:
        self.signature, self.inputs, self.result = signature, inputs, result
        self.tensors: dict[Tensor, int] = {}
        self.dims: dict[Dim, int] = {}
        self.own: dict[Index, tuple[str, int, Any]] = {}
        self.fill: Fill | None = None

    def renamed(self, signature: Signature, inputs: Inputs) -> Any:
        """The result for other inputs of the same structure."""
        if self.fill is None:
            self.fill = self._filling(self.result)
        names = _Names(
            inputs, [*signature.tensors, *self.tensors], list(signature.indices), [*signature.dims, *self.dims]
        )
        for name, dim, uid in self.own.values():
            names.indices.append(index_named(name, None if dim < 0 else names.dims[dim], uid))
        return self.fill(names)

    def _filling(self, item: Any, made: bool = False) -> Fill:
        """What makes a part of the result; `made`: expressions are put together."""
        if isinstance(item, Index):
            index = self._index(item)
            return lambda names: names.indices[index]
        if isinstance(item, Tensor):
            tensor = self._tensor(item)
            return lambda names: names.tensors[tensor]
        if isinstance(item, (Instance, Size, TensorRef)) or (isinstance(item, Basic) and item.args):
            return self._expression(instance_of(item), made)
        if isinstance(item, tuple):
            parts = tuple(self._filling(part, made) for part in item)
            join: Callable[[list[Any]], Any] = getattr(type(item), "_make", tuple)
            return lambda names: join([part(names) for part in parts])
        if is_dataclass(item) and not isinstance(item, type):
            values = tuple(self._filling(getattr(item, f.name), made=True) for f in fields(item))
            return lambda names: type(item)(*[value(names) for value in values])
        return lambda names: item

    def _expression(self, item: Instance, made: bool) -> Fill:
        """An expression of the result: an input itself, or one to be put together."""
        for place, given in enumerate(self.inputs):
            if not isinstance(given, (Tensor, Index)) and instance_of(given) == item:
                return lambda names: expression_of(names.inputs[place]) if made else names.inputs[place]
        unmade = self._instance(item)
        return lambda names: unmade(names).expression() if made else unmade(names)

    def _instance(self, item: Instance) -> Callable[[_Names], Instance]:
        shape = item.shape
        dims = tuple(map(self._dim, item.dims))
        tensors, indices = tuple(map(self._tensor, item.tensors)), tuple(map(self._index, item.indices))
        return lambda names: names.instance(shape, tensors, indices, dims)

    def _tensor(self, t: Tensor) -> int:
        """The place of a tensor; one that is in no input is the same in every result."""
        known = self.signature.tensors
        return known[t] if t in known else len(known) + self.tensors.setdefault(t, len(self.tensors))

    def _dim(self, d: Dim) -> int:
        known = self.signature.dims
        return known[d] if d in known else len(known) + self.dims.setdefault(d, len(self.dims))

    def _index(self, i: Index) -> int:
        """The place of an index; one that is in no input keeps its name, and has the dimension of its place."""
        known = self.signature.indices
        if i in known:
            return known[i]
        self.own.setdefault(i, (i.name, -1 if i.dim is None else self._dim(i.dim), i.uid))
        return len(known) + list(self.own).index(i)
