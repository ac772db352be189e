"""Two right sides compared at random numbers, with the definitions of what they read kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from ..language.indices import free_indices, substitute
from ..language.nodes import Entry, Index, MaxOver, Size, Sum
from ..language.scalars import Skeleton
from ..language.tensor import Dim, Tensor
from ..records import Equation
from .alike import LONGEST
from .evaluate import evaluate
from .facts import tensors_in

Array = NDArray[Any]
TOLERANCE = 1e-9
DEEPEST = 3
"""How many definitions of definitions hold."""


def agree(one: Equation, two: Equation, definitions: Sequence[Equation]) -> bool:
    """Whether two equations of one left side give equal numbers.

    Tensors that are read are random, except that `definitions` hold for them, and for what these read, a few deep.
    """
    sample = _Sample({eq.lhs: eq for eq in definitions}, (one.rhs, two.rhs))
    left, right = (sample.value(eq.rhs, eq.indices) for eq in (one, two))
    return bool(np.allclose(left, right, rtol=TOLERANCE, atol=TOLERANCE * np.abs(left).max(initial=1e-3)))


class _Sample:
    """Numbers for tensors and for nodes that cannot be worked out, made when they are first read."""

    def __init__(self, definitions: Mapping[Tensor, Equation], exprs: Sequence[Expr]) -> None:
        self.defined: dict[Tensor, Equation] = {}
        for _ in range(DEEPEST):
            read = set[Tensor]().union(*map(tensors_in, exprs)) - self.defined.keys()
            more = {t: definitions[t] for t in read if t in definitions}
            self.defined |= more
            exprs = [eq.rhs for eq in more.values()]
        self.rng = np.random.default_rng(1)
        self.values: dict[Tensor | Expr, Array] = {}

    def _random(self, key: Tensor | Expr, dims: Sequence[Dim | None]) -> Array:
        if key not in self.values:
            self.values[key] = self.rng.uniform(0.3, 1.7, tuple(map(size, dims)))
        return self.values[key]

    def _tensor(self, tensor: Tensor) -> Array:
        if tensor in self.defined and tensor not in self.values:
            eq = self.defined[tensor]
            self.values[tensor] = self.value(eq.rhs, eq.indices)
        return self._random(tensor, tensor.dims)

    def value(self, expr: Expr, axes: tuple[Index, ...]) -> Array:
        """`expr` as an array over `axes`, in order."""
        skeleton = Skeleton()
        scalar = skeleton.strip(expr)
        env = {s: self._node(skeleton.nodes[s], axes) for s in scalar.free_symbols}
        return np.broadcast_to(evaluate(scalar, env, np.float64), tuple(size(i.dim) for i in axes))

    def _node(self, node: Expr, axes: tuple[Index, ...]) -> Array:
        if isinstance(node, Size):
            return np.asarray(float(size(node.dim)))
        if isinstance(node, (Sum, MaxOver)):
            inner = self.value(node.body, (*axes, *node.bound))
            last = tuple(range(len(axes), inner.ndim))
            return np.asarray(inner.sum(axis=last) if isinstance(node, Sum) else inner.max(axis=last))
        if type(node) is Entry and all(isinstance(i, Index) for i in node.indices):
            return _spread(self._tensor(node.tensor), node.indices, axes)
        free = free_indices(node)
        key = substitute(node, {i: Index(f"f{a}", i.dim, ("free", a)) for a, i in enumerate(free)})
        return _spread(self._random(key, [i.dim for i in free]), free, axes)


def _spread(value: Array, own: Sequence[Expr], axes: tuple[Index, ...]) -> Array:
    """An array over `own` indices as one over all `axes`; an index may run over a part of its axis."""
    lengths = [min(n, size(axes[axes.index(i)].dim)) for n, i in zip(value.shape, own, strict=True)]
    grid = tuple(
        np.arange(n).reshape([n if a == axes.index(i) else 1 for a in range(len(axes))])
        for n, i in zip(lengths, own, strict=True)
    )
    return value[grid]


def size(dim: Dim | None) -> int:
    """A small size for a dimension: its own, if that is small."""
    assert dim is not None
    return 3 if dim.size is None else min(dim.size, LONGEST)
