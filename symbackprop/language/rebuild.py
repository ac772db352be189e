"""An expression put together once more with other names, node by node, as it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sympy import Basic, preorder_traversal

from .nodes import Index, Size, reference, size_of
from .tensor import Dim, Tensor

COPIED = frozenset({"is_commutative", "nargs"})
"""What SymPy keeps in a node besides its arguments and what does not depend on them."""

Maker = Callable[..., Basic]


class Program:
    """The steps that make an expression from its tensors, indices and dimensions."""

    def __init__(self, e: Basic, tensors: Sequence[Tensor], indices: Sequence[Index], dims: Sequence[Dim]) -> None:
        leaves = [n for n in dict.fromkeys(preorder_traversal(e)) if not n.args]
        own = [n.dim for n in leaves if isinstance(n, Size)]
        self.sizes = tuple(list(dims).index(d) for d in own)
        names: list[Basic] = [*map(reference, tensors), *indices, *map(size_of, own)]
        taken = set(names)
        self.constants = tuple(n for n in leaves if n not in taken)
        self.steps: list[tuple[Maker, tuple[int, ...]]] = []
        self.result = self._place(e, {n: place for place, n in enumerate((*names, *self.constants))})

    def _place(self, e: Basic, places: dict[Basic, int]) -> int:
        """The place of a node among the values, after those that it is made of."""
        if e not in places:
            step = (_maker(e), tuple(self._place(a, places) for a in e.args))
            places[e] = len(places)
            self.steps.append(step)
        return places[e]

    def __call__(self, tensors: Sequence[Tensor], indices: Sequence[Index], dims: Sequence[Dim]) -> Basic:
        """The expression of these names."""
        values = [*map(reference, tensors), *indices, *(size_of(dims[k]) for k in self.sizes), *self.constants]
        for make, places in self.steps:
            values.append(make(*[values[k] for k in places]))
        return values[self.result]


def _maker(node: Basic) -> Maker:
    """What makes a node of the same kind from other arguments, as they stand: to evaluate it could change the form."""
    kind, kept = type(node), _kept(node)
    if not kept:
        return partial(Basic.__new__, kind)
    if not kept.keys() <= COPIED | {"_argset"}:
        return node.func  # type: ignore[no-any-return]

    def make(*args: Basic) -> Basic:
        made = Basic.__new__(kind, *args)
        for name, value in kept.items():
            setattr(made, name, frozenset(args) if name == "_argset" else value)
        return made

    return make


def _kept(node: Basic) -> dict[str, object]:
    """What a node keeps besides its arguments and what SymPy works out of them."""
    slots = {name for cls in type(node).__mro__ for name in getattr(cls, "__slots__", ())} - set(Basic.__slots__)
    found = {name: getattr(node, name) for name in sorted(slots) if hasattr(node, name)}
    return {**found, **getattr(node, "__dict__", {})}
