"""Two numeric readings that share nothing: of an index expression entry by entry, and of a printed tree as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp
from scipy.special import erf

from symbackprop.language.brackets import At, NotAt
from symbackprop.language.nodes import ArgMax, Entry, Held, Index, MaxOver, Over, Size, Sum
from symbackprop.language.tensor import Tensor
from symbackprop.present import tree as t

Array = Any
Values = Mapping[Tensor, Array]
BATCH = 7
"""The batch size at which everything is evaluated."""

NUMPY = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "erf": erf,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "floor": np.floor,
    "sigma": lambda z: 1 / (1 + np.exp(-z)),
}
COMPARE = {
    "=": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}
RELATIONS = {sp.Eq: "=", sp.Ne: "!=", sp.Gt: ">", sp.Ge: ">=", sp.Lt: "<", sp.Le: "<="}


def size_of(dim: Any) -> int:
    return BATCH if dim.size is None else int(dim.size)


def expression(expr: sp.Expr, indices: tuple[Index, ...], values: Values) -> Array:
    """The array of an index expression over `indices`, one axis each."""
    shape = tuple(size_of(i.dim) for i in indices)
    return np.broadcast_to(_expr(expr, indices, values), shape)


def _axis(array: Array, index: Index, scope: tuple[Index, ...]) -> Array:
    return np.reshape(array, [-1 if i == index else 1 for i in scope])


def _expr(e: Any, scope: tuple[Index, ...], values: Values) -> Array:
    if isinstance(e, Entry):
        axes = [_axis(np.arange(size_of(i.dim)), i, scope) if isinstance(i, Index) else int(i) for i in e.indices]
        return values[e.tensor][tuple(axes)] if axes else values[e.tensor]
    if isinstance(e, Index):
        return _axis(np.arange(size_of(e.dim)), e, scope)
    if isinstance(e, Size):
        return float(size_of(e.dim))
    if isinstance(e, Over):
        return _over(e, scope, values)
    if isinstance(e, sp.Piecewise):
        value = np.nan
        for v, c in reversed(e.args):
            value = np.where(_condition(c, scope, values), _expr(v, scope, values), value)
        return value
    args = [_expr(a, scope, values) for a in e.args]
    if isinstance(e, At):
        return np.where(np.equal(*args), 0.0, 1.0) if isinstance(e, NotAt) else np.where(np.equal(*args), 1.0, 0.0)
    if isinstance(e, (sp.Max, sp.Min)):
        return (np.maximum if isinstance(e, sp.Max) else np.minimum)(*args)
    if isinstance(e, (sp.Add, sp.Mul)):
        total = args[0]
        for a in args[1:]:
            total = total + a if isinstance(e, sp.Add) else total * a
        return total
    if isinstance(e, sp.Pow):
        return np.power(args[0], args[1], dtype=float)
    if isinstance(e, sp.Function):
        return NUMPY[e.func.__name__.lower()](args[0])
    return float(e)


def _over(e: Over, scope: tuple[Index, ...], values: Values) -> Array:
    if isinstance(e, Held):
        return _expr(e.body, scope, values)
    inner = (*scope, *e.bound)
    full = np.broadcast_to(_expr(e.body, inner, values), tuple(size_of(i.dim) for i in inner))
    last = tuple(range(len(scope), len(inner)))
    return full.argmax(axis=-1) if isinstance(e, ArgMax) else {Sum: np.sum, MaxOver: np.max}[type(e)](full, axis=last)


def _condition(c: Any, scope: tuple[Index, ...], values: Values) -> Array:
    if c in (sp.true, sp.false):
        return bool(c)
    parts = [(_condition if isinstance(c, (sp.And, sp.Or)) else _expr)(a, scope, values) for a in c.args]
    if isinstance(c, (sp.And, sp.Or)):
        return (np.logical_and if isinstance(c, sp.And) else np.logical_or).reduce(np.broadcast_arrays(*parts))
    return COMPARE[RELATIONS[c.func]](*parts)


class Trees:
    """Evaluates printed trees: a column is (n, 1), a scalar has no axes, and nothing else is ever spread."""

    def __init__(self, values: Values, ranges: Mapping[str, int] | None = None) -> None:
        self.values, self.ranges = values, dict(ranges or {})
        self.scope: tuple[str, ...] = tuple(self.ranges)

    def __call__(self, node: t.Node) -> Array:
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _leaf(self, node: t.Leaf) -> Array:
        array = np.asarray(self.values[node.tensor])
        assert array.ndim <= 2
        return array[:, None] if array.ndim == 1 else array

    def _letter(self, node: t.Letter) -> Array:
        return np.reshape(np.arange(self.ranges[node.name]), [-1 if c == node.name else 1 for c in self.scope])

    def _subscript(self, node: t.Subscript) -> Array:
        for index, dim in zip(node.indices, node.tensor.dims, strict=True):
            if isinstance(index, t.Letter):
                assert self.ranges[index.name] == size_of(dim)
        return self.values[node.tensor][tuple(np.asarray(self(i), int) for i in node.indices)]

    def _number(self, node: t.Number) -> Array:
        return np.float64(node.value)

    def _constant(self, node: t.Constant) -> Array:
        return np.float64({"pi": np.pi, "e": np.e}[node.name])

    def _size(self, node: t.Size) -> Array:
        return np.float64(size_of(node.dim))

    def _ones(self, node: t.Ones) -> Array:
        return np.ones((size_of(node.dim), 1))

    def _transpose(self, node: t.Transpose) -> Array:
        array = self(node.arg)
        assert array.ndim == 2
        return array.T

    def _product(self, node: t.Product) -> Array:
        made = self(node.args[0])
        for arg in node.args[1:]:
            made = made @ self(arg)
        return made

    def _alike(self, nodes: Any) -> list[Array]:
        """Arrays of one shape, and scalars."""
        arrays = [self(n) for n in nodes]
        if not self.scope:
            assert len({np.shape(a) for a in arrays} - {()}) <= 1, nodes
        return arrays

    def _hadamard(self, node: t.Hadamard) -> Array:
        arrays = self._alike(node.args)
        made = arrays[0]
        for a in arrays[1:]:
            made = made * a
        return made

    def _divide(self, node: t.Divide) -> Array:
        left, right = self._alike((node.left, node.right))
        return left / right

    def _add(self, node: t.Add) -> Array:
        arrays = self._alike([term for _, term in node.terms])
        return sum(sign * a for (sign, _), a in zip(node.terms, arrays, strict=True))

    def _scale(self, node: t.Scale) -> Array:
        made = np.float64(1) if node.core is None else self(node.core)
        for n in node.numerator:
            made = made * self._scalar(n)
        for n in node.denominator:
            made = made / self._scalar(n)
        return made

    def _scalar(self, node: t.Node) -> Array:
        value = self(node)
        assert self.scope or np.size(value) == 1, node
        return value if self.scope else np.float64(np.reshape(value, ()))

    def _power(self, node: t.Power) -> Array:
        return self(node.base) ** self._scalar(node.exponent)

    def _apply(self, node: t.Apply) -> Array:
        if node.function in ("max", "min"):
            return (np.maximum if node.function == "max" else np.minimum)(*self._alike(node.args))
        (arg,) = map(self, node.args)
        if node.function == "softmax":
            axis = 0 if arg.shape[1] == 1 else 1
            return np.exp(arg) / np.exp(arg).sum(axis=axis, keepdims=True)
        if node.function == "rowsum":
            return arg.sum(axis=1, keepdims=True)
        if node.function == "diag":
            assert arg.shape[1] == 1
            return np.diag(arg[:, 0])
        return NUMPY[node.function](arg)

    def _total(self, node: t.Total) -> Array:
        return np.sum(self(node.arg))

    def _trace(self, node: t.Trace) -> Array:
        return np.trace(self(node.arg))

    def _norm(self, node: t.Norm) -> Array:
        return np.sum(np.abs(self(node.arg)) ** node.kind)

    def _relation(self, node: t.Relation) -> Array:
        return COMPARE[node.sign](*self._alike((node.left, node.right)))

    def _logic(self, node: t.Logic) -> Array:
        return (np.logical_and if node.word == "and" else np.logical_or).reduce(self._alike(node.args))

    def _bracket(self, node: t.Bracket) -> Array:
        return np.asarray(self(node.condition), float)

    def _cases(self, node: t.Cases) -> Array:
        assert node.otherwise is not None
        value = self(node.otherwise)
        for v, c in reversed(node.branches):
            value = np.where(self(c), self(v), value)
        return value

    def _running(self, node: t.Running) -> Array:
        assert not set(node.letters) & set(self.scope), "a bound letter hides another"
        ranges = {**self.ranges, **{c: letter_range(node.body, c) for c in node.letters}}
        inner = Trees(self.values, ranges)
        full = np.broadcast_to(inner(node.body), tuple(ranges.values()))
        last = tuple(range(len(self.scope), len(inner.scope)))
        if node.kind == "argmax":
            return full.argmax(axis=-1)
        return {"sum": np.sum, "max": np.max}[node.kind](full, axis=last)


def letter_range(node: t.Node, letter: str) -> int:
    """The size of the axis that a letter stands on."""
    for n in t.walk(node):
        if isinstance(n, t.Subscript):
            for index, dim in zip(n.indices, n.tensor.dims, strict=True):
                if index == t.Letter(letter):
                    return size_of(dim)
    raise AssertionError(f"{letter} stands on no axis")
