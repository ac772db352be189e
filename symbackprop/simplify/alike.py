"""Equations under other names: layers of one structure become identical, and what is found for one holds for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from sympy import Expr

from ..language.indices import canonical
from ..language.nodes import Index, Over, Size, TensorRef
from ..language.tensor import Dim, Tensor
from ..records import Equation
from .trees import rebuild

LONGEST = 5
"""Longer axes count as this long: no identity depends on more."""


@cache
def _stand_in(place: int, dims: tuple[Dim, ...], kind: str, traits: frozenset[str], levels: int | None) -> Tensor:
    return Tensor(f"t{place}", dims, kind, traits=traits, levels=levels)


@dataclass
class Names:
    """Stand-ins for tensors, dimensions and free indices, in order of first appearance, and the way back."""

    dims: dict[Dim, Dim] = field(default_factory=dict)
    tensors: dict[Tensor, Tensor] = field(default_factory=dict)

    def plain(self, eq: Equation) -> Equation:
        """The equation in stand-ins."""
        indices = {i: Index(f"p{a}", self._dim(i.dim), f"p{a}") for a, i in enumerate(eq.indices)}
        body = canonical(self._renamed(eq.rhs, indices))
        return Equation(self._tensor(eq.lhs), tuple(indices.values()), body)

    def restored(self, expr: Expr, stand_ins: tuple[Index, ...], indices: tuple[Index, ...]) -> Expr:
        """An expression in stand-ins, with the names back; `indices` are those that its free ones stand for."""
        back = Names({b: a for a, b in self.dims.items()}, {b: a for a, b in self.tensors.items()})
        return canonical(back._renamed(expr, dict(zip(stand_ins, indices, strict=True))))

    def _dim(self, dim: Dim | None) -> Dim | None:
        return dim if dim is None or dim.size is None else self._sized(dim)

    def _sized(self, dim: Dim) -> Dim:
        return self.dims.setdefault(dim, Dim(f"d{len(self.dims)}", min(dim.size or LONGEST, LONGEST)))

    def _tensor(self, tensor: Tensor) -> Tensor:
        if tensor not in self.tensors:
            dims = tuple(d for d in map(self._dim, tensor.dims) if d is not None)
            self.tensors[tensor] = _stand_in(len(self.tensors), dims, tensor.kind, tensor.traits, tensor.levels)
        return self.tensors[tensor]

    def _renamed(self, node: Expr, indices: dict[Index, Index]) -> Expr:
        if isinstance(node, Index):
            return indices.get(node) or Index(node.name, self._dim(node.dim), node.uid)
        if isinstance(node, TensorRef):
            return TensorRef(self._tensor(node.tensor))
        if isinstance(node, Size):
            return node if node.dim.size is None else Size(self._sized(node.dim))
        if not node.args:
            return node
        args = tuple(self._renamed(a, indices) for a in node.args)
        return type(node).raw(args[0], args[1:]) if isinstance(node, Over) else rebuild(node, args)
